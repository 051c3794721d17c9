import { setTimeout as pause } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';

/**
 * For how long a change of the schema waits for a lock. Whoever comes behind it waits as well, and on the table of tokens
 * that is everybody: it rather gives up and comes again.
 */
const LOCK_TIMEOUT_MS = 500;
const MAX_ATTEMPTS = 100;
/** Between two attempts; long enough for all that had to wait. */
const REST_MS = 1_000;
/** What takes long here makes nobody wait: an index of a thousand million rows takes an hour or two. */
const MAX_STATEMENT_MS = 24 * 3_600_000;
const PORTION_ROWS = 20_000;

/** As much of the driver's connection as is used here. */
interface Connection {
  query(query: { text: string; query_timeout: number }): Promise<{ rows: object[]; rowCount: number | null }>;
}

/**
 * Does something in a transaction that waits half a second at most for each lock; where that is not enough it is undone,
 * and done again a moment later.
 *
 * @throws when a hundred attempts were not enough.
 */
export async function briefly(runner: QueryRunner, work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await runner.startTransaction();
    try {
      await runner.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await work();
      await runner.commitTransaction();
      return;
    } catch (error) {
      await runner.rollbackTransaction();
      if (!isLockTimeout(error) || attempt === MAX_ATTEMPTS) throw error;
    }
    await pause(REST_MS * (0.5 + Math.random()));
  }
}

/**
 * Changes the schema of tables that are large and in use, in steps that make nobody wait. For migrations with
 * `transaction = false`: one that was broken off is run again from its beginning, so each step leaves be what is done.
 */
export class OnlineSchema {
  private constructor(private readonly connection: Connection) {}

  /** Does the steps, which may take as long as they need. */
  static async change(runner: QueryRunner, steps: (schema: OnlineSchema) => Promise<void>): Promise<void> {
    const schema = new OnlineSchema((await runner.connect()) as Connection);
    const [before] = await schema.run<{ limit: string }>(
      `SELECT current_setting('statement_timeout') AS limit`,
    );
    await schema.run('SET statement_timeout = 0');
    try {
      await steps(schema);
    } finally {
      await schema.run(`SET statement_timeout = '${before?.limit ?? 0}'`);
    }
  }

  /** Runs one statement. It must take no lock that keeps others from reading or writing. */
  async run<Row extends object>(text: string): Promise<Row[]> {
    return (await this.connection.query({ text, query_timeout: MAX_STATEMENT_MS })).rows as Row[];
  }

  /**
   * Builds an index beside all that goes on, in as long as it takes and as soon as all transactions that were there before
   * have ended.
   *
   * @param definition what stands behind its name, `ON "tokens" ("name")`.
   */
  async createIndex(name: string, definition: string, kind: '' | 'UNIQUE ' = ''): Promise<void> {
    const [found] = await this.run<{ isValid: boolean }>(
      `SELECT indisvalid AS "isValid" FROM pg_index WHERE indexrelid = to_regclass('"${name}"')`,
    );
    if (found?.isValid) return;
    // What an attempt left that was broken off.
    if (found) await this.dropIndex(name);
    await this.run(`CREATE ${kind}INDEX CONCURRENTLY "${name}" ${definition}`);
  }

  async dropIndex(name: string): Promise<void> {
    await this.run(`DROP INDEX CONCURRENTLY IF EXISTS "${name}"`);
  }

  /**
   * Changes rows in portions of twenty thousand, each in a transaction of its own.
   *
   * @param change makes the statement of a portion, which has to leave out what is done; given how many rows it may change.
   */
  async inPortions(change: (rows: number) => string): Promise<void> {
    const isDone = async (): Promise<boolean> => {
      const text = change(PORTION_ROWS);
      const { rowCount } = await this.connection.query({ text, query_timeout: MAX_STATEMENT_MS });
      return (rowCount ?? 0) < PORTION_ROWS;
    };
    while (!(await isDone()));
  }
}

function isLockTimeout(error: unknown): boolean {
  const { code, driverError } = error as { code?: string; driverError?: { code?: string } };
  return (driverError?.code ?? code) === '55P03';
}
