import type { OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { Refusal } from '../refusal.js';
import { Semaphore } from '../semaphore.js';
import { NO_TRACING, type Tracing } from '../tracing.js';
import { turnstile } from '../turnstile.js';
import type { ChangeFeed } from './changes/change-feed.js';
import type { Database } from './database.js';
import { isDatabaseUnavailable } from './errors.js';
import { beginOf, ignore } from './postgres-server.js';
import {
  inOneWrite,
  poolOf,
  sendNamed,
  type Statement,
  type StatementCounts,
  type StatementRunner,
  stepOf,
} from './statements.js';

/** More side by side only wait for each other: for the processor, and for the locks of the rows that they share. */
const CONNECTIONS = 6;
/** What comes on top is told at once to come again. */
const MAX_WAITING = 100;
const MAX_WAIT_MS = 2_000;
/** On the embedded engine they run one by one. */
const EMBEDDED_MAX_WAIT_MS = 10_000;

type Work<Result> = (transaction: Transaction) => Promise<Result>;

/**
 * Runs changes, each in a transaction of its own, few side by side, in as few round trips as it takes: BEGIN goes out with
 * the first statement, COMMIT with the last.
 */
export class Transactions implements OnApplicationShutdown {
  /** Changes so far that had their turn, what they waited for it in all, and those that were told to come again. */
  readonly total = { begun: 0, waitedSeconds: 0, refused: 0 };
  private readonly turns: Semaphore;

  private constructor(
    private readonly pool: () => pg.Pool,
    private readonly isEmbedded: boolean,
    private readonly feed: ChangeFeed,
    private readonly counts: StatementCounts,
    private readonly tracing: Tracing,
    private readonly close: () => Promise<void>,
  ) {
    const maxWaitMs = isEmbedded ? EMBEDDED_MAX_WAIT_MS : MAX_WAIT_MS;
    this.turns = new Semaphore(isEmbedded ? 1 : CONNECTIONS, MAX_WAITING, tooManyChanges, maxWaitMs);
  }

  /** On a server over connections of their own, which reads cannot take away; on the embedded engine over its one. */
  static of(
    { server, isEmbedded }: Database,
    dataSource: DataSource,
    feed: ChangeFeed,
    counts: StatementCounts,
    tracing: Tracing = NO_TRACING,
  ): Transactions {
    if (!server) {
      return new Transactions(
        () => poolOf(dataSource),
        isEmbedded,
        feed,
        counts,
        tracing,
        async () => {},
      );
    }
    const pool = server.pool({ application_name: 'patois-changes', max: CONNECTIONS, pipeline: true });
    return new Transactions(
      () => pool,
      isEmbedded,
      feed,
      counts,
      tracing,
      () => pool.end(),
    );
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /**
   * Runs a change; commits unless it throws.
   *
   * @param line in which it waits for its turn: those of one caller stand in one.
   * @throws {Refusal} unavailable, when too many changes wait already.
   */
  run<Result>(line: string, work: Work<Result>): Promise<Result> {
    return this.inTurn(line, async () => {
      const client = await this.pool().connect();
      client.on('error', ignore);
      const transaction = new Transaction(client, this.isEmbedded, this.counts, this.tracing);
      try {
        const result = await work(transaction);
        await transaction.commit();
        client.release();
        return result;
      } catch (error) {
        client.release(await transaction.rollback(error));
        throw error;
      } finally {
        client.off('error', ignore);
        // Also where nobody knows whether the commit came through: what is forgotten is only read again.
        if (transaction.changed.size > 0) this.feed.tell(transaction.changed);
      }
    });
  }

  /** Runs a change that makes its own transaction when its turn has come. */
  async inTurn<Result>(line: string, work: () => Promise<Result>): Promise<Result> {
    const cameAt = performance.now();
    let hasBegun = false;
    try {
      return await this.turns.run(line, () => {
        hasBegun = true;
        this.total.begun += 1;
        this.total.waitedSeconds += (performance.now() - cameAt) / 1000;
        return work();
      });
    } finally {
      if (!hasBegun) this.total.refused += 1;
    }
  }

  /** How many changes run, and how many wait for their turn. */
  get load(): Semaphore['load'] {
    return this.turns.load;
  }
}

/** One transaction, on a connection that it has for itself. */
export class Transaction implements StatementRunner {
  /** Keys of what this changes (token ids, users' uuids), which caches forget when it is over. */
  readonly changed = new Set<string>();
  private begun: Promise<unknown> | undefined;
  private isOver = false;

  constructor(
    private readonly client: pg.PoolClient,
    private readonly isEmbedded: boolean,
    private readonly counts: StatementCounts,
    private readonly tracing: Tracing = NO_TRACING,
  ) {}

  async run<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    return this.traced<Row>(statement, values, false);
  }

  /** Runs the last statement of all, and commits if it succeeds. */
  readonly last: StatementRunner = {
    run: <Row extends object>(statement: Statement, values: readonly unknown[]) =>
      this.traced<Row>(statement, values, true),
  };

  /** Commits, unless {@link last} has. */
  async commit(): Promise<void> {
    if (this.isOver || !this.begun) return;
    this.isOver = true;
    await this.client.query('COMMIT');
  }

  /**
   * Ends the transaction after an error.
   *
   * @returns whether the connection is of no more use.
   */
  async rollback(error: unknown): Promise<boolean> {
    if (isDatabaseUnavailable(error)) return true;
    if (this.isOver || !this.begun) return false;
    this.isOver = true;
    return this.client.query('ROLLBACK').then(
      () => false,
      () => true,
    );
  }

  private traced<Row extends object>(
    statement: Statement,
    values: readonly unknown[],
    isLast: boolean,
  ): Promise<Row[]> {
    this.counts.count(statement.kind);
    return this.tracing.step(stepOf(statement.kind), () => this.send<Row>(statement, values, isLast));
  }

  private async send<Row extends object>(
    statement: Statement,
    values: readonly unknown[],
    isLast: boolean,
  ): Promise<Row[]> {
    if (this.isEmbedded) return this.sendInTurn(statement, values, isLast);
    const [begun, answered, committed] = inOneWrite(this.client, () => [
      (this.begun ??= this.client.query(beginOf(this.client))),
      new Promise<object[]>((resolve, reject) => {
        sendNamed(this.client, statement, values, (error, rows) => (error ? reject(error) : resolve(rows)));
      }),
      isLast ? this.client.query('COMMIT') : undefined,
    ]);
    if (isLast) this.isOver = true;
    // Each is waited for, whichever fails first: none is left behind on the connection.
    const [start, answer, end] = await Promise.allSettled([begun, answered, committed]);
    // What follows takes long beside a verification, and the answers to other changes may have come as well.
    await turnstile.turn();
    if (start.status === 'rejected') throw start.reason;
    if (answer.status === 'rejected') throw answer.reason;
    if (end.status === 'rejected') throw end.reason;
    return answer.value as Row[];
  }

  private async sendInTurn<Row extends object>(
    { text }: Statement,
    values: readonly unknown[],
    isLast: boolean,
  ): Promise<Row[]> {
    await (this.begun ??= this.client.query('BEGIN'));
    // Without a name: the embedded engine keeps one session for all connections.
    const { rows } = await this.client.query<Row>(text, [...values]);
    if (isLast) await this.commit();
    return rows;
  }
}

function tooManyChanges(): Refusal {
  const message = 'Too many changes at once; try again';
  return new Refusal('unavailable', { reason: 'busy', message, retryAfterSeconds: 1 });
}
