import { type Permission, type Role, ROLES, type User } from '../../accounts/user.entity.js';
import { reachesBeyond } from '../../network/cidr.js';
import { Refusal } from '../../refusal.js';
import type { Token } from '../token.entity.js';
import type { Authority } from './authority.js';

/** What a token would let its bearer do, and until when (null: for ever). */
export type Grant = Pick<Token, 'dialect' | 'scopes' | 'allowedCidrs' | 'expiresAt'>;

/** What a user is, as far as it says what the user may do. */
export type UserRights = Pick<User, 'role' | 'permissions' | 'organizationId' | 'disabled'>;

/** Who ends tokens of others in the own organization without being an administrator, as Foreman has it. */
const ENDS_TOKENS_OF_OTHERS: readonly Permission[] = ['revoke_personal_access_tokens', 'edit_users'];

/**
 * What an actor may do, and so hand on, as read under the locks of the changing transaction. The one rule of authority:
 * after any accepted call nobody can do, in anybody's name, what they could not do or grant before. docs/SECURITY.md has
 * it as a table.
 */
export class Powers {
  /**
   * @param user null: the server itself, which may do everything.
   * @param token null: a caller by password, who holds every scope, from everywhere, for ever.
   */
  constructor(
    private readonly by: Authority,
    private readonly user: User | null,
    private readonly token: Token | null,
  ) {}

  /** Whether the actor administers an organization: the own one, or, as an administrator of everything, any. */
  administers(organizationId: string): boolean {
    if (!this.user || this.user.role === 'administrator') return true;
    return this.user.role === 'organizationAdministrator' && this.user.organizationId === organizationId;
  }

  get isAdministrator(): boolean {
    return !this.user || this.user.role === 'administrator';
  }

  /**
   * Who makes, changes or takes over a token acts in its owner's name. That may the owner, and who administers the owner
   * and can do all that the owner can.
   *
   * @throws {Refusal} forbidden.
   */
  assertMayActFor(owner: Pick<User, 'id' | 'login'> & UserRights): void {
    if (!this.user || this.user.id === owner.id) return;
    if (!this.administers(owner.organizationId)) {
      throw new Refusal('forbidden', { reason: 'role', message: 'Only administrators act for others' });
    }
    if (this.isAdministrator || (owner.role !== 'administrator' && this.holds(owner.permissions))) return;
    throw refuseGrant(`${owner.login} may do what you may not, so you cannot act in that name`);
  }

  /**
   * Nobody makes, changes or takes over a token that holds, reaches or lives more than what they call with.
   *
   * @throws {Refusal} forbidden, with the missing scopes, or because the token would work where or when the caller's does
   *   not.
   */
  assertCovers({ dialect, scopes, allowedCidrs, expiresAt }: Grant): void {
    if (!this.token) return;
    const missing = this.by.uncovered(this.token.scopes, dialect, scopes);
    if (missing.length > 0) {
      const message = `You cannot grant what you do not hold: ${missing.join(', ')}`;
      throw new Refusal('forbidden', { reason: 'grant', message, missing });
    }
    if (reachesBeyond(allowedCidrs, this.token.allowedCidrs)) {
      const message =
        'A token confined to CIDR blocks cannot make, change or take over a token that reaches beyond them';
      throw new Refusal('forbidden', { reason: 'reach', message });
    }
    const { expiresAt: end } = this.token;
    if (end !== null && (expiresAt === null || expiresAt > end)) {
      const message = 'A token that expires cannot make, change or take over a token that outlives it';
      throw new Refusal('forbidden', { reason: 'lifetime', message });
    }
  }

  /** Whether the actor may come to act as a token does: in its owner's name, with all that it holds. */
  mayTakeOver(owner: User, token: Token): boolean {
    try {
      this.assertMayActFor(owner);
      this.assertCovers(token);
      return true;
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  }

  /**
   * When a new token expires: as asked, or, where nothing is asked (undefined), at the default, but no later than the
   * token that the actor calls with. Null: never.
   */
  expiryOf(asked: Date | null | undefined, byDefault: Date | null): Date | null {
    if (asked !== undefined) return asked;
    const end = this.token?.expiresAt ?? null;
    return end !== null && (byDefault === null || byDefault > end) ? end : byDefault;
  }

  /**
   * Ending a token is easier than making one: it gives nobody anything, so what it holds does not count.
   *
   * @throws {Refusal} forbidden for who is neither the owner nor administers the owner.
   */
  assertMayEnd({ ownerId, organizationId }: Pick<Token, 'ownerId' | 'organizationId'>): void {
    const { user } = this;
    if (!user || user.id === ownerId || this.administers(organizationId)) return;
    if (user.organizationId === organizationId && this.holds(ENDS_TOKENS_OF_OTHERS)) return;
    throw new Refusal('forbidden', {
      reason: 'role',
      message: 'Only administrators end the tokens of others',
    });
  }

  /**
   * Who may make a user. A new member's password is part of what `patois:users.write` is; it works from everywhere and
   * for ever, so a token that does not cannot set one.
   *
   * @throws {Refusal} forbidden.
   */
  assertMayMakeUser(after: UserRights, setsPassword: boolean): void {
    this.assertAdministers(after.organizationId);
    if (rankOf(after.role) > 0) this.assertMayGiveRole(after.role);
    this.assertMayGivePermissions(after.permissions);
    if (rankOf(after.role) > 0 || after.permissions.length > 0) this.assertHoldsEverything();
    if (setsPassword) this.assertIsUnbounded();
  }

  /**
   * Who may change what a user may do. Less is as easy as ending: whoever administers the user takes rights away. More,
   * another organization, a password and the end of being disabled give the user, and so whoever logs in as the user,
   * what they had not: only for who can do all of that, and holds it from everywhere and for ever.
   *
   * @param before as read under the user's lock.
   * @throws {Refusal} forbidden.
   */
  assertMayChangeUser(before: User, after: UserRights, setsPassword: boolean): void {
    this.assertAdministers(after.organizationId);
    if (rankOf(after.role) > rankOf(before.role)) this.assertMayGiveRole(after.role);
    const added = after.permissions.filter((permission) => !before.permissions.includes(permission));
    this.assertMayGivePermissions(added);
    const isMoved = before.organizationId !== after.organizationId;
    const isEnabled = before.disabled && !after.disabled;
    if (isMoved || isEnabled || setsPassword) this.assertMayActFor(before);
    const isRaised = rankOf(after.role) > rankOf(before.role) || added.length > 0;
    if (isRaised || isMoved || isEnabled || setsPassword) this.assertHoldsEverything();
  }

  /**
   * Who may enable again a user whom provisioning has disabled. It is the end of what the same scope began, and gives the
   * user what the user had: for who administers the user and can do all that the user can, by any token.
   *
   * @throws {Refusal} forbidden, also for a user whom somebody else has disabled.
   */
  assertMayGiveBack(user: User): void {
    if (!user.deprovisioned) throw refuseGrant('Provisioning enables only whom it has disabled');
    this.assertMayActFor(user);
  }

  /**
   * Who may change the policy of an organization. To narrow it gives nobody anything: whoever administers the organization
   * does that. To loosen it lets all of its users do what they could not: only for who can do all of that.
   *
   * @throws {Refusal} forbidden.
   */
  assertMayChangePolicy(organizationId: string, isLoosened: boolean): void {
    this.assertAdministers(organizationId);
    if (isLoosened) this.assertHoldsEverything('loosen a policy');
  }

  /** @throws {Refusal} forbidden for who does not administer everything. */
  assertAdministersAll(): void {
    if (this.isAdministrator) return;
    throw new Refusal('forbidden', { reason: 'role', message: 'Administrators of everything only' });
  }

  private assertAdministers(organizationId: string): void {
    if (this.administers(organizationId)) return;
    const message = 'You administer another organization';
    throw new Refusal('forbidden', { reason: 'outsideOrganization', message });
  }

  private assertMayGiveRole(role: Role): void {
    if (!this.user || rankOf(role) <= rankOf(this.user.role)) return;
    throw refuseGrant(`Only an administrator grants the role ${role}`);
  }

  private assertMayGivePermissions(added: readonly Permission[]): void {
    if (this.isAdministrator || this.holds(added)) return;
    throw refuseGrant(`You cannot grant permissions that you do not hold: ${added.join(', ')}`);
  }

  /** What a user may do holds by password too: every scope, from everywhere, for ever. */
  private assertHoldsEverything(toDo = 'give a user rights, a password or another place'): void {
    if (this.token && !this.token.scopes.includes('*')) {
      throw refuseGrant(`A token without the scope '*' cannot ${toDo}`);
    }
    this.assertIsUnbounded();
  }

  private assertIsUnbounded(): void {
    if (this.token && this.token.allowedCidrs.length > 0) {
      const message = 'A token confined to CIDR blocks cannot give what works from everywhere';
      throw new Refusal('forbidden', { reason: 'reach', message });
    }
    if (this.token && this.token.expiresAt !== null) {
      const message = 'A token that expires cannot give what does not';
      throw new Refusal('forbidden', { reason: 'lifetime', message });
    }
  }

  private holds(permissions: readonly Permission[]): boolean {
    return permissions.every((permission) => this.user?.permissions.includes(permission));
  }
}

function refuseGrant(message: string): Refusal {
  return new Refusal('forbidden', { reason: 'grant', message });
}

function rankOf(role: Role): number {
  return ROLES.indexOf(role);
}
