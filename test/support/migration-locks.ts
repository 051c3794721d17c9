import { randomBytes } from 'node:crypto';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';

/** What has a row for each token, user, event or request, and is read or written all the time. */
const LARGE = [
  'tokens',
  'users',
  'last_uses',
  'audit_events',
  'sessions',
  'retired_values',
  'idempotency_records',
  'imported_values',
  'known_networks',
  'notice_deliveries',
];

/** Locks that keep others from writing; the last one from reading too. */
const STRONG = ['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'];

/** Changes rows in portions, or builds without a lock that others wait for. */
const IN_PORTIONS = /\bLIMIT \d+/;
const CONCURRENTLY = /^\s*(CREATE (UNIQUE )?|DROP |RE)INDEX CONCURRENTLY\b/i;
const OF_THE_SESSION = /^\s*(SET|RESET|SHOW)\b/i;
const BEGINS = /^\s*(BEGIN|START TRANSACTION)\b/i;
const ENDS = /^\s*COMMIT\b/i;
const UNDOES = /^\s*ROLLBACK\b/i;

interface Connection {
  query(query: string | { text: string }, values?: unknown[]): Promise<{ rows: object[] }>;
}

interface Table {
  name: string;
  /** Of the file that holds its rows: another one once they were all written anew. */
  file: number;
  reads: number;
  changes: number;
  locks: string[] | null;
}

/**
 * Runs a migration in a store whose large tables have a row each, and looks at each of its transactions before it commits.
 *
 * @returns what would make others wait for as long as the rows are many.
 */
export async function hindrancesOf(migration: MigrationInterface, dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  const connection = (await runner.connect()) as Connection;
  await fillTables(runner);
  const watched = new WatchedConnection(connection);
  connection.query = (query, values) => watched.query(query, values);
  try {
    if (migration.transaction !== false) await runner.startTransaction();
    await migration.up(runner);
    if (migration.transaction !== false) await runner.commitTransaction();
    return watched.hindrances;
  } finally {
    // The connection's own again.
    Reflect.deleteProperty(connection, 'query');
    if (runner.isTransactionActive) await runner.rollbackTransaction();
    await runner.release();
  }
}

/** Sees where transactions begin and end; a statement outside of one is a transaction. */
class WatchedConnection {
  readonly hindrances: string[] = [];
  private readonly send: Connection['query'];
  private before: Table[] | undefined;
  private statements: string[] = [];

  constructor(connection: Connection) {
    this.send = connection.query.bind(connection);
  }

  async query(query: string | { text: string }, values?: unknown[]): Promise<{ rows: object[] }> {
    const text = typeof query === 'string' ? query : query.text;
    const run = (): Promise<{ rows: object[] }> => this.send(query, values);
    if (BEGINS.test(text)) {
      const begun = await run();
      await this.begin();
      return begun;
    }
    if (ENDS.test(text)) await this.end();
    if (ENDS.test(text) || UNDOES.test(text)) {
      this.before = undefined;
      return run();
    }
    this.statements.push(text);
    if (this.before || CONCURRENTLY.test(text) || OF_THE_SESSION.test(text)) return run();
    await this.send('BEGIN');
    await this.begin();
    this.statements.push(text);
    const result = await run();
    await this.end();
    this.before = undefined;
    await this.send('COMMIT');
    return result;
  }

  private async begin(): Promise<void> {
    this.statements = [];
    this.before = await this.tables();
  }

  private async end(): Promise<void> {
    const tables = (await this.tables()).flatMap((now) => {
      const before = this.before?.find(({ name }) => name === now.name);
      // One that was made in this transaction is empty for all others.
      return before ? [{ now, before }] : [];
    });
    const locked = tables.filter(({ now }) => now.locks?.some((lock) => STRONG.includes(lock)));
    const looked = tables.filter(({ now, before }) => now.file !== before.file || now.reads > before.reads);
    const changed = tables.filter(({ now, before }) => now.changes > before.changes);
    const names = (list: typeof tables): string => list.map(({ now }) => now.name).join(', ');
    if (locked.length > 0 && looked.length + changed.length > 0) {
      this.hindrances.push(
        `${names(locked)} locked while ${names([...new Set([...looked, ...changed])])} is gone through`,
      );
    } else if (
      changed.length > 0 &&
      !this.statements.every((text) => IN_PORTIONS.test(text) || OF_THE_SESSION.test(text))
    ) {
      this.hindrances.push(`all rows of ${names(changed)} changed in one transaction`);
    }
  }

  private async tables(): Promise<Table[]> {
    const names = LARGE.map((name) => `'${name}'`).join(', ');
    const { rows } = await this.send(`
      SELECT c.relname AS name, pg_relation_filenode(c.oid)::int AS file,
        (pg_stat_get_xact_numscans(c.oid) + pg_stat_get_xact_tuples_returned(c.oid))::int AS reads,
        (pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid)
          + pg_stat_get_xact_tuples_deleted(c.oid))::int AS changes,
        (SELECT array_agg(mode) FROM pg_locks WHERE relation = c.oid AND pid = pg_backend_pid() AND granted) AS locks
      FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname IN (${names})`);
    return rows as Table[];
  }
}

/** The same everywhere, so that every reference finds what it names. */
const ID = '00000000-0000-4000-8000-000000000001';

/** Gives each table that has none a row, whatever columns it has by now. */
async function fillTables(runner: QueryRunner): Promise<void> {
  for (const table of ['organizations', ...LARGE]) {
    if (!(await runner.hasTable(table))) continue;
    const columns = (await runner.query(
      `SELECT column_name AS name, data_type AS type FROM information_schema.columns
       WHERE table_schema = current_schema() AND table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL`,
      [table],
    )) as { name: string; type: string }[];
    const names = columns.map(({ name }) => `"${name}"`).join(', ');
    const values = columns.map(({ type }) => valueOf(type)).join(', ');
    await runner.query(
      `INSERT INTO "${table}" (${names}) SELECT ${values} WHERE NOT EXISTS (SELECT FROM "${table}")`,
    );
  }
}

function valueOf(type: string): string {
  switch (type) {
    case 'uuid':
      return `'${ID}'::uuid`;
    case 'ARRAY':
      return `'{}'`;
    case 'jsonb':
      return `'{}'::jsonb`;
    case 'boolean':
      return 'false';
    case 'integer':
    case 'bigint':
      return '0';
    case 'bytea':
      return `'\\x00'::bytea`;
    case 'text':
      return `'${randomBytes(6).toString('hex')}'`;
    default:
      return 'now()';
  }
}
