import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In, Raw } from 'typeorm';
import { AccountsService, type UserChanges } from '../../accounts/accounts.service.js';
import { DEFAULT_ORGANIZATION } from '../../accounts/first-start.js';
import { Identity } from '../../accounts/identity.entity.js';
import { isLastAdministrator } from '../../accounts/last-administrator.js';
import { Organization } from '../../accounts/organization.entity.js';
import { findPlace } from '../../accounts/references.js';
import { User } from '../../accounts/user.entity.js';
import { type Actor, SYSTEM } from '../../audit/audit.writer.js';
import { violatedUniqueIndex } from '../../database/errors.js';
import { Transactions } from '../../database/transactions.js';
import { isGoodText } from '../../http/validation/text.js';
import { keptUserAgent, type Origin } from '../../protocol/origin.js';
import { TokenService } from '../../tokens/token.service.js';
import { loginOf, nameOf, organizationOf, roleOf, verifiedEmailOf } from './claims.js';
import type { Claims } from './provider-client.js';
import { SignInFailure } from './sign-in-failure.js';
import type { SignInProvider } from './sign-in-provider.js';

/** OpenID Connect Core 1.0, 2: `sub`. */
const MAX_SUBJECT = 255;
/** The changes of all who sign in wait for their turn in one line. */
const LINE = 'sign-in';

/** One sign-in, under the locks of its transaction. */
interface SigningIn {
  provider: SignInProvider;
  claims: Claims;
  actor: Actor;
  manager: EntityManager;
}

/** Which user somebody is whom a provider has signed in. */
@Injectable()
export class SignedInUsers {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly accounts: AccountsService,
    private readonly tokens: TokenService,
  ) {}

  /**
   * The user of an identity, linked or made where the provider's settings say so, with role and organization as the claims
   * have them. All of it, and its audit events, commit together.
   *
   * @returns the user with the organization.
   * @throws {SignInFailure} unknownUser, disabled, conflict, failed.
   */
  async resolve(provider: SignInProvider, claims: Claims, origin: Origin): Promise<User> {
    const { sub } = claims;
    if (sub.length > MAX_SUBJECT || !isGoodText(sub)) {
      throw new SignInFailure('failed', 'The subject is longer than 255 characters, or no text');
    }
    const actor: Actor = {
      ...SYSTEM,
      address: origin.address ?? null,
      userAgent: keptUserAgent(origin.userAgent),
      requestId: origin.requestId,
    };
    const attempt = (): Promise<User> =>
      this.transactions.inTurn(LINE, () =>
        this.dataSource.transaction((manager) => this.userOf({ provider, claims, actor, manager })),
      );
    try {
      return await attempt().catch((error: unknown) => {
        // Somebody was faster, perhaps the same person in another tab, who is found now.
        if (violatedUniqueIndex(error) === undefined) throw error;
        return attempt();
      });
    } catch (error) {
      const index = violatedUniqueIndex(error);
      if (index === undefined) throw error;
      const what = index === 'users_login' ? 'The login is taken' : 'It is linked already';
      throw new SignInFailure('conflict', what);
    }
  }

  private async userOf(signingIn: SigningIn): Promise<User> {
    const { claims, manager } = signingIn;
    const identity = await manager.findOneBy(Identity, { issuer: claims.iss, subject: claims.sub });
    if (identity) {
      const user = await this.brought(identity.userId, signingIn);
      await manager.update(Identity, { id: identity.id }, { lastUsedAt: new Date() });
      return user;
    }
    const known = await this.linkableUser(signingIn);
    return known ? this.linked(known, signingIn) : this.created(signingIn);
  }

  /**
   * The one user who has the address that the provider vouches for; undefined for nobody, or where it does not link by
   * addresses. Of several nobody can say which is meant, and one more is not made.
   *
   * @throws {SignInFailure} conflict.
   */
  private async linkableUser({ provider, claims, manager }: SigningIn): Promise<User | undefined> {
    const email = provider.linksByVerifiedEmail ? verifiedEmailOf(claims) : null;
    if (email === null) return undefined;
    const where = { email: Raw((column) => `lower(${column}) = lower(:email)`, { email }) };
    const [user, ...others] = await manager.find(User, { where, take: 2 });
    if (others.length > 0) throw new SignInFailure('conflict', 'Several users have the e-mail address');
    return user;
  }

  private async linked(known: User, signingIn: SigningIn): Promise<User> {
    const { provider, claims, actor, manager } = signingIn;
    const user = await this.brought(known.id, signingIn);
    if (user.email?.toLowerCase() !== known.email?.toLowerCase()) {
      throw new SignInFailure('conflict', 'The e-mail address changed meanwhile', user);
    }
    const other = await manager.findOneBy(Identity, { userId: user.id, issuer: claims.iss });
    // While this one waited for the user's lock, the same person in another tab was faster.
    if (other?.subject === claims.sub) return user;
    if (other) {
      throw new SignInFailure('conflict', 'The user has another identity of this issuer', user);
    }
    const identity = { issuer: claims.iss, subject: claims.sub };
    await this.accounts.linkIdentity(user.id, identity, provider.name, actor, manager);
    return user;
  }

  /** @throws {SignInFailure} unknownUser where nobody is made. */
  private async created(signingIn: SigningIn): Promise<User> {
    const { provider, claims, actor, manager } = signingIn;
    if (!provider.createsUsers) throw new SignInFailure('unknownUser', 'Nobody has this identity');
    const login = loginOf(claims, provider.loginClaim);
    if (login === undefined) {
      throw new SignInFailure('failed', `The claim ${provider.loginClaim} gives no login`);
    }
    const spec = {
      login,
      name: nameOf(claims),
      // One that nobody vouches for might be another's, to whom a provider that does would then link.
      email: verifiedEmailOf(claims),
      role: provider.role ? roleOf(claims, provider.role) : ('member' as const),
      organizationId:
        (await claimedOrganization(signingIn)) ?? (await organizationId(DEFAULT_ORGANIZATION, manager)),
    };
    const user = await this.accounts.createUserWithoutPassword(spec, actor, manager);
    const identity = { issuer: claims.iss, subject: claims.sub };
    await this.accounts.linkIdentity(user.id, identity, provider.name, actor, manager);
    return user;
  }

  /**
   * A user, locked, who may sign in, with role and organization as the claims have them.
   *
   * @throws {SignInFailure} disabled, unknownUser, conflict.
   */
  private async brought(id: string, signingIn: SigningIn): Promise<User> {
    const { provider, claims, actor, manager } = signingIn;
    const role = provider.role && roleOf(claims, provider.role);
    const user = await this.lock(id, role !== undefined && role !== 'administrator', manager);
    const changes: UserChanges = {};
    if (role !== undefined && role !== user.role) changes.role = role;
    const organization = await claimedOrganization(signingIn);
    if (organization !== undefined && organization !== user.organizationId) {
      changes.organizationId = organization;
    }
    if (Object.keys(changes).length > 0) {
      await this.accounts.updateUser(id, changes, actor, manager);
      if (changes.organizationId !== undefined) {
        await this.tokens.moveAllOf(id, changes.organizationId, manager);
      }
    }
    return manager.findOneOrFail(User, { where: { id }, relations: { organization: true, locations: true } });
  }

  /**
   * Locks a user and, where the role of an administrator may end, every administrator who can act, in the one order in
   * which users are locked.
   */
  private async lock(id: string, mayEndAdministrator: boolean, manager: EntityManager): Promise<User> {
    const before = await manager.findOneBy(User, { id });
    const endsAdministrator = mayEndAdministrator && before?.role === 'administrator';
    const acting = { role: 'administrator', disabled: false } as const;
    const others = endsAdministrator ? await manager.find(User, { where: acting, select: { id: true } }) : [];
    const users = await manager.find(User, {
      where: { id: In([id, ...others.map((other) => other.id)]) },
      order: { id: 'ASC' },
      lock: { mode: 'pessimistic_write' },
    });
    const user = users.find((one) => one.id === id);
    if (!user) throw new SignInFailure('unknownUser', 'The user was deleted meanwhile');
    if (user.disabled) throw new SignInFailure('disabled', 'The user is disabled', user);
    if (user.role !== before?.role) throw new SignInFailure('failed', 'The role changed meanwhile', user);
    if (endsAdministrator && isLastAdministrator(user, users)) {
      throw new SignInFailure('conflict', 'The claims would end the last administrator who can act', user);
    }
    return user;
  }
}

/**
 * The organization that the claims say; undefined where the provider's settings ask for none.
 *
 * @throws {SignInFailure} unknownUser for somebody of none that is mapped.
 */
async function claimedOrganization({ provider, claims, manager }: SigningIn): Promise<string | undefined> {
  if (!provider.organization) return undefined;
  const name = organizationOf(claims, provider.organization);
  if (name === undefined) {
    throw new SignInFailure(
      'unknownUser',
      `The claim ${provider.organization.claim} has no value that is mapped`,
    );
  }
  return organizationId(name, manager);
}

async function organizationId(name: string, manager: EntityManager): Promise<string> {
  const organization = await findPlace(manager, Organization, name);
  if (!organization) throw new SignInFailure('failed', `There is no organization ${name}`);
  return organization.id;
}
