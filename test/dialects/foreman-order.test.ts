import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let alice: TestUser;
beforeAll(async () => {
  server = await TestServer.start();
  alice = await server.makeUser({ login: 'alice', permissions: ['view_users'] });
});
afterAll(() => server.close());

/** What each row of a list is called, in the list's order. */
async function sorted(path: string, order: string, key: 'name' | 'login', by: TestUser): Promise<string[]> {
  const answer = await server.send('GET', `${path}?order=${encodeURIComponent(order)}`, {
    headers: by.byPassword,
  });
  expect(answer.status).toBe(200);
  return (answer.json.results as Record<typeof key, string>[]).map((row) => row[key]);
}

describe('an order in which some rows have no value: they come first, and last when it is turned round', () => {
  test.each([
    ['expires_at', 'UPDATE tokens SET expires_at = $2 WHERE id = $1'],
    ['last_used_at', 'UPDATE last_uses SET used_at = $2 WHERE token_uuid = $1'],
  ])('tokens by %s', async (field, update) => {
    const owner = await server.makeUser();
    const moments = [
      null,
      '2031-02-01T00:00:00Z',
      null,
      '2031-01-01T00:00:00Z',
      '2031-03-01T00:00:00Z',
      null,
    ];
    for (const [index, moment] of moments.entries()) {
      const name = `${index}`;
      const { token } = await server.issue({ dialect: 'foreman', ownerId: owner.user.id, name });
      await server.app.dataSource.query(update, [token.id, moment]);
    }
    const path = `/api/users/${owner.user.numericId}/personal_access_tokens`;
    const names = async (order: string): Promise<string> =>
      (await sorted(path, order, 'name', owner)).join('');
    expect(await names(field)).toBe('025314');
    expect(await names(`${field} ASC`)).toBe('025314');
    expect(await names(`${field} DESC`)).toBe('413025');
  });

  test('users by mail', async () => {
    for (const [login, email] of [
      ['u1', null],
      ['u2', 'm@example.org'],
      ['u3', 'Z@example.org'],
      ['u4', null],
      ['u5', 'a@example.org'],
    ] as const)
      await server.makeUser({ login, email });
    const isOurs = (login: string): boolean => /^u\d$/.test(login);
    const logins = async (order: string): Promise<string[]> =>
      (await sorted('/api/users', order, 'login', alice)).filter(isOurs);
    expect(await logins('mail')).toEqual(['u1', 'u4', 'u3', 'u5', 'u2']);
    expect(await logins('mail DESC')).toEqual(['u2', 'u5', 'u3', 'u1', 'u4']);
  });
});
