import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { send } from '../support/http.js';
import { asAdmin, eventually, Replicas } from '../support/replicas.js';

const TOKENS = 8_000;

let replicas: Replicas;
beforeAll(async () => {
  replicas = await Replicas.make();
}, 600_000);
afterAll(() => replicas.close(), 60_000);

test('the tokens of an organization are made to keep a policy, though the server that does it is killed: each once', async () => {
  const [first, second] = [await replicas.start(), await replicas.start()];
  await replicas.makeTokens(TOKENS);
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
  await eventually(async () => (await replicas.jobOf(json.id)).done >= 500, 60_000);
  await first.replica.stop('SIGKILL');
  const half = await replicas.jobOf(json.id);
  expect(half.status).not.toBe('done');
  await eventually(async () => (await replicas.jobOf(json.id)).done > half.done, 30_000);
  await eventually(async () => (await replicas.jobOf(json.id)).status === 'done', 120_000);
  expect(await replicas.jobOf(json.id)).toMatchObject({
    total: TOKENS,
    done: TOKENS,
    failed: 0,
    result: { shortened: TOKENS, confined: TOKENS, revoked: 0, appeared: 0, gone: 0 },
  });
  const rows = await replicas.query(
    `SELECT (SELECT count(*)::int FROM tokens WHERE expires_at IS NULL OR allowed_cidrs = '{}') AS left,
       (SELECT count(*)::int FROM audit_events WHERE action = 'token.update' AND actor_type = 'system') AS events,
       (SELECT count(DISTINCT object_id)::int FROM audit_events WHERE action = 'token.update') AS objects`,
  );
  expect(rows).toEqual([{ left: 0, events: TOKENS, objects: TOKENS }]);
  const listed = await send(second.url, 'GET', `/patois/v1/jobs/${json.id}`, { headers: asAdmin });
  expect(listed.json).toMatchObject({ status: 'done', done: TOKENS });
}, 300_000);
