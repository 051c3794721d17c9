import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { moveClock } from '../support/clock.js';
import { basic, bearer } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let owner: TestUser;
let proxied: TestServer | undefined;

beforeAll(async () => {
  server = await TestServer.start({ trustedProxies: ['127.0.0.1/32'] });
  owner = await server.makeUser({ login: 'Ada', name: 'Ada Lovelace' });
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(async () => {
  await server.close();
  await proxied?.close();
});

async function issue(spec: object = {}): Promise<string> {
  const { value } = await server.issue({
    dialect: 'patois',
    ownerId: owner.user.id,
    scopes: ['patois:tokens.read'],
    ...spec,
  });
  return value;
}

describe('/verify', () => {
  test('answers 204 and says who it is', async () => {
    const value = await issue();
    const { status, text, headers } = await server.send('GET', '/verify', { headers: bearer(value) });
    expect({ status, text }).toEqual({ status: 204, text: '' });
    expect(headers).toMatchObject({
      'x-patois-user': 'Ada',
      'x-patois-user-id': owner.user.id,
      'x-patois-organization': 'Default',
      'x-patois-token-id': value.slice(0, 15),
      'x-patois-dialect': 'patois',
      'x-patois-scopes': 'patois:tokens.read',
    });
  });

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('takes %s', async (method) => {
    const value = await issue();
    expect((await server.send(method, '/verify', { headers: bearer(value) })).status).toBe(204);
  });

  test('does not look at the body, whatever it is', async () => {
    const headers = { ...bearer(await issue()), 'content-type': 'application/json' };
    expect((await server.send('POST', '/verify', { headers, body: '{"x":' })).status).toBe(204);
  });

  test('takes the token in every header that a client of a dialect sends', async () => {
    const value = await issue();
    const quoted = basic('$app', `\u201c${value}\u201d`);
    const ways = [
      bearer(value),
      { authorization: `bearer ${value}` },
      basic('$app', value),
      basic('ada', value),
      quoted,
    ];
    for (const headers of [...ways, { 'x-api-key': value }, { 'x-yunxiao-token': value }]) {
      expect((await server.send('GET', '/verify', { headers })).status).toBe(204);
    }
  });

  test.each([
    [204, 'spaces and tabs between scheme and token', 'Bearer \t '],
    [401, 'any other blank', 'Bearer \u00a0'],
    [401, 'no blank', 'Bearer'],
  ])('%i: %s', async (status, _, scheme) => {
    const headers = { authorization: scheme + (await issue()) };
    expect((await server.send('GET', '/verify', { headers })).status).toBe(status);
  });

  test('401 without a token names no error; with a wrong one it does (RFC 6750)', async () => {
    const none = await server.send('GET', '/verify');
    expect(none).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="Patois"' } });
    const wrong = await server.send('GET', '/verify', { headers: bearer('nonsense') });
    expect(wrong.status).toBe(401);
    expect(wrong.headers['www-authenticate']).toContain('error="invalid_token"');
    expect(wrong.text).toBe('');
  });

  test('an expired, revoked or inactive token, and one of a disabled owner, is 401', async () => {
    const disabled = await server.makeUser();
    const values = [
      await issue({ expiresAt: new Date(Date.now() - 1) }),
      await issue({ inactive: true }),
      await issue({ ownerId: disabled.user.id }),
    ];
    await server.app.dataSource.query('UPDATE users SET disabled = true WHERE id = $1', [disabled.user.id]);
    const { token, value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id });
    await server.revoke(token);
    for (const dead of [...values, value]) {
      expect((await server.send('GET', '/verify', { headers: bearer(dead) })).status).toBe(401);
    }
  });

  test('expiry is seen on a remembered token', async () => {
    moveClock(0);
    const value = await issue({ expiresAt: new Date(Date.now() + 60_000) });
    expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(204);
    moveClock(59_999);
    expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(204);
    moveClock(1);
    expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(401);
  });

  test('a revocation is true when its call has answered', async () => {
    const { token, value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id });
    expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(204);
    await server.revoke(token);
    expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(401);
  });

  test("an account's password, another's login beside a token, and two tokens are 401", async () => {
    const [one, other] = [await issue(), await issue()];
    const wrong = [
      owner.byPassword,
      basic('bob', one),
      { ...bearer(one), 'x-api-key': other },
      { authorization: 'Basic !' },
    ];
    for (const headers of wrong) {
      expect((await server.send('GET', '/verify', { headers })).status).toBe(401);
    }
  });

  test('what is needed comes from the query or the header of the gateway, and all of it counts', async () => {
    const headers = bearer(await issue());
    const needing = (scope: string): Record<string, string> => ({
      ...headers,
      'x-patois-required-scope': scope,
    });
    const status = async (path: string, sent = headers): Promise<number> =>
      (await server.send('GET', path, { headers: sent })).status;
    expect(await status('/verify?scope=patois:tokens.read')).toBe(204);
    expect(await status('/verify?scope=patois:tokens.write')).toBe(403);
    expect(await status('/verify?scope=patois:tokens.read%20patois:tokens.write')).toBe(403);
    expect(await status('/verify?scope=patois:tokens.read&scope=patois:tokens.write')).toBe(403);
    expect(await status('/verify', needing('patois:tokens.read'))).toBe(204);
    expect(await status('/verify', needing('patois:tokens.write'))).toBe(403);
    expect(await status('/verify?scope=patois:tokens.read', needing('patois:tokens.write'))).toBe(403);
  });

  test('403 for scope says which (RFC 6750), and cannot be broken out of', async () => {
    const { status, headers } = await server.send('GET', '/verify?scope=a%22b%0d%0ac%C3%A9', {
      headers: bearer(await issue()),
    });
    expect(status).toBe(403);
    expect(headers['www-authenticate']).toBe(
      'Bearer realm="Patois", error="insufficient_scope", scope="a%22b%0D%0Ac%C3%A9"',
    );
  });

  test("below /verify/ the client's path and query mean nothing, only the gateway's header counts", async () => {
    const headers = bearer(await issue());
    for (const path of ['/verify/v1/things?scope=root', '/verify/', '/verify/a/b/c?token=x']) {
      expect((await server.send('GET', path, { headers })).status).toBe(204);
    }
    const needing = { ...headers, 'x-patois-required-scope': 'root' };
    expect((await server.send('GET', '/verify/v1?scope=', { headers: needing })).status).toBe(403);
  });

  test.each([
    // The ladder is Quay's alone: in other dialects the same words stand beside each other.
    ['quay', 'repo:write', 'repo:read', 204],
    ['quay', 'repo:read', 'repo:write', 403],
    ['quay', 'super:user', 'user:admin', 403],
    ['panther', 'repo:write', 'repo:read', 403],
    ['yunxiao', 'base_user_read_write', 'base_user_read', 204],
    ['yunxiao', 'base_user_read', 'base_user_read_write', 403],
    ['quay', 'base_user_read_write', 'base_user_read', 403],
    ['losant', 'all.User', 'me.get', 204],
    ['losant', 'all.User.read', 'apiToken.post', 403],
    ['panther', 'all.User', 'me.get', 403],
    ['panther', 'RuleModify', 'RuleModify', 204],
    ['panther', 'RuleModify', 'RuleRead', 403],
    ['foreman', 'foreman:*', 'foreman:view_users', 204],
    ['foreman', 'foreman:*', 'view_users', 403],
    ['losant', 'foreman:*', 'foreman:view_users', 403],
    // A token of the own API holds scopes of every dialect, each in its own words.
    ['patois', 'repo:write', 'repo:read', 204],
    ['patois', 'foreman:*', 'foreman:view_users', 204],
    ['patois', 'patois:*', 'patois:introspect', 204],
    ['patois', 'patois:*', 'repo:read', 403],
    ['patois', '*', 'anything', 204],
  ])(
    "coverage follows the rules of the token's dialect: %s's %s for %s is %i",
    async (dialect, held, needed, status) => {
      const { value } = await server.issue({ dialect, ownerId: owner.user.id, scopes: [held] });
      const { status: answered } = await server.send('GET', `/verify?scope=${needed}`, {
        headers: bearer(value),
      });
      expect(answered).toBe(status);
    },
  );

  describe('what is needed and cannot be read', () => {
    const QUERIES = [
      '?',
      '?scope',
      '?scope=',
      '?scope=%20',
      '?scope=+',
      '?scopes=root',
      '?Scope=root',
      '?SCOPE=root',
      '?scope%20=root',
      '?%20scope=root',
      '?scope[]=root',
      '?sc%6fpe=root',
      '?%73cope=patois:tokens.read',
      '?needed=root',
      '?root',
      '?=root',
      '?scope=patois:tokens.read&scopes=root',
      '?scopes=root&scope=patois:tokens.read',
      '?scope=patois:tokens.read&scope=',
      '?scope=patois:tokens.read&',
      '?&scope=patois:tokens.read',
      '?scope=patois:tokens.read&&scope=patois:tokens.read',
      '?;scope=patois:tokens.read',
      '??scope=patois:tokens.read',
      '?scope=%00',
      '?scope=patois:tokens.read%00',
      '?scope=%00patois:tokens.read',
      '?%00',
      '?scope=%',
      '?scope=%zz',
      '?scope=%c3',
      '?scope=%c0%af',
      '?scope=%ed%a0%80',
      '?scope=%ff',
    ];

    test.each(QUERIES)('/verify%s opens nothing', async (query) => {
      const all = bearer(
        (await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] })).value,
      );
      const refused = { status: 400, text: '' };
      for (const path of ['/verify', '/verify/', '/verify//']) {
        const { status, text, headers } = await server.send('GET', path + query, { headers: all });
        expect({ path, status, text }).toEqual({ path, ...refused });
        expect(headers['www-authenticate']).toMatch(/^Bearer realm="Patois", error="invalid_request"/);
      }
      // The header is no way around it, and neither is another method.
      const named = { ...all, 'x-patois-required-scope': 'patois:tokens.read' };
      expect((await server.send('POST', `/verify${query}`, { headers: named })).status).toBe(400);
    });

    test.each([
      ['empty', ''],
      ['blank', '  '],
      ['of two lines, the first empty', ['', 'patois:tokens.read']],
      ['of two lines, the last empty', ['patois:tokens.read', ' ']],
      ['of three lines, one empty', ['patois:tokens.read', '', 'patois:tokens.read']],
      ['with a tab', 'patois:tokens.read\tpatois:tokens.read'],
      ['not in ASCII', 'größe'],
    ])('X-Patois-Required-Scope: %s opens nothing', async (_, need) => {
      const all = bearer(
        (await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] })).value,
      );
      const headers = { ...all, 'x-patois-required-scope': need };
      for (const path of [
        '/verify',
        '/verify/',
        '/verify?scope=patois:tokens.read',
        '/verify/below?scope=x',
      ]) {
        expect((await server.send('GET', path, { headers })).status).toBe(400);
      }
    });

    test('says so before it looks at a credential', async () => {
      for (const headers of [{}, bearer('nonsense')] as Record<string, string>[]) {
        expect((await server.send('GET', '/verify?scopes=root', { headers })).status).toBe(400);
      }
    });

    test('on /verify/ a readable query counts as on /verify', async () => {
      const headers = bearer(await issue());
      for (const path of ['/verify', '/verify/']) {
        const ask = async (query: string): Promise<number> =>
          (await server.send('GET', path + query, { headers })).status;
        expect(await ask('?scope=patois:tokens.read')).toBe(204);
        expect(await ask('?scope=patois%3Atokens.read')).toBe(204);
        expect(await ask('?scope=patois:tokens.read+patois:tokens.read')).toBe(204);
        expect(await ask('?scope=root')).toBe(403);
      }
    });

    test('two readable lines of the header both count', async () => {
      const headers = bearer(await issue());
      const ask = async (...lines: string[]): Promise<number> => {
        const sent = { ...headers, 'x-patois-required-scope': lines };
        return (await server.send('GET', '/verify', { headers: sent })).status;
      };
      expect(await ask('patois:tokens.read', 'patois:tokens.read')).toBe(204);
      expect(await ask('patois:tokens.read', 'root')).toBe(403);
      expect(await ask('root', 'patois:tokens.read')).toBe(403);
    });

    test("below /verify/ the client's query may be anything", async () => {
      const headers = bearer(await issue());
      for (const query of QUERIES) {
        expect((await server.send('GET', `/verify/envoy/${query}`, { headers })).status).toBe(204);
      }
    });
  });

  test('names that are not ASCII are percent-encoded; many scopes are left out', async () => {
    const place = await server.organization('Größe 100%');
    const far = await server.makeUser({ organizationId: place.id });
    const scopes = Array.from({ length: 300 }, (_, index) => `base_x_${'y'.repeat(index % 9)}_read`);
    const { value } = await server.issue({ dialect: 'patois', ownerId: far.user.id, scopes });
    const { status, headers } = await server.send('GET', '/verify', { headers: bearer(value) });
    expect(status).toBe(204);
    expect(headers['x-patois-organization']).toBe('Gr%C3%B6%C3%9Fe 100%25');
    expect(headers['x-patois-scopes-truncated']).toBe('true');
    expect(headers).not.toHaveProperty('x-patois-scopes');
  });

  test('requests that arrive at once are answered in their order, whichever way each is served', async () => {
    const value = await issue();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const asked = ['/verify', '/healthz', '/verify/below', '/nowhere', '/verify'];
    const last = '\r\nConnection: close';
    const requests = asked.map(
      (path, index) =>
        `GET ${path} HTTP/1.1\r\nHost: patois\r\nAuthorization: Bearer ${value}` +
        `${index === asked.length - 1 ? last : ''}\r\n\r\n`,
    );
    socket.write(requests.join(''));
    const answers = await readText(socket);
    const statuses = [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    expect(statuses).toEqual(['204', '200', '204', '404', '204']);
  });
});

describe('/verify and addresses', () => {
  const from = (value: string, forwarded: string): Promise<number> =>
    server
      .send('GET', '/verify', { headers: { ...bearer(value), 'x-forwarded-for': forwarded } })
      .then(({ status }) => status);

  test('a confined token works from within its blocks alone, as a trusted proxy tells them', async () => {
    const value = await issue({ allowedCidrs: ['203.0.113.0/24', '2001:db8::/32'] });
    expect(await from(value, '203.0.113.9')).toBe(204);
    expect(await from(value, '::ffff:203.0.113.9')).toBe(204);
    expect(await from(value, '2001:db8::1')).toBe(204);
    expect(await from(value, '203.0.114.9')).toBe(403);
    expect(await from(value, '203.0.113.9, 198.51.100.1')).toBe(403);
    expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(403);
  });

  test('a malformed hop that the walk reaches denies a confined token, and only that', async () => {
    const confined = await issue({ allowedCidrs: ['203.0.113.0/24'] });
    const free = await issue();
    expect(await from(confined, '203.0.113.9, nonsense')).toBe(403);
    expect(await from(confined, 'nonsense, 203.0.113.9')).toBe(204);
    expect(await from(confined, '203.0.113.9:1234')).toBe(403);
    expect(await from(free, 'nonsense')).toBe(204);
  });

  test('without a trusted proxy the header means nothing', async () => {
    proxied = await TestServer.start();
    const user = await proxied.makeUser();
    const { value } = await proxied.issue({
      dialect: 'patois',
      ownerId: user.user.id,
      allowedCidrs: ['203.0.113.0/24'],
    });
    const headers = { ...bearer(value), 'x-forwarded-for': '203.0.113.9' };
    expect((await proxied.send('GET', '/verify', { headers })).status).toBe(403);
  });
});
