import { type Permission, type User } from '../../accounts/user.entity.js';
import { PERMISSIONS } from '../../accounts/user.entity.js';
import type { Principal } from '../../auth/principal.js';
import { Refusal } from '../../refusal.js';
import { FOREMAN } from './foreman.dialect.js';
import { scopeOf, WHOLE_RIGHT } from './foreman.scopes.js';

/** Whether the user holds the permission or is an administrator, and the token covers it. */
export function may(caller: Principal, permission: Permission): boolean {
  return holds(caller.user, permission) && caller.covers(FOREMAN, [scopeOf(permission)]);
}

/** @throws {Refusal} forbidden, with the name of the permission. */
export function assertMay(caller: Principal, permission: Permission): void {
  if (may(caller, permission)) return;
  const message = `The permission ${permission} is missing`;
  throw new Refusal('forbidden', { reason: 'role', message, missing: [permission] });
}

/** The scopes of a new token: all rights of its owner, or as many of them as the calling token has. */
export function grantableScopes(caller: Principal): string[] {
  if (caller.covers(FOREMAN, [WHOLE_RIGHT])) return [WHOLE_RIGHT];
  return PERMISSIONS.map(scopeOf).filter((scope) => caller.covers(FOREMAN, [scope]));
}

function holds({ role, permissions }: User, permission: Permission): boolean {
  return role === 'administrator' || permissions.includes(permission);
}
