import { hash } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import type pg from 'pg';

/** A statement that is written out. On a server it is prepared once a connection, under its name. */
export interface Statement {
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
  const statement = { name: `${kind} ${hash('sha256', text, 'hex').slice(0, 16)}`, text };
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

/** Runs single statements over the connections that TypeORM has. */
export class Statements implements StatementRunner {
  constructor(
    private readonly dataSource: DataSource,
    private readonly isEmbedded: boolean,
  ) {}

  async run<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const pool = (this.dataSource.driver as PostgresDriver).master as pg.Pool;
    return (await pool.query<Row>(queryOf(statement, values, this.isEmbedded))).rows;
  }
}

/** Runs statements in the transaction of a manager of TypeORM's. */
export function runnerOf(manager: EntityManager): StatementRunner {
  return {
    run: <Row extends object>({ text }: Statement, values: readonly unknown[]) =>
      manager.query<Row[]>(text, [...values]),
  };
}
