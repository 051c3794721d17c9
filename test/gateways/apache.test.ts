import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, example, Program, Service, temporaryFolder } from '../support/programs.js';
import { basic, bearer, type Received, send, type Sent } from '../support/http.js';
import { expectNoWayAround, SPELLINGS } from '../support/path-spellings.js';
import { TlsFront } from '../support/tls.js';
import { TestServer, type TestUser } from '../support/server.js';
import { APACHE, OPENIDC, startApache } from '../support/apache.js';
import { freePort } from '../support/free-port.js';

describeWith([APACHE, OPENIDC], 'Apache with mod_auth_openidc before a service', () => {
  const folder = temporaryFolder('apache');
  const running: Program[] = [];
  let server: TestServer;
  let service: Service;
  let owner: TestUser;
  let front: TlsFront;
  let url: string;

  const gatewayFor = async (patois: number): Promise<string> => {
    const gateway = await freePort();
    const { value } = await server.issue({
      dialect: 'patois',
      ownerId: (await server.admin()).id,
      scopes: ['patois:introspect'],
    });
    const site = example('gateways/apache.conf', {
      'https://patois.example': `https://127.0.0.1:${patois}`,
      '/etc/ssl/certs/ca-certificates.crt': join(folder.path, 'ca.pem'),
      'http://127.0.0.1:9000': `http://127.0.0.1:${service.port}`,
      '127.0.0.1:8080': `127.0.0.1:${gateway}`,
      'OIDCOAuthClientID gateway': 'OIDCOAuthClientID admin',
      'pt-the-token-of-the-gateway': value,
    });
    running.push(await startApache(folder.path, gateway, site));
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
    front = await TlsFront.start(Number(new URL(server.url).port));
    writeFileSync(join(folder.path, 'ca.pem'), front.certificate);
    chmodSync(folder.path, 0o755);
    url = await gatewayFor(front.port);
  });
  afterAll(async () => {
    await Promise.all(running.map((program) => program.stop()));
    front.close();
    await service.close();
    await server.close();
    folder.remove();
  });

  test('a good token passes, and the service learns who it is, not the token', async () => {
    const value = await issue({ scopes: ['repo:read', 'user:admin'] });
    for (const headers of [bearer(value), basic('$app', value)]) {
      expect(await get('/things?a=1', { headers })).toMatchObject({ status: 200, text: 'served' });
      expect(service.last).toMatchObject({
        path: '/things?a=1',
        headers: {
          'x-patois-user': 'ada',
          'x-patois-user-id': owner.user.id,
          'x-patois-organization': 'Default',
          'x-patois-token-id': value.slice(0, 15),
          'x-patois-dialect': 'quay',
          'x-patois-scopes': 'repo:read user:admin',
        },
      });
      expect(JSON.stringify(service.last.headers)).not.toContain(value);
    }
  });

  test('X-Patois headers that a client makes up never arrive', async () => {
    const forged = {
      'X-Patois-User': 'root',
      'X-PATOIS-ORGANIZATION': 'Evil',
      'X-Patois-Scopes': '*',
      'X-Patois-Scopes-Truncated': 'true',
      'X-Patois-Required-Scope': 'user:admin',
      OIDC_CLAIM_username: 'root',
    };
    expect((await get('/', { headers: { ...forged, ...bearer(await issue()) } })).status).toBe(200);
    const { headers } = service.last;
    expect(headers).toMatchObject({
      'x-patois-user': 'ada',
      'x-patois-organization': 'Default',
      'x-patois-scopes': 'user:admin',
    });
    expect(headers).not.toHaveProperty('x-patois-scopes-truncated');
    expect(headers).not.toHaveProperty('x-patois-required-scope');
  });

  test('no token, a wrong one, a password, and a disabled owner are 401, and the service is not asked', async () => {
    const disabled = await server.makeUser();
    const theirs = await issue({ ownerId: disabled.user.id });
    await server.app.dataSource.query('UPDATE users SET disabled = true WHERE id = $1', [disabled.user.id]);
    const before = service.asked.length;
    const expired = await issue({ expiresAt: new Date(Date.now() - 1) });
    for (const headers of [{}, bearer('nonsense'), owner.byPassword, bearer(theirs), bearer(expired)]) {
      const { status, headers: answered } = await get('/', { headers });
      expect(status).toBe(401);
      expect(answered['www-authenticate']).toContain('Bearer');
    }
    expect(service.asked.length).toBe(before);
  });

  test('a token without the scope is 403', async () => {
    const before = service.asked.length;
    expect((await get('/reports/7', { headers: bearer(await issue()) })).status).toBe(403);
    expect(service.asked.length).toBe(before);
    const covering = bearer(await issue({ scopes: ['repo:write'] }));
    expect((await get('/reports/7', { headers: covering })).status).toBe(200);
    const among = bearer(await issue({ scopes: ['user:read', 'repo:read', 'user:admin'] }));
    expect((await get('/reports/7', { headers: among })).status).toBe(200);
  });

  test.each(SPELLINGS)('%s is no way around a scope', async (path) => {
    const headers = bearer(await issue());
    await expectNoWayAround(path, url, service.asked, (spelling) => get(spelling, { headers }));
  });

  test('a confined token is refused from everywhere, whatever X-Forwarded-For says', async () => {
    const headers = bearer(await issue({ allowedCidrs: ['127.0.0.0/8'] }));
    expect((await get('/', { headers })).status).toBe(401);
    expect((await get('/', { headers: { ...headers, 'x-forwarded-for': '127.0.0.1' } })).status).toBe(401);
  });

  test("the service learns the client's address, and nothing that the client says of it", async () => {
    const headers = { ...bearer(await issue()), 'x-forwarded-for': '203.0.113.9' };
    expect((await get('/', { headers, localAddress: '127.0.0.2' })).status).toBe(200);
    expect(service.last.headers['x-forwarded-for']).toBe('127.0.0.2');
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

  test('where Patois is down, nothing passes', async () => {
    const before = service.asked.length;
    const at = await gatewayFor(await freePort());
    expect((await get('/', { headers: bearer(await issue()) }, at)).status).toBe(401);
    expect(service.asked.length).toBe(before);
  });
});
