import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { LastUse, Token } from '../../src/tokens/token.entity.js';
import { Contract } from '../support/contract.js';
import { basic, bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const SERVICE = 'registry.example';

let server: TestServer;
let ada: TestUser;
let admin: Record<string, string>;

beforeAll(async () => {
  server = await TestServer.start({
    publicUrl: 'https://tokens.example',
    registryServices: [SERVICE, 'other.example'],
    trustedProxies: ['127.0.0.1/32'],
  });
  const analytics = await server.organization('Analytics');
  ada = await server.makeUser({ login: 'Ada', organizationId: analytics.id });
  admin = await login({ ownerId: (await server.admin()).id });
});
afterAll(() => server.close());

async function issue(spec: object = {}): Promise<{ token: Token; value: string }> {
  return server.issue({ dialect: 'quay', ownerId: ada.user.id, scopes: ['user:admin'], ...spec });
}

async function login(spec: object = {}): Promise<Record<string, string>> {
  return basic('$app', (await issue(spec)).value);
}

function ask(headers: Record<string, string>, scopes: string[] = [], path = '/v2/token'): Promise<Received> {
  const query = new URLSearchParams({ service: SERVICE });
  for (const scope of scopes) query.append('scope', scope);
  return server.send('GET', `${path}?${query.toString()}`, { headers });
}

interface Claims {
  access: unknown;
  iat: number;
  exp: number;
  nbf: number;
  jti: string;
  sub: string;
}

async function claimsOf(answer: Received): Promise<Claims> {
  expect(answer.status).toBe(200);
  const keys = createLocalJWKSet((await server.send('GET', '/.well-known/jwks.json')).json);
  const options = { issuer: 'https://tokens.example', audience: SERVICE };
  return (await jwtVerify<Claims>(answer.json.token, keys, options)).payload as unknown as Claims;
}

/** What is granted of some scopes, `name:actions` each. */
async function granted(headers: Record<string, string>, ...scopes: string[]): Promise<string[]> {
  const { access } = await claimsOf(await ask(headers, scopes));
  return (access as { name: string; actions: string[] }[]).map(
    ({ name, actions }) => `${name}:${actions.join(',')}`,
  );
}

test('a token that is issued is in the audit trail: whose, for what and until when, but not itself', async () => {
  const { token, value } = await issue();
  const answer = await ask(basic('$app', value), ['repository:ada/app:pull,push', 'repository:eve/app:pull']);
  const { jti, exp } = await claimsOf(answer);
  const { json } = await server.send('GET', `/patois/v1/audit-events?object=${jti}`, {
    headers: server.asAdmin,
  });
  expect(json.items).toMatchObject([
    {
      action: 'jwt.issue',
      actor: { type: 'token', id: token.tokenId },
      object: { type: 'jwt', id: jti },
      before: null,
      after: {
        service: SERVICE,
        access: [{ type: 'repository', name: 'ada/app', actions: ['pull', 'push'] }],
        owner: ada.user.id,
        expiresAt: new Date(exp * 1000).toISOString(),
      },
      address: '127.0.0.1',
    },
  ]);
  const [, , signature = ''] = (answer.json.token as string).split('.');
  expect(JSON.stringify(json)).not.toContain(signature);
  const byToken = `/patois/v1/audit-events?action=jwt.issue&actor=${token.tokenId}`;
  expect((await server.send('GET', byToken, { headers: server.asAdmin })).json.items).toEqual(json.items);
});

describe.each(['/v2/token', '/v2/auth'])('GET %s', (path) => {
  test('answers a token of 300 seconds', async () => {
    const { value } = await issue();
    const answer = await ask(basic('$app', value), ['repository:ada/app:pull,push'], path);
    expect(Object.keys(answer.json)).toEqual(['token', 'access_token', 'expires_in', 'issued_at']);
    expect(answer.json).toMatchObject({
      access_token: answer.json.token,
      expires_in: 300,
      issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(answer.headers['cache-control']).toBe('no-store');
    const claims = await claimsOf(answer);
    expect(claims).toEqual({
      iss: 'https://tokens.example',
      sub: 'Ada',
      aud: SERVICE,
      exp: claims.iat + 300,
      nbf: claims.iat,
      iat: Date.parse(answer.json.issued_at) / 1000,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      access: [{ type: 'repository', name: 'ada/app', actions: ['pull', 'push'] }],
    });
    expect(decodeProtectedHeader(answer.json.token)).toEqual({
      typ: 'JWT',
      alg: 'ES256',
      kid: expect.stringMatching(/^([A-Z2-7]{4}:){11}[A-Z2-7]{4}$/),
    });
  });

  test('a login without a scope is 200, with no access', async () => {
    expect((await claimsOf(await ask(await login(), [], path))).access).toEqual([]);
  });

  test('ignores account, client_id and offline_token', async () => {
    const answer = await server.send(
      'GET',
      `${path}?account=Ada&client_id=docker&offline_token=true&service=${SERVICE}`,
      { headers: await login() },
    );
    expect(answer.status).toBe(200);
    expect(answer.json).not.toHaveProperty('refresh_token');
  });

  test('without credentials it is 401, as a registry says it', async () => {
    const answer = await ask({}, [], path);
    expect(answer).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="Patois", charset="UTF-8"' },
    });
    expect(answer.json).toEqual({
      errors: [
        {
          code: 'UNAUTHORIZED',
          message: 'A login, or $app, and a valid token as the password are needed',
          detail: null,
        },
      ],
    });
  });

  test('another method is 405, so that clients go on with GET', async () => {
    const { status, headers, json } = await server.send('POST', path, {
      headers: { ...(await login()), 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=password',
    });
    expect(status).toBe(405);
    expect(headers.allow).toContain('GET');
    expect(json.errors[0].code).toBe('UNSUPPORTED');
  });
});

describe('who logs in to a registry', () => {
  test("the owner's login, in any case, or $app, and a token as the password", async () => {
    const { value } = await issue();
    for (const name of ['$app', 'Ada', 'ada']) expect((await ask(basic(name, value))).status).toBe(200);
  });

  test("not another's login, nor none, nor a bearer token", async () => {
    const { value } = await issue();
    for (const headers of [basic('bob', value), basic('', value), bearer(value), basic(value, '')]) {
      expect((await ask(headers)).status).toBe(401);
    }
  });

  test("an account's password is no token, and does not count as a failed login", async () => {
    for (let attempt = 0; attempt < 30; attempt += 1) {
      expect((await ask(ada.byPassword)).status).toBe(401);
    }
    expect((await server.send('GET', '/patois/v1/me', { headers: ada.byPassword })).status).toBe(200);
  });

  test('a token that is revoked, expired or inactive, or of a disabled owner, is 401', async () => {
    const { token, value } = await issue();
    expect((await ask(basic('$app', value))).status).toBe(200);
    await server.revoke(token);
    const disabled = await server.makeUser();
    const dead = [
      basic('$app', value),
      await login({ expiresAt: new Date(Date.now() - 1) }),
      await login({ inactive: true }),
      await login({ ownerId: disabled.user.id }),
      basic('$app', `${value.slice(0, -1)}!`),
    ];
    await server.app.dataSource.query('UPDATE users SET disabled = true WHERE id = $1', [disabled.user.id]);
    for (const headers of dead) expect((await ask(headers)).status).toBe(401);
  });

  test('a token confined to other addresses is 403', async () => {
    const headers = await login({ allowedCidrs: ['203.0.113.0/24'] });
    const outside = await ask(headers);
    expect(outside.status).toBe(403);
    expect(outside.json).toEqual({
      errors: [{ code: 'DENIED', message: 'Not from this address', detail: null }],
    });
    expect((await ask({ ...headers, 'x-forwarded-for': '203.0.113.9' })).status).toBe(200);
  });

  test('the use of the token is recorded', async () => {
    const { token, value } = await issue();
    await ask({ ...basic('$app', value), 'user-agent': 'skopeo/1.9.3' });
    const used = await server.app.dataSource.manager.findOneByOrFail(LastUse, { tokenUuid: token.id });
    expect(used).toMatchObject({ address: '127.0.0.1', userAgent: 'skopeo/1.9.3' });
    expect(used.usedAt).not.toBeNull();
  });

  test('what is issued ends with the token it was issued for', async () => {
    const expiresAt = new Date(Date.now() + 60_000);
    const answer = await ask(await login({ expiresAt }));
    expect((await claimsOf(answer)).exp).toBe(Math.ceil(expiresAt.getTime() / 1000));
    expect(answer.json.expires_in).toBeLessThanOrEqual(61);
  });
});

describe('the service', () => {
  test('may be any where none are set, but for a URI, which services of another kind are known by', async () => {
    const open = await TestServer.start();
    const { value } = await open.issue({ dialect: 'quay', ownerId: (await open.admin()).id });
    const headers = basic('$app', value);
    const asking = async (service: string): Promise<number> =>
      (await open.send('GET', `/v2/token?service=${encodeURIComponent(service)}`, { headers })).status;
    expect(await asking('registry.example:5000')).toBe(200);
    expect(await asking('Docker registry')).toBe(200);
    expect(await asking('https://orders.example')).toBe(400);
    await open.close();
  });

  const asking = async (query: string): Promise<Received> =>
    server.send('GET', `/v2/token?${query}`, { headers: await login() });

  test('must be one that is served', async () => {
    expect((await asking('service=other.example')).status).toBe(200);
    const { status, json } = await asking('service=evil.example');
    expect(status).toBe(400);
    expect(json).toEqual({
      errors: [
        {
          code: 'UNSUPPORTED',
          message: 'The service is not one that this server issues tokens for',
          detail: null,
        },
      ],
    });
  });

  test.each(['', 'service=', `service=${SERVICE}&service=other.example`])('%j names none', async (query) => {
    const { status, json } = await asking(query);
    expect(status).toBe(400);
    expect(json.errors[0].message).toBe('service is required, once');
  });

  test('is asked for after the credentials', async () => {
    expect((await server.send('GET', '/v2/token')).status).toBe(401);
  });
});

describe('what is granted', () => {
  test("one's own repositories, and those of one's organization", async () => {
    const scopes = [
      'repository:ada/app:pull,push,delete',
      'repository:ada/deep/er:pull',
      'repository:analytics/app:pull,push',
    ];
    expect(await granted(await login(), ...scopes)).toEqual([
      'ada/app:pull,push,delete',
      'ada/deep/er:pull',
      'analytics/app:pull,push',
    ]);
  });

  test('nothing else: what is not granted is left out', async () => {
    const scopes = [
      'repository:bob/app:pull',
      'repository:adamant/app:pull',
      'repository:ada:pull',
      'repository:default/app:pull',
      'registry:catalog:*',
      'repository:ada/app:pull',
    ];
    expect(await granted(await login(), ...scopes)).toEqual(['ada/app:pull']);
  });

  test('administrators reach all', async () => {
    const scopes = ['repository:bob/app:pull,push', 'repository:top:pull', 'registry:catalog:*'];
    expect(await granted(admin, ...scopes)).toEqual(['bob/app:pull,push', 'top:pull', 'catalog:*']);
  });

  test("an organization administrator has no more than the organization's", async () => {
    const analytics = await server.organization('Analytics');
    const head = await server.makeUser({ role: 'organizationAdministrator', organizationId: analytics.id });
    const headers = await login({ ownerId: head.user.id });
    expect(await granted(headers, 'repository:analytics/app:pull', 'repository:ada/app:pull')).toEqual([
      'analytics/app:pull',
    ]);
  });

  test("a user named as another organization does not reach that organization's repositories", async () => {
    await server.organization('Treasury');
    const impostor = await server.makeUser({ login: 'treasury' });
    expect(await granted(await login({ ownerId: impostor.user.id }), 'repository:treasury/x:pull')).toEqual(
      [],
    );
  });

  test('scopes may be separated by spaces or repeated, and add up', async () => {
    const scopes = ['repository:ada/a:pull repository:ada/b:push', 'repository:ada/a:push,pull'];
    expect(await granted(await login(), ...scopes)).toEqual(['ada/a:pull,push', 'ada/b:push']);
  });

  test('unknown actions, malformed scopes and names that are no repository give nothing', async () => {
    const scopes = [
      'repository:ada/a:fly',
      'repository:ada/a:',
      'repository:ada/../bob:pull',
      'repository:ADA/a:pull',
      'repository:ada//a:pull',
      'repository:ada/:pull',
      'repository(plugin):ada/a:pull',
      'ada/a:pull',
      '::',
      ' ',
      `repository:ada/${'a'.repeat(300)}:pull`,
    ];
    expect(await granted(await login(), ...scopes)).toEqual([]);
    expect(await granted(admin, ...scopes)).toEqual([]);
  });

  test.each([
    ['quay', ['user:admin'], 'pull,push,delete,*'],
    ['quay', ['repo:admin'], 'pull,push,delete,*'],
    ['quay', ['repo:write'], 'pull,push'],
    ['quay', ['repo:read'], 'pull'],
    ['quay', ['repo:read', 'repo:write'], 'pull,push'],
    ['quay', ['repo:create', 'user:read', 'org:admin', 'super:user'], 'nothing'],
    ['quay', [], 'nothing'],
    ['patois', ['*'], 'pull,push,delete,*'],
    ['patois', ['repo:read'], 'pull'],
    ['patois', ['user:admin'], 'nothing'],
    ['patois', ['patois:*'], 'nothing'],
    ['losant', ['all.User'], 'nothing'],
    ['panther', ['OrganizationAPITokenRead'], 'nothing'],
  ])('a token of %s with %j may do %s', async (dialect, scopes, actions) => {
    const headers = await login({ dialect, scopes });
    const name = 'ada/app';
    expect(await granted(headers, `repository:${name}:pull,push,delete,*`)).toEqual(
      actions === 'nothing' ? [] : [`${name}:${actions}`],
    );
  });
});

describe('what the document promises', () => {
  test('is what is answered', async () => {
    const contract = Contract.of('patois');
    const wrong = await ask(await login({ allowedCidrs: ['203.0.113.0/24'] }));
    const answers: [operationId: string, answer: Received][] = [
      ['issueRegistryToken', await ask(await login(), ['repository:ada/app:pull'])],
      ['authorizeRegistryClient', await ask(await login(), [], '/v2/auth')],
      ['issueRegistryToken', await server.send('GET', '/v2/token', { headers: await login() })],
      ['issueRegistryToken', await ask({})],
      ['issueRegistryToken', wrong],
      ['getSigningKeys', await server.send('GET', '/.well-known/jwks.json')],
    ];
    expect(answers.map(([, { status }]) => status)).toEqual([200, 200, 400, 401, 403, 200]);
    const problems = answers.flatMap(([operationId, answer]) => contract.problemsOf(operationId, answer));
    expect(problems).toEqual([]);
  });
});

describe('other paths below /v2', () => {
  test.each(['/v2', '/v2/', '/v2/token/nothing', '/v2/ada/app/manifests/latest'])(
    '%s is not here, as a registry says it',
    async (path) => {
      const { status, json } = await server.send('GET', path, { headers: await login() });
      expect(status).toBe(404);
      expect(json).toEqual({ errors: [{ code: 'UNKNOWN', message: 'No such resource', detail: null }] });
    },
  );
});
