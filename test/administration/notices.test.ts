import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { NoticeDelivery } from '../../src/notices/notice-delivery.entity.js';
import { NoticeChannel } from '../../src/notices/notice-channel.entity.js';
import { bearer, type Received } from '../support/http.js';
import { NoticeReceiver } from '../support/notice-receiver.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';
import { until } from '../support/until.js';

const CHANNELS = '/patois/v1/notice-channels';
const SECRET = /^whsec_[A-Za-z0-9+/]{43}=$/;

let server: TestServer;
let receiver: NoticeReceiver;
let researchId: string;
let head: TestUser;
let member: TestUser;
let stranger: TestUser;
const shown = new Set<string>();

beforeAll(async () => {
  receiver = await NoticeReceiver.start();
  server = await TestServer.start({ webhookAllowsHttp: true, webhookPrivateNetworks: ['127.0.0.0/8'] });
  researchId = (await server.organization('Research')).id;
  const elsewhere = await server.organization('Elsewhere');
  head = await server.makeUser({ role: 'organizationAdministrator', organizationId: researchId });
  member = await server.makeUser({ organizationId: researchId });
  stranger = await server.makeUser({ role: 'organizationAdministrator', organizationId: elsewhere.id });
});
beforeEach(async () => {
  await server.app.dataSource.query('DELETE FROM notice_channels');
  receiver.received.length = 0;
  receiver.reactions.clear();
});
afterAll(async () => {
  const events = JSON.stringify(await server.app.dataSource.manager.find(AuditEvent));
  const output = [...server.logged, events].join('\n');
  await server.close();
  await receiver.close();
  const written = [...shown].filter((secret) => output.includes(secret.slice('whsec_'.length)));
  if (shown.size === 0 || written.length > 0) throw new Error('A secret of a webhook was written');
});

async function call(
  method: string,
  path: string,
  headers: Record<string, string> = head.byPassword,
  body?: unknown,
): Promise<Received> {
  const answer = await server.send(method, `${CHANNELS}${path}`, {
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const found = answer.text.match(/whsec_[A-Za-z0-9+/=]+/g) ?? [];
  for (const secret of found) shown.add(secret);
  return answer;
}

const webhook = (changes: object = {}): object => ({
  kind: 'webhook',
  url: `${receiver.url}/hook`,
  events: ['token.expiring', 'token.reused'],
  ...changes,
});

async function make(
  changes: object = {},
  headers = head.byPassword,
): Promise<{ id: string; secret: string }> {
  const { status, json } = await call('POST', '', headers, webhook(changes));
  expect(status).toBe(201);
  return json as { id: string; secret: string };
}

async function byToken(owner: TestUser, spec: object): Promise<Record<string, string>> {
  const { value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, ...spec });
  return bearer(value);
}

const ALL_SCOPES = [
  'patois:users.read',
  'patois:users.write',
  'patois:tokens.read',
  'patois:tokens.write',
  'patois:introspect',
];

/** Every call, with the scopes that it needs. */
const CALLS: [method: string, path: string, scopes: string[], body?: object][] = [
  ['POST', '', ['patois:users.write', 'patois:tokens.read'], { events: ['policy.changed'] }],
  ['GET', '', ['patois:users.read']],
  ['GET', '/{id}', ['patois:users.read']],
  ['PATCH', '/{id}', ['patois:users.write', 'patois:tokens.read'], { events: ['token.leaked'] }],
  ['POST', '/{id}/secret', ['patois:users.write', 'patois:tokens.read'], {}],
  ['POST', '/{id}/test', ['patois:users.write']],
  ['GET', '/{id}/deliveries', ['patois:tokens.read']],
  ['POST', '/{id}/deliveries/{deliveryId}/redeliver', ['patois:users.write', 'patois:tokens.read']],
  ['DELETE', '/{id}', ['patois:users.write']],
];

describe.each(CALLS)(`%s ${CHANNELS}%s`, (method, path, scopes, body) => {
  /** Asks of a channel that is made for it, with one delivery that has ended. */
  async function ask(headers: Record<string, string>): Promise<Received> {
    const { id } = await make();
    const delivery = (await call('POST', `/${id}/test`)).json;
    await until(async () => (await deliveryOf(delivery.id)).status === 'delivered');
    const asked = path.replace('{id}', id).replace('{deliveryId}', delivery.id);
    const sent = method === 'POST' && path === '' ? webhook(body) : body;
    return call(method, asked, headers, sent);
  }

  test('is answered to administrators, of everything and of the organization', async () => {
    for (const headers of [server.asAdmin, head.byPassword]) {
      expect((await ask(headers)).status).toBeLessThan(300);
    }
  });

  test('needs a credential', async () => {
    expectProblem(await ask({}), 401);
    expectProblem(await ask(bearer('x')), 401);
  });

  test(`needs the scopes ${scopes.join(' and ')}`, async () => {
    for (const scope of scopes) {
      const lacking = await byToken(head, { scopes: ALL_SCOPES.filter((one) => one !== scope) });
      expectProblem(await ask(lacking), 403);
    }
    expect((await ask(await byToken(head, { scopes }))).status).toBeLessThan(300);
    expect((await ask(await byToken(head, { scopes: ['*'] }))).status).toBeLessThan(300);
  });

  test('is not for members', async () => {
    expectProblem(await ask(member.byPassword), 403);
  });

  if (path !== '') {
    test("another organization's is not there, as one that never was", async () => {
      expectProblem(await ask(stranger.byPassword), 404);
      for (const id of [randomUUID(), 'x', '%00', encodeURIComponent('../x')]) {
        const asked = path.replace('{id}', id).replace('{deliveryId}', randomUUID());
        expectProblem(await call(method, asked, head.byPassword, body), 404);
      }
    });

    test('one that is told of everything is not there for administrators of an organization', async () => {
      const { id } = await make({}, server.asAdmin);
      const asked = path.replace('{id}', id).replace('{deliveryId}', randomUUID());
      expectProblem(await call(method, asked, head.byPassword, body), 404);
    });
  }
});

function deliveryOf(id: string): Promise<NoticeDelivery> {
  return server.app.dataSource.manager.findOneByOrFail(NoticeDelivery, { id });
}

describe('POST a channel', () => {
  test('shows it with its secret, which no other answer has', async () => {
    const { status, json } = await call('POST', '', head.byPassword, webhook());
    expect([status, json]).toEqual([
      201,
      {
        id: expect.any(String),
        kind: 'webhook',
        url: `${receiver.url}/hook`,
        to: null,
        events: ['token.expiring', 'token.reused'],
        organization: { id: researchId, name: 'Research' },
        enabled: true,
        disabledReason: null,
        failures: 0,
        previousSecretUntil: null,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
        secret: expect.stringMatching(SECRET),
      },
    ]);
    const { secret, ...channel } = json;
    expect((await call('GET', `/${json.id}`)).json).toEqual(channel);
    expect((await call('GET', '')).json).toEqual({ items: [channel], nextCursor: null });
    const kept = await server.app.dataSource.query('SELECT * FROM notice_channels');
    expect(JSON.stringify(kept)).not.toContain(secret.slice(6));
  });

  test('is of the own organization, or of all, unless one is named', async () => {
    const organizationOf = async (changes: object, headers: Record<string, string>): Promise<unknown> =>
      (await call('POST', '', headers, webhook(changes))).json.organization;
    const research = { id: researchId, name: 'Research' };
    expect(await organizationOf({}, head.byPassword)).toEqual(research);
    expect(await organizationOf({ organization: 'research' }, head.byPassword)).toEqual(research);
    expect(await organizationOf({}, server.asAdmin)).toBeNull();
    expect(await organizationOf({ organization: null }, server.asAdmin)).toBeNull();
    expect(await organizationOf({ organization: researchId }, server.asAdmin)).toEqual(research);
    for (const organization of [null, 'Elsewhere', 'nowhere']) {
      expectProblem(await call('POST', '', head.byPassword, webhook({ organization })), 403);
    }
    expectProblem(
      await call('POST', '', server.asAdmin, webhook({ organization: 'nowhere' })),
      400,
      '/organization',
    );
  });

  test.each<[string, object, string]>([
    ['no kind', { kind: undefined }, '/kind'],
    ['an unknown kind', { kind: 'pager' }, '/kind'],
    ['no events', { events: undefined }, '/events'],
    ['an empty list of events', { events: [] }, '/events'],
    ['an unknown event', { events: ['token.created'] }, '/events'],
    ['the event of tests', { events: ['channel.test'] }, '/events'],
    ['an event twice', { events: ['token.leaked', 'token.leaked'] }, '/events'],
    ['an unknown key', { secret: 'x' }, '/secret'],
    ['no address', { url: undefined }, '/url'],
    ['a mailbox for a webhook', { to: 'ada@example.com' }, '/to'],
    ['mail where no server is configured', { kind: 'mail', url: undefined, to: 'ada@example.com' }, '/kind'],
    ['no address of a mailbox', { kind: 'mail', url: undefined, to: 'ada' }, '/to'],
    ['what is no address', { url: 'hook' }, '/url'],
    ['another scheme', { url: 'ftp://203.0.113.7/' }, '/url'],
    ['a user name', { url: 'https://ada@hooks.example.com/' }, '/url'],
    ['a password', { url: 'https://:secret@hooks.example.com/' }, '/url'],
    ['an address of 2,001 characters', { url: `https://hooks.example.com/${'x'.repeat(1_975)}` }, '/url'],
    ['a private address', { url: 'https://10.0.0.1/' }, '/url'],
    ['a private address in another form', { url: 'https://0x0a000001/' }, '/url'],
    ['the address of a cloud', { url: 'https://169.254.169.254/latest' }, '/url'],
    ['no particular address', { url: 'https://0.0.0.0/' }, '/url'],
    ['the loopback of IPv6', { url: 'https://[::1]/' }, '/url'],
    ['no particular address of IPv6', { url: 'https://[::]/' }, '/url'],
    ['a mapped private address', { url: 'https://[::ffff:10.0.0.1]/' }, '/url'],
    ['a private address behind NAT64', { url: 'https://[64:ff9b::10.0.0.1]/' }, '/url'],
  ])('refuses %s', async (_, changes, pointer) => {
    expectProblem(await call('POST', '', head.byPassword, webhook(changes)), 400, pointer);
    expect((await call('GET', '')).json.items).toEqual([]);
  });

  test('refuses an address that holds a token, and does not repeat it', async () => {
    const { value } = await server.issue({ dialect: 'patois', ownerId: head.user.id });
    const answer = await call(
      'POST',
      '',
      head.byPassword,
      webhook({ url: `https://hooks.example.com/${value}` }),
    );
    expectProblem(answer, 400, '/url');
  });

  test.each<[string, object]>([
    ['confined to CIDR blocks', { allowedCidrs: ['127.0.0.0/8'] }],
    ['that expires', { expiresAt: new Date('2099-01-01') }],
  ])('a token %s sets nothing up, for it would be told for longer, or elsewhere', async (_, spec) => {
    const headers = await byToken(head, { scopes: ['*'], ...spec });
    const { id } = await make();
    expectProblem(await call('POST', '', headers, webhook()), 403);
    expectProblem(await call('PATCH', `/${id}`, headers, { url: `${receiver.url}/other` }), 403);
    expectProblem(await call('PATCH', `/${id}`, headers, { enabled: true }), 403);
    expectProblem(await call('POST', `/${id}/secret`, headers, {}), 403);
    expect((await call('PATCH', `/${id}`, headers, { enabled: false })).status).toBe(200);
    expect((await call('DELETE', `/${id}`, headers)).status).toBe(204);
  });

  test('of many at once an organization has twenty', async () => {
    const answers = await Promise.all(
      Array.from({ length: 25 }, () => call('POST', '', head.byPassword, webhook())),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    for (const answer of answers.filter(({ status }) => status !== 201)) expectProblem(answer, 409);
    expect((await call('POST', '', server.asAdmin, webhook())).status).toBe(201);
    expect((await call('POST', '', stranger.byPassword, webhook())).status).toBe(201);
  });

  test('lists page by page', async () => {
    const ids = [(await make()).id, (await make()).id, (await make()).id];
    const first = (await call('GET', '?limit=2')).json;
    const second = (await call('GET', `?limit=2&cursor=${first.nextCursor}`)).json;
    const listed = [...first.items, ...second.items].map(({ id }: { id: string }) => id);
    expect([listed.toSorted(), second.nextCursor]).toEqual([ids.toSorted(), null]);
    expectProblem(await call('GET', '?limit=0'), 400, '/limit');
    expectProblem(await call('GET', '?cursor=x'), 400, '/cursor');
  });
});

describe('PATCH a channel', () => {
  test('changes what is named, and nothing else', async () => {
    const { id } = await make();
    const before = (await call('GET', `/${id}`)).json;
    const { status, json } = await call('PATCH', `/${id}`, head.byPassword, { events: ['policy.changed'] });
    expect([status, json]).toEqual([
      200,
      { ...before, events: ['policy.changed'], updatedAt: expect.any(String) },
    ]);
    expect((await call('GET', `/${id}`)).json).toEqual(json);
  });

  test.each<[object, string]>([
    [{ kind: 'mail' }, '/kind'],
    [{ organization: 'Elsewhere' }, '/organization'],
    [{ url: 'http://10.0.0.1/' }, '/url'],
    [{ to: 'ada@example.com' }, '/to'],
    [{ events: [] }, '/events'],
    [{ enabled: 'yes' }, '/enabled'],
    [{ enabled: null }, '/enabled'],
  ])('refuses %j', async (body, pointer) => {
    const { id } = await make();
    expectProblem(await call('PATCH', `/${id}`, head.byPassword, body), 400, pointer);
  });

  test('one that is disabled gives up what waits, and takes neither a test nor a notice again', async () => {
    receiver.reactions.set('/hook', 500);
    const { id } = await make();
    const { json } = await call('POST', `/${id}/test`);
    await until(async () => (await deliveryOf(json.id)).attempts === 1);
    expect((await call('PATCH', `/${id}`, head.byPassword, { enabled: false })).json.enabled).toBe(false);
    expect(await deliveryOf(json.id)).toMatchObject({ status: 'failed', error: 'The channel was disabled' });
    expectProblem(await call('POST', `/${id}/test`), 409);
    expectProblem(await call('POST', `/${id}/deliveries/${json.id}/redeliver`), 409);
  });
});

describe('POST a secret', () => {
  test('keeps the old one for a day, or as long as is asked for', async () => {
    const { id, secret } = await make();
    const graceOf = async (body: object): Promise<number | null> => {
      const { status, json } = await call('POST', `/${id}/secret`, head.byPassword, body);
      expect([status, json.secret]).toEqual([200, expect.stringMatching(SECRET)]);
      expect(json.secret).not.toBe(secret);
      const until = json.previousSecretUntil as string | null;
      return until === null ? null : Math.round((Date.parse(until) - Date.now()) / 3_600_000);
    };
    expect(await graceOf({})).toBe(24);
    expect(await graceOf({ graceSeconds: 7_200 })).toBe(2);
    expect(await graceOf({ graceSeconds: 0 })).toBeNull();
    for (const graceSeconds of [-1, 604_801, 1.5, '5', null]) {
      expectProblem(
        await call('POST', `/${id}/secret`, head.byPassword, { graceSeconds }),
        400,
        '/graceSeconds',
      );
    }
  });
});

describe('deliveries', () => {
  test('are listed newest first, with what became of them', async () => {
    const { id } = await make();
    const sent = (await call('POST', `/${id}/test`)).json;
    expect(sent).toMatchObject({ event: 'channel.test', status: 'waiting', attempts: 0, endedAt: null });
    await until(async () => (await deliveryOf(sent.id)).status === 'delivered');
    receiver.reactions.set('/hook', 503);
    const failing = (await call('POST', `/${id}/test`)).json;
    await until(async () => (await deliveryOf(failing.id)).attempts === 1);
    const { json } = await call('GET', `/${id}/deliveries`);
    expect(json).toMatchObject({
      items: [
        {
          id: failing.id,
          status: 'waiting',
          attempts: 1,
          responseStatus: 503,
          error: 'Answered 503',
          endedAt: null,
        },
        {
          id: sent.id,
          status: 'delivered',
          attempts: 1,
          responseStatus: 204,
          error: null,
          nextAttemptAt: null,
        },
      ],
      nextCursor: null,
    });
    expect((await call('GET', `/${id}/deliveries?status=delivered`)).json.items).toHaveLength(1);
    expect((await call('GET', `/${id}`)).json.failures).toBe(1);
    expectProblem(await call('GET', `/${id}/deliveries?status=x`), 400, '/status');
  });

  test('are sent again under the same id, also what was given up', async () => {
    const { id } = await make();
    const { json } = await call('POST', `/${id}/test`);
    await until(async () => (await deliveryOf(json.id)).status === 'delivered');
    const again = await call('POST', `/${id}/deliveries/${json.id}/redeliver`);
    expect([again.status, again.json]).toMatchObject([202, { id: json.id, status: 'waiting', attempts: 0 }]);
    await until(() => receiver.at('/hook').length === 2);
    expect(new Set(receiver.at('/hook').map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set([json.id]),
    );
    expectProblem(await call('POST', `/${id}/deliveries/${randomUUID()}/redeliver`), 404);
    expectProblem(await call('POST', `/${id}/deliveries/x/redeliver`), 404);
    const other = await make();
    expectProblem(await call('POST', `/${other.id}/deliveries/${json.id}/redeliver`), 404);
  });

  test('what is on its way is not sent again', async () => {
    receiver.reactions.set('/hook', 500);
    const { id } = await make();
    const { json } = await call('POST', `/${id}/test`);
    await until(async () => (await deliveryOf(json.id)).attempts === 1);
    expectProblem(await call('POST', `/${id}/deliveries/${json.id}/redeliver`), 409);
  });

  test('go with the channel', async () => {
    const { id } = await make();
    await call('POST', `/${id}/test`);
    expect((await call('DELETE', `/${id}`)).status).toBe(204);
    expectProblem(await call('GET', `/${id}`), 404);
    const { manager } = server.app.dataSource;
    expect(await manager.countBy(NoticeDelivery, { channelId: id })).toBe(0);
    expect(await manager.countBy(NoticeChannel, { id })).toBe(0);
  });
});

test('every change is in the audit trail, without the secret and without the path of a webhook', async () => {
  const { id } = await make({ url: `${receiver.url}/services/T0/B0/key` });
  await call('PATCH', `/${id}`, head.byPassword, { url: `${receiver.url}/services/T1/B1/key` });
  await call('POST', `/${id}/secret`, head.byPassword, {});
  const { json } = await call('POST', `/${id}/test`);
  await until(async () => (await deliveryOf(json.id)).status === 'delivered');
  await call('POST', `/${id}/deliveries/${json.id}/redeliver`);
  await call('DELETE', `/${id}`);
  const events = await server.app.dataSource.manager.find(AuditEvent, {
    where: { objectId: id },
    order: { time: 'ASC' },
  });
  expect(events.map(({ action }) => action)).toEqual([
    'noticeChannel.create',
    'noticeChannel.update',
    'noticeChannel.rotateSecret',
    'noticeChannel.test',
    'notice.redeliver',
    'noticeChannel.delete',
  ]);
  expect(events.map(({ actorId }) => actorId)).toEqual(events.map(() => head.user.id));
  expect(events[1]).toMatchObject({ before: { origin: receiver.url }, after: { urlChanged: true } });
  expect(JSON.stringify(events)).not.toContain('services');
});
