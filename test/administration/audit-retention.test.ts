import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { PruneEventsTask } from '../../src/administration/audit/prune-events.task.js';
import { SealEventsTask } from '../../src/administration/audit/seal-events.task.js';
import { Sealer } from '../../src/audit/chain/sealer.js';
import { moveClock } from '../support/clock.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const DAY_MS = 86_400_000;

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ auditRetentionSeconds: (30 * DAY_MS) / 1000 });
  server.app.nest.get(SealEventsTask, { strict: false }).run = async () => {};
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => server.close());

async function seal(): Promise<void> {
  while (await server.app.nest.get(Sealer, { strict: false }).seal());
}

function prune(): Promise<void> {
  return server.app.nest.get(PruneEventsTask, { strict: false }).run();
}

async function get(path: string): Promise<Record<string, never>> {
  return (await server.send('GET', `/patois/v1${path}`, { headers: server.asAdmin })).json;
}

async function verification(): Promise<Record<string, unknown>> {
  const { id } = await get('/audit-seals/verification');
  await until(async () => (await get(`/jobs/${id}`))['endedAt'] !== null);
  return (await get(`/jobs/${id}`))['result'] as unknown as Record<string, unknown>;
}

function sql(text: string): Promise<object[]> {
  return server.app.dataSource.query<object[]>(text);
}

test('events older than AUDIT_RETENTION are deleted seal by seal; the seals stay, and the rest is verified', async () => {
  const early = await server.makeUser();
  await seal();
  const [{ sequence: pruned }] = (await get('/audit-seals'))['items'] as unknown as [{ sequence: number }];
  moveClock(20 * DAY_MS);
  const middle = await server.makeUser();
  await seal();
  moveClock(11 * DAY_MS);
  const late = await server.makeUser();
  await seal();
  const before = (await get('/audit-seals'))['items'] as unknown as { sequence: number }[];
  await prune();
  const trail = async (id: string): Promise<number> =>
    ((await get(`/audit-events?object=${id}`)) as unknown as { items: unknown[] }).items.length;
  expect(await Promise.all([early, middle, late].map(({ user }) => trail(user.id)))).toEqual([0, 1, 1]);
  expect((await get('/audit-seals'))['items']).toEqual(before);
  expect(await get(`/audit-seals/${pruned}`)).toMatchObject({ sequence: pruned, leaves: null });
  const events = (await get('/audit-events?action=audit.prune'))['items'];
  expect(events).toMatchObject([
    {
      actor: { type: 'system', id: null },
      object: { type: 'audit-seal', id: String(pruned) },
      after: { events: expect.any(Number) },
    },
  ]);
  await seal();
  const result = await verification();
  expect(result).not.toHaveProperty('problem');
  expect(result).toMatchObject({ seals: before.length + 1, prunedTo: pruned });
  const { text } = await server.send('GET', '/metrics');
  expect(text).toMatch(/^patois_audit_pruned_events_total [1-9]\d*$/m);

  // Nothing slips back into the pruned part, and nothing is taken for pruned that is not.
  const [made] = (await sql(`
    INSERT INTO audit_events (id, time, actor_type, action, object_type, ordinal)
    VALUES (gen_random_uuid(), now(), 'system', 'user.create', 'user', 1) RETURNING id`)) as [{ id: string }];
  expect(await verification()).toMatchObject({ problem: { kind: 'foreign', event: made.id } });
  await sql(`DELETE FROM audit_events WHERE id = '${made.id}'`);
  await sql(`UPDATE audit_sealing SET pruned = jsonb_set(pruned, '{sequence}', '${pruned + 1}')`);
  expect(await verification()).toMatchObject({ problem: { kind: 'seal', seal: pruned + 1 } });
  await sql(`UPDATE audit_sealing SET pruned = jsonb_set(pruned, '{sequence}', '${pruned}')`);
  expect(await verification()).not.toHaveProperty('problem');
});

test('nothing is deleted before its time', async () => {
  const { user } = await server.makeUser();
  await seal();
  moveClock(30 * DAY_MS - 60_000);
  await prune();
  expect(
    ((await get(`/audit-events?object=${user.id}`)) as unknown as { items: unknown[] }).items,
  ).toHaveLength(1);
});
