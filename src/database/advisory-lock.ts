import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import type { PostgresServer } from './postgres-server.js';

const TIMEOUT_MS = 2_000;
/** Between two attempts at a lock that another process has. */
const RETRY_MS = 200;

/**
 * The advisory locks of this program, by numbers that no other program on the same database uses. That of migrations is not
 * the one of earlier versions, which wait for it by a statement.
 */
export const LOCKS = { migrations: 7_245_116, schedule: 7_245_114 } as const;
/** Of locks that have two numbers the first, in the same way. */
export const LOCK_SPACES = {
  owners: 7_245_113,
  policies: 7_245_114,
  noticeChannels: 7_245_120,
  imports: 7_245_121,
} as const;
type Lock = (typeof LOCKS)[keyof typeof LOCKS];

/** Without parameters, which would leave a portal open, and with it a snapshot. */
const tryLock = (lock: Lock): string => `SELECT pg_try_advisory_xact_lock(${lock}) AS taken`;
interface Taken {
  taken: boolean;
}

/** A transaction that only holds a lock: it may last, and say nothing. It keeps no row and no snapshot. */
const HOLD = `BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0`;

/**
 * Does some work while no other process holds a lock, and waits for it for as long as that takes. The lock belongs to a
 * transaction, which a pooler of connections leaves where it is. Who waits asks again and again: a statement that waits has
 * a snapshot, for the end of which an index that is built concurrently would wait in turn, under this very lock.
 */
export async function whileLocked<Result>(
  dataSource: DataSource,
  lock: Lock,
  work: () => Promise<Result>,
): Promise<Result> {
  const holder = dataSource.createQueryRunner();
  try {
    await holder.query(HOLD);
    while (!(await takeLock(holder, lock))) await pause(RETRY_MS);
    return await work();
  } finally {
    await holder.query('COMMIT');
    await holder.release();
  }
}

async function takeLock(holder: QueryRunner, lock: Lock): Promise<boolean> {
  const [row] = (await holder.query(tryLock(lock))) as Taken[];
  return row?.taken === true;
}

/**
 * A lock that a process keeps for as long as it lives. It belongs to a transaction of a connection of its own
 * (`application_name` patois-schedule), so that the server gives it to another process once this one is gone, however it
 * ended.
 */
export class AdvisoryLock {
  private client: pg.Client | undefined;

  /** @param server undefined on the embedded engine, where this process is alone. */
  constructor(
    private readonly server: PostgresServer | undefined,
    private readonly lock: Lock,
  ) {}

  /**
   * Takes the lock if nobody has it.
   *
   * @returns whether this process holds it now.
   * @throws when the server does not answer within two seconds.
   */
  async take(): Promise<boolean> {
    if (!this.server || (await this.isHeld())) return true;
    const client = this.server.client({
      application_name: 'patois-schedule',
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
    });
    try {
      await client.connect();
      await client.query(HOLD);
      const { rows } = await client.query<Taken>(tryLock(this.lock));
      if (rows[0]?.taken) this.client = client;
    } finally {
      if (this.client !== client) await end(client);
    }
    return this.client === client;
  }

  async release(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    if (client) await end(client);
  }

  /** The lock lasts as long as its connection. */
  private async isHeld(): Promise<boolean> {
    if (!this.client) return false;
    try {
      await this.client.query('SELECT 1');
      return true;
    } catch {
      await this.release();
      return false;
    }
  }
}

async function end(client: pg.Client): Promise<void> {
  await client.end().catch(() => {});
}
