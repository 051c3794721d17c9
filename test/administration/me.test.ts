import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let member: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  server = await TestServer.start({ trustedProxies: ['127.0.0.1/32'] });
  member = await server.makeUser({ organizationId: (await server.organization('Research')).id });
  stranger = await server.makeUser({ organizationId: (await server.organization('Elsewhere')).id });
});
afterAll(() => server.close());

function get(path: string, headers: Record<string, string>): Promise<Received> {
  return server.send('GET', path, { headers });
}

async function valueOf(
  { user }: TestUser,
  spec: Partial<Parameters<TestServer['issue']>[0]> = {},
): Promise<string> {
  const { value } = await server.issue({ dialect: 'quay', scopes: ['repo:read'], ...spec, ownerId: user.id });
  return value;
}

describe('GET /patois/v1/me', () => {
  const PATH = '/patois/v1/me';

  test('tells who calls, with what, and from where as the server sees it', async () => {
    const { user } = member;
    const byPassword = await get(PATH, { ...member.byPassword, 'x-forwarded-for': '203.0.113.7, 127.0.0.1' });
    expect(byPassword.json).toEqual({
      user: expect.objectContaining({ id: user.id, login: user.login }),
      token: null,
      address: '203.0.113.7',
    });
    const value = await valueOf(member);
    const byToken = await get(PATH, { ...bearer(value), 'x-forwarded-for': '::ffff:198.51.100.1' });
    expect(byToken.json).toMatchObject({
      token: { tokenId: value.slice(0, 15), dialect: 'quay', scopes: ['repo:read'] },
      address: '198.51.100.1',
    });
    expect((await get(PATH, member.byPassword)).json.address).toBe('127.0.0.1');
  });

  test('has no address where the proxy gave one that cannot be read', async () => {
    const headers = { ...member.byPassword, 'x-forwarded-for': 'unknown' };
    const { status, json } = await get(PATH, headers);
    expect([status, json.address]).toEqual([200, null]);
  });

  test('needs a credential', async () => {
    expectProblem(await get(PATH, {}), 401);
    expectProblem(await get(PATH, bearer('pt-nothing')), 401);
  });
});

describe('GET /patois/v1/me/policy', () => {
  const PATH = '/patois/v1/me/policy';

  test('is the policy of the own organization, for a member by password and by any token', async () => {
    const settings = { maxLifetimeSeconds: 7_776_000, requireCidrs: true, onReuse: 'revoke' };
    const path = '/patois/v1/organizations/Research/policy';
    const replaced = await server.send('PUT', path, { headers: server.asAdmin, body: settings });
    expect(replaced.status).toBe(200);
    for (const headers of [
      member.byPassword,
      bearer(
        await valueOf(member, { allowedCidrs: ['127.0.0.0/8'], expiresAt: new Date(Date.now() + 60_000) }),
      ),
    ]) {
      const { status, json } = await get(PATH, headers);
      expect([status, json]).toEqual([200, replaced.json]);
    }
  });

  test('is never that of another organization', async () => {
    const { json } = await get(PATH, stranger.byPassword);
    expect(json).toMatchObject({ maxLifetimeSeconds: null, requireCidrs: false, onReuse: 'alert' });
  });

  test('is there to be read only, and needs a credential', async () => {
    expectProblem(await get(PATH, {}), 401);
    const put = await server.send('PUT', PATH, { headers: member.byPassword, body: {} });
    expectProblem(put, 405);
  });
});
