import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { Database } from './database.js';

const CONNECTIONS = 8;
/** Together less than two seconds: by then a caller is told that nothing can be told. */
const CONNECT_TIMEOUT_MS = 700;
const QUERY_TIMEOUT_MS = 1_000;
/** More than this wait only where the database has stopped answering. */
const MOST_WAITING = 1_000;

/** One query, asked so often that it is prepared once a connection and kept apart from all other work. */
export interface HotQuery<Row> {
  rows(values: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/**
 * Makes a hot query of a store: on a server a named statement on connections of its own, with time-outs of its own; on
 * the embedded engine over its one connection, whose sessions are shared, so without a name.
 */
export function hotQuery<Row extends object>(
  { url }: Database,
  dataSource: DataSource,
  name: string,
  text: string,
): HotQuery<Row> {
  if (url === undefined) {
    return { rows: (values) => dataSource.query<Row[]>(text, values), close: async () => {} };
  }
  const pool = new pg.Pool({
    connectionString: url,
    application_name: `patois-${name}`,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  });
  // An idle connection that breaks is replaced at its next use.
  pool.on('error', () => {});
  return {
    rows: async (values) => {
      if (pool.waitingCount > MOST_WAITING)
        throw new Error('Query read timeout: too many wait for the database');
      return (await pool.query<Row>({ name, text, values })).rows;
    },
    close: () => pool.end(),
  };
}
