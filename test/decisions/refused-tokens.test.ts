import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { AuditWriter } from '../../src/audit/audit.writer.js';
import { RefusedTokens } from '../../src/decisions/refused-tokens.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { Token } from '../../src/tokens/token.entity.js';
import { basic, bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';
import { openTestStore } from '../support/store.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const FROM = '203.0.113.9';
const AGENT = 'stolen/1';

let server: TestServer;
let owner: TestUser;
let disabled: TestUser;
let introspector: Record<string, string>;

beforeAll(async () => {
  server = await TestServer.start({ trustedProxies: ['127.0.0.1/32'] });
  owner = await server.makeUser({ role: 'organizationAdministrator' });
  disabled = await server.makeUser();
  await server.app.dataSource.query('UPDATE users SET disabled = true WHERE id = $1', [disabled.user.id]);
  introspector = bearer((await issue({ scopes: ['patois:introspect'] })).value);
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => server.close());

interface Issued {
  token: Token;
  value: string;
}

function issue(spec: object = {}): Promise<Issued> {
  return server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'], ...spec });
}

/** A token that is refused for a reason. */
const REFUSED: [reason: string, make: () => Promise<Issued>][] = [
  [
    'revoked',
    async () => {
      const issued = await issue();
      await server.revoke(issued.token);
      return issued;
    },
  ],
  ['expired', () => issue({ expiresAt: new Date(Date.now() - 1) })],
  ['inactive', () => issue({ inactive: true })],
  ['owner_disabled', () => issue({ ownerId: disabled.user.id })],
  ['address', () => issue({ allowedCidrs: ['198.51.100.0/24'] })],
];

/** Where a token can be presented. Introspection and batches are told where it came from, and not by whom. */
const DOORS: [door: string, agent: string | null, present: (value: string) => Promise<Received>][] = [
  ['/patois/v1', AGENT, (value) => get('/patois/v1/me', bearer(value))],
  ['Foreman', AGENT, (value) => get('/api/users', bearer(value))],
  ['Quay', AGENT, (value) => get('/api/v1/user/apptoken', bearer(value))],
  ['Panther', AGENT, (value) => get('/api-tokens', { 'x-api-key': value })],
  ['Losant', AGENT, (value) => get('/me/tokens', bearer(value))],
  [
    'Yunxiao',
    AGENT,
    (value) => get('/oapi/v1/platform/users/admin/personalAccessTokens', { 'x-yunxiao-token': value }),
  ],
  ['/verify', AGENT, (value) => get('/verify', bearer(value))],
  ['a registry', AGENT, (value) => get('/v2/auth?service=r', basic('$app', value))],
  [
    'introspection, as the caller',
    AGENT,
    (value) => send('POST', '/oauth2/introspect', { ...FORM, ...bearer(value) }, 'token=x'),
  ],
  [
    'introspection',
    null,
    (value) =>
      send('POST', '/oauth2/introspect', { ...FORM, ...introspector }, `token=${value}&client_ip=${FROM}`),
  ],
  [
    'a batch',
    null,
    (value) =>
      send('POST', '/patois/v1/verifications', introspector, {
        verifications: [{ token: value, clientIp: FROM }],
      }),
  ],
];

function send(
  method: string,
  path: string,
  headers: Record<string, string>,
  body: unknown,
): Promise<Received> {
  const sent = { ...headers, 'x-forwarded-for': FROM, 'user-agent': AGENT };
  return server.send(method, path, { headers: sent, body });
}

function get(path: string, headers: Record<string, string>): Promise<Received> {
  return send('GET', path, headers, undefined);
}

async function eventsOf(token: Token): Promise<AuditEvent[]> {
  await server.app.nest.get(RefusedTokens, { strict: false }).flush();
  return server.app.dataSource.manager.find(AuditEvent, {
    where: { objectId: token.tokenId, action: 'token.refuse' },
    order: { time: 'ASC' },
  });
}

describe.each(DOORS)('at %s', (_, agent, present) => {
  test.each(REFUSED)(
    'a token whose secret is right and that is refused is an event: %s',
    async (reason, make) => {
      const { token, value } = await make();
      const before = Date.now();
      const { status, text } = await present(value);
      expect(status === 401 || status === 403 || text.includes('"active":false')).toBe(true);
      const events = await eventsOf(token);
      expect(events).toMatchObject([
        {
          actorType: 'token',
          actorId: token.tokenId,
          objectType: 'token',
          before: null,
          after: { reason },
          address: FROM,
          userAgent: agent,
        },
      ]);
      expect(Math.abs((events[0]?.time.getTime() ?? 0) - before)).toBeLessThan(60_000);
      expect(JSON.stringify(events)).not.toContain(value.slice(16));
    },
  );

  test("what is let in, lacks a scope, or is nobody's, is none", async () => {
    const good = await issue();
    const lacking = await issue({ scopes: [] });
    const wrong = `${good.token.tokenId}${makeToken().value.slice(15)}`;
    for (const value of [good.value, lacking.value, wrong, makeToken().value, 'nonsense'])
      await present(value);
    expect(await eventsOf(good.token)).toEqual([]);
    expect(await eventsOf(lacking.token)).toEqual([]);
  });
});

describe('events of refused tokens', () => {
  test('the API shows them, by action and by token, with the request of the answer', async () => {
    const { token, value } = await issue({ inactive: true });
    const { headers } = await get('/patois/v1/me', bearer(value));
    await eventsOf(token);
    for (const query of ['action=token.refuse&object=', 'actor=', 'object=']) {
      const path = `/patois/v1/audit-events?${query}${token.tokenId}`;
      const { json } = await server.send('GET', path, { headers: server.asAdmin });
      const [event] = json.items;
      expect(event).toMatchObject({ action: 'token.refuse', requestId: headers['x-request-id'] });
    }
  });

  test('one a minute for a token and a reason, however often and wherever it comes', async () => {
    const { token, value } = await issue({ inactive: true });
    for (let count = 0; count < 20; count += 1) await get('/verify', bearer(value));
    await get('/patois/v1/me', bearer(value));
    expect(await eventsOf(token)).toHaveLength(1);
    await get('/verify', bearer(value));
    expect(await eventsOf(token)).toHaveLength(1);
    const now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now + 59_000);
    await get('/verify', bearer(value));
    expect(await eventsOf(token)).toHaveLength(1);
    jest.spyOn(Date, 'now').mockImplementation(() => now + 61_000);
    await get('/verify', bearer(value));
    expect(await eventsOf(token)).toHaveLength(2);
  });

  test('another reason is another event', async () => {
    const { token, value } = await issue({ allowedCidrs: ['198.51.100.0/24'] });
    await get('/verify', bearer(value));
    await server.revoke(token);
    await get('/verify', bearer(value));
    const reasons = (await eventsOf(token)).map(({ after }) => after?.['reason']);
    expect(reasons).toHaveLength(2);
    expect(new Set(reasons)).toEqual(new Set(['address', 'revoked']));
  });

  test('what cannot be written is kept, and changes no answer', async () => {
    const { token, value } = await issue({ inactive: true });
    const writer = server.app.nest.get(AuditWriter, { strict: false });
    jest.spyOn(writer, 'write').mockRejectedValueOnce(new Error('the database is away'));
    expect((await get('/verify', bearer(value))).status).toBe(401);
    expect(await eventsOf(token)).toEqual([]);
    expect(await eventsOf(token)).toHaveLength(1);
  });

  test('a flood is bounded: some are written, the rest is a number in the log', async () => {
    const recorder = server.app.nest.get(RefusedTokens, { strict: false });
    const { token } = await issue();
    const strangers = Array.from({ length: 2_000 }, () =>
      Object.assign(new Token(), {
        id: token.id,
        tokenId: makeToken().tokenId,
        name: token.name,
        createdAt: token.createdAt,
      }),
    );
    await recorder.flush();
    const count = (): Promise<number> =>
      server.app.dataSource.manager.countBy(AuditEvent, { action: 'token.refuse' });
    const before = await count();
    for (const stranger of strangers) recorder.record(stranger, 'revoked', { address: FROM });
    await recorder.flush();
    expect((await count()) - before).toBe(500);
    expect(server.logged.filter((line) => line.includes('1500 refusals of tokens'))).toHaveLength(1);
    // Those that were left out are no repetitions: they are events when they come again.
    recorder.record(strangers[1_999] as Token, 'revoked', { address: FROM });
    await recorder.flush();
    expect((await count()) - before).toBe(501);
  });

  test('are written at the end of the process', async () => {
    const store = await openTestStore();
    const own = await TestServer.start({}, () => Promise.resolve({ ...store, close: async () => {} }));
    const user = await own.makeUser();
    const { value } = await own.issue({ dialect: 'patois', ownerId: user.user.id, inactive: true });
    const write = jest.spyOn(own.app.nest.get(AuditWriter, { strict: false }), 'write');
    await own.send('GET', '/verify', { headers: bearer(value) });
    expect(write).not.toHaveBeenCalled();
    await own.close();
    await store.close();
    expect(write.mock.calls.map(([, entries]) => entries)).toMatchObject([
      [{ action: 'token.refuse', object: { id: value.slice(0, 15) } }],
    ]);
    await expect(write.mock.results[0]?.value).resolves.toBeUndefined();
  });
});
