import { Refusal } from '../refusal.js';

/** A login or name that is taken already. */
export class AccountConflict extends Refusal {
  constructor(readonly field: 'login' | 'name') {
    const message = `The ${field} has already been taken`;
    super('conflict', { reason: 'nameTaken', message, fields: [{ path: [field], rule: 'unique', message }] });
  }
}
