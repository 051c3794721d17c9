import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLocalJWKSet, jwtVerify } from 'jose';
import * as openid from 'openid-client';
import { FORM } from '../../src/http/body/form.js';
import { freePort } from '../support/free-port.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const ACCEPT_JWT = 'application/token-introspection+jwt';

let server: TestServer;
let issuer: string;
let owner: TestUser;
/** A gateway's own token. */
let gateway: string;

beforeAll(async () => {
  const port = await freePort();
  issuer = `http://127.0.0.1:${port}`;
  server = await TestServer.start({ port, publicUrl: issuer });
  owner = await server.makeUser({ login: 'ada' });
  gateway = await issue({ dialect: 'patois', scopes: ['patois:introspect'] });
});
afterAll(() => server.close());

async function issue(spec: object = {}): Promise<string> {
  const whole = { dialect: 'quay', ownerId: owner.user.id, scopes: ['repo:read'], ...spec };
  return (await server.issue(whole)).value;
}

function introspect(token: string, headers: Record<string, string>): Promise<Received> {
  const body = new URLSearchParams({ token }).toString();
  return server.send('POST', '/oauth2/introspect', { headers: { 'content-type': FORM, ...headers }, body });
}

test('the answer is a JWT for who asked, if that is what is accepted (RFC 9701)', async () => {
  const value = await issue();
  const plain = await introspect(value, bearer(gateway));
  for (const [token, answer] of [
    [value, plain.json],
    ['nonsense', { active: false }],
  ] as const) {
    const { status, headers, text } = await introspect(token, { ...bearer(gateway), accept: ACCEPT_JWT });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': ACCEPT_JWT, 'cache-control': 'no-store' });
    const { json } = await server.send('GET', '/.well-known/jwks.json');
    const { payload } = await jwtVerify(text, createLocalJWKSet(json), { typ: 'token-introspection+jwt' });
    expect(payload).toEqual({
      iss: issuer,
      aud: gateway.slice(0, 15),
      iat: expect.any(Number),
      token_introspection: answer,
    });
  }
  expect(plain.json.active).toBe(true);
});

test.each([
  [undefined, false],
  ['*/*', false],
  ['application/json', false],
  [`${ACCEPT_JWT};q=0`, false],
  [`${ACCEPT_JWT};q=0.5, application/json`, false],
  [`application/json;q=0.5, ${ACCEPT_JWT}`, true],
  [`text/html, Application/Token-Introspection+JWT; q=0.1`, true],
  ['application/jwt', false],
])('Accept: %s', async (accept, isJwt) => {
  const headers = { ...bearer(gateway), ...(accept === undefined ? {} : { accept }) };
  const answer = await introspect(await issue(), headers);
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type'] === ACCEPT_JWT).toBe(isJwt);
});

test('refusals stay JSON', async () => {
  const { status, json } = await introspect('x', { accept: ACCEPT_JWT });
  expect({ status, error: json.error }).toEqual({ status: 401, error: 'invalid_client' });
  const lacking = await introspect('x', { ...bearer(await issue()), accept: ACCEPT_JWT });
  expect({ status: lacking.status, error: lacking.json.error }).toEqual({
    status: 403,
    error: 'insufficient_scope',
  });
});

test('openid-client takes it', async () => {
  const metadata = { introspection_signed_response_alg: 'ES256' };
  const authentication = openid.ClientSecretBasic(gateway);
  const client = await openid.discovery(new URL(issuer), 'ada', metadata, authentication, {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  });
  expect(await openid.tokenIntrospection(client, await issue())).toMatchObject({
    active: true,
    username: 'ada',
  });
  expect(await openid.tokenIntrospection(client, 'nonsense')).toEqual({ active: false });
});
