import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { Database } from '../../src/database/database.js';
import { NoticeDelivery } from '../../src/notices/notice-delivery.entity.js';
import { ExpiryNoticesTask } from '../../src/tokens/expiry/expiry-notices.task.js';
import { moveClock } from '../support/clock.js';
import { send } from '../support/http.js';
import { NoticeReceiver, verified } from '../support/notice-receiver.js';
import { asAdmin, eventually, Replicas } from '../support/replicas.js';
import { TestServer } from '../support/server.js';
import { openTestStore } from '../support/store.js';

const DAY_MS = 86_400_000;
const NOTICES = 200;

let receiver: NoticeReceiver;
let replicas: Replicas;
beforeAll(async () => {
  replicas = await Replicas.make({ WEBHOOK_ALLOW_HTTP: 'true', WEBHOOK_PRIVATE_NETWORKS: '127.0.0.0/8' });
  receiver = await NoticeReceiver.start();
}, 600_000);
afterEach(() => {
  jest.useRealTimers();
});
afterAll(async () => {
  await replicas.close();
  await receiver.close();
}, 60_000);

/** The ids that came in on a path, each where it came first. */
function idsAt(path: string): string[] {
  return [...new Set(receiver.at(path).map(({ headers }) => String(headers['webhook-id'])))];
}

test('of notices whose senders are killed each arrives at least once, and in order, at receivers that fail as well', async () => {
  const [first, second] = [await replicas.start(), await replicas.start()];
  const make = async (path: string): Promise<{ id: string; secret: string; path: string }> => {
    const body = { kind: 'webhook', url: `${receiver.url}${path}`, events: ['policy.changed'] };
    const { status, json } = await send(second.url, 'POST', '/patois/v1/notice-channels', {
      headers: asAdmin,
      body,
    });
    expect(status).toBe(201);
    return { ...json, path };
  };
  const channels = [await make('/steady'), await make('/moody')];
  let asked = 0;
  receiver.reactions.set('/steady', (response) => setTimeout(() => response.writeHead(204).end(), 10));
  // What it has taken it has taken, though it says no: it comes again.
  receiver.reactions.set('/moody', (response) => {
    asked += 1;
    if (asked === 50) response.destroy();
    else setTimeout(() => response.writeHead(204).end(), 10);
  });
  const rows = await replicas.query<{ channel_id: string; id: string }>(
    `INSERT INTO notice_deliveries (id, queue_id, channel_id, event, data, status, attempts, occurred_at, queued_at, due_at)
     SELECT gen_random_uuid(), c.id, c.id, 'policy.changed', '{}', 'waiting', 0, now(), now(), now()
     FROM generate_series(1, $1::int) n, notice_channels c ORDER BY n RETURNING channel_id, id`,
    [NOTICES],
  );
  await eventually(() => channels.every(({ path }) => receiver.at(path).length > 10), 60_000);
  await first.replica.stop('SIGKILL');
  const half = receiver.received.length;
  expect(half).toBeLessThan(2 * NOTICES);
  await eventually(() => receiver.received.length > half, 60_000);
  // Nobody is left; the next start goes on.
  await second.replica.stop('SIGKILL');
  await replicas.start();
  await eventually(async () => {
    const waiting = await replicas.query(`SELECT FROM notice_deliveries WHERE status <> 'delivered'`);
    return waiting.length === 0;
  }, 180_000);
  for (const { id, secret, path } of channels) {
    const written = rows.filter(({ channel_id }) => channel_id === id).map((row) => row.id);
    expect(idsAt(path)).toEqual(written);
    for (const notice of receiver.at(path)) expect(() => verified(notice, secret)).not.toThrow();
    // Again came what was under way at the end of a sender, or was not taken.
    expect(receiver.at(path).length).toBeLessThanOrEqual(NOTICES + 4);
  }
}, 400_000);

test('of a token and stage two replicas tell once', async () => {
  const tokenKeys = [{ name: 'k1', secret: randomBytes(32) }];
  const store = await openTestStore();
  const kept = async (): Promise<Database> => ({ ...store, close: async () => {} });
  const settings = { tokenKeys, webhookAllowsHttp: true, webhookPrivateNetworks: ['127.0.0.0/8'] };
  const servers = [
    await TestServer.start(settings, async () => store),
    await TestServer.start(settings, kept),
  ];
  const [one] = servers;
  if (!one) throw new Error('No server');
  await one.send('POST', '/patois/v1/notice-channels', {
    headers: one.asAdmin,
    body: { kind: 'webhook', url: `${receiver.url}/once`, events: ['token.expiring', 'token.expired'] },
  });
  const tasks = servers.map(({ app }) => app.nest.get(ExpiryNoticesTask, { strict: false }));
  for (const task of tasks) await task.run();
  const { id: ownerId } = await one.admin();
  const organizationId = (await one.organization('Default')).id;
  await one.app.dataSource.query(
    `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
       inactive, created_at, expires_at, dialect_fields)
     SELECT gen_random_uuid(), 'pt-' || substr(md5(n::text), 1, 12), '\\x00', 'none', 'quay', $1, $2, n::text, '{}', '{}',
       false, $3, $4::timestamptz + n * interval '1 s', '{}' FROM generate_series(1, 1300) n`,
    [ownerId, organizationId, new Date(), new Date(Date.now() + 31 * DAY_MS)],
  );
  for (const days of [2, 23, 6, 2]) {
    moveClock(days * DAY_MS);
    await Promise.all([...tasks, ...tasks].map((task) => task.run()));
  }
  jest.useRealTimers();
  const deliveries = await one.app.dataSource.manager.find(NoticeDelivery, {
    select: { tokenId: true, occasion: true },
  });
  const each = new Set(deliveries.map(({ tokenId, occasion }) => `${tokenId} ${occasion}`));
  expect([deliveries.length, each.size]).toEqual([4 * 1_300, 4 * 1_300]);
  for (const server of servers.toReversed()) await server.close();
}, 180_000);
