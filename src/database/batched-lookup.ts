import type { DataSource } from 'typeorm';
import { NO_TRACING, type Step, type Tracing } from '../tracing.js';
import type { Database } from './database.js';
import { keepsStatements, NoPrimaryError, type PostgresServer } from './postgres-server.js';
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
    { server }: Database,
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
    if (!server) {
      return new BatchedLookup(
        (keys) => dataSource.query<Row[]>(text, [keys]),
        keyOf,
        1,
        step,
        tracing,
        async () => {},
      );
    }
    const { ask, close } = askOf<Row>(server, { name, text, connections });
    return new BatchedLookup(ask, keyOf, connections, step, tracing, close);
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

/** What a statement says of its server, and whether it found anything. */
interface Asked {
  isReadOnly: boolean;
  isFound: true | null;
}

/** The look-up on a server. */
function askOf<Row extends object>(
  server: PostgresServer,
  { name, text, connections }: { name: string; text: string; connections: number },
): { ask: (keys: string[]) => Promise<Row[]>; close: () => Promise<void> } {
  const pool = server.pool({
    application_name: `patois-${name}`,
    max: connections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  });
  // A pooler may have led the connection to another server meanwhile: each says by itself whether it is the primary.
  const asked = `SELECT server."isReadOnly", found.*
    FROM (SELECT current_setting('transaction_read_only') = 'on' AS "isReadOnly") AS server
    LEFT JOIN (SELECT TRUE AS "isFound", * FROM (${text}) AS one) AS found ON TRUE`;
  const ask = async (keys: string[]): Promise<Row[]> => {
    const client = await pool.connect();
    try {
      const statement = keepsStatements(client) ? { name, text: asked } : { text: asked };
      const { rows } = await client.query<Row & Asked>({ ...statement, values: [keys] });
      if (rows[0]?.isReadOnly !== false)
        throw new NoPrimaryError('A look-up came to a server that is no primary');
      client.release();
      return rows.filter(({ isFound }) => isFound);
    } catch (error) {
      client.release(error as Error);
      throw error;
    }
  };
  return { ask, close: () => pool.end() };
}
