import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import pg from 'pg';
import { basic } from '../support/http.js';
import { buildOnce, PatoisProcess } from '../support/process.js';
import { ADMIN_PASSWORD } from '../support/server.js';
import { makeEmptyDatabase } from '../support/store.js';

const TOKENS = 100_000;
const MIB = 2 ** 20;

let database: Awaited<ReturnType<typeof makeEmptyDatabase>>;
let patois: PatoisProcess;
let url: string;
beforeAll(async () => {
  buildOnce();
  database = await makeEmptyDatabase();
  const databaseUrl = database?.url ?? '';
  patois = new PatoisProcess({
    PORT: '0',
    ...database?.settings,
    TOKEN_KEYS: `test:${randomBytes(32).toString('base64')}`,
    ADMIN_PASSWORD,
    BCRYPT_COST: '4',
    // Without a bound the engine lets garbage lie for longer than an export takes. The young generation has one of its own
    // (MiB a half), which differs between versions of Node.js: this is that of Node.js 20.
    NODE_OPTIONS: '--max-old-space-size=150 --max-semi-space-size=16',
  });
  url = await patois.listening();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(
    `INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, description, scopes, allowed_cidrs,
       inactive, created_at, digest, digest_key, dialect_fields)
     SELECT gen_random_uuid(), 'pt-' || lpad(n::text, 12, '0'), 'patois', u.id, u.organization_id, 'token ' || n,
       repeat('x', 1000), '{}', '{}', false, timestamptz '2025-01-01' + n * interval '1 second', ''::bytea, 'none', '{}'
     FROM users u, generate_series(1, ${TOKENS}) n WHERE u.login = 'admin'`,
  );
  await client.end();
}, 300_000);
afterAll(async () => {
  await patois.stop();
  await database?.drop();
});

function residentBytes(): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${patois.pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

function exported(path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = basic('admin', ADMIN_PASSWORD);
    get(`${url}/patois/v1/tokens/export?${path}`, { headers, agent: false }, resolve).on('error', reject);
  });
}

/** By how much the server grows while an export goes on, and how much of it there was. */
async function growth(path: string): Promise<{ grown: number; bytes: number; end: string }> {
  const before = residentBytes();
  let most = before;
  let bytes = 0;
  let end = '';
  for await (const chunk of await exported(path)) {
    bytes += (chunk as Buffer).length;
    end = (chunk as Buffer).toString('latin1').slice(-200);
    most = Math.max(most, residentBytes());
  }
  return { grown: most - before, bytes, end };
}

test('in a heap that is bounded an export of 100,000 tokens takes less than 50 MiB', async () => {
  // What the process needs in any case, code and heap, it has after the first.
  await growth('createdBefore=2025-01-01T01:00:00Z');
  const { grown, bytes, end } = await growth('');
  expect(end).toContain(`"rows":${TOKENS}`);
  expect(bytes).toBeGreaterThan(150 * MIB);
  expect(grown).toBeLessThan(50 * MIB);
}, 300_000);

test('an export whose reader stops reading takes no more', async () => {
  const before = residentBytes();
  const answer = await exported('');
  answer.pause();
  await new Promise((resume) => setTimeout(resume, 3_000));
  expect(residentBytes() - before).toBeLessThan(75 * MIB);
  answer.destroy();
}, 60_000);
