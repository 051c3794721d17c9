import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { basic, send } from '../support/http.js';
import { reachedAt, settingsOf } from '../support/pooler.js';
import { buildOnce, PatoisProcess } from '../support/process.js';
import { type EmptyDatabase, makeEmptyDatabase, SERVER_URL } from '../support/store.js';

const PASSWORD = 'chosen by the operator';

const databases: EmptyDatabase[] = [];
const started: PatoisProcess[] = [];
beforeAll(() => buildOnce(), 600_000);
afterEach(async () => {
  for (const patois of started.splice(0)) {
    patois.kill('SIGKILL');
    await patois.ended;
  }
});
afterAll(async () => {
  for (const { drop } of databases) await drop();
});

function serverUrl(): string {
  if (SERVER_URL === undefined) throw new Error('TEST_DATABASE_URL names no server');
  return SERVER_URL;
}

async function ask<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

async function emptyDatabase(): Promise<EmptyDatabase> {
  const database = (await makeEmptyDatabase()) as EmptyDatabase;
  databases.push(database);
  return database;
}

function start(settings: Record<string, string>): PatoisProcess {
  const patois = new PatoisProcess({ PORT: '0', BCRYPT_COST: '4', ...settings });
  started.push(patois);
  return patois;
}

function someKeys(): string {
  return `k1:${randomBytes(32).toString('base64')}`;
}

describe('a server that cannot be reached', () => {
  test('ends the start with the reason, without the password of its address', async () => {
    const url = 'postgres://patois:hunter2-secret@127.0.0.1:1/patois';
    const patois = start({ DATABASE_URL: url, TOKEN_KEYS: someKeys() });
    expect(await patois.ended).toBe(1);
    expect(patois.stderr).toMatch(/ECONNREFUSED 127\.0\.0\.1:1/);
    expect(patois.output).not.toContain('hunter2-secret');
  });
});

// Registered only where there is a server: what needs one is never counted as skipped.
if (SERVER_URL !== undefined) {
  describe('a PostgreSQL server', () => {
    test('migrates an empty database, makes the administrator, and finds everything at the next start', async () => {
      const database = await emptyDatabase();
      const settings = { ...database.settings, TOKEN_KEYS: someKeys(), ADMIN_PASSWORD: PASSWORD };
      const first = start(settings);
      const url = await first.listening();
      const body = { name: 'made by a test', permissions: ['OrganizationAPITokenRead'] };
      const made = await send(url, 'POST', '/api-tokens', { headers: basic('admin', PASSWORD), body });
      expect(made.status).toBe(200);
      expect(await first.stop('SIGTERM')).toBe(0);
      const second = start(settings);
      const headers = { 'x-api-key': made.json.value as string };
      const self = await send(await second.listening(), 'GET', '/api-tokens/self', { headers });
      expect(self.json.name).toBe(body.name);
      expect(await second.stop('SIGINT')).toBe(0);
      expect(second.output).not.toContain('First start');
    });

    test("a fault's stack trace names our sources, and classes as they are called there", async () => {
      const database = await emptyDatabase();
      const patois = start({ ...database.settings, TOKEN_KEYS: someKeys(), ADMIN_PASSWORD: PASSWORD });
      const url = await patois.listening();
      await ask(database.url, 'ALTER TABLE tokens RENAME COLUMN name TO called');
      const { status } = await send(url, 'GET', '/api-tokens', { headers: basic('admin', PASSWORD) });
      expect(status).toBe(500);
      await patois.printed(/src\/database\/page\.ts:\d+:\d+/);
      expect(patois.output).toMatch(/\[RefusalFilter\]/);
      expect(patois.output).toMatch(
        /PantherController\d*\.list \(\S*src\/dialects\/panther\/panther\.controller\.ts:/,
      );
    });

    test('replicas that start at once on an empty database make one administrator', async () => {
      const database = await emptyDatabase();
      const settings = { ...database.settings, TOKEN_KEYS: someKeys() };
      const replicas = [0, 1, 2].map(() => start(settings));
      const urls = await Promise.all(replicas.map((replica) => replica.listening()));
      const passwords = replicas.flatMap(
        ({ stdout }) => /The password, shown this once: (\S+)/.exec(stdout)?.[1] ?? [],
      );
      expect(passwords).toHaveLength(1);
      expect(await ask(database.url, 'SELECT login, role FROM users')).toEqual([
        { login: 'admin', role: 'administrator' },
      ]);
      expect(await ask(database.url, 'SELECT name FROM organizations')).toEqual([{ name: 'Default' }]);
      const headers = basic('admin', passwords[0] ?? '');
      for (const url of urls) expect((await send(url, 'GET', '/patois/v1/me', { headers })).status).toBe(200);
      expect(await Promise.all(replicas.map((replica) => replica.stop()))).toEqual([0, 0, 0]);
    });

    test('a database that is not there ends the start with the reason, without its password', async () => {
      const url = new URL(serverUrl());
      url.pathname = '/there_is_no_such_database';
      url.password = 'hunter2-secret';
      const patois = start({ ...settingsOf(reachedAt(url.href)), TOKEN_KEYS: someKeys() });
      expect(await patois.ended).toBe(1);
      expect(patois.output).toContain('there_is_no_such_database');
      expect(patois.output).not.toContain('hunter2-secret');
    });
  });
}
