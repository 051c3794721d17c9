import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import type { TokenKey } from '../../src/config.js';
import { BatchedLookup } from '../../src/database/batched-lookup.js';
import type { Database } from '../../src/database/database.js';
import { StatementCounts } from '../../src/database/statements.js';
import { ImportedForm } from '../../src/tokens/imports/imported-form.entity.js';
import { ImportedValue } from '../../src/tokens/imports/imported-value.entity.js';
import { ImportedValues } from '../../src/tokens/imports/imported-values.js';
import { LookupCache } from '../../src/decisions/lookup-cache.js';
import { Token } from '../../src/tokens/token.entity.js';
import { basic, bearer, type Received } from '../support/http.js';
import {
  bcrypt,
  type Foreign,
  foreman,
  gitea,
  grafana,
  grafanaKey,
  hmac,
  HMAC_KEY,
  sha256,
} from '../support/imports.js';
import { onceFree, openTestStore } from '../support/store.js';
import { setPolicy } from '../support/policy.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

const PATH = '/patois/v1/imports';

let server: TestServer;
/** Owns the tokens; of the organization Default. */
let owner: TestUser;
/** Administers the organization Research, and nothing else. */
let head: TestUser;
let researcher: TestUser;
let introspecting: Record<string, string>;

beforeAll(async () => {
  server = await TestServer.start();
  const organizationId = (await server.organization('Research')).id;
  owner = await server.makeUser();
  head = await server.makeUser({ role: 'organizationAdministrator', organizationId });
  researcher = await server.makeUser({ organizationId });
  const { value } = await server.issue({
    dialect: 'patois',
    ownerId: (await server.admin()).id,
    scopes: ['patois:introspect'],
  });
  introspecting = bearer(value);
});
afterAll(() => server.close());

interface Call {
  source?: string;
  dryRun?: boolean;
  keys?: Record<string, string>;
}

function post(tokens: unknown[], call: Call = {}, headers = server.asAdmin): Promise<Received> {
  return server.send('POST', PATH, { headers, body: { source: 'test', ...call, tokens } });
}

/** A row of an import, whose hash and value must never turn up anywhere. */
function rowOf({ value, row }: Foreign, more: object = {}): object {
  server.secrets.add(`${' '.repeat(16)}${value}`);
  server.secrets.add(`${' '.repeat(16)}${row.hash}`);
  const name = `token ${randomBytes(4).toString('hex')}`;
  const base = { dialect: 'patois', owner: owner.user.login, name, scopes: ['patois:tokens.read'] };
  return { ...base, ...row, ...more };
}

/** Imports one token; its token id. */
async function bring(foreign: Foreign, more: object = {}): Promise<string> {
  const answer = await post([rowOf(foreign, more)], foreign.keys ? { keys: foreign.keys } : {});
  expect([answer.status, answer.json]).toEqual([
    200,
    {
      dryRun: false,
      imported: 1,
      existing: 0,
      tokens: [{ tokenId: expect.stringMatching(/^pt-/), outcome: 'imported' }],
      errors: [],
    },
  ]);
  return answer.json.tokens[0].tokenId as string;
}

async function verify(headers: Record<string, string>, localAddress?: string): Promise<number> {
  const sent = localAddress === undefined ? { headers } : { headers, localAddress };
  return (await server.send('GET', '/verify', sent)).status;
}

async function me(headers: Record<string, string>): Promise<string | undefined> {
  const { status, json } = await server.send('GET', '/patois/v1/me', { headers });
  return status === 200 ? (json.token?.tokenId as string | undefined) : String(status);
}

function tries(): number {
  return server.app.nest.get(ImportedValues, { strict: false }).tries;
}

/** Forgets what is remembered of values, so that each is looked up. */
function forgetAll(): void {
  server.app.nest.get(LookupCache, { strict: false }).forget(new Set(['*']));
}

async function row(tokenId: string): Promise<ImportedValue> {
  const { manager } = server.app.dataSource;
  const { id } = await manager.findOneByOrFail(Token, { tokenId });
  return manager
    .createQueryBuilder(ImportedValue, 'value')
    .addSelect(['value.hash', 'value.lookup'])
    .where({ tokenUuid: id })
    .getOneOrFail();
}

const VISIBLE: [name: string, make: () => Foreign | Promise<Foreign>, tries: number][] = [
  ['SHA-256', () => sha256(), 0],
  ['HMAC-SHA-256', hmac, 0],
  ['bcrypt, with a visible start', bcrypt, 1],
  ["Gitea's PBKDF2, with a visible end", gitea, 1],
  ["Grafana's service account token", grafana, 1],
  ["Grafana's API key of before", grafanaKey, 1],
];

describe.each(VISIBLE)('a value of which %s is imported', (_, make, costs) => {
  test('keeps working, and is hashed anew at its first use', async () => {
    const foreign = await make();
    const { value } = foreign;
    expect(await verify(bearer(value))).toBe(401);
    const tokenId = await bring(foreign);
    const before = await row(tokenId);
    expect(before).toMatchObject({ usedAt: null, source: 'test', foreignId: null });
    const triesBefore = tries();
    expect(await me(bearer(value))).toBe(tokenId);
    expect(tries() - triesBefore).toBe(costs);
    const after = await row(tokenId);
    expect(after).toMatchObject({ kind: 'value', hash: null, usedAt: expect.any(Date) });
    forgetAll();
    expect(await me(bearer(value))).toBe(tokenId);
    expect(await me(basic(owner.user.login, value))).toBe(tokenId);
    expect(await verify(bearer(value))).toBe(204);
    expect(tries() - triesBefore).toBe(costs);
    // The token has a digest as any other has.
    const { digest, digestKey } = await server.app.dataSource.manager.findOneOrFail(Token, {
      select: { id: true, digest: true, digestKey: true },
      where: { tokenId },
    });
    expect([digest.length, digestKey]).toEqual([32, 'test']);
  });

  test('is found at every door before its first use', async () => {
    const doors: [
      name: string,
      ask: (value: string, tokenId: string) => Promise<unknown>,
      answer: unknown,
    ][] = [
      ['/verify', (value) => verify(bearer(value)), 204],
      ['/verify by X-API-Key', (value) => verify({ 'x-api-key': value }), 204],
      ['/verify by Basic', (value) => verify(basic(owner.user.login, value)), 204],
      ['/verify by Basic, for any owner', (value) => verify(basic('$app', value)), 204],
      ['Basic', async (value, tokenId) => (await me(basic(owner.user.login, value))) === tokenId, true],
      [
        'introspection',
        async (token) => {
          const headers = { ...introspecting, 'content-type': 'application/x-www-form-urlencoded' };
          const body = new URLSearchParams({ token, client_ip: '127.0.0.1' }).toString();
          return (await server.send('POST', '/oauth2/introspect', { headers, body })).json.active;
        },
        true,
      ],
      [
        'a batch',
        async (token) => {
          const body = { verifications: [{ token }] };
          const path = '/patois/v1/verifications';
          return (await server.send('POST', path, { headers: introspecting, body })).json.verifications[0]
            .active;
        },
        true,
      ],
      [
        'revocation',
        async (token) => {
          const headers = { 'content-type': 'application/x-www-form-urlencoded' };
          const body = new URLSearchParams({ token }).toString();
          await server.send('POST', '/oauth2/revoke', { headers, body });
          return verify(bearer(token));
        },
        401,
      ],
    ];
    for (const [name, ask, answer] of doors) {
      const foreign = await make();
      const tokenId = await bring(foreign);
      expect([name, await ask(foreign.value, tokenId)]).toEqual([name, answer]);
    }
  });

  test('is no other value', async () => {
    const foreign = await make();
    await bring(foreign);
    const { value } = foreign;
    for (const wrong of [
      `${value}x`,
      value.slice(1),
      value.slice(0, -1),
      `${value.slice(0, 8)}_${value.slice(9)}`,
    ]) {
      expect([wrong, await verify(bearer(wrong))]).toEqual([wrong, 401]);
    }
    expect(await verify(basic(researcher.user.login, value))).toBe(401);
    expect(await me(basic(researcher.user.login, value))).toBe('401');
  });
});

describe('a value with nothing visible', () => {
  test("is found with its owner's login, and from then on at every door", async () => {
    const foreign = foreman();
    const { value } = foreign;
    const tokenId = await bring(foreign);
    expect(await verify(bearer(value))).toBe(401);
    expect(await me(basic(researcher.user.login, value))).toBe('401');
    expect(await me(basic(owner.user.login.toUpperCase(), value))).toBe(tokenId);
    const triesBefore = tries();
    for (const headers of [bearer(value), basic(owner.user.login, value)]) {
      forgetAll();
      expect([await me(headers), await verify(headers)]).toEqual([tokenId, 204]);
    }
    expect(tries()).toBe(triesBefore);
  });

  test('is found by a gateway that passes the login on', async () => {
    const foreign = foreman();
    await bring(foreign);
    expect(await verify(basic('$app', foreign.value))).toBe(401);
    expect(await verify(basic(owner.user.login, foreign.value))).toBe(204);
  });

  test('costs one try however many tokens with the same salt the owner has', async () => {
    const { user } = await server.makeUser();
    const many = Array.from({ length: 30 }, () => foreman(31));
    expect((await post(many.map((one) => rowOf(one, { owner: user.login })))).json.imported).toBe(30);
    const triesBefore = tries();
    expect(await me(basic(user.login, many[29]?.value ?? ''))).toMatch(/^pt-/);
    expect(await me(basic(user.login, 'none of them'))).toBe('401');
    expect(tries() - triesBefore).toBe(2);
  });

  test("does not stand in the way of its owner's password, nor count as a failed login", async () => {
    const foreign = foreman();
    await bring(foreign);
    expect((await server.send('GET', '/patois/v1/me', { headers: owner.byPassword })).json.token).toBeNull();
    const { manager } = server.app.dataSource;
    const failed = (): Promise<number> => manager.countBy(AuditEvent, { action: 'login.fail' });
    const before = await failed();
    await me(basic(owner.user.login, foreign.value));
    expect(await failed()).toBe(before);
    expect(await me(basic(owner.user.login, 'wrong'))).toBe('401');
    expect(await failed()).toBe(before + 1);
  });
});

test.each([
  ['panther', () => '/api-tokens', (value: string) => ({ 'x-api-key': value }), ['OrganizationAPITokenRead']],
  ['losant', () => '/me/tokens', bearer, ['all.User']],
  ['quay', () => '/api/v1/user/apptoken', bearer, ['user:admin']],
  [
    'yunxiao',
    ({ user }: TestUser) => `/oapi/v1/platform/users/admin/personalAccessTokens?userId=${user.id}`,
    (value: string) => ({ 'x-yunxiao-token': value }),
    ['base_user_read_write'],
  ],
  [
    'foreman',
    ({ user }: TestUser) => `/api/users/${user.numericId}/personal_access_tokens`,
    (value: string, login: string) => basic(login, value),
    ['foreman:*'],
  ],
] as [
  string,
  (owner: TestUser) => string,
  (value: string, login: string) => Record<string, string>,
  string[],
][])('an imported value is let in by %s', async (dialect, path, headers, scopes) => {
  const admin = await server.makeUser({ role: 'administrator' });
  for (const foreign of dialect === 'foreman' ? [sha256(), gitea(), foreman()] : [sha256(), gitea()]) {
    await bring(foreign, { dialect, scopes, owner: admin.user.login });
    const answer = await server.send('GET', path(admin), {
      headers: headers(foreign.value, admin.user.login),
    });
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  }
});

describe('an imported token', () => {
  test('is revoked, expired, confined and disabled as every other, used before or not', async () => {
    for (const isUsed of [true, false]) {
      const [revoked, expired, confined] = [sha256(), gitea(), gitea()];
      const tokenId = await bring(revoked);
      const before = isUsed ? await verify(bearer(revoked.value)) : 204;
      expect(before).toBe(204);
      const path = `/patois/v1/tokens/${tokenId}`;
      expect((await server.send('DELETE', path, { headers: server.asAdmin })).status).toBe(204);
      expect(await verify(bearer(revoked.value))).toBe(401);
      await bring(expired, { expiresAt: new Date(Date.now() - 1_000).toISOString() });
      expect(await verify(bearer(expired.value))).toBe(401);
      await bring(confined, { allowedCidrs: ['127.0.0.2/32'] });
      const allowed = isUsed ? await verify(bearer(confined.value), '127.0.0.2') : 204;
      expect(allowed).toBe(204);
      expect(await verify(bearer(confined.value))).toBe(403);
      expect(await verify(bearer(confined.value), '127.0.0.2')).toBe(204);
    }
    const sleeper = await server.makeUser();
    const path = `/patois/v1/users/${sleeper.user.login}`;
    await server.send('PATCH', path, { headers: server.asAdmin, body: { disabled: true } });
    const foreign = sha256();
    await bring(foreign, { owner: sleeper.user.login });
    expect(await verify(bearer(foreign.value))).toBe(401);
  });

  test('can rotate itself, and its old value ends with that', async () => {
    const foreign = gitea();
    const { value } = foreign;
    const tokenId = await bring(foreign, { scopes: ['patois:tokens.write'] });
    const path = `/patois/v1/tokens/${tokenId}/rotate`;
    const rotated = await server.send('POST', path, { headers: bearer(value), body: {} });
    expect(rotated.status).toBe(200);
    expect([await verify(bearer(value)), await verify(bearer(rotated.json.token))]).toEqual([401, 204]);
  });

  test('that was never used keeps its old value through the grace of a rotation, and not beyond', async () => {
    for (const foreign of [sha256(), gitea()]) {
      const tokenId = await bring(foreign);
      const path = `/patois/v1/tokens/${tokenId}/rotate`;
      const rotate = (graceSeconds: number): Promise<Received> =>
        server.send('POST', path, { headers: server.asAdmin, body: { graceSeconds } });
      const { token } = (await rotate(600)).json;
      expect([await verify(bearer(foreign.value)), await verify(bearer(token))]).toEqual([204, 204]);
      expect((await rotate(0)).status).toBe(200);
      expect([await verify(bearer(foreign.value)), await verify(bearer(token))]).toEqual([401, 401]);
    }
  });

  test('that was never used loses its old value with a rotation without grace', async () => {
    for (const foreign of [sha256(), gitea()]) {
      const tokenId = await bring(foreign);
      const path = `/patois/v1/tokens/${tokenId}/rotate`;
      await server.send('POST', path, { headers: server.asAdmin, body: {} });
      expect(await verify(bearer(foreign.value))).toBe(401);
      forgetAll();
      expect(await verify(bearer(foreign.value))).toBe(401);
    }
  });

  test('has the times that its source knows, and is listed as every other', async () => {
    const foreign = sha256();
    const [createdAt, lastUsedAt] = ['2024-01-02T03:04:05.000Z', '2025-01-02T03:04:05.000Z'];
    const tokenId = await bring(foreign, { createdAt, lastUsedAt, foreignId: '4711', description: 'x' });
    const { json } = await server.send('GET', `/patois/v1/tokens/${tokenId}`, { headers: server.asAdmin });
    expect(json).toMatchObject({ createdAt, lastUsedAt, description: 'x', status: 'active' });
    const event = await server.app.dataSource.manager.findOneByOrFail(AuditEvent, { objectId: tokenId });
    expect(event).toMatchObject({ action: 'token.import', after: { source: 'test', foreignId: '4711' } });
  });
});

describe('POST /patois/v1/imports', () => {
  test('imports many, in the order of the request; repeated, it changes nothing', async () => {
    const foreigns = [sha256(), hmac(), gitea(), foreman(), grafana()];
    const rows = foreigns.map((foreign, index) => rowOf(foreign, { foreignId: `m${index}` }));
    const call = { source: 'many', keys: { main: HMAC_KEY.toString('base64') } };
    const first = await post(rows, call);
    expect(first.json).toMatchObject({ imported: 5, existing: 0 });
    await verify(bearer(foreigns[2]?.value ?? ''));
    const { manager } = server.app.dataSource;
    const counts = (): Promise<number[]> =>
      Promise.all([
        manager.count(Token),
        manager.count(ImportedValue),
        manager.count(ImportedForm),
        manager.count(AuditEvent),
      ]);
    const before = await counts();
    const again = await post(rows, call);
    expect(again.json).toEqual({
      dryRun: false,
      imported: 0,
      existing: 5,
      errors: [],
      tokens: first.json.tokens.map(({ tokenId }: { tokenId: string }) => ({ tokenId, outcome: 'existing' })),
    });
    expect(await counts()).toEqual(before);
    for (const { value } of foreigns.slice(0, 3)) expect(await verify(bearer(value))).toBe(204);
  });

  test('knows a token without a foreign id again by its hash, in another spelling too', async () => {
    const foreign = sha256();
    const tokenId = await bring(foreign);
    const hash = `sha256$${Buffer.from(foreign.row.hash.slice(7), 'hex').toString('base64')}`;
    const again = await post([rowOf({ ...foreign, row: { hash } })]);
    expect(again.json.tokens).toEqual([{ tokenId, outcome: 'existing' }]);
  });

  test('two at once with the same tokens make each once', async () => {
    const rows = Array.from({ length: 50 }, () => rowOf(sha256()));
    const answers = await Promise.all([post(rows, { source: 'twice' }), post(rows, { source: 'twice' })]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers.map(({ json }) => json.imported as number).sort((one, other) => one - other)).toEqual([
      0, 50,
    ]);
    const { manager } = server.app.dataSource;
    expect(await manager.countBy(ImportedValue, { source: 'twice' })).toBe(50);
  });

  test('says which names a Foreman user has given already, in the store and in the call', async () => {
    const called = (name: string): object =>
      rowOf(foreman(), { dialect: 'foreman', scopes: ['foreman:*'], name });
    const { user } = owner;
    await server.issue({
      dialect: 'foreman',
      ownerId: user.id,
      name: 'taken name',
      uniqueName: 'taken name',
    });
    const rows = [called('free name'), called('taken name'), called('twice'), called('twice')];
    expectProblem(await post(rows), 409, '/tokens/1/name', '/tokens/3/name');
    const dry = await post(rows, { dryRun: true });
    expect(dry.json.errors).toMatchObject([
      { pointer: '/tokens/1/name', detail: expect.stringContaining('already been taken') },
      { pointer: '/tokens/3/name' },
    ]);
    const good = await post([called('free name'), called('twice')]);
    expect([good.status, good.json.imported]).toEqual([200, 2]);
  });

  test('imports all or none, and says what is wrong with each', async () => {
    const [good, taken] = [sha256(), sha256()];
    await bring(taken, { foreignId: 'taken' });
    const rows = [
      rowOf(good),
      rowOf({ ...sha256(), row: { hash: 'md5$1234' } }),
      rowOf(sha256(), { owner: 'nobody' }),
      rowOf(sha256(), { colour: 'red' }),
      rowOf(taken, { foreignId: 'another' }),
      rowOf(sha256(), { foreignId: 'taken' }),
      rowOf(gitea(), { visible: {} }),
      rowOf(hmac()),
      rowOf(sha256(), { scopes: ['nonsense'] }),
      rowOf(good),
      rowOf(sha256(), { createdAt: '2999-01-01T00:00:00Z' }),
      rowOf(gitea(), { visible: { suffix: 'abc' } }),
    ];
    const pointers = [
      '/tokens/1/hash',
      '/tokens/2/owner',
      '/tokens/3/colour',
      '/tokens/4/hash',
      '/tokens/5/foreignId',
      '/tokens/6/visible',
      '/tokens/7/hash',
      '/tokens/8/scopes/0',
      '/tokens/10/createdAt',
      '/tokens/11/visible/suffix',
    ];
    const count = await server.app.dataSource.manager.count(Token);
    expectProblem(await post(rows), 400, ...pointers);
    const dry = await post(rows, { dryRun: true });
    expect([dry.status, dry.json.imported, dry.json.existing, dry.json.tokens]).toEqual([200, 1, 1, []]);
    expect(dry.json.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers);
    expect(await server.app.dataSource.manager.count(Token)).toBe(count);
    expect(await verify(bearer(good.value))).toBe(401);
  });

  test('with dryRun writes nothing', async () => {
    const foreign = sha256();
    const dry = await post([rowOf(foreign)], { dryRun: true });
    expect(dry.json).toEqual({ dryRun: true, imported: 1, existing: 0, tokens: [], errors: [] });
    expect(await verify(bearer(foreign.value))).toBe(401);
    await bring(foreign);
  });

  test('refuses what is no import', async () => {
    const body = async (sent: unknown): Promise<Received> =>
      server.send('POST', PATH, { headers: server.asAdmin, body: sent });
    const rows = [rowOf(sha256())];
    expectProblem(await body({ source: 'x' }), 400, '/tokens');
    expectProblem(await body({ source: 'x', tokens: [] }), 400, '/tokens');
    expectProblem(await body({ source: 'x', tokens: Array.from({ length: 1001 }, () => 1) }), 400, '/tokens');
    expectProblem(await body({ source: '', tokens: rows }), 400, '/source');
    expectProblem(await body({ tokens: rows }), 400, '/source');
    expectProblem(await body({ source: 'x', tokens: rows, colour: 'red' }), 400, '/colour');
    expectProblem(await body({ source: 'x', tokens: rows, dryRun: 'yes' }), 400, '/dryRun');
    for (const keys of [{ main: 'no base64!' }, { 'a b': 'AAAA' }, { main: '' }, { main: 1 }]) {
      expectProblem(await body({ source: 'x', tokens: rows, keys }), 400, '/keys');
    }
    expectProblem(await body({ source: 'x', tokens: rows, keys: [] }), 400, '/keys');
    expectProblem(await body({ source: 'x', tokens: [1] }), 400, '/tokens/0');
    expectProblem(await body(null), 400, '/tokens');
  });

  test('needs a credential, the scope, and an administrator', async () => {
    const rows = [rowOf(sha256(), { owner: researcher.user.login })];
    expectProblem(await post(rows, {}, {}), 401);
    expectProblem(await post(rows, {}, researcher.byPassword), 403);
    const admin = await server.admin();
    const token = async (scopes: string[]): Promise<Record<string, string>> =>
      bearer((await server.issue({ dialect: 'patois', ownerId: admin.id, scopes })).value);
    expectProblem(await post(rows, {}, await token(['patois:tokens.read'])), 403);
    // Nobody hands on what they do not hold.
    expectProblem(await post(rows, {}, await token(['patois:tokens.write'])), 403, '/tokens/0');
    expect((await post(rows, {}, await token(['patois:tokens.write', 'patois:tokens.read']))).status).toBe(
      200,
    );
  });

  test('lets an administrator of an organization bring tokens into that alone, of nobody who may do more', async () => {
    const mine = (more: object): Promise<Received> => post([rowOf(sha256(), more)], {}, head.byPassword);
    expect((await mine({ owner: researcher.user.login })).status).toBe(200);
    expectProblem(await mine({ owner: owner.user.login }), 404, '/tokens/0/owner');
    const organizationId = (await server.organization('Research')).id;
    const above = await server.makeUser({ role: 'administrator', organizationId });
    expectProblem(await mine({ owner: above.user.login }), 403, '/tokens/0');
    const armed = await server.makeUser({ permissions: ['edit_users'], organizationId });
    expectProblem(await mine({ owner: armed.user.login }), 403, '/tokens/0');
  });

  test('asks for the policy of the organization', async () => {
    await setPolicy(server, { maxLifetimeSeconds: 86_400, allowNonExpiring: false });
    try {
      const soon = new Date(Date.now() + 3_600_000).toISOString();
      const late = new Date(Date.now() + 864_000_000).toISOString();
      expectProblem(await post([rowOf(sha256(), { expiresAt: late })]), 422, '/tokens/0/maxLifetimeSeconds');
      expectProblem(await post([rowOf(sha256(), { expiresAt: null })]), 422, '/tokens/0/allowNonExpiring');
      const old = { expiresAt: soon, createdAt: '2024-01-01T00:00:00Z' };
      expectProblem(await post([rowOf(sha256(), old)]), 422, '/tokens/0/maxLifetimeSeconds');
      await bring(sha256(), { expiresAt: soon });
      const tokenId = await bring(sha256());
      const { json } = await server.send('GET', `/patois/v1/tokens/${tokenId}`, { headers: server.asAdmin });
      expect(Date.parse(json.expiresAt)).toBeLessThanOrEqual(Date.now() + 86_400_000);
    } finally {
      await setPolicy(server, {});
    }
  });

  test('refuses more, or slower, hashes than can be tried on one value', async () => {
    const visible = { suffix: 'deadbeef' };
    const alike = Array.from({ length: 21 }, () => rowOf(gitea(), { visible }));
    expectProblem(await post(alike), 400, '/tokens/20/hash');
    const { user } = await server.makeUser();
    const slow = Array.from({ length: 16 }, () =>
      rowOf(
        {
          value: randomBytes(20).toString('hex'),
          row: { hash: `$2b$12$${randomBytes(40).toString('hex').slice(0, 53)}` },
        },
        { owner: user.login },
      ),
    );
    expectProblem(await post(slow), 400, '/tokens/15/hash');
    expect((await post(slow.slice(0, 15))).status).toBe(200);
    expectProblem(await post(slow.slice(15)), 400, '/tokens/0/hash');
  });
});

describe('GET /patois/v1/imports and /summary', () => {
  test('tell how far the move is, of what the caller administers', async () => {
    const foreigns = [sha256(), gitea(), foreman()];
    const rows = foreigns.map((one, index) =>
      rowOf(one, { owner: researcher.user.login, foreignId: `r${index}` }),
    );
    const { json } = await post(rows, { source: 'research' });
    await verify(bearer(foreigns[0]?.value ?? ''));
    const path = `/patois/v1/tokens/${json.tokens[2].tokenId}`;
    await server.send('DELETE', path, { headers: server.asAdmin });
    const summary = await server.send('GET', `${PATH}/summary`, { headers: head.byPassword });
    const counts = { source: 'research', total: 3, waiting: 1, used: 1, ended: 1 };
    expect(summary.json.bySource).toContainEqual(counts);
    // What else head imported stands there as well.
    expect(summary.json.total).toBeGreaterThanOrEqual(3);
    const all = await server.send('GET', `${PATH}/summary`, { headers: server.asAdmin });
    expect(all.json.bySource.map(({ source }: { source: string }) => source)).toEqual(
      expect.arrayContaining(['many', 'research', 'test', 'twice']),
    );
    const list = (query: string, headers = head.byPassword): Promise<Received> =>
      server.send('GET', `${PATH}?${query}`, { headers });
    const used = await list('source=research&status=used');
    expect(used.json).toEqual({
      nextCursor: null,
      items: [
        {
          tokenId: json.tokens[0].tokenId,
          source: 'research',
          foreignId: 'r0',
          owner: researcher.user.login,
          status: 'used',
          importedAt: expect.any(String),
          usedAt: expect.any(String),
        },
      ],
    });
    const first = await list('source=research&limit=2');
    const second = await list(`source=research&limit=2&cursor=${first.json.nextCursor}`);
    const ids = [...first.json.items, ...second.json.items].map(({ foreignId }) => foreignId as string);
    expect([ids.sort(), second.json.nextCursor]).toEqual([['r0', 'r1', 'r2'], null]);
    expect((await list('source=many')).json.items).toEqual([]);
    expectProblem(await list('cursor=x'), 400, '/cursor');
    expectProblem(await list('status=lost'), 400, '/status');
  });

  test.each([PATH, `${PATH}/summary`])(
    '%s needs a credential, the scope, and an administrator',
    async (path) => {
      const ask = (headers: Record<string, string>): Promise<Received> =>
        server.send('GET', path, { headers });
      expectProblem(await ask({}), 401);
      expectProblem(await ask(researcher.byPassword), 403);
      expectProblem(await ask(introspecting), 403);
      expect((await ask(server.asAdmin)).status).toBe(200);
    },
  );
});

describe('what a request can cost', () => {
  beforeEach(forgetAll);

  test('a flood of values with the visible part of one tries no more of an address than failed logins may', async () => {
    const foreign = gitea();
    await bring(foreign);
    const triesBefore = tries();
    const suffix = foreign.value.slice(-8);
    const statuses = await Promise.all(
      Array.from({ length: 60 }, (_, index) => verify(bearer(`${index}${suffix}`), '127.0.0.9')),
    );
    const tried = tries() - triesBefore;
    // Two run side by side.
    expect([30, 31]).toContain(tried);
    expect(statuses.filter((status) => status === 401)).toHaveLength(tried);
    expect(statuses.filter((status) => status === 503)).toHaveLength(60 - tried);
    // Another address is served.
    expect(await verify(bearer(foreign.value), '127.0.0.10')).toBe(204);
  });

  test('a value that leads to nothing is tried on nothing, and remembered as unknown', async () => {
    const triesBefore = tries();
    const asked = jest.spyOn(BatchedLookup.prototype, 'row');
    const value = randomBytes(20).toString('hex');
    expect(await verify(bearer(value))).toBe(401);
    const queries = asked.mock.calls.length;
    expect(queries).toBeGreaterThan(0);
    expect(await verify(bearer(value))).toBe(401);
    expect([tries() - triesBefore, asked.mock.calls.length]).toEqual([0, queries]);
    asked.mockRestore();
  });

  test('a value that is too long is looked up nowhere', async () => {
    const asked = jest.spyOn(BatchedLookup.prototype, 'row');
    expect(await verify(bearer('a'.repeat(1_025)))).toBe(401);
    expect(asked).not.toHaveBeenCalled();
    asked.mockRestore();
  });
});

test('imported values outlive a rotation of the ring, used before it or not, once they were used after it', async () => {
  const store = await openTestStore();
  const [old, fresh] = ['old', 'new'].map((name) => ({ name, secret: randomBytes(32) })) as [
    TokenKey,
    TokenKey,
  ];
  const statuses = async (
    tokenKeys: TokenKey[],
    foreigns: Foreign[],
    rows: object[] = [],
  ): Promise<number[]> => {
    const kept = async (): Promise<Database> => ({ ...store, close: async () => {} });
    const started = await onceFree(() => TestServer.start({ tokenKeys }, kept));
    try {
      if (rows.length > 0) {
        const body = { source: 'ring', keys: { main: HMAC_KEY.toString('base64') }, tokens: rows };
        await started.send('POST', PATH, { headers: started.asAdmin, body });
      }
      const all = foreigns.map(({ value }) => started.send('GET', '/verify', { headers: bearer(value) }));
      return (await Promise.all(all)).map(({ status }) => status);
    } finally {
      await started.close();
    }
  };
  const foreigns = [sha256(), hmac(), gitea()];
  const rows = foreigns.map((foreign) => rowOf(foreign, { owner: 'admin' }));
  const [used] = foreigns as [Foreign];
  try {
    expect(await statuses([old], [used], rows)).toEqual([204]);
    // One that nobody uses before the old key has left the ring is gone with it, as is every token of that key.
    expect(await statuses([fresh, old], foreigns.slice(0, 2))).toEqual([204, 204]);
    expect(await statuses([fresh], foreigns)).toEqual([204, 204, 401]);
  } finally {
    await store.close();
  }
});

describe('where nothing was imported', () => {
  test('a value that is no token costs no query, wherever it comes', async () => {
    const bare = await TestServer.start({ verificationMaxStalenessSeconds: 60 });
    try {
      const { value } = await bare.issue({
        dialect: 'patois',
        ownerId: (await bare.admin()).id,
        scopes: ['patois:introspect'],
      });
      const ask = (headers: Record<string, string>): Promise<Received> =>
        bare.send('GET', '/verify', { headers });
      // The first of a start finds that out.
      await ask(bearer('x'));
      await ask(bearer(value));
      const asked = jest.spyOn(BatchedLookup.prototype, 'row');
      const counts = bare.app.nest.get(StatementCounts, { strict: false });
      const sent = (): number =>
        [...counts.byKind].reduce((sum, [kind, count]) => (kind === 'imported-forms' ? sum + count : sum), 0);
      const before = sent();
      expect((await ask(bearer('any'))).status).toBe(401);
      expect((await ask(basic('admin', 'any'))).status).toBe(401);
      const body = { verifications: [{ token: 'any' }] };
      const { json } = await bare.send('POST', '/patois/v1/verifications', { headers: bearer(value), body });
      expect(json.verifications[0].reason).toBe('malformed');
      expect([asked.mock.calls, sent()]).toEqual([[], before]);
      asked.mockRestore();
    } finally {
      await bare.close();
    }
  });
});
