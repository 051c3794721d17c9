import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'node:http';
import { DataSource } from 'typeorm';
import { TokenWalk } from '../../src/tokens/inventory/token-walk.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { bearer } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

/** More than the buffers between a server and a client who does not read take. */
const MANY = 12_000;

let server: TestServer;
let dataSource: DataSource;
let owner: TestUser;
let administrator: string;

beforeAll(async () => {
  server = await TestServer.start();
  dataSource = server.app.nest.get(DataSource);
  owner = await server.makeUser({ login: 'owner' });
  const boss = await server.makeUser({ role: 'administrator' });
  administrator = (await server.issue({ dialect: 'patois', ownerId: boss.user.id, scopes: ['*'] })).value;
}, 60_000);
afterAll(() => server.close());

/** Tokens straight by SQL, several of one moment. */
async function addTokens(count: number, dialect: string, length = 1): Promise<void> {
  await dataSource.query(
    `WITH made AS (INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, scopes, allowed_cidrs, inactive,
         created_at, digest, digest_key, dialect_fields)
       SELECT gen_random_uuid(), 'pt-' || substr(md5($1::text || n), 1, 12), $1, $2, $3, repeat('häufig "' || n || '"', $5::int), '{a,b}', '{}',
         false, timestamptz '2026-01-01' + (n / 7) * interval '1 second', sha256(($1::text || n)::bytea), 'none', '{}'
       FROM generate_series(1, $4::int) n RETURNING id)
     INSERT INTO last_uses (token_uuid) SELECT id FROM made`,
    [dialect, owner.user.id, owner.user.organizationId, count, length],
  );
}

function get(path: string, headers: Record<string, string>): ReturnType<TestServer['send']> {
  return server.send('GET', path, { headers });
}

const yunxiaoList = (): ReturnType<typeof get> =>
  get(`/oapi/v1/platform/users/admin/personalAccessTokens?userId=${owner.user.id}`, {
    'x-yunxiao-token': administrator,
  });

describe('lists without pages', () => {
  test('a portion ends and the next begins between tokens of one moment, and each comes once', async () => {
    await addTokens(50, 'panther');
    const walk = server.app.nest.get(TokenWalk, { strict: false });
    const where = { ownerId: owner.user.id, dialect: 'panther' };
    for (const [ties, direction] of [
      ['id', 'ASC'],
      ['numeric_id', 'DESC'],
    ] as const) {
      const rows = await dataSource.query<{ id: string }[]>(
        `SELECT id FROM tokens WHERE owner_id = $1 ORDER BY created_at ${direction}, ${ties} ${direction}`,
        [owner.user.id],
      );
      for (const limit of [1, 3, 25, 49, 50, 51]) {
        const portions: Token[][] = [];
        for await (const portion of walk.portions(
          where,
          { columns: [], showsUse: false, ties, direction },
          limit,
        ))
          portions.push(portion);
        expect(portions.flat().map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
        expect(portions.map(({ length }) => length)).toEqual(
          Array.from({ length: Math.ceil(50 / limit) }, (_, index) => Math.min(limit, 50 - index * limit)),
        );
      }
    }
    await dataSource.query('DELETE FROM tokens WHERE owner_id = $1', [owner.user.id]);
  });

  test('a list of a thousand and one of a thousand and one tokens differ by that token alone', async () => {
    const empty = await yunxiaoList();
    expect([empty.text, empty.headers['content-length']]).toEqual(['[]', '2']);
    await addTokens(1_000, 'quay');
    const before = await yunxiaoList();
    expect(before.headers['content-length']).toBe(String(Buffer.byteLength(before.text)));
    const { token } = await server.issue({ dialect: 'quay', ownerId: owner.user.id, scopes: ['user:admin'] });
    const after = await yunxiaoList();
    const { 'transfer-encoding': encoding, ...headers } = after.headers;
    expect(encoding).toBe('chunked');
    expect(headers['content-type']).toBe(before.headers['content-type']);
    const [first, ...rest] = after.json as { token_id: string }[];
    expect([first?.token_id, JSON.stringify(rest)]).toEqual([token.tokenId, before.text]);
    expect(after.text).toBe(JSON.stringify(after.json));
    const quay = await get('/api/v1/superuser/apptokens', bearer(administrator));
    expect(quay.json.tokens).toHaveLength(1_001);
    expect(quay.text).toBe(JSON.stringify(quay.json));
    expect(Object.keys(quay.json)).toEqual(['tokens', 'only_expiring']);
    expect(quay.json.only_expiring).toBeNull();
  }, 60_000);

  test('while nobody reads, no more is read; and where reading fails in the middle the connection breaks', async () => {
    // Each a kilobyte.
    for (let made = 0; made < MANY; made += 1_000) await addTokens(1_000, `foreman ${made}`, 80);
    const url = new URL(
      `/oapi/v1/platform/users/admin/personalAccessTokens?userId=${owner.user.id}`,
      server.url,
    );
    let received = '';
    const outcome = await new Promise<string>((resolve, reject) => {
      const sent = request(url, { headers: { 'x-yunxiao-token': administrator } }, (response) => {
        expect(response.statusCode).toBe(200);
        response.pause();
        response.on('data', (chunk: Buffer) => (received += chunk.toString()));
        response.on('end', () => resolve('end'));
        response.on('error', () => resolve('broken'));
        // By then the portions that fit into the buffers have been read, and no other is asked for.
        setTimeout(() => {
          dataSource
            .query('ALTER TABLE tokens RENAME TO hidden_tokens')
            .then(() => response.resume(), reject);
        }, 1_000);
      });
      sent.on('error', reject);
      sent.end();
    });
    await dataSource.query('ALTER TABLE hidden_tokens RENAME TO tokens');
    expect(outcome).toBe('broken');
    expect(received.startsWith('[{')).toBe(true);
    expect(() => JSON.parse(received) as unknown).toThrow(SyntaxError);
  }, 60_000);
});
