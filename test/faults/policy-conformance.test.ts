import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { basic, send } from '../support/http.js';
import { PrivatePostgres } from '../support/postgres.js';
import { buildOnce, PatoisProcess } from '../support/process.js';

const ADMIN_PASSWORD = 'correct horse battery';
const KEY = randomBytes(32).toString('base64');
const asAdmin = basic('admin', ADMIN_PASSWORD);
const TOKENS = 8_000;

let postgres: PrivatePostgres;
let client: pg.Client;
const replicas: PatoisProcess[] = [];

async function start(): Promise<{ replica: PatoisProcess; url: string }> {
  const replica = new PatoisProcess({
    DATABASE_URL: postgres.url,
    TOKEN_KEYS: `k1:${KEY}`,
    ADMIN_PASSWORD,
    BCRYPT_COST: '4',
    PORT: '0',
  });
  replicas.push(replica);
  return { replica, url: await replica.listening() };
}

beforeAll(async () => {
  buildOnce();
  postgres = await PrivatePostgres.make();
  client = new pg.Client({ connectionString: postgres.url });
  client.on('error', () => {});
}, 600_000);
afterAll(async () => {
  await client.end();
  await Promise.all(replicas.map((replica) => replica.stop('SIGKILL')));
  await postgres.remove();
}, 60_000);

interface JobRow {
  status: string;
  total: number;
  done: number;
  failed: number;
  result: Record<string, unknown> | null;
}

async function jobOf(id: string): Promise<JobRow> {
  const { rows } = await client.query<JobRow>(
    'SELECT status, total, done, failed, result FROM jobs WHERE id = $1',
    [id],
  );
  return rows[0] as JobRow;
}

async function until(isSo: () => Promise<boolean>, withinMs: number): Promise<void> {
  for (const endsAt = Date.now() + withinMs; !(await isSo());) {
    if (Date.now() > endsAt) throw new Error('It never came');
    await sleep(5);
  }
}

test('the tokens of an organization are made to keep a policy, though the server that does it is killed: each once', async () => {
  const [first, second] = [await start(), await start()];
  await client.connect();
  await client.query(
    `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
       inactive, created_at, dialect_fields)
     SELECT gen_random_uuid(), 'pt-' || substr(md5(random()::text), 1, 12), '\\x00', 'none', 'quay', u.id, u.organization_id,
       'many', '{}', '{}', false, now(), '{}' FROM users u, generate_series(1, $1::int) WHERE u.login = 'admin'`,
    [TOKENS],
  );
  const { status, json } = await send(
    first.url,
    'PUT',
    '/patois/v1/organizations/Default/policy?existing=conform',
    {
      headers: asAdmin,
      body: { maxLifetimeSeconds: 86_400, allowedCidrs: ['127.0.0.0/8'] },
    },
  );
  expect([status, json.total]).toEqual([202, TOKENS]);
  // Whichever has taken it up; the other one lives on.
  await until(async () => (await jobOf(json.id)).done >= 500, 60_000);
  await first.replica.stop('SIGKILL');
  const half = await jobOf(json.id);
  expect(half.status).not.toBe('done');
  await until(async () => (await jobOf(json.id)).done > half.done, 30_000);
  await until(async () => (await jobOf(json.id)).status === 'done', 120_000);
  expect(await jobOf(json.id)).toMatchObject({
    total: TOKENS,
    done: TOKENS,
    failed: 0,
    result: { shortened: TOKENS, confined: TOKENS, revoked: 0, appeared: 0, gone: 0 },
  });
  const { rows } = await client.query<object>(
    `SELECT (SELECT count(*)::int FROM tokens WHERE expires_at IS NULL OR allowed_cidrs = '{}') AS left,
       (SELECT count(*)::int FROM audit_events WHERE action = 'token.update' AND actor_type = 'system') AS events,
       (SELECT count(DISTINCT object_id)::int FROM audit_events WHERE action = 'token.update') AS objects`,
  );
  expect(rows).toEqual([{ left: 0, events: TOKENS, objects: TOKENS }]);
  const listed = await send(second.url, 'GET', `/patois/v1/jobs/${json.id}`, { headers: asAdmin });
  expect(listed.json).toMatchObject({ status: 'done', done: TOKENS });
}, 300_000);
