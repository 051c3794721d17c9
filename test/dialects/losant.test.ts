import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeObjectId } from '../../src/accounts/object-id.js';
import { User } from '../../src/accounts/user.entity.js';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { OPERATIONS, SCOPES } from '../../src/dialects/losant/losant.scopes.js';
import { Token } from '../../src/tokens/token.entity.js';
import type { TokenSpec } from '../../src/tokens/token.service.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const ID = /^[0-9a-f]{24}$/;
const FUTURE = '2091-01-31T12:00:00.000Z';

let server: TestServer;
let owner: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  owner = await server.makeUser({ name: 'Ada Lovelace' });
  stranger = await server.makeUser();
});
afterAll(() => server.close());

interface Key {
  id: string;
  token: Token;
  headers: Record<string, string>;
}

async function makeKey(
  scopes: string[] = ['all.User'],
  user = owner,
  spec: Partial<TokenSpec> = {},
): Promise<Key> {
  const { token, value } = await server.issue({
    dialect: 'losant',
    ownerId: user.user.id,
    scopes,
    ...spec,
  });
  return { id: encodeObjectId(token.createdAt, token.id), token, headers: bearer(value) };
}

function post(body: unknown, headers = owner.byPassword): Promise<Received> {
  return server.send('POST', '/me/tokens', { headers, body });
}

function sorted(texts: string[]): string[] {
  return [...texts].sort((one, other) => (one < other ? -1 : 1));
}

/** What a glob means, spelled out. */
function means(glob: string, name: string): boolean {
  if (glob === '') return name === '';
  if (glob.startsWith('*')) return means(glob.slice(1), name) || (name !== '' && means(glob, name.slice(1)));
  if (name === '') return false;
  const isSame = glob[0] === '?' || glob[0]?.toLowerCase() === name[0]?.toLowerCase();
  return isSame && means(glob.slice(1), name.slice(1));
}

/** Expects one of this API's errors, in full: two keys and no more. */
function expectError({ status, json }: Received, code: number, type: string, message = ''): void {
  expect({ status, type: json.type }).toEqual({ status: code, type });
  expect(Object.keys(json)).toEqual(['type', 'message']);
  expect(json.message).toContain(message);
}

describe('POST /me/tokens', () => {
  test('answers 201 with the whole token and its value', async () => {
    const { status, json } = await post({
      name: 'Nightly',
      description: 'reads devices',
      expirationDate: '2091-01-31T14:00:00+02:00',
      status: 'active',
      scope: ['all.User.read', 'device.*'],
      defaultRole: 'view',
    });
    expect(status).toBe(201);
    const ownerId = encodeObjectId(owner.user.createdAt, owner.user.id);
    expect(json).toEqual({
      id: expect.stringMatching(ID),
      apiTokenId: json.id,
      ownerId,
      ownerType: 'user',
      creatorId: ownerId,
      creatorType: 'user',
      creatorName: 'Ada Lovelace',
      name: 'Nightly',
      description: 'reads devices',
      creationDate: expect.stringMatching(ISO),
      lastUpdated: json.creationDate,
      expirationDate: FUTURE,
      scope: ['all.User.read', 'device.*'],
      status: 'active',
      defaultRole: 'view',
      _type: 'apiToken',
      token: expect.stringMatching(/^pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/),
    });
  });

  test('a name is enough: all of the user, active, for ever', async () => {
    const { status, json } = await post({ name: 'x' });
    expect(status).toBe(201);
    expect(Object.keys(json)).toEqual([
      'id',
      'apiTokenId',
      'ownerId',
      'ownerType',
      'creatorId',
      'creatorType',
      'creatorName',
      'name',
      'creationDate',
      'lastUpdated',
      'scope',
      'status',
      '_type',
      'token',
    ]);
    expect(json).toMatchObject({ scope: ['all.User'], status: 'active' });
  });

  test('names the calling token as its maker', async () => {
    const key = await makeKey();
    const { json } = await post({ name: 'x' }, key.headers);
    expect(json).toMatchObject({
      creatorId: key.id,
      creatorType: 'apiToken',
      creatorName: key.token.name,
      ownerId: encodeObjectId(owner.user.createdAt, owner.user.id),
    });
  });

  test('makes a token that works at once', async () => {
    const { json } = await post({ name: 'x' });
    expect((await server.send('GET', '/me/tokens', { headers: bearer(json.token) })).status).toBe(200);
  });

  test('makes an inactive token that does not work until it is active', async () => {
    const { json } = await post({ name: 'x', status: 'inactive' });
    const headers = bearer(json.token);
    expect(json.status).toBe('inactive');
    expectError(await server.send('GET', '/me/tokens', { headers }), 401, 'Unauthorized');
    const path = `/me/tokens/${json.id}`;
    await server.send('PATCH', path, { headers: owner.byPassword, body: { status: 'active' } });
    expect((await server.send('GET', path, { headers })).status).toBe(200);
  });

  test('takes names of 255 characters, also outside the basic plane, and an empty description', async () => {
    const name = '😀'.repeat(255);
    const { status, json } = await post({ name, description: '' });
    expect({ status, name: json.name, description: json.description }).toEqual({
      status: 201,
      name,
      description: '',
    });
  });

  test('takes every published scope name', async () => {
    const { status, json } = await post({ name: 'x', scope: [...SCOPES] });
    expect(status).toBe(201);
    expect(json.scope.toSorted()).toEqual([...SCOPES].toSorted());
    expect(SCOPES.size).toBeGreaterThan(400);
  });

  test('keeps roles as they are sent', async () => {
    const role = { resourceId: '575ec8687ae143cd83dc4a97', role: 'none' };
    const orgRoles = [
      { orgId: 'sandbox', role: 'admin' },
      { orgId: '575ED6E87AE143CD83DC4AA8', role: 'view', applicationRoles: [role], dashboardRoles: [] },
    ];
    const { status, json } = await post({ name: 'x', defaultRole: 'none', orgRoles });
    expect(status).toBe(201);
    expect(json).toMatchObject({ defaultRole: 'none', orgRoles });
    const again = await server.send('GET', `/me/tokens/${json.id}`, { headers: owner.byPassword });
    expect(again.json.orgRoles).toEqual(orgRoles);
  });

  const orgRole = { orgId: 'sandbox', role: 'view' };
  const resourceRole = { resourceId: '575ec8687ae143cd83dc4a97', role: 'view' };
  test.each([
    ['no name', {}, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a name of 256', { name: 'x'.repeat(256) }, 'name'],
    ['a number as name', { name: 5 }, 'name'],
    ['null as name', { name: null }, 'name'],
    ['null as description', { description: null }, 'description'],
    ['a description of 32768', { description: 'x'.repeat(32_768) }, 'description'],
    ['null as expirationDate', { expirationDate: null }, 'expirationDate'],
    ['an expirationDate that has passed', { expirationDate: '2020-01-01T00:00:00Z' }, 'expirationDate'],
    ['a date alone', { expirationDate: '2091-01-01' }, 'expirationDate'],
    ['30 February', { expirationDate: '2091-02-30T00:00:00Z' }, 'expirationDate'],
    ['a number as expirationDate', { expirationDate: 4_000_000_000_000 }, 'expirationDate'],
    ['an unknown status', { status: 'expired' }, 'status'],
    ['null as status', { status: null }, 'status'],
    ['no scope', { scope: [] }, 'scope'],
    ['null as scope', { scope: null }, 'scope'],
    ['a text as scope', { scope: 'all.User' }, 'scope'],
    ['an unknown scope', { scope: ['all.User', 'all.Users'] }, 'scope'],
    ['the scope of everything', { scope: ['*'] }, 'scope'],
    ['a nested scope', { scope: [['all.User']] }, 'scope'],
    ['null among the scopes', { scope: [null] }, 'scope'],
    ['a scope twice', { scope: ['all.User', 'all.User'] }, 'scope'],
    ['an unknown defaultRole', { defaultRole: 'root' }, 'defaultRole'],
    ['null as defaultRole', { defaultRole: null }, 'defaultRole'],
    ['null as orgRoles', { orgRoles: null }, 'orgRoles'],
    ['orgRoles that are no list', { orgRoles: orgRole }, 'orgRoles'],
    ['a text among orgRoles', { orgRoles: ['sandbox'] }, 'orgRoles'],
    ['a list among orgRoles', { orgRoles: [[]] }, 'orgRoles'],
    ['null among orgRoles', { orgRoles: [null] }, 'orgRoles'],
    ['26 orgRoles', { orgRoles: Array.from({ length: 26 }, () => orgRole) }, 'orgRoles'],
    ['a wrong orgId', { orgRoles: [{ ...orgRole, orgId: 'x' }] }, 'orgId'],
    ['a wrong role', { orgRoles: [{ ...orgRole, role: 'root' }] }, 'role'],
    ['no role', { orgRoles: [{ orgId: 'sandbox' }] }, 'role'],
    ['another key in orgRoles', { orgRoles: [{ ...orgRole, x: 1 }] }, 'x'],
    [
      'a resource role that is edit',
      { orgRoles: [{ ...orgRole, applicationRoles: [{ ...resourceRole, role: 'edit' }] }] },
      'role',
    ],
    [
      'a wrong resourceId',
      { orgRoles: [{ ...orgRole, dashboardRoles: [{ ...resourceRole, resourceId: 'x' }] }] },
      'resourceId',
    ],
    [
      '101 applicationRoles',
      { orgRoles: [{ ...orgRole, applicationRoles: Array.from({ length: 101 }, () => resourceRole) }] },
      'applicationRoles',
    ],
    ['null as applicationRoles', { orgRoles: [{ ...orgRole, applicationRoles: null }] }, 'applicationRoles'],
    ['another key', { colour: 'red' }, 'colour'],
    ['a token', { token: 'x' }, 'token'],
    ['a NUL', { name: 'a\u0000b' }, 'name'],
  ])('refuses %s with 400 that names it', async (_, changes, named) => {
    const body = 'name' in changes || named === 'name' ? changes : { name: 'x', ...changes };
    expectError(await post(body), 400, 'Validation', named);
  });

  test.each(['', '[]', '"x"', '5', 'null', '{', '{"name":"\\ud800"}'])(
    'refuses the body %j with 400',
    async (body) => {
      const headers = { ...owner.byPassword, 'content-type': 'application/json' };
      expectError(await server.send('POST', '/me/tokens', { headers, body }), 400, 'Validation');
    },
  );

  test.each([
    [['userApiTokens.post'], ['all.User']],
    [['userApiTokens.post'], ['userApiTokens.get']],
    [['userApiTokens.*'], ['userApiToken.get']],
    [['userApiTokens.*'], ['userApiTokens.*', 'me.get']],
    [['all.User'], ['application.get']],
    [['all.User'], ['all.Application']],
    [['all.User'], ['applications.get']],
    [['all.User'], ['instance.get']],
    [['userApiTokens.post', 'all.User.read'], ['me.patch']],
    [['userApiTokens.post', 'all.User.read'], ['application.get']],
    [['userApiTokens.post', 'all.User.read'], ['all.User']],
    [['only.User'], ['all.User']],
    [['only.User'], ['only.User', 'device.get']],
  ])('a token with %j cannot make one with %j', async (held, scope) => {
    const key = await makeKey(held);
    expectError(await post({ name: 'x', scope }, key.headers), 403, 'Forbidden', scope.at(-1));
  });

  test.each([
    [['all.User'], ['all.User', 'all.User.read', 'only.User', 'me.*', 'orgs.get', 'userApiToken.delete']],
    [['userApiTokens.*'], ['userApiTokens.*', 'userApiTokens.get', 'userApiTokens.post']],
    [
      ['userApiTokens.post', 'all.User.read'],
      ['me.get', 'userApiTokens.get', 'all.User.read'],
    ],
    [
      ['userApiTokens.post', 'device.*'],
      ['device.get', 'device.sendState'],
    ],
    [['only.User'], ['only.User', 'userApiTokens.get']],
  ])('a token with %j makes one with %j', async (held, scope) => {
    const key = await makeKey(held);
    const { status, json } = await post({ name: 'x', scope }, key.headers);
    expect({ status, scope: json.scope }).toEqual({ status: 201, scope });
  });

  test('without a scope it asks for all of the user, which a lesser token cannot give', async () => {
    const key = await makeKey(['userApiTokens.post']);
    expectError(await post({ name: 'x' }, key.headers), 403, 'Forbidden', 'all.User');
  });

  test('a token confined to addresses cannot make one that is not', async () => {
    const key = await makeKey(['all.User'], owner, { allowedCidrs: ['127.0.0.0/8'] });
    expectError(await post({ name: 'x' }, key.headers), 403, 'Forbidden');
  });

  test('writes one audit event', async () => {
    const { json } = await post({ name: 'audited' });
    const tokenId = json.token.slice(0, 15);
    const events = await server.app.dataSource.manager.findBy(AuditEvent, { objectId: tokenId });
    expect(events).toMatchObject([
      { action: 'token.create', actorType: 'user', actorId: owner.user.id, objectType: 'token' },
    ]);
  });
});

describe('GET /me/tokens', () => {
  let lister: TestUser;
  const list = (query = '', user = lister): Promise<Received> =>
    server.send('GET', `/me/tokens${query}`, { headers: user.byPassword });
  const namesIn = ({ json }: Received): string[] => json.items.map((item: { name: string }) => item.name);

  beforeAll(async () => {
    lister = await server.makeUser();
    const specs: Partial<TokenSpec>[] = [
      { name: 'b', expiresAt: new Date('2092-01-01') },
      { name: 'a', inactive: true },
      { name: 'c', expiresAt: new Date('2091-01-01') },
      { name: 'B', inactive: true, expiresAt: new Date('2092-01-01') },
      { name: 'a' },
      { name: '50%_[x]\\', inactive: true },
    ];
    for (const spec of specs) await makeKey(['all.User'], lister, spec);
    // Neither another dialect's tokens nor revoked ones are Losant's.
    await server.issue({ dialect: 'panther', ownerId: lister.user.id, scopes: ['RuleRead'] });
    await server.revoke((await makeKey(['all.User'], lister, { name: 'gone' })).token);
  });

  test('gives all own tokens by name, and says how', async () => {
    const { status, json } = await list();
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual([
      'items',
      'count',
      'totalCount',
      'page',
      'perPage',
      'sortField',
      'sortDirection',
      'ownerId',
      'ownerType',
      '_type',
    ]);
    expect({ ...json, items: json.items.length }).toEqual({
      items: 6,
      count: 6,
      totalCount: 6,
      page: 0,
      perPage: 100,
      sortField: 'name',
      sortDirection: 'asc',
      ownerId: encodeObjectId(lister.user.createdAt, lister.user.id),
      ownerType: 'user',
      _type: 'apiTokens',
    });
    expect(namesIn({ json } as Received)).toEqual(['50%_[x]\\', 'B', 'a', 'a', 'b', 'c']);
  });

  test('shows no value of any token', async () => {
    expect((await list()).text).not.toMatch(/pt-|"token"/);
  });

  test.each(['name', 'status', 'id', 'creationDate', 'lastUpdated', 'expirationDate'])(
    'by %s, descending is the exact reverse of ascending, page by page',
    async (sortField) => {
      const read = async (direction: string): Promise<string[]> => {
        const ids: string[] = [];
        for (const page of [0, 1, 2, 3]) {
          const { json } = await list(
            `?sortField=${sortField}&sortDirection=${direction}&perPage=2&page=${page}`,
          );
          expect(json).toMatchObject({ totalCount: 6, page, perPage: 2, count: page < 3 ? 2 : 0 });
          ids.push(...json.items.map((item: { id: string }) => item.id));
        }
        return ids;
      };
      const ascending = await read('asc');
      expect(new Set(ascending).size).toBe(6);
      expect(await read('desc')).toEqual(ascending.reverse());
    },
  );

  test('orders by id as the ids are written', async () => {
    const { json } = await list('?sortField=id');
    const ids = json.items.map((item: { id: string }) => item.id);
    expect(ids).toEqual(sorted(ids));
  });

  test('puts tokens that never expire last, and equal ones by id', async () => {
    const { json } = await list('?sortField=expirationDate');
    const keys: string[] = json.items.map(
      (item: { expirationDate?: string; id: string }) => `${item.expirationDate ?? 'never'} ${item.id}`,
    );
    expect(keys).toEqual(sorted(keys));
    expect(keys.map((key) => key.slice(0, 4))).toEqual(['2091', '2092', '2092', 'neve', 'neve', 'neve']);
  });

  test('puts active tokens before inactive ones', async () => {
    const { json } = await list('?sortField=status');
    const statuses = json.items.map((item: { status: string }) => item.status);
    expect(statuses).toEqual(['active', 'active', 'active', 'inactive', 'inactive', 'inactive']);
  });

  test('gives the direction back as it was sent', async () => {
    const { json } = await list('?sortDirection=DeSC');
    expect(json.sortDirection).toBe('DeSC');
    expect(namesIn({ json } as Received)[0]).toBe('c');
  });

  test.each([
    ['name', 'A', ['a', 'a']],
    ['name', 'b*', ['B', 'b']],
    ['name', '?', ['B', 'a', 'a', 'b', 'c']],
    ['name', '*', ['50%_[x]\\', 'B', 'a', 'a', 'b', 'c']],
    ['name', '**', ['50%_[x]\\', 'B', 'a', 'a', 'b', 'c']],
    ['name', '%', []],
    ['name', '_', []],
    ['name', '[ab]', []],
    ['name', '5*', ['50%_[x]\\']],
    ['name', '50%_[X]\\', ['50%_[x]\\']],
    ['name', '50?_[x]?', ['50%_[x]\\']],
    ['name', '%0%', []],
    ['name', '*\\', ['50%_[x]\\']],
    ['name', '*%*', ['50%_[x]\\']],
    ['name', "'; DROP TABLE tokens; --", []],
    ['name', 'é'.repeat(2_000), []],
    ['name', '*?'.repeat(500), []],
    ['status', 'active', ['a', 'b', 'c']],
    ['status', 'INACT*', ['50%_[x]\\', 'B', 'a']],
    ['status', '*active', ['50%_[x]\\', 'B', 'a', 'a', 'b', 'c']],
  ])('where %s is like %s', async (filterField, filter, names) => {
    const answer = await list(`?filterField=${filterField}&filter=${encodeURIComponent(filter)}`);
    expect(answer.status).toBe(200);
    expect(namesIn(answer)).toEqual(names);
    expect(answer.json).toMatchObject({ filterField, filter, totalCount: names.length });
  });

  test('any glob finds the names that it means, and no others', async () => {
    const user = await server.makeUser();
    const names = ['a', 'A', 'ab', 'b%', '%', '_', 'a_b', '\\', '\\*', '*', '?', '[a]', 'a\nb', 'aab?'];
    for (const name of names) await makeKey(['all.User'], user, { name });
    const character = fc.constantFrom('a', 'B', '*', '?', '%', '_', '\\', '[', ']', '\n');
    const globs = fc.string({ unit: character, minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        globs.filter((glob) => glob.trim() !== ''),
        async (glob) => {
          const answer = await list(`?filterField=name&filter=${encodeURIComponent(glob)}`, user);
          expect(sorted(namesIn(answer))).toEqual(sorted(names.filter((name) => means(glob, name))));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a name in other letters is found regardless of case', async () => {
    const user = await server.makeUser();
    await makeKey(['all.User'], user, { name: 'Überwachung 監視' });
    const filter = encodeURIComponent('übERWACHUNG ??');
    expect(namesIn(await list(`?filterField=name&filter=${filter}`, user))).toEqual(['Überwachung 監視']);
  });

  test.each([
    'filterField=&filter=a*',
    'filterField=name&filter=',
    'filterField=name',
    'filter=a*',
    'filterField=%20&filter=%20',
  ])('?%s filters nothing', async (query) => {
    const { status, json } = await list(`?${query}`);
    expect({ status, count: json.count }).toEqual({ status: 200, count: 6 });
    expect(json).not.toHaveProperty('filter');
    expect(json).not.toHaveProperty('filterField');
  });

  test('blank parameters mean their defaults, unknown ones nothing', async () => {
    const { status, json } = await list(
      '?sortField=&sortDirection=&page=&perPage=&colour=red&colour=blue&_actions=false&_embedded=true&%C3%A9=%C3%BC&x=%FF',
    );
    expect(status).toBe(200);
    expect(json).toMatchObject({
      sortField: 'name',
      sortDirection: 'asc',
      page: 0,
      perPage: 100,
      count: 6,
    });
  });

  test('a page past the end is empty, however far', async () => {
    for (const page of [1, 999_999, 2 ** 53]) {
      const { status, json } = await list(`?page=${page}&perPage=1000`);
      expect(status).toBe(200);
      expect(json).toMatchObject({ items: [], count: 0, totalCount: 6, page, perPage: 1000 });
    }
  });

  test.each([
    'sortField=colour',
    'sortField=name&sortField=id',
    'sortField=constructor',
    'sortDirection=up',
    'sortDirection=asc&sortDirection=desc',
    'page=-1',
    'page=1.5',
    'page=1e3',
    'page=x',
    'page=0&page=1',
    'page=9007199254740993',
    `page=${'9'.repeat(4_000)}`,
    'perPage=0',
    'perPage=1001',
    'perPage=x',
    'perPage=10&perPage=20',
    'filterField=description&filter=x',
    'filterField=name&filterField=status&filter=x',
    'filterField=name&filter=x&filter=y',
    'filterField=name&filter=%00',
    'filterField=name&filter=a%00b',
  ])('refuses ?%s with 400', async (query) => {
    expectError(await list(`?${query}`), 400, 'Validation');
  });

  test('links to itself when asked to', async () => {
    const query = '?_actions=false&_links=true&_embedded=true';
    const { json } = await list(query);
    expect(json._links).toEqual({ self: { href: `${server.url}/me/tokens${query}` } });
  });

  test.each(['/me/tokens/', '//me/tokens', '//me//tokens/', '/me/tokens?x'])(
    '%s is the same',
    async (path) => {
      const headers = { ...lister.byPassword, 'accept-version': '^1.20.1', losantdomain: 'x' };
      const { status, json } = await server.send('GET', path, { headers });
      expect({ status, count: json.count }).toEqual({ status: 200, count: 6 });
    },
  );

  test('a token of another dialect with the scope may call as well, and sees the same', async () => {
    const { value } = await server.issue({ dialect: 'patois', ownerId: lister.user.id, scopes: ['*'] });
    const { status, json } = await server.send('GET', '/me/tokens', { headers: bearer(value) });
    expect({ status, count: json.count }).toEqual({ status: 200, count: 6 });
  });
});

describe('/me/tokens/{id}', () => {
  test('GET gives the token as the list does, in either case of the id', async () => {
    const key = await makeKey();
    const { status, json } = await server.send('GET', `/me/tokens/${key.id}`, { headers: key.headers });
    expect(status).toBe(200);
    expect(json).toMatchObject({ id: key.id, apiTokenId: key.id, name: key.token.name, _type: 'apiToken' });
    expect(json).not.toHaveProperty('token');
    const upper = await server.send('GET', `/me/tokens/${key.id.toUpperCase()}`, { headers: key.headers });
    expect(upper.json).toEqual(json);
    const all = await server.send('GET', '/me/tokens?perPage=1000', { headers: key.headers });
    expect(all.json.items).toContainEqual(json);
  });

  test('an id means its token by both halves', async () => {
    const key = await makeKey();
    const wrongTime = `00000001${key.id.slice(8)}`;
    const wrongUuid = `${key.id.slice(0, 8)}0000000000000000`;
    for (const id of [wrongTime, wrongUuid]) {
      expectError(await server.send('GET', `/me/tokens/${id}`, { headers: key.headers }), 404, 'NotFound');
    }
  });

  test.each(['GET', 'PATCH', 'DELETE'])(
    "%s of another user's, an unknown or no id is 404",
    async (method) => {
      const foreign = await makeKey(['all.User'], stranger);
      const { token } = await server.issue({
        dialect: 'panther',
        ownerId: owner.user.id,
        scopes: ['RuleRead'],
      });
      const ids = [
        foreign.id,
        encodeObjectId(token.createdAt, token.id),
        token.id,
        'f'.repeat(24),
        'x',
        'f'.repeat(23),
        'z'.repeat(24),
        'f'.repeat(300),
        '%00',
        `${'f'.repeat(23)}%00`,
        '%F0%9F%98%80',
        `${foreign.id}%0A`,
      ];
      for (const id of ids) {
        const sent = { headers: owner.byPassword, ...(method === 'PATCH' ? { body: { name: 'x' } } : {}) };
        expectError(await server.send(method, `/me/tokens/${id}`, sent), 404, 'NotFound');
      }
      expect((await server.send('GET', '/me/tokens', { headers: foreign.headers })).status).toBe(200);
    },
  );

  test('PATCH changes what is sent and keeps the rest', async () => {
    const { json: made } = await post({ name: 'old', description: 'd', defaultRole: 'view', orgRoles: [] });
    const path = `/me/tokens/${made.id}`;
    const body = { name: 'new', defaultRole: 'none' };
    const { status, json } = await server.send('PATCH', path, { headers: owner.byPassword, body });
    expect(status).toBe(200);
    delete made.token;
    expect(json).toEqual({ ...made, ...body, lastUpdated: expect.stringMatching(ISO) });
    expect(json.lastUpdated >= made.lastUpdated).toBe(true);
    expect((await server.send('GET', path, { headers: owner.byPassword })).json).toEqual(json);
  });

  test('roles changed at the same time are both kept', async () => {
    const key = await makeKey();
    const bodies = [{ defaultRole: 'edit' }, { orgRoles: [{ orgId: 'sandbox', role: 'none' }] }];
    await Promise.all(
      bodies.map((body) => server.send('PATCH', `/me/tokens/${key.id}`, { headers: key.headers, body })),
    );
    const { json } = await server.send('GET', `/me/tokens/${key.id}`, { headers: key.headers });
    expect(json).toMatchObject({ ...bodies[0], ...bodies[1] });
  });

  test.each(['{}', ''])('PATCH with %j is 200 and changes nothing', async (body) => {
    const key = await makeKey();
    const path = `/me/tokens/${key.id}`;
    const before = await server.send('GET', path, { headers: key.headers });
    const headers = { ...key.headers, 'content-type': 'application/json' };
    const { status, json } = await server.send('PATCH', path, { headers, body });
    expect(status).toBe(200);
    expect(json).toEqual(before.json);
  });

  test.each([
    ['scope', ['all.User']],
    ['expirationDate', FUTURE],
    ['token', 'x'],
  ])('PATCH of %s says that it cannot be changed', async (key, value) => {
    const own = await makeKey();
    const answer = await server.send('PATCH', `/me/tokens/${own.id}`, {
      headers: own.headers,
      body: { name: 'renamed', [key]: value },
    });
    expectError(answer, 400, 'Validation', `${key} cannot be changed`);
    const { json } = await server.send('GET', `/me/tokens/${own.id}`, { headers: own.headers });
    expect(json.name).toBe(own.token.name);
  });

  test.each([
    [{ name: '' }, 'name'],
    [{ name: null }, 'name'],
    [{ description: null }, 'description'],
    [{ status: 'expired' }, 'status'],
    [{ orgRoles: [{}] }, 'orgId'],
    [{ id: 'x' }, 'id'],
    [[], ''],
    ['"x"', ''],
    ['null', ''],
  ])('PATCH refuses %j with 400', async (body, named) => {
    const key = await makeKey();
    const headers = { ...key.headers, 'content-type': 'application/json' };
    expectError(
      await server.send('PATCH', `/me/tokens/${key.id}`, { headers, body }),
      400,
      'Validation',
      named,
    );
  });

  test('a token made inactive is refused at once, and works again when it is active', async () => {
    const key = await makeKey();
    const path = `/me/tokens/${key.id}`;
    const { json } = await server.send('PATCH', path, { headers: key.headers, body: { status: 'inactive' } });
    expect(json.status).toBe('inactive');
    expectError(await server.send('GET', path, { headers: key.headers }), 401, 'Unauthorized');
    await server.send('PATCH', path, { headers: owner.byPassword, body: { status: 'active' } });
    expect((await server.send('GET', path, { headers: key.headers })).status).toBe(200);
  });

  test.each([undefined, '', '{}', '{', '[1]'])('DELETE ignores the body %j', async (body) => {
    const key = await makeKey();
    const path = `/me/tokens/${key.id}`;
    const headers = { ...owner.byPassword, 'content-type': 'application/json' };
    const answer = await server.send('DELETE', path, { headers, body });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: '{"success":true}' });
    expectError(await server.send('GET', path, { headers: key.headers }), 401, 'Unauthorized');
    expectError(await server.send('GET', path, { headers: owner.byPassword }), 404, 'NotFound');
    expectError(await server.send('DELETE', path, { headers }), 404, 'NotFound');
  });

  test('of many simultaneous deletes one succeeds', async () => {
    const key = await makeKey();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        server.send('DELETE', `/me/tokens/${key.id}`, { headers: owner.byPassword }),
      ),
    );
    const statuses = answers.map(({ status }) => String(status));
    expect(sorted(statuses)).toEqual(['200', ...Array<string>(9).fill('404')]);
  });

  test('a token may delete itself', async () => {
    const key = await makeKey(['userApiToken.delete']);
    expect((await server.send('DELETE', `/me/tokens/${key.id}`, { headers: key.headers })).status).toBe(200);
    expectError(await server.send('GET', '/me/tokens', { headers: key.headers }), 401, 'Unauthorized');
  });
});

describe('scopes', () => {
  const READERS = [
    'all.User',
    'all.User.bounded',
    'all.User.read',
    'only.User',
    'only.User.bounded',
    'only.User.read',
  ];
  const CHANGERS = ['all.User', 'only.User'];
  const calls: [keyof typeof OPERATIONS, string, string, string[]][] = [
    ['userApiTokens.get', 'GET', '', [...READERS, 'userApiTokens.*', 'userApiTokens.get']],
    ['userApiTokens.post', 'POST', '', [...CHANGERS, 'userApiTokens.*', 'userApiTokens.post']],
    ['userApiToken.get', 'GET', '/id', [...READERS, 'userApiToken.*', 'userApiToken.get']],
    ['userApiToken.patch', 'PATCH', '/id', [...CHANGERS, 'userApiToken.*', 'userApiToken.patch']],
    ['userApiToken.delete', 'DELETE', '/id', [...CHANGERS, 'userApiToken.*', 'userApiToken.delete']],
  ];
  const CANDIDATES = [
    ...READERS,
    'all.User.cli',
    'all.Application',
    'all.Organization',
    'all.Instance',
    'only.Organization',
    'me.*',
    'applicationApiTokens.*',
    'userOauthToken.*',
    ...['userApiTokens', 'userApiToken'].flatMap((resource) =>
      ['*', 'get', 'post', 'patch', 'delete']
        .map((action) => `${resource}.${action}`)
        .filter((name) => SCOPES.has(name)),
    ),
  ];

  test.each(calls)('%s is open to exactly its scopes', async (_, method, suffix, allowed) => {
    for (const scope of CANDIDATES) {
      const key = await makeKey([scope]);
      const path = suffix === '' ? '/me/tokens' : `/me/tokens/${key.id}`;
      // Granting what is held itself is always allowed.
      const body = method === 'POST' ? { name: 'x', scope: [scope] } : method === 'PATCH' ? {} : undefined;
      const answer = await server.send(method, path, { headers: key.headers, body });
      const isAllowed = allowed.includes(scope);
      expect([scope, answer.status < 300]).toEqual([scope, isAllowed]);
      if (!isAllowed) expectError(answer, 403, 'Forbidden');
    }
  });
});

describe('whoever calls', () => {
  const paths: [string, string][] = [
    ['GET', '/me/tokens'],
    ['POST', '/me/tokens'],
    ['GET', `/me/tokens/${'f'.repeat(24)}`],
    ['PATCH', `/me/tokens/${'f'.repeat(24)}`],
    ['DELETE', `/me/tokens/${'f'.repeat(24)}`],
  ];

  test.each(paths)('%s %s without a credential, or with a wrong one, is 401', async (method, path) => {
    const missing = await server.send(method, path);
    expectError(missing, 401, 'Unauthorized');
    for (const headers of [
      bearer('x'),
      { authorization: 'Bearer' },
      { 'x-api-key': 'x' },
      bearer(`pt-${'0'.repeat(12)}_${'0'.repeat(49)}`),
    ]) {
      expect((await server.send(method, path, { headers })).text).toBe(missing.text);
    }
  });

  test('revoked, expired and inactive tokens and those of a disabled owner are 401, all the same', async () => {
    const revoked = await makeKey();
    await server.revoke(revoked.token);
    const expired = await makeKey(['all.User'], owner, { expiresAt: new Date(Date.now() - 1000) });
    const inactive = await makeKey(['all.User'], owner, { inactive: true });
    const gone = await server.makeUser();
    const orphaned = await makeKey(['all.User'], gone);
    await server.app.dataSource.manager.update(User, { id: gone.user.id }, { disabled: true });
    const texts = new Set<string>();
    for (const { headers } of [revoked, expired, inactive, orphaned]) {
      const answer = await server.send('GET', '/me/tokens', { headers });
      expectError(answer, 401, 'Unauthorized');
      texts.add(answer.text);
    }
    expect(texts.size).toBe(1);
  });

  test('from outside its blocks a token is 403, and nothing is said about it', async () => {
    const key = await makeKey(['all.User'], owner, { allowedCidrs: ['10.0.0.0/8'] });
    const answer = await server.send('GET', '/me/tokens', { headers: key.headers });
    expectError(answer, 403, 'Forbidden');
    expect(answer.text).not.toContain('10.');
  });

  test('the scope is asked for before the body', async () => {
    const key = await makeKey(['me.get']);
    const headers = { ...key.headers, 'content-type': 'application/json' };
    expectError(await server.send('POST', '/me/tokens', { headers, body: '{' }), 403, 'Forbidden');
  });
});

describe('below the mount', () => {
  test.each(['/me', '/me/', '//me', '/me/x', '/me/tokens/a/b', '/me/%zz', '/me/tokens/%zz'])(
    '%s is 404 in JSON',
    async (path) => {
      expectError(await server.send('GET', path, { headers: owner.byPassword }), 404, 'NotFound');
    },
  );

  test.each([
    ['PUT', '/me/tokens', 'GET, HEAD, POST'],
    ['DELETE', '/me/tokens', 'GET, HEAD, POST'],
    ['POST', `/me/tokens/${'f'.repeat(24)}`, 'DELETE, GET, HEAD, PATCH'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allow) => {
    const answer = await server.send(method, path, { headers: owner.byPassword });
    expectError(answer, 405, 'MethodNotAllowed');
    expect(answer.headers.allow).toBe(allow);
  });

  test('another content type is 415, a body too large 413', async () => {
    const xml = { ...owner.byPassword, 'content-type': 'text/xml' };
    expectError(
      await server.send('POST', '/me/tokens', { headers: xml, body: '<x/>' }),
      415,
      'UnsupportedMediaType',
    );
    expectError(await post({ name: 'x'.repeat(1024 * 1024) }), 413, 'PayloadTooLarge');
  });
});
