import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource, type EntityManager, type FindOptionsWhere, type SelectQueryBuilder } from 'typeorm';
import { User } from '../accounts/user.entity.js';
import { type Actor, AuditWriter } from '../audit/audit.writer.js';
import type { AuditAction } from '../audit/audit-event.entity.js';
import { ChangeFeed } from '../database/change-feed.js';
import { violatedUniqueIndex } from '../database/database.js';
import { HashingService } from '../hashing/hashing.service.js';
import { assertMayGrant, type Authority } from './authority.js';
import { Refusal } from './refusal.js';
import { type Doer, Token } from './token.entity.js';
import { type FreshToken, makeToken, withFreshSecret } from './token-format.js';

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
  /** Null: never. */
  expiresAt?: Date | null;
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
}

export interface RotateOptions {
  /** The value the caller presented: rotation of one's own token is a compare-and-swap on it. */
  presented?: string;
  /** For how long the old value keeps working. */
  graceSeconds?: number;
}

/** The life of every token of every dialect. Each change and its audit event commit together. */
@Injectable()
export class TokenService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ChangeFeed,
    private readonly hashing: HashingService,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * Issues a token. `value` is to be shown once.
   *
   * @throws {Refusal} forbidden for what the issuer does not hold; conflict for a `uniqueName` that the owner's tokens
   *   already have; notFound when the owner is gone.
   */
  async issue(spec: TokenSpec, by: Authority, alias?: string): Promise<IssuedToken> {
    const { allowedCidrs = [] } = spec;
    assertMayGrant(by, { dialect: spec.dialect, scopes: spec.scopes, allowedCidrs });
    const fresh = makeToken();
    const id = randomUUID();
    return this.changing(async (manager) => {
      // The lock keeps the owner from being deleted, or moved to another organization, before the token is there.
      const owner = await manager.findOne(User, {
        where: { id: spec.ownerId },
        lock: { mode: 'pessimistic_read' },
      });
      if (!owner) throw new Refusal('notFound', { message: 'No such user' });
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
        expiresAt: spec.expiresAt ?? null,
        createdAt: new Date(),
        createdBy: doerOf(by.actor),
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
   * @throws {Refusal} notFound; forbidden for scopes or reach that the caller does not hold.
   */
  async update(where: TokenCriteria, changes: TokenChanges, by: Authority): Promise<Token> {
    return this.changing(async (manager) => {
      const before = await lockOne(manager, where);
      if (changes.scopes ?? changes.allowedCidrs) {
        assertMayGrant(by, {
          dialect: before.dialect,
          scopes: changes.scopes ?? [],
          allowedCidrs: changes.allowedCidrs ?? before.allowedCidrs,
        });
      }
      const updates = {
        ...changes,
        dialectFields: { ...before.dialectFields, ...changes.dialectFields },
        // Where names are unique, the unique name follows a change of the name.
        uniqueName: before.uniqueName === null ? null : (changes.name ?? before.uniqueName),
        updatedAt: new Date(),
        updatedBy: doerOf(by.actor),
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
   * @throws {Refusal} notFound; conflict when `presented` is no longer its value; forbidden when the token holds what
   *   the caller, another token or user, does not.
   */
  async rotate(where: TokenCriteria, by: Authority, options: RotateOptions = {}): Promise<IssuedToken> {
    const { presented, graceSeconds = 0 } = options;
    return this.changing(async (manager) => {
      const before = await lockOne(manager, where, true);
      if (presented === undefined) {
        assertMayGrant(by, before);
      } else if (!this.hashing.matchesToken(presented, digestOf(before))) {
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
   * @throws {Refusal} notFound.
   */
  async revoke(where: TokenCriteria, by: Authority, { reason, alias }: RevokeOptions = {}): Promise<Token> {
    return this.changing(async (manager) => {
      const before = await lockOne(manager, where);
      if (before.isRevoked()) return before;
      const updates = {
        revokedAt: new Date(),
        revokedBy: doerOf(by.actor),
        revokeReason: reason ?? null,
        sealedValue: null,
        previousValidUntil: null,
      };
      await manager.update(Token, { id: before.id }, updates as object);
      const after = Object.assign(new Token(), before, updates);
      await this.record(manager, by.actor, 'token.revoke', { before, after }, alias);
      return after;
    });
  }

  /** Ends every live token of an owner, in the caller's transaction: when the owner is deleted. */
  async revokeAllOf(ownerId: string, by: Authority, reason: string, manager: EntityManager): Promise<void> {
    const tokens = await manager
      .createQueryBuilder(Token, 'token')
      .setLock('pessimistic_write')
      .where('token.ownerId = :ownerId AND token.revokedAt IS NULL', { ownerId })
      .orderBy('token.id')
      .getMany();
    if (tokens.length === 0) return;
    const updates = {
      revokedAt: new Date(),
      revokedBy: doerOf(by.actor),
      revokeReason: reason,
      sealedValue: null,
    };
    await manager
      .createQueryBuilder()
      .update(Token)
      .set(updates as object)
      .where('ownerId = :ownerId AND revokedAt IS NULL', { ownerId })
      .execute();
    for (const before of tokens) {
      const after = Object.assign(new Token(), before, updates);
      await this.record(manager, by.actor, 'token.revoke', { before, after });
    }
  }

  /** Takes every token of an owner along to another organization, in the transaction that moves the owner. */
  async moveAllOf(ownerId: string, organizationId: string, manager: EntityManager): Promise<void> {
    await manager.update(Token, { ownerId }, { organizationId });
  }

  /** The value of a token kept sealed, or undefined where none is kept or its key has left the ring. */
  async unseal(id: string): Promise<string | undefined> {
    const row = await this.query().select(['token.id', 'token.sealedValue']).where({ id }).getOne();
    return row?.sealedValue ? this.hashing.open(row.sealedValue, id) : undefined;
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

  private digestOf(fresh: FreshToken): Pick<Token, 'digest' | 'digestKey'> {
    const { digest, keyName } = this.hashing.digestToken(fresh.value);
    return { digest, digestKey: keyName };
  }

  private async changing<Result>(change: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    try {
      return await this.dataSource.transaction(change);
    } catch (problem) {
      if (violatedUniqueIndex(problem) !== 'tokens_unique_name') throw problem;
      throw new Refusal('conflict', { reason: 'nameTaken', message: 'The name has already been taken' });
    }
  }

  private record(
    manager: EntityManager,
    actor: Actor,
    action: AuditAction,
    { before, after }: { before?: Token; after: Token },
    alias?: string,
  ): Promise<void> {
    if (before) this.changes.changed(manager, after.tokenId);
    return this.audit.write(manager, {
      actor,
      action,
      alias,
      object: { type: 'token', id: after.tokenId },
      before: before && auditView(before),
      after: auditView(after),
    });
  }
}

/** Reads a token under its row lock, so that what is decided on it still holds when it is written. */
async function lockOne(manager: EntityManager, where: TokenCriteria, withDigest = false): Promise<Token> {
  const query = manager.createQueryBuilder(Token, 'token').setLock('pessimistic_write').where(where);
  if (withDigest) query.addSelect(['token.digest', 'token.digestKey', 'token.sealedValue']);
  const token = await query.getOne();
  if (!token) throw new Refusal('notFound', { message: 'No such token' });
  return token;
}

function digestOf(token: Token): { digest: Buffer; keyName: string } {
  return { digest: token.digest, keyName: token.digestKey };
}

function doerOf({ type, id, name, createdAt }: Actor): Doer {
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
