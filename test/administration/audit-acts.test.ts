import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { PasswordAuthenticator } from '../../src/auth/password-authenticator.js';
import { RefusedCalls } from '../../src/http/refusals/refused-calls.js';
import { moveClock } from '../support/clock.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let head: TestUser;
let adminId: string;

beforeAll(async () => {
  server = await TestServer.start();
  head = await server.makeUser({ login: 'head', role: 'organizationAdministrator' });
  adminId = (await server.admin()).id;
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => server.close());

function call(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<Received> {
  return server.send(method, path, { headers, ...(body === undefined ? {} : { body }) });
}

async function events(query: string): Promise<Record<string, unknown>[]> {
  await server.app.nest.get(PasswordAuthenticator, { strict: false }).flush();
  await server.app.nest.get(RefusedCalls, { strict: false }).flush();
  const { json } = await call('GET', `/patois/v1/audit-events?${query}`, server.asAdmin);
  return json.items as Record<string, unknown>[];
}

describe('a login by password', () => {
  test('is an event, with where it came from, once an hour for who sends it with each request', async () => {
    const { user, byPassword } = await server.makeUser();
    for (let count = 0; count < 5; count += 1) {
      await call('GET', '/patois/v1/me', { ...byPassword, 'user-agent': 'client/1' });
    }
    moveClock(10 * 60_000);
    expect((await call('GET', '/patois/v1/me', byPassword)).status).toBe(200);
    expect(await events(`action=login.success&actor=${user.id}`)).toMatchObject([
      {
        actor: { type: 'user', id: user.id },
        object: { type: 'login', id: user.login },
        after: { via: 'password' },
        address: '127.0.0.1',
        userAgent: 'client/1',
      },
    ]);
    moveClock(61 * 60_000);
    await call('GET', '/patois/v1/me', byPassword);
    expect(await events(`action=login.success&actor=${user.id}`)).toHaveLength(2);
  });

  test('is none where it fails, or a token stands in its place', async () => {
    const { user } = await server.makeUser();
    const { value } = await server.issue({ dialect: 'quay', ownerId: user.id, scopes: ['user:admin'] });
    const basic = Buffer.from(`$app:${value}`).toString('base64');
    await call('GET', '/api/v1/user/apptoken', { authorization: `Basic ${basic}` });
    const wrong = Buffer.from(`${user.login}:not the password`).toString('base64');
    await call('GET', '/patois/v1/me', { authorization: `Basic ${wrong}` });
    expect(await events(`action=login.success&actor=${user.id}`)).toEqual([]);
    expect(await events(`action=login.fail&actor=${user.id}`)).toHaveLength(1);
  });
});

describe('what a caller is not allowed to do is an event', () => {
  /** The one event of a refused call. */
  async function refused(caller: string, answer: Received): Promise<Record<string, unknown> | undefined> {
    expect(answer.status).toBe(403);
    const [event] = await events(`action=access.refuse&actor=${caller}&limit=1`);
    return event;
  }

  test('making a user, as a member', async () => {
    const { user, byPassword } = await server.makeUser();
    const answer = await call('POST', '/patois/v1/users', byPassword, { login: 'another' });
    expect(await refused(user.id, answer)).toMatchObject({
      actor: { type: 'user', id: user.id },
      object: { type: 'route', id: 'POST /patois/v1/users' },
      after: { reason: 'role' },
      address: '127.0.0.1',
      requestId: answer.headers['x-request-id'],
    });
  });

  test('giving a role that the caller does not have', async () => {
    const { user } = await server.makeUser();
    const answer = await call('PATCH', `/patois/v1/users/${user.login}`, head.byPassword, {
      role: 'administrator',
    });
    expect(await refused(head.user.id, answer)).toMatchObject({
      object: { type: 'route', id: expect.stringMatching(/^PATCH \/patois\/v1\/users\/:/) },
      after: { parameters: expect.objectContaining({}) },
    });
    expect(JSON.stringify((await events(`action=access.refuse&actor=${head.user.id}`))[0])).toContain(
      user.login,
    );
  });

  test('rotating a token that holds more than the caller', async () => {
    const strong = await server.issue({ dialect: 'patois', ownerId: adminId, scopes: ['*'] });
    const weak = await server.issue({ dialect: 'patois', ownerId: adminId, scopes: ['patois:tokens.write'] });
    const path = `/patois/v1/tokens/${strong.token.tokenId}/rotate`;
    const answer = await call('POST', path, bearer(weak.value));
    const event = await refused(weak.token.tokenId, answer);
    expect(event).toMatchObject({
      actor: { type: 'token', id: weak.token.tokenId },
      object: { id: expect.stringMatching(/^POST \/patois\/v1\/tokens\/:\w+\/rotate$/) },
      after: { reason: 'grant' },
    });
    expect(JSON.stringify(event)).toContain(strong.token.tokenId);
  });

  test('calling without the scope', async () => {
    const { token, value } = await server.issue({ dialect: 'patois', ownerId: adminId, scopes: [] });
    expect(
      await refused(token.tokenId, await call('GET', '/patois/v1/audit-seals', bearer(value))),
    ).toMatchObject({
      object: { id: 'GET /patois/v1/audit-seals' },
      after: { reason: 'scope' },
    });
  });

  test('once a minute for a route and a reason, and without secrets in the path', async () => {
    const { user, byPassword } = await server.makeUser();
    const { value } = await server.issue({ dialect: 'patois', ownerId: adminId, scopes: [] });
    for (let count = 0; count < 5; count += 1) {
      expect((await call('GET', `/patois/v1/jobs/${value}`, byPassword)).status).toBe(403);
    }
    const found = await events(`action=access.refuse&actor=${user.id}`);
    expect(found).toHaveLength(1);
    expect(JSON.stringify(found)).toContain(`${value.slice(0, 15)}_…`);
    moveClock(61_000);
    await call('GET', `/patois/v1/jobs/${value}`, byPassword);
    expect(await events(`action=access.refuse&actor=${user.id}`)).toHaveLength(2);
  });

  test('and is none where nobody is known to call, or what is asked for is not there', async () => {
    const count = async (): Promise<number> => (await events('action=access.refuse&limit=1000')).length;
    const before = await count();
    await call('GET', '/patois/v1/audit-seals', {});
    await call('GET', '/patois/v1/audit-seals/999999', server.asAdmin);
    expect(await count()).toBe(before);
  });
});

test('a change of a role is an event with the role before and after', async () => {
  const { user } = await server.makeUser();
  await call('PATCH', `/patois/v1/users/${user.login}`, server.asAdmin, {
    role: 'organizationAdministrator',
    permissions: ['view_users'],
  });
  expect((await events(`action=user.update&object=${user.id}`))[0]).toMatchObject({
    actor: { type: 'user', id: adminId },
    before: { role: 'member', permissions: [] },
    after: { role: 'organizationAdministrator', permissions: ['view_users'] },
  });
});

test('a verification of the trail is an event when it begins and when it ends', async () => {
  const { json } = await call('POST', '/patois/v1/audit-seals/verification', server.asAdmin);
  expect((await events(`object=${json.id}`)).at(-1)).toMatchObject({
    actor: { type: 'user', id: adminId },
    action: 'job.start',
    after: { kind: 'audit-verification' },
  });
});
