import { Refusal } from '../refusal.js';

/** A login, name or external id that is taken already. */
export class AccountConflict extends Refusal {
  constructor(readonly field: 'login' | 'name' | 'externalId') {
    const message = `The ${field} has already been taken`;
    super('conflict', { reason: 'nameTaken', message, fields: [{ path: [field], rule: 'unique', message }] });
  }
}

/** What is taken, by the unique index that a write ran into; undefined for an index of something else. */
export function conflictOf(index: string | undefined): AccountConflict | undefined {
  switch (index) {
    case 'users_login':
      return new AccountConflict('login');
    case 'users_external_id':
    case 'groups_external_id':
      return new AccountConflict('externalId');
    case 'organizations_name':
    case 'locations_name':
    case 'groups_display_name':
      return new AccountConflict('name');
    default:
      return undefined;
  }
}
