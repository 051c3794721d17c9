import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { basic, bearer, send } from '../support/http.js';
import { PrivatePostgres } from '../support/postgres.js';
import { buildOnce, PatoisProcess } from '../support/process.js';

const ADMIN_PASSWORD = 'correct horse battery';
const KEY = randomBytes(32).toString('base64');
const asAdmin = basic('admin', ADMIN_PASSWORD);
const TOKENS = 8_000;
const STALENESS_MS = 2_000;

let postgres: PrivatePostgres;
const replicas: PatoisProcess[] = [];

interface Replica {
  replica: PatoisProcess;
  url: string;
}

async function start(): Promise<Replica> {
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
}, 600_000);
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop('SIGKILL')));
  await postgres.remove();
}, 60_000);

/** Asks the database itself, over a connection that lives no longer. */
async function query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: postgres.url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

interface JobRow {
  status: string;
  total: number;
  done: number;
  failed: number;
  result: Record<string, unknown> | null;
}

async function jobOf(id: string): Promise<JobRow> {
  const [row] = await query<JobRow>('SELECT status, total, done, failed, result FROM jobs WHERE id = $1', [
    id,
  ]);
  return row as JobRow;
}

async function until(isSo: () => Promise<boolean>, withinMs: number): Promise<void> {
  for (const endsAt = Date.now() + withinMs; !(await isSo());) {
    if (Date.now() > endsAt) throw new Error('It never came');
    await sleep(5);
  }
}

function makeMany(count: number): Promise<object[]> {
  return query(
    `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
       inactive, created_at, dialect_fields)
     SELECT gen_random_uuid(), 'pt-' || substr(md5(random()::text), 1, 12), '\\x00', 'none', 'quay', u.id, u.organization_id,
       'many', '{}', '{}', false, now(), '{}' FROM users u, generate_series(1, $1::int) WHERE u.login = 'admin'`,
    [count],
  );
}

async function issue({ url }: Replica): Promise<{ tokenId: string; token: string; uuid: string }> {
  const body = { dialect: 'quay', owner: 'admin', name: 'known' };
  return (await send(url, 'POST', '/patois/v1/tokens', { headers: asAdmin, body })).json;
}

test('many tokens are ended, though a server and the database are killed at it: each once, on every replica', async () => {
  const [first, second] = [await start(), await start()];
  await makeMany(TOKENS - 20);
  const known = [];
  for (let count = 0; count < 20; count += 1) known.push(await issue(first));
  const { status, json } = await send(first.url, 'POST', '/patois/v1/revocations', {
    headers: asAdmin,
    body: { filter: { dialect: 'quay' }, reason: 'broken into', expectedCount: TOKENS },
  });
  expect([status, json.total]).toEqual([202, TOKENS]);
  await until(async () => (await jobOf(json.id)).done >= 500, 60_000);
  await first.replica.stop('SIGKILL');
  const half = await jobOf(json.id);
  expect(half.status).not.toBe('done');
  // The other replica takes it up, and the database goes away in the middle.
  await until(async () => (await jobOf(json.id)).done >= half.done + 500, 60_000);
  await postgres.killHard();
  await sleep(500);
  await postgres.start();
  const third = await start();
  await until(async () => (await jobOf(json.id)).status === 'done', 120_000);
  expect(await jobOf(json.id)).toEqual({
    status: 'done',
    total: TOKENS,
    done: TOKENS,
    failed: 0,
    result: { revoked: TOKENS, alreadyRevoked: 0, appeared: 0 },
  });
  const [counted] = await query(
    `SELECT (SELECT count(*)::int FROM tokens WHERE revoked_at IS NULL) AS left,
       (SELECT count(*)::int FROM audit_events WHERE action = 'token.revoke') AS events,
       (SELECT count(DISTINCT object_id)::int FROM audit_events WHERE action = 'token.revoke') AS objects,
       (SELECT count(*)::int FROM revocation_targets) AS targets`,
  );
  expect(counted).toEqual({ left: 0, events: TOKENS, objects: TOKENS, targets: 0 });
  for (const { token } of known) {
    for (const { url } of [second, third]) {
      expect((await send(url, 'GET', '/verify', { headers: bearer(token) })).status).toBe(401);
    }
  }
}, 300_000);

test('each token is refused by a replica that remembers it, soon after the portion that ended it', async () => {
  const [first, second] = [await start(), await start()];
  await makeMany(2_000);
  const known = [];
  for (let count = 0; count < 30; count += 1) known.push(await issue(first));
  const acceptedAt = new Map<string, number>();
  let isOver = false;
  const asking = (async (): Promise<void> => {
    while (!isOver) {
      for (const { uuid, token } of known) {
        const askedAt = Date.now();
        const { status } = await send(second.url, 'GET', '/verify', { headers: bearer(token) });
        if (status === 204) acceptedAt.set(uuid, askedAt);
      }
    }
  })();
  await until(() => Promise.resolve(acceptedAt.size === known.length), 30_000);
  const { json } = await send(first.url, 'POST', '/patois/v1/revocations', {
    headers: asAdmin,
    body: { filter: { dialect: 'quay' }, reason: 'broken into' },
  });
  await until(async () => (await jobOf(json.id)).status === 'done', 120_000);
  await sleep(STALENESS_MS);
  isOver = true;
  await asking;
  const ended = await query<{ id: string; revoked_at: Date }>(
    'SELECT id, revoked_at FROM tokens WHERE id = ANY ($1)',
    [known.map(({ uuid }) => uuid)],
  );
  expect(ended).toHaveLength(known.length);
  const late = ended.map(({ id, revoked_at: at }) => (acceptedAt.get(id) ?? 0) - at.getTime());
  // The portion commits a moment after the time that it writes.
  expect(Math.max(...late)).toBeLessThan(STALENESS_MS + 1_000);
}, 300_000);
