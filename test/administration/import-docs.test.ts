import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PGlite } from '@electric-sql/pglite';
import { readFileSync } from 'node:fs';
import { basic, bearer } from '../support/http.js';
import { foreman, gitea, grafana, grafanaKey } from '../support/imports.js';
import { TestServer } from '../support/server.js';

const DOCUMENT = readFileSync('docs/import.md', 'utf8');

let server: TestServer;
/** A database as the other systems have it: only the columns that are read, named and typed as theirs. */
let theirs: PGlite;
beforeAll(async () => {
  server = await TestServer.start();
  theirs = await PGlite.create();
  await theirs.exec(`SET TIME ZONE 'UTC'`);
});
afterAll(async () => {
  await theirs.close();
  await server.close();
});

/** Rows as the query of a section of the document gives them, with what it leaves to be filled in. */
async function extracted(
  section: string,
  filledIn: Record<string, unknown> = {},
): Promise<{ name: string }[]> {
  const [, sql = ''] = new RegExp(`## ${section}\\n[^]*?\`\`\`sql\\n([^]*?)\`\`\``).exec(DOCUMENT) ?? [];
  expect(sql).toContain('json_build_object');
  const { rows } = await theirs.query<{ json_build_object: { name: string } }>(sql);
  return rows
    .map(({ json_build_object: row }) => ({ ...row, ...filledIn }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

async function imported(source: string, tokens: object[]): Promise<Record<string, unknown>[]> {
  const sent = { headers: server.asAdmin, body: { source, tokens } };
  const answer = await server.send('POST', '/patois/v1/imports', sent);
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  const ids = answer.json.tokens.map(({ tokenId }: { tokenId: string }) => tokenId) as string[];
  const read = (id: string): Promise<{ json: Record<string, unknown> }> =>
    server.send('GET', `/patois/v1/tokens/${id}`, { headers: server.asAdmin });
  return Promise.all(ids.map(async (id) => (await read(id)).json));
}

async function statusOf(headers: Record<string, string>): Promise<number> {
  return (await server.send('GET', '/verify', { headers })).status;
}

test("the query for Foreman's tables gives tokens that work here as they did there", async () => {
  const { user } = await server.makeUser({ login: 'mia' });
  const [lasting, expiring, revoked] = [foreman(7), foreman(7), foreman(7)];
  await theirs.exec(`
    CREATE TABLE users (id integer PRIMARY KEY, login varchar(255));
    CREATE TABLE personal_access_tokens (id integer PRIMARY KEY, token varchar(255), name varchar(255),
      expires_at timestamp, last_used_at timestamp, created_at timestamp NOT NULL, revoked boolean DEFAULT false,
      user_id integer NOT NULL)`);
  await theirs.query('INSERT INTO users VALUES (7, $1)', [user.login]);
  for (const [index, { row }] of [lasting, expiring, revoked].entries()) {
    const [, , ...token] = row.hash.split('$');
    await theirs.query(
      `INSERT INTO personal_access_tokens VALUES ($1, $2, $3, $4, '2024-05-06 07:08:09', '2024-01-02 03:04:05.678', $5, 7)`,
      [index + 1, token.join('$'), `token ${index}`, index === 1 ? '2099-12-31 23:59:59' : null, index === 2],
    );
  }
  const tokens = await imported('foreman', await extracted('From Foreman'));
  expect(tokens).toMatchObject([
    {
      name: 'token 0',
      owner: { login: 'mia' },
      expiresAt: null,
      createdAt: '2024-01-02T03:04:05.000Z',
      lastUsedAt: '2024-05-06T07:08:09.000Z',
    },
    { name: 'token 1', expiresAt: '2099-12-31T23:59:59.000Z' },
  ]);
  for (const { value } of [lasting, expiring]) expect(await statusOf(basic('mia', value))).toBe(204);
  expect(await statusOf(basic('mia', revoked.value))).toBe(401);
});

test("the query for Gitea's tables does", async () => {
  await server.makeUser({ login: 'lea' });
  const { value, row } = gitea();
  const [, salt, hash] = row.hash.split('$');
  await theirs.exec(`
    CREATE TABLE "user" (id bigint PRIMARY KEY, lower_name varchar(255));
    CREATE TABLE access_token (id bigint PRIMARY KEY, uid bigint, name varchar(255), token_hash varchar(255),
      token_salt varchar(255), token_last_eight varchar(255), scope varchar(255), created_unix bigint)`);
  await theirs.query(`INSERT INTO "user" VALUES (3, 'lea')`);
  await theirs.query(`INSERT INTO access_token VALUES (1, 3, 'ci', $1, $2, $3, 'all', 1735689600)`, [
    hash,
    salt,
    value.slice(-8),
  ]);
  const scopes = ['patois:tokens.read'];
  const [token] = await imported('gitea', await extracted('From Gitea and Forgejo', { scopes }));
  expect(token).toMatchObject({ name: 'ci', scopes, createdAt: '2025-01-01T00:00:00.000Z' });
  expect(await statusOf(bearer(value))).toBe(204);
});

test("the query for Grafana's tables does", async () => {
  await server.makeUser({ login: 'sa-build' });
  const [account, key, revoked] = [grafana(), grafanaKey(), grafana()];
  await theirs.exec(`
    CREATE TABLE api_key (id bigint PRIMARY KEY, name varchar(190), key varchar(190), created timestamp, expires bigint,
      is_revoked boolean)`);
  for (const [index, { row }] of [account, key, revoked].entries()) {
    await theirs.query(`INSERT INTO api_key VALUES ($1, $2, $3, '2025-01-01', $4, $5)`, [
      index + 1,
      `key ${index}`,
      row.hash.split('$')[1],
      index === 0 ? 4_102_444_799 : null,
      index === 2 ? true : null,
    ]);
  }
  const scopes = ['patois:tokens.read'];
  const tokens = await imported('grafana', await extracted('From Grafana', { scopes, owner: 'sa-build' }));
  expect(tokens).toMatchObject([
    { name: 'key 0', expiresAt: '2099-12-31T23:59:59.000Z', createdAt: '2025-01-01T00:00:00.000Z' },
    { name: 'key 1', expiresAt: null },
  ]);
  expect([await statusOf(bearer(account.value)), await statusOf(bearer(key.value))]).toEqual([204, 204]);
  expect(await statusOf(bearer(revoked.value))).toBe(401);
});
