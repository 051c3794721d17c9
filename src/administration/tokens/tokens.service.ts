import { Injectable } from '@nestjs/common';
import { isLogin } from '../../accounts/login.js';
import type { UserReference } from '../../accounts/user-reference.js';
import type { User } from '../../accounts/user.entity.js';
import type { Principal } from '../../auth/principal.js';
import { isUuid } from '../../database/uuid.js';
import type { Page } from '../../database/page.js';
import { UsageRecorder } from '../../decisions/usage-recorder.js';
import type { Job } from '../../jobs/job.entity.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { type Dialect } from '../../protocol/dialect.js';
import { Refusal } from '../../refusal.js';
import { checkedCidrs } from '../../tokens/allowed-cidrs.js';
import { Inventory, visibleTo } from '../../tokens/inventory/inventory.js';
import type { TokenExpirations } from '../../tokens/inventory/token-expirations.js';
import { looksAtUses } from '../../tokens/inventory/token-filter.js';
import type { TokenSummary } from '../../tokens/inventory/token-summary.js';
import { Revocations } from '../../tokens/revocations/revocations.js';
import { isTokenId } from '../../tokens/token-format.js';
import type { Token } from '../../tokens/token.entity.js';
import type { TokenCriteria } from '../../tokens/token-criteria.js';
import {
  type Found,
  type IssuedToken,
  type TokenChanges,
  type TokenSpec,
  TokenService,
} from '../../tokens/token.service.js';
import { inTurns } from '../../turnstile.js';
import type { ExpirationsQuery } from './token-summary.dto.js';
import {
  type CreateToken,
  type ListTokensQuery,
  type RevokeTokenQuery,
  type RotateToken,
  TokenFilter,
  type UpdateToken,
} from './tokens.dto.js';

/** What a body says of a new token. */
type TokenBody = Pick<
  CreateToken,
  'dialect' | 'owner' | 'name' | 'description' | 'scopes' | 'allowedCidrs' | 'expiresAt'
>;

/**
 * Tokens of every dialect, for their owners and for who administers these. A token that the caller may not see is not
 * there for the caller.
 */
@Injectable()
export class TokenAdministrationService {
  constructor(
    private readonly tokens: TokenService,
    private readonly registry: DialectRegistry,
    private readonly usage: UsageRecorder,
    private readonly inventory: Inventory,
    private readonly revocations: Revocations,
  ) {}

  /**
   * Issues a token of any dialect.
   *
   * @throws {Refusal} invalid; forbidden for an owner or a scope that the caller has no right over; notFound for an owner
   *   that the caller cannot see; conflict for a name that must be unique and is not.
   */
  async issue(caller: Principal, body: CreateToken): Promise<IssuedToken> {
    const spec = this.specOf(caller, body);
    return this.tokens.issue(spec, caller, { assertVisible: (owner) => assertSeesOwner(caller, owner) });
  }

  /**
   * Issues many tokens, or none.
   *
   * @throws {Refusal} as {@link issue}; its fields name the place in the list.
   */
  async issueMany(caller: Principal, bodies: readonly CreateToken[]): Promise<IssuedToken[]> {
    const specs = await inTurns(bodies, (body, index) => inBatch(index, () => this.specOf(caller, body)));
    return this.tokens.issueMany(specs, caller, {
      assertVisible: (owner) => assertSeesOwner(caller, owner),
      at: inBatch,
    });
  }

  /**
   * What is to be issued or brought along for a caller.
   *
   * @throws {Refusal} invalid; forbidden for a member who names another owner.
   */
  specOf(caller: Principal, body: TokenBody): TokenSpec {
    const dialect = this.registry.find(body.dialect);
    if (!dialect) {
      const names = this.registry.all().map(({ name }) => name);
      throw Refusal.ofField(['dialect'], 'isIn', `dialect must be one of ${names.join(', ')}`);
    }
    assertMayNameOwner(caller, body.owner);
    return {
      dialect: dialect.name,
      owner: referenceOf(body.owner),
      name: body.name,
      uniqueName: dialect.hasUniqueNames ? body.name : null,
      description: body.description ?? null,
      scopes: scopesOf(dialect, body.scopes),
      allowedCidrs: blocksOf(body.allowedCidrs ?? []),
      expiresAt: body.expiresAt,
    };
  }

  /** Reads one page of the tokens that the caller sees and the filter means. */
  async list(caller: Principal, { cursor, limit, sort, ...query }: ListTokensQuery): Promise<Page<Token>> {
    // The database has a use a little later than it happens.
    if (looksAtUses(query) || sort.endsWith('lastUsedAt')) await this.usage.flush();
    const filter = await this.inventory.resolve(caller, TokenFilter.named(query));
    if (!filter) return { rows: [], nextCursor: undefined };
    return this.inventory.page(filter, { sort, cursor, limit });
  }

  /** Counts the tokens that the caller sees and the filter means. */
  async summary(caller: Principal, query: TokenFilter): Promise<TokenSummary> {
    await this.usage.flush();
    const filter = await this.inventory.resolve(caller, TokenFilter.named(query));
    return this.inventory.summary(filter, caller.user.id);
  }

  /** Counts the active tokens that the caller sees and the filter means by the day on which they expire. */
  async expirations(caller: Principal, { days, ...query }: ExpirationsQuery): Promise<TokenExpirations> {
    if (looksAtUses(query)) await this.usage.flush();
    const filter = await this.inventory.resolve(caller, TokenFilter.named(query));
    return this.inventory.expirations(filter, days, caller.user.id);
  }

  /** @throws {Refusal} notFound, also for a stranger's token. */
  async get(caller: Principal, tokenId: string): Promise<Token> {
    const found = await this.tokens.find(namedBy(caller, tokenId));
    if (!found) throw noSuchToken();
    return found;
  }

  /**
   * Changes a token.
   *
   * @throws {Refusal} invalid; notFound; conflict for a revoked token and for a name that must be unique and is not;
   *   forbidden for blocks that reach beyond the caller's and for the token of one who may do more than the caller.
   */
  async update(caller: Principal, tokenId: string, body: UpdateToken): Promise<Token> {
    const where = namedBy(caller, tokenId);
    const changes = changesOf(body);
    if (Object.keys(changes).length > 0) return this.tokens.update(where, changes, caller, CHANGEABLE);
    const found = await this.get(caller, tokenId);
    CHANGEABLE.assertVisible({ token: found });
    return found;
  }

  /**
   * Gives a token a new value. A token that rotates itself does so only while the value it called with is its value.
   *
   * @throws {Refusal} notFound; conflict for a revoked token or when another rotation was first; forbidden for the token
   *   of one who may do more than the caller, or one that holds more.
   */
  async rotate(
    caller: Principal,
    tokenId: string,
    { graceSeconds, retireOnFirstUse }: RotateToken,
  ): Promise<IssuedToken> {
    const where = namedBy(caller, tokenId);
    const isOwn = caller.token?.tokenId === tokenId;
    const presented = isOwn && caller.presentedValue !== null ? { presented: caller.presentedValue } : {};
    return this.tokens.rotate(where, caller, {
      ...CHANGEABLE,
      graceSeconds,
      retiresOnFirstUse: retireOnFirstUse,
      ...presented,
    });
  }

  /**
   * Ends a token for good, with its descendants if that is wanted; one that is revoked already stays as it is.
   *
   * @returns the job that ends the descendants, where they are many.
   * @throws {Refusal} notFound; forbidden for descendants that the caller may not end.
   */
  async revoke(
    caller: Principal,
    tokenId: string,
    { reason: given, descendants }: RevokeTokenQuery,
  ): Promise<Job | undefined> {
    const where = namedBy(caller, tokenId);
    const reason = given ?? null;
    if (!descendants) {
      await this.tokens.revoke(where, caller, { reason });
      return undefined;
    }
    if (await this.tokens.revokeWithDescendants(where, caller, { reason })) return undefined;
    const scopes = caller.token?.scopes ?? [];
    return this.revocations.startFamily(where, visibleTo(caller), caller, { reason, scopes });
  }
}

/** A token of a path, if the caller sees it. */
function namedBy(caller: Principal, tokenId: string): TokenCriteria {
  if (!isTokenId(tokenId)) throw noSuchToken();
  return { ...visibleTo(caller), tokenId };
}

const CHANGEABLE = {
  /** @throws {Refusal} conflict for a revoked token. */
  assertVisible: ({ token }: Pick<Found, 'token'>): void => {
    if (!token?.isRevoked()) return;
    throw new Refusal('conflict', { reason: 'revoked', message: 'The token is revoked' });
  },
};

/** What is thrown for one of a batch, with its place. */
export function ofBatch(error: unknown, index: number): unknown {
  return error instanceof Refusal ? error.under(['tokens', String(index)]) : error;
}

export function inBatch<Result>(index: number, step: () => Result): Result {
  try {
    return step();
  } catch (error) {
    throw ofBatch(error, index);
  }
}

/** Whom a caller names as the owner of a new token: by uuid, or by login. */
function referenceOf(owner: string): UserReference {
  if (!isLogin(owner)) return {};
  return isUuid(owner) ? { id: owner, login: owner } : { login: owner };
}

/** @throws {Refusal} forbidden for a member who names somebody else. */
function assertMayNameOwner(caller: Principal, owner: string): void {
  const { user } = caller;
  const isOwn = owner === user.id || owner.toLowerCase() === user.login.toLowerCase();
  if (isOwn || caller.administers(user.organizationId)) return;
  throw new Refusal('forbidden', { reason: 'role', message: 'Only administrators make tokens for others' });
}

/** @throws {Refusal} notFound for an owner whom an administrator cannot see. */
export function assertSeesOwner(caller: Principal, owner: User | undefined): void {
  if (owner && (owner.id === caller.user.id || caller.administers(owner.organizationId))) return;
  const message = 'No such user';
  const fields = [{ path: ['owner'], rule: 'exists', message }];
  throw new Refusal('notFound', { message, fields });
}

function scopesOf({ name, scopes: rules }: Dialect, scopes: string[] | undefined): readonly string[] {
  const unknown = scopes?.findIndex((scope) => !rules.isKnown(scope)) ?? -1;
  if (unknown >= 0) {
    throw Refusal.ofField(['scopes', String(unknown)], 'isIn', `${name} has no scope ${scopes?.[unknown]}`);
  }
  const given = scopes ?? rules.defaults;
  if (!given) throw Refusal.ofField(['scopes'], 'isDefined', `scopes must be given for a token of ${name}`);
  return given;
}

function changesOf(body: UpdateToken): TokenChanges {
  const { name, description, allowedCidrs, status, expiresAt } = body;
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(allowedCidrs === undefined ? {} : { allowedCidrs: blocksOf(allowedCidrs) }),
    ...(status === undefined ? {} : { inactive: status === 'inactive' }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

function blocksOf(entries: string[]): string[] {
  return checkedCidrs(entries, (message, index) =>
    Refusal.ofField(['allowedCidrs', String(index)], 'cidr', message),
  );
}

function noSuchToken(): Refusal {
  return new Refusal('notFound', { message: 'No such token' });
}
