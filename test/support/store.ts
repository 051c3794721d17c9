import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { createDataSource } from '../../src/data-source.js';
import { type Database, embedded, postgresServer } from '../../src/database/database.js';
import { EmbeddedPostgres } from '../../src/database/embedded.js';
import { databaseAt, reachedAt, settingsOf } from './pooler.js';

/** A PostgreSQL server to run the suite on, `postgres://user@host:port/postgres`; unset: the embedded engine. */
export const SERVER_URL = process.env['TEST_DATABASE_URL'];

/** Whether tests that need parallel connections can run. */
export const hasServer = SERVER_URL !== undefined;

/** A fresh database with the schema of today, made from a template that the first test of a schema makes. */
export function openTestStore(): Promise<Database> {
  return SERVER_URL === undefined ? openInMemory() : openOnServer(SERVER_URL);
}

/** Opens what connects to a database that was closed just now: the embedded engine learns a moment late that it is free. */
export async function onceFree<Opened>(open: () => Promise<Opened>): Promise<Opened> {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!/EPIPE|ECONNRESET|terminated/.test(String(error))) throw error;
    }
  }
}

/** A database without a schema, for a server that is a process of its own. */
export interface EmptyDatabase {
  /** For a test's own clients. */
  url: string;
  /** What leads the process to it. */
  settings: Record<string, string>;
  drop: () => Promise<void>;
}

/** Makes one; undefined where the embedded engine is used. */
export async function makeEmptyDatabase(): Promise<EmptyDatabase | undefined> {
  if (SERVER_URL === undefined) return undefined;
  const serverUrl = SERVER_URL;
  const name = `patois_empty_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE template0`));
  const drop = (client: Client): Promise<unknown> => client.query(`DROP DATABASE ${name} WITH (FORCE)`);
  const url = urlOf(serverUrl, name);
  return { url, settings: settingsOf(reachedAt(url)), drop: () => onServer(serverUrl, drop) };
}

function schemaVersion(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync('migrations').sort())
    hash.update(name).update(readFileSync(join('migrations', name)));
  return hash.digest('hex').slice(0, 12);
}

/** An embedded database without a schema. */
export function openEmptyInMemory(): Promise<Database> {
  return openDump(`embedded-empty-${schemaVersion()}.tar`, async () => {});
}

function openInMemory(): Promise<Database> {
  return openDump(`embedded-${schemaVersion()}.tar`, migrate);
}

/** Opens a copy of a database that the first who asks for it makes. */
async function openDump(name: string, fill: (database: Database) => Promise<void>): Promise<Database> {
  const { engineModules, blobOf } = patoisTest;
  const path = join('.cache', name);
  if (!existsSync(path)) await makeDump(path, fill);
  return embedded(await EmbeddedPostgres.inMemory({ ...(await engineModules()), loadDataDir: blobOf(path) }));
}

async function makeDump(path: string, fill: (database: Database) => Promise<void>): Promise<void> {
  const engine = await EmbeddedPostgres.inMemory(await patoisTest.engineModules());
  const database = embedded(engine);
  await fill(database);
  const dump = Buffer.from(await (await engine.dump()).arrayBuffer());
  await database.close();
  mkdirSync('.cache', { recursive: true });
  // Two workers may make it at once: each writes its own file, and either will do.
  const own = `${path}.${randomBytes(4).toString('hex')}`;
  writeFileSync(own, dump);
  renameSync(own, path);
}

async function openOnServer(serverUrl: string): Promise<Database> {
  const template = `patois_template_${schemaVersion()}`;
  const name = `patois_test_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, async (client) => {
    await client.query('SELECT pg_advisory_lock(1)');
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [template]);
    if (rowCount === 0) {
      await client.query(`CREATE DATABASE ${template}_new`);
      await migrate(postgresServer(urlOf(serverUrl, `${template}_new`)));
      await client.query(`ALTER DATABASE ${template}_new RENAME TO ${template}`);
    }
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  const database = databaseAt(reachedAt(urlOf(serverUrl, name)));
  const drop = (client: Client): Promise<unknown> => client.query(`DROP DATABASE ${name} WITH (FORCE)`);
  return { ...database, close: () => onServer(serverUrl, drop) };
}

async function onServer(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

async function migrate(database: Database): Promise<void> {
  const dataSource = createDataSource(database);
  await dataSource.initialize();
  await dataSource.runMigrations();
  await dataSource.destroy();
}
