import { type Database, postgresServer } from '../../src/database/database.js';

/**
 * A PgBouncer before the server of TEST_DATABASE_URL, `postgres://user@host:port/postgres`: the applications under test go
 * through it, the tests' own clients past it. Unset: there is none.
 */
export const POOLER_URL = process.env['TEST_POOLER_URL'];

/** Whether the applications under test stand behind a pooler. */
export const hasPooler = POOLER_URL !== undefined;

/** How an application under test reaches a database. */
export interface Reached {
  url: string;
  /** Past the pooler; undefined where there is none. */
  listenUrl: string | undefined;
}

/** How one reaches a database of the server. */
export function reachedAt(url: string): Reached {
  if (POOLER_URL === undefined) return { url, listenUrl: undefined };
  const through = new URL(url);
  through.host = new URL(POOLER_URL).host;
  return { url: through.href, listenUrl: url };
}

/** The settings of an application that is a process of its own. */
export function settingsOf({ url, listenUrl }: Reached): Record<string, string> {
  return { DATABASE_URL: url, ...(listenUrl !== undefined && { DATABASE_LISTEN_URL: listenUrl }) };
}

/** The database as an application in this process has it; its `url` leads past the pooler, for a test's own clients. */
export function databaseAt({ url, listenUrl }: Reached): Database {
  return { ...postgresServer(url, { listenUrl }), url: listenUrl ?? url };
}
