import { type Principal } from '../access/principal.js';
import { type Permission, type Role, ROLES, type User } from '../accounts/user.entity.js';
import { Refusal } from '../tokens/refusal.js';

/** What a user is to be, or to become. */
export interface UserRights {
  role: Role;
  permissions: readonly Permission[];
  organizationId: string;
}

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

/**
 * Whether what this user can do, the caller can do as well: only then may the caller act in the user's name, by making
 * or taking over a token, or by setting the password. An organization administrator may so act for the members and
 * organization administrators of the organization who hold no permission that the caller does not hold.
 */
export function mayActFor(caller: Principal, { id, role, permissions, organizationId }: User): boolean {
  if (caller.isAdministrator || id === caller.user.id) return true;
  return caller.administers(organizationId) && role !== 'administrator' && holds(caller, permissions);
}

/** @throws {Refusal} forbidden where {@link mayActFor} says no. */
export function assertMayActFor(caller: Principal, user: User): void {
  if (mayActFor(caller, user)) return;
  const message = `${user.login} may do what you may not, so you cannot act in that name`;
  throw new Refusal('forbidden', { reason: 'grant', message });
}

/**
 * Nobody hands on what they do not hold: an organization administrator stays within the organization, below
 * administrators, and with permissions to the own ones; what the user has already may stay. A caller with a token that
 * does not hold `*` makes and leaves plain members, whatever its owner may do.
 *
 * @param before what the user is; undefined for one to be made.
 * @throws {Refusal} forbidden.
 */
export function assertMayGrantRights(
  caller: Principal,
  before: UserRights | undefined,
  after: UserRights,
): void {
  const refuse = (message: string): Refusal => new Refusal('forbidden', { reason: 'grant', message });
  if (!caller.administers(after.organizationId)) {
    const message = 'You administer another organization';
    throw new Refusal('forbidden', { reason: 'outsideOrganization', message });
  }
  const isRaised = rankOf(after.role) > rankOf(before?.role ?? 'member');
  if (isRaised && rankOf(after.role) > rankOf(caller.user.role)) {
    throw refuse(`Only an administrator grants the role ${after.role}`);
  }
  const added = after.permissions.filter((permission) => !before?.permissions.includes(permission));
  if (!caller.isAdministrator && !holds(caller, added)) {
    throw refuse(`You cannot grant permissions that you do not hold: ${added.join(', ')}`);
  }
  const isMoved = before !== undefined && before.organizationId !== after.organizationId;
  const isMore = isRaised || added.length > 0 || (isMoved && after.role !== 'member');
  if (isMore && !holdsEverything(caller)) {
    throw refuse("A token without the scope '*' cannot grant roles and permissions");
  }
}

/**
 * Who sets a password can log in with it, from anywhere, with all that the user may do.
 *
 * @param user undefined for one to be made.
 * @throws {Refusal} forbidden.
 */
export function assertMaySetPassword(caller: Principal, user: User | undefined): void {
  if (caller.allowedCidrs.length > 0) {
    const message = 'A token confined to CIDR blocks cannot set a password, which works from anywhere';
    throw new Refusal('forbidden', { reason: 'reach', message });
  }
  if (!user) return;
  assertMayActFor(caller, user);
  if (!holdsEverything(caller)) {
    const message = "A token without the scope '*' cannot set the password of a user";
    throw new Refusal('forbidden', { reason: 'grant', message });
  }
}

function holds(caller: Principal, permissions: readonly Permission[]): boolean {
  return permissions.every((permission) => caller.user.permissions.includes(permission));
}

function holdsEverything({ token }: Principal): boolean {
  return token === null || token.scopes.includes('*');
}

function rankOf(role: Role): number {
  return ROLES.indexOf(role);
}
