import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import type { Config } from '../config.js';
import type { EmbeddedPostgres } from './embedded.js';
import { Cluster, PostgresServer } from './postgres-server.js';

/** A store that can be connected to: a PostgreSQL server, or the engine inside this process. */
export interface Database {
  /** One connection, one session for all: no named statements, no parallel connections, no LISTEN. */
  isEmbedded: boolean;
  /** Undefined for the embedded engine. */
  server: PostgresServer | undefined;
  /** The same server where notifications come through, if a pooler keeps them from {@link server}. */
  listenServer: PostgresServer | undefined;
  /** One that follows it, for long reads; undefined where there is none. */
  standbyServer: PostgresServer | undefined;
  /** Of the server; undefined for the embedded engine. */
  url: string | undefined;
  connection: Partial<PostgresDataSourceOptions>;
  close(): Promise<void>;
}

const CONNECTIONS = 12;
/** How long a read waits for one of the connections. */
const TURN_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 10_000;
/** Statements wait for each other there; one that never ends must not hold up all that come after it. */
const EMBEDDED_QUERY_TIMEOUT_MS = 60_000;

/** Opens the store that the settings name. */
export async function openDatabase(config: Config): Promise<Database> {
  const { databaseUrl, databaseListenUrl: listenUrl, databaseReadUrl: readUrl } = config;
  if (databaseUrl !== undefined) return postgresServer(databaseUrl, { listenUrl, readUrl });
  // Loaded only where it is used: it is as large as everything else.
  const { EmbeddedPostgres } = await import('./embedded.js');
  return embedded(await EmbeddedPostgres.open(config.dataDir));
}

/**
 * A PostgreSQL server, `postgres://user:password@host:port/database`, or several.
 *
 * @param listenUrl the same without a pooler.
 * @param readUrl a standby of it, or several.
 */
export function postgresServer(
  url: string,
  { listenUrl, readUrl }: { listenUrl?: string | undefined; readUrl?: string | undefined } = {},
): Database {
  const cluster = new Cluster();
  const server = new PostgresServer(url, cluster);
  return {
    isEmbedded: false,
    server,
    listenServer: listenUrl === undefined ? server : new PostgresServer(listenUrl, cluster),
    standbyServer: readUrl === undefined ? undefined : new PostgresServer(readUrl, cluster, 'standby'),
    url,
    connection: {
      url: server.connectionString,
      applicationName: 'patois',
      extra: {
        max: CONNECTIONS,
        connectionTimeoutMillis: TURN_TIMEOUT_MS,
        query_timeout: QUERY_TIMEOUT_MS,
        keepAlive: true,
        Client: server.PatientClient,
      },
    },
    close: async () => {},
  };
}

/** The engine inside this process, over its one connection. */
export function embedded(engine: EmbeddedPostgres): Database {
  return {
    isEmbedded: true,
    server: undefined,
    listenServer: undefined,
    standbyServer: undefined,
    url: undefined,
    connection: {
      host: engine.socketFolder,
      port: 5432,
      username: 'postgres',
      database: 'postgres',
      // A query outside the running transaction would wait for the one connection for ever.
      extra: {
        max: 1,
        connectionTimeoutMillis: QUERY_TIMEOUT_MS,
        query_timeout: EMBEDDED_QUERY_TIMEOUT_MS,
        idleTimeoutMillis: 0,
      },
    },
    close: () => engine.close(),
  };
}
