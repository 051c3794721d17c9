import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource, type EntityManager, type SelectQueryBuilder } from 'typeorm';
import type { UserReference } from '../accounts/user-reference.js';
import type { User } from '../accounts/user.entity.js';
import type { AuditAction } from '../audit/audit-event.entity.js';
import { type Actor, type AuditEntry, AuditWriter } from '../audit/audit.writer.js';
import { violatedUniqueIndex } from '../database/errors.js';
import type { StatementRunner } from '../database/statements.js';
import { type Transaction, Transactions } from '../database/transactions.js';
import { HashingService } from '../hashing/hashing.service.js';
import type { PortionTransaction } from '../jobs/job-kind.js';
import type { TokenNotice } from '../notices/notice.js';
import { Refusal } from '../refusal.js';
import { withoutSecrets } from '../secrets.js';
import { inTurns } from '../turnstile.js';
import { type Admitted, Admission } from './authority/admission.js';
import { type Authority, SYSTEM_AUTHORITY } from './authority/authority.js';
import { blocksWithin, defaultExpiry } from './policy/policy.js';
import { PolicyEnforcement } from './policy/policy-enforcement.js';
import type { Policy } from './policy/policy.entity.js';
import { assertScopeLimits } from './scope-limits.js';
import { conditionOf, type TokenCriteria } from './token-criteria.js';
import { type FreshToken, makeToken, withFreshSecret } from './token-format.js';
import { Idempotency } from './idempotency/idempotency.js';
import { RetiredValues, retirement } from './rotation/retired-values.js';
import { rotated } from './rotation/rotation.js';
import { TokenReads } from './token-reads.js';
import { TokenRows } from './token-rows.js';
import { TokenWrites, type UpdateOptions } from './token-writes.js';
import { type ActorSnapshot, Token } from './token.entity.js';

/** What is asked for when a token is issued. */
export interface TokenSpec {
  dialect: string;
  owner: UserReference;
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

/** What becomes of a token that is locked. */
export interface Settlement {
  token: Token;
  changes: Partial<Pick<Token, 'expiresAt' | 'allowedCidrs'>> | 'revoke';
}

export interface SettlementOptions {
  /** Kept with a token that ends, and in the audit event. */
  reason: string | null;
  /** The system itself, by default. */
  actor?: Actor;
  /** What is told of those that end; nothing by default. */
  event?: TokenNotice['event'];
}

/** Does a step for one of many, whose index whatever is thrown then names. */
export type Located = <Result>(index: number, step: () => Result) => Result;

/** What a request names, as it is found; undefined where there is no such thing. */
export interface Found {
  owner: User | undefined;
  token: Token | undefined;
}

/** What every change of one token can ask for. */
export interface ChangeOptions {
  /** The user whom the request names as the token's owner. */
  owner?: UserReference | undefined;
  /** Throws what the API says where the caller may not see what was found, or finds nothing; asked under the locks. */
  assertVisible?: (found: Found) => void;
}

export interface RevokeOptions extends ChangeOptions {
  reason?: string | null;
  alias?: string;
  /** On whose word: the token is ended only while this is its value, or the one before it in its grace. */
  presented?: string;
}

export interface RotateOptions extends ChangeOptions {
  /** The value the caller presented: rotation of one's own token is a compare-and-swap on it. */
  presented?: string;
  /** For how long the old value keeps working, at most until the token's own end; by default what the policy says. */
  graceSeconds?: number | undefined;
  /** Whether the first use of the new value ends that early; true by default. */
  retiresOnFirstUse?: boolean | undefined;
}

/** At most so many tokens are revoked in the transaction of one request. */
const MAX_DESCENDANTS = 1_000;
const MAX_FAMILY_READS = 5;
/** How many tokens one statement writes: building it must not block the event loop for long. */
const TOKENS_A_STATEMENT = 1_000;

/** The life of every token of every dialect. Each change and its audit event commit together. */
@Injectable()
export class TokenService {
  /** How many tokens got a new value. */
  rotations = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly hashing: HashingService,
    private readonly audit: AuditWriter,
    private readonly admission: Admission,
    private readonly rows: TokenRows,
    private readonly reads: TokenReads,
    private readonly writes: TokenWrites,
    private readonly retired: RetiredValues,
    private readonly idempotency: Idempotency,
    private readonly policies: PolicyEnforcement,
  ) {}

  /**
   * Issues a token. `value` is to be shown once.
   *
   * @param assertVisible throws what the API says where the caller may not see the owner, or there is none.
   * @throws {Refusal} forbidden for an owner in whose name the issuer may not act, and for what the issuer does not hold;
   *   conflict for a `uniqueName` that the owner's tokens already have; notFound when there is no such owner; invalid, with
   *   the reason `policy`, for what the policy of the owner's organization does not allow; unauthenticated when the issuer is not what it was.
   */
  async issue(
    spec: TokenSpec,
    by: Authority,
    { alias, assertVisible }: { alias?: string; assertVisible?: (owner: User | undefined) => void } = {},
  ): Promise<IssuedToken> {
    assertScopeLimits(spec.scopes);
    return this.changing(by, async (transaction) => {
      const [repeated] = (await this.idempotency.begin(transaction, by)) ?? [];
      if (repeated) return repeated;
      // The lock prevents the owner from being deleted or moved before the token exists.
      const rows = { owner: spec.owner, asksPolicies: true };
      const { powers, named, policies } = await this.admission.admit(transaction, by, rows);
      const owner = named.find(spec.owner);
      assertVisible?.(owner);
      if (!owner) throw noSuchUser();
      const policy = policyOf(owner, policies);
      const { token, value } = this.make(spec, owner, powers, policy, by.actor);
      await this.policies.assertRoom(transaction, [{ policy, token }], by.actor, { isNew: true });
      const entry = entryOf(by.actor, 'token.create', { after: token }, alias);
      const issued = { token: this.rows.shown(token, owner), value };
      await this.writes.insert(transaction.last, [token], [entry], this.idempotency.record(by, [issued]));
      issued.token.numericId = token.numericId;
      return issued;
    });
  }

  /**
   * Issues many tokens, or none.
   *
   * @param options.at names the one that is refused, by its index, in what is thrown.
   * @throws {Refusal} as {@link issue}, for the first that is refused.
   */
  async issueMany(
    specs: readonly TokenSpec[],
    by: Authority,
    { assertVisible, at }: { assertVisible: (owner: User | undefined) => void; at: Located },
  ): Promise<IssuedToken[]> {
    specs.forEach((spec, index) => at(index, () => assertScopeLimits(spec.scopes)));
    return this.changing(by, async (transaction) => {
      const repeated = await this.idempotency.begin(transaction, by);
      if (repeated) return repeated;
      const owners = specs.map(({ owner }) => owner);
      const rows = { owners, asksPolicies: true };
      const { powers, named, policies } = await this.admission.admit(transaction, by, rows);
      const made = await inTurns(specs, (spec, index) =>
        at(index, () => {
          const owner = named.find(spec.owner);
          assertVisible(owner);
          if (!owner) throw noSuchUser();
          const policy = policyOf(owner, policies);
          return { owner, policy, ...this.make(spec, owner, powers, policy, by.actor) };
        }),
      );
      await this.policies.assertRoom(transaction, made, by.actor, { isNew: true, at });
      const entries = made.map(({ token }) => entryOf(by.actor, 'token.create', { after: token }));
      const tokens = made.map(({ token }) => token);
      const issued = made.map(({ token, owner, value }) => ({ token: this.rows.shown(token, owner), value }));
      await this.writes.insert(transaction.last, tokens, entries, this.idempotency.record(by, issued));
      for (const [index, { token }] of issued.entries()) {
        token.numericId = (tokens[index] as Token).numericId;
      }
      return issued;
    });
  }

  /** The one token that the criteria name, with its owner. */
  find(where: TokenCriteria): Promise<Token | undefined> {
    return this.reads.find(where).then(({ token }) => token);
  }

  /** The user whom a request names, and the one of that user's tokens that the criteria name. */
  findOf(owner: UserReference, where: TokenCriteria): Promise<Found> {
    return this.reads.find(where, owner);
  }

  /** A query over tokens (alias `token`) and their last uses (`lastUse`) for the lists of the dialects. */
  query(where: TokenCriteria = {}): SelectQueryBuilder<Token> {
    const parameters: Record<string, unknown> = {};
    const place = (value: unknown): string => {
      const name = `criterion${Object.keys(parameters).length}`;
      parameters[name] = value;
      return `:${name}`;
    };
    return this.dataSource.manager
      .createQueryBuilder(Token, 'token')
      .leftJoinAndSelect('token.lastUse', 'lastUse')
      .where(conditionOf(where, place), parameters);
  }

  /**
   * Changes the one token that the criteria name, as seen under its row lock.
   *
   * @throws {Refusal} notFound; forbidden for the token of an owner in whose name the caller may not act, and where the
   *   caller does not hold what the token holds before and after; invalid, with the reason `policy`, for a change that the
   *   policy does not allow; unauthenticated when the caller is not what it was.
   */
  async update(
    where: TokenCriteria,
    changes: TokenChanges,
    by: Authority,
    options: ChangeOptions = {},
  ): Promise<Token> {
    return this.changing(by, async (transaction) => {
      const asked = { ...options, asksPolicy: true };
      const { powers, owner, token: before, policies } = await this.lock(transaction, where, by, asked);
      const policy = policyOf(owner, policies);
      if (changes.scopes) assertScopeLimits(changes.scopes);
      powers.assertMayActFor(owner);
      powers.assertCovers(before);
      const after = changed(before, {
        ...changes,
        allowedCidrs: blocksAfter(policy, before, changes),
        dialectFields: { ...before.dialectFields, ...changes.dialectFields },
        // Where names are unique, the unique name follows a change of the name.
        uniqueName: before.uniqueName === null ? null : (changes.name ?? before.uniqueName),
        updatedAt: new Date(),
        updatedBy: snapshotOf(by.actor),
      });
      powers.assertCovers(after);
      this.policies.assertChangeable(policy, before, after, by.actor);
      if (before.isExpired() && !after.isExpired() && !after.isRevoked()) {
        await this.policies.assertRoom(transaction, [{ policy, token: after }], by.actor, { isNew: false });
      }
      await this.write(transaction, by.actor, 'token.update', [{ before, after }]);
      return this.rows.shown(after, owner);
    });
  }

  /**
   * Gives the one token that the criteria name a new value; everything else stays, as far as the policy allows. The old
   * value dies at once, or after the grace.
   *
   * @throws {Refusal} notFound; conflict when `presented` is no longer its value; forbidden for the token of an owner in
   *   whose name the caller may not act, and for one that holds what the caller does not; invalid, with the reason
   *   `policy`, for one that the policy cannot keep; unauthenticated when the caller is not what it was.
   */
  async rotate(where: TokenCriteria, by: Authority, options: RotateOptions = {}): Promise<IssuedToken> {
    const { presented, retiresOnFirstUse = true } = options;
    return this.changing(by, async (transaction) => {
      const [repeated] = (await this.idempotency.begin(transaction, by)) ?? [];
      if (repeated) return repeated;
      const asked = { ...options, asksPolicy: true };
      const { powers, owner, token: before, policies } = await this.lock(transaction, where, by, asked);
      powers.assertMayActFor(owner);
      powers.assertCovers(before);
      if (presented !== undefined && !this.hashing.matchesToken(presented, digestOf(before))) {
        throw new Refusal('conflict', {
          reason: 'superseded',
          message: 'The token was rotated by another call',
        });
      }
      const policy = policyOf(owner, policies);
      const fresh = withFreshSecret(before.tokenId);
      const at = new Date();
      const kept = this.policies.rotated(policy, before, at, by.actor);
      const values = rotated(changed(before, kept), this.hashing.digestToken(fresh.value), {
        at,
        graceSeconds: options.graceSeconds ?? policy.defaultGraceSeconds,
        retiresOnFirstUse,
      });
      const after = changed(before, {
        ...values,
        ...kept,
        // A sealed copy of the old value would show what no longer works.
        sealedValue: before.sealedValue === null ? null : this.hashing.seal(fresh.value, before.id),
      });
      const issued = { token: this.rows.shown(after, owner), value: fresh.value };
      await this.write(transaction, by.actor, 'token.rotate', [{ before, after }], {
        riders: [retirement(before, values), ...this.idempotency.record(by, [issued])],
      });
      this.rotations += 1;
      return issued;
    });
  }

  /**
   * Writes to the audit trail that a retired value of a token has turned up, at most once a minute a token, on all
   * replicas together; and revokes the token where the policy asks for that.
   *
   * @param bearer who presented it.
   * @returns whether it was written.
   */
  async reportReuse(id: string, digest: Buffer, bearer: Actor): Promise<boolean> {
    return this.changing(SYSTEM_AUTHORITY, async (transaction) => {
      const asked = { asksPolicy: true };
      const {
        token: before,
        owner,
        policies,
      } = await this.lock(transaction, { id }, SYSTEM_AUTHORITY, asked);
      const retiredAt = await this.retired.noteReuse(transaction, id, digest);
      if (!retiredAt) return false;
      const object = { type: 'token', id: before.tokenId };
      const reuse: AuditEntry = { actor: bearer, action: 'token.reuse', object, after: { retiredAt } };
      const { address, userAgent } = bearer;
      const details = { retiredAt, address, userAgent };
      const notice = { event: 'token.reused' as const, token: before, details };
      const isEnded = policyOf(owner, policies).onReuse === 'revoke' && !before.isRevoked();
      if (!isEnded) {
        await this.writes.note(transaction, reuse, notice);
        return true;
      }
      const { actor } = SYSTEM_AUTHORITY;
      const changes = endings([before], actor, 'reuse');
      const notices = [notice, revokedByPolicy(before, 'reuse')];
      await this.write(transaction, actor, 'token.revoke', changes, { alsoHappened: [reuse], notices });
      return true;
    });
  }

  /**
   * Ends the one token that the criteria name, for good. One that is revoked already is given back unchanged.
   *
   * @throws {Refusal} notFound, also where `presented` is no longer its value; forbidden for who may not end it;
   *   unauthenticated when the caller is not what it was.
   */
  async revoke(where: TokenCriteria, by: Authority, options: RevokeOptions = {}): Promise<Token> {
    const { reason = null, alias, presented } = options;
    return this.changing(by, async (transaction) => {
      const { powers, owner, token: before } = await this.lock(transaction, where, by, options);
      powers.assertMayEnd(before);
      if (presented !== undefined && !this.admission.isValueOf(before, presented)) throw noSuchToken();
      if (before.isRevoked()) return this.rows.shown(before, owner);
      const changes = endings([before], by.actor, reason);
      await this.write(transaction, by.actor, 'token.revoke', changes, { alias });
      return this.rows.shown(changes[0]?.after ?? before, owner);
    });
  }

  /**
   * Ends the one token that the criteria name with all that it issued, and all that those issued, in one transaction.
   *
   * @returns whether it did: of more than {@link MAX_DESCENDANTS} it ends none.
   * @throws {Refusal} as {@link revoke}, for each of them.
   */
  async revokeWithDescendants(
    where: TokenCriteria,
    by: Authority,
    { reason }: RevokeOptions = {},
  ): Promise<boolean> {
    // Read again if it grew before it was locked. Once locked it cannot grow: every issuing token is locked.
    for (let attempt = 0; attempt < MAX_FAMILY_READS; attempt += 1) {
      const outcome = await this.changing(by, (transaction) =>
        this.endFamily(transaction, where, by, reason ?? null),
      );
      if (outcome !== 'grown') return outcome === 'ended';
    }
    throw new Refusal('conflict', { message: 'The token is issuing tokens right now: try again' });
  }

  /** Changes nothing where there are too many, or where more was issued before all was locked. */
  private async endFamily(
    transaction: Transaction,
    where: TokenCriteria,
    by: Authority,
    reason: string | null,
  ): Promise<'ended' | 'grown' | 'tooMany'> {
    const ids = await this.reads.family(transaction, where, MAX_DESCENDANTS);
    if (!ids) return 'tooMany';
    const [root] = ids;
    if (root === undefined) throw noSuchToken();
    const { powers, tokens } = await this.admission.admit(transaction, by, { tokens: { ids } });
    const known = new Set(ids);
    const again = await this.reads.family(transaction, { id: root }, MAX_DESCENDANTS);
    if (!again?.every((id) => known.has(id))) return 'grown';
    for (const token of tokens.values()) powers.assertMayEnd(token);
    const live = [...tokens.values()].filter((token) => !token.isRevoked());
    if (live.length > 0) {
      await this.write(transaction, by.actor, 'token.revoke', endings(live, by.actor, reason));
    }
    return 'ended';
  }

  /**
   * Marks some tokens of a deleted owner as revoked, in the caller's transaction. No cache is told: it forgets all of an
   * owner's tokens when the owner is deleted.
   *
   * @returns how many, and whether there may be more.
   */
  async revokeSomeOf(
    ownerId: string,
    actor: Actor,
    runner: StatementRunner,
  ): Promise<{ count: number; isMore: boolean }> {
    const tokens = await this.reads.lockLive(runner, ownerId, TOKENS_A_STATEMENT);
    if (tokens.length === 0) return { count: 0, isMore: false };
    const changes = endings(tokens, actor, 'The owner was deleted');
    const entries = changes.map((change) => entryOf(actor, 'token.revoke', change));
    const revoked = changes.map(({ after }) => after);
    await this.writes.update(runner, revoked, entries, { isTold: false });
    return { count: tokens.length, isMore: tokens.length === TOKENS_A_STATEMENT };
  }

  /**
   * Changes or ends locked tokens, in the transaction of a job's portion. Whether the actor may is decided already.
   */
  async settle(
    transaction: PortionTransaction,
    settlements: readonly Settlement[],
    { reason, actor = SYSTEM_AUTHORITY.actor, event }: SettlementOptions,
  ): Promise<void> {
    if (settlements.length === 0) return;
    const settled = settlements.map(({ token, changes }): TokenChange & { entry: AuditEntry } => {
      if (changes === 'revoke') {
        const [change = { after: token }] = endings([token], actor, reason);
        return { ...change, entry: entryOf(actor, 'token.revoke', change) };
      }
      const updates = { ...changes, updatedAt: new Date(), updatedBy: snapshotOf(actor) };
      const change = { before: token, after: changed(token, updates) };
      const entry = entryOf(actor, 'token.update', change);
      return { ...change, entry: { ...entry, after: { ...entry.after, reason } } };
    });
    for (const { after } of settled) transaction.changed.add(after.tokenId);
    await this.writes.update(
      transaction,
      settled.map(({ after }) => after),
      settled.map(({ entry }) => entry),
      { notices: event ? endedOf(settlements).map((token) => ({ event, token, details: { reason } })) : [] },
    );
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
    return this.changing(by, async (transaction) => {
      const { powers, owner, token } = await this.lock(transaction, where, by);
      if (token.sealedValue === null || !powers.mayTakeOver(owner, token)) return undefined;
      const value = this.hashing.open(token.sealedValue, token.id);
      if (value === undefined) return undefined;
      const object = { type: 'token', id: token.tokenId };
      await this.audit.write(transaction.last, { actor: by.actor, action: 'token.reveal', object });
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
    transaction: Transaction,
    where: TokenCriteria,
    by: Authority,
    { owner: reference, assertVisible, asksPolicy = false }: ChangeOptions & { asksPolicy?: boolean } = {},
  ): Promise<Pick<Admitted, 'powers' | 'policies'> & { owner: User; token: Token }> {
    const rows = { tokens: where, owner: reference, asksPolicies: asksPolicy };
    const { powers, users, named, tokens, policies } = await this.admission.admit(transaction, by, rows);
    const [token] = tokens.values();
    const owner = token ? users.get(token.ownerId) : reference && named.find(reference);
    assertVisible?.({ owner, token });
    if (!owner || !token) throw noSuchToken();
    return { powers, owner, token, policies };
  }

  /**
   * A new token, not stored yet, if the actor may make it and the policy allows it.
   *
   * @param foreign of one that another system has made: when. Its value is not known, so it has no digest.
   */
  make(
    spec: TokenSpec,
    owner: User,
    powers: Admitted['powers'],
    policy: Policy,
    actor: Actor,
    foreign?: { createdAt: Date | null },
  ): { token: Token; value: string } {
    const { dialect, defaultExpiresAt = null } = spec;
    const now = new Date();
    const createdAt = foreign?.createdAt ?? now;
    const byDefault = earlier(defaultExpiresAt, defaultExpiry(policy, now));
    const expiresAt = powers.expiryOf(spec.expiresAt, byDefault);
    const allowedCidrs = blocksWithin(policy, spec.allowedCidrs ?? []);
    powers.assertMayActFor(owner);
    powers.assertCovers({ dialect, scopes: [...spec.scopes], allowedCidrs, expiresAt });
    const fresh = makeToken();
    const id = randomUUID();
    const token = Object.assign(new Token(), {
      id,
      tokenId: fresh.tokenId,
      dialect,
      ownerId: owner.id,
      organizationId: owner.organizationId,
      name: spec.name,
      uniqueName: spec.uniqueName ?? null,
      description: spec.description ?? null,
      scopes: [...spec.scopes],
      allowedCidrs,
      inactive: spec.inactive ?? false,
      expiresAt,
      createdAt,
      createdBy: snapshotOf(actor),
      updatedAt: null,
      updatedBy: NOBODY,
      rotatedAt: null,
      previousDigest: null,
      previousDigestKey: null,
      previousValidUntil: null,
      retiresOnFirstUse: false,
      revokedAt: null,
      revokedBy: NOBODY,
      revokeReason: null,
      ...(foreign ? NO_DIGEST : this.digestOf(fresh)),
      sealedValue: spec.keepsSealedValue ? this.hashing.seal(fresh.value, id) : null,
      dialectFields: spec.dialectFields ?? {},
    });
    this.policies.assertIssuable(policy, token, actor);
    return { token, value: fresh.value };
  }

  private digestOf(fresh: FreshToken): Pick<Token, 'digest' | 'digestKey'> {
    const { digest, keyName } = this.hashing.digestToken(fresh.value);
    return { digest, digestKey: keyName };
  }

  /** Writes locked tokens as they are to be, and commits. */
  private async write(
    transaction: Transaction,
    actor: Actor,
    action: AuditAction,
    changes: readonly TokenChange[],
    {
      alias,
      alsoHappened = [],
      ...options
    }: UpdateOptions & { alias?: string | undefined; alsoHappened?: AuditEntry[] } = {},
  ): Promise<void> {
    for (const { after } of changes) transaction.changed.add(after.tokenId);
    const entries = [...alsoHappened, ...changes.map((change) => entryOf(actor, action, change, alias))];
    await this.writes.update(
      transaction.last,
      changes.map(({ after }) => after),
      entries,
      options,
    );
  }

  /** Runs a change in the line of who makes it. @throws {Refusal} conflict for a unique name that is taken. */
  async changing<Result>(
    { actor, credential }: Authority,
    change: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    const line = credential.kind === 'none' ? (actor.auditId ?? actor.type) : credential.userId;
    try {
      return await this.transactions.run(line, change);
    } catch (error) {
      if (violatedUniqueIndex(error) !== 'tokens_unique_name') throw error;
      throw new Refusal('conflict', { reason: 'nameTaken', message: 'The name has already been taken' });
    }
  }
}

/** A token before a change and after it; there is none before it is issued. */
interface TokenChange {
  before?: Token;
  after: Token;
}

function changed(before: Token, changes: Partial<Token>): Token {
  return Object.assign(new Token(), before, changes);
}

/** The blocks of a token after a change: one that is to have none any more gets the policy's. */
function blocksAfter(policy: Policy, before: Token, { allowedCidrs }: TokenChanges): string[] {
  if (allowedCidrs === undefined || before.allowedCidrs.length === 0)
    return allowedCidrs ?? before.allowedCidrs;
  return blocksWithin(policy, allowedCidrs);
}

/** @throws where the policies were not asked for under the locks. */
export function policyOf({ organizationId }: User, policies: Admitted['policies']): Policy {
  const policy = policies.get(organizationId);
  if (!policy) throw new Error('The policy of the organization is not locked');
  return policy;
}

/** The earlier of two expiries; null is none. */
function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}

/** What ends tokens that are not revoked yet. */
function endings(tokens: readonly Token[], actor: Actor, reason: string | null): TokenChange[] {
  const updates = {
    revokedAt: new Date(),
    revokedBy: snapshotOf(actor),
    revokeReason: reason === null ? null : withoutSecrets(reason),
    sealedValue: null,
    previousValidUntil: null,
  };
  return tokens.map((before) => ({ before, after: changed(before, updates) }));
}

/** The audit event of a change of a token. */
export function entryOf(
  actor: Actor,
  action: AuditAction,
  { before, after }: TokenChange,
  alias?: string,
): AuditEntry {
  const object = { type: 'token', id: after.tokenId };
  return { actor, action, alias, object, before: before && auditView(before), after: auditView(after) };
}

function endedOf(settlements: readonly Settlement[]): Token[] {
  return settlements.flatMap(({ token, changes }) => (changes === 'revoke' ? [token] : []));
}

/** What is told of a token that the policy of the organization has ended. */
function revokedByPolicy(token: Token, reason: string): TokenNotice {
  return { event: 'token.revokedByPolicy', token, details: { reason } };
}
/** Of a token whose value nobody here has seen yet: no value has it. See imports/imported-values.ts. */
const NO_DIGEST = { digest: Buffer.alloc(0), digestKey: '' };

const NOBODY: ActorSnapshot = { type: null, id: null, name: null, createdAt: null };

function noSuchUser(): Refusal {
  return new Refusal('notFound', { message: 'No such user' });
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
    previousValidUntil: token.previousValidUntil ?? null,
    revokedAt: token.revokedAt ?? null,
    revokeReason: token.revokeReason ?? null,
    dialectFields: token.dialectFields,
  };
}
