import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { PasswordAuthenticator } from '../../src/auth/password-authenticator.js';
import { Token } from '../../src/tokens/token.entity.js';
import { basic, bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const TEXT = expect.any(String) as unknown as string;

let server: TestServer;
/** The same behind a proxy that ends TLS. */
let proxied: TestServer;
let published: TestServer;
let owner: TestUser;
let introspector: string;

beforeAll(async () => {
  server = await TestServer.start();
  proxied = await TestServer.start({ trustedProxies: ['127.0.0.1/32'] });
  published = await TestServer.start({ publicUrl: 'https://tokens.example/patois' });
  owner = await server.makeUser({ role: 'administrator' });
  introspector = await issue(['patois:introspect']);
});
afterAll(async () => {
  await server.close();
  await proxied.close();
  await published.close();
});

async function issue(scopes: string[]): Promise<string> {
  return (await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes })).value;
}

/** With those that are gathered and written later. */
async function events(): Promise<number> {
  await server.app.nest.get(PasswordAuthenticator, { strict: false }).flush();
  return server.app.dataSource.manager.count(AuditEvent);
}

/** A request of each API that makes something for who sends a right password, and its words for a page's. */
interface Door {
  api: string;
  path: string;
  body: () => object;
  /** Of who may. */
  status: number;
  words: object;
}

const DOORS: Door[] = [
  {
    api: 'patois',
    status: 201,
    path: '/patois/v1/users',
    body: () => ({ login: `u${Math.random().toString(36).slice(2)}` }),
    words: { type: 'about:blank', title: 'Forbidden', status: 403, detail: TEXT },
  },
  {
    api: 'foreman',
    status: 201,
    path: '/api/users/admin/personal_access_tokens',
    body: () => ({ personal_access_token: { name: `t${Math.random()}` } }),
    words: { error: { message: 'Access denied', details: TEXT, missing_permissions: [] } },
  },
  {
    api: 'quay',
    status: 201,
    path: '/api/v1/user/apptoken',
    body: () => ({ title: 'x' }),
    words: {
      detail: 'Unauthorized',
      error_message: 'Unauthorized',
      error_type: 'insufficient_scope',
      title: 'insufficient_scope',
      type: TEXT,
      status: 403,
    },
  },
  {
    api: 'panther',
    status: 200,
    path: '/api-tokens',
    body: () => ({ name: 'x', permissions: ['BulkUpload'] }),
    words: { message: TEXT, error: 'forbidden' },
  },
  {
    api: 'losant',
    status: 201,
    path: '/me/tokens',
    body: () => ({ name: 'x' }),
    words: { type: 'Forbidden', message: TEXT },
  },
  {
    api: 'yunxiao',
    status: 200,
    path: '/oapi/v1/platform/users/admin/personalAccessTokens',
    body: () => ({
      userId: owner.user.id,
      name: 'x',
      permissions: ['base_user_read'],
      expiredAt: '2031-01-01T00:00:00Z',
    }),
    words: { errorCode: 'Forbidden', errorMessage: TEXT, requestId: TEXT },
  },
];

/** What a browser says of a page that is not this server's. */
const FOREIGN: Record<string, string>[] = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': '' },
  { 'sec-fetch-site': 'same-origin, cross-site' },
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: '' },
  { origin: 'http://127.0.0.1' },
  { origin: 'http://127.0.0.1.evil.example' },
  // Each of the two is enough, whatever the other says.
  { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
  { 'sec-fetch-site': 'none', origin: 'null' },
];

describe.each(DOORS)('$api: a page of another site', ({ path, body, status: made, words }) => {
  const post = (headers: Record<string, string>): Promise<Received> =>
    server.send('POST', path, { headers, body: body() });

  test.each(FOREIGN)('that a browser sends with %j is refused, and changes nothing', async (sent) => {
    const before = await events();
    const { status, json, headers } = await post({ ...owner.byPassword, ...sent });
    expect({ status, json }).toEqual({ status: 403, json: words });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(await events()).toBe(before);
  });

  test('learns nothing of a credential, and uses up no try', async () => {
    const before = await events();
    for (const credential of [
      {},
      basic(owner.user.login, 'wrong'),
      bearer('nonsense'),
      { 'x-api-key': 'x' },
    ]) {
      const { status, json } = await post({ ...credential, 'sec-fetch-site': 'cross-site' });
      expect({ status, json }).toEqual({ status: 403, json: words });
    }
    expect(await events()).toBe(before);
  });

  test('is refused before its body is looked at, whatever the type', async () => {
    for (const type of [undefined, 'text/plain', 'application/json', 'multipart/form-data']) {
      const headers = { ...owner.byPassword, origin: 'null', ...(type && { 'content-type': type }) };
      expect((await server.send('POST', path, { headers, body: '{' })).status).toBe(403);
    }
  });

  test('while the own pages, and programs, go on', async () => {
    const own = { 'sec-fetch-site': 'same-origin', origin: server.url };
    const fair: Record<string, string>[] = [{}, own, { origin: server.url }, { 'sec-fetch-site': 'none' }];
    for (const sent of fair) {
      expect((await post({ ...owner.byPassword, ...sent })).status).toBe(made);
    }
  });

  test('may ask what changes nothing, and read no answer: nothing allows it to', async () => {
    const headers = { ...owner.byPassword, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    const { status, headers: answered } = await server.send('GET', '/patois/v1/me', { headers });
    expect(status).toBe(200);
    const preflight = await server.send('OPTIONS', path, { headers });
    expect(preflight.status).not.toBe(403);
    for (const seen of [answered, preflight.headers]) {
      expect(Object.keys(seen).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});

test.each(['PUT', 'PATCH', 'DELETE', 'POST'])(
  '%s is refused, also where nothing is served',
  async (method) => {
    const headers = { ...owner.byPassword, 'sec-fetch-site': 'cross-site' };
    for (const path of ['/patois/v1/users/admin', '/nowhere', '/api/nowhere', '/me/tokens/x']) {
      expect({ path, status: (await server.send(method, path, { headers })).status }).toEqual({
        path,
        status: 403,
      });
    }
  },
);

describe('the doors of OAuth', () => {
  const ask = (path: string, token: string, headers: Record<string, string>): Promise<Received> =>
    server.send('POST', path, { headers: { ...FORM, ...headers }, body: `token=${token}` });

  test.each(FOREIGN)('introspection with %j is refused in the words of RFC 6749', async (sent) => {
    const token = await issue(['repo:read']);
    const { status, json } = await ask('/oauth2/introspect', token, { ...bearer(introspector), ...sent });
    expect({ status, json }).toEqual({
      status: 403,
      json: { error: 'access_denied', error_description: TEXT },
    });
  });

  test('introspection goes on for the own pages', async () => {
    const sent = { ...bearer(introspector), 'sec-fetch-site': 'same-origin', origin: server.url };
    expect((await ask('/oauth2/introspect', await issue(['repo:read']), sent)).json.active).toBe(true);
  });

  test.each(FOREIGN)('revocation with %j ends no token', async (sent) => {
    const value = await issue(['repo:read']);
    expect((await ask('/oauth2/revoke', value, sent)).json).toMatchObject({ error: 'access_denied' });
    const { revokedAt } = await server.app.dataSource.manager.findOneByOrFail(Token, {
      tokenId: value.slice(0, 15),
    });
    expect(revokedAt).toBeNull();
  });
});

test.each(['GET', 'POST', 'DELETE'])(
  '/verify answers a gateway that passes on what the browser of its client says: %s',
  async (method) => {
    const value = await issue(['repo:read']);
    for (const sent of FOREIGN) {
      const { status } = await server.send(method, '/verify', { headers: { ...bearer(value), ...sent } });
      expect(status).toBe(204);
    }
  },
);

describe('the own origin', () => {
  const from = async (to: TestServer, sent: Record<string, string>): Promise<number> => {
    const body = { name: `place ${Math.random()}` };
    const headers = { ...to.asAdmin, ...sent };
    return (await to.send('POST', '/patois/v1/locations', { headers, body })).status;
  };

  test('is that of PUBLIC_URL, where it is set, and no other', async () => {
    expect(await from(published, { origin: 'https://tokens.example' })).toBe(201);
    for (const origin of [published.url, 'http://tokens.example', 'https://tokens.example:8443']) {
      expect({ origin, status: await from(published, { origin }) }).toEqual({ origin, status: 403 });
    }
    expect(await from(published, { origin: 'http://tokens.example', host: 'tokens.example' })).toBe(403);
  });

  test('is else http and the Host of the request, however it is written', async () => {
    expect(await from(server, { host: 'Tokens.Example:80', origin: 'http://tokens.example' })).toBe(201);
    expect(await from(server, { host: 'tokens.example:81', origin: 'http://tokens.example' })).toBe(403);
    expect(await from(server, { host: 'tokens.example', origin: 'https://tokens.example' })).toBe(403);
  });

  test('is https where a trusted proxy says that it was asked so, and not where anybody else does', async () => {
    const sent = { host: 'tokens.example', origin: 'https://tokens.example', 'x-forwarded-proto': 'https' };
    expect(await from(proxied, sent)).toBe(201);
    expect(await from(proxied, { ...sent, origin: 'http://tokens.example' })).toBe(403);
    expect(await from(server, sent)).toBe(403);
  });
});

describe("the own API's bodies", () => {
  const path = '/patois/v1/locations';

  test('need a content type', async () => {
    const before = await events();
    const headers = server.asAdmin;
    for (const [method, at] of [
      ['POST', path],
      ['PATCH', '/patois/v1/users/admin'],
    ] as const) {
      const { status, json } = await server.send(method, at, { headers, body: '{"name":"Oslo"}' });
      expect({ status, title: json.title }).toEqual({ status: 415, title: 'Unsupported Media Type' });
    }
    const blank = { ...headers, 'content-type': ' ' };
    expect((await server.send('POST', path, { headers: blank, body: '{"name":"Oslo"}' })).status).toBe(415);
    expect(await events()).toBe(before);
  });

  test('and none where there is no body', async () => {
    const value = await issue(['*']);
    const rotation = `/patois/v1/tokens/${value.slice(0, 15)}/rotate`;
    expect((await server.send('POST', rotation, { headers: bearer(value) })).status).toBe(200);
  });
});
