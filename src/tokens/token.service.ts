import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource, type EntityManager, type FindOptionsWhere, In, type SelectQueryBuilder } from 'typeorm';
import { User } from '../accounts/user.entity.js';
import type { AuditAction } from '../audit/audit-event.entity.js';
import { type Actor, AuditWriter } from '../audit/audit.writer.js';
import { ChangeFeed } from '../database/changes/change-feed.js';
import { violatedUniqueIndex } from '../database/database.js';
import { HashingService } from '../hashing/hashing.service.js';
import { Refusal } from '../refusal.js';
import { withoutSecrets } from '../secrets.js';
import { type Admitted, Admission } from './authority/admission.js';
import type { Authority } from './authority/authority.js';
import { assertScopeLimits } from './scope-limits.js';
import { type FreshToken, makeToken, withFreshSecret } from './token-format.js';
import { type ActorSnapshot, Token } from './token.entity.js';

/** What is asked for when a token is issued. */
export interface TokenSpec {
  dialect: string;
  ownerId: string;
  name: string;
  /** Given by a dialect whose names must be unique among the owner's tokens. */
  uniqueName?: string | null;
  description?: string | null;
  scopes: readonly string[];
  /** Checked and without repetitions ({@link normalizeCidrs}). */
  allowedCidrs?: readonly string[];
  inactive?: boolean;
  /** Null: never. Left out: `defaultExpiresAt`, but no later than a token that issues it. */
  expiresAt?: Date | null | undefined;
  /** Null, by default: never. */
  defaultExpiresAt?: Date | null;
  dialectFields?: Record<string, unknown>;
  /** Whether to keep an encrypted copy of the value, so that it can be shown again. */
  keepsSealedValue?: boolean;
}

/** What may be changed on a token; keys left out stay as they are, in `dialectFields` as well. */
export type TokenChanges = Partial<
  Pick<Token, 'name' | 'description' | 'scopes' | 'allowedCidrs' | 'inactive' | 'expiresAt' | 'dialectFields'>
>;

/** A token with its value, for the one answer that shows it. */
export interface IssuedToken {
  token: Token;
  value: string;
}

/** Which token is meant, within what the caller may see. */
export type TokenCriteria = FindOptionsWhere<Token>;

export interface RevokeOptions {
  reason?: string | null;
  alias?: string;
  /** On whose word: the token is ended only while this is its value, or the one before it in its grace. */
  presented?: string;
}

export interface RotateOptions {
  /** The value the caller presented: rotation of one's own token is a compare-and-swap on it. */
  presented?: string;
  /** For how long the old value keeps working. */
  graceSeconds?: number;
}

/** A token before a change and after it; there is none before it is issued. */
interface TokenChange {
  before?: Token;
  after: Token;
}

/** At most so many tokens are revoked in the transaction of one request. */
const MAX_DESCENDANTS = 1_000;
const MAX_FAMILY_READS = 5;
/** An audit event has 13 parameters, and PostgreSQL takes 65,535 a statement. */
const TOKENS_A_STATEMENT = 1_000;

/** The life of every token of every dialect. Each change and its audit event commit together. */
@Injectable()
export class TokenService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeFeed,
    private readonly hashing: HashingService,
    private readonly audit: AuditWriter,
    private readonly admission: Admission,
  ) {}

  /**
   * Issues a token. `value` is to be shown once.
   *
   * @throws {Refusal} forbidden for an owner in whose name the issuer may not act, and for what the issuer does not hold;
   *   conflict for a `uniqueName` that the owner's tokens already have; notFound when the owner is gone; unauthenticated
   *   when the issuer is not what it was.
   */
  async issue(spec: TokenSpec, by: Authority, alias?: string): Promise<IssuedToken> {
    const { allowedCidrs = [], defaultExpiresAt = null } = spec;
    assertScopeLimits(spec.scopes);
    const fresh = makeToken();
    const id = randomUUID();
    return this.changing(async (manager) => {
      // The lock prevents the owner from being deleted or moved before the token exists.
      const { powers, users } = await this.admission.admit(manager, by, { users: [spec.ownerId] });
      const owner = users.get(spec.ownerId);
      if (!owner || owner.deletedAt !== null) throw new Refusal('notFound', { message: 'No such user' });
      const expiresAt = powers.expiryOf(spec.expiresAt, defaultExpiresAt);
      powers.assertMayActFor(owner);
      powers.assertCovers({
        dialect: spec.dialect,
        scopes: [...spec.scopes],
        allowedCidrs: [...allowedCidrs],
        expiresAt,
      });
      const row = manager.create(Token, {
        id,
        tokenId: fresh.tokenId,
        dialect: spec.dialect,
        ownerId: owner.id,
        organizationId: owner.organizationId,
        name: spec.name,
        uniqueName: spec.uniqueName ?? null,
        description: spec.description ?? null,
        scopes: [...spec.scopes],
        allowedCidrs: [...allowedCidrs],
        inactive: spec.inactive ?? false,
        expiresAt,
        createdAt: new Date(),
        createdBy: snapshotOf(by.actor),
        ...this.digestOf(fresh),
        sealedValue: spec.keepsSealedValue ? this.hashing.seal(fresh.value, id) : null,
        dialectFields: spec.dialectFields ?? {},
      });
      await manager.insert(Token, row as object);
      const token = await manager.findOneByOrFail(Token, { id });
      await this.record(manager, by.actor, 'token.create', { after: token }, alias);
      return { token, value: fresh.value };
    });
  }

  /** The one token that the criteria name, or null. */
  find(where: TokenCriteria): Promise<Token | null> {
    return this.dataSource.manager.findOneBy(Token, where);
  }

  /** A query over tokens (alias `token`) for the lists of the dialects. */
  query(): SelectQueryBuilder<Token> {
    return this.dataSource.manager.createQueryBuilder(Token, 'token');
  }

  /**
   * Changes the one token that the criteria name, as seen under its row lock.
   *
   * @throws {Refusal} notFound; forbidden for the token of an owner in whose name the caller may not act, and where the
   *   caller does not hold what the token holds before and after; unauthenticated when the caller is not what it was.
   */
  async update(where: TokenCriteria, changes: TokenChanges, by: Authority): Promise<Token> {
    return this.changing(async (manager) => {
      const { powers, owner, token: before } = await this.lock(manager, where, by);
      if (changes.scopes) assertScopeLimits(changes.scopes);
      powers.assertMayActFor(owner);
      powers.assertCovers(before);
      powers.assertCovers(Object.assign(new Token(), before, changes));
      const updates = {
        ...changes,
        dialectFields: { ...before.dialectFields, ...changes.dialectFields },
        // Where names are unique, the unique name follows a change of the name.
        uniqueName: before.uniqueName === null ? null : (changes.name ?? before.uniqueName),
        updatedAt: new Date(),
        updatedBy: snapshotOf(by.actor),
      };
      const after = Object.assign(new Token(), before, updates);
      await manager.update(Token, { id: before.id }, updates as object);
      await this.record(manager, by.actor, 'token.update', { before, after });
      return after;
    });
  }

  /**
   * Gives the one token that the criteria name a new value; everything else stays. The old value dies at once, or after
   * the grace.
   *
   * @throws {Refusal} notFound; conflict when `presented` is no longer its value; forbidden for the token of an owner in
   *   whose name the caller may not act, and for one that holds what the caller does not; unauthenticated when the caller
   *   is not what it was.
   */
  async rotate(where: TokenCriteria, by: Authority, options: RotateOptions = {}): Promise<IssuedToken> {
    const { presented, graceSeconds = 0 } = options;
    return this.changing(async (manager) => {
      const { powers, owner, token: before } = await this.lock(manager, where, by);
      powers.assertMayActFor(owner);
      powers.assertCovers(before);
      if (presented !== undefined && !this.hashing.matchesToken(presented, digestOf(before))) {
        throw new Refusal('conflict', {
          reason: 'superseded',
          message: 'The token was rotated by another call',
        });
      }
      const fresh = withFreshSecret(before.tokenId);
      const rotatedAt = new Date();
      const updates = {
        ...this.digestOf(fresh),
        rotatedAt,
        previousDigest: graceSeconds > 0 ? before.digest : null,
        previousDigestKey: graceSeconds > 0 ? before.digestKey : null,
        previousValidUntil: graceSeconds > 0 ? new Date(rotatedAt.getTime() + graceSeconds * 1000) : null,
        // A sealed copy of the old value would show what no longer works.
        sealedValue: before.sealedValue === null ? null : this.hashing.seal(fresh.value, before.id),
      };
      await manager.update(Token, { id: before.id }, updates);
      const after = Object.assign(new Token(), before, { rotatedAt });
      await this.record(manager, by.actor, 'token.rotate', { before, after });
      return { token: after, value: fresh.value };
    });
  }

  /**
   * Ends the one token that the criteria name, for good. One that is revoked already is given back unchanged.
   *
   * @throws {Refusal} notFound, also where `presented` is no longer its value; forbidden for who may not end it;
   *   unauthenticated when the caller is not what it was.
   */
  async revoke(where: TokenCriteria, by: Authority, options: RevokeOptions = {}): Promise<Token> {
    const { reason, alias, presented } = options;
    return this.changing(async (manager) => {
      const { powers, token: before } = await this.lock(manager, where, by);
      powers.assertMayEnd(before);
      if (presented !== undefined && !this.admission.isValueOf(before, presented)) throw noSuchToken();
      if (before.isRevoked()) return before;
      const [after = before] = await this.end(manager, [before], by.actor, reason ?? null, alias);
      return after;
    });
  }

  /**
   * Ends the one token that the criteria name with all that it issued, and all that those issued, in one transaction.
   *
   * @throws {Refusal} as {@link revoke}, for each of them; conflict for more than {@link MAX_DESCENDANTS}.
   */
  async revokeWithDescendants(
    where: TokenCriteria,
    by: Authority,
    { reason }: RevokeOptions = {},
  ): Promise<void> {
    // Read again if it grew before it was locked. Once locked it cannot grow: every issuing token is locked.
    for (let attempt = 0; attempt < MAX_FAMILY_READS; attempt += 1) {
      const isDone = await this.changing((manager) => this.endFamily(manager, where, by, reason ?? null));
      if (isDone) return;
    }
    throw new Refusal('conflict', { message: 'The token is issuing tokens right now: try again' });
  }

  /** @returns false where more was issued before all was locked; then nothing is changed. */
  private async endFamily(
    manager: EntityManager,
    where: TokenCriteria,
    by: Authority,
    reason: string | null,
  ): Promise<boolean> {
    const root = await manager.findOne(Token, { where, select: { id: true } });
    if (!root) throw noSuchToken();
    const family = await readFamily(manager, root.id);
    const ids = family.map(({ id }) => id);
    const rows = { users: family.map(({ owner_id }) => owner_id), tokens: ids };
    const { powers, tokens } = await this.admission.admit(manager, by, rows);
    const known = new Set(ids);
    if ((await readFamily(manager, root.id)).some(({ id }) => !known.has(id))) return false;
    const members = ids.flatMap((id) => tokens.get(id) ?? []);
    for (const token of members) powers.assertMayEnd(token);
    const live = members.filter((token) => !token.isRevoked());
    await this.end(manager, live, by.actor, reason);
    return true;
  }

  /** Ends tokens that are locked and not revoked yet. */
  private async end(
    manager: EntityManager,
    tokens: readonly Token[],
    actor: Actor,
    reason: string | null,
    alias?: string,
  ): Promise<Token[]> {
    if (tokens.length === 0) return [];
    const updates = {
      revokedAt: new Date(),
      revokedBy: snapshotOf(actor),
      revokeReason: reason === null ? null : withoutSecrets(reason),
      sealedValue: null,
      previousValidUntil: null,
    };
    await manager.update(Token, { id: In(tokens.map(({ id }) => id)) }, updates as object);
    const changes = tokens.map((before) => ({ before, after: Object.assign(new Token(), before, updates) }));
    await this.record(manager, actor, 'token.revoke', changes, alias);
    return changes.map(({ after }) => after);
  }

  /** Ends every live token of an owner, in the caller's transaction: when the owner is deleted. */
  async revokeAllOf(ownerId: string, actor: Actor, reason: string, manager: EntityManager): Promise<void> {
    const tokens = await manager
      .createQueryBuilder(Token, 'token')
      .setLock('pessimistic_write')
      .where('token.ownerId = :ownerId AND token.revokedAt IS NULL', { ownerId })
      .orderBy('token.id')
      .getMany();
    for (let start = 0; start < tokens.length; start += TOKENS_A_STATEMENT) {
      await this.end(manager, tokens.slice(start, start + TOKENS_A_STATEMENT), actor, reason);
    }
  }

  /** Takes every token of an owner along to another organization, in the transaction that moves the owner. */
  async moveAllOf(ownerId: string, organizationId: string, manager: EntityManager): Promise<void> {
    // Locked in the one order in which several tokens are written.
    await manager
      .createQueryBuilder(Token, 'token')
      .select('token.id')
      .setLock('pessimistic_write')
      .where('token.ownerId = :ownerId', { ownerId })
      .orderBy('token.id')
      .getMany();
    await manager.update(Token, { ownerId }, { organizationId });
  }

  /**
   * The value of the one token that the criteria name, where a sealed copy is kept. Who is shown a secret can do what it
   * can: undefined for who could not take the token over, and where no copy is kept or its key has left the ring. That it
   * was shown again is in the audit trail, or it is not shown.
   *
   * @throws {Refusal} notFound; unauthenticated when the caller is not what it was.
   */
  async reveal(where: TokenCriteria, by: Authority): Promise<string | undefined> {
    return this.changing(async (manager) => {
      const { powers, owner, token } = await this.lock(manager, where, by);
      if (token.sealedValue === null || !powers.mayTakeOver(owner, token)) return undefined;
      const value = this.hashing.open(token.sealedValue, token.id);
      if (value === undefined) return undefined;
      const object = { type: 'token', id: token.tokenId };
      await this.audit.write(manager, { actor: by.actor, action: 'token.reveal', object });
      return value;
    });
  }

  /**
   * Deletes the sealed copies of a dialect's tokens: when the setting that keeps them is turned off, or those of expired
   * ones alone.
   */
  async forgetSealedValues(dialect: string, { expiredBy }: { expiredBy?: Date } = {}): Promise<void> {
    const update = this.dataSource.manager
      .createQueryBuilder()
      .update(Token)
      .set({ sealedValue: null })
      .where('dialect = :dialect AND sealedValue IS NOT NULL', { dialect });
    if (expiredBy) update.andWhere('expiresAt <= :expiredBy', { expiredBy });
    await update.execute();
  }

  /**
   * Locks the one token that the criteria name, its owner and the actor, so that what is decided on them still holds when
   * it is written.
   */
  private async lock(
    manager: EntityManager,
    where: TokenCriteria,
    by: Authority,
  ): Promise<{ powers: Admitted['powers']; owner: User; token: Token }> {
    // Users are locked before tokens; a token's owner never changes.
    const found = await manager.findOne(Token, { where, select: { id: true, ownerId: true } });
    if (!found) throw noSuchToken();
    const { id, ownerId } = found;
    const rows = { users: [ownerId], tokens: [id], where };
    const { powers, users, tokens } = await this.admission.admit(manager, by, rows);
    const [owner, token] = [users.get(ownerId), tokens.get(id)];
    if (!owner || !token) throw noSuchToken();
    return { powers, owner, token };
  }

  private digestOf(fresh: FreshToken): Pick<Token, 'digest' | 'digestKey'> {
    const { digest, keyName } = this.hashing.digestToken(fresh.value);
    return { digest, digestKey: keyName };
  }

  private async changing<Result>(change: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    try {
      return await this.dataSource.transaction(change);
    } catch (error) {
      if (violatedUniqueIndex(error) !== 'tokens_unique_name') throw error;
      throw new Refusal('conflict', { reason: 'nameTaken', message: 'The name has already been taken' });
    }
  }

  private record(
    manager: EntityManager,
    actor: Actor,
    action: AuditAction,
    changes: TokenChange | TokenChange[],
    alias?: string,
  ): Promise<void> {
    const entries = [changes].flat().map(({ before, after }) => {
      if (before) this.changes.changed(manager, after.tokenId);
      const object = { type: 'token', id: after.tokenId };
      return { actor, action, alias, object, before: before && auditView(before), after: auditView(after) };
    });
    return this.audit.write(manager, entries);
  }
}

/** A token and all that it issued, and all that those issued. */
async function readFamily(manager: EntityManager, id: string): Promise<{ id: string; owner_id: string }[]> {
  const family = await manager.query<{ id: string; owner_id: string }[]>(
    `WITH RECURSIVE family (id, owner_id) AS (
       SELECT id, owner_id FROM tokens WHERE id = $1
       UNION
       SELECT t.id, t.owner_id FROM tokens t JOIN family ON t.created_by_id = family.id
       WHERE t.created_by_type = 'token')
     SELECT id, owner_id FROM family LIMIT $2`,
    [id, MAX_DESCENDANTS + 2],
  );
  if (family.length <= MAX_DESCENDANTS + 1) return family;
  const message = `More than ${MAX_DESCENDANTS} tokens descend from this one: end some of those that issued them first`;
  throw new Refusal('conflict', { message });
}

function noSuchToken(): Refusal {
  return new Refusal('notFound', { message: 'No such token' });
}

function digestOf(token: Token): { digest: Buffer; keyName: string } {
  return { digest: token.digest, keyName: token.digestKey };
}

function snapshotOf({ type, id, name, createdAt }: Actor): ActorSnapshot {
  return { type, id, name, createdAt };
}

/** What the audit trail keeps of a token: never its digest, never a sealed copy. */
function auditView(token: Token): Record<string, unknown> {
  return {
    uuid: token.id,
    dialect: token.dialect,
    owner: token.ownerId,
    name: token.name,
    description: token.description,
    scopes: token.scopes,
    allowedCidrs: token.allowedCidrs,
    status: token.status(),
    expiresAt: token.expiresAt,
    rotatedAt: token.rotatedAt ?? null,
    revokedAt: token.revokedAt ?? null,
    revokeReason: token.revokeReason ?? null,
    dialectFields: token.dialectFields,
  };
}
