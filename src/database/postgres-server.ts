import { Logger } from '@nestjs/common';
import pg from 'pg';
import { parsePostgresUrl, type PostgresHost } from '../network/postgres-url.js';
import { isDatabaseUnavailable } from './errors.js';

/** A server that is frozen rather than gone answers nothing: the client must give up by itself. */
const CONNECT_TIMEOUT_MS = 2_000;
const QUERY_TIMEOUT_MS = 10_000;
/** Of several servers each is asked at once; one that has not answered by then is none. */
const PROBE_TIMEOUT_MS = 400;
/** Once one of them is a successor, of those that could be a later one. */
const LATER_PROBE_TIMEOUT_MS = 100;

/** What the server ends by itself, as settings of a connection or, behind a pooler, of one transaction. */
const TIME_LIMITS = {
  statement_timeout: String(QUERY_TIMEOUT_MS),
  idle_in_transaction_session_timeout: String(QUERY_TIMEOUT_MS),
};
/** To compile a statement takes the server longer than any here runs. */
const WITHOUT_COMPILER = { jit: 'off' };
const BEGIN_WITH_LIMITS = [
  'BEGIN',
  ...Object.entries(TIME_LIMITS).map(([name, value]) => `SET LOCAL ${name} = ${value}`),
].join('; ');

/** What a connection is for, and how long it is waited for. */
export interface ConnectionOptions extends pg.ClientConfig {
  application_name?: string;
  /** How many a pool has at most. */
  max?: number;
}

/** Which of the servers of a database is meant. */
export type ServerRole = 'primary' | 'standby';

/** What answers is not the primary, or nothing that could be it. */
export class NoPrimaryError extends Error {
  /** What a server says that cannot be written to: `read_only_sql_transaction`. */
  readonly code = '25006';
}

/** A change stands on the server, which was told not to wait until its standby has it: a failover may lose it. */
export class UnreplicatedCommitError extends Error {
  /** `transaction_resolution_unknown`. */
  readonly code = '08007';

  constructor() {
    super('The database did not wait for its standby, which may not have what was committed');
  }
}

/** Where PostgreSQL warns of that, in whatever language; it says `COMMIT` all the same. */
const STANDBY_WAIT = 'SyncRepWaitForLSN';

/** What a server says of itself. */
interface Introduction {
  pid: number;
  isReadOnly: boolean;
  hasTimeLimit: boolean;
}

/** What is known of the servers of one database, by whatever address they are reached. */
export class Cluster {
  private readonly logger = new Logger('PostgresServer');
  private readonly connected = new Set<ServerClient>();
  /** The newest that was seen; 0 while none was. */
  private timeline = 0;

  /**
   * Lets a connection in, and breaks all to former primaries once it leads to a later one.
   *
   * @throws where it leads to a former primary itself.
   */
  admit(client: ServerClient): void {
    if (client.timeline < this.timeline) {
      throw new NoPrimaryError(
        `The server of the database is a former primary (timeline ${client.timeline}, not ${this.timeline})`,
      );
    }
    this.connected.add(client);
    client.once('end', () => this.connected.delete(client));
    if (client.timeline > this.timeline) this.follow(client.timeline);
  }

  /** Whether a primary on this timeline is the successor of one that was seen. */
  isLater(timeline: number): boolean {
    return this.timeline > 0 && timeline > this.timeline;
  }

  /** The primary is another: what is still connected to the one before must not be asked again. */
  private follow(timeline: number): void {
    const isSuccessor = this.isLater(timeline);
    this.timeline = timeline;
    if (isSuccessor) this.logger.warn(`The database has a new primary (timeline ${timeline})`);
    for (const client of this.connected) if (client.timeline < timeline) client.break();
  }
}

/**
 * A PostgreSQL server, or several of which one is the primary, as `DATABASE_URL` names them: makes connections, each of
 * which asks first what it is connected to. One that cannot be written to is no primary, and one that is on an older
 * timeline than another that was seen is a former one: neither is believed, and connections to a former primary are broken
 * as soon as its successor is seen. Where a standby is meant, any that answers will do, and whoever reads there asks more.
 */
export class PostgresServer {
  /** Of the connections of TypeORM's pool, which bounds the wait for a turn and the connect by one setting. */
  readonly PatientClient: typeof pg.Client;
  private readonly logger = new Logger(PostgresServer.name);
  private readonly url: string;
  private readonly hosts: readonly PostgresHost[];
  /** Which of several is meant, as far as is known. */
  private found: PostgresHost | undefined;
  private finding: Promise<PostgresHost> | undefined;
  private hasWarned = false;

  /** @param text `postgres://user:password@host:port[,host:port…]/database`. */
  constructor(
    text: string,
    private readonly cluster = new Cluster(),
    private readonly role: ServerRole = 'primary',
  ) {
    const address = parsePostgresUrl(text);
    if (!address) throw new Error('The address of the database is not one of PostgreSQL');
    this.url = address.url;
    this.hosts = address.hosts;
    this.PatientClient = clientClass(this, { connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  }

  /** Connections that are kept. One that breaks while it is idle is replaced at its next use. */
  pool(options: ConnectionOptions): pg.Pool {
    const pool = new pg.Pool({
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
      ...options,
      connectionString: this.url,
      Client: clientClass(this),
    });
    pool.on('error', ignore);
    return pool;
  }

  /** One connection, to be connected. */
  client(options: ConnectionOptions): ServerClient {
    return new ServerClient(this, {
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      ...options,
      connectionString: this.url,
    });
  }

  /** What TypeORM connects with. */
  get connectionString(): string {
    return this.url;
  }

  /** Where the next connection goes; undefined where the address says it. */
  place(): Promise<PostgresHost> | PostgresHost | undefined {
    if (this.hosts.length === 0) return undefined;
    return this.found ?? (this.finding ??= this.find().finally(() => (this.finding = undefined)));
  }

  /** A connection to a server could not be made, or has broken: of several another may be meant now. */
  suspect(host: PostgresHost | undefined): void {
    // Those to a former primary break when its successor is known already.
    if (host === this.found) this.found = undefined;
  }

  /**
   * Asks what a new connection leads to, and gives it its settings.
   *
   * @throws where that is no primary, but one is needed.
   */
  async admit(client: ServerClient): Promise<void> {
    const { pid, isReadOnly, hasTimeLimit } = await this.introduce(client);
    client.isDirect = pid === client.processID;
    if (this.role === 'standby') return;
    if (!client.isDirect && !hasTimeLimit) this.warnOfPooler();
    if (isReadOnly) throw new NoPrimaryError('The server of the database cannot be written to');
    client.timeline = await timelineOf(client);
    this.cluster.admit(client);
  }

  private async introduce(client: ServerClient): Promise<Introduction> {
    // Behind a pooler the settings of a connection would be those of whoever has it next.
    const named = new URL(this.url).searchParams;
    const settings = Object.entries(
      named.has('options') ? TIME_LIMITS : { ...TIME_LIMITS, ...WITHOUT_COMPILER },
    )
      .filter(([name]) => !named.has(name))
      .map(([name, value]) => `set_config('${name}', '${value}', false)`);
    const isDirect = `pg_backend_pid() = ${Number(client.processID)}`;
    const { rows } = await client.query<Introduction>({
      text: `SELECT pg_backend_pid() AS pid, current_setting('transaction_read_only') = 'on' AS "isReadOnly",
        current_setting('statement_timeout') <> '0' AS "hasTimeLimit",
        CASE WHEN ${isDirect} THEN ARRAY[${settings.join(', ')}]::text[] END`,
      query_timeout: CONNECT_TIMEOUT_MS,
    } as pg.QueryConfig);
    return rows[0] as Introduction;
  }

  private warnOfPooler(): void {
    if (this.hasWarned) return;
    this.hasWarned = true;
    this.logger.warn(
      'A pooler stands before the database, so that reads have no time limit of the server: ' +
        "ALTER ROLE … SET statement_timeout = '10s' sets one (docs/cluster.md)",
    );
  }

  /** Asks all at once which is meant; of several that say they are the primary it is the one on the newest timeline. */
  private async find(): Promise<PostgresHost> {
    const found = this.hosts.map(() => -1);
    const probes = this.hosts.map(async (host, index) => (found[index] = await this.probe(host)));
    await Promise.race([Promise.all(probes), this.successorAmong(probes)]);
    const best = Math.max(...found);
    const host = this.hosts[found.indexOf(best)];
    if (best < 0 || !host)
      throw new NoPrimaryError(`None of the servers of the database is the ${this.role}`);
    this.found = host;
    return host;
  }

  /** A while after one has answered that is on a later timeline than was ever seen: a frozen one is not waited for. */
  private successorAmong(probes: readonly Promise<number>[]): Promise<void> {
    return new Promise((resolve) => {
      const onAnswer = (timeline: number): void => {
        if (this.cluster.isLater(timeline)) setTimeout(resolve, LATER_PROBE_TIMEOUT_MS);
      };
      for (const probe of probes) void probe.then(onAnswer);
    });
  }

  /** @returns the timeline of a primary that is meant, 0 for a standby; -1 for what is not meant, or does not answer. */
  private async probe(host: PostgresHost): Promise<number> {
    const client = new pg.Client({
      connectionString: this.url,
      connectionTimeoutMillis: PROBE_TIMEOUT_MS,
      query_timeout: PROBE_TIMEOUT_MS,
      application_name: 'patois-probe',
    });
    client.on('error', ignore);
    goTo(client, host);
    try {
      await client.connect();
      const { rows } = await client.query<{ isReadOnly: boolean; isStandby: boolean }>(
        `SELECT current_setting('transaction_read_only') = 'on' AS "isReadOnly", pg_is_in_recovery() AS "isStandby"`,
      );
      if (this.role === 'standby') return rows[0]?.isStandby === true ? 0 : -1;
      return rows[0]?.isReadOnly === false ? await timelineOf(client) : -1;
    } catch {
      return -1;
    } finally {
      void client.end().catch(ignore);
    }
  }
}

/** A connection to a server, which knows what it leads to. */
export class ServerClient extends pg.Client {
  /** Whether it is the server's own, and stays one and the same session; false behind a pooler. */
  isDirect = false;
  timeline = 0;
  declare readonly processID: number | null;
  /** Which of several servers it goes to. */
  private place: PostgresHost | undefined;

  constructor(
    private readonly server: PostgresServer,
    config: pg.ClientConfig,
  ) {
    super(config);
    // One that the server ends as it begins may say so before whoever asked for it can listen.
    this.on('error', () => server.suspect(this.place));
    this.on('notice', ({ routine }) => {
      if (routine === STANDBY_WAIT) this.fail(new UnreplicatedCommitError());
    });
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: ((error: Error) => void) | ((error: null, client: pg.Client) => void)): void;
  override connect(
    callback?: ((error: Error) => void) | ((error: null, client: pg.Client) => void),
  ): Promise<pg.Client> | void {
    const connected = this.connectAndAsk();
    if (!callback) return connected;
    const call = callback as (error: Error | null, client?: pg.Client) => void;
    connected.then(
      () => call(null, this),
      (error: Error) => call(error),
    );
  }

  /** Breaks it before what follows in the same bytes is read: who is waiting for an answer is told the error instead. */
  private fail(error: Error): void {
    (this as unknown as { connection: NodeJS.EventEmitter }).connection.emit('error', error);
    this.break();
  }

  /** Breaks it without a word to the server: who is waiting for an answer is told so. */
  break(): void {
    (this as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }

  private async connectAndAsk(): Promise<pg.Client> {
    try {
      this.place = await this.server.place();
      if (this.place) goTo(this, this.place);
      await super.connect();
      await this.server.admit(this);
      return this;
    } catch (error) {
      this.server.suspect(this.place);
      this.break();
      throw error;
    }
  }
}

/** The class of connections to one server, as pools want it. */
function clientClass(server: PostgresServer, fixed: pg.ClientConfig = {}): typeof pg.Client {
  return class extends ServerClient {
    constructor(config: pg.ClientConfig) {
      super(server, { ...config, ...fixed });
    }
  } as unknown as typeof pg.Client;
}

/** Whether statements that are prepared over a connection are there when it is used again: not behind a pooler. */
export function keepsStatements(client: pg.ClientBase): boolean {
  return client instanceof ServerClient && client.isDirect;
}

/** What begins a transaction: behind a pooler with the time limits that the connection has no settings for. */
export function beginOf(client: pg.ClientBase): string {
  return client instanceof ServerClient && !client.isDirect ? BEGIN_WITH_LIMITS : 'BEGIN';
}

/** A connection that breaks fails what is asked over it; its event says no more. */
export function ignore(): void {}

function goTo(client: pg.Client, { host, port }: PostgresHost): void {
  Object.assign(client, { host, port });
}

/**
 * Which life of the cluster a primary is in: each promotion begins a new one.
 *
 * @returns 0 where a server does not tell.
 */
async function timelineOf(client: pg.Client): Promise<number> {
  try {
    const { rows } = await client.query<{ file: string }>(
      'SELECT pg_walfile_name(pg_current_wal_lsn()) AS file',
    );
    return Number.parseInt(rows[0]?.file.slice(0, 8) ?? '0', 16);
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error;
    return 0;
  }
}
