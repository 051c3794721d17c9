import { hash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { NO_TRACING, type Step, type Tracing } from '../tracing.js';
import type { Database } from './database.js';
import { isDatabaseUnavailable } from './errors.js';
import { ignore, keepsStatements } from './postgres-server.js';

/** A statement that is written out. On a server it is prepared once a connection, under its name. */
export interface Statement {
  /** What it does, in a word or two: one of few. */
  kind: string;
  name: string;
  text: string;
}

/** Keeps a value of a statement, and gives what stands for it in the text: `$1`, `$2`, … */
export type Place = (value: unknown) => string;

/** The values of a statement that is being put together. */
export class Values {
  readonly list: unknown[] = [];
  readonly place: Place = (value) => `$${this.list.push(value)}`;
}

/** The same for a query builder of TypeORM's, which knows values by names. */
export class NamedValues {
  readonly parameters: Record<string, unknown> = {};
  private count = 0;

  /** @param prefix that no other value of the query has. */
  constructor(private readonly prefix: string) {}

  readonly place: Place = (value) => {
    const name = `${this.prefix}${(this.count += 1)}`;
    this.parameters[name] = value;
    return `:${name}`;
  };
}

/** A statement as a step of a trace: its kind, and nothing of its text. */
export function stepOf(kind: string): Step {
  return {
    name: kind,
    kind: 'client',
    attributes: { 'db.system.name': 'postgresql', 'db.query.summary': kind },
  };
}

const byText = new Map<string, Statement>();

/**
 * The statement of a text that is put together; there must be few of a kind, for each is kept.
 *
 * @param kind begins its name.
 */
export function statementOf(kind: string, text: string): Statement {
  const known = byText.get(text);
  if (known) return known;
  // The server tells names apart by their first 63 bytes.
  const statement = { kind, name: `${kind} ${hash('sha256', text, 'hex').slice(0, 16)}`, text };
  byText.set(text, statement);
  return statement;
}

/** Runs statements: inside a transaction, or each by itself. */
export interface StatementRunner {
  run<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
}

/** How many statements of each kind have been sent; TypeORM's are of one. */
export class StatementCounts {
  readonly byKind = new Map<string, number>();

  count(kind: string): void {
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + 1);
  }
}

/** Side by side; what comes meanwhile goes out together. */
const CONNECTIONS = 2;
/** More than this wait only where the database has stopped answering. */
const MAX_WAITING = 1_000;

interface Waiting {
  statement: Statement;
  values: readonly unknown[];
  resolve: (rows: object[]) => void;
  reject: (error: unknown) => void;
}

/**
 * Runs single, short statements. On a server they go over connections of their own, all that come in one turn of the event
 * loop at once: to send them one by one would cost more than to make their answers.
 */
export class Statements implements StatementRunner {
  private waiting: Waiting[] = [];
  private underWay = 0;
  private isScheduled = false;

  private constructor(
    private readonly pool: () => pg.Pool,
    private readonly isEmbedded: boolean,
    private readonly counts: StatementCounts,
    private readonly tracing: Tracing,
    /** To be called after the last write of the shutdown. */
    readonly close: () => Promise<void>,
  ) {}

  static of(
    { server, isEmbedded }: Database,
    dataSource: DataSource,
    counts: StatementCounts,
    tracing: Tracing = NO_TRACING,
  ): Statements {
    if (!server)
      return new Statements(
        () => poolOf(dataSource),
        isEmbedded,
        counts,
        tracing,
        async () => {},
      );
    const pool = server.pool({ application_name: 'patois-reads', max: CONNECTIONS, pipeline: true });
    return new Statements(
      () => pool,
      isEmbedded,
      counts,
      tracing,
      () => pool.end(),
    );
  }

  /** How many statements wait for a connection. */
  get waitingCount(): number {
    return this.waiting.length + (this.isEmbedded ? this.pool().waitingCount : 0);
  }

  async run<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    this.counts.count(statement.kind);
    return this.tracing.step(stepOf(statement.kind), async () => {
      if (!this.isEmbedded) return this.queued(statement, values) as Promise<Row[]>;
      // Without a name: the embedded engine keeps one session for all connections.
      return (await this.pool().query<Row>(statement.text, [...values])).rows;
    });
  }

  private queued(statement: Statement, values: readonly unknown[]): Promise<object[]> {
    if (this.waiting.length >= MAX_WAITING) {
      return Promise.reject(new Error('Query read timeout: too many wait for the database'));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ statement, values, resolve, reject });
      if (this.isScheduled) return;
      this.isScheduled = true;
      setImmediate(() => this.send());
    });
  }

  private send(): void {
    this.isScheduled = false;
    if (this.waiting.length === 0 || this.underWay >= CONNECTIONS) return;
    const asked = this.waiting.splice(0);
    this.underWay += 1;
    void this.answer(asked).finally(() => {
      this.underWay -= 1;
      this.send();
    });
  }

  private async answer(asked: Waiting[]): Promise<void> {
    let client: pg.PoolClient;
    try {
      client = await this.pool().connect();
    } catch (error) {
      // Who waits behind a database that does not answer would be told no sooner by asking it again.
      for (const { reject } of [...asked, ...this.waiting.splice(0)]) reject(error);
      return;
    }
    client.on('error', ignore);
    const isBroken = await answerAll(client, asked);
    client.release(isBroken);
    client.off('error', ignore);
  }
}

/**
 * Asks all over one connection.
 *
 * @returns whether the connection is of no more use.
 */
function answerAll(client: pg.PoolClient, asked: readonly Waiting[]): Promise<boolean> {
  return new Promise((resolveAll) => {
    let isBroken = false;
    let missing = asked.length;
    inOneWrite(client, () => {
      for (const { statement, values, resolve, reject } of asked) {
        sendNamed(client, statement, values, (error, rows) => {
          if (error) reject(error);
          else resolve(rows);
          isBroken ||= isDatabaseUnavailable(error);
          missing -= 1;
          if (missing === 0) resolveAll(isBroken);
        });
      }
    });
  });
}

/**
 * Sends a statement to a server, which prepares it under its name where that is kept. The driver calls back: what it copies and makes for a
 * promise would cost more than to send it.
 */
export function sendNamed(
  client: pg.ClientBase,
  { name, text }: Statement,
  values: readonly unknown[],
  callback: (error: Error | undefined, rows: object[]) => void,
): void {
  const query = new pg.Query(text, [...values], (error, result) => callback(error, result?.rows));
  client.query(keepsStatements(client) ? Object.assign(query, { name }) : query);
}

/** The connections that TypeORM has. */
export function poolOf(dataSource: DataSource): pg.Pool {
  return (dataSource.driver as PostgresDriver).master as pg.Pool;
}

/** Sends all that is asked over a connection in one piece. */
export function inOneWrite<Result>(client: pg.ClientBase, ask: () => Result): Result {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection;
  stream.cork();
  try {
    return ask();
  } finally {
    stream.uncork();
  }
}

/** Runs statements in the transaction of a manager of TypeORM's. */
export function runnerOf(manager: EntityManager): StatementRunner {
  return {
    run: <Row extends object>({ text }: Statement, values: readonly unknown[]) =>
      manager.query<Row[]>(text, [...values]),
  };
}
