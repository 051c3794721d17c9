import type { OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { Refusal } from '../refusal.js';
import type { Database } from './database.js';
import { isDatabaseUnavailable } from './errors.js';
import { ignore, type PostgresServer } from './postgres-server.js';
import type { Standby } from './standby.js';
import { type Place, Values } from './statements.js';

/** Each holds a connection, and on a server back what vacuum may clean away. */
export const MAX_SNAPSHOTS = 4;
const RETRY_AFTER_SECONDS = 10;
const ROWS_A_PORTION = 100;
/** One portion may need a sort, or a search, of all that there is. */
const PORTION_TIMEOUT_MS = 60_000;
/** Longer than any reader is waited for: the server frees itself of a process that hangs. */
const IDLE_TIMEOUT_MS = 120_000;
const END_TIMEOUT_MS = 10_000;
const BEGIN = `BEGIN READ ONLY;
  SET LOCAL statement_timeout = ${PORTION_TIMEOUT_MS};
  SET LOCAL idle_in_transaction_session_timeout = ${IDLE_TIMEOUT_MS}`;
const END = {
  text: 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2::timestamptz',
  query_timeout: END_TIMEOUT_MS,
};
const FETCH = `FETCH FORWARD ${ROWS_A_PORTION} FROM snapshot`;

/** Where a row stands among others, newest first. */
export interface Position {
  time: Date;
  /** A uuid. */
  id: string;
}

/** A select of rows that are made once and keep their place, newest first. */
export interface SnapshotSelect<Row> {
  /** `SELECT … FROM … WHERE …`, without order and limit. Its values come first. */
  text: (place: Place) => string;
  /** What the rows are ordered by: when they were made, to the millisecond, and a uuid. */
  order: { time: string; id: string };
  positionOf: (row: Row) => Position;
}

/** Rows as they stood at one moment, in portions. */
export interface Snapshot<Row> {
  /** The next rows; none once it is at its end. One call after the other. */
  next(): Promise<Row[]>;
  /** Ends it, and what it is reading: may be called at any time, and again. Throws nothing. */
  close(): Promise<void>;
}

/**
 * Reads any number of rows as they stood when it began, in constant memory.
 *
 * On a server all come from one cursor, which sees one state, over a connection of its own (`application_name`
 * patois-snapshots), to the standby if there is one: neither requests nor changes wait for it. On the embedded engine, where a
 * transaction would keep all others out, each portion is a statement of its own that goes on where the one before ended:
 * rows that were made later are left out, and each row is as it stands when its portion is read.
 */
export class Snapshots implements OnApplicationShutdown {
  private opened = 0;

  private constructor(
    private readonly dataSource: DataSource,
    /** Undefined on the embedded engine. */
    private readonly pool: pg.Pool | undefined,
    private readonly standby: { server: Standby; pool: pg.Pool } | undefined,
  ) {}

  static of({ server }: Database, dataSource: DataSource, standby?: Standby): Snapshots {
    const onStandby = standby && { server: standby, pool: poolFor(standby.server) };
    return new Snapshots(dataSource, server && poolFor(server), onStandby);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.standby?.pool.end();
    await this.pool?.end();
  }

  /** How many are open. */
  get openCount(): number {
    return this.opened;
  }

  /**
   * Begins one, which has to be closed.
   *
   * @param asOf the moment it begins at: rows that were made later are left out.
   * @throws {Refusal} unavailable, when as many are open as may be.
   */
  async open<Row extends object>(select: SnapshotSelect<Row>, asOf: Date): Promise<Snapshot<Row>> {
    if (this.opened >= MAX_SNAPSHOTS) throw tooManySnapshots();
    this.opened += 1;
    let isCounted = true;
    const onClosed = (): void => {
      if (isCounted) this.opened -= 1;
      isCounted = false;
    };
    const { pool, standby } = this;
    if (!pool) return new KeysetSnapshot(this.dataSource, select, asOf, onClosed);
    const onPrimary = async (): Promise<Snapshot<Row>> => {
      const client = await pool.connect();
      await client.query(BEGIN).catch((error: unknown) => {
        client.release(true);
        throw error;
      });
      return CursorSnapshot.begin(pool, client, select, onClosed);
    };
    try {
      if (!standby) return await onPrimary();
      return await standby.server.read(
        standby.pool,
        (client) => CursorSnapshot.begin(standby.pool, client, select, onClosed),
        onPrimary,
        BEGIN,
      );
    } catch (error) {
      onClosed();
      throw error;
    }
  }
}

/** One connection more than are read by: it ends what another reads. */
function poolFor(server: PostgresServer): pg.Pool {
  return server.pool({
    application_name: 'patois-snapshots',
    query_timeout: PORTION_TIMEOUT_MS,
    max: MAX_SNAPSHOTS + 1,
  });
}

/** A process of a server, told apart from those of other servers that a connection may lead to. */
interface Backend {
  pid: number;
  /** To the microsecond. */
  since: string;
}

/** A cursor in a transaction. */
class CursorSnapshot<Row extends object> implements Snapshot<Row> {
  private reading: Promise<unknown> | undefined;
  private closing: Promise<void> | undefined;
  private isBroken = false;

  private constructor(
    private readonly pool: pg.Pool,
    private readonly client: pg.PoolClient,
    private readonly backend: Backend | undefined,
    private readonly onClosed: () => void,
  ) {}

  /** @param client one of the pool's, in a transaction, which is given back to it in the end. */
  static async begin<Row extends object>(
    pool: pg.Pool,
    client: pg.PoolClient,
    { text, order }: SnapshotSelect<Row>,
    onClosed: () => void,
  ): Promise<Snapshot<Row>> {
    try {
      const { rows } = await client.query<Backend>(
        'SELECT pid, backend_start::text AS since FROM pg_stat_activity WHERE pid = pg_backend_pid()',
      );
      const values = new Values();
      const ordered = `${text(values.place)} ORDER BY ${order.time} DESC, ${order.id} DESC`;
      await client.query(`DECLARE snapshot NO SCROLL CURSOR FOR ${ordered}`, values.list);
      return new CursorSnapshot<Row>(pool, client, rows[0], onClosed);
    } catch (error) {
      // The transaction goes with its connection.
      client.release(true);
      throw error;
    }
  }

  async next(): Promise<Row[]> {
    if (this.closing) throw closed();
    const reading = this.client.query<Row>(FETCH);
    this.reading = reading;
    try {
      return (await reading).rows;
    } catch (error) {
      this.isBroken = isDatabaseUnavailable(error);
      throw error;
    } finally {
      this.reading = undefined;
    }
  }

  close(): Promise<void> {
    return (this.closing ??= this.end());
  }

  private async end(): Promise<void> {
    const { pool, client, backend, reading } = this;
    try {
      if (reading) {
        // Until the transaction ends the process of the server is ours, also behind a pooler of connections. To cancel what
        // has not reached it yet would do nothing.
        await pool.query({ ...END, values: [backend?.pid, backend?.since] }).catch(ignore);
        await reading.catch(ignore);
      } else if (!this.isBroken) await client.query('ROLLBACK');
      client.release(reading !== undefined || this.isBroken);
    } catch {
      client.release(true);
    } finally {
      this.onClosed();
    }
  }
}

/** A statement a portion, each of which begins behind the last row of the one before. */
class KeysetSnapshot<Row extends object> implements Snapshot<Row> {
  private last: Position | undefined;
  private isClosed = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly select: SnapshotSelect<Row>,
    private readonly asOf: Date,
    private readonly onClosed: () => void,
  ) {}

  async next(): Promise<Row[]> {
    if (this.isClosed) throw closed();
    const { last, asOf } = this;
    const { text, order, positionOf } = this.select;
    const { time, id } = order;
    const values = new Values();
    const { place } = values;
    const selected = text(place);
    const bound = last
      ? `(${time}, ${id}) < (${place(last.time)}::timestamptz, ${place(last.id)}::uuid)`
      : `${time} <= ${place(asOf)}::timestamptz`;
    const portion = `${selected} AND ${bound} ORDER BY ${time} DESC, ${id} DESC LIMIT ${ROWS_A_PORTION}`;
    const rows = await this.dataSource.query<Row[]>(portion, values.list);
    const end = rows.at(-1);
    if (end) this.last = positionOf(end);
    return rows;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.onClosed();
  }
}

/** What is said to who wants one more. */
export function tooManySnapshots(): Refusal {
  const message = 'Too many exports at once; try again later';
  return new Refusal('unavailable', { reason: 'busy', message, retryAfterSeconds: RETRY_AFTER_SECONDS });
}

function closed(): Error {
  return new Error('The snapshot is closed');
}
