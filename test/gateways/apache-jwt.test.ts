import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { generateKeyPair, SignJWT } from 'jose';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JwtSigner } from '../../src/signing/jwt-signer.js';
import { APACHE, OPENIDC, startApache } from '../support/apache.js';
import { exchange } from '../support/exchange.js';
import { freePort } from '../support/free-port.js';
import { basic, bearer, type Received, send } from '../support/http.js';
import { expectNoWayAround, SPELLINGS } from '../support/path-spellings.js';
import { describeWith, example, Program, Service, temporaryFolder } from '../support/programs.js';
import { TestServer, type TestUser } from '../support/server.js';
import { TlsFront } from '../support/tls.js';

const ISSUER = 'https://patois.example';
const AUDIENCE = 'https://orders.example';

describeWith([APACHE, OPENIDC], 'Apache that verifies JWTs by itself', () => {
  const folder = temporaryFolder('apache-jwt');
  let apache: Program;
  let server: TestServer;
  let service: Service;
  let owner: TestUser;
  let front: TlsFront;
  let url: string;

  beforeAll(async () => {
    server = await TestServer.start({ publicUrl: ISSUER });
    service = await Service.start();
    owner = await server.makeUser({ login: 'ada' });
    front = await TlsFront.start(Number(new URL(server.url).port));
    writeFileSync(join(folder.path, 'ca.pem'), front.certificate);
    chmodSync(folder.path, 0o755);
    const port = await freePort();
    const site = example('gateways/apache-jwt.conf', {
      // The issuer stays what PUBLIC_URL says.
      'https://patois.example/.well-known': `https://127.0.0.1:${front.port}/.well-known`,
      '/etc/ssl/certs/ca-certificates.crt': join(folder.path, 'ca.pem'),
      'http://127.0.0.1:9000': `http://127.0.0.1:${service.port}`,
      '127.0.0.1:8080': `127.0.0.1:${port}`,
    });
    apache = await startApache(folder.path, port, site);
    url = `http://127.0.0.1:${port}`;
  });
  afterAll(async () => {
    await apache.stop();
    front.close();
    await service.close();
    await server.close();
    folder.remove();
  });

  async function issue(spec: object = {}): Promise<string> {
    return (await server.issue({ dialect: 'quay', ownerId: owner.user.id, scopes: ['user:read'], ...spec }))
      .value;
  }

  const exchanged = (value: string, form: Record<string, string> = {}): Promise<string> =>
    exchange(server, value, { audience: AUDIENCE, ...form });

  const get = (path: string, headers: Record<string, string> = {}): Promise<Received> =>
    send(url, 'GET', path, { headers });

  test('a JWT passes, also while Patois is not asked, and the service learns who it is', async () => {
    const value = await issue({ scopes: ['repo:read', 'user:read'] });
    const jwt = await exchanged(value);
    const forged = {
      'X-Patois-User': 'root',
      'X-Patois-Scopes-Truncated': 'true',
      OIDC_CLAIM_username: 'root',
    };
    expect(await get('/things?a=1', { ...forged, ...bearer(jwt) })).toMatchObject({
      status: 200,
      text: 'served',
    });
    expect(service.last).toMatchObject({
      path: '/things?a=1',
      headers: {
        'x-patois-user': 'ada',
        'x-patois-user-id': owner.user.id,
        'x-patois-organization': 'Default',
        'x-patois-token-id': value.slice(0, 15),
        'x-patois-dialect': 'quay',
        'x-patois-scopes': 'repo:read user:read',
      },
    });
    expect(service.last.headers).not.toHaveProperty('x-patois-scopes-truncated');
    expect(JSON.stringify(service.last.headers)).not.toContain(jwt.split('.')[2]);
  });

  test('no JWT, a token itself, and a JWT with another signature are 401', async () => {
    const value = await issue();
    const jwt = await exchanged(value);
    const [header, claims] = jwt.split('.');
    const { privateKey } = await generateKeyPair('ES256');
    const now = Math.floor(Date.now() / 1000);
    const foreign = await new SignJWT({
      iss: ISSUER,
      aud: AUDIENCE,
      client_id: value.slice(0, 15),
      iat: now,
      exp: now + 300,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .sign(privateKey);
    const before = service.asked.length;
    for (const headers of [
      {},
      bearer(value),
      bearer('nonsense'),
      bearer(`${header}.${claims}.${'A'.repeat(86)}`),
      bearer(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`),
      bearer(foreign),
    ]) {
      expect((await get('/', headers)).status).toBe(401);
    }
    expect(service.asked.length).toBe(before);
  });

  test('a JWT that has ended is 401', async () => {
    const signer = server.app.nest.get(JwtSigner, { strict: false });
    const now = Math.floor(Date.now() / 1000);
    const sign = (exp: number): Promise<string> =>
      signer.sign(
        'exchange',
        'at+jwt',
        { iss: ISSUER, aud: AUDIENCE, client_id: 'pt-3f0e2a365d9e', username: 'ada', iat: now - 600, exp },
        '',
      );
    expect((await get('/', bearer(await sign(now - 60)))).status).toBe(401);
    expect((await get('/', bearer(await sign(now + 60)))).status).toBe(200);
  });

  test('a JWT for another service, of another issuer, or of another kind is 403', async () => {
    const value = await issue();
    const registry = await server.send('GET', `/v2/token?service=registry.example`, {
      headers: basic('ada', value),
    });
    const signer = server.app.nest.get(JwtSigner, { strict: false });
    const now = Math.floor(Date.now() / 1000);
    const claims = { aud: AUDIENCE, client_id: 'pt-3f0e2a365d9e', username: 'ada', iat: now, exp: now + 300 };
    const kinds = [
      await exchanged(value, { audience: 'https://bills.example' }),
      await signer.sign('registry', 'JWT', { ...claims, iss: ISSUER, client_id: undefined }, ''),
      await signer.sign('exchange', 'at+jwt', { ...claims, iss: 'https://other.example' }, ''),
    ];
    const before = service.asked.length;
    for (const jwt of kinds) expect((await get('/', bearer(jwt))).status).toBe(403);
    expect((await get('/', bearer(registry.json.token))).status).toBe(401);
    expect(service.asked.length).toBe(before);
  });

  test('a JWT without the scope is 403', async () => {
    expect((await get('/reports/7', bearer(await exchanged(await issue())))).status).toBe(403);
    const value = await issue({ scopes: ['repo:write', 'user:read'] });
    expect((await get('/reports/7', bearer(await exchanged(value)))).status).toBe(200);
    expect((await get('/reports/7', bearer(await exchanged(value, { scope: 'user:read' })))).status).toBe(
      403,
    );
  });

  test.each(SPELLINGS)('%s is no way around a scope', async (path) => {
    const headers = bearer(await exchanged(await issue()));
    await expectNoWayAround(path, url, service.asked, (spelling) => get(spelling, headers));
  });

  test('a revoked token is exchanged no more, and lives on in its JWTs: what the page says of it is so', async () => {
    const { token, value } = await server.issue({ dialect: 'quay', ownerId: owner.user.id });
    const jwt = await exchanged(value);
    await server.revoke(token);
    expect(await exchanged(value)).toBeUndefined();
    expect((await get('/', bearer(jwt))).status).toBe(200);
  });
});
