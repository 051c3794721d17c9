import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, type Socket } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { basic, bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const FORM = 'application/x-www-form-urlencoded';

let server: TestServer;
let owner: TestUser;
/** A gateway's own token. */
let gateway: Record<string, string>;

beforeAll(async () => {
  server = await TestServer.start({ publicUrl: 'https://tokens.example' });
  owner = await server.makeUser({ login: 'ada' });
  const { value } = await server.issue({
    dialect: 'patois',
    ownerId: owner.user.id,
    scopes: ['patois:introspect'],
  });
  gateway = bearer(value);
});
afterAll(() => server.close());

function post(path: string, form: Record<string, string> | string, headers = gateway): Promise<Received> {
  const body = new URLSearchParams(form).toString();
  return server.send('POST', path, { headers: { 'content-type': FORM, ...headers }, body });
}

async function issue(spec: object = {}): Promise<string> {
  const whole = { dialect: 'patois', ownerId: owner.user.id, scopes: ['patois:tokens.read'], ...spec };
  return (await server.issue(whole)).value;
}

describe('POST /oauth2/introspect', () => {
  test('says all about an active token (RFC 7662)', async () => {
    const expiresAt = new Date('2031-01-01T00:00:00Z');
    const value = await issue({ expiresAt, scopes: ['patois:tokens.read', 'patois:users.read'] });
    const { status, json, headers } = await post('/oauth2/introspect', {
      token: value,
      token_type_hint: 'access_token',
    });
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(json).toEqual({
      active: true,
      scope: 'patois:tokens.read patois:users.read',
      username: 'ada',
      sub: owner.user.id,
      iss: 'https://tokens.example',
      jti: value.slice(0, 15),
      token_type: 'Bearer',
      iat: expect.any(Number),
      exp: expiresAt.getTime() / 1000,
      dialect: 'patois',
      organization: 'Default',
    });
    expect(Math.abs(json.iat - Date.now() / 1000)).toBeLessThan(10);
  });

  test('leaves exp out for a token that never expires', async () => {
    expect((await post('/oauth2/introspect', { token: await issue() })).json).not.toHaveProperty('exp');
  });

  test('anything else is exactly {"active":false}, 200', async () => {
    const revoked = await server.issue({ dialect: 'patois', ownerId: owner.user.id });
    await server.revoke(revoked.token);
    const confined = await issue({ allowedCidrs: ['10.0.0.0/8'] });
    const forms: Record<string, string>[] = [
      { token: 'nonsense' },
      { token: '' },
      { token: revoked.value },
      { token: await issue({ expiresAt: new Date(Date.now() - 1) }) },
      { token: await issue({ inactive: true }) },
      { token: confined },
      { token: confined, client_ip: '11.0.0.1' },
      { token: confined, client_ip: 'nonsense' },
      { token: await issue(), scope: 'patois:tokens.write' },
      { token: await issue(), scope: 'patois:tokens.read patois:tokens.write' },
    ];
    for (const form of forms) {
      const { status, text } = await post('/oauth2/introspect', form);
      expect({ form, status, text }).toEqual({ form, status: 200, text: '{"active":false}' });
    }
  });

  test('client_ip and scope that fit make it active', async () => {
    const value = await issue({ allowedCidrs: ['10.0.0.0/8'] });
    const form = { token: value, client_ip: '::ffff:10.1.2.3', scope: 'patois:tokens.read' };
    expect((await post('/oauth2/introspect', form)).json.active).toBe(true);
  });

  test('a login and password may ask as well', async () => {
    expect((await post('/oauth2/introspect', { token: await issue() }, owner.byPassword)).json.active).toBe(
      true,
    );
  });

  test('no credential and a wrong one are 401 invalid_client', async () => {
    for (const headers of [{}, bearer('nonsense'), basic('ada', 'wrong password')]) {
      const {
        status,
        json,
        headers: answered,
      } = await post('/oauth2/introspect', { token: 'x' }, headers as typeof gateway);
      expect({ status, error: json.error }).toEqual({ status: 401, error: 'invalid_client' });
      expect(Object.keys(json)).toEqual(['error', 'error_description']);
      expect(answered['www-authenticate']).toContain('Basic');
      expect(answered['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test('without patois:introspect it is 403', async () => {
    const { status, json } = await post('/oauth2/introspect', { token: 'x' }, bearer(await issue()));
    expect({ status, error: json.error }).toEqual({ status: 403, error: 'insufficient_scope' });
  });

  test.each([
    ['no token', ''],
    ['two tokens', 'token=a&token=b'],
    ['a NUL', 'token=a%00b'],
  ])('%s is invalid_request', async (_, form) => {
    const headers = { ...gateway, 'content-type': FORM };
    const { status, json } = await server.send('POST', '/oauth2/introspect', { headers, body: form });
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'invalid_request' });
  });

  test('a form is read as browsers write it: percent escapes, plus signs, empty and unknown pairs', async () => {
    const value = await issue({ allowedCidrs: ['2001:db8::/32'], scopes: ['patois:*'] });
    const parts = ['&', 'hint=%E4%A7', 'flag', 'scope=patois%3Atokens.read+patois:tokens.write'];
    const headers = { ...gateway, 'content-type': `${FORM}; charset=UTF-8` };
    const escaped = value.replace('pt-', '%70t%2D');
    const body = [...parts, 'client%5Fip=2001%3Adb8%3A%3A1', `token=${escaped}`, ''].join('&');
    const { status, json } = await server.send('POST', '/oauth2/introspect', { headers, body });
    expect({ status, active: json.active }).toEqual({ status: 200, active: true });
    const elsewhere = body.replace('2001%3Adb8', '2001%3Adb9');
    expect((await server.send('POST', '/oauth2/introspect', { headers, body: elsewhere })).json.active).toBe(
      false,
    );
  });

  /** A connection over which the gateway has said that it sends a form of so many bytes. */
  function begin(length: number): Socket {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const headers = { host: 'patois', ...gateway, 'content-type': FORM, connection: 'close' };
    const lines = Object.entries({ ...headers, 'content-length': length }).map((pair) => pair.join(': '));
    socket.write(['POST /oauth2/introspect HTTP/1.1', ...lines, '\r\n'].join('\r\n'));
    return socket;
  }

  /** Sends a piece, and lets the server, which lives in this process, read it before the next one. */
  async function arrive(socket: Socket, piece: string): Promise<void> {
    await new Promise((resolve) => socket.write(piece, resolve));
    for (let turns = 0; turns < 5; turns += 1) await setImmediate();
  }

  async function sendInPieces(...pieces: string[]): Promise<string> {
    const socket = begin(pieces.join('').length);
    for (const piece of pieces) await arrive(socket, piece);
    return readText(socket);
  }

  test('a form may come in pieces, and one that is too large is 413', async () => {
    const form = `token=${await issue()}`;
    const whole = await sendInPieces(form);
    const inPieces = await sendInPieces(form.slice(0, 9), form.slice(9, 40), form.slice(40));
    for (const answer of [whole, inPieces]) expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*"active":true/);
    expect(await sendInPieces(form, '&', 'x'.repeat(512 * 1024))).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a caller who breaks off harms nobody', async () => {
    const socket = begin(100);
    await arrive(socket, 'token=');
    socket.destroy();
    await setImmediate();
    expect((await post('/oauth2/introspect', { token: await issue() })).json).toMatchObject({ active: true });
  });

  test('JSON is not what RFC 7662 says: 415, in the words of RFC 6749', async () => {
    const { status, json } = await server.send('POST', '/oauth2/introspect', {
      headers: gateway,
      body: { token: 'x' },
    });
    expect({ status, error: json.error }).toEqual({ status: 415, error: 'invalid_request' });
  });

  test('GET is 405, an unknown path 404, both in the words of RFC 6749', async () => {
    const get = await server.send('GET', '/oauth2/introspect', { headers: gateway });
    expect({ status: get.status, allow: get.headers['allow'], error: get.json.error }).toEqual({
      status: 405,
      allow: 'POST',
      error: 'invalid_request',
    });
    expect((await server.send('POST', '/oauth2/nothing', { headers: gateway })).json.error).toBe(
      'invalid_request',
    );
  });
});

describe('POST /oauth2/revoke', () => {
  test('ends the token that is held, without another credential, and says so in the audit trail', async () => {
    const value = await issue();
    const { status, text } = await post('/oauth2/revoke', { token: value }, {});
    expect({ status, text }).toEqual({ status: 200, text: '' });
    expect((await post('/oauth2/introspect', { token: value })).text).toBe('{"active":false}');
    const events = await server.app.dataSource.manager.findBy(AuditEvent, {
      objectId: value.slice(0, 15),
      action: 'token.revoke',
    });
    expect(events).toMatchObject([{ actorType: 'token', actorId: value.slice(0, 15) }]);
  });

  test('200 for an unknown token, a malformed one and one that is revoked already', async () => {
    const value = await issue();
    await post('/oauth2/revoke', { token: value }, {});
    for (const token of [value, 'nonsense']) {
      expect((await post('/oauth2/revoke', { token, token_type_hint: 'refresh_token' }, {})).status).toBe(
        200,
      );
    }
  });

  test('no token is invalid_request', async () => {
    const { status, json } = await post('/oauth2/revoke', {}, {});
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'invalid_request' });
  });
});

describe('POST /patois/v1/verifications', () => {
  test('answers each question in order, with the reason where a token is not active', async () => {
    const active = await issue();
    const confined = await issue({ allowedCidrs: ['10.0.0.0/8'] });
    const revoked = await server.issue({ dialect: 'patois', ownerId: owner.user.id });
    await server.revoke(revoked.token);
    const disabled = await server.makeUser();
    const ownerless = await issue({ ownerId: disabled.user.id });
    await server.app.dataSource.query('UPDATE users SET disabled = true WHERE id = $1', [disabled.user.id]);
    const rotated = await issue();
    const verifications = [
      { token: active, scope: 'patois:tokens.read' },
      { token: confined, clientIp: '10.9.8.7' },
      { token: 'nonsense' },
      { token: `${active.slice(0, -1)}${active.endsWith('x') ? 'y' : 'x'}` },
      { token: revoked.value },
      { token: await issue({ expiresAt: new Date(Date.now() - 1) }) },
      { token: await issue({ inactive: true }) },
      { token: ownerless },
      { token: makeToken().value },
      { token: confined },
      { token: confined, clientIp: '11.0.0.1' },
      { token: active, scope: 'root' },
      { token: rotated },
    ];
    const { status, json } = await server.send('POST', '/patois/v1/verifications', {
      headers: gateway,
      body: { verifications },
    });
    expect(status).toBe(200);
    const outcomes = json.verifications.map(
      ({ active: isActive, reason }: { active: boolean; reason?: string }) => reason ?? isActive,
    );
    expect(outcomes).toEqual([
      true,
      true,
      'malformed',
      'malformed',
      'revoked',
      'expired',
      'inactive',
      'owner_disabled',
      'unknown',
      'address',
      'address',
      'scope',
      true,
    ]);
    expect(json.verifications[0]).toMatchObject({ active: true, username: 'ada', jti: active.slice(0, 15) });
    expect(json.verifications[2]).toEqual({ active: false, reason: 'malformed' });
  });

  test('takes 1000 at once, and not one more, nor none', async () => {
    const token = await issue();
    const ask = (count: number): Promise<Received> =>
      server.send('POST', '/patois/v1/verifications', {
        headers: gateway,
        body: { verifications: Array.from({ length: count }, () => ({ token })) },
      });
    const { json } = await ask(1000);
    expect(json.verifications).toHaveLength(1000);
    expect(json.verifications.every(({ active }: { active: boolean }) => active)).toBe(true);
    expect((await ask(1001)).status).toBe(400);
    expect((await ask(0)).status).toBe(400);
  });

  test('answers a thousand questions about a token of 500 scopes in order, as JSON like any other', async () => {
    const scopes = Array.from({ length: 500 }, (_, index) => `a_scope_of_${index}`);
    const broad = await issue({ scopes });
    const verifications = Array.from({ length: 1000 }, (_, index) => ({
      token: index % 3 === 0 ? `no-token-${index}` : broad,
    }));
    const { status, json, headers } = await server.send('POST', '/patois/v1/verifications', {
      headers: gateway,
      body: { verifications },
    });
    expect([status, headers['content-type'], headers['content-length']]).toEqual([
      200,
      'application/json; charset=utf-8',
      // It leaves in portions.
      undefined,
    ]);
    expect(Object.keys(json)).toEqual(['verifications']);
    const named = json.verifications.map(
      ({ scope, reason }: { scope?: string; reason?: string }) => scope ?? reason,
    );
    expect(named).toEqual(
      verifications.map(({ token }) => (token === broad ? scopes.join(' ') : 'malformed')),
    );
  });

  test('looks up hundreds of tokens that nobody remembers, each for what it is', async () => {
    const values: string[] = [];
    for (let count = 0; count < 400; count += 1) values.push(await issue());
    const strangers = Array.from({ length: 400 }, () => makeToken().value);
    const verifications = values.flatMap((token, index) => [{ token }, { token: strangers[index] }]);
    const { status, json } = await server.send('POST', '/patois/v1/verifications', {
      headers: gateway,
      body: { verifications },
    });
    expect(status).toBe(200);
    const named = json.verifications.map(
      ({ jti, reason }: { jti?: string; reason?: string }) => jti ?? reason,
    );
    expect(named).toEqual(values.flatMap((value) => [value.slice(0, 15), 'unknown']));
  });

  test.each([
    [{}, '/verifications'],
    [{ verifications: 'x' }, '/verifications'],
    [{ verifications: [null] }, '/verifications/0'],
    [{ verifications: [{}] }, '/verifications/0/token'],
    [{ verifications: [{ token: 'x' }, { token: 5 }] }, '/verifications/1/token'],
    [{ verifications: [{ token: 'x', clientIp: null }] }, '/verifications/0/clientIp'],
    [{ verifications: [{ token: 'x', colour: 'red' }] }, '/verifications/0/colour'],
    [{ verifications: [{ token: 'x' }], more: 1 }, ''],
  ])('refuses %j and points at %s', async (body, pointer) => {
    const { status, json, headers } = await server.send('POST', '/patois/v1/verifications', {
      headers: gateway,
      body,
    });
    expect(status).toBe(400);
    expect(headers['content-type']).toContain('application/problem+json');
    expect(json.errors[0].pointer).toBe(pointer);
  });

  test('needs a credential, and patois:introspect', async () => {
    const body = { verifications: [{ token: 'x' }] };
    expect((await server.send('POST', '/patois/v1/verifications', { body })).status).toBe(401);
    const headers = bearer(await issue());
    expect((await server.send('POST', '/patois/v1/verifications', { headers, body })).status).toBe(403);
  });
});
