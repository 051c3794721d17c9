import { Injectable } from '@nestjs/common';
import type { EntityManager, FindOptionsWhere, SelectQueryBuilder } from 'typeorm';
import { User } from '../../accounts/user.entity.js';
import { HashingService } from '../../hashing/hashing.service.js';
import { allowsAddress } from '../../network/cidr.js';
import { Refusal } from '../../refusal.js';
import { Token } from '../token.entity.js';
import type { Authority, Credential } from './authority.js';
import { Powers } from './powers.js';

/** The rows that a change rests on, beside those of its actor. */
export interface RowsToLock {
  /** Users (uuids) that must stay as they are until the change commits. */
  users?: readonly string[];
  /** Whether these users are what is changed. */
  changesUsers?: boolean;
  /** Tokens (uuids) that are changed, and what must still be true of them. */
  tokens?: readonly string[];
  where?: FindOptionsWhere<Token>;
}

/** What the changing transaction has locked and read. */
export interface Admitted {
  /** What the actor may do. */
  powers: Powers;
  /** By uuid, deleted ones too. */
  users: ReadonlyMap<string, User>;
  /** By uuid, with their digests. */
  tokens: ReadonlyMap<string, Token>;
}

/**
 * Reads at the write who acts. Between a request and its change a user may be disabled, a token revoked, a password
 * changed: what was true when the request came is not enough.
 *
 * Rows are locked in one order, users by id, then tokens by id, so that no two changes wait for each other. The actor's
 * rows are locked shared: its changes run side by side, and what ends the actor waits for them and comes after them.
 */
@Injectable()
export class Admission {
  constructor(private readonly hashing: HashingService) {}

  /**
   * Locks the actor's rows and those of the change, and says what the actor may do.
   *
   * @throws {Refusal} unauthenticated, forbidden: the actor is not what it was when the request came in.
   */
  async admit(manager: EntityManager, by: Authority, rows: RowsToLock = {}): Promise<Admitted> {
    const { credential } = by;
    const isKnown = credential.kind !== 'none';
    const userIds = [...(rows.users ?? []), ...(isKnown ? [credential.userId] : [])];
    const users = await lockUsers(manager, userIds, rows.changesUsers ?? false);
    const actorToken = credential.kind === 'token' ? credential.tokenUuid : undefined;
    const tokens = await lockTokens(manager, rows, actorToken);
    const powers = isKnown ? this.powersOf(by, credential, users, tokens) : new Powers(by, null, null);
    return { powers, users, tokens };
  }

  private powersOf(
    by: Authority,
    credential: Exclude<Credential, { kind: 'none' }>,
    users: ReadonlyMap<string, User>,
    tokens: ReadonlyMap<string, Token>,
  ): Powers {
    const user = users.get(credential.userId);
    const login = user?.login ?? '';
    if (!user || user.deletedAt !== null || user.disabled) {
      throw new Refusal('unauthenticated', { reason: 'ownerDisabled', login });
    }
    if (credential.kind === 'password') {
      if (user.passwordVersion === credential.passwordVersion) return new Powers(by, user, null);
      throw new Refusal('unauthenticated', { reason: 'password', login });
    }
    const token = tokens.get(credential.tokenUuid);
    const status = token?.status() ?? 'unknown';
    if (!token || status !== 'active') {
      throw new Refusal('unauthenticated', { reason: status === 'active' ? 'unknown' : status, login });
    }
    if (!this.isValueOf(token, credential.value)) {
      throw new Refusal('unauthenticated', { reason: 'unknown', login });
    }
    if (!allowsAddress(token.allowedCidrs, by.actor.address ?? undefined)) {
      throw new Refusal('forbidden', { reason: 'address', message: 'Access denied' });
    }
    const { required: need } = by;
    if (need && by.uncovered(token.scopes, need.dialect, need.scopes).length === need.scopes.length) {
      throw lacksScope(need.scopes);
    }
    return new Powers(by, user, token);
  }

  /** Whether a value is a token's, or the one before it while its grace lasts. The token must be read with digests. */
  isValueOf(token: Token, value: string): boolean {
    const { digest, digestKey, previousDigest, previousDigestKey, previousValidUntil } = token;
    if (this.hashing.matchesToken(value, { digest, keyName: digestKey })) return true;
    if (!previousDigest || !previousDigestKey || !previousValidUntil) return false;
    const isInGrace = previousValidUntil > new Date();
    return (
      isInGrace && this.hashing.matchesToken(value, { digest: previousDigest, keyName: previousDigestKey })
    );
  }
}

/** What is said to a caller whose token covers none of the scopes of which one is needed. */
export function lacksScope(scopes: readonly string[]): Refusal {
  const message = `The token lacks the scope ${scopes.join(' or ')}`;
  return new Refusal('forbidden', { reason: 'scope', message, missing: [...scopes] });
}

async function lockUsers(
  manager: EntityManager,
  ids: readonly string[],
  isForChange: boolean,
): Promise<Map<string, User>> {
  if (ids.length === 0) return new Map();
  const users = await manager
    .createQueryBuilder(User, 'user')
    .withDeleted()
    .where('user.id IN (:...ids)', { ids: [...new Set(ids)] })
    .orderBy('user.id')
    .setLock(isForChange ? 'pessimistic_write' : 'pessimistic_read')
    .getMany();
  return new Map(users.map((user) => [user.id, user]));
}

/** Tokens in the order of their ids: a change of another token has the actor's before or after it. */
async function lockTokens(
  manager: EntityManager,
  { tokens: changed = [], where = {} }: RowsToLock,
  actorToken: string | undefined,
): Promise<Map<string, Token>> {
  const toChange = [...new Set(changed)].sort();
  const isShared = actorToken !== undefined && !toChange.includes(actorToken);
  const before = isShared ? toChange.filter((id) => id < actorToken) : toChange;
  const after = isShared ? toChange.filter((id) => id > actorToken) : [];
  const tokens = [
    ...(await lockedTokens(manager, before, 'pessimistic_write', where)),
    ...(isShared ? await lockedTokens(manager, [actorToken], 'pessimistic_read', {}) : []),
    ...(await lockedTokens(manager, after, 'pessimistic_write', where)),
  ];
  return new Map(tokens.map((token) => [token.id, token]));
}

async function lockedTokens(
  manager: EntityManager,
  ids: readonly string[],
  mode: 'pessimistic_read' | 'pessimistic_write',
  where: FindOptionsWhere<Token>,
): Promise<Token[]> {
  if (ids.length === 0) return [];
  return withDigests(manager.createQueryBuilder(Token, 'token'))
    .where('token.id IN (:...ids)', { ids })
    .andWhere(where)
    .orderBy('token.id')
    .setLock(mode)
    .getMany();
}

function withDigests(query: SelectQueryBuilder<Token>): SelectQueryBuilder<Token> {
  return query.addSelect([
    'token.digest',
    'token.digestKey',
    'token.previousDigest',
    'token.previousDigestKey',
    'token.previousValidUntil',
    'token.sealedValue',
  ]);
}
