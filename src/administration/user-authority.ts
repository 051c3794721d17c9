import type { Principal } from '../access/principal.js';
import { Refusal } from '../tokens/refusal.js';

/** @throws {Refusal} forbidden for a caller who administers nothing. */
export function assertAdministers(caller: Principal): void {
  if (caller.administers(caller.user.organizationId)) return;
  throw new Refusal('forbidden', { reason: 'role', message: 'Administrators only' });
}

/** @throws {Refusal} forbidden for a caller who does not administer everything. */
export function assertAdministersAll(caller: Principal): void {
  if (caller.isAdministrator) return;
  throw new Refusal('forbidden', { reason: 'role', message: 'Administrators of everything only' });
}
