import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { createDataSource } from '../../src/data-source.js';
import { briefly, OnlineSchema } from '../../migrations/online.js';
import type { Database } from '../../src/database/database.js';
import { migrateAlone } from '../../src/database/migrate.js';
import { hindrancesOf } from '../support/migration-locks.js';
import { databaseAt, reachedAt } from '../support/pooler.js';
import { hasServer, makeEmptyDatabase, openEmptyInMemory } from '../support/store.js';
import { until } from '../support/until.js';

/**
 * Migrations that were released before this rule was, and what they do to a store that is full. A new one is not added: it is
 * to be written otherwise (docs/upgrading.md).
 */
const RELEASED_BEFORE = [
  // Part of 0.1.0, whose first start makes all of it in an empty store.
  'IndexTokenNames1795300000003',
  // From 0.1.0 to 0.2: copies the last uses of all tokens, 5 s for a million, and only then locks the tokens to drop their
  // columns. 0.1.0 cannot go on beside it.
  'LastUses1795300000012',
];

let database: Database;
let dataSource: DataSource;

async function openEmpty(): Promise<void> {
  const empty = await makeEmptyDatabase();
  database = empty ? { ...databaseAt(reachedAt(empty.url)), close: empty.drop } : await openEmptyInMemory();
  dataSource = createDataSource(database);
  await dataSource.initialize();
}

async function close(): Promise<void> {
  await dataSource.destroy();
  await database.close();
}

describe('each migration, in a store that is in use', () => {
  beforeAll(openEmpty);
  afterAll(close);

  test('makes nobody wait for as long as rows are many, but for those that are known to', async () => {
    const found: Record<string, string[]> = {};
    for (const migration of dataSource.migrations) {
      const hindrances = await hindrancesOf(migration, dataSource);
      if (hindrances.length > 0) found[migration.constructor.name] = hindrances;
    }
    const known = Object.fromEntries(RELEASED_BEFORE.map((name) => [name, found[name]]));
    expect(found).toEqual(known);
    // An exception that is none any more is to be deleted.
    expect(Object.values(known).every((hindrances) => hindrances !== undefined)).toBe(true);
  });

  const of = (...statements: string[]): MigrationInterface => ({
    up: async (runner: QueryRunner) => {
      for (const statement of statements) await runner.query(statement);
    },
    down: async () => {},
  });

  test.each([
    ['an index', 'tokens locked', `CREATE INDEX x1 ON tokens (description)`],
    [
      'a volatile default',
      'tokens locked',
      `ALTER TABLE tokens ADD x2 uuid NOT NULL DEFAULT gen_random_uuid()`,
    ],
    ['another type', 'tokens locked', `ALTER TABLE tokens ALTER numeric_id TYPE bigint`],
    ['a check', 'users locked', `ALTER TABLE users ADD CHECK (role <> '')`],
    [
      'a reference',
      'tokens, users locked',
      `ALTER TABLE tokens ADD CONSTRAINT x3 FOREIGN KEY (owner_id) REFERENCES users (id)`,
    ],
    [
      'a unique constraint',
      'audit_events locked',
      `ALTER TABLE audit_events ADD CONSTRAINT x4 UNIQUE (id, time)`,
    ],
    ['all rows changed', 'all rows of tokens', `UPDATE tokens SET description = name`],
    [
      'all rows copied',
      'all rows of known_networks',
      `INSERT INTO known_networks (token_uuid, networks) SELECT gen_random_uuid(), '{}' FROM tokens`,
    ],
    ['all rows deleted', 'all rows of sessions', `DELETE FROM sessions WHERE provider IS NULL`],
  ])('%s is found', async (_, found, statement) => {
    expect(await hindrancesOf(of(statement), dataSource)).toEqual([expect.stringContaining(found)]);
  });

  test('a constraint that is validated in the transaction that adds it is found, in one of its own it is not', async () => {
    const add = `ALTER TABLE users ADD CONSTRAINT x5 CHECK (login <> '') NOT VALID`;
    const validate = `ALTER TABLE users VALIDATE CONSTRAINT x5`;
    expect(await hindrancesOf(of(add, validate), dataSource)).toEqual([
      expect.stringContaining('users locked'),
    ]);
    await dataSource.query('ALTER TABLE users DROP CONSTRAINT x5');
    const apart = { ...of(add, validate), transaction: false };
    expect(await hindrancesOf(apart, dataSource)).toEqual([]);
  });

  test.each([
    ['a column', `ALTER TABLE tokens ADD y1 integer NOT NULL DEFAULT 0`],
    ['a table that refers to users', `CREATE TABLE y2 (user_id uuid REFERENCES users (id))`],
    ['the end of an index', `DROP INDEX tokens_created`],
    ['a default', `ALTER TABLE users ALTER name SET DEFAULT ''`],
  ])('%s makes nobody wait', async (_, statement) => {
    expect(await hindrancesOf(of(statement), dataSource)).toEqual([]);
  });
});

describe('a change of the schema of tables in use', () => {
  let runner: QueryRunner;
  beforeAll(async () => {
    await openEmpty();
    await dataSource.query('CREATE TABLE things (id integer NOT NULL, name text, slot integer)');
    await dataSource.query(
      `INSERT INTO things (id, name) SELECT n, 'thing ' || n FROM generate_series(1, 45000) n`,
    );
    runner = dataSource.createQueryRunner();
  });
  afterAll(async () => {
    await runner.release();
    await close();
  });

  const isValid = async (name: string): Promise<boolean | undefined> => {
    const rows = (await runner.query('SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)', [
      name,
    ])) as {
      indisvalid: boolean;
    }[];
    return rows[0]?.indisvalid;
  };

  test('an index that was broken off is made anew, and one that is there is left alone', async () => {
    const timeout: unknown = await runner.query('SHOW statement_timeout');
    await runner.query(`INSERT INTO things (id) VALUES (1)`);
    const make = (): Promise<void> =>
      OnlineSchema.change(runner, (schema) => schema.createIndex('things_id', 'ON things (id)', 'UNIQUE '));
    await expect(make()).rejects.toThrow(/duplicate|could not create unique index/);
    expect(await isValid('things_id')).toBe(false);
    await runner.query(`DELETE FROM things WHERE name IS NULL`);
    await make();
    expect(await isValid('things_id')).toBe(true);
    await make();
    expect(await runner.query('SHOW statement_timeout')).toEqual(timeout);
  });

  test('rows are changed in portions until none is left', async () => {
    const portions: number[] = [];
    await OnlineSchema.change(runner, (schema) =>
      schema.inPortions((rows) => {
        portions.push(rows);
        return `UPDATE things SET slot = id WHERE ctid = ANY (ARRAY(SELECT ctid FROM things WHERE slot IS NULL LIMIT ${rows}))`;
      }),
    );
    expect(portions.length).toBe(3);
    expect(await runner.query('SELECT count(*)::int AS left FROM things WHERE slot IS NULL')).toEqual([
      { left: 0 },
    ]);
  });

  if (hasServer) {
    test('one that has to wait for a lock lets others pass, and is done when the lock is to be had', async () => {
      const [holder, other] = [dataSource.createQueryRunner(), dataSource.createQueryRunner()];
      await holder.startTransaction();
      await holder.query('SELECT FROM things LIMIT 1');
      let isDone = false;
      const change = briefly(runner, () => runner.query('ALTER TABLE things ADD later text')).then(
        () => (isDone = true),
      );
      const waits: number[] = [];
      for (const endsAt = Date.now() + 3_000; Date.now() < endsAt;) {
        const beganAt = Date.now();
        await other.query('SELECT FROM things LIMIT 1');
        waits.push(Date.now() - beganAt);
      }
      expect(isDone).toBe(false);
      // Some met an attempt, and none waited for more than that.
      expect(Math.max(...waits)).toBeGreaterThan(100);
      expect(Math.max(...waits)).toBeLessThan(2_000);
      await holder.commitTransaction();
      await change;
      await other.query('SELECT later FROM things LIMIT 1');
      await holder.release();
      await other.release();
    });

    test('an index is built although another replica waits for the end of the migrations', async () => {
      const waiting = await createDataSource(database).initialize();
      let waits: Promise<boolean> = Promise.resolve(false);
      let isBuilt = false;
      await migrateAlone(dataSource, false, async () => {
        waits = migrateAlone(waiting, false, async () => isBuilt);
        await until(async () => {
          const rows: object[] = await dataSource.query(
            `SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_try_advisory%'`,
          );
          return rows.length > 1;
        });
        await OnlineSchema.change(runner, (schema) => schema.createIndex('things_name', 'ON things (name)'));
        isBuilt = true;
      });
      expect(await waits).toBe(true);
      await waiting.destroy();
    });

    test('an error that is no matter of locks ends it, and undoes what it did', async () => {
      const failing = briefly(runner, async () => {
        await runner.query('CREATE TABLE undone ()');
        await runner.query('SELECT 1 / 0');
      });
      await expect(failing).rejects.toThrow(/division by zero/);
      expect(await runner.hasTable('undone')).toBe(false);
    });
  }
});
