import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

interface Listed {
  name: string;
  title: string;
  scopes: string[];
  suggestions: string[];
  scopePattern: string | null;
  defaultScopes: string[] | null;
  hasUniqueNames: boolean;
  grantable: string[];
}

let server: TestServer;
let member: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  member = await server.makeUser({ login: 'member' });
});
afterAll(() => server.close());

function get(headers: Record<string, string>): Promise<Received> {
  return server.send('GET', '/patois/v1/dialects', { headers });
}

async function listed(headers: Record<string, string>): Promise<Record<string, Listed>> {
  const { status, json } = await get(headers);
  expect([status, json.nextCursor]).toEqual([200, null]);
  return Object.fromEntries((json.items as Listed[]).map((dialect) => [dialect.name, dialect]));
}

async function holding(...scopes: string[]): Promise<Record<string, string>> {
  const { value } = await server.issue({ dialect: 'patois', ownerId: member.user.id, scopes });
  return bearer(value);
}

describe('GET /patois/v1/dialects', () => {
  test('lists every API by name, with the scopes that its tokens may hold', async () => {
    const { json } = await get(member.byPassword);
    expect((json.items as Listed[]).map(({ name }) => name)).toEqual([
      'foreman',
      'losant',
      'panther',
      'patois',
      'quay',
      'yunxiao',
    ]);
    const { foreman, losant, panther, patois, quay, yunxiao } = await listed(member.byPassword);
    expect(quay).toEqual({
      name: 'quay',
      title: expect.stringContaining('Quay'),
      scopes: expect.arrayContaining(['repo:read', 'super:user']),
      suggestions: [],
      scopePattern: null,
      defaultScopes: ['user:admin'],
      hasUniqueNames: false,
      grantable: quay?.scopes,
    });
    expect(foreman).toMatchObject({ defaultScopes: ['foreman:*'], hasUniqueNames: true });
    expect(losant).toMatchObject({ defaultScopes: ['all.User'], scopePattern: null });
    expect(panther).toMatchObject({ defaultScopes: null, hasUniqueNames: false });
    expect(patois).toMatchObject({ defaultScopes: null, suggestions: ['*'] });
    expect(yunxiao).toMatchObject({ scopes: [], defaultScopes: null });
  });

  test('every scope that it lists can be given to a token', async () => {
    for (const { name, scopes, suggestions, grantable } of Object.values(await listed(member.byPassword))) {
      expect(grantable).toEqual([...scopes, ...suggestions]);
      for (let from = 0; from < grantable.length; from += 500) {
        const body = {
          dialect: name,
          owner: 'member',
          name: `${name} ${from}`,
          scopes: grantable.slice(from, from + 500),
        };
        const { status, text } = await server.send('POST', '/patois/v1/tokens', {
          headers: member.byPassword,
          body,
        });
        expect([name, status, text]).toEqual([name, 201, expect.any(String)]);
      }
    }
  });

  test('beyond what is listed a token of Yunxiao may hold what matches the pattern, and nothing else', async () => {
    const { yunxiao } = await listed(member.byPassword);
    const pattern = new RegExp(yunxiao?.scopePattern ?? '^$');
    expect(yunxiao?.suggestions).toContain('lingma_knowledgeBase_read_write');
    expect(yunxiao?.suggestions.filter((scope) => !pattern.test(scope))).toEqual([]);
    for (const scope of ['base_anything_read', 'base_anything']) {
      const body = { dialect: 'yunxiao', owner: 'member', name: scope, scopes: [scope] };
      const { status } = await server.send('POST', '/patois/v1/tokens', { headers: member.byPassword, body });
      expect([scope, status]).toEqual([scope, pattern.test(scope) ? 201 : 400]);
    }
  });

  test('a caller by token may grant what the token covers, which is what the creation of one accepts', async () => {
    const headers = await holding('repo:write', 'base_user_read_write', 'foreman:*', 'patois:tokens.write');
    const dialects = await listed(headers);
    expect(dialects['quay']?.grantable).toEqual(['repo:read', 'repo:write']);
    expect(dialects['yunxiao']?.grantable).toEqual(['base_user_read', 'base_user_read_write']);
    expect(dialects['foreman']?.grantable).toEqual(dialects['foreman']?.scopes);
    expect(dialects['patois']?.grantable).toEqual(['patois:tokens.write']);
    expect(dialects['losant']?.grantable).toEqual([]);
    for (const [scope, status] of [
      ['repo:read', 201],
      ['repo:admin', 403],
    ] as const) {
      const body = { dialect: 'quay', owner: 'member', name: scope, scopes: [scope] };
      expect((await server.send('POST', '/patois/v1/tokens', { headers, body })).status).toBe(status);
    }
    const all = await listed(await holding('*'));
    for (const { scopes, suggestions, grantable } of Object.values(all)) {
      expect(grantable).toEqual([...scopes, ...suggestions]);
    }
  });

  test('needs a credential, and no scope', async () => {
    expectProblem(await get({}), 401);
    expectProblem(await get(bearer('pt-nothing')), 401);
    expect((await get(await holding('repo:read'))).status).toBe(200);
  });
});
