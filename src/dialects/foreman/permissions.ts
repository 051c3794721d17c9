import { type Permission, PERMISSIONS, type User } from '../../accounts/user.entity.js';
import type { Principal } from '../../access/principal.js';
import { Refusal } from '../../tokens/refusal.js';
import { SCOPES, scopeOf, WHOLE_RIGHT } from './foreman.dialect.js';

/** Whether a caller may: the user holds the permission, or administers everything, and the token covers it. */
export function may(caller: Principal, permission: Permission): boolean {
  return holds(caller.user, permission) && caller.covers(SCOPES, [scopeOf(permission)]);
}

/** @throws {Refusal} forbidden, naming the permission. */
export function assertMay(caller: Principal, permission: Permission): void {
  if (may(caller, permission)) return;
  const message = `The permission ${permission} is missing`;
  throw new Refusal('forbidden', { reason: 'role', message, missing: [permission] });
}

/**
 * The scopes of a token that a caller makes: its owner's whole right, unless that is more than the caller holds; then
 * what the caller holds.
 */
export function grantableScopes(caller: Principal, owner: User): string[] {
  const isOwn = owner.id === caller.user.id;
  const covered = PERMISSIONS.filter((permission) => caller.covers(SCOPES, [scopeOf(permission)]));
  const isWithinReach = isOwn || PERMISSIONS.every((one) => !holds(owner, one) || holds(caller.user, one));
  if (isWithinReach && caller.covers(SCOPES, [WHOLE_RIGHT])) return [WHOLE_RIGHT];
  return covered.filter((permission) => isOwn || holds(caller.user, permission)).map(scopeOf);
}

function holds({ role, permissions }: User, permission: Permission): boolean {
  return role === 'administrator' || permissions.includes(permission);
}
