import pg from 'pg';
import type { DataSource } from 'typeorm';
import { NO_TRACING, type Step, type Tracing } from '../tracing.js';
import type { Database } from './database.js';
import { stepOf } from './statements.js';

/** Unless told otherwise. */
const CONNECTIONS = 4;
/** Together less than two seconds: by then a caller is told that nothing can be told. */
const CONNECT_TIMEOUT_MS = 700;
const QUERY_TIMEOUT_MS = 1_000;
const KEYS_A_QUERY = 200;
/** More than this wait only where the database has stopped answering. */
const MAX_WAITING = 10_000;

interface Waiting<Row> {
  key: string;
  resolve: (row: Row | undefined) => void;
  reject: (error: unknown) => void;
}

/**
 * One look-up by a unique key, asked so often that it has connections and time-outs of its own, and that what is asked
 * at one moment is asked in one statement: most of what a look-up costs, it costs once a statement.
 */
export class BatchedLookup<Row> {
  private waiting: Waiting<Row>[] = [];
  private underWay = 0;
  private isScheduled = false;

  /**
   * @param ask reads the rows of some keys, in any order, without those that are not there.
   * @param maxAtOnce how many statements may run side by side.
   */
  private constructor(
    private readonly ask: (keys: string[]) => Promise<Row[]>,
    private readonly keyOf: (row: Row) => string,
    private readonly maxAtOnce: number,
    private readonly step: Step,
    private readonly tracing: Tracing,
    readonly close: () => Promise<void>,
  ) {}

  /**
   * @param text of the query, which takes the list of keys as `$1`. On a server it is a named statement; the embedded
   *   engine has one connection, whose sessions are shared, so there it has no name.
   * @param connections how many it may open to a server.
   */
  static of<Row extends object>(
    { url }: Database,
    dataSource: DataSource,
    {
      name,
      text,
      keyOf,
      connections = CONNECTIONS,
    }: { name: string; text: string; keyOf: (row: Row) => string; connections?: number },
    tracing: Tracing = NO_TRACING,
  ): BatchedLookup<Row> {
    const step = stepOf(name);
    if (url === undefined) {
      return new BatchedLookup(
        (keys) => dataSource.query<Row[]>(text, [keys]),
        keyOf,
        1,
        step,
        tracing,
        async () => {},
      );
    }
    const pool = new pg.Pool({
      connectionString: url,
      application_name: `patois-${name}`,
      max: connections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
    });
    // An idle connection that breaks is replaced at its next use.
    pool.on('error', () => {});
    const ask = async (keys: string[]): Promise<Row[]> =>
      (await pool.query<Row>({ name, text, values: [keys] })).rows;
    return new BatchedLookup(ask, keyOf, connections, step, tracing, () => pool.end());
  }

  /** The row of a key, or undefined where there is none. */
  row(key: string): Promise<Row | undefined> {
    return this.tracing.step(this.step, () => this.asked(key));
  }

  private asked(key: string): Promise<Row | undefined> {
    if (this.waiting.length >= MAX_WAITING) {
      return Promise.reject(new Error('Query read timeout: too many wait for the database'));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ key, resolve, reject });
      if (this.isScheduled) return;
      this.isScheduled = true;
      setImmediate(() => this.send());
    });
  }

  private send(): void {
    this.isScheduled = false;
    while (this.waiting.length > 0 && this.underWay < this.maxAtOnce) {
      const asked = this.waiting.splice(0, KEYS_A_QUERY);
      this.underWay += 1;
      void this.answer(asked).finally(() => {
        this.underWay -= 1;
        this.send();
      });
    }
  }

  private async answer(asked: Waiting<Row>[]): Promise<void> {
    try {
      const rows = await this.ask([...new Set(asked.map(({ key }) => key))]);
      const byKey = new Map(rows.map((row) => [this.keyOf(row), row]));
      for (const { key, resolve } of asked) resolve(byKey.get(key));
    } catch (error) {
      // Who waits behind a database that does not answer would be told no sooner by asking it again.
      for (const { reject } of [...asked, ...this.waiting.splice(0)]) reject(error);
    }
  }
}
