import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describeWith, type Program, Service } from './programs.js';
import { basic, bearer, type Received, send, type Sent } from './http.js';
import { expectNoWayAround, SPELLINGS } from './path-spellings.js';
import { TestServer, type TestUser } from './server.js';
import { freePort } from './free-port.js';

/** Where a gateway finds the others, and where they find it: ports of 127.0.0.1. */
export interface Ports {
  patois: number;
  service: number;
  gateway: number;
}

/** A gateway that the promises are kept by. */
export interface GatewayUnderTest {
  name: string;
  /** The programs that its process needs. */
  programs: string[];
  /** Starts it on its example of docs/gateways/. */
  start: (ports: Ports) => Promise<Program>;
  /** What it answers when it cannot reach Patois at all; 503 unless the gateway has no way to say so. */
  statusWithoutPatois?: number;
}

/** What is promised of every gateway that asks at `/verify`. */
export function describeGateway({
  name,
  programs,
  start,
  statusWithoutPatois = 503,
}: GatewayUnderTest): void {
  describeWith(programs, `${name} before a service`, () => {
    let server: TestServer;
    let service: Service;
    let owner: TestUser;
    const running: Program[] = [];
    let url: string;

    /** Starts the gateway before a Patois on some port. */
    const gatewayFor = async (patois: number): Promise<string> => {
      const gateway = await freePort();
      running.push(await start({ patois, service: service.port, gateway }));
      return `http://127.0.0.1:${gateway}`;
    };
    const get = (path: string, sent: Sent, at = url): Promise<Received> => send(at, 'GET', path, sent);
    const issue = async (spec: object = {}): Promise<string> => {
      const whole = { dialect: 'quay', ownerId: owner.user.id, scopes: ['user:admin'], ...spec };
      return (await server.issue(whole)).value;
    };

    beforeAll(async () => {
      server = await TestServer.start({ trustedProxies: ['127.0.0.1/32'] });
      service = await Service.start();
      owner = await server.makeUser({ login: 'ada' });
      url = await gatewayFor(Number(new URL(server.url).port));
    });
    afterAll(async () => {
      await Promise.all(running.map((program) => program.stop()));
      await service.close();
      await server.close();
    });

    test('a good token passes, and the service learns who it is', async () => {
      const value = await issue();
      expect(await get('/things?a=1', { headers: bearer(value) })).toMatchObject({
        status: 200,
        text: 'served',
      });
      expect(service.last).toMatchObject({
        method: 'GET',
        path: '/things?a=1',
        headers: {
          'x-patois-user': 'ada',
          'x-patois-user-id': owner.user.id,
          'x-patois-organization': 'Default',
          'x-patois-token-id': value.slice(0, 15),
          'x-patois-dialect': 'quay',
          'x-patois-scopes': 'user:admin',
        },
      });
    });

    test('the service does not learn the token', async () => {
      const value = await issue();
      const ways = [
        bearer(value),
        basic('$app', value),
        basic('ada', value),
        { 'x-api-key': value },
        { 'x-yunxiao-token': value },
      ];
      for (const headers of ways) {
        expect((await get('/', { headers })).status).toBe(200);
        const { headers: seen } = service.last;
        const names = ['authorization', 'x-api-key', 'x-yunxiao-token'];
        expect(names.filter((header) => seen[header])).toEqual([]);
        expect(JSON.stringify(seen)).not.toContain(value);
      }
    });

    test('a method and a body arrive as they were sent', async () => {
      const headers = { ...bearer(await issue()), 'content-type': 'application/json' };
      expect((await send(url, 'PUT', '/things/1', { headers, body: '{"a":1}' })).status).toBe(200);
      expect(service.last).toMatchObject({
        method: 'PUT',
        path: '/things/1',
        headers: { 'content-length': '7' },
      });
    });

    test('X-Patois headers that a client makes up never arrive', async () => {
      const forged = {
        'X-Patois-User': 'root',
        'x-patois-user-id': '00000000-0000-0000-0000-000000000000',
        'X-PATOIS-ORGANIZATION': 'Evil',
        'X-Patois-Token-Id': 'pt-000000000000',
        'X-Patois-Dialect': 'evil',
        'X-Patois-Scopes': '*',
        'X-Patois-Scopes-Truncated': 'true',
        'X-Patois-Required-Scope': 'user:admin',
        // CGI and its heirs take these for the same names.
        X_Patois_User: 'root',
        'X-Patois_User': 'root',
        'X_Patois-User': 'root',
      };
      const value = await issue();
      expect((await get('/', { headers: { ...forged, ...bearer(value) } })).status).toBe(200);
      const { headers } = service.last;
      const theirs = Object.entries(headers).filter(([header, text]) => /^x[-_]patois/.test(header) && text);
      expect(Object.fromEntries(theirs)).toEqual({
        'x-patois-user': 'ada',
        'x-patois-user-id': owner.user.id,
        'x-patois-organization': 'Default',
        'x-patois-token-id': value.slice(0, 15),
        'x-patois-dialect': 'quay',
        'x-patois-scopes': 'user:admin',
      });
      const before = service.asked.length;
      expect((await get('/', { headers: forged })).status).toBe(401);
      expect(service.asked.length).toBe(before);
    });

    test('scopes too long for a header are left out, and a client cannot fill the gap', async () => {
      const scopes = Array.from({ length: 300 }, (_, index) => `base_x_${'y'.repeat(index % 9)}_read`);
      const headers = { ...bearer(await issue({ dialect: 'patois', scopes })), 'X-Patois-Scopes': '*' };
      expect((await get('/', { headers })).status).toBe(200);
      expect(service.last.headers['x-patois-scopes-truncated']).toBe('true');
      expect(service.last.headers['x-patois-scopes'] ?? '').toBe('');
    });

    test('the longest identity passes', async () => {
      const organization = await server.organization('😀'.repeat(100));
      const { user } = await server.makeUser({ organizationId: organization.id, login: 'l'.repeat(100) });
      // Together 2,048 characters, each no longer than a scope may be.
      const scopes = [...Array.from({ length: 8 }, () => 's'.repeat(227)), 's'.repeat(224)];
      const headers = bearer(await issue({ dialect: 'patois', ownerId: user.id, scopes }));
      expect((await get('/', { headers })).status).toBe(200);
      const { headers: seen } = service.last;
      expect(decodeURIComponent(String(seen['x-patois-organization']))).toBe(organization.name);
      expect(seen['x-patois-scopes']).toBe(scopes.join(' '));
      expect(scopes.join(' ')).toHaveLength(2048);
    });

    test("the service learns the client's address, and nothing that the client says of it", async () => {
      const headers = { ...bearer(await issue()), 'x-forwarded-for': '203.0.113.9' };
      expect((await get('/', { headers, localAddress: '127.0.0.2' })).status).toBe(200);
      expect(service.last.headers['x-forwarded-for']).toBe('127.0.0.2');
    });

    test('no token is 401 with the challenge, a wrong one says so, and the service is not asked', async () => {
      const before = service.asked.length;
      const none = await get('/', {});
      expect(none).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="Patois"' } });
      const wrong = await get('/', { headers: bearer('nonsense') });
      expect(wrong.status).toBe(401);
      expect(wrong.headers['www-authenticate']).toMatch(/^Bearer realm="Patois", error="invalid_token"/);
      expect((await get('/', { headers: owner.byPassword })).status).toBe(401);
      expect(service.asked.length).toBe(before);
    });

    test('what a path needs must be covered: 403 says which scope is missing', async () => {
      const lacking = { headers: bearer(await issue()) };
      expect((await get('/other', lacking)).status).toBe(200);
      const before = service.asked.length;
      const { status, headers } = await get('/reports/7', lacking);
      expect(status).toBe(403);
      expect(headers['www-authenticate']).toBe(
        'Bearer realm="Patois", error="insufficient_scope", scope="repo:read"',
      );
      const withQuery = await get('/reports/7?scope=user:admin', lacking);
      expect(withQuery.status).toBe(403);
      expect(service.asked.length).toBe(before);
      const covering = { headers: bearer(await issue({ scopes: ['repo:write'] })) };
      expect((await get('/reports/7', covering)).status).toBe(200);
    });

    test.each(SPELLINGS)('%s is no way around a scope', async (path) => {
      const headers = bearer(await issue());
      await expectNoWayAround(path, url, service.asked, (spelling) => get(spelling, { headers }));
    });

    test('who has the scope may write the path in other ways', async () => {
      const headers = bearer(await issue({ scopes: ['repo:read'] }));
      for (const path of ['/reports/1', '//reports/1', '/%72eports/1']) {
        expect({ path, status: (await get(path, { headers })).status }).toEqual({ path, status: 200 });
      }
    });

    test('a confined token works from within its blocks alone, whatever X-Forwarded-For the client writes', async () => {
      const headers = bearer(await issue({ allowedCidrs: ['127.0.0.2/32'] }));
      expect((await get('/', { headers, localAddress: '127.0.0.2' })).status).toBe(200);
      const outside = await get('/', { headers, localAddress: '127.0.0.3' });
      expect(outside.status).toBe(403);
      const forged = { ...headers, 'x-forwarded-for': '127.0.0.2' };
      expect((await get('/', { headers: forged, localAddress: '127.0.0.3' })).status).toBe(403);
    });

    test('a revoked token is refused at once', async () => {
      const { token, value } = await server.issue({
        dialect: 'quay',
        ownerId: owner.user.id,
        scopes: ['user:admin'],
      });
      expect((await get('/', { headers: bearer(value) })).status).toBe(200);
      await server.revoke(token);
      expect((await get('/', { headers: bearer(value) })).status).toBe(401);
    });

    test("the service's own errors stay what they are", async () => {
      expect((await get('/broken', { headers: bearer(await issue()) })).status).toBe(500);
    });

    test('where Patois cannot tell, the answer is 503 and the service is not asked', async () => {
      const unsure = await answering(503);
      try {
        const before = service.asked.length;
        const at = await gatewayFor((unsure.address() as AddressInfo).port);
        expect((await get('/', { headers: bearer(await issue()) }, at)).status).toBe(503);
        expect(service.asked.length).toBe(before);
      } finally {
        unsure.close();
        unsure.closeAllConnections();
      }
    });

    test('where Patois is down, nothing passes', async () => {
      const before = service.asked.length;
      const at = await gatewayFor(await freePort());
      expect((await get('/', { headers: bearer(await issue()) }, at)).status).toBe(statusWithoutPatois);
      expect(service.asked.length).toBe(before);
    });
  });
}

async function answering(status: number): Promise<Server> {
  const server = createServer((_, response) => response.writeHead(status).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
