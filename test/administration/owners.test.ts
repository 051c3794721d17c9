import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TokenSpec } from '../../src/tokens/token.service.js';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
/** Administers the organization Research, and nothing else. */
let head: TestUser;
let member: TestUser;
let idle: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  const organizationId = (await server.organization('Research')).id;
  const elsewhere = (await server.organization('Elsewhere')).id;
  head = await server.makeUser({ login: 'head', role: 'organizationAdministrator', organizationId });
  member = await server.makeUser({ login: 'member', name: 'Ada', organizationId });
  idle = await server.makeUser({ login: 'idle', organizationId });
  stranger = await server.makeUser({ login: 'stranger', organizationId: elsewhere });
  await issueTo(member, { dialect: 'quay', scopes: ['repo:read', 'repo:write'] });
  await issueTo(member, { dialect: 'quay', scopes: ['user:read'] });
  await issueTo(member, { dialect: 'panther', scopes: ['AlertRead', 'UserRead'] });
  await server.revoke((await issueTo(member, { dialect: 'losant', scopes: ['all.User'] })).token);
  await issueTo(stranger, { dialect: 'patois', scopes: ['patois:tokens.read'] });
});
afterAll(() => server.close());

function issueTo(
  { user }: TestUser,
  spec: Partial<TokenSpec> & { dialect: string },
): ReturnType<TestServer['issue']> {
  return server.issue({ ...spec, ownerId: user.id });
}

function owners(query = '', headers = server.asAdmin): Promise<Received> {
  return server.send('GET', `/patois/v1/owners?${query}`, { headers });
}

async function loginsOf(query: string, headers = server.asAdmin): Promise<string[]> {
  const { status, json } = await owners(query, headers);
  expect(status).toBe(200);
  return json.items.map(({ login }: { login: string }) => login);
}

describe('GET /patois/v1/owners', () => {
  test('counts the live tokens of each owner by dialect', async () => {
    const { items, nextCursor } = (await owners('owner=member')).json;
    expect(nextCursor).toBeNull();
    expect(items).toEqual([
      {
        id: member.user.id,
        login: 'member',
        name: 'Ada',
        organization: { id: member.user.organizationId, name: 'Research' },
        disabled: false,
        tokens: { total: 3, byDialect: { panther: 1, quay: 2 } },
        lastUsedAt: null,
        mostPowerfulScope: { dialect: 'quay', scope: 'repo:write' },
      },
    ]);
  });

  test('leaves out who owns no live token, and who is deleted', async () => {
    const gone = await server.makeUser();
    await issueTo(gone, { dialect: 'quay' });
    expect(await loginsOf('')).toContain(gone.user.login);
    await server.send('DELETE', `/patois/v1/users/${gone.user.login}`, { headers: server.asAdmin });
    const logins = await loginsOf('');
    expect(logins).toEqual(expect.arrayContaining(['member', 'stranger']));
    expect(logins).not.toContain(idle.user.login);
    expect(logins).not.toContain(gone.user.login);
  });

  test('means by filters the tokens that the list means, and counts those', async () => {
    const { json } = await owners('dialect=quay&scope=user:read');
    expect(json.items).toEqual([
      expect.objectContaining({ login: 'member', tokens: { total: 1, byDialect: { quay: 1 } } }),
    ]);
    expect(await loginsOf('dialect=foreman')).toEqual([]);
    const revoked = (await owners('status=revoked&owner=member')).json.items;
    expect(revoked).toEqual([
      expect.objectContaining({
        tokens: { total: 1, byDialect: { losant: 1 } },
        mostPowerfulScope: { dialect: 'losant', scope: 'all.User' },
      }),
    ]);
    expect(await loginsOf('owner=nobody')).toEqual([]);
  });

  test('lists of the users that are named those who own a token', async () => {
    const users = [member, idle, stranger].map(({ user }) => user.id).join(',');
    const items = (await owners(`users=${users}`)).json.items as {
      login: string;
      tokens: { total: number };
    }[];
    expect(items.map(({ login, tokens }) => [login, tokens.total])).toEqual([
      ['stranger', 1],
      ['member', 3],
    ]);
    expect(await loginsOf(`users=${users}`, head.byPassword)).toEqual(['member']);
    expect(await loginsOf(`users=${idle.user.id}`)).toEqual([]);
    expectProblem(await owners(`users=${member.user.id},ada`), 400, '/users');
  });

  test('says when any of the tokens was used last', async () => {
    const user = await server.makeUser();
    await issueTo(user, { dialect: 'quay' });
    const { value } = await issueTo(user, { dialect: 'patois', scopes: ['patois:tokens.read'] });
    const before = Date.now();
    await server.send('GET', '/patois/v1/me', { headers: bearer(value) });
    const [owner] = (await owners(`owner=${user.user.login}`)).json.items;
    expect(Date.parse(owner.lastUsedAt)).toBeGreaterThanOrEqual(before);
  });

  test.each<[string, { dialect: string; scopes: string[] }[], string | null]>([
    [
      '* before all others',
      [
        { dialect: 'foreman', scopes: ['foreman:*'] },
        { dialect: 'patois', scopes: ['*'] },
      ],
      '*',
    ],
    [
      'all of an API before a part of one',
      [{ dialect: 'patois', scopes: ['repo:admin', 'patois:*'] }],
      'patois:*',
    ],
    [
      'what covers most',
      [{ dialect: 'losant', scopes: ['userApiToken.get', 'all.User', 'userApiToken.*'] }],
      'all.User',
    ],
    [
      'what covers another',
      [{ dialect: 'yunxiao', scopes: ['a_b_read', 'c_d_read', 'c_d_read_write'] }],
      'c_d_read_write',
    ],
    ['the first by name of equals', [{ dialect: 'panther', scopes: ['UserRead', 'AlertRead'] }], 'AlertRead'],
    ['none where there is none', [{ dialect: 'quay', scopes: [] }], null],
  ])('names the most powerful scope: %s', async (_, specs, scope) => {
    const owner = await server.makeUser();
    for (const spec of specs) await issueTo(owner, spec);
    const [{ mostPowerfulScope }] = (await owners(`owner=${owner.user.login}`)).json.items;
    expect(mostPowerfulScope?.scope ?? null).toBe(scope);
  });

  test('comes in pages that hold every owner once', async () => {
    const all = await loginsOf('limit=1000');
    const paged: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { json }: Received = await owners(`limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      paged.push(...json.items.map(({ login }: { login: string }) => login));
      cursor = json.nextCursor;
    }
    expect(all.length).toBeGreaterThan(4);
    expect(paged).toEqual(all);
  });

  test('shows organization administrators the owners of their organization alone', async () => {
    expect(await loginsOf('', head.byPassword)).toEqual(['member']);
    expect(await loginsOf('owner=stranger', head.byPassword)).toEqual([]);
    expect(await loginsOf('organization=Elsewhere', head.byPassword)).toEqual([]);
    expect(await loginsOf('organization=Elsewhere')).toEqual(['stranger']);
  });

  test('refuses members, who has no credential, and a token without the scope', async () => {
    expectProblem(await owners('', member.byPassword), 403);
    expectProblem(await owners('', {}), 401);
    const ownerId = (await server.admin()).id;
    const weak = await server.issue({ dialect: 'patois', ownerId, scopes: ['patois:users.read'] });
    expectProblem(await owners('', bearer(weak.value)), 403);
    const able = await server.issue({ dialect: 'patois', ownerId, scopes: ['patois:tokens.read'] });
    expect(await loginsOf('owner=member', bearer(able.value))).toEqual(['member']);
  });

  test('refuses bad input', async () => {
    expectProblem(await owners('status=lost'), 400, '/status');
    expectProblem(await owners('limit=1001'), 400, '/limit');
    expectProblem(await owners('cursor=x'), 400, '/cursor');
    expectProblem(await owners('sort=name'), 400, '/sort');
  });
});
