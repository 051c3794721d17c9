import { Logger } from '@nestjs/common';
import type pg from 'pg';
import { isDatabaseUnavailable, isTimeout } from './errors.js';
import { beginOf, type PostgresServer } from './postgres-server.js';
import { statementOf, type StatementRunner } from './statements.js';

/** A standby that does not answer for so long is passed over. */
const ANSWER_TIMEOUT_MS = 1_000;
/** How long it is waited for what it lacks. */
const MAX_WAIT_MS = 300;
const FIRST_POLL_MS = 2;
const MAX_POLL_MS = 20;
/** Passed over once, it is left alone for so long: not each list is to find out again. */
const REST_MS = 5_000;
/** What a standby says when it ends a read that stands in the way of replication. */
const RECOVERY_CONFLICT = '40001';

/** Where the primary is in its log: up to there every change is on disk that it has acknowledged. */
interface Position {
  lsn: string;
  timeline: number;
}

const POSITION = statementOf(
  'position',
  `SELECT pg_current_wal_flush_lsn()::text AS lsn,
     ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::int AS timeline`,
);

/**
 * The timeline of the receiver is seen by who may read statistics; to others a standby shows the new one only once it has
 * passed a checkpoint there.
 */
const STATE = `SELECT pg_is_in_recovery() AS "isStandby",
    (SELECT greatest(timeline_id, min_recovery_end_timeline, received_tli)
       FROM pg_control_checkpoint(), pg_control_recovery() LEFT JOIN pg_stat_wal_receiver ON TRUE) AS timeline,
    coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, FALSE) AS "hasAll"`;

interface State {
  isStandby: boolean;
  timeline: number;
  hasAll: boolean;
}

/**
 * A server that follows the primary, from which lists are read. Each read asks the primary for its position first, and the
 * standby, in the transaction that reads, whether it has come so far on the same timeline: so nothing is missing that was
 * acknowledged to anybody before. A standby that is behind for longer, of another timeline or not there is passed over.
 */
export class Standby {
  /** Reads so far from here, and those that the primary had to answer. */
  readonly total = { read: 0, passedOver: 0 };
  private readonly logger = new Logger(Standby.name);
  private restsUntil = -Infinity;
  private isPassedOver = false;

  constructor(
    readonly server: PostgresServer,
    private readonly primary: StatementRunner,
  ) {}

  /**
   * Reads from here, or else from the primary.
   *
   * @param pool of connections to {@link server}.
   * @param onStandby gets one in a transaction that sees all; it ends the one and releases the other, also when it fails.
   * @param begin what begins the transaction, READ COMMITTED.
   */
  async read<Result>(
    pool: pg.Pool,
    onStandby: (client: pg.PoolClient) => Promise<Result>,
    onPrimary: () => Promise<Result>,
    begin?: string,
  ): Promise<Result> {
    if (performance.now() < this.restsUntil) return this.passOver(onPrimary);
    let client: pg.PoolClient;
    try {
      client = await this.begin(pool, begin);
    } catch (error) {
      this.rest(error as Error);
      return this.passOver(onPrimary);
    }
    try {
      const result = await onStandby(client);
      this.total.read += 1;
      return result;
    } catch (error) {
      if (!isOfStandby(error)) throw error;
      this.rest(error as Error);
      return this.passOver(onPrimary);
    }
  }

  private passOver<Result>(onPrimary: () => Promise<Result>): Promise<Result> {
    this.total.passedOver += 1;
    return onPrimary();
  }

  private rest({ message }: Error): void {
    this.restsUntil = performance.now() + REST_MS;
    if (this.isPassedOver) return;
    this.isPassedOver = true;
    this.logger.warn(`Lists are read from the primary: ${message}`);
  }

  private async begin(pool: pg.Pool, begin: string | undefined): Promise<pg.PoolClient> {
    const [position] = await this.primary.run<Position>(POSITION, []);
    if (!position) throw new Error('the primary does not say how far it is');
    const client = await pool.connect();
    try {
      await client.query(inTime(begin ?? beginOf(client)));
      await catchUp(client, position);
    } catch (error) {
      client.release(true);
      throw error;
    }
    if (this.isPassedOver) this.logger.log('Lists are read from the standby again');
    this.isPassedOver = false;
    return client;
  }
}

/** @throws where a server is no standby of the primary, or does not come so far soon. */
async function catchUp(client: pg.ClientBase, { lsn, timeline }: Position): Promise<void> {
  const beganAt = performance.now();
  for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_POLL_MS)) {
    const { rows } = await client.query<State>({ ...inTime(STATE), values: [lsn] });
    const [state] = rows;
    if (!state?.isStandby) throw new Error('the server of DATABASE_READ_URL is no standby');
    if (state.timeline !== timeline) {
      throw new Error(`the standby is on timeline ${state.timeline}, the primary on ${timeline}`);
    }
    if (state.hasAll) return;
    if (performance.now() - beganAt > MAX_WAIT_MS) {
      throw new Error(`the standby is more than ${MAX_WAIT_MS} ms behind`);
    }
    await new Promise((resume) => setTimeout(resume, pauseMs));
  }
}

function inTime(text: string): pg.QueryConfig {
  return { text, query_timeout: ANSWER_TIMEOUT_MS } as pg.QueryConfig;
}

/** Whether a read failed for where it was read. One that took too long would take as long on the primary. */
function isOfStandby(error: unknown): boolean {
  if (isTimeout(error)) return false;
  const { code, driverError } = error as { code?: string; driverError?: { code?: string } };
  return [code, driverError?.code].includes(RECOVERY_CONFLICT) || isDatabaseUnavailable(error);
}
