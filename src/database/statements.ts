import { hash } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import type pg from 'pg';

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

/** What the driver is asked: without a name on the embedded engine, which keeps one session for all connections. */
export function queryOf(
  { name, text }: Statement,
  values: readonly unknown[],
  isEmbedded: boolean,
): pg.QueryConfig {
  return isEmbedded ? { text, values: [...values] } : { name, text, values: [...values] };
}

/** How many statements of each kind have been sent; TypeORM's are of one. */
export class StatementCounts {
  readonly byKind = new Map<string, number>();

  count(kind: string): void {
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + 1);
  }
}

/** Runs single statements over the connections that TypeORM has. */
export class Statements implements StatementRunner {
  constructor(
    private readonly dataSource: DataSource,
    private readonly isEmbedded: boolean,
    private readonly counts: StatementCounts,
  ) {}

  /** How many callers wait for a connection. */
  get waiting(): number {
    return this.pool.waitingCount;
  }

  private get pool(): pg.Pool {
    return (this.dataSource.driver as PostgresDriver).master as pg.Pool;
  }

  async run<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    this.counts.count(statement.kind);
    return (await this.pool.query<Row>(queryOf(statement, values, this.isEmbedded))).rows;
  }
}

/** Runs statements in the transaction of a manager of TypeORM's. */
export function runnerOf(manager: EntityManager): StatementRunner {
  return {
    run: <Row extends object>({ text }: Statement, values: readonly unknown[]) =>
      manager.query<Row[]>(text, [...values]),
  };
}
