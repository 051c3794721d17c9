import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { LookupAddress } from 'node:dns';
import { ForgetDeliveriesTask } from '../../src/notices/forget-deliveries.task.js';
import { NoticeChannel } from '../../src/notices/notice-channel.entity.js';
import { NoticeDelivery } from '../../src/notices/notice-delivery.entity.js';
import { NoticeSender } from '../../src/notices/notice-sender.js';
import { backOff, NOTICE_TIMING, type NoticeTiming, TIMING } from '../../src/notices/timing.js';
import { NameLookup } from '../../src/notices/webhook/name-lookup.js';
import { NoticeReceiver, verified } from '../support/notice-receiver.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const HOUR_MS = 3_600_000;

let server: TestServer;
let receiver: NoticeReceiver;
const secrets: string[] = [];
let count = 0;

beforeAll(async () => {
  receiver = await NoticeReceiver.start();
  server = await TestServer.start({
    webhookAllowsHttp: true,
    webhookPrivateNetworks: ['127.0.0.1/32'],
    publicUrl: 'https://tokens.example.com',
  });
});
afterEach(async () => {
  jest.restoreAllMocks();
  // There may be twenty.
  await server.app.dataSource.query(`DELETE FROM notice_channels`);
});
afterAll(async () => {
  const { logged } = server;
  await server.close();
  await receiver.close();
  const output = logged.join('\n');
  if (secrets.some((secret) => output.includes(secret.slice(6)))) throw new Error('A secret was logged');
});

interface Made {
  id: string;
  secret: string;
  path: string;
}

/** A channel to a path of its own. */
async function make(url = receiver.url): Promise<Made> {
  const path = `/hook${(count += 1)}`;
  const body = { kind: 'webhook', url: `${url}${path}`, events: ['policy.changed'] };
  const { status, json } = await server.send('POST', '/patois/v1/notice-channels', {
    headers: server.asAdmin,
    body,
  });
  expect(status).toBe(201);
  secrets.push(json.secret);
  return { id: json.id, secret: json.secret, path };
}

async function sendTest({ id }: Made): Promise<string> {
  const { status, json } = await server.send('POST', `/patois/v1/notice-channels/${id}/test`, {
    headers: server.asAdmin,
  });
  expect(status).toBe(202);
  return json.id;
}

/** Puts as many notices into the outbox at once, and says in which order. */
async function queue({ id }: Made, length: number): Promise<string[]> {
  const rows = await server.app.dataSource.query<{ id: string }[]>(
    `INSERT INTO notice_deliveries (id, queue_id, channel_id, event, data, status, attempts, occurred_at, queued_at, due_at)
     SELECT gen_random_uuid(), $1::uuid, $1::uuid, 'channel.test', '{}', 'waiting', 0, now(), now(), now()
     FROM generate_series(1, $2::int) RETURNING id, sequence`,
    [id, length],
  );
  runSoon();
  return rows.map((row) => row.id);
}

function runSoon(): void {
  server.app.nest.get(NoticeSender, { strict: false }).runSoon();
}

function timing(changes: Partial<NoticeTiming>): void {
  Object.assign(server.app.nest.get<NoticeTiming>(NOTICE_TIMING, { strict: false }), TIMING, changes);
}

function deliveryOf(id: string): Promise<NoticeDelivery> {
  return server.app.dataSource.manager.findOneByOrFail(NoticeDelivery, { id });
}

function channelOf({ id }: Made): Promise<NoticeChannel> {
  return server.app.dataSource.manager.findOneByOrFail(NoticeChannel, { id });
}

async function attempted(id: string, attempts: number): Promise<NoticeDelivery> {
  await until(async () => {
    const { attempts: made, status } = await deliveryOf(id);
    return made === attempts && (status !== 'delivered' || made > 0);
  });
  return deliveryOf(id);
}

async function ended(id: string): Promise<NoticeDelivery> {
  await until(async () => (await deliveryOf(id)).status !== 'waiting');
  return deliveryOf(id);
}

/** As it is so much later: the database keeps its own time. */
async function pass(ms: number): Promise<void> {
  await server.app.dataSource.query(
    `UPDATE notice_deliveries SET due_at = due_at - $1::float8 * interval '1 ms', queued_at = queued_at - $1::float8 * interval '1 ms'
     WHERE status = 'waiting'`,
    [ms],
  );
  runSoon();
}

describe('a webhook', () => {
  test('is signed as the specification has it', async () => {
    const channel = await make();
    const id = await sendTest(channel);
    expect(await ended(id)).toMatchObject({ status: 'delivered', attempts: 1, responseStatus: 204 });
    const [notice] = receiver.at(channel.path);
    if (!notice) throw new Error('Nothing came in');
    expect(verified(notice, channel.secret)).toEqual({
      type: 'channel.test',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      data: { organization: null },
    });
    expect(notice.headers).toMatchObject({
      'webhook-id': id,
      'webhook-signature': expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
      'content-type': 'application/json',
    });
    const other = await make();
    expect(() => verified(notice, other.secret)).toThrow('No matching signature found');
    expect(() => verified({ ...notice, body: `${notice.body} ` }, channel.secret)).toThrow(
      'No matching signature found',
    );
  });

  test('is signed with both secrets while a rotation lasts, and with the new one alone afterwards', async () => {
    const channel = await make();
    const rotate = async (graceSeconds: number): Promise<string> => {
      const path = `/patois/v1/notice-channels/${channel.id}/secret`;
      const { json } = await server.send('POST', path, { headers: server.asAdmin, body: { graceSeconds } });
      secrets.push(json.secret);
      return json.secret;
    };
    const second = await rotate(3_600);
    await ended(await sendTest(channel));
    const [both] = receiver.at(channel.path);
    for (const secret of [channel.secret, second]) expect(() => both && verified(both, secret)).not.toThrow();
    expect(both?.headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
    await server.app.dataSource.query(
      `UPDATE notice_channels SET previous_secret_until = previous_secret_until - interval '2 hours' WHERE id = $1`,
      [channel.id],
    );
    await ended(await sendTest(channel));
    const third = await rotate(0);
    await ended(await sendTest(channel));
    const [, later, last] = receiver.at(channel.path);
    if (!later || !last) throw new Error('Too few came in');
    expect(() => verified(later, second)).not.toThrow();
    expect(() => verified(later, channel.secret)).toThrow('No matching signature found');
    expect(() => verified(last, third)).not.toThrow();
    expect(() => verified(last, second)).toThrow('No matching signature found');
  });

  test('of which there are many comes in the order in which they were written, each once', async () => {
    const channel = await make();
    const ids = await queue(channel, 40);
    for (const id of ids) await ended(id);
    expect(receiver.at(channel.path).map(({ headers }) => headers['webhook-id'])).toEqual(ids);
  });

  test('comes again until it is taken, and what is behind it waits, in this channel alone', async () => {
    const [failing, other] = [await make(), await make()];
    receiver.reactions.set(failing.path, 500);
    const [first = '', second = ''] = await queue(failing, 2);
    expect(await attempted(first, 1)).toMatchObject({
      status: 'waiting',
      responseStatus: 500,
      error: 'Answered 500',
    });
    await ended(await sendTest(other));
    expect((await deliveryOf(second)).attempts).toBe(0);
    await pass(HOUR_MS);
    await attempted(first, 2);
    receiver.reactions.delete(failing.path);
    await pass(HOUR_MS);
    expect(await ended(first)).toMatchObject({ status: 'delivered', attempts: 3, error: null });
    expect(await ended(second)).toMatchObject({ status: 'delivered', attempts: 1 });
    expect(receiver.at(failing.path).map(({ headers }) => headers['webhook-id'])).toEqual([
      first,
      first,
      first,
      second,
    ]);
    expect((await channelOf(failing)).failures).toBe(0);
  });

  test('waits longer after each failure', async () => {
    const channel = await make();
    receiver.reactions.set(channel.path, 502);
    const [id = ''] = await queue(channel, 1);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      const { dueAt, attemptedAt } = await attempted(id, attempt);
      waits.push((dueAt.getTime() - (attemptedAt?.getTime() ?? 0)) / 1000);
      await pass(HOUR_MS);
    }
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThan(5 * 2 ** index * 0.79);
      expect(wait).toBeLessThan(5 * 2 ** index * 1.21);
    }
  });

  test('is given up after a day, with all that waits for as long, and the channel goes on', async () => {
    const channel = await make();
    receiver.reactions.set(channel.path, 500);
    const [first = '', second = ''] = await queue(channel, 2);
    await attempted(first, 1);
    await pass(23 * HOUR_MS);
    const { status } = await attempted(first, 2);
    expect(status).toBe('waiting');
    const young = await sendTest(channel);
    await attempted(first, 3);
    await server.app.dataSource.query(
      `UPDATE notice_deliveries SET queued_at = queued_at - interval '2 hours' WHERE id = ANY ($1::uuid[])`,
      [[first, second]],
    );
    await server.app.dataSource.query(`UPDATE notice_deliveries SET due_at = now() WHERE id = $1`, [first]);
    runSoon();
    expect(await ended(first)).toMatchObject({ status: 'failed', attempts: 4, error: 'Answered 500' });
    expect(await ended(second)).toMatchObject({ status: 'failed', attempts: 0, error: 'Answered 500' });
    const next = await deliveryOf(young);
    expect([next.status, next.attempts, next.dueAt.getTime() > Date.now() + 2_000]).toEqual([
      'waiting',
      0,
      true,
    ]);
    receiver.reactions.delete(channel.path);
    await pass(HOUR_MS);
    expect((await ended(young)).status).toBe('delivered');
  });

  test('is sent again no sooner than the receiver asks for, within an hour', async () => {
    const channel = await make();
    const waitAfter = async (status: number, retryAfter: string): Promise<number> => {
      receiver.reactions.set(channel.path, (response) =>
        response.writeHead(status, { 'retry-after': retryAfter }).end(),
      );
      const [id = ''] = await queue(channel, 1);
      const { dueAt, attemptedAt } = await attempted(id, 1);
      receiver.reactions.delete(channel.path);
      await pass(24 * HOUR_MS);
      await ended(id);
      return Math.round((dueAt.getTime() - (attemptedAt?.getTime() ?? 0)) / 1000);
    };
    expect(await waitAfter(429, '600')).toBe(600);
    expect(await waitAfter(503, '86400')).toBe(3_600);
    const date = new Date(Date.now() + 300_000).toUTCString();
    expect(Math.abs((await waitAfter(503, date)) - 300)).toBeLessThan(60);
    for (const [status, text] of [
      [429, 'soon'],
      [500, '600'],
      [429, '-5'],
    ] as const) {
      expect(await waitAfter(status, text)).toBeLessThan(10);
    }
  });

  test('that is answered 410 is the last: the channel is disabled, and says why', async () => {
    const channel = await make();
    receiver.reactions.set(channel.path, 410);
    const [first = '', second = ''] = await queue(channel, 2);
    expect(await ended(first)).toMatchObject({ status: 'failed', responseStatus: 410 });
    expect(await ended(second)).toMatchObject({ status: 'failed', attempts: 0 });
    await until(async () => !(await channelOf(channel)).enabled);
    expect(await channelOf(channel)).toMatchObject({ disabledReason: 'The receiver answered 410 Gone' });
    expect(receiver.at(channel.path)).toHaveLength(1);
    const path = `/patois/v1/audit-events?object=${channel.id}&action=noticeChannel.disable`;
    const { json } = await server.send('GET', path, { headers: server.asAdmin });
    expect(json.items).toMatchObject([{ actor: { type: 'system' }, after: { enabled: false } }]);
  });

  test('that is answered with a redirect is not sent there', async () => {
    const [channel, target] = [await make(), await make()];
    receiver.reactions.set(channel.path, (response) =>
      response.writeHead(307, { location: target.path }).end(),
    );
    const id = await sendTest(channel);
    expect(await attempted(id, 1)).toMatchObject({
      responseStatus: 307,
      error: 'Answered 307: redirects are not followed',
    });
    expect(receiver.at(target.path)).toEqual([]);
  });

  test('that hangs is given up for now, and keeps no other channel waiting', async () => {
    timing({ timeoutMs: 400 });
    const [hanging, slow, other] = [await make(), await make(), await make()];
    const open: (() => void)[] = [];
    receiver.reactions.set(hanging.path, (response) => open.push(() => response.end()));
    // A body without an end after a good status is nobody's loss.
    receiver.reactions.set(slow.path, (response) => {
      response.writeHead(200).write('x');
      open.push(() => response.end());
    });
    const id = await sendTest(hanging);
    await until(() => receiver.at(hanging.path).length === 1);
    await ended(await sendTest(other));
    expect((await ended(await sendTest(slow))).status).toBe('delivered');
    expect(await attempted(id, 1)).toMatchObject({ responseStatus: null, error: 'No answer within 0.4 s' });
    for (const end of open) end();
    timing({});
  });

  test('that nobody listens for is sent again, and the error names no address', async () => {
    const free = await NoticeReceiver.start();
    const { url } = free;
    await free.close();
    const id = await sendTest(await make(url));
    expect((await attempted(id, 1)).error).toBe('The connection failed (ECONNREFUSED)');
  });

  test('answers of any size and kind are not kept', async () => {
    const channel = await make();
    const said = 'what a receiver says';
    receiver.reactions.set(channel.path, (response) =>
      response.writeHead(500, { 'x-said': said }).end(said.repeat(9_999)),
    );
    const id = await sendTest(channel);
    expect(JSON.stringify(await attempted(id, 1))).not.toContain(said);
  });

  test('is not sent to addresses of networks that are not allowed any more', async () => {
    const channel = await make();
    await server.app.dataSource.query(`UPDATE notice_channels SET target = $2 WHERE id = $1`, [
      channel.id,
      `http://127.0.0.2:${receiver.port}${channel.path}`,
    ]);
    const id = await sendTest(channel);
    expect((await attempted(id, 1)).error).toBe('The address must not be of a private or reserved network');
    expect(receiver.at(channel.path)).toEqual([]);
  });
});

describe('a name', () => {
  /** Has a name lead to addresses, those of each look-up. */
  function leads(...answers: string[][]): { lookups: string[] } {
    const lookups: string[] = [];
    jest
      .spyOn(server.app.nest.get(NameLookup, { strict: false }), 'addressesOf')
      .mockImplementation(async (name) => {
        const found = answers[Math.min(lookups.push(name), answers.length) - 1] ?? [];
        return found.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
      });
    return { lookups };
  }

  const named = (): Promise<Made> => make(`http://hooks.example.com:${receiver.port}`);

  test('that leads to an allowed address is connected to there', async () => {
    const { lookups } = leads(['127.0.0.1']);
    const channel = await named();
    expect((await ended(await sendTest(channel))).status).toBe('delivered');
    expect(lookups).toEqual(['hooks.example.com']);
    expect(receiver.at(channel.path)[0]?.headers.host).toBe(`hooks.example.com:${receiver.port}`);
  });

  test.each([
    [['127.0.0.2']],
    [['10.0.0.1']],
    [['::1']],
    [['::ffff:169.254.169.254']],
    [['127.0.0.1', '127.0.0.2']],
    [['0.0.0.0']],
  ])('that leads to %j is not connected to', async (addresses) => {
    leads(addresses);
    const channel = await named();
    const id = await sendTest(channel);
    expect((await attempted(id, 1)).error).toBe('The address is of a private or reserved network');
    expect(receiver.at(channel.path)).toEqual([]);
  });

  test('that leads elsewhere the next time is asked about again, and only what was asked about is connected to', async () => {
    const { lookups } = leads(['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1']);
    const channel = await named();
    await ended(await sendTest(channel));
    const id = await sendTest(channel);
    expect((await attempted(id, 1)).error).toBe('The address is of a private or reserved network');
    expect(lookups).toHaveLength(2);
    expect(receiver.at(channel.path)).toHaveLength(1);
  });

  test('that leads nowhere is asked about again later', async () => {
    const failure = Object.assign(new Error('getaddrinfo ENOTFOUND hooks.example.com'), {
      code: 'ENOTFOUND',
    });
    jest.spyOn(server.app.nest.get(NameLookup, { strict: false }), 'addressesOf').mockRejectedValue(failure);
    const id = await sendTest(await named());
    expect((await attempted(id, 1)).error).toBe('The connection failed (ENOTFOUND)');
  });
});

test('notices are forgotten after thirty days, whatever became of them, and no others', async () => {
  const channel = await make();
  const { dataSource } = server.app;
  /** So many notices of so many days ago, of which this has become; their ids. */
  const past = async (length: number, status: string, days: number): Promise<string[]> => {
    const rows = await dataSource.query<{ id: string }[]>(
      `INSERT INTO notice_deliveries (id, queue_id, channel_id, event, data, status, attempts, occurred_at, queued_at, due_at)
       SELECT gen_random_uuid(), $1::uuid, $1::uuid, 'channel.test', '{}', $2, 1, now(), now() - $3::int * interval '1 day', now()
       FROM generate_series(1, $4::int) RETURNING id`,
      [channel.id, status, days, length],
    );
    return rows.map(({ id }) => id);
  };
  // More than one statement deletes.
  await past(1_100, 'delivered', 31);
  await past(100, 'failed', 31);
  const kept = [...(await past(2, 'delivered', 29)), ...(await past(1, 'failed', 29))];
  await server.app.nest.get(ForgetDeliveriesTask, { strict: false }).run();
  const left = await dataSource.query<{ id: string }[]>(
    'SELECT id FROM notice_deliveries WHERE channel_id = $1',
    [channel.id],
  );
  expect(left.map(({ id }) => id).sort()).toEqual(kept.sort());
});

test('the wait doubles up to an hour, a fifth less or more', () => {
  const at = (failures: number, random: number, asked?: number): number =>
    backOff(failures, TIMING, asked, random);
  expect([at(1, 0.5), at(2, 0.5), at(5, 0.5), at(11, 0.5), at(1_000, 0.5)]).toEqual([
    5_000, 10_000, 80_000, 3_600_000, 3_600_000,
  ]);
  expect([at(1, 0), at(1, 1)]).toEqual([4_000, 6_000]);
  expect([at(1, 0.5, 60_000), at(1, 0.5, 86_400_000), at(5, 0.5, 1_000)]).toEqual([
    60_000, 3_600_000, 80_000,
  ]);
});

test('metrics count what came of notices, and how long the oldest waits', async () => {
  const channel = await make();
  receiver.reactions.set(channel.path, 500);
  const id = await sendTest(channel);
  await attempted(id, 1);
  await server.app.dataSource.query(`UPDATE notice_deliveries SET queued_at = queued_at - interval '1 hour'`);
  runSoon();
  const metric = async (name: string): Promise<number> => {
    const { text } = await server.send('GET', '/metrics');
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')
        .at(-1),
    );
  };
  await until(async () => (await metric('patois_notices_oldest_waiting_seconds')) >= 3_600);
  expect(await metric('patois_notices_total{kind="webhook",outcome="delivered"}')).toBeGreaterThan(40);
  expect(await metric('patois_notices_total{kind="webhook",outcome="retried"}')).toBeGreaterThan(10);
  expect(await metric('patois_notices_total{kind="webhook",outcome="failed"}')).toBe(3);
});
