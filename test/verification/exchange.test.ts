import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import * as openid from 'openid-client';
import { TokenService } from '../../src/tokens/token.service.js';
import { SYSTEM_AUTHORITY } from '../../src/tokens/authority/authority.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { ExchangeEvents } from '../../src/verification/exchange/exchange-events.js';
import { FORM } from '../../src/http/body/form.js';
import { moveClock } from '../support/clock.js';
import { freePort } from '../support/free-port.js';
import { basic, bearer, type Received } from '../support/http.js';
import { ADMIN_PASSWORD, TestServer, type TestUser } from '../support/server.js';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const SERVICE = 'https://orders.example';

let server: TestServer;
let issuer: string;
let owner: TestUser;
/** A gateway, which presents the tokens of others. */
let gateway: Record<string, string>;

beforeAll(async () => {
  const port = await freePort();
  issuer = `http://127.0.0.1:${port}`;
  server = await TestServer.start({ port, publicUrl: issuer });
  owner = await server.makeUser({ login: 'ada@example.com' });
  gateway = bearer(await issue({ scopes: ['patois:introspect'] }));
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => server.close());

async function issue(spec: object = {}): Promise<string> {
  const whole = { dialect: 'quay', ownerId: owner.user.id, scopes: ['repo:write', 'user:read'], ...spec };
  return (await server.issue(whole)).value;
}

/** Sends a form; what is undefined is left out of it. */
function post(
  form: Record<string, string | undefined> | [string, string][],
  headers: Record<string, string> = {},
): Promise<Received> {
  const pairs = Array.isArray(form) ? form : Object.entries(form).filter(([, value]) => value !== undefined);
  const body = new URLSearchParams(pairs as [string, string][]).toString();
  return server.send('POST', '/oauth2/token', { headers: { 'content-type': FORM, ...headers }, body });
}

function exchange(
  value: string,
  form: Record<string, string | undefined> = {},
  headers: Record<string, string> = {},
): Promise<Received> {
  const whole = { grant_type: GRANT, subject_token: value, subject_token_type: ACCESS_TOKEN, ...form };
  return post(whole, headers);
}

/** The claims of the JWT of an answer, as a service verifies them by itself. */
async function claimsOf(answer: Received, audience = issuer): Promise<JWTPayload> {
  expect(answer).toMatchObject({ status: 200 });
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer));
  const { payload, protectedHeader } = await jwtVerify(answer.json.access_token, keys, {
    typ: 'at+jwt',
    issuer,
    audience,
    algorithms: ['ES256'],
    requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
  });
  expect(protectedHeader).toEqual({ typ: 'at+jwt', alg: 'ES256', kid: expect.any(String) });
  return payload;
}

function expectError(answer: Received, status: number, error: string): void {
  expect({ status: answer.status, error: answer.json.error }).toEqual({ status, error });
  expect(Object.keys(answer.json)).toEqual(['error', 'error_description']);
  expect(answer.headers['cache-control']).toBe('no-store');
}

describe('POST /oauth2/token', () => {
  test('changes a token for a JWT that a service verifies without asking (RFC 8693, RFC 9068)', async () => {
    const value = await issue();
    const answer = await exchange(value, { audience: SERVICE });
    expect(answer.json).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'repo:write user:read',
    });
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' });
    const claims = await claimsOf(answer, SERVICE);
    expect(claims).toEqual({
      iss: issuer,
      sub: owner.user.id,
      aud: SERVICE,
      exp: (claims.iat ?? 0) + 300,
      iat: expect.any(Number),
      jti: expect.stringMatching(/^[\da-f-]{36}$/),
      client_id: value.slice(0, 15),
      scope: 'repo:write user:read',
      username: 'ada@example.com',
      organization: 'Default',
      dialect: 'quay',
    });
    expect(Math.abs((claims.iat ?? 0) - Date.now() / 1000)).toBeLessThan(10);
    expect(JSON.stringify(claims)).not.toContain(value.slice(16));
    expect((await claimsOf(await exchange(value))).jti).not.toBe(claims.jti);
  });

  test('takes tokens of every dialect, and of every organization', async () => {
    const elsewhere = await server.makeUser({ organizationId: (await server.organization('Other')).id });
    for (const [dialect, scope] of [
      ['foreman', 'foreman:*'],
      ['yunxiao', 'base_user_read'],
      ['panther', 'OrganizationAPITokenRead'],
      ['losant', 'all.User'],
      ['patois', '*'],
    ] as const) {
      const value = await issue({ dialect, scopes: [scope], ownerId: elsewhere.user.id });
      const claims = await claimsOf(await exchange(value));
      expect(claims).toMatchObject({ dialect, scope, organization: 'Other', sub: elsewhere.user.id });
    }
  });

  test('narrows scopes by what the dialect says of them, and widens none', async () => {
    const value = await issue();
    const narrow = await exchange(value, { scope: 'repo:read repo:read' });
    expect(narrow.json.scope).toBe('repo:read');
    expect((await claimsOf(narrow)).scope).toBe('repo:read');
    for (const scope of ['repo:admin', 'repo:read user:admin', '*', 'repo:"read"', 'repo:lése']) {
      expectError(await exchange(value, { scope }), 400, 'invalid_scope');
    }
    expectError(
      await exchange(value, { scope: Array.from({ length: 101 }, (_, n) => `s${n}`).join(' ') }),
      400,
      'invalid_request',
    );
    const many = await issue({
      dialect: 'patois',
      scopes: ['*', ...Array.from({ length: 400 }, (_, n) => `repo:read${'x'.repeat(10)}${n}`)],
    });
    expectError(await exchange(many), 400, 'invalid_scope');
    expect((await exchange(many, { scope: 'repo:read' })).status).toBe(200);
  });

  test('is for the services that audience and resource name', async () => {
    const value = await issue();
    const form: [string, string][] = [
      ['grant_type', GRANT],
      ['subject_token', value],
      ['subject_token_type', ACCESS_TOKEN],
      ['audience', 'orders'],
      ['audience', 'bills'],
      ['audience', 'orders'],
      ['resource', SERVICE],
      ['scope', ''],
      ['something', 'else'],
    ];
    const claims = await claimsOf(await post(form), SERVICE);
    expect(claims.aud).toEqual(['orders', 'bills', SERVICE]);
    expect((await claimsOf(await exchange(value, { audience: '', resource: '' }))).aud).toBe(issuer);
    const eleven = Array.from({ length: 8 }, (_, n): [string, string] => ['audience', `a${n}`]);
    expectError(await post([...form, ...eleven]), 400, 'invalid_target');
    for (const bad of [
      { resource: 'orders' },
      { resource: `${SERVICE}/#part` },
      { audience: 'x'.repeat(257) },
      { audience: 'two words' },
      { audience: value },
    ]) {
      expectError(await exchange(value, bad), 400, 'invalid_target');
    }
  });

  test('says which kind of token it is, of the two that it can be', async () => {
    const value = await issue();
    for (const requested_token_type of [ACCESS_TOKEN, JWT]) {
      const answer = await exchange(value, { requested_token_type });
      expect(answer.json.issued_token_type).toBe(requested_token_type);
      await claimsOf(answer);
    }
    const saml = 'urn:ietf:params:oauth:token-type:saml2';
    expectError(await exchange(value, { requested_token_type: saml }), 400, 'invalid_request');
  });

  test.each<[string, Record<string, string | undefined>, number, string]>([
    ['no grant_type', { grant_type: undefined }, 400, 'invalid_request'],
    ['an empty grant_type', { grant_type: '' }, 400, 'invalid_request'],
    [
      'another grant',
      { grant_type: 'client_credentials', subject_token: undefined },
      400,
      'unsupported_grant_type',
    ],
    ['no subject_token', { subject_token: undefined }, 400, 'invalid_request'],
    ['no subject_token_type', { subject_token_type: undefined }, 400, 'invalid_request'],
    ['another subject_token_type', { subject_token_type: JWT }, 400, 'invalid_request'],
    ['an actor_token', { actor_token: 'x', actor_token_type: ACCESS_TOKEN }, 400, 'invalid_request'],
    ['a NUL', { audience: 'a\0b' }, 400, 'invalid_request'],
    ['a client_secret in the form', { client_id: 'ada', client_secret: 'x' }, 401, 'invalid_client'],
    ['a client_assertion', { client_assertion: 'x' }, 401, 'invalid_client'],
  ])('%s is an error of RFC 6749, 5.2', async (_, form, status, error) => {
    expectError(await exchange(await issue(), form), status, error);
  });

  test('a parameter that is there twice is invalid_request, JSON is 415, GET is 405', async () => {
    const value = await issue();
    const form = new URLSearchParams({
      grant_type: GRANT,
      subject_token: value,
      subject_token_type: ACCESS_TOKEN,
    });
    for (const name of ['grant_type', 'subject_token', 'scope']) {
      const pairs = [...form, [name, 'x'], [name, 'y']] as [string, string][];
      expectError(await post(pairs), 400, 'invalid_request');
    }
    const json = await server.send('POST', '/oauth2/token', { body: Object.fromEntries(form) });
    expectError(json, 415, 'invalid_request');
    const get = await server.send('GET', '/oauth2/token');
    expectError(get, 405, 'invalid_request');
    expect(get.headers.allow).toBe('POST');
  });

  test('a token that is not valid is invalid_request, whatever is wrong with it', async () => {
    const revoked = await server.issue({ dialect: 'quay', ownerId: owner.user.id });
    const { value } = revoked;
    expect((await exchange(value)).status).toBe(200);
    await server.revoke(revoked.token);
    const disabled = await server.makeUser();
    const theirs = await issue({ ownerId: disabled.user.id });
    await server.app.dataSource.query('UPDATE users SET disabled = true WHERE id = $1', [disabled.user.id]);
    for (const bad of [
      value,
      theirs,
      'nonsense',
      makeToken().value,
      owner.password,
      await issue({ expiresAt: new Date(Date.now() - 1) }),
      await issue({ inactive: true }),
    ]) {
      expectError(await exchange(bad), 400, 'invalid_request');
    }
  });

  test('the address of the caller counts for a token that is confined', async () => {
    const here = await issue({ allowedCidrs: ['127.0.0.0/8'] });
    const elsewhere = await issue({ allowedCidrs: ['203.0.113.0/24'] });
    expect((await exchange(here)).status).toBe(200);
    expectError(await exchange(elsewhere), 400, 'invalid_request');
    expectError(await exchange(elsewhere, {}, { 'x-forwarded-for': '203.0.113.7' }), 400, 'invalid_request');
  });

  test('client_ip counts of a caller who may introspect, who speaks for somebody else', async () => {
    const confined = await issue({ allowedCidrs: ['203.0.113.0/24'] });
    const inside = { client_ip: '203.0.113.7' };
    for (const headers of [gateway, server.asAdmin]) {
      expect((await exchange(confined, inside, headers)).status).toBe(200);
      expectError(await exchange(confined, { client_ip: '198.51.100.1' }, headers), 400, 'invalid_request');
      expectError(await exchange(confined, { client_ip: 'nonsense' }, headers), 400, 'invalid_request');
    }
    // Its own address says nothing of the one whose token it is.
    const here = await issue({ allowedCidrs: ['127.0.0.0/8'] });
    expectError(await exchange(here, {}, gateway), 400, 'invalid_request');
    // A stranger, or the token itself, says nothing of its address.
    expectError(await exchange(confined, inside), 401, 'invalid_client');
    expectError(await exchange(confined, inside, bearer(confined)), 401, 'invalid_client');
  });

  test('who authenticates must be known, and may present the tokens of others', async () => {
    const value = await issue();
    for (const headers of [
      bearer('nonsense'),
      basic('ada@example.com', 'wrong'),
      { authorization: 'Basic x' },
    ]) {
      const answer = await exchange(value, {}, headers);
      expectError(answer, 401, 'invalid_client');
      expect(answer.headers['www-authenticate']).toContain('Basic');
    }
    expectError(await exchange(value, {}, bearer(await issue())), 400, 'unauthorized_client');
    const confined = bearer(await issue({ scopes: ['patois:introspect'], allowedCidrs: ['10.0.0.0/8'] }));
    expectError(await exchange(value, {}, confined), 400, 'unauthorized_client');
  });

  test('two different tokens in the headers are refused', async () => {
    const value = await issue();
    const authorization = [`Bearer ${value}`, gateway['authorization'] ?? ''];
    const body = new URLSearchParams({
      grant_type: GRANT,
      subject_token: value,
      subject_token_type: ACCESS_TOKEN,
    }).toString();
    const headers = { 'content-type': FORM, authorization };
    const answer = await server.send('POST', '/oauth2/token', { headers, body });
    expectError(answer, 401, 'invalid_client');
  });

  test('the same token as bearer or password is no other credential; a login that is not its own is', async () => {
    const value = await issue({ allowedCidrs: ['127.0.0.0/8'] });
    for (const headers of [bearer(value), basic('ada@example.com', value), basic('$app', value)]) {
      expect((await exchange(value, {}, headers)).status).toBe(200);
    }
    expectError(await exchange(value, {}, basic('admin', value)), 400, 'invalid_request');
  });

  test('a JWT ends with the token, or before', async () => {
    const expiresAt = new Date(Date.now() + 100_900);
    const claims = await claimsOf(await exchange(await issue({ expiresAt })));
    expect(claims.exp).toBe(Math.floor(expiresAt.getTime() / 1000));
    const now = new Date(Math.ceil(Date.now() / 1000) * 1000 + 100);
    const ending = await issue({ expiresAt: new Date(now.getTime() + 500) });
    moveClock(now.getTime() - Date.now());
    expectError(await exchange(ending), 400, 'invalid_request');
  });

  test('the JWT of a value that a rotation has left valid ends with that', async () => {
    const { token, value } = await server.issue({ dialect: 'quay', ownerId: owner.user.id });
    const rotated = await server.app.nest
      .get(TokenService, { strict: false })
      .rotate({ id: token.id }, SYSTEM_AUTHORITY, { graceSeconds: 120 });
    server.secrets.add(rotated.value);
    const until = rotated.token.previousValidUntil?.getTime() ?? 0;
    expect((await claimsOf(await exchange(value))).exp).toBe(Math.floor(until / 1000));
    expect((await exchange(rotated.value)).json.expires_in).toBe(300);
  });

  test('the trail says which token was exchanged, once an hour for a network; the JWT is not in it', async () => {
    const value = await issue();
    const answers = [
      await exchange(value, { audience: SERVICE }),
      await exchange(value),
      await exchange(value),
    ];
    const events = async (): Promise<unknown[]> => {
      await server.app.nest.get(ExchangeEvents, { strict: false }).flush();
      const path = `/patois/v1/audit-events?action=token.exchange&object=${value.slice(0, 15)}`;
      const { json, text } = await server.send('GET', path, { headers: server.asAdmin });
      for (const { json: sent } of answers) expect(text).not.toContain(sent.access_token.split('.')[2]);
      return json.items;
    };
    expect(await events()).toMatchObject([
      {
        actor: { type: 'token', id: value.slice(0, 15) },
        object: { type: 'token', id: value.slice(0, 15) },
        after: { audience: [SERVICE], scope: 'repo:write user:read', owner: owner.user.id },
        address: '127.0.0.1',
      },
    ]);
    moveClock(61 * 60_000);
    await exchange(value);
    expect(await events()).toHaveLength(2);
  });

  test('an exchange counts as a use of the token', async () => {
    const value = await issue();
    await exchange(value);
    const { json } = await server.send('GET', `/patois/v1/tokens/${value.slice(0, 15)}`, {
      headers: server.asAdmin,
    });
    expect(json).toMatchObject({ lastUsedAddress: '127.0.0.1' });
  });
});

test('EXCHANGE_TOKEN_LIFETIME is how long a JWT lives', async () => {
  const brief = await TestServer.start({ exchangeTokenLifetimeSeconds: 20 });
  const { value } = await brief.issue({ dialect: 'quay', ownerId: (await brief.admin()).id });
  const body = new URLSearchParams({
    grant_type: GRANT,
    subject_token: value,
    subject_token_type: ACCESS_TOKEN,
  }).toString();
  const { json } = await brief.send('POST', '/oauth2/token', { headers: { 'content-type': FORM }, body });
  expect(json).toMatchObject({ expires_in: 20 });
  // Without PUBLIC_URL, the issuer is the address that it was asked at.
  expect(decodeJwt(json.access_token)).toMatchObject({ iss: brief.url, aud: brief.url });
  const nowhere = { 'content-type': FORM, host: 'a b' };
  expect((await brief.send('POST', '/oauth2/token', { headers: nowhere, body })).status).toBe(400);
  await brief.close();
});

describe('GET /.well-known/oauth-authorization-server', () => {
  test('says what this server can do (RFC 8414), and nothing else', async () => {
    const { status, json, headers } = await server.send('GET', '/.well-known/oauth-authorization-server');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(json).toEqual({
      issuer,
      token_endpoint: `${issuer}/oauth2/token`,
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
      grant_types_supported: [GRANT],
      response_types_supported: [],
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      introspection_endpoint: `${issuer}/oauth2/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'Bearer'],
      introspection_signing_alg_values_supported: ['ES256'],
      revocation_endpoint: `${issuer}/oauth2/revoke`,
      revocation_endpoint_auth_methods_supported: ['none'],
      service_documentation: `${issuer}/docs/patois`,
    });
    expect((await server.send('GET', '/docs/patois')).status).toBe(200);
    expect((await server.send('GET', '/.well-known/oauth-authorization-server/patois')).status).toBe(404);
  });

  test('of an issuer with a path stands where RFC 8414 says, too', async () => {
    const below = await TestServer.start({ publicUrl: 'https://example.com/tools/patois' });
    const at = (path: string): Promise<Received> =>
      below.send('GET', `/.well-known/oauth-authorization-server${path}`);
    for (const path of ['', '/tools/patois']) {
      expect((await at(path)).json.issuer).toBe('https://example.com/tools/patois');
    }
    for (const path of ['/tools', '/tools/patois/more']) expect((await at(path)).status).toBe(404);
    await below.close();
  });
});

describe('openid-client', () => {
  /** A client that has found out all it knows of this server by its metadata. */
  function discover(login: string, authentication: openid.ClientAuth): Promise<openid.Configuration> {
    return openid.discovery(new URL(issuer), login, {}, authentication, {
      algorithm: 'oauth2',
      execute: [openid.allowInsecureRequests],
    });
  }
  const form = (value: string): Record<string, string> => ({
    subject_token: value,
    subject_token_type: ACCESS_TOKEN,
    audience: SERVICE,
  });

  test('exchanges a token without any credential but it', async () => {
    const client = await discover('ada', openid.None());
    const answer = await openid.genericGrantRequest(client, GRANT, form(await issue()));
    expect(answer).toMatchObject({ token_type: 'bearer', expires_in: 300, issued_token_type: ACCESS_TOKEN });
    expect(decodeJwt(answer.access_token)).toMatchObject({ aud: SERVICE, sub: owner.user.id });
    const refused = openid.genericGrantRequest(client, GRANT, form('nonsense'));
    await expect(refused).rejects.toMatchObject({ error: 'invalid_request', status: 400 });
  });

  test('authenticates by Basic as RFC 6749 encodes it, with a token or a password', async () => {
    const secret = await issue({ scopes: ['patois:introspect'] });
    const confined = await issue({ allowedCidrs: ['203.0.113.0/24'] });
    for (const [login, password] of [
      ['ada@example.com', secret],
      ['ada@example.com', owner.password],
    ] as const) {
      const client = await discover(login, openid.ClientSecretBasic(password));
      const asked = { ...form(confined), client_ip: '203.0.113.7' };
      expect((await openid.genericGrantRequest(client, GRANT, asked)).scope).toBe('repo:write user:read');
      expect(await openid.tokenIntrospection(client, await issue())).toMatchObject({ active: true });
    }
  });

  test('introspects and revokes; what is revoked is exchanged no more', async () => {
    const secret = await issue({ scopes: ['patois:introspect'] });
    const client = await discover('ada@example.com', openid.ClientSecretBasic(secret));
    const value = await issue();
    expect(await openid.tokenIntrospection(client, value)).toMatchObject({ active: true, iss: issuer });
    await openid.tokenRevocation(client, value);
    expect(await openid.tokenIntrospection(client, value)).toEqual({ active: false });
    const { json } = await exchange(await issue());
    const unsupported = { error: 'unsupported_token_type', status: 400 };
    await expect(openid.tokenRevocation(client, json.access_token)).rejects.toMatchObject(unsupported);
    const refused = openid.genericGrantRequest(client, GRANT, form(value));
    await expect(refused).rejects.toMatchObject({ error: 'invalid_request' });
  });
});

test('a password with a percent sign is taken as it is sent, and as RFC 6749 encodes it', async () => {
  const percent = await server.makeUser({ password: '100% of (it)' });
  const { login } = percent.user;
  const encoded = `${encodeURIComponent('100% of (it)').replace('(', '%28').replace(')', '%29')}`;
  const value = await issue();
  for (const password of ['100% of (it)', encoded, encoded.replaceAll('%20', '+')]) {
    expect((await exchange(value, {}, basic(login, password))).status).toBe(200);
  }
  expect((await exchange(value, {}, basic('admin', ADMIN_PASSWORD))).status).toBe(200);
  for (const password of ['100%25', '%ff%28%29', '%00%28']) {
    expect((await exchange(value, {}, basic(login, password))).status).toBe(401);
  }
});
