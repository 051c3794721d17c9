import { Injectable } from '@nestjs/common';
import { randomBytes, randomUUID } from 'node:crypto';
import { DataSource, type EntityManager } from 'typeorm';
import { AccountsService } from '../../accounts/accounts.service.js';
import { User } from '../../accounts/user.entity.js';
import { organizationJson, type UserRow, UserRows } from '../../accounts/user-rows.js';
import { type Actor, type AuditEntry, AuditWriter } from '../../audit/audit.writer.js';
import { EntityRows, type JsonRow } from '../../database/entity-rows.js';
import { newestFirst, type Page, readPage } from '../../database/page.js';
import { runnerOf, type StatementRunner, Statements, statementOf } from '../../database/statements.js';
import { Transactions } from '../../database/transactions.js';
import { isUuid } from '../../database/uuid.js';
import { HashingService } from '../../hashing/hashing.service.js';
import { keptUserAgent, type Origin } from '../../protocol/origin.js';
import { Refusal } from '../../refusal.js';
import { hasTimeLeft } from '../../tokens/authority/session-life.js';
import { userActor } from '../principal.js';
import { Session } from './session.entity.js';

/** However much it is used, a session ends so many hours after the sign-in. */
export const SESSION_HOURS = 12;
/** Of one user; the oldest ends when one more begins. */
export const MAX_SESSIONS = 50;
/** How often it is written, at most, that a session is used. */
const TOUCH_SECONDS = 60;
const VALUE_BYTES = 32;
/** What {@link Sessions.begin} makes: anything else is none, and asks the database nothing. */
const VALUE = /^[A-Za-z0-9_-]{43}$/;
const PURPOSE = 'session';
const MAX_PURGED = 1_000;

/** A session lives while it has time left and the user is what the user was at the sign-in. */
const LIVES = (session: string, user: string): string => `${hasTimeLeft(session)}
  AND NOT ${user}.disabled AND ${user}.deleted_at IS NULL
  AND ${user}.password_version = ${session}.password_version AND ${user}.role = ${session}.role`;

type SessionRow = { session: JsonRow };
type Ended = Pick<Session, 'id' | 'provider'>;

/**
 * Sessions of browsers: random values of 256 bits, of which the database keeps a keyed digest. They are read at every
 * request and never remembered, so that the end of one is true on every replica at once.
 */
@Injectable()
export class Sessions {
  private readonly rows: EntityRows<Session>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly statements: Statements,
    private readonly transactions: Transactions,
    private readonly hashing: HashingService,
    private readonly audit: AuditWriter,
    private readonly users: UserRows,
    accounts: AccountsService,
  ) {
    this.rows = new EntityRows(dataSource, Session);
    accounts.onLessTrusted((manager, userId, actor) => this.endAll(manager, userId, actor));
  }

  /**
   * Begins a session of a user who has just proved who they are, and ends the oldest of that user's beyond the limit.
   *
   * @param user as read for the proof.
   * @param options.provider who vouches for the user; null: the user's password was right.
   * @returns the value, which nobody can read again.
   * @throws {Refusal} unauthenticated, where the user has changed since then: disabled, deleted, or of another password or
   *   role; unavailable.
   */
  begin(
    user: User,
    { provider, origin }: { provider: string | null; origin: Origin },
  ): Promise<{ session: Session; value: string }> {
    const value = randomBytes(VALUE_BYTES).toString('base64url');
    const [digest] = this.hashing.digestsOf(value, PURPOSE);
    const actor = userActor(user, origin);
    return this.transactions.run(user.id, async (transaction) => {
      await lockUnchanged(transaction, user);
      const columns = this.rows.columns('s');
      const insertion = `
        INSERT INTO sessions AS s (id, digest, user_id, provider, password_version, role, created_at, last_used_at, expires_at,
          address, user_agent)
        VALUES ($1, $2, $3, $4, $5, $6, now(), now(), now() + interval '${SESSION_HOURS} hours', $7, $8)
        RETURNING (SELECT row_to_json(r) FROM (SELECT ${columns}) r) AS session`;
      const { id: userId, passwordVersion, role } = user;
      const [row] = await transaction.run<SessionRow>(statementOf('sessions', insertion), [
        randomUUID(),
        digest,
        userId,
        provider,
        passwordVersion,
        role,
        origin.address ?? null,
        keptUserAgent(origin.userAgent),
      ]);
      const session = this.rows.entityOf((row as SessionRow).session);
      // What has run out goes before what is older and in use.
      const displacement = `
        DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions s WHERE s.user_id = $1 AND s.id <> $2
          ORDER BY ${hasTimeLeft('s')} DESC, s.created_at DESC, s.id DESC OFFSET ${MAX_SESSIONS - 1})
        RETURNING id, provider`;
      const displaced = await transaction.run<Ended>(statementOf('sessions', displacement), [
        userId,
        session.id,
      ]);
      await this.audit.write(transaction.last, [
        ...displaced.map((one) => eventOf('session.end', one, actor)),
        eventOf('session.create', session, actor),
      ]);
      return { session, value };
    });
  }

  /**
   * The living session of a value, and its user with the organization, in one statement; undefined for anything else. That
   * it is used is written at most once a minute.
   */
  async find(value: string): Promise<{ session: Session; user: User } | undefined> {
    if (!VALUE.test(value)) return undefined;
    const text = `
      SELECT (SELECT row_to_json(r) FROM (SELECT ${this.rows.columns('s')}) r) AS session,
        (SELECT row_to_json(r) FROM (SELECT ${this.users.columns('u')}) r) AS "user",
        ${organizationJson('u')} AS organization,
        s.last_used_at < now() - interval '${TOUCH_SECONDS} seconds' AS "isLongAgo"
      FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.digest = ANY ($1::bytea[]) AND ${LIVES('s', 'u')}`;
    const digests = this.hashing.digestsOf(value, PURPOSE);
    const [row] = await this.statements.run<SessionRow & UserRow & { isLongAgo: boolean }>(
      statementOf('sessions', text),
      [digests],
    );
    if (!row) return undefined;
    const session = this.rows.entityOf(row.session);
    if (row.isLongAgo) await this.touch(session);
    return { session, user: this.users.userOf(row) };
  }

  /** One page of a user's living sessions, the newest first. */
  list(userId: string, cursor: string | undefined, limit: number): Promise<Page<Session>> {
    const query = this.dataSource.manager
      .createQueryBuilder(Session, 'session')
      .innerJoin('session.user', 'owner')
      .where({ userId })
      .andWhere(LIVES('session', 'owner'));
    return readPage(query, newestFirst('session.createdAt'), cursor, limit);
  }

  /**
   * Ends a session of a user. That the caller may, need not be asked again at the write: it takes something from nobody else.
   *
   * @throws {Refusal} notFound, for one that is not there or somebody else's.
   */
  async end(id: string, userId: string, actor: Actor): Promise<void> {
    if (!isUuid(id)) throw noSuchSession();
    const text = `DELETE FROM sessions WHERE id = $1 AND user_id = $2 RETURNING id, provider`;
    await this.transactions.run(userId, async (transaction) => {
      const [ended] = await transaction.run<Ended>(statementOf('sessions', text), [id, userId]);
      if (!ended) throw noSuchSession();
      await this.audit.write(transaction.last, eventOf('session.end', ended, actor));
    });
  }

  /** Deletes some of those that have run out; whether there may be more. */
  async purge(): Promise<boolean> {
    const text = `
      DELETE FROM sessions WHERE id IN (SELECT s.id FROM sessions s WHERE NOT ${hasTimeLeft('s')}
        LIMIT ${MAX_PURGED} FOR UPDATE SKIP LOCKED)
      RETURNING id`;
    return (await this.statements.run(statementOf('sessions', text), [])).length === MAX_PURGED;
  }

  /** In the transaction that makes less of a user: one that were merely not found would live again with the old role. */
  private async endAll(manager: EntityManager, userId: string, actor: Actor): Promise<void> {
    const runner = runnerOf(manager);
    const text = `WITH ended AS (DELETE FROM sessions WHERE user_id = $1 RETURNING id, provider) SELECT * FROM ended`;
    const ended = await runner.run<Ended>(statementOf('sessions', text), [userId]);
    if (ended.length === 0) return;
    await this.audit.write(
      runner,
      ended.map((one) => eventOf('session.end', one, actor)),
    );
  }

  /** Waits for nobody: who has the row locked touches it as well, or ends it. */
  private async touch({ id }: Session): Promise<void> {
    const text = `
      UPDATE sessions SET last_used_at = now() WHERE id = (SELECT s.id FROM sessions s
        WHERE s.id = $1 AND s.last_used_at < now() - interval '${TOUCH_SECONDS} seconds' FOR NO KEY UPDATE SKIP LOCKED)`;
    await this.statements.run(statementOf('sessions', text), [id]);
  }
}

/**
 * Locks the user of a new session, so that those begun at once are counted one after the other, and what makes less of the
 * user finds the session.
 */
async function lockUnchanged(
  runner: StatementRunner,
  { id, login, passwordVersion, role }: User,
): Promise<void> {
  const text = `SELECT id FROM users WHERE id = $1 AND password_version = $2 AND role = $3
    AND NOT disabled AND deleted_at IS NULL FOR NO KEY UPDATE`;
  const [locked] = await runner.run(statementOf('sessions', text), [id, passwordVersion, role]);
  if (!locked) throw new Refusal('unauthenticated', { reason: 'ownerDisabled', login });
}

function eventOf(
  action: 'session.create' | 'session.end',
  { id, provider }: Ended,
  actor: Actor,
): AuditEntry {
  return { actor, action, object: { type: 'session', id }, after: { provider } };
}

function noSuchSession(): Refusal {
  return new Refusal('notFound', { message: 'No such session' });
}
