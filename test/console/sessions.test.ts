import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { PurgeSessionsTask } from '../../src/auth/sessions/purge-sessions.task.js';
import { Session } from '../../src/auth/sessions/session.entity.js';
import type { Database } from '../../src/database/database.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { basic, bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';
import { hasServer, openTestStore } from '../support/store.js';
import { until } from '../support/until.js';

const PATH = '/patois/v1/sessions';
const ME = '/patois/v1/me';
const TEXT = expect.any(String) as unknown as string;
const PROOF = { 'x-requested-with': 'patois-console' };
const SAME_SITE = { 'sec-fetch-site': 'same-origin' };

let store: Database;
let server: TestServer;
/** Another on the same database, where that takes more than one. */
let replica: TestServer;
beforeAll(async () => {
  store = await openTestStore();
  const kept = async (): Promise<Database> => ({ ...store, close: async () => {} });
  const settings = {
    tokenKeys: [{ name: 'test', secret: randomBytes(32) }],
    trustedProxies: ['127.0.0.1/32'],
  };
  server = await TestServer.start(settings, kept);
  replica = hasServer ? await TestServer.start(settings, kept) : server;
});
afterAll(async () => {
  if (replica !== server) await replica.close();
  await server.close();
  await store.close();
});

/** A browser that has signed in. */
interface Browser {
  id: string;
  /** `name=value`. */
  cookie: string;
  value: string;
  /** What the console sends with a GET. */
  reading: Record<string, string>;
  /** What it sends with everything else. */
  changing: Record<string, string>;
}

let lastAddress = 0;
/** An address that no test has used yet: failures are counted by it. */
function freshAddress(): string {
  lastAddress += 1;
  return `198.18.7.${lastAddress}`;
}

function post(body: unknown, headers: Record<string, string> = {}, at = server): Promise<Received> {
  return at.send('POST', PATH, { headers: { 'x-forwarded-for': freshAddress(), ...headers }, body });
}

function setCookieOf({ headers }: Received): string[] {
  return headers['set-cookie'] ?? [];
}

async function signIn(
  { user, password }: TestUser,
  at = server,
  headers: Record<string, string> = {},
): Promise<Browser> {
  const answer = await post({ login: user.login, password }, headers, at);
  expect(answer.status).toBe(201);
  const cookie = setCookieOf(answer)[0]?.split(';')[0] ?? '';
  const value = cookie.split('=')[1] ?? '';
  server.secrets.add(value);
  at.secrets.add(value);
  const reading = { cookie, ...PROOF };
  return { id: answer.json.id, cookie, value, reading, changing: { ...reading, ...SAME_SITE } };
}

async function statusOf({ reading }: Browser, at = server): Promise<number> {
  return (await at.send('GET', ME, { headers: reading })).status;
}

function end(browser: Browser, id = 'current', at = server): Promise<Received> {
  return at.send('DELETE', `${PATH}/${id}`, { headers: browser.changing });
}

function change(login: string, body: object): Promise<Received> {
  return server.send('PATCH', `/patois/v1/users/${login}`, { headers: server.asAdmin, body });
}

function query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
  return server.app.dataSource.query<Row[]>(text, values);
}

/** The body that makes a token. */
function tokenOf({ user: { login: owner } }: TestUser): object {
  return { owner, dialect: 'patois', name: 'x', scopes: ['patois:tokens.read'] };
}

function eventsOf(id: string): Promise<AuditEvent[]> {
  return server.app.dataSource.manager.find(AuditEvent, { where: { objectId: id }, order: { time: 'ASC' } });
}

describe('POST /patois/v1/sessions', () => {
  test('signs in by login and password: the session, and a cookie by which the user calls', async () => {
    const own = await server.makeUser();
    const address = freshAddress();
    const headers = { 'user-agent': 'browser/1', 'x-forwarded-for': address };
    const answer = await post({ login: own.user.login, password: own.password }, headers);
    expect([answer.status, answer.json]).toEqual([
      201,
      {
        id: TEXT,
        provider: null,
        createdAt: TEXT,
        lastUsedAt: TEXT,
        expiresAt: TEXT,
        address,
        userAgent: 'browser/1',
        isCurrent: true,
      },
    ]);
    const { createdAt, expiresAt } = answer.json;
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(12 * 3_600_000);
    const [cookie = ''] = setCookieOf(answer);
    server.secrets.add(cookie.split(/[=;]/)[1] ?? '');
    const me = await server.send('GET', ME, { headers: { cookie: cookie.split(';')[0] ?? '', ...PROOF } });
    expect([me.status, me.json.user.id, me.json.token]).toEqual([200, own.user.id, null]);
  });

  test('is in the trail, with the session and who vouched', async () => {
    const own = await server.makeUser();
    const { id } = await signIn(own);
    expect(await eventsOf(id)).toMatchObject([
      {
        action: 'session.create',
        actorType: 'user',
        actorId: own.user.id,
        objectType: 'session',
        after: { provider: null },
      },
    ]);
  });

  test.each([
    ['http', {}, /^patois_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Lax$/],
    [
      'https, as a proxy says',
      { 'x-forwarded-proto': 'https' },
      /^__Host-patois_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure$/,
    ],
  ])('sets the cookie that fits %s, and no other', async (_, headers, form) => {
    const own = await server.makeUser();
    const answer = await post({ login: own.user.login, password: own.password }, headers);
    expect(setCookieOf(answer)).toEqual([expect.stringMatching(form)]);
  });

  test('a wrong password is a 401 without a cookie, and counts as a failed login: the 31st waits', async () => {
    const own = await server.makeUser();
    const headers = { 'x-forwarded-for': freshAddress() };
    const right = { login: own.user.login, password: own.password };
    for (let count = 0; count < 30; count += 1) {
      const answer = await post({ ...right, password: 'wrong password' }, headers);
      expectProblem(answer, 401);
      expect(setCookieOf(answer)).toEqual([]);
    }
    expectProblem(await post(right, headers), 429);
    expect((await post(right)).status).toBe(201);
  });

  test('a token is no password: a 401 that does not count as a failed login', async () => {
    const own = await server.makeUser();
    const { value } = await server.issue({ dialect: 'patois', ownerId: own.user.id, scopes: ['*'] });
    for (const password of [value, makeToken().value]) {
      expectProblem(await post({ login: own.user.login, password }), 401);
    }
    const failures = await server.app.dataSource.manager.countBy(AuditEvent, {
      action: 'login.fail',
      objectId: own.user.login,
    });
    expect(failures).toBe(0);
  });

  test('nobody signs in who is disabled', async () => {
    const own = await server.makeUser();
    await change(own.user.login, { disabled: true });
    expectProblem(await post({ login: own.user.login, password: own.password }), 401);
  });

  test.each<[object, string[]]>([
    [{}, ['/login', '/password']],
    [{ login: 'x' }, ['/password']],
    [{ login: '', password: 'long enough' }, ['/login']],
    [{ login: 5, password: 'long enough' }, ['/login']],
    [{ login: 'x', password: null }, ['/password']],
    [{ login: 'x', password: 'x'.repeat(101) }, ['/password']],
    [{ login: 'x', password: 'long enough', provider: 'y' }, ['/provider']],
  ])('refuses %j', async (body, pointers) => {
    expectProblem(await post(body), 400, ...pointers);
  });
});

describe('GET /patois/v1/sessions', () => {
  test("lists the caller's own that live, newest first, page by page, and says which is current", async () => {
    const [own, other] = [await server.makeUser(), await server.makeUser()];
    await signIn(other);
    const [first, second, third, gone] = [
      await signIn(own),
      await signIn(own),
      await signIn(own),
      await signIn(own),
    ];
    await query(`UPDATE sessions SET expires_at = now() WHERE id = $1`, [gone.id]);
    const shown = async (path: string): Promise<{ ids: [string, boolean][]; nextCursor: string | null }> => {
      const { status, json } = await server.send('GET', path, { headers: second.reading });
      expect(status).toBe(200);
      return {
        ids: json.items.map(({ id, isCurrent }: { id: string; isCurrent: boolean }) => [id, isCurrent]),
        nextCursor: json.nextCursor,
      };
    };
    const page = await shown(`${PATH}?limit=2`);
    expect(page.ids).toEqual([
      [third.id, false],
      [second.id, true],
    ]);
    expect(await shown(`${PATH}?limit=2&cursor=${page.nextCursor}`)).toEqual({
      ids: [[first.id, false]],
      nextCursor: null,
    });
  });

  test('by password too: none of them is current then', async () => {
    const own = await server.makeUser();
    await signIn(own);
    const { status, json } = await server.send('GET', PATH, { headers: own.byPassword });
    expect([status, json.items.length, json.items[0].isCurrent]).toEqual([200, 1, false]);
  });

  test('needs a credential, and refuses bad queries', async () => {
    expectProblem(await server.send('GET', PATH), 401);
    const { reading } = await signIn(await server.makeUser());
    expectProblem(await server.send('GET', `${PATH}?limit=0`, { headers: reading }), 400, '/limit');
    expectProblem(await server.send('GET', `${PATH}?cursor=x`, { headers: reading }), 400, '/cursor');
  });
});

test('no token lists or ends sessions, whatever it may do', async () => {
  const own = await server.makeUser({ role: 'administrator' });
  const browser = await signIn(own);
  const { value } = await server.issue({ dialect: 'patois', ownerId: own.user.id, scopes: ['*'] });
  for (const headers of [bearer(value), basic(own.user.login, value)]) {
    expectProblem(await server.send('GET', PATH, { headers }), 403);
    expectProblem(await server.send('DELETE', `${PATH}/${browser.id}`, { headers }), 403);
  }
  expect(await statusOf(browser)).toBe(200);
});

describe('DELETE /patois/v1/sessions/{id}', () => {
  test.each<[string, (browser: Browser) => string]>([
    ['current', () => 'current'],
    ['its id', ({ id }) => id],
  ])('ends the current one by %s at once, and takes the cookie away', async (_, idOf) => {
    const own = await server.makeUser();
    const browser = await signIn(own);
    const answer = await end(browser, idOf(browser));
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(setCookieOf(answer)).toEqual(['patois_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax']);
    expect(await statusOf(browser)).toBe(401);
    expect((await eventsOf(browser.id)).at(-1)).toMatchObject({
      action: 'session.end',
      actorId: own.user.id,
      objectType: 'session',
      after: { provider: null },
    });
  });

  test('ends another of the own, and leaves the cookie', async () => {
    const own = await server.makeUser();
    const [here, there] = [await signIn(own), await signIn(own)];
    const answer = await end(here, there.id);
    expect([answer.status, setCookieOf(answer)]).toEqual([204, []]);
    expect([await statusOf(here), await statusOf(there)]).toEqual([200, 401]);
  });

  test('ends one by password, too; there is no current one then', async () => {
    const own = await server.makeUser();
    const browser = await signIn(own);
    const del = (id: string): Promise<Received> =>
      server.send('DELETE', `${PATH}/${id}`, { headers: own.byPassword });
    expectProblem(await del('current'), 404);
    expect((await del(browser.id)).status).toBe(204);
    expect(await statusOf(browser)).toBe(401);
  });

  test('one of another user is a 404, for administrators as well, and so is what is none', async () => {
    const other = await signIn(await server.makeUser());
    const browser = await signIn(await server.makeUser({ role: 'administrator' }));
    for (const id of [other.id, '7f0c8a52-5b0e-4a3c-9d0f-0b3c7c1e2a44', 'x']) {
      expectProblem(await end(browser, id), 404);
    }
    expect(await statusOf(other)).toBe(200);
  });

  test('needs a credential', async () => {
    const { id } = await signIn(await server.makeUser());
    expectProblem(await server.send('DELETE', `${PATH}/${id}`), 401);
  });
});

describe('a session ends', () => {
  test.each<[string, (own: TestUser) => Promise<Received>]>([
    ['disabled', ({ user }) => change(user.login, { disabled: true })],
    ['given another role', ({ user }) => change(user.login, { role: 'organizationAdministrator' })],
    ['given another password', ({ user }) => change(user.login, { password: 'another password' })],
    [
      'deleted',
      ({ user }) => server.send('DELETE', `/patois/v1/users/${user.login}`, { headers: server.asAdmin }),
    ],
    [
      'changing the password',
      ({ password, byPassword }) =>
        server.send('PUT', `${ME}/password`, {
          headers: byPassword,
          body: { oldPassword: password, newPassword: 'another password' },
        }),
    ],
  ])('when its user is %s, on every replica, and the trail says so', async (_, act) => {
    const own = await server.makeUser();
    const browser = await signIn(own);
    expect(await statusOf(browser, replica)).toBe(200);
    expect((await act(own)).status).toBeLessThan(300);
    expect([await statusOf(browser, replica), await statusOf(browser)]).toEqual([401, 401]);
    expect((await eventsOf(browser.id)).map(({ action }) => action)).toEqual([
      'session.create',
      'session.end',
    ]);
  });

  test.each([
    ['is disabled', { disabled: true }, { disabled: false }],
    ['has another role', { role: 'organizationAdministrator' }, { role: 'member' }],
  ])('for good when its user %s: what is taken back brings it not back', async (_, there, back) => {
    const own = await server.makeUser();
    const browser = await signIn(own);
    expect((await change(own.user.login, there)).status).toBe(200);
    expect((await change(own.user.login, back)).status).toBe(200);
    expect(await statusOf(browser)).toBe(401);
  });

  test('when the user is changed past the server as well', async () => {
    for (const set of [
      'disabled = true',
      'deleted_at = now()',
      "role = 'administrator'",
      'password_version = 7',
    ]) {
      const own = await server.makeUser();
      const browser = await signIn(own);
      await query(`UPDATE users SET ${set} WHERE id = $1`, [own.user.id]);
      expect([set, await statusOf(browser)]).toEqual([set, 401]);
    }
  });

  test('but not by other changes of its user', async () => {
    const own = await server.makeUser();
    const browser = await signIn(own);
    expect((await change(own.user.login, { name: 'Ada', permissions: ['view_users'] })).status).toBe(200);
    expect(await statusOf(browser)).toBe(200);
  });

  test('at its expiry, however much it is used', async () => {
    const browser = await signIn(await server.makeUser());
    await query(`UPDATE sessions SET expires_at = now() + interval '5 minutes' WHERE id = $1`, [browser.id]);
    expect(await statusOf(browser)).toBe(200);
    await query(`UPDATE sessions SET expires_at = now() WHERE id = $1`, [browser.id]);
    expect(await statusOf(browser)).toBe(401);
  });

  test('an hour after its last use, which is written at most once a minute', async () => {
    const browser = await signIn(await server.makeUser());
    const idleFor = async (seconds: number): Promise<void> => {
      const text = `UPDATE sessions SET last_used_at = now() - $2 * interval '1 second' WHERE id = $1`;
      await query(text, [browser.id, seconds]);
    };
    const idleSeconds = async (): Promise<number> => {
      const text = `SELECT extract(epoch FROM now() - last_used_at)::float8 AS seconds FROM sessions WHERE id = $1`;
      return (await query<{ seconds: number }>(text, [browser.id]))[0]?.seconds ?? NaN;
    };
    await idleFor(40);
    expect(await statusOf(browser)).toBe(200);
    expect(await idleSeconds()).toBeGreaterThanOrEqual(40);
    await idleFor(3_590);
    expect(await statusOf(browser)).toBe(200);
    expect(await idleSeconds()).toBeLessThan(30);
    await idleFor(3_600);
    expect(await statusOf(browser)).toBe(401);
  });

  test('when it is signed out, on every replica', async () => {
    const browser = await signIn(await server.makeUser());
    expect(await statusOf(browser, replica)).toBe(200);
    expect((await end(browser)).status).toBe(204);
    expect(await statusOf(browser, replica)).toBe(401);
  });
});

test('those that have run out are deleted, and no others', async () => {
  const own = await server.makeUser();
  const [expired, idle, living] = [await signIn(own), await signIn(own), await signIn(own)];
  await query(`UPDATE sessions SET expires_at = now() WHERE id = $1`, [expired.id]);
  await query(`UPDATE sessions SET last_used_at = now() - interval '1 hour' WHERE id = $1`, [idle.id]);
  await server.app.nest.get(PurgeSessionsTask, { strict: false }).run();
  const left = await server.app.dataSource.manager.findBy(Session, { userId: own.user.id });
  expect(left.map(({ id }) => id)).toEqual([living.id]);
});

test('the value is in no row, no log line and no audit event', async () => {
  const own = await server.makeUser();
  const browser = await signIn(own);
  await server.send('GET', ME, { headers: browser.reading });
  await server.send('POST', '/patois/v1/tokens', { headers: { cookie: browser.cookie }, body: {} });
  await end(browser);
  await server.send('GET', ME, { headers: browser.reading });
  const rows = await query<{ text: string }>('SELECT s::text AS text FROM sessions s');
  const events = await query<{ text: string }>('SELECT e::text AS text FROM audit_events e');
  const written = [...rows, ...events].map(({ text }) => text).join('\n') + server.logged.join('\n');
  expect(written).toContain(browser.id);
  for (const form of [browser.value, Buffer.from(browser.value, 'base64url').toString('hex')]) {
    expect(written.includes(form)).toBe(false);
  }
});

describe('the cookie', () => {
  test('counts by the name that fits the scheme alone', async () => {
    const own = await server.makeUser();
    const plain = await signIn(own);
    const secure = await signIn(own, server, { 'x-forwarded-proto': 'https' });
    const overTls = { 'x-forwarded-proto': 'https' };
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await server.send('GET', ME, { headers })).status;
    expect(secure.cookie).toMatch(/^__Host-/);
    expect(await ask(plain.reading)).toBe(200);
    expect(await ask({ ...plain.reading, ...overTls })).toBe(401);
    expect(await ask(secure.reading)).toBe(401);
    expect(await ask({ ...secure.reading, ...overTls })).toBe(200);
    const renamed = { ...PROOF, ...overTls, cookie: `patois_session=${secure.value}` };
    expect(await ask(renamed)).toBe(401);
  });

  test('counts once alone, among others of other names', async () => {
    const browser = await signIn(await server.makeUser());
    const other = await signIn(await server.makeUser());
    const ask = async (cookie: string | string[]): Promise<number> =>
      (await server.send('GET', ME, { headers: { ...PROOF, cookie } as Record<string, string> })).status;
    expect(await ask(`a=b; ${browser.cookie}; c="d"`)).toBe(200);
    for (const second of [browser.cookie, other.cookie, 'patois_session=', 'patois_session=x']) {
      expect([second, await ask(`${browser.cookie}; ${second}`)]).toEqual([second, 401]);
      expect([second, await ask([second, browser.cookie])]).toEqual([second, 401]);
    }
  });

  test('of a wrong value is a 401', async () => {
    for (const value of ['x', 'A'.repeat(43), `${'A'.repeat(42)}!`, '%00']) {
      const headers = { ...PROOF, cookie: `patois_session=${value}` };
      expectProblem(await server.send('GET', ME, { headers }), 401);
    }
  });

  test('gives way to whatever Authorization says, also where that is wrong or cannot be read', async () => {
    const [own, other] = [await server.makeUser(), await server.makeUser()];
    const { reading } = await signIn(own);
    const me = await server.send('GET', ME, { headers: { ...reading, ...other.byPassword } });
    expect(me.json.user.id).toBe(other.user.id);
    const { value } = await server.issue({ dialect: 'patois', ownerId: other.user.id, scopes: ['*'] });
    const byToken = await server.send('GET', ME, { headers: { ...reading, ...bearer(value) } });
    expect(byToken.json.user.id).toBe(other.user.id);
    const wrong = [bearer(makeToken().value), { authorization: 'Basic !' }, { authorization: 'Digest x' }];
    for (const headers of wrong) {
      expectProblem(await server.send('GET', ME, { headers: { ...reading, ...headers } }), 401);
    }
  });

  test('is taken at no door of verification, and in no other API', async () => {
    const own = await server.makeUser({ role: 'administrator' });
    const { changing } = await signIn(own);
    const form = { ...changing, 'content-type': 'application/x-www-form-urlencoded' };
    const doors: [string, string, Record<string, string>, string?][] = [
      ['GET', '/verify', changing],
      ['POST', '/oauth2/introspect', form, 'token=x'],
      ['GET', '/v2/token?service=any', changing],
      ['GET', '/api/users/admin/personal_access_tokens', changing],
      ['GET', '/api/v1/user/apptoken', changing],
      ['GET', '/oapi/v1/platform/users/admin/personalAccessTokens', changing],
      ['GET', '/api-tokens', changing],
      ['GET', '/me/tokens', changing],
    ];
    for (const [method, path, headers, body] of doors) {
      const { status } = await server.send(method, path, { headers, body });
      expect([path, status]).toEqual([path, 401]);
    }
  });
});

describe('pages of other sites', () => {
  const UNSAFE = 403;
  const NONE = 401;
  test.each<[string, Record<string, string>, number, number]>([
    ['nothing besides', {}, NONE, UNSAFE],
    ['X-Requested-With alone', PROOF, 200, UNSAFE],
    ['an empty X-Requested-With', { ...SAME_SITE, 'x-requested-with': ' ' }, NONE, UNSAFE],
    ['Sec-Fetch-Site alone', SAME_SITE, NONE, UNSAFE],
    ['both', { ...PROOF, ...SAME_SITE }, 200, 201],
    ['any X-Requested-With', { ...SAME_SITE, 'x-requested-with': 'x' }, 200, 201],
    ['the own Origin', { ...PROOF, origin: 'OWN' }, 200, 201],
    ['a foreign Origin', { ...PROOF, origin: 'https://evil.example' }, 200, UNSAFE],
    ['the Origin null', { ...PROOF, ...SAME_SITE, origin: 'null' }, 200, UNSAFE],
    ['Sec-Fetch-Site: same-site', { ...PROOF, 'sec-fetch-site': 'same-site' }, 200, UNSAFE],
    ['Sec-Fetch-Site: cross-site', { ...PROOF, 'sec-fetch-site': 'cross-site' }, 200, UNSAFE],
  ])('a cookie with %s', async (_, headers, reading, changing) => {
    const own = await server.makeUser();
    const { cookie } = await signIn(own);
    const all: Record<string, string> = { ...headers, cookie };
    if (all['origin'] === 'OWN') all['origin'] = new URL(server.url).origin;
    expect((await server.send('GET', ME, { headers: all })).status).toBe(reading);
    const answer = await server.send('POST', '/patois/v1/tokens', { headers: all, body: tokenOf(own) });
    expect(answer.status).toBe(changing);
    if (changing === UNSAFE) expectProblem(answer, 403);
  });

  test('nothing of it is asked of who presents a password', async () => {
    const own = await server.makeUser();
    const { cookie } = await signIn(own);
    const headers = { ...own.byPassword, cookie };
    expect((await server.send('POST', '/patois/v1/tokens', { headers, body: tokenOf(own) })).status).toBe(
      201,
    );
  });
});

describe('the prompt of browsers', () => {
  test('does not come up for what a script of a page sends to /patois/v1: no 401 names Basic then', async () => {
    for (const [path, headers] of [
      [ME, PROOF],
      [ME, { ...PROOF, cookie: `patois_session=${'A'.repeat(43)}` }],
    ] as const) {
      const answer = await server.send('GET', path, { headers });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="Patois"']);
    }
    const wrong = await post({ login: 'x', password: 'wrong password' }, PROOF);
    expect([wrong.status, wrong.headers['www-authenticate']]).toEqual([401, 'Bearer realm="Patois"']);
  });

  test('comes up for everybody else, and the other APIs answer as they always do', async () => {
    for (const [path, headers] of [
      [ME, {}],
      ['/api-tokens', PROOF],
    ] as const) {
      const answer = await server.send('GET', path, { headers });
      expect(answer.headers['www-authenticate']).toBe('Basic realm="Patois", charset="UTF-8"');
    }
  });
});

describe('with PUBLIC_URL', () => {
  test.each([
    ['https://tokens.example', /^__Host-patois_session=.*; Secure$/],
    ['http://tokens.example', /^patois_session=.*; SameSite=Lax$/],
  ])('%s its scheme decides, whatever the request says', async (publicUrl, form) => {
    const published = await TestServer.start({ publicUrl, trustedProxies: ['127.0.0.1/32'] });
    try {
      const own = await published.makeUser();
      for (const scheme of ['http', 'https']) {
        const headers = { 'x-forwarded-proto': scheme };
        const answer = await post({ login: own.user.login, password: own.password }, headers, published);
        expect(setCookieOf(answer)).toEqual([expect.stringMatching(form)]);
      }
      const { changing } = await signIn(own, published);
      const foreign = { ...changing, origin: 'http://other.example' };
      expect((await published.send('DELETE', `${PATH}/x`, { headers: foreign })).status).toBe(403);
      expect((await published.send('GET', ME, { headers: changing })).status).toBe(200);
      const ended = await published.send('DELETE', `${PATH}/current`, {
        headers: { ...changing, origin: publicUrl },
      });
      expect(ended.status).toBe(204);
      expect(setCookieOf(ended)[0]?.includes('Secure')).toBe(publicUrl.startsWith('https'));
    } finally {
      await published.close();
    }
  });
});

describe('what is begun by a session', () => {
  test('is in the trail as what the user did', async () => {
    const own = await server.makeUser();
    const browser = await signIn(own);
    const made = await server.send('POST', '/patois/v1/tokens', {
      headers: browser.changing,
      body: tokenOf(own),
    });
    expect(made.status).toBe(201);
    expect((await eventsOf(made.json.tokenId))[0]).toMatchObject({
      action: 'token.create',
      actorType: 'user',
      actorId: own.user.id,
    });
  });

  test('as a job goes on when the session has ended', async () => {
    const own = await server.makeUser({ role: 'administrator' });
    const { value } = await server.issue({ dialect: 'patois', ownerId: own.user.id, scopes: ['*'] });
    const browser = await signIn(own);
    const body = { filter: { owner: own.user.login }, reason: 'tidied up', expectedCount: 1 };
    const job = await server.send('POST', '/patois/v1/revocations', { headers: browser.changing, body });
    expect(job.status).toBe(202);
    expect((await end(browser)).status).toBe(204);
    await until(async () => {
      const { json } = await server.send('GET', `/patois/v1/jobs/${job.json.id}`, {
        headers: server.asAdmin,
      });
      return json.status === 'done';
    });
    expect((await server.send('GET', ME, { headers: bearer(value) })).status).toBe(401);
  });
});

// One connection runs changes one by one: none can wait for another there.
if (hasServer)
  describe('a change and the end of its session', () => {
    let client: pg.Client;
    beforeAll(async () => {
      client = new pg.Client({ connectionString: store.url });
      client.on('error', () => {});
      await client.connect();
    });
    afterAll(() => client.end());

    /** So many statements of changes wait for a lock. */
    async function untilWaiting(count: number): Promise<void> {
      await until(async () => {
        const rows = await query<{ count: number }>(
          `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database()
           AND application_name = 'patois-changes' AND wait_event_type = 'Lock'`,
        );
        return rows[0]?.count === count;
      });
    }

    test('the session ends while the change comes in: it is not made', async () => {
      const own = await server.makeUser();
      const browser = await signIn(own);
      await client.query('BEGIN');
      await client.query('DELETE FROM sessions WHERE id = $1', [browser.id]);
      const change = server.send('POST', '/patois/v1/tokens', {
        headers: browser.changing,
        body: tokenOf(own),
      });
      await untilWaiting(1);
      await client.query('COMMIT');
      expectProblem(await change, 401);
      expect(await query('SELECT id FROM tokens WHERE owner_id = $1', [own.user.id])).toEqual([]);
    });

    test('the change is being made: the sign-out is answered when it is there', async () => {
      const own = await server.makeUser();
      const browser = await signIn(own);
      await client.query('BEGIN');
      // The change has locked and read what it rests on, and cannot write.
      await client.query('LOCK TABLE tokens IN SHARE MODE');
      const change = server.send('POST', '/patois/v1/tokens', {
        headers: browser.changing,
        body: tokenOf(own),
      });
      await untilWaiting(1);
      const ending = end(browser);
      await untilWaiting(2);
      await client.query('COMMIT');
      expect([(await change).status, (await ending).status]).toEqual([201, 204]);
      expectProblem(
        await server.send('POST', '/patois/v1/tokens', { headers: browser.changing, body: tokenOf(own) }),
        401,
      );
    });

    test('its use is written while a change has it locked', async () => {
      const own = await server.makeUser();
      const browser = await signIn(own);
      await query(`UPDATE sessions SET last_used_at = now() - interval '30 minutes' WHERE id = $1`, [
        browser.id,
      ]);
      await client.query('BEGIN');
      await client.query('SELECT id FROM sessions WHERE id = $1 FOR KEY SHARE', [browser.id]);
      expect(await statusOf(browser)).toBe(200);
      await client.query('COMMIT');
      const [row] = await query<{ isRecent: boolean }>(
        `SELECT last_used_at > now() - interval '1 minute' AS "isRecent" FROM sessions WHERE id = $1`,
        [browser.id],
      );
      expect(row?.isRecent).toBe(true);
    });

    test('two sign-outs of one session at once: one has ended it, the other finds none', async () => {
      const browser = await signIn(await server.makeUser());
      const answers = await Promise.all([end(browser), end(browser, browser.id, replica)]);
      const statuses = answers.map(({ status }) => status).sort((one, other) => one - other);
      expect([
        [204, 404],
        [204, 401],
      ]).toContainEqual(statuses);
    });
  });
