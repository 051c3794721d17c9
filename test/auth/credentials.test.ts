import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { basic, bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let owner: TestUser;
/** A token of the owner that may do everything, and another. */
let value: string;
let other: string;

beforeAll(async () => {
  server = await TestServer.start();
  owner = await server.makeUser({ login: 'ada', role: 'administrator' });
  const issue = async (): Promise<string> =>
    (await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] })).value;
  value = await issue();
  other = await issue();
});
afterAll(() => server.close());

interface Door {
  name: string;
  method?: string;
  path: string | (() => string);
  body?: string;
  /** What the door answers to one good credential. */
  status?: number;
  takesPasswords?: boolean;
  takesBearer?: boolean;
}

const doors: Door[] = [
  { name: 'Foreman', path: () => `/api/users/${owner.user.numericId}/personal_access_tokens` },
  { name: 'Quay', path: '/api/v1/user/apptoken' },
  {
    name: 'Yunxiao',
    path: () => `/oapi/v1/platform/users/admin/personalAccessTokens?userId=${owner.user.id}`,
  },
  { name: 'Panther', path: '/api-tokens', takesBearer: false },
  { name: 'Losant', path: '/me/tokens' },
  { name: 'the own API', path: '/patois/v1/me' },
  { name: 'a gateway', path: '/verify', status: 204, takesPasswords: false },
  { name: 'introspection', method: 'POST', path: '/oauth2/introspect', body: 'token=x' },
  {
    name: 'a registry',
    path: '/v2/token?service=registry.example',
    takesPasswords: false,
    takesBearer: false,
  },
];

/** Asks at a door with these lines of `Authorization`. */
async function ask(door: Door, ...authorization: string[]): Promise<number> {
  const { method = 'GET', path, body } = door;
  const type: Record<string, string> =
    body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  const headers = { authorization, ...type };
  return (await server.send(method, typeof path === 'string' ? path : path(), { headers, body })).status;
}

function lineOf(headers: Record<string, string>): string {
  return headers['authorization'] ?? '';
}

describe.each(doors)('at the door of $name', (door) => {
  const { status = 200, takesPasswords = true, takesBearer = true } = door;

  test('one Basic header with a token is taken, two are refused, whatever they hold', async () => {
    const good = lineOf(basic('ada', value));
    expect(await ask(door, good)).toBe(status);
    const seconds = [good, lineOf(basic('ada', other)), lineOf(owner.byPassword), lineOf(basic('x', 'y'))];
    for (const second of seconds) {
      expect(await ask(door, good, second)).toBe(401);
      expect(await ask(door, second, good)).toBe(401);
    }
  });

  if (takesPasswords) {
    test('one Basic header with a password is taken, two are refused', async () => {
      const good = lineOf(owner.byPassword);
      expect(await ask(door, good)).toBe(status);
      expect(await ask(door, good, good)).toBe(401);
      expect(await ask(door, good, lineOf(basic('ada', 'wrong')))).toBe(401);
      expect(await ask(door, lineOf(basic('ada', 'wrong')), good)).toBe(401);
    });
  }

  test(`Bearer is ${takesBearer ? 'taken' : 'not'}`, async () => {
    expect(await ask(door, lineOf(bearer(value)))).toBe(takesBearer ? status : 401);
  });

  test('two different tokens are refused', async () => {
    const lines = takesBearer
      ? [bearer(value), basic('ada', other)]
      : [basic('ada', value), basic('ada', other)];
    expect(await ask(door, ...lines.map(lineOf))).toBe(401);
    expect(await ask(door, ...lines.map(lineOf).toReversed())).toBe(401);
  });

  test('a Basic header that cannot be read is refused, also beside one that can', async () => {
    const good = lineOf(basic('ada', value));
    for (const bad of ['Basic', 'Basic !', `Basic ${Buffer.from('no colon').toString('base64')}`]) {
      expect(await ask(door, bad)).toBe(401);
      expect(await ask(door, good, bad)).toBe(401);
      expect(await ask(door, bad, good)).toBe(401);
    }
  });
});

describe('what stands in Authorization', () => {
  test.each([
    [
      'that is no UTF-8',
      (password: string) => Buffer.from(password.replace('\ufffd', '\xff'), 'latin1'),
      'eight ch\ufffd',
    ],
    ['with a control character', (password: string) => Buffer.from(password), 'eight\u0007 characters'],
  ])('is refused where it is Basic %s, though it would be a right password', async (_, bytesOf, password) => {
    const { user } = await server.makeUser({ password });
    const bytes = Buffer.concat([Buffer.from(`${user.login}:`), bytesOf(password)]);
    expect((await me(`Basic ${bytes.toString('base64')}`)).status).toBe(401);
  });

  test('is refused where it is Basic without a colon, whatever its parts would be', async () => {
    await server.makeUser({ login: 'eight.chars', password: 'eight.chars!' });
    expect((await me(`Basic ${base64('eight.chars:eight.chars!')}`)).status).toBe(200);
    expect((await me(`Basic ${base64('eight.chars!')}`)).status).toBe(401);
  });

  function me(authorization: string): Promise<Received> {
    return server.send('GET', '/patois/v1/me', { headers: { authorization } });
  }

  const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

  test.each([
    ['a scheme in any case', () => `bEARER ${value}`],
    ['more than one blank', () => `Bearer \t  ${value}`],
    ['a token in typographic quotes as the secret of Basic', () => `Basic ${base64(`ada:“${value}”`)}`],
    ['a secret with a colon', () => `Basic ${base64(`ada:${owner.password}`)}`],
  ])('is taken with %s', async (_, line) => {
    expect((await me(line())).status).toBe(200);
  });

  test.each([
    ['a scheme and no token', () => 'Bearer'],
    ['a scheme of others', () => `Token ${value}`],
    ['two tokens in one line', () => `Bearer ${value} ${value}`],
    ['a token in quotes beside Bearer', () => `Bearer "${value}"`],
    ['Basic that is no base64', () => `Basic ${base64(`ada:${owner.password}`)}*`],
    ['Basic with a control character', () => `Basic ${base64(`ada\u0007:${owner.password}`)}`],
    ['Basic with a delete character', () => `Basic ${base64(`ada\u007f:${owner.password}`)}`],
    ['Basic that is no UTF-8', () => `Basic ${base64(Buffer.from([0x61, 0xff, 0x3a, 0x62]))}`],
    ['Basic without a colon', () => `Basic ${base64(value)}`],
    ['Basic with the token as the login', () => `Basic ${base64(`${value}:`)}`],
  ])('is refused with %s', async (_, line) => {
    expect((await me(line())).status).toBe(401);
  });

  test('a token that comes twice, in two headers, is one token', async () => {
    const headers = { ...bearer(value), 'x-api-key': value };
    expect((await server.send('GET', '/verify', { headers })).status).toBe(204);
    const different = { ...bearer(value), 'x-api-key': other };
    expect((await server.send('GET', '/verify', { headers: different })).status).toBe(401);
  });
});
