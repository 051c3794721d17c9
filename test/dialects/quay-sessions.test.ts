import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const TOKENS = '/api/v1/user/apptoken';
const SIGN_IN = '/api/v1/signin';

let server: TestServer;
let user: TestUser;
beforeAll(async () => {
  server = await TestServer.start();
  user = await server.makeUser();
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => server.close());

type Headers = Record<string, string>;

/** Moves the clock on from the real time. */
function after(seconds: number): void {
  jest.restoreAllMocks();
  const now = Date.now() + seconds * 1000;
  jest.spyOn(Date, 'now').mockImplementation(() => now);
}

function cookieOf({ headers }: Received): string {
  return (headers['set-cookie']?.[0] ?? '').split(';', 1)[0] as string;
}

/** Begins a session: the headers with which to sign in. */
async function begin(asked = server): Promise<Headers> {
  const answer = await asked.send('GET', '/csrf_token');
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.json)).toEqual(['csrf_token']);
  return { cookie: cookieOf(answer), 'x-csrf-token': answer.json.csrf_token };
}

async function signIn(who: TestUser, headers?: Headers, localAddress?: string): Promise<Received> {
  const body = { username: who.user.login, password: who.password };
  return server.send('POST', SIGN_IN, { headers: headers ?? (await begin()), body, localAddress });
}

/** Signs in: the headers that stand for login and password from then on. */
async function session(who = user): Promise<Headers> {
  const answer = await signIn(who);
  expect([answer.status, answer.text]).toEqual([200, '{"success":true}']);
  const csrfToken = answer.headers['x-next-csrf-token'] as string;
  return { cookie: cookieOf(answer), 'x-csrf-token': csrfToken };
}

function list(headers: Headers, asked = server): Promise<Received> {
  return asked.send('GET', TOKENS, { headers });
}

function expectRefused({ status, json }: Received, code: number, type: string): void {
  expect([status, json.error_type]).toEqual([code, type]);
}

async function expectUnauthenticated(headers: Headers): Promise<void> {
  expectRefused(await list(headers), 401, 'invalid_token');
  const body = { title: 'x' };
  expectRefused(await server.send('POST', TOKENS, { headers, body }), 401, 'invalid_token');
}

describe('a session', () => {
  test('stands for login and password, to read and to change', async () => {
    const headers = await session();
    const made = await server.send('POST', TOKENS, { headers, body: { title: 'by session' } });
    expect(made.status).toBe(201);
    const { json } = await list(headers);
    expect(json.tokens.map(({ title }: { title: string }) => title)).toContain('by session');
    const path = `${TOKENS}/${made.json.token.uuid}`;
    expect((await server.send('DELETE', path, { headers })).status).toBe(204);
  });

  test('counts with the CSRF token that it is bound to alone, for reading as well', async () => {
    const [own, other] = [await session(), await session()];
    const { cookie = '', 'x-csrf-token': csrfToken = '' } = own;
    const wrong: Headers[] = [
      { cookie },
      { 'x-csrf-token': csrfToken },
      { cookie, 'x-csrf-token': '' },
      { cookie, 'x-csrf-token': `${csrfToken}x` },
      { cookie, 'x-csrf-token': other['x-csrf-token'] as string },
      { cookie: `${cookie}; ${other['cookie']}`, 'x-csrf-token': csrfToken },
    ];
    for (const headers of wrong) await expectUnauthenticated(headers);
    expect((await list({ ...own, cookie: `a=b; ${cookie}; c=d` })).status).toBe(200);
  });

  test('is nothing that can be made up, changed, or brought from a server with other keys', async () => {
    const own = await session();
    const value = (own['cookie'] as string).slice('quay_session='.length);
    const middle = Math.floor(value.length / 2);
    const flipped = value[middle] === 'A' ? 'B' : 'A';
    for (const wrong of [
      '',
      'x',
      value.slice(0, -4),
      value.slice(0, middle) + flipped + value.slice(middle + 1),
      Buffer.from('{"login":null}').toString('base64url'),
    ]) {
      await expectUnauthenticated({ ...own, cookie: `quay_session=${wrong}` });
    }
    const elsewhere = await TestServer.start();
    expectRefused(await list(own, elsewhere), 401, 'invalid_token');
    await elsewhere.close();
  });

  test('ends after ten minutes', async () => {
    const headers = await session();
    after(595);
    expect((await list(headers)).status).toBe(200);
    after(600);
    await expectUnauthenticated(headers);
  });

  test('ends with a new password, while the user is disabled, and with the user', async () => {
    const leaver = await server.makeUser();
    const path = `/patois/v1/users/${leaver.user.login}`;
    const change = async (body: object): Promise<void> => {
      const answer = await server.send('PATCH', path, { headers: server.asAdmin, body });
      expect(answer.status).toBe(200);
    };
    const first = await session(leaver);
    await change({ disabled: true });
    await expectUnauthenticated(first);
    await change({ disabled: false });
    expect((await list(first)).status).toBe(200);
    await change({ password: 'another password' });
    await expectUnauthenticated(first);
    const second = await session({ ...leaver, password: 'another password' });
    await server.send('DELETE', path, { headers: server.asAdmin });
    await expectUnauthenticated(second);
    // Nor does it pass to who takes the login and password of the deleted user.
    await server.makeUser({ login: leaver.user.login, password: 'another password' });
    await expectUnauthenticated(second);
  });

  test('is no credential of any other API, nor at verification', async () => {
    const headers = await session();
    for (const path of [
      '/patois/v1/me',
      '/api/status',
      '/api-tokens',
      '/me/tokens',
      '/oapi/v1/platform/user',
    ])
      expect([path, (await server.send('GET', path, { headers })).status]).toEqual([path, 401]);
    expect((await server.send('GET', '/verify', { headers })).status).toBe(401);
  });

  test('rescues no wrong credential', async () => {
    const headers = await session();
    for (const authorization of ['Bearer x', 'Bearer', 'Basic x', 'Negotiate x'])
      await expectUnauthenticated({ ...headers, authorization });
  });

  test('is kept from scripts and other sites, and goes over TLS alone where clients do', async () => {
    const { headers } = await signIn(user);
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(/^quay_session=[\w-]+; Path=\/api\/v1; Max-Age=600; HttpOnly; SameSite=Strict$/),
    ]);
    const secure = await TestServer.start({ publicUrl: 'https://tokens.example' });
    const answer = await secure.send('GET', '/csrf_token');
    await secure.close();
    expect(answer.headers['set-cookie']?.[0]).toMatch(/; SameSite=Strict; Secure$/);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('holds no secret: neither password nor CSRF token, sealed or not, can be read from it', async () => {
    const { cookie = '', 'x-csrf-token': csrfToken = '' } = await session();
    const text = Buffer.from(cookie.slice('quay_session='.length), 'base64url').toString();
    for (const secret of [user.password, csrfToken, user.user.login, user.user.id])
      expect(text + cookie).not.toContain(secret);
  });
});

describe('POST /api/v1/signin', () => {
  test('needs a session and its CSRF token, before any password is tried', async () => {
    const [one, other] = [await begin(), await begin()];
    const wrong: Headers[] = [
      {},
      { cookie: one['cookie'] as string },
      { 'x-csrf-token': one['x-csrf-token'] as string },
      { ...one, 'x-csrf-token': other['x-csrf-token'] as string },
    ];
    for (const headers of wrong) {
      const answer = await signIn(user, headers);
      expectRefused(answer, 403, 'insufficient_scope');
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    const old = await begin();
    after(600);
    expectRefused(await signIn(user, old), 403, 'insufficient_scope');
  });

  test('is what makes a session: before, it may do nothing', async () => {
    await expectUnauthenticated(await begin());
  });

  test('refuses a wrong password and an unknown login alike, and writes each down', async () => {
    for (const login of [user.user.login, 'nobody-there']) {
      const who = { ...user, user: Object.assign(Object.create(user.user), { login }), password: 'wrong' };
      const answer = await signIn(who as TestUser);
      expectRefused(answer, 401, 'invalid_token');
      expect(answer.headers['set-cookie']).toBeUndefined();
      const events = await server.app.dataSource.manager.findBy(AuditEvent, { action: 'login.fail' });
      expect(events.filter(({ objectId }) => objectId === login)).toHaveLength(1);
    }
  });

  test('counts wrong passwords with all others of the address, but no token', async () => {
    const localAddress = '127.0.0.77';
    const { value } = await server.issue({ dialect: 'quay', ownerId: user.user.id, scopes: ['user:admin'] });
    const headers = await begin();
    for (let count = 0; count < 31; count += 1)
      expectRefused(await signIn({ ...user, password: value }, headers, localAddress), 401, 'invalid_token');
    expect((await signIn(user, headers, localAddress)).status).toBe(200);
    for (let count = 0; count < 30; count += 1)
      expectRefused(
        await signIn({ ...user, password: `wrong ${count}` }, headers, localAddress),
        401,
        'invalid_token',
      );
    const answer = await signIn({ ...user, password: 'wrong again' }, headers, localAddress);
    expectRefused(answer, 429, 'too_many_requests');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  test.each([
    [undefined, 'Missing JSON body'],
    [['hunter2'], "The body is not of type 'object'"],
    [{ password: 'hunter2' }, "'username' is a required property"],
    [{ username: 'ada' }, "'password' is a required property"],
    [{ username: 5, password: 'hunter2' }, "'username' is not of type 'string'"],
    [{ username: 'ada', password: ['hunter2'] }, "'password' is not of type 'string'"],
    [{ username: 'ada', password: 'hunter2'.repeat(40) }, "'password' is longer than 255 characters"],
  ])('refuses %j, and repeats nothing of it', async (body, detail) => {
    const answer = await server.send('POST', SIGN_IN, { headers: await begin(), body });
    expect([answer.status, answer.json.detail]).toEqual([400, detail]);
    expect(answer.text).not.toContain('hunter2');
  });
});

describe('POST /api/v1/signout', () => {
  test('makes the client forget its session', async () => {
    const answer = await server.send('POST', '/api/v1/signout', { headers: await session() });
    expect([answer.status, answer.text]).toEqual([200, '{"success":true}']);
    expect(answer.headers['set-cookie']).toEqual([
      'quay_session=; Path=/api/v1; Max-Age=0; HttpOnly; SameSite=Strict',
    ]);
  });
});

test('GET /csrf_token speaks in the words of Quay, and of nothing below it', async () => {
  expectRefused(await server.send('POST', '/csrf_token'), 405, 'method_not_allowed');
  expectRefused(await server.send('GET', '/csrf_token/x'), 404, 'not_found');
  const wrong = await server.send('GET', '/csrf_token', { headers: bearer('x') });
  expect(wrong.status).toBe(200);
});
