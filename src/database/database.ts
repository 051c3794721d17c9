import pg from 'pg';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import type { Config } from '../config.js';
import type { EmbeddedPostgres } from './embedded.js';

/** A store that can be connected to: a PostgreSQL server, or the engine inside this process. */
export interface Database {
  /** One connection, one session for all: no named statements, no parallel connections, no LISTEN. */
  isEmbedded: boolean;
  /** Of a server; undefined for the embedded engine. */
  url: string | undefined;
  connection: Partial<PostgresDataSourceOptions>;
  close(): Promise<void>;
}

const CONNECTIONS = 12;
/** A server that is frozen rather than gone answers nothing: the client must give up by itself. */
const CONNECT_TIMEOUT_MS = 2_000;
/** How long a read waits for one of the connections; the driver has one setting for both. */
const TURN_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 10_000;

/** What every connection to a server is limited by. */
export const CONNECTION = {
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  query_timeout: QUERY_TIMEOUT_MS,
  statement_timeout: QUERY_TIMEOUT_MS,
  idle_in_transaction_session_timeout: QUERY_TIMEOUT_MS,
  keepAlive: true,
  // To compile a statement takes the server longer than any here runs. Options in the URL stand instead of these.
  options: '-c jit=off',
};

/** The driver's pool bounds the wait for a turn and the connect by one setting: this has the connect's own. */
class PatientlyPooledClient extends pg.Client {
  constructor(config: pg.ClientConfig) {
    super({ ...config, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    // One that the server ends as it begins may say so before whoever asked for it can listen.
    this.on('error', () => {});
  }
}
/** Statements wait for each other there; one that never ends must not hold up all that come after it. */
const EMBEDDED_QUERY_TIMEOUT_MS = 60_000;

/** Opens the store that the settings name. */
export async function openDatabase(config: Config): Promise<Database> {
  if (config.databaseUrl) return postgresServer(config.databaseUrl);
  // Loaded only where it is used: it is as large as everything else.
  const { EmbeddedPostgres } = await import('./embedded.js');
  return embedded(await EmbeddedPostgres.open(config.dataDir));
}

/** A PostgreSQL server, `postgres://user:password@host:port/database`. */
export function postgresServer(url: string): Database {
  return {
    isEmbedded: false,
    url,
    connection: {
      url,
      applicationName: 'patois',
      extra: {
        ...CONNECTION,
        max: CONNECTIONS,
        connectionTimeoutMillis: TURN_TIMEOUT_MS,
        Client: PatientlyPooledClient,
      },
    },
    close: async () => {},
  };
}

/** The engine inside this process, over its one connection. */
export function embedded(engine: EmbeddedPostgres): Database {
  return {
    isEmbedded: true,
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

const UNAVAILABLE_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  '53300', // too many connections
  '57014', // statement timeout
  '57P01', // admin shutdown
  '57P02', // crash shutdown
  '57P03', // cannot connect now
  '25P03', // idle in transaction timeout
  '08000',
  '08003',
  '08006',
]);

/** Whether an error says that the database cannot answer now, rather than that the query was wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, driverError } = error as Error & { code?: string; driverError?: unknown };
  if (code !== undefined && UNAVAILABLE_CODES.has(code)) return true;
  if (driverError && driverError !== error) return isDatabaseUnavailable(driverError);
  return /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error)/.test(
    error.message,
  );
}

/** Whether an error says that the database took too long, be it as it says itself or as the driver does. */
export function isTimeout(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as Error & { code?: string }).code === '57014' || error.message === 'Query read timeout';
}

/** The name of the unique index or constraint that a write ran into; undefined for every other error. */
export function violatedUniqueIndex(error: unknown): string | undefined {
  interface Violation {
    code?: string;
    constraint?: string;
    driverError?: Violation;
  }
  // TypeORM wraps what the driver throws.
  const { code, constraint } = (error as Violation).driverError ?? (error as Violation);
  return code === '23505' ? constraint : undefined;
}
