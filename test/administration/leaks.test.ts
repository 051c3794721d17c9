import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createPrivateKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { TokenLookup } from '../../src/tokens/token-lookup.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { Token } from '../../src/tokens/token.entity.js';
import { TokenService } from '../../src/tokens/token.service.js';
import { SYSTEM_AUTHORITY } from '../../src/tokens/authority/authority.js';
import { moveClock } from '../support/clock.js';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

const folder = mkdtempSync(join(tmpdir(), 'leaks-'));
const keysFile = join(folder, 'keys.json');
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const KEY_ID = 'a1b2';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' });

let server: TestServer;
let owner: TestUser;
let place = 0;
beforeAll(async () => {
  const keys = { rsa: rsa.publicKey, otherCurve: otherCurve.publicKey, [KEY_ID]: publicKey };
  writeFileSync(keysFile, listOf(keys));
  server = await TestServer.start({ githubSecretScanningKeys: keysFile, trustedProxies: ['127.0.0.0/8'] });
  owner = await server.makeUser();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

function listOf(keys: Record<string, KeyObject>): string {
  const entries = Object.entries(keys).map(([identifier, key]) => ({
    key_identifier: identifier,
    key: key.export({ type: 'spki', format: 'pem' }),
    is_current: true,
  }));
  return JSON.stringify({ public_keys: entries });
}

/** A caller of its own, so that no test counts for another. */
function somewhere(): Record<string, string> {
  place += 1;
  return { 'x-forwarded-for': `198.51.${Math.floor(place / 250)}.${(place % 250) + 1}` };
}

function report(values: unknown, others: object = {}, headers = somewhere()): Promise<Received> {
  return server.send('POST', '/patois/v1/leaks', { headers, body: { values, ...others } });
}

function issue(spec: object = {}): Promise<{ token: Token; value: string }> {
  return server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['patois:tokens.read'], ...spec });
}

async function verify(value: string): Promise<number> {
  return (await server.send('GET', '/verify', { headers: bearer(value) })).status;
}

function stored({ id }: Token): Promise<Token> {
  return server.app.dataSource.manager.findOneByOrFail(Token, { id });
}

function eventsOf({ tokenId }: Token): Promise<AuditEvent[]> {
  return server.app.dataSource.manager
    .createQueryBuilder(AuditEvent, 'event')
    .where(`event.objectId = :tokenId AND event.action IN ('token.leak', 'token.revoke')`, { tokenId })
    .orderBy('event.action')
    .getMany();
}

/** An organization whose policy has leaked tokens reported alone, with one user. */
async function placeThatIsNotified(): Promise<TestUser> {
  const name = `Notified ${(place += 1)}`;
  const { id: organizationId } = await server.organization(name);
  const path = `/patois/v1/organizations/${encodeURIComponent(name)}/policy`;
  const put = await server.send('PUT', path, { headers: server.asAdmin, body: { onLeak: 'notify' } });
  expect(put.status).toBe(200);
  return server.makeUser({ organizationId });
}

async function rotate({ id }: Token, graceSeconds: number): Promise<string> {
  const tokens = server.app.nest.get(TokenService, { strict: false });
  const { value } = await tokens.rotate({ id }, SYSTEM_AUTHORITY, { graceSeconds });
  server.secrets.add(value);
  return value;
}

describe('POST /patois/v1/leaks', () => {
  test('revokes the tokens of the values before it answers, and writes where they were found', async () => {
    const [one, other, kept] = [await issue(), await issue(), await issue()];
    expect(await verify(one.value)).toBe(204);
    const answer = await report([one.value, makeToken().value, other.value], { source: 'a paste' });
    expect([answer.status, answer.json]).toEqual([202, { status: 'received' }]);
    expect([await verify(one.value), await verify(other.value), await verify(kept.value)]).toEqual([
      401, 401, 204,
    ]);
    expect(await stored(one.token)).toMatchObject({
      revokeReason: 'leaked',
      revokedBy: { type: 'system', id: null },
    });
    expect(await eventsOf(one.token)).toMatchObject([
      {
        action: 'token.leak',
        actorType: 'system',
        address: expect.stringMatching(/^198\.51\./),
        after: { source: 'a paste', reaction: 'revoke', isRetired: false, status: 'active' },
      },
      { action: 'token.revoke', actorType: 'system', after: { revokeReason: 'leaked' } },
    ]);
  });

  test('answers alike whatever the values are, and whether the report is repeated', async () => {
    const { value } = await issue();
    const bodies = [
      [value],
      [value],
      [makeToken().value],
      ['no token at all'],
      [''],
      [`${value.slice(0, -1)}x`],
    ];
    const answers = [];
    for (const values of bodies) {
      const { status, text, headers } = await report(values);
      answers.push([status, text, Object.keys(headers).sort().join()]);
    }
    expect(new Set(answers.map(String)).size).toBe(1);
    expect(answers[0]?.[0]).toBe(202);
  });

  test('ends tokens that do not work anyway, but could again: expired and inactive ones', async () => {
    const expired = await issue({ expiresAt: new Date(Date.now() + 60_000) });
    const inactive = await issue({ inactive: true });
    await server.app.dataSource.manager.update(
      Token,
      { id: expired.token.id },
      { expiresAt: new Date(Date.now() - 1_000) },
    );
    await report([expired.value, inactive.value]);
    expect((await stored(expired.token)).revokeReason).toBe('leaked');
    expect((await stored(inactive.token)).revokeReason).toBe('leaked');
  });

  test('the old value of a token that still works beside the new one ends the token', async () => {
    const { token, value } = await issue();
    const fresh = await rotate(token, 3_600);
    await report([value]);
    expect(await verify(fresh)).toBe(401);
    expect((await stored(token)).revokeReason).toBe('leaked');
  });

  test('a retired value is an audit event, once a minute, and ends nothing', async () => {
    const { token, value } = await issue();
    const fresh = await rotate(token, 0);
    await report([value]);
    await report([value]);
    expect(await verify(fresh)).toBe(204);
    const events = await eventsOf(token);
    expect(events).toMatchObject([{ action: 'token.leak', after: { reaction: 'none', isRetired: true } }]);
    moveClock(61_000);
    await report([value]);
    expect(await eventsOf(token)).toHaveLength(2);
    // With the value that works beside it, the token ends.
    await report([value, fresh]);
    expect(await verify(fresh)).toBe(401);
  });

  test('a value of a revoked token is an audit event, and the revocation stays as it was', async () => {
    const { token, value } = await issue();
    await server.revoke(token);
    await report([value]);
    expect(await stored(token)).toMatchObject({ revokeReason: null });
    const [leak] = await eventsOf(token);
    expect(leak).toMatchObject({ action: 'token.leak', after: { reaction: 'none', status: 'revoked' } });
  });

  test('where the policy says notify the token lives on, and one event a minute says so', async () => {
    const { user } = await placeThatIsNotified();
    const { token, value } = await issue({ ownerId: user.id });
    await report([value]);
    await report([value]);
    expect(await verify(value)).toBe(204);
    expect(await eventsOf(token)).toMatchObject([{ action: 'token.leak', after: { reaction: 'notify' } }]);
  });

  test('of several policies each keeps its own in one report', async () => {
    const { user } = await placeThatIsNotified();
    const [here, there] = [await issue(), await issue({ ownerId: user.id })];
    await report([here.value, there.value]);
    expect([await verify(here.value), await verify(there.value)]).toEqual([401, 204]);
  });

  test('many reports of one token at once revoke it once', async () => {
    const { token, value } = await issue();
    const answers = await Promise.all(Array.from({ length: 20 }, () => report([value])));
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    const revocations = (await eventsOf(token)).filter(({ action }) => action === 'token.revoke');
    expect(revocations).toHaveLength(1);
  });

  test('a report that cannot be carried out is not answered as received', async () => {
    const { value } = await issue();
    const tokens = server.app.nest.get(TokenService, { strict: false });
    jest.spyOn(tokens, 'settle').mockRejectedValueOnce(new Error('broken by a test'));
    expect((await report([value])).status).toBe(500);
    expect(await verify(value)).toBe(204);
    jest
      .spyOn(server.app.nest.get(TokenLookup, { strict: false }), 'find')
      .mockRejectedValueOnce(new Error('Query read timeout'));
    expectProblem(await report([value]), 503);
    expect((await report([value])).status).toBe(202);
    expect(await verify(value)).toBe(401);
  });

  test('refuses what is no list of 1 to 100 texts, and shows no value of it', async () => {
    const { value } = await issue();
    expectProblem(await report(undefined), 400, '/values');
    expectProblem(await report([]), 400, '/values');
    expectProblem(await report(value), 400, '/values');
    expectProblem(await report([value, 1]), 400, '/values');
    expectProblem(await report(Array.from({ length: 101 }, () => 'x')), 400, '/values');
    expectProblem(await report([value.repeat(8)]), 400, '/values');
    expectProblem(await report([value], { source: '' }), 400, '/source');
    expectProblem(await report([value], { [value]: 1 }), 400, `/${value.slice(0, 16)}…`);
    expect(await verify(value)).toBe(204);
  });

  test('an address that reports too often waits, with Retry-After; others do not', async () => {
    const { value } = await issue();
    const headers = somewhere();
    for (let count = 0; count < 60; count += 1) {
      expect((await report(['x'], {}, headers)).status).toBe(202);
    }
    const refused = await report([value], {}, headers);
    expectProblem(refused, 429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(await verify(value)).toBe(204);
    expect((await report([value])).status).toBe(202);
    moveClock(61_000);
    expect((await report(['x'], {}, headers)).status).toBe(202);
  });
});

describe('POST /patois/v1/leaks/github', () => {
  interface Signing {
    key?: KeyObject;
    id?: string;
    body?: string;
  }

  function byGitHub(
    matches: unknown,
    { key = privateKey, id = KEY_ID, body }: Signing = {},
    headers: Record<string, string | string[]> = {},
    to = server,
  ): Promise<Received> {
    const text = JSON.stringify(matches);
    return to.send('POST', '/patois/v1/leaks/github', {
      headers: {
        'content-type': 'application/json',
        ...somewhere(),
        'Github-Public-Key-Identifier': id,
        'Github-Public-Key-Signature': sign('sha256', Buffer.from(text), key).toString('base64'),
        ...headers,
      },
      body: body ?? text,
    });
  }

  const matchOf = (token: string): object => ({
    token,
    type: 'patois_api_token',
    url: 'https://github.com/octocat/Hello-World/blob/12345/foo.txt',
    source: 'content',
  });

  test('revokes what GitHub has found, and tells it which were tokens', async () => {
    const { token, value } = await issue();
    const none = makeToken().value;
    const answer = await byGitHub([matchOf(value), matchOf(none)]);
    expect([answer.status, answer.json]).toEqual([
      200,
      [
        {
          token_hash: hash('sha256', value, 'base64'),
          token_type: 'patois_api_token',
          label: 'true_positive',
        },
        {
          token_hash: hash('sha256', none, 'base64'),
          token_type: 'patois_api_token',
          label: 'false_positive',
        },
      ],
    ]);
    expect(await verify(value)).toBe(401);
    const [leak] = await eventsOf(token);
    expect(leak?.after).toMatchObject({
      source: 'GitHub',
      url: 'https://github.com/octocat/Hello-World/blob/12345/foo.txt',
      foundIn: 'content',
      type: 'patois_api_token',
      reaction: 'revoke',
    });
  });

  test('takes more matches than one look at a time, and labels each, one that is there twice too', async () => {
    const { value } = await issue();
    const matches = Array.from({ length: 150 }, (_, index) =>
      matchOf(index === 5 || index === 149 ? value : makeToken().value),
    );
    const labels = (await byGitHub(matches)).json as { label: string }[];
    const positive = labels.flatMap(({ label }, index) => (label === 'true_positive' ? [index] : []));
    expect([labels.length, positive]).toEqual([150, [5, 149]]);
  });

  test('does nothing for a signature that is missing, twice there, of another body, key or kind', async () => {
    const { value } = await issue();
    const match = [matchOf(value)];
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const refused = [
      await byGitHub(match, { body: `${JSON.stringify(match)} ` }),
      await byGitHub(match, { key: stranger }),
      await byGitHub(match, { id: 'another' }),
      await byGitHub(match, {}, { 'Github-Public-Key-Signature': '' }),
      await byGitHub(match, {}, { 'Github-Public-Key-Signature': 'no base64!' }),
      await byGitHub(match, {}, { 'Github-Public-Key-Identifier': '' }),
      await byGitHub(match, {}, { 'Github-Public-Key-Identifier': [KEY_ID, KEY_ID] }),
      await server.send('POST', '/patois/v1/leaks/github', { headers: server.asAdmin, body: match }),
    ];
    for (const answer of refused) expectProblem(answer, 403);
    expect(await verify(value)).toBe(204);
  });

  test('refuses a signed body that is no list of matches', async () => {
    expectProblem(await byGitHub({}), 400, '');
    expectProblem(await byGitHub([null]), 400, '/0/token');
    expectProblem(await byGitHub([{ token: 1, type: 'x' }]), 400, '/0/token');
    expectProblem(await byGitHub([{ token: 'x' }]), 400, '/0/type');
  });

  test('an address with many wrong signatures waits', async () => {
    const headers = somewhere();
    for (let count = 0; count < 30; count += 1) {
      expect((await byGitHub([], { body: '[ ]' }, headers)).status).toBe(403);
    }
    const refused = await byGitHub([], {}, headers);
    expectProblem(refused, 429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await byGitHub([])).status).toBe(200);
  });

  test('a key that is not P-256 counts for nothing', async () => {
    expect((await byGitHub([], { key: rsa.privateKey, id: 'rsa' })).status).toBe(403);
    expect((await byGitHub([], { key: otherCurve.privateKey, id: 'otherCurve' })).status).toBe(403);
  });

  test('says clearly that it is not set up', async () => {
    const another = await TestServer.start();
    const answer = await byGitHub([], {}, {}, another);
    await another.close();
    expectProblem(answer, 404);
    expect(answer.json.detail).toContain('GITHUB_SECRET_SCANNING_KEYS');
  });

  describe('with keys at an address', () => {
    let keys: Server;
    let asked = 0;
    let respond: () => { status: number; text: string };
    let another: TestServer;
    beforeAll(async () => {
      keys = createServer((_request, response) => {
        asked += 1;
        const { status, text } = respond();
        response.writeHead(status, status === 302 ? { location: `file://${keysFile}` } : {}).end(text);
      });
      await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
      const { port } = keys.address() as AddressInfo;
      another = await TestServer.start({ githubSecretScanningKeys: `http://127.0.0.1:${port}/keys` });
    });
    afterAll(async () => {
      await another.close();
      await new Promise((resolve) => keys.close(resolve));
    });

    test('asks for them once, again for one that is new, and at most once a minute', async () => {
      const next = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      // Nothing is known, and the list cannot be read, is too long, leads elsewhere, or is none.
      const broken = [
        { status: 500, text: '' },
        { status: 302, text: '' },
        { status: 200, text: ' '.repeat(300_000) },
        { status: 200, text: '{}' },
      ];
      for (const answer of broken) {
        respond = () => answer;
        moveClock(61_000);
        expectProblem(await byGitHub([], {}, {}, another), 503);
      }
      respond = () => ({ status: 200, text: listOf({ [KEY_ID]: publicKey }) });
      expectProblem(await byGitHub([], {}, {}, another), 503);
      expect(asked).toBe(broken.length);
      moveClock(61_000);
      expect((await byGitHub([], {}, {}, another)).status).toBe(200);
      expect((await byGitHub([], {}, {}, another)).status).toBe(200);
      expect(asked).toBe(broken.length + 1);
      // The list grows: an identifier that is not known has it read again, but not at any rate.
      respond = () => ({ status: 200, text: listOf({ [KEY_ID]: publicKey, next: next.publicKey }) });
      const byNext = {
        id: 'next',
        key: createPrivateKey(next.privateKey.export({ type: 'pkcs8', format: 'pem' })),
      };
      expectProblem(await byGitHub([], byNext, {}, another), 403);
      expect(asked).toBe(broken.length + 1);
      moveClock(61_000);
      expect((await byGitHub([], byNext, {}, another)).status).toBe(200);
      expect(asked).toBe(broken.length + 2);
      // What is known works on while the list cannot be read; what has gone from it does not for long.
      respond = () => ({ status: 500, text: '' });
      moveClock(3_700_000);
      expect((await byGitHub([], byNext, {}, another)).status).toBe(200);
      respond = () => ({ status: 200, text: listOf({ [KEY_ID]: publicKey }) });
      moveClock(61_000);
      expectProblem(await byGitHub([], byNext, {}, another), 403);
    });
  });
});
