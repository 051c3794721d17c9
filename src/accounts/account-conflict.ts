/** A login or name that is taken already. */
export class AccountConflict extends Error {
  constructor(readonly field: 'login' | 'name') {
    super(`The ${field} has already been taken`);
    this.name = 'AccountConflict';
  }
}
