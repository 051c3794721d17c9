import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { bearer, send } from '../support/http.js';
import { asAdmin, eventually, type Replica, Replicas } from '../support/replicas.js';

const TOKENS = 8_000;
const STALENESS_MS = 2_000;

let replicas: Replicas;
beforeAll(async () => {
  replicas = await Replicas.make();
}, 600_000);
afterAll(() => replicas.close(), 60_000);

async function issue({ url }: Replica): Promise<{ tokenId: string; token: string; uuid: string }> {
  const body = { dialect: 'quay', owner: 'admin', name: 'known' };
  return (await send(url, 'POST', '/patois/v1/tokens', { headers: asAdmin, body })).json;
}

test('many tokens are ended, though a server and the database are killed at it: each once, on every replica', async () => {
  const [first, second] = [await replicas.start(), await replicas.start()];
  await replicas.makeTokens(TOKENS - 20);
  const known = [];
  for (let count = 0; count < 20; count += 1) known.push(await issue(first));
  const { status, json } = await send(first.url, 'POST', '/patois/v1/revocations', {
    headers: asAdmin,
    body: { filter: { dialect: 'quay' }, reason: 'broken into', expectedCount: TOKENS },
  });
  expect([status, json.total]).toEqual([202, TOKENS]);
  await eventually(async () => (await replicas.jobOf(json.id)).done >= 500, 60_000);
  await first.replica.stop('SIGKILL');
  const half = await replicas.jobOf(json.id);
  expect(half.status).not.toBe('done');
  // The other replica takes it up, and the database goes away in the middle.
  await eventually(async () => (await replicas.jobOf(json.id)).done >= half.done + 500, 60_000);
  await replicas.postgres.killHard();
  await sleep(500);
  await replicas.postgres.start();
  const third = await replicas.start();
  await eventually(async () => (await replicas.jobOf(json.id)).status === 'done', 120_000);
  expect(await replicas.jobOf(json.id)).toEqual({
    status: 'done',
    total: TOKENS,
    done: TOKENS,
    failed: 0,
    result: { revoked: TOKENS, alreadyRevoked: 0, appeared: 0 },
  });
  const [counted] = await replicas.query(
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
  const [first, second] = [await replicas.start(), await replicas.start()];
  await replicas.makeTokens(2_000);
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
  await eventually(() => Promise.resolve(acceptedAt.size === known.length), 30_000);
  const { json } = await send(first.url, 'POST', '/patois/v1/revocations', {
    headers: asAdmin,
    body: { filter: { dialect: 'quay' }, reason: 'broken into' },
  });
  await eventually(async () => (await replicas.jobOf(json.id)).status === 'done', 120_000);
  await sleep(STALENESS_MS);
  isOver = true;
  await asking;
  const ended = await replicas.query<{ id: string; revoked_at: Date }>(
    'SELECT id, revoked_at FROM tokens WHERE id = ANY ($1)',
    [known.map(({ uuid }) => uuid)],
  );
  expect(ended).toHaveLength(known.length);
  const late = ended.map(({ id, revoked_at: at }) => (acceptedAt.get(id) ?? 0) - at.getTime());
  // The portion commits a moment after the time that it writes.
  expect(Math.max(...late)).toBeLessThan(STALENESS_MS + 1_000);
}, 300_000);
