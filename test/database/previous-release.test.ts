import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import type { Database } from '../../src/database/database.js';
import { openTestStore } from '../support/store.js';

/** What `npm run record-statements` wrote down of a release. */
interface Release {
  version: string;
  statements: { text: string; parameters: string }[];
  schema: Record<string, Table>;
}

interface Table {
  /** Their types, with "!" behind those that a row must give a value for. */
  columns: Record<string, string>;
  /** What rows have to keep. */
  rules: string[];
}

/**
 * Rules that came later, for which it was looked at what the previous release writes: `table: rule`, with the reason why it
 * keeps them.
 */
const KEPT_ALREADY: string[] = [
  // The earlier release knows no such column, and leaves it empty.
  'users: UNIQUE  USING btree (organization_id, external_id) WHERE ((external_id IS NOT NULL) AND (deleted_at IS NULL))',
];

const folder = 'test/database';
const [newest = ''] = readdirSync(folder)
  .filter((name) => /^release-.*\.json$/.test(name))
  .sort((one, other) => other.localeCompare(one, 'en', { numeric: true }));
const release = JSON.parse(readFileSync(`${folder}/${newest}`, 'utf8')) as Release;

let database: Database;
let client: pg.Client;
beforeAll(async () => {
  database = await openTestStore();
  const { host, port, username } = database.connection as Record<string, string>;
  client = new pg.Client(
    database.url === undefined
      ? { host, port: Number(port), user: username, database: 'postgres' }
      : { connectionString: database.url },
  );
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.close();
});

/**
 * Has the database plan a statement, as it does for a replica of the previous release that runs beside this version.
 *
 * @returns the types of its parameters.
 * @throws when it names what is not there any more, also a unique index that `ON CONFLICT` goes by.
 */
async function parametersOf(text: string): Promise<string> {
  await client.query(`PREPARE previous AS ${text}`);
  try {
    const { rows } = await client.query<{ types: string; count: number }>(
      `SELECT array_to_string(parameter_types, ', ') AS types, cardinality(parameter_types) AS count
       FROM pg_prepared_statements WHERE name = 'previous'`,
    );
    const [{ types, count } = { types: '', count: 0 }] = rows;
    const values = count > 0 ? `(${Array.from({ length: count }, () => 'NULL').join(', ')})` : '';
    await client.query(`EXPLAIN EXECUTE previous${values}`);
    return types;
  } finally {
    await client.query('DEALLOCATE previous');
  }
}

async function schemaNow(): Promise<Release['schema']> {
  const text = readFileSync(`${folder}/schema.sql`, 'utf8');
  const { rows } = await client.query<{ schema: Release['schema'] }>(text);
  return rows[0]?.schema ?? {};
}

/** What a replica of the previous release can no longer do with the tables that it knows. */
function brokenBy(now: Release['schema']): string[] {
  return Object.entries(release.schema).flatMap(([name, { columns, rules }]) => {
    const table = now[name];
    if (!table) return [`${name} is gone`];
    const changed = Object.entries(columns)
      .filter(([column, type]) => ![type, type.replace(' !', '')].includes(table.columns[column] ?? ''))
      .map(([column, type]) => `${name}.${column} was ${type}, and is ${table.columns[column] ?? 'gone'}`);
    const required = Object.entries(table.columns)
      .filter(([column, type]) => !(column in columns) && type.endsWith('!'))
      .map(([column]) => `${name}.${column} is new, and nobody gives it a value`);
    const stricter = table.rules
      .filter((rule) => !rules.includes(rule) && !KEPT_ALREADY.includes(`${name}: ${rule}`))
      .map((rule) => `${name} has to keep: ${rule}`);
    return [...changed, ...required, ...stricter];
  });
}

describe(`a replica of ${release.version} on the schema of this version`, () => {
  test('can ask all that it asks, with parameters of the same types', async () => {
    const broken: string[] = [];
    for (const { text, parameters } of release.statements) {
      const now = await parametersOf(text).catch(String);
      if (now !== parameters) broken.push(`${text}\n  ${parameters} → ${now}`);
    }
    expect(broken).toEqual([]);
    expect(release.statements.length).toBeGreaterThan(100);
  });

  test('finds all that it reads, and what it writes is enough', async () => {
    expect(brokenBy(await schemaNow())).toEqual([]);
  });

  test.each([
    [
      'a column that is renamed',
      'ALTER TABLE tokens RENAME name TO called',
      'tokens.name was text !, and is gone',
    ],
    [
      'another type',
      'ALTER TABLE tokens ALTER numeric_id TYPE bigint',
      'tokens.numeric_id was integer, and is bigint',
    ],
    ['a table that is dropped', 'DROP TABLE retired_values', 'retired_values is gone'],
    [
      'a required column',
      'ALTER TABLE jobs ADD x integer NOT NULL',
      'jobs.x is new, and nobody gives it a value',
    ],
    [
      'a column that became required',
      'ALTER TABLE users ALTER email SET NOT NULL',
      'users.email was text, and is text !',
    ],
    ['a check', `ALTER TABLE users ADD CHECK (name <> '')`, `users has to keep: CHECK ((name <> ''::text))`],
    [
      'uniqueness',
      'CREATE UNIQUE INDEX x ON users (email)',
      'users has to keep: UNIQUE  USING btree (email)',
    ],
  ])('%s is found', async (_, change, found) => {
    await client.query('BEGIN');
    try {
      await client.query(change);
      expect(brokenBy(await schemaNow())).toContain(found);
    } finally {
      await client.query('ROLLBACK');
    }
  });

  test('a statement that goes by what is gone is found', async () => {
    const text = 'INSERT INTO last_uses (token_uuid) VALUES ($1) ON CONFLICT (token_uuid) DO NOTHING';
    expect(await parametersOf(text)).toBe('uuid');
    await client.query('CREATE TABLE kept AS SELECT * FROM last_uses');
    await expect(parametersOf(text.replace('last_uses', 'kept'))).rejects.toThrow(/ON CONFLICT/);
    await expect(parametersOf('SELECT called FROM tokens')).rejects.toThrow(/called/);
    await client.query('DROP TABLE kept');
  });
});
