import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { UsageRecorder } from '../../src/decisions/usage-recorder.js';
import { JobRunner } from '../../src/jobs/job-runner.js';
import { Job } from '../../src/jobs/job.entity.js';
import { NoticeDelivery } from '../../src/notices/notice-delivery.entity.js';
import { NoticeSender } from '../../src/notices/notice-sender.js';
import { NOTICE_EVENTS } from '../../src/notices/notice.js';
import { Outbox } from '../../src/notices/outbox.js';
import { ExpiryNoticesTask } from '../../src/tokens/expiry/expiry-notices.task.js';
import { UnusedTokensTask } from '../../src/tokens/policy/unused-tokens.task.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { moveClock } from '../support/clock.js';
import { bearer } from '../support/http.js';
import { NoticeReceiver, verified } from '../support/notice-receiver.js';
import { TestServer, type TestUser } from '../support/server.js';
import { until } from '../support/until.js';

const DAY_MS = 86_400_000;

let server: TestServer;
let receiver: NoticeReceiver;
let owner: TestUser;
let researchId: string;
let channelId: string;
let secret: string;

beforeAll(async () => {
  receiver = await NoticeReceiver.start();
  server = await TestServer.start({
    webhookAllowsHttp: true,
    webhookPrivateNetworks: ['127.0.0.0/8'],
    trustedProxies: ['127.0.0.1/32'],
  });
  researchId = (await server.organization('Research')).id;
});
beforeEach(async () => {
  for (const table of [
    'notice_channels',
    'known_networks',
    'tokens',
    'last_uses',
    'expiry_notice_progress',
  ]) {
    await server.app.dataSource.query(`DELETE FROM ${table}`);
  }
  receiver.received.length = 0;
  receiver.reactions.clear();
  owner = await server.makeUser({ organizationId: researchId, email: 'ada@example.com' });
  ({ id: channelId, secret } = await channel({ events: NOTICE_EVENTS }));
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(async () => {
  await server.close();
  await receiver.close();
});

async function channel(spec: object): Promise<{ id: string; secret: string }> {
  const body = { kind: 'webhook', url: `${receiver.url}/hook`, organization: 'Research', ...spec };
  const { status, json } = await server.send('POST', '/patois/v1/notice-channels', {
    headers: server.asAdmin,
    body,
  });
  expect(status).toBe(201);
  return json;
}

async function policy(body: object, query = ''): Promise<void> {
  const path = `/patois/v1/organizations/Research/policy${query}`;
  const { status } = await server.send('PUT', path, { headers: server.asAdmin, body });
  expect(status).toBeLessThan(300);
}

function issue(spec: object = {}): Promise<{ token: Token; value: string }> {
  return server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['patois:*'], ...spec });
}

/** What was taken down for the channel, in order. */
function told(id = channelId): Promise<NoticeDelivery[]> {
  return server.app.dataSource.manager.find(NoticeDelivery, {
    where: { channelId: id },
    order: { sequence: 'ASC' },
  });
}

async function toldOf(event: string, id = channelId): Promise<NoticeDelivery[]> {
  return (await told(id)).filter((delivery) => delivery.event === event);
}

/** The notice as it arrives, its signature checked. */
async function arrived(): Promise<unknown[]> {
  server.app.nest.get(NoticeSender, { strict: false }).runSoon();
  await until(async () => (await told()).every(({ status }) => status === 'delivered'));
  return receiver.received.map((notice) => verified(notice, secret));
}

function shownToken({ tokenId, name, expiresAt }: Token): object {
  const { id, login } = owner.user;
  return {
    tokenId,
    dialect: 'patois',
    name,
    expiresAt: expiresAt?.toISOString() ?? null,
    owner: { id, login },
  };
}

describe('a token that expires', () => {
  const run = (): Promise<void> => server.app.nest.get(ExpiryNoticesTask, { strict: false }).run();
  const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

  /** The stages that were told of, by the names of their tokens. */
  async function stages(): Promise<string[]> {
    return (await told()).map(({ event, data }) => {
      const { token, days } = data as { token: { name: string }; days?: number };
      return `${token.name} ${event === 'token.expired' ? 'expired' : days}`;
    });
  }

  beforeEach(run);

  test('is told of 30, 7 and 1 days before and when it has, each once, however often it is looked for', async () => {
    const { token } = await issue({ name: 'a', expiresAt: inDays(40) });
    const seen: string[][] = [];
    for (const days of [9, 2, 21, 1, 1, 5, 0.5, 1, 2, 30]) {
      moveClock(days * DAY_MS);
      await run();
      await run();
      seen.push(await stages());
    }
    expect(seen.map((list) => list.at(-1))).toEqual([
      undefined,
      'a 30',
      'a 30',
      'a 7',
      'a 7',
      'a 1',
      'a 1',
      'a expired',
      'a expired',
      'a expired',
    ]);
    expect(seen.at(-1)).toEqual(['a 30', 'a 7', 'a 1', 'a expired']);
    const organization = { id: researchId, name: 'Research' };
    const notices = await told();
    expect([notices[0]?.data, notices[0]?.event]).toEqual([
      { token: shownToken(token), days: 30, organization },
      'token.expiring',
    ]);
    expect([notices[3]?.data, notices[3]?.event]).toEqual([
      { token: shownToken(token), organization },
      'token.expired',
    ]);
  });

  test('while nobody looked is told of as it is now, and not as it was', async () => {
    await issue({ name: 'a', expiresAt: inDays(31) });
    await issue({ name: 'b', expiresAt: inDays(33) });
    await issue({ name: 'c', expiresAt: inDays(39) });
    await issue({ name: 'd', expiresAt: inDays(69) });
    moveClock(32.5 * DAY_MS);
    await run();
    expect((await stages()).toSorted()).toEqual(['a expired', 'b 1', 'c 7']);
    moveClock(7 * DAY_MS);
    await run();
    expect((await stages()).toSorted()).toEqual([
      'a expired',
      'b 1',
      'b expired',
      'c 7',
      'c expired',
      'd 30',
    ]);
  });

  test('long ago is not told of', async () => {
    await issue({ name: 'a', expiresAt: inDays(31) });
    moveClock(50 * DAY_MS);
    await run();
    expect(await stages()).toEqual([]);
  });

  test('that was made for less time than that is told of when its time is nearer', async () => {
    await issue({ name: 'hours', expiresAt: inDays(0.5) });
    await issue({ name: 'days', expiresAt: inDays(5) });
    moveClock(4.2 * DAY_MS);
    await run();
    expect((await stages()).toSorted()).toEqual(['days 1', 'hours expired']);
  });

  test('whose expiry is moved is told of again', async () => {
    const { token } = await issue({ name: 'a', expiresAt: inDays(31) });
    moveClock(2 * DAY_MS);
    await run();
    const moved = await server.send('PATCH', `/patois/v1/tokens/${token.tokenId}`, {
      headers: server.asAdmin,
      body: { expiresAt: inDays(60).toISOString() },
    });
    expect(moved.status).toBe(200);
    moveClock(31 * DAY_MS);
    await run();
    expect(await stages()).toEqual(['a 30', 'a 30']);
  });

  test('that is revoked is not told of', async () => {
    const { token } = await issue({ name: 'a', expiresAt: inDays(31) });
    await server.revoke(token);
    moveClock(2 * DAY_MS);
    await run();
    expect(await stages()).toEqual([]);
  });

  test('among 1,200 is told of in portions, all of them once, by two at the same time', async () => {
    await server.app.dataSource.query(
      `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
         inactive, created_at, expires_at, dialect_fields)
       SELECT gen_random_uuid(), 'pt-' || substr(md5(n::text), 1, 12), '\\x00', 'none', 'quay', $1, $2, n::text, '{}', '{}',
         false, $3, $4::timestamptz + (n / 100) * interval '1 ms', '{}' FROM generate_series(1, 1200) n`,
      [owner.user.id, researchId, new Date(), inDays(31)],
    );
    moveClock(2 * DAY_MS);
    await Promise.all([run(), run()]);
    const names = (await stages()).map((stage) => stage.split(' ')[0]);
    expect(new Set(names).size).toBe(1_200);
    expect(names).toHaveLength(1_200);
  });

  test('is told to nobody who does not want to know, also not later', async () => {
    await server.app.dataSource.query(`UPDATE notice_channels SET events = '{policy.changed}'`);
    await issue({ name: 'a', expiresAt: inDays(31) });
    moveClock(2 * DAY_MS);
    await run();
    await server.app.dataSource.query(`UPDATE notice_channels SET events = '{token.expiring}'`);
    await run();
    expect(await stages()).toEqual([]);
  });
});

describe('a token whose replaced value turns up', () => {
  async function reuse(): Promise<Token> {
    const { token, value } = await issue();
    await server.send('POST', `/patois/v1/tokens/${token.tokenId}/rotate`, {
      headers: server.asAdmin,
      body: {},
    });
    await server.app.dataSource.query(
      `UPDATE retired_values SET retired_at = retired_at - interval '1 hour'`,
    );
    expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(401);
    await until(async () => (await toldOf('token.reused')).length > 0);
    return token;
  }

  test('is told of, with the address', async () => {
    await policy({});
    const token = await reuse();
    expect(await arrived()).toEqual([
      {
        type: 'token.reused',
        timestamp: expect.any(String),
        data: {
          token: shownToken(token),
          organization: { id: researchId, name: 'Research' },
          retiredAt: expect.any(String),
          address: '127.0.0.1',
          userAgent: null,
        },
      },
    ]);
  });

  test('and is revoked for it is told of as both', async () => {
    await policy({ onReuse: 'revoke' });
    await server.app.dataSource.query('DELETE FROM notice_deliveries');
    await reuse();
    const notices = await told();
    expect(notices.map(({ event }) => event)).toEqual(['token.reused', 'token.revokedByPolicy']);
    expect(notices[1]?.data).toMatchObject({ reason: 'reuse' });
    await policy({});
  });
});

describe('a token that is used from elsewhere', () => {
  /** As behind a proxy, which says from where. */
  async function use(value: string, address: string): Promise<void> {
    const headers = { ...bearer(value), 'x-forwarded-for': address };
    expect((await server.send('GET', '/verify', { headers })).status).toBe(204);
  }
  const flush = (): Promise<void> => server.app.nest.get(UsageRecorder, { strict: false }).flush();

  /** The sender looks every two seconds what is wanted. */
  beforeEach(async () => {
    const outbox = server.app.nest.get(Outbox, { strict: false });
    server.app.nest.get(NoticeSender, { strict: false }).runSoon();
    await until(() => outbox.wasWanted('token.newAddress'));
  });

  const addresses = async (): Promise<unknown[]> =>
    (await toldOf('token.newAddress')).map(({ data }) => data['addresses']);

  test('than from the first place and its network is told of, once', async () => {
    const { token, value } = await issue();
    await use(value, '198.51.100.7');
    await flush();
    await use(value, '198.51.100.200');
    await flush();
    expect(await addresses()).toEqual([]);
    await use(value, '203.0.113.9');
    await flush();
    await use(value, '198.51.100.7');
    await flush();
    await use(value, '203.0.113.10');
    await flush();
    expect(await arrived()).toEqual([
      {
        type: 'token.newAddress',
        timestamp: expect.any(String),
        data: {
          token: shownToken(token),
          organization: { id: researchId, name: 'Research' },
          addresses: ['203.0.113.9'],
          previousAddress: '198.51.100.200',
        },
      },
    ]);
  });

  test('between two uses of its usual place is told of, too', async () => {
    const { value } = await issue();
    await use(value, '198.51.100.7');
    await flush();
    for (const address of ['198.51.100.7', '2001:db8:7::1', '198.51.100.7', '198.51.100.7'])
      await use(value, address);
    await flush();
    expect(await addresses()).toEqual([['2001:db8:7::1']]);
    await use(value, '2001:db8:7:ffff::2');
    await flush();
    expect(await addresses()).toHaveLength(1);
  });

  test('in its very first seconds is told of', async () => {
    const { value } = await issue();
    for (const address of ['198.51.100.7', '203.0.113.9']) await use(value, address);
    await flush();
    expect(await addresses()).toEqual([['203.0.113.9']]);
  });

  test('is told of once a day at most, and what was not told of then afterwards', async () => {
    const { value } = await issue();
    for (const address of ['198.51.100.7', '203.0.113.9']) {
      await use(value, address);
      await flush();
    }
    moveClock(3_600_000);
    await use(value, '192.0.2.1');
    await flush();
    expect(await addresses()).toEqual([['203.0.113.9']]);
    moveClock(DAY_MS);
    await use(value, '203.0.113.9');
    await flush();
    await use(value, '192.0.2.1');
    await flush();
    expect(await addresses()).toEqual([['203.0.113.9'], ['192.0.2.1']]);
  });

  test('is looked at only while somebody wants to know', async () => {
    await server.app.dataSource.query('DELETE FROM notice_channels');
    const outbox = server.app.nest.get(Outbox, { strict: false });
    server.app.nest.get(NoticeSender, { strict: false }).runSoon();
    await until(() => !outbox.wasWanted('token.newAddress'));
    const { value } = await issue();
    for (const address of ['198.51.100.7', '203.0.113.9']) {
      await use(value, address);
      await flush();
    }
    const rows = await server.app.dataSource.query<object[]>('SELECT FROM known_networks');
    expect(rows).toEqual([]);
  });
});

describe('a token that a policy ends', () => {
  async function jobsDone(): Promise<void> {
    server.app.nest.get(JobRunner, { strict: false }).runSoon();
    const { manager } = server.app.dataSource;
    await until(async () => (await manager.find(Job)).every(({ endedAt }) => endedAt !== null));
  }

  afterEach(() => policy({}));

  test('because it does not conform is told of, with the change of the policy', async () => {
    await policy({});
    await server.app.dataSource.query('DELETE FROM notice_deliveries');
    await issue({ name: 'kept', allowedCidrs: ['10.1.0.0/16'] });
    const { token } = await issue({ name: 'ended', allowedCidrs: ['192.168.0.0/16'] });
    await policy({ allowedCidrs: ['10.0.0.0/8'] }, '?existing=conform');
    await jobsDone();
    const notices = await told();
    expect(notices.map(({ event, tokenId }) => [event, tokenId])).toEqual([
      ['policy.changed', null],
      ['token.revokedByPolicy', token.tokenId],
    ]);
    expect(notices[0]?.data).toEqual({
      organization: { id: researchId, name: 'Research' },
      version: expect.any(Number),
      changed: { allowedCidrs: { before: [], after: ['10.0.0.0/8'] } },
      changedBy: { type: 'user', id: (await server.admin()).id, name: 'admin' },
    });
    const reason = expect.stringMatching(/^policy version \d+$/);
    expect(notices[1]?.data).toMatchObject({ token: shownToken(token), reason });
  });

  test('because it was unused for too long is told of', async () => {
    await policy({ maxUnusedSeconds: 86_400 });
    const { token } = await issue();
    await server.app.dataSource.query(`UPDATE tokens SET created_at = created_at - interval '2 days'`);
    await server.app.nest.get(UnusedTokensTask, { strict: false }).run();
    await jobsDone();
    expect(
      (await toldOf('token.revokedByPolicy')).map(({ tokenId, data }) => [tokenId, data['reason']]),
    ).toEqual([[token.tokenId, 'unused']]);
  }, 60_000);

  test('and a policy that is replaced by the same is no news', async () => {
    await policy({ maxTokensPerUser: 5 });
    await policy({ maxTokensPerUser: 5 });
    expect(await toldOf('policy.changed')).toHaveLength(1);
  });
});

describe('who is told', () => {
  test('are channels of the organization and of all, that want the event and are enabled', async () => {
    const everywhere = await channel({ organization: null, events: ['policy.changed'] });
    const elsewhere = await channel({ organization: 'Default', events: ['policy.changed'] });
    const others = await channel({ events: ['token.leaked'] });
    const disabled = await channel({ events: ['policy.changed'] });
    await server.send('PATCH', `/patois/v1/notice-channels/${disabled.id}`, {
      headers: server.asAdmin,
      body: { enabled: false },
    });
    await policy({ maxTokensPerUser: 100 + Math.floor(Math.random() * 1_000) });
    const counts = await Promise.all(
      [channelId, everywhere.id, elsewhere.id, others.id, disabled.id].map(
        async (id) => (await told(id)).length,
      ),
    );
    expect(counts).toEqual([1, 1, 0, 0, 0]);
  });

  test('is nobody of what is taken back', async () => {
    const before = await told();
    const outbox = server.app.nest.get(Outbox, { strict: false });
    const { token } = await issue();
    const { manager } = server.app.dataSource;
    await expect(
      manager.transaction(async (inside) => {
        const runner = {
          run: ({ text }: { text: string }, values: readonly unknown[]) => inside.query(text, [...values]),
        };
        await outbox.write(runner as never, [
          { event: 'token.leaked', token, details: { source: 'a test' } },
        ]);
        throw new Error('taken back');
      }),
    ).rejects.toThrow('taken back');
    expect(await told()).toEqual(before);
  });

  test('is told no secret, though it stands in a name', async () => {
    const { value } = await issue();
    const { token } = await issue({ name: `backup of ${value}` });
    const outbox = server.app.nest.get(Outbox, { strict: false });
    const { manager } = server.app.dataSource;
    const runner = {
      run: ({ text }: { text: string }, values: readonly unknown[]) => manager.query(text, [...values]),
    };
    await outbox.write(runner as never, [{ event: 'token.leaked', token, details: { source: value } }]);
    expect(await arrived()).toHaveLength(1);
    expect(receiver.received[0]?.body).not.toContain(value.slice(16));
    expect(receiver.received[0]?.body).toContain(value.slice(0, 15));
  });
});
