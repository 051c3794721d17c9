import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { basic, bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let owner: TestUser;
beforeAll(async () => {
  server = await TestServer.start({ trustedProxies: ['127.0.0.1/32'] });
  owner = await server.makeUser({ login: 'ada' });
});
afterAll(() => server.close());

async function issue(spec: object = {}): Promise<string> {
  const whole = { dialect: 'quay', ownerId: owner.user.id, scopes: ['user:admin'], ...spec };
  return (await server.issue(whole)).value;
}

/** What a gateway sends of the request of a client at some address. */
type Ask = (client: {
  headers: Record<string, string>;
  address?: string;
  scope?: string;
  method?: string;
  uri?: string;
}) => Promise<Received>;

/** Traefik: GET to the configured address, the client's own headers, and X-Forwarded-* of its making. */
const traefik: Ask = ({ headers, address = '198.51.100.1', scope, method = 'GET', uri = '/' }) =>
  server.send('GET', scope === undefined ? '/verify' : `/verify?scope=${scope}`, {
    headers: {
      ...headers,
      'x-forwarded-method': method,
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'service.example',
      'x-forwarded-uri': uri,
      'x-forwarded-for': address,
    },
  });

/** Caddy: GET to the configured URI, all headers of the client, `Content-Length` of its body left out. */
const caddy: Ask = ({ headers, address = '198.51.100.1', scope, method = 'GET', uri = '/' }) =>
  server.send('GET', scope === undefined ? '/verify' : `/verify?scope=${scope}`, {
    headers: {
      ...headers,
      'content-type': 'application/json',
      'x-forwarded-for': address,
      'x-forwarded-host': 'service.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-method': method,
      'x-forwarded-uri': uri,
    },
  });

/** Envoy: the client's method, path and query appended to the prefix of its example, an empty body, chosen headers. */
const envoy: Ask = ({ headers, address = '198.51.100.1', scope, method = 'GET', uri = '/' }) =>
  server.send(method, `/verify/envoy${uri}`, {
    headers: {
      ...headers,
      'content-length': '0',
      'x-forwarded-for': address,
      'x-envoy-internal': 'true',
      ...(scope === undefined ? {} : { 'x-patois-required-scope': scope }),
    },
  });

const PROTOCOLS: [string, Ask][] = [
  ['Traefik forwardAuth', traefik],
  ['Caddy forward_auth', caddy],
  ['Envoy ext_authz', envoy],
];

describe.each(PROTOCOLS)('requests as %s sends them', (_, ask) => {
  test('a good token is 204, with who it is', async () => {
    const value = await issue();
    const { status, headers } = await ask({ headers: bearer(value), uri: '/things?a=1&scope=root' });
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'x-patois-user': 'ada',
      'x-patois-user-id': owner.user.id,
      'x-patois-organization': 'Default',
      'x-patois-token-id': value.slice(0, 15),
      'x-patois-dialect': 'quay',
      'x-patois-scopes': 'user:admin',
    });
  });

  test('whatever the method and path of the client', async () => {
    const headers = basic('$app', await issue());
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']) {
      for (const uri of ['/', '/a/b/../c', '/v2/x/blobs/sha256:0/', '/%F0%9F%98%80?x=%00', '//double//']) {
        expect((await ask({ headers, method, uri })).status).toBe(204);
      }
    }
  });

  test('what a client makes up as X-Patois-* does not come back', async () => {
    const forged = { 'x-patois-user': 'root', 'x-patois-scopes': '*' };
    const known = await ask({ headers: { ...forged, ...bearer(await issue()) } });
    expect(known.headers).toMatchObject({ 'x-patois-user': 'ada', 'x-patois-scopes': 'user:admin' });
    const unknown = await ask({ headers: forged });
    expect(unknown.status).toBe(401);
    expect(unknown.headers).not.toHaveProperty('x-patois-user');
  });

  test('no token and a wrong one are 401 with a challenge', async () => {
    for (const headers of [{}, bearer('nonsense'), owner.byPassword]) {
      const { status, headers: answered } = await ask({ headers });
      expect(status).toBe(401);
      expect(answered['www-authenticate']).toMatch(/^Bearer realm="Patois"/);
    }
  });

  test('a scope that is not covered is 403, one that is passes', async () => {
    const headers = bearer(await issue({ scopes: ['repo:write'] }));
    expect((await ask({ headers, scope: 'repo:admin' })).status).toBe(403);
    expect((await ask({ headers, scope: 'repo:read' })).status).toBe(204);
  });

  test('the address is the one that the gateway appended', async () => {
    const headers = bearer(await issue({ allowedCidrs: ['203.0.113.0/24', '2001:db8::/32'] }));
    expect((await ask({ headers, address: '203.0.113.9' })).status).toBe(204);
    expect((await ask({ headers, address: '2001:db8::9' })).status).toBe(204);
    expect((await ask({ headers, address: '198.51.100.1' })).status).toBe(403);
    expect((await ask({ headers, address: '203.0.113.9, 198.51.100.1' })).status).toBe(403);
    expect((await ask({ headers, address: '198.51.100.1, 203.0.113.9' })).status).toBe(204);
  });

  test('a revoked token is refused at once', async () => {
    const { token, value } = await server.issue({ dialect: 'quay', ownerId: owner.user.id, scopes: [] });
    expect((await ask({ headers: bearer(value) })).status).toBe(204);
    await server.revoke(token);
    expect((await ask({ headers: bearer(value) })).status).toBe(401);
  });
});
