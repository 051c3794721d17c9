import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import type { User } from '../../src/accounts/user.entity.js';
import { Token } from '../../src/tokens/token.entity.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { encodeId } from '../../src/dialects/panther/panther.dialect.js';
import { moveClock } from '../support/clock.js';
import { basic, bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const TOKEN_KEYS = [
  'tokenId',
  'externalId',
  'uuid',
  'numericId',
  'dialect',
  'owner',
  'organization',
  'name',
  'description',
  'scopes',
  'allowedCidrs',
  'status',
  'expiresAt',
  'createdAt',
  'createdBy',
  'updatedAt',
  'rotatedAt',
  'previousValidUntil',
  'lastUsedAt',
  'lastUsedAddress',
  'lastUsedUserAgent',
  'revokedAt',
  'revokedBy',
  'revokeReason',
];

let server: TestServer;
/** Administers the organization Research, and nothing else. */
let head: TestUser;
let member: TestUser;
let colleague: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  const organizationId = (await server.organization('Research')).id;
  const elsewhere = (await server.organization('Elsewhere')).id;
  head = await server.makeUser({ login: 'head', role: 'organizationAdministrator', organizationId });
  member = await server.makeUser({ login: 'member', organizationId });
  colleague = await server.makeUser({ login: 'colleague', organizationId });
  stranger = await server.makeUser({ login: 'stranger', organizationId: elsewhere });
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => server.close());

function call(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<Received> {
  return server.send(method, `/patois/v1${path}`, { headers, ...(body === undefined ? {} : { body }) });
}

function asAdmin(method: string, path: string, body?: unknown): Promise<Received> {
  return call(method, path, server.asAdmin, body);
}

function asMember(method: string, path: string, body?: unknown): Promise<Received> {
  return call(method, path, member.byPassword, body);
}

async function byToken(
  owner: User,
  scopes: string[],
  allowedCidrs: string[] = [],
): Promise<Record<string, string>> {
  const { value } = await server.issue({ dialect: 'patois', ownerId: owner.id, scopes, allowedCidrs });
  return bearer(value);
}

/** A token of a user, past every dialect; its path too. */
async function issueTo(
  owner: User,
  spec: Parameters<TestServer['issue']>[0] | object = {},
): Promise<{ token: Token; value: string; path: string }> {
  const issued = await server.issue({
    dialect: 'patois',
    scopes: ['patois:tokens.read'],
    ...spec,
    ownerId: owner.id,
  });
  return { ...issued, path: `/tokens/${issued.token.tokenId}` };
}

async function works(value: string): Promise<boolean> {
  const { status } = await call('GET', '/me', bearer(value));
  expect([200, 401, 403]).toContain(status);
  return status === 200;
}

function mark(): string {
  return randomBytes(5).toString('hex');
}

function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}

describe('POST /patois/v1/tokens', () => {
  test('makes a token that works, and shows its value in this answer alone', async () => {
    const made = await asMember('POST', '/tokens', {
      dialect: 'patois',
      owner: 'member',
      name: '  first ',
      scopes: ['patois:tokens.read'],
    });
    expect(made.status).toBe(201);
    expect(Object.keys(made.json)).toEqual([...TOKEN_KEYS, 'token']);
    const { token: value, ...shown } = made.json;
    const { user } = (await call('GET', '/me', member.byPassword)).json;
    expect(shown).toEqual({
      tokenId: value.slice(0, 15),
      externalId: value.slice(0, 15),
      uuid: expect.stringMatching(UUID),
      numericId: expect.any(Number),
      dialect: 'patois',
      owner: { id: member.user.id, login: 'member' },
      organization: user.organization,
      name: 'first',
      description: null,
      scopes: ['patois:tokens.read'],
      allowedCidrs: [],
      status: 'active',
      expiresAt: null,
      createdAt: expect.stringMatching(INSTANT),
      createdBy: { type: 'user', id: member.user.id },
      updatedAt: null,
      rotatedAt: null,
      previousValidUntil: null,
      lastUsedAt: null,
      lastUsedAddress: null,
      lastUsedUserAgent: null,
      revokedAt: null,
      revokedBy: null,
      revokeReason: null,
    });
    const seen = await call('GET', `/tokens/${shown.tokenId}`, { ...bearer(value), 'user-agent': 'test/1' });
    expect(seen.status).toBe(200);
    expect(seen.json).toEqual({
      ...shown,
      lastUsedAt: expect.stringMatching(INSTANT),
      lastUsedAddress: '127.0.0.1',
      lastUsedUserAgent: 'test/1',
    });
  });

  test('takes everything that a token has', async () => {
    const expiresAt = inSeconds(3600);
    const body = {
      dialect: 'patois',
      owner: member.user.id,
      name: 'whole',
      description: 'two\nlines',
      scopes: ['*'],
      allowedCidrs: ['10.0.0.0/8', '2001:db8::/32', '10.0.0.0/8'],
      expiresAt,
    };
    const { json } = await asMember('POST', '/tokens', body);
    expect(json).toMatchObject({
      ...body,
      owner: { login: 'member' },
      allowedCidrs: ['10.0.0.0/8', '2001:db8::/32'],
    });
  });

  test('names a token of another dialect as that dialect does, and it works there', async () => {
    const body = { dialect: 'panther', owner: 'head', name: 'p', scopes: ['OrganizationAPITokenRead'] };
    const { json } = await call('POST', '/tokens', head.byPassword, body);
    expect(json.externalId).toBe(encodeId(json.uuid));
    const got = await server.send('GET', '/api-tokens/self', { headers: { 'x-api-key': json.token } });
    expect(got.json).toMatchObject({ id: json.externalId, permissions: ['OrganizationAPITokenRead'] });
  });

  test('every dialect here makes tokens with scopes of its own words, or with its defaults', async () => {
    const made = await asAdmin('POST', '/tokens', { dialect: 'nonsense', owner: 'admin', name: 'x' });
    const dialects = /one of (.*)$/.exec(made.json.detail)?.[1]?.split(', ') ?? [];
    expect(dialects).toEqual(expect.arrayContaining(['patois', 'panther']));
    const defaults: Record<string, string[]> = {
      foreman: ['foreman:*'],
      quay: ['user:admin'],
      losant: ['all.User'],
    };
    for (const dialect of dialects) {
      const answer = await asAdmin('POST', '/tokens', { dialect, owner: 'admin', name: `default ${mark()}` });
      const outcome = [dialect, answer.status, answer.json.scopes ?? answer.json.errors[0].pointer];
      const expected = defaults[dialect];
      expect(outcome).toEqual(expected ? [dialect, 201, expected] : [dialect, 400, '/scopes']);
    }
  });

  test.each([
    [{ dialect: undefined }, '/dialect'],
    [{ dialect: 'klingon' }, '/dialect'],
    [{ owner: undefined }, '/owner'],
    [{ owner: 7 }, '/owner'],
    [{ name: undefined }, '/name'],
    [{ name: ' ' }, '/name'],
    [{ name: 'x'.repeat(256) }, '/name'],
    [{ name: null }, '/name'],
    [{ description: 7 }, '/description'],
    [{ scopes: [] }, '/scopes'],
    [{ scopes: undefined }, '/scopes'],
    [{ scopes: null }, '/scopes'],
    [{ scopes: 'patois:tokens.read' }, '/scopes'],
    [{ scopes: ['patois:tokens.read', 'patois:tokens.read'] }, '/scopes'],
    [{ scopes: ['patois:tokens.read', 'patois:nonsense'] }, '/scopes/1'],
    [{ dialect: 'panther', scopes: ['*'] }, '/scopes/0'],
    [{ dialect: 'panther', scopes: ['patois:tokens.read'] }, '/scopes/0'],
    [{ allowedCidrs: ['10.0.0.0/8', '10.0.0.1'] }, '/allowedCidrs/1'],
    [{ allowedCidrs: ['10.0.0.1/8'] }, '/allowedCidrs/0'],
    [{ allowedCidrs: [7] }, '/allowedCidrs'],
    [{ allowedCidrs: null }, '/allowedCidrs'],
    [{ expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
    [{ expiresAt: '2999-02-30T00:00:00Z' }, '/expiresAt'],
    [{ expiresAt: '2999-01-01' }, '/expiresAt'],
    [{ expiresAt: 32503680000 }, '/expiresAt'],
    [{ status: 'inactive' }, '/status'],
  ])('refuses %j', async (change, pointer) => {
    const body = { dialect: 'patois', owner: 'member', name: 'x', scopes: ['patois:tokens.read'], ...change };
    expectProblem(await asMember('POST', '/tokens', body), 400, pointer);
  });

  test("where a dialect wants an owner's names unique, one of many is made, and none is renamed to it", async () => {
    const { user } = await server.makeUser();
    const body = { dialect: 'foreman', owner: user.login, name: `one ${mark()}` };
    const answers = await Promise.all(Array.from({ length: 10 }, () => asAdmin('POST', '/tokens', body)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 201)) expectProblem(answer, 409);
    const other = await asAdmin('POST', '/tokens', { ...body, name: 'another' });
    expectProblem(await asAdmin('PATCH', `/tokens/${other.json.tokenId}`, { name: body.name }), 409);
    expect((await asAdmin('POST', '/tokens', { ...body, owner: 'member' })).status).toBe(201);
    const elsewhere = { ...body, dialect: 'quay' };
    const statuses = [
      await asAdmin('POST', '/tokens', elsewhere),
      await asAdmin('POST', '/tokens', elsewhere),
    ];
    expect(statuses.map(({ status }) => status)).toEqual([201, 201]);
  });

  test('a token in a wrong place is not repeated', async () => {
    const { value } = makeToken();
    const body = {
      dialect: value,
      owner: value,
      name: value,
      scopes: [value],
      allowedCidrs: [value],
      [value]: value,
    };
    expect((await asMember('POST', '/tokens', body)).status).toBe(400);
    for (const key of ['scopes', 'allowedCidrs']) {
      const one = { dialect: 'patois', owner: 'member', name: 'x', scopes: ['*'], [key]: [value] };
      expect((await asMember('POST', '/tokens', one)).status).toBe(400);
    }
  });

  test('a member makes none for others, and does not learn who is there', async () => {
    const body = { dialect: 'patois', name: 'x', scopes: ['*'] };
    const answers = await Promise.all(
      ['colleague', 'stranger', 'nobody', 'a\u0001b'].map((owner) =>
        asMember('POST', '/tokens', { ...body, owner }),
      ),
    );
    for (const answer of answers) expectProblem(answer, 403);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  test('an organization administrator makes them for the own organization, and for no administrator in it', async () => {
    const body = { dialect: 'patois', name: 'x', scopes: ['*'] };
    const issue = (owner: string): Promise<Received> =>
      call('POST', '/tokens', head.byPassword, { ...body, owner });
    expect((await issue('member')).json).toMatchObject({
      owner: { login: 'member' },
      createdBy: { type: 'user', id: head.user.id },
    });
    for (const owner of ['stranger', 'nobody']) expectProblem(await issue(owner), 404, '/owner');
    const boss = await server.makeUser({ role: 'administrator', organizationId: head.user.organizationId });
    expectProblem(await issue(boss.user.login), 403);
    const gifted = await server.makeUser({
      permissions: ['edit_users'],
      organizationId: head.user.organizationId,
    });
    expectProblem(await issue(gifted.user.login), 403);
  });

  test('an administrator makes them for everybody', async () => {
    const body = { dialect: 'patois', name: 'x', scopes: ['*'], owner: 'STRANGER' };
    expect((await asAdmin('POST', '/tokens', body)).json.owner.login).toBe('stranger');
    expectProblem(await asAdmin('POST', '/tokens', { ...body, owner: 'nobody' }), 404, '/owner');
  });

  test('nobody grants by a token what that does not hold, nor from where it does not work', async () => {
    const body = { dialect: 'patois', owner: 'member', name: 'x' };
    const write = await byToken(member.user, ['patois:tokens.write']);
    const more = await call('POST', '/tokens', write, { ...body, scopes: ['patois:tokens.write', '*'] });
    expectProblem(more, 403);
    expect(more.json.detail).toContain('*');
    const other = { ...body, dialect: 'panther', scopes: ['AlertRead'] };
    expectProblem(await call('POST', '/tokens', write, other), 403);
    expect((await call('POST', '/tokens', write, { ...body, scopes: ['patois:tokens.write'] })).status).toBe(
      201,
    );
    const confined = await byToken(member.user, ['*'], ['127.0.0.0/8']);
    expectProblem(await call('POST', '/tokens', confined, { ...body, scopes: ['*'] }), 403);
    const within = { ...body, scopes: ['*'], allowedCidrs: ['127.0.0.1/32'] };
    expect((await call('POST', '/tokens', confined, within)).json.createdBy).toEqual({
      type: 'token',
      id: expect.stringMatching(UUID),
    });
  });

  test('a token may hold scopes of several dialects, and acts in each', async () => {
    const body = {
      dialect: 'patois',
      owner: 'head',
      name: 'x',
      scopes: ['patois:users.read', 'OrganizationAPITokenRead'],
    };
    const { token } = (await call('POST', '/tokens', head.byPassword, body)).json;
    expect((await call('GET', '/users', bearer(token))).status).toBe(200);
    const listed = await server.send('GET', '/api-tokens', { headers: { 'x-api-key': token } });
    expect(listed.status).toBe(200);
  });
});

describe('GET /patois/v1/tokens', () => {
  async function ids(query: string, headers = server.asAdmin): Promise<string[]> {
    const answer = await call('GET', `/tokens?${query}`, headers);
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    return (answer.json.items as { tokenId: string }[]).map(({ tokenId }) => tokenId);
  }

  test('shows each the own tokens, administrators those of their organization, or all', async () => {
    const tag = mark();
    const mine = (await issueTo(member.user, { name: tag })).token.tokenId;
    const theirs = (await issueTo(colleague.user, { name: tag, dialect: 'panther' })).token.tokenId;
    const far = (await issueTo(stranger.user, { name: tag })).token.tokenId;
    expect(await ids(`q=${tag}`, member.byPassword)).toEqual([mine]);
    expect(await ids(`q=${tag}`, head.byPassword)).toEqual([theirs, mine]);
    expect(await ids(`q=${tag}`)).toEqual([far, theirs, mine]);
    expect(await ids(`q=${tag}&owner=stranger`, head.byPassword)).toEqual([]);
    expect(await ids(`q=${tag}&organization=Elsewhere`, head.byPassword)).toEqual([]);
    expect(await ids(`q=${tag}&owner=colleague`, member.byPassword)).toEqual([]);
  });

  test('filters by owner, organization, dialect, scope and a part of the text', async () => {
    const tag = mark();
    const one = await issueTo(member.user, { name: `${tag} 50%_`, scopes: ['*'] });
    const two = await issueTo(stranger.user, {
      dialect: 'panther',
      description: `x ${tag}`,
      scopes: ['AlertRead'],
    });
    const [first, second] = [one.token.tokenId, two.token.tokenId];
    expect(await ids(`q=${tag}&owner=MEMBER`)).toEqual([first]);
    expect(await ids(`q=${tag}&owner=${stranger.user.id}`)).toEqual([second]);
    expect(await ids(`q=${tag}&owner=nobody`)).toEqual([]);
    expect(await ids(`q=${tag}&organization=elsewhere`)).toEqual([second]);
    expect(await ids(`q=${tag}&organization=${member.user.organizationId}`)).toEqual([first]);
    expect(await ids(`q=${tag}&organization=Nowhere`)).toEqual([]);
    expect(await ids(`q=${tag}&dialect=panther`)).toEqual([second]);
    expect(await ids(`q=${tag}&dialect=klingon`)).toEqual([]);
    expect(await ids(`q=${tag}&scope=AlertRead`)).toEqual([second]);
    expect(await ids(`q=${tag}&scope=${encodeURIComponent('*')}`)).toEqual([first]);
    expect(await ids(`q=${encodeURIComponent(`${tag.toUpperCase()} 50%`)}`)).toEqual([first]);
    expect(await ids(`q=${encodeURIComponent(`${tag}_50`)}`)).toEqual([]);
    expect(await ids(`q=${first.slice(3, 12)}`)).toEqual([first]);
    expect(await ids(`q=${tag}&owner=member&dialect=patois&scope=*&status=active`)).toEqual([first]);
  });

  test('filters by status, of which each token has one', async () => {
    const name = mark();
    const [past, future] = [new Date(Date.now() - 1000), new Date(Date.now() + 3_600_000)];
    const tokens: Record<string, string[]> = { active: [], inactive: [], expired: [], revoked: [] };
    for (const isRevoked of [false, true]) {
      for (const expiresAt of [null, future, past]) {
        for (const inactive of [false, true]) {
          const { token } = await issueTo(member.user, { name, inactive, expiresAt });
          if (isRevoked) await server.revoke(token);
          const rest = inactive ? 'inactive' : 'active';
          const status = isRevoked ? 'revoked' : expiresAt === past ? 'expired' : rest;
          tokens[status]?.push(token.tokenId);
        }
      }
    }
    expect(Object.values(tokens).map(({ length }) => length)).toEqual([2, 2, 2, 6]);
    for (const [status, tokenIds] of Object.entries(tokens)) {
      const { json } = await asAdmin('GET', `/tokens?q=${name}&status=${status}`);
      const listed = json.items.map((token: Record<string, string>) => [token['tokenId'], token['status']]);
      expect(new Map(listed)).toEqual(new Map(tokenIds.map((tokenId) => [tokenId, status])));
      expect(listed).toHaveLength(tokenIds.length);
    }
  });

  test('filters by creation, expiry and last use', async () => {
    const name = mark();
    const old = await issueTo(member.user, { name });
    moveClock(1);
    const moment = new Date();
    const fresh = await issueTo(member.user, { name, expiresAt: new Date(inSeconds(60)) });
    const [first, second] = [old.token.tokenId, fresh.token.tokenId];
    expect(await ids(`q=${name}&createdBefore=${moment.toISOString()}`)).toEqual([first]);
    expect(await ids(`q=${name}&expiresBefore=${inSeconds(61)}`)).toEqual([second]);
    expect(await ids(`q=${name}&expiresBefore=${inSeconds(50)}`)).toEqual([]);
    expect(await works(old.value)).toBe(true);
    expect(await ids(`q=${name}&neverUsed=true`)).toEqual([second]);
    expect(await ids(`q=${name}&neverUsed=false`)).toEqual([first]);
    expect(await ids(`q=${name}&lastUsedBefore=${inSeconds(1)}`)).toEqual([first]);
    expect(await ids(`q=${name}&lastUsedBefore=${inSeconds(-60)}`)).toEqual([]);
  });

  test('filters by an address from which the token works', async () => {
    const name = mark();
    const open = (await issueTo(member.user, { name })).token.tokenId;
    const four = (await issueTo(member.user, { name, allowedCidrs: ['10.0.0.0/8', '192.0.2.7/32'] })).token
      .tokenId;
    const six = (await issueTo(member.user, { name, allowedCidrs: ['2001:db8::/32'] })).token.tokenId;
    expect(await ids(`q=${name}&allowsAddress=10.1.2.3`)).toEqual([four, open]);
    expect(await ids(`q=${name}&allowsAddress=::ffff:10.1.2.3`)).toEqual([four, open]);
    expect(await ids(`q=${name}&allowsAddress=11.0.0.1`)).toEqual([open]);
    expect(await ids(`q=${name}&allowsAddress=2001:db8::1`)).toEqual([six, open]);
  });

  test('pages by every sort to the end, without repeating or dropping one while others are made', async () => {
    const tag = mark();
    const made: string[] = [];
    for (const [index, name] of ['b', 'A', 'a', 'ż', 'B'].entries()) {
      const expiresAt = index % 2 === 0 ? null : new Date(Date.now() + 60_000 * index);
      const { token, value } = await issueTo(member.user, { name: `${name} ${tag}`, expiresAt });
      if (index > 2) await works(value);
      made.push(token.tokenId);
    }
    const sorts = ['createdAt', 'name', 'lastUsedAt', 'expiresAt'];
    const orders: Record<string, string[]> = {};
    for (const sort of sorts.flatMap((field) => [field, `-${field}`])) {
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: Received = await asAdmin(
          'GET',
          `/tokens?q=${tag}&sort=${sort}&limit=2${cursor && `&cursor=${cursor}`}`,
        );
        expect(page.status).toBe(200);
        seen.push(...(page.json.items as { tokenId: string }[]).map(({ tokenId }) => tokenId));
        cursor = page.json.nextCursor as string | null;
        await issueTo(member.user, { name: `0 ${tag} new`, expiresAt: new Date(Date.now() + 30_000) });
      }
      orders[sort] = seen.filter((tokenId) => made.includes(tokenId));
      expect(new Set(seen).size).toBe(seen.length);
      expect([...(orders[sort] ?? [])].sort()).toEqual(made.toSorted());
    }
    for (const field of sorts) expect(orders[`-${field}`]).toEqual(orders[field]?.toReversed());
    expect(orders['createdAt']).toEqual(made);
    expect(orders['expiresAt']?.slice(0, 2)).toEqual([made[1], made[3]]);
    expect(orders['lastUsedAt']?.slice(3)).toEqual([made[3], made[4]]);
    expect(new Set(orders['name']?.slice(0, 2))).toEqual(new Set([made[1], made[2]]));
  });

  test('the tokens of a deleted user stay in the list, and name the owner', async () => {
    const { user } = await server.makeUser();
    const { token } = await issueTo(user);
    expect((await asAdmin('DELETE', `/users/${user.id}`)).status).toBe(204);
    const { json } = await asAdmin('GET', `/tokens?owner=${user.id}`);
    expect(json.items).toMatchObject([
      { tokenId: token.tokenId, status: 'revoked', owner: { id: user.id, login: user.login } },
    ]);
    expect(await ids(`owner=${user.login}`)).toEqual([]);
  });

  test('50 at a time, unless told otherwise', async () => {
    const { user, byPassword } = await server.makeUser();
    for (let count = 0; count < 51; count += 1) await issueTo(user);
    const { json } = await call('GET', '/tokens', byPassword);
    expect([json.items.length, typeof json.nextCursor]).toEqual([50, 'string']);
    const rest = await call('GET', `/tokens?cursor=${json.nextCursor}`, byPassword);
    expect([rest.json.items.length, rest.json.nextCursor]).toEqual([1, null]);
    expect((await call('GET', '/tokens?limit=1000', byPassword)).json.items).toHaveLength(51);
  });

  test.each([
    ['limit=0', '/limit'],
    ['limit=1001', '/limit'],
    ['limit=1.5', '/limit'],
    ['sort=secret', '/sort'],
    ['sort=name&sort=name', '/sort'],
    ['status=dead', '/status'],
    ['status=active&status=revoked', '/status'],
    ['createdBefore=yesterday', '/createdBefore'],
    ['createdBefore=2026-01-01', '/createdBefore'],
    ['lastUsedBefore=2026-13-01T00:00:00Z', '/lastUsedBefore'],
    ['expiresBefore=', '/expiresBefore'],
    ['neverUsed=1', '/neverUsed'],
    ['allowsAddress=10.0.0.0/8', '/allowsAddress'],
    ['allowsAddress=host', '/allowsAddress'],
    ['q=%00', '/q'],
    ['owner=', '/owner'],
    ['neverused=true', '/neverused'],
    ['cursor=AAAA', '/cursor'],
  ])('refuses ?%s', async (query, pointer) => {
    expectProblem(await asAdmin('GET', `/tokens?${query}`), 400, pointer);
  });

  test('takes a cursor for its own sort and direction alone, and none that is made up', async () => {
    for (const name of ['one', 'two']) await issueTo(member.user, { name });
    const { json } = await asMember('GET', '/tokens?limit=1&sort=createdAt');
    const cursor = json.nextCursor as string;
    const statusOf = async (sort: string, text: string): Promise<number> =>
      (await asMember('GET', `/tokens?sort=${sort}&cursor=${text}`)).status;
    expect(await statusOf('createdAt', cursor)).toBe(200);
    for (const sort of ['-createdAt', 'expiresAt', 'lastUsedAt', 'name'])
      expect(await statusOf(sort, cursor)).toBe(400);
    const madeUp = [
      `createdAt no-uuid ${Date.now()}`,
      `createdAt ${member.user.id} soon`,
      `createdAt ${member.user.id}`,
    ];
    for (const text of madeUp) {
      expect(await statusOf('createdAt', Buffer.from(text).toString('base64url'))).toBe(400);
    }
  });

  test('refuses the cursor of another sort', async () => {
    await issueTo(member.user);
    await issueTo(member.user);
    const { nextCursor } = (await asAdmin('GET', '/tokens?limit=1&sort=name')).json;
    expectProblem(await asAdmin('GET', `/tokens?cursor=${nextCursor}`), 400, '/cursor');
    expectProblem(await asAdmin('GET', `/tokens?sort=expiresAt&cursor=${nextCursor}`), 400, '/cursor');
    const forged = Buffer.from(`name ${member.user.id} a\u0000`).toString('base64url');
    expectProblem(await asAdmin('GET', `/tokens?sort=name&cursor=${forged}`), 400, '/cursor');
  });
});

describe('GET /patois/v1/tokens/{tokenId}', () => {
  test("a stranger's token is not there, nor is one that never was", async () => {
    const { path } = await issueTo(stranger.user);
    const theirs = await issueTo(colleague.user);
    expect((await asAdmin('GET', path)).status).toBe(200);
    expect((await call('GET', path, stranger.byPassword)).status).toBe(200);
    expectProblem(await call('GET', path, head.byPassword), 404);
    expect((await call('GET', theirs.path, head.byPassword)).status).toBe(200);
    expectProblem(await asMember('GET', theirs.path), 404);
    const nowhere = [
      'pt-000000000000',
      'x',
      '%00',
      theirs.token.id,
      `${theirs.token.tokenId}%20`,
      'x'.repeat(300),
    ];
    for (const tokenId of nowhere) expectProblem(await asAdmin('GET', `/tokens/${tokenId}`), 404);
  });

  test('a whole token as the id finds nothing, and is repeated nowhere', async () => {
    const { value } = await issueTo(member.user);
    expectProblem(await asMember('GET', `/tokens/${value}`), 404);
  });
});

describe('PATCH /patois/v1/tokens/{tokenId}', () => {
  test('changes what is given and leaves the rest', async () => {
    const { path } = await issueTo(member.user, {
      description: 'before',
      expiresAt: new Date(inSeconds(60)),
    });
    const before = (await asMember('GET', path)).json;
    const changes = {
      name: 'after',
      description: null,
      allowedCidrs: ['10.0.0.0/8'],
      expiresAt: inSeconds(600),
    };
    const changed = await asMember('PATCH', path, changes);
    expect(changed.status).toBe(200);
    expect(changed.json).toEqual({ ...before, ...changes, updatedAt: expect.stringMatching(INSTANT) });
    expect((await asMember('PATCH', path, { expiresAt: null, allowedCidrs: [] })).json).toMatchObject({
      expiresAt: null,
      allowedCidrs: [],
      name: 'after',
    });
    const last = (await asMember('GET', path)).json;
    expect((await asMember('PATCH', path, {})).json).toEqual(last);
  });

  test('status, address and expiry count at once', async () => {
    const { path, value } = await issueTo(member.user);
    expect(await works(value)).toBe(true);
    expect((await asMember('PATCH', path, { status: 'inactive' })).json.status).toBe('inactive');
    expect(await works(value)).toBe(false);
    expect((await asMember('PATCH', path, { status: 'active' })).json.status).toBe('active');
    expect(await works(value)).toBe(true);
    await asMember('PATCH', path, { allowedCidrs: ['10.0.0.0/8'] });
    expect(await works(value)).toBe(false);
    await asMember('PATCH', path, { allowedCidrs: ['127.0.0.0/8'] });
    expect(await works(value)).toBe(true);
    moveClock(0);
    await asMember('PATCH', path, { expiresAt: inSeconds(60) });
    moveClock(59_999);
    expect(await works(value)).toBe(true);
    moveClock(1);
    expect(await works(value)).toBe(false);
    expect((await asMember('GET', path)).json.status).toBe('expired');
  });

  test.each([
    [{ name: '' }, '/name'],
    [{ name: null }, '/name'],
    [{ status: 'revoked' }, '/status'],
    [{ status: null }, '/status'],
    [{ allowedCidrs: ['::ffff:10.0.0.0/104'] }, '/allowedCidrs/0'],
    [{ expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
    [{ scopes: ['*'] }, '/scopes'],
    [{ owner: 'admin' }, '/owner'],
  ])('refuses %j', async (body, pointer) => {
    const { path } = await issueTo(member.user);
    expectProblem(await asMember('PATCH', path, body), 400, pointer);
  });

  test('a revoked token stays as it is', async () => {
    const { path, token } = await issueTo(member.user);
    await server.revoke(token);
    expectProblem(await asMember('PATCH', path, { name: 'x' }), 409);
    expectProblem(await asMember('POST', `${path}/rotate`), 409);
  });

  test('a token confined to CIDR blocks widens no other beyond them, nor itself', async () => {
    const { path } = await issueTo(member.user, { allowedCidrs: ['127.0.0.1/32'] });
    const confined = await byToken(member.user, ['*'], ['127.0.0.0/8']);
    expectProblem(await call('PATCH', path, confined, { allowedCidrs: [] }), 403);
    expectProblem(await call('PATCH', path, confined, { allowedCidrs: ['0.0.0.0/0'] }), 403);
    expect((await call('PATCH', path, confined, { allowedCidrs: ['127.0.0.0/16'] })).status).toBe(200);
  });
});

describe('DELETE /patois/v1/tokens/{tokenId}', () => {
  test('ends a token at once and for good, and says who did it and why', async () => {
    const { path, value, token } = await issueTo(member.user);
    expect(await works(value)).toBe(true);
    const answer = await call(
      'DELETE',
      `${path}?reason=${encodeURIComponent('leaked: żółw')}`,
      head.byPassword,
    );
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(await works(value)).toBe(false);
    const revoked = (await asMember('GET', path)).json;
    expect(revoked).toMatchObject({
      status: 'revoked',
      revokedAt: expect.stringMatching(INSTANT),
      revokedBy: { type: 'user', id: head.user.id },
      revokeReason: 'leaked: żółw',
    });
    expect((await asMember('DELETE', `${path}?reason=again`)).status).toBe(204);
    expect((await asMember('GET', path)).json).toEqual(revoked);
    const events = await server.app.dataSource.manager.findBy(AuditEvent, {
      objectId: token.tokenId,
      action: 'token.revoke',
    });
    expect(events).toMatchObject([
      {
        actorType: 'user',
        actorId: head.user.id,
        before: { status: 'active' },
        after: { status: 'revoked' },
      },
    ]);
  });

  test('without a reason there is none; one without end is refused', async () => {
    const { path } = await issueTo(member.user);
    expectProblem(await asMember('DELETE', `${path}?reason=${'x'.repeat(1001)}`), 400, '/reason');
    expectProblem(await asMember('DELETE', `${path}?why=x`), 400, '/why');
    expect((await asMember('DELETE', path)).status).toBe(204);
    expect((await asMember('GET', path)).json.revokeReason).toBeNull();
  });

  test('a token can end itself', async () => {
    const { value, path } = await issueTo(member.user, { scopes: ['patois:tokens.write'] });
    expect((await call('DELETE', path, bearer(value))).status).toBe(204);
    expect(await works(value)).toBe(false);
  });

  test('an organization administrator ends also the token of an administrator in the own organization', async () => {
    const boss = await server.makeUser({ role: 'administrator', organizationId: head.user.organizationId });
    const { path, value } = await issueTo(boss.user, { scopes: ['*'] });
    expectProblem(await call('PATCH', path, head.byPassword, { allowedCidrs: [] }), 403);
    expectProblem(await call('POST', `${path}/rotate`, head.byPassword), 403);
    expect((await call('DELETE', path, head.byPassword)).status).toBe(204);
    expect(await works(value)).toBe(false);
  });
});

describe('POST /patois/v1/tokens/{tokenId}/rotate', () => {
  test('gives a new value at once; everything else stays', async () => {
    const { path, value } = await issueTo(member.user);
    const before = (await asMember('GET', path)).json;
    const rotated = await asMember('POST', `${path}/rotate`);
    expect(rotated.status).toBe(200);
    expect(Object.keys(rotated.json)).toEqual([...TOKEN_KEYS, 'token']);
    const { token: fresh, ...shown } = rotated.json;
    expect(shown).toEqual({ ...before, rotatedAt: expect.stringMatching(INSTANT) });
    expect(fresh.slice(0, 15)).toBe(before.tokenId);
    expect([await works(value), await works(fresh)]).toEqual([false, true]);
  });

  test('during the grace both values work, and the old one no longer than that', async () => {
    const { path, value } = await issueTo(member.user);
    moveClock(0);
    const { token: second } = (await asMember('POST', `${path}/rotate`, { graceSeconds: 60 })).json;
    expect([await works(value), await works(second)]).toEqual([true, true]);
    moveClock(59_999);
    expect([await works(value), await works(second)]).toEqual([true, true]);
    moveClock(1);
    expect([await works(value), await works(second)]).toEqual([false, true]);
    const { token: third } = (await asMember('POST', `${path}/rotate`, { graceSeconds: 604_800 })).json;
    await asMember('DELETE', path);
    expect([await works(second), await works(third)]).toEqual([false, false]);
  });

  test.each([
    [{ graceSeconds: -1 }],
    [{ graceSeconds: 604_801 }],
    [{ graceSeconds: 1.5 }],
    [{ graceSeconds: '60' }],
    [{ graceSeconds: null }],
  ])('refuses %j', async (body) => {
    const { path, value } = await issueTo(member.user);
    expectProblem(await asMember('POST', `${path}/rotate`, body), 400, '/graceSeconds');
    expect(await works(value)).toBe(true);
  });

  test('a token that rotates itself many times at once ends with one value that works', async () => {
    const { path, value } = await issueTo(member.user, { scopes: ['patois:tokens.write'] });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => call('POST', `${path}/rotate`, bearer(value))),
    );
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(await works(won[0]?.json.token)).toBe(true);
    for (const { status } of answers) expect([200, 401, 409]).toContain(status);
  });

  test('takes over no token that holds more than the one that calls', async () => {
    const { path } = await issueTo(member.user, { scopes: ['*'] });
    const equal = await issueTo(member.user, { scopes: ['patois:tokens.write'] });
    const write = await byToken(member.user, ['patois:tokens.write']);
    expectProblem(await call('POST', `${path}/rotate`, write), 403);
    expect((await call('POST', `${equal.path}/rotate`, write)).status).toBe(200);
    const confined = await byToken(member.user, ['*'], ['127.0.0.0/8']);
    expectProblem(await call('POST', `${path}/rotate`, confined), 403);
  });
});

describe('scopes', () => {
  test('reading and writing are two scopes', async () => {
    const { path } = await issueTo(member.user, { scopes: ['patois:tokens.write'] });
    const read = await byToken(member.user, ['patois:tokens.read']);
    const write = await byToken(member.user, ['patois:tokens.write']);
    const foreign = await byToken(member.user, ['OrganizationAPITokenRead', 'patois:users.read']);
    const body = { dialect: 'patois', owner: 'member', name: 'x', scopes: ['patois:tokens.read'] };
    const calls: ['read' | 'write', string, string, unknown?][] = [
      ['read', 'GET', '/tokens'],
      ['read', 'GET', path],
      ['write', 'POST', '/tokens', { ...body, scopes: ['patois:tokens.write'] }],
      ['write', 'PATCH', path, { name: 'y' }],
      ['write', 'DELETE', path],
    ];
    for (const [kind, method, where, sent] of calls) {
      expectProblem(await call(method, where, kind === 'read' ? write : read, sent), 403);
      expectProblem(await call(method, where, foreign, sent), 403);
    }
    for (const [kind, method, where, sent] of calls) {
      const { status } = await call(method, where, kind === 'read' ? read : write, sent);
      expect([method, status]).toEqual([method, { GET: 200, POST: 201, PATCH: 200, DELETE: 204 }[method]]);
    }
    expectProblem(await call('POST', `${path}/rotate`, read), 403);
  });

  test("'patois:*' and '*' cover both", async () => {
    for (const scope of ['patois:*', '*']) {
      const headers = await byToken(member.user, [scope]);
      const body = { dialect: 'patois', owner: 'member', name: 'x', scopes: ['patois:tokens.read'] };
      expect((await call('POST', '/tokens', headers, body)).status).toBe(201);
      expect((await call('GET', '/tokens', headers)).status).toBe(200);
    }
  });
});

describe('without a valid credential', () => {
  test.each([
    ['GET', ''],
    ['POST', ''],
    ['GET', '/pt-000000000000'],
    ['PATCH', '/pt-000000000000'],
    ['DELETE', '/pt-000000000000'],
    ['POST', '/pt-000000000000/rotate'],
  ])('%s /patois/v1/tokens%s is refused', async (method, path) => {
    const expired = await issueTo(member.user, { expiresAt: new Date(Date.now() - 1000) });
    const inactive = await issueTo(member.user, { inactive: true });
    for (const headers of [
      {},
      basic('member', 'wrong'),
      bearer('nonsense'),
      bearer(makeToken().value),
      bearer(expired.value),
      bearer(inactive.value),
    ])
      expectProblem(await call(method, `/tokens${path}`, headers), 401);
  });

  test('outside its CIDR blocks a token is refused with 403', async () => {
    const outside = await byToken(member.user, ['*'], ['10.0.0.0/8']);
    expectProblem(await call('GET', '/tokens', outside), 403);
  });
});
