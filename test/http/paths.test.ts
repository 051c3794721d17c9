import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { basic, bearer, type Received, send } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let owner: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  owner = await server.makeUser({ role: 'organizationAdministrator', permissions: ['view_users'] });
});
afterAll(() => server.close());

/** One path of each owner, how a token is presented to it, and what tells its words from all others'. */
interface Probe {
  owner: string;
  path: string;
  scopes: string[];
  headers: (value: string) => Record<string, string>;
  words: object;
}

const TEXT = expect.any(String) as unknown as string;
const PROBES: Probe[] = [
  {
    owner: 'quay',
    path: '/api/v1/user/apptoken',
    scopes: ['user:admin'],
    headers: bearer,
    words: { error_type: 'invalid_token' },
  },
  {
    owner: 'foreman',
    path: '/api/users',
    scopes: ['foreman:*'],
    headers: bearer,
    words: { error: { message: TEXT } },
  },
  {
    owner: 'foreman',
    path: '/api/v2/users',
    scopes: ['foreman:*'],
    headers: bearer,
    words: { error: { message: TEXT } },
  },
  {
    owner: 'yunxiao',
    path: '/oapi/v1/platform/users/admin/personalAccessTokens',
    scopes: ['base_user_read'],
    headers: (value) => ({ 'x-yunxiao-token': value }),
    words: { errorCode: 'Unauthorized' },
  },
  {
    owner: 'panther',
    path: '/api-tokens',
    scopes: ['OrganizationAPITokenRead'],
    headers: (value) => ({ 'x-api-key': value }),
    words: { message: 'unauthorized', error: 'unauthorized' },
  },
  {
    owner: 'panther',
    path: '/v1/api-tokens',
    scopes: ['OrganizationAPITokenRead'],
    headers: (value) => ({ 'x-api-key': value }),
    words: { message: 'unauthorized', error: 'unauthorized' },
  },
  {
    owner: 'losant',
    path: '/me/tokens',
    scopes: ['all.User'],
    headers: bearer,
    words: { type: 'Unauthorized', message: TEXT },
  },
  {
    owner: 'patois',
    path: '/patois/v1/tokens',
    scopes: ['patois:tokens.read'],
    headers: bearer,
    words: { title: 'Unauthorized', status: 401 },
  },
  {
    owner: 'registry',
    path: '/v2/auth?service=r',
    scopes: ['user:admin'],
    headers: (value) => basic('$app', value),
    words: { errors: [{ code: 'UNAUTHORIZED', message: TEXT, detail: null }] },
  },
  {
    owner: 'scim',
    path: '/scim/v2/Users',
    scopes: ['patois:scim'],
    headers: bearer,
    words: { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], detail: TEXT, status: '401' },
  },
];

function encoded(path: string, which: (index: number) => boolean): string {
  const [plain = '', query] = path.split('?');
  const text = Array.from(plain, (character, index) =>
    character === '/' || !which(index)
      ? character
      : `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return text.join('') + (query === undefined ? '' : `?${query}`);
}

/** The same path, to whoever decodes it once. */
const SAME: [name: string, spell: (path: string) => string][] = [
  ['as it is', (path) => path],
  ['the first letter encoded', (path) => encoded(path, (index) => index === 1)],
  ['every letter encoded', (path) => encoded(path, () => true)],
  ['every second letter encoded', (path) => encoded(path, (index) => index % 2 === 0)],
  [
    'hex digits in capitals',
    (path) => encoded(path, () => true).replace(/%../g, (byte) => byte.toUpperCase()),
  ],
  ['slashes doubled', (path) => path.replaceAll('/', '//')],
  ['slashes doubled and letters encoded', (path) => encoded(path, () => true).replaceAll('/', '//')],
  ['a slash at the end', (path) => path.replace(/(?=\?|$)/, '/')],
  ['in absolute form', (path) => `http://patois.example${path}`],
  ['in absolute form, the scheme in capitals', (path) => `HTTP://patois.example${path}`],
  ['in absolute form, letters encoded', (path) => `http://patois.example${encoded(path, () => true)}`],
  ['with a fragment', (path) => path.replace(/(?=\?|$)/, '#x')],
  ['with a fragment that names another path', (path) => path.replace(/(?=\?|$)/, '#/me/tokens')],
];

/** Other paths, whatever they look like: 404, or in the words of the path's owner. */
const OTHER: [name: string, spell: (path: string) => string][] = [
  ['encoded twice', (path) => encoded(path, (index) => index === 1).replaceAll('%', '%25')],
  ['a dot', (path) => `/.${path}`],
  ['an encoded dot', (path) => `/%2e${path}`],
  ['dots from below another owner', (path) => `/patois/v1/..%2f..${path}`],
  ['encoded dots from below another owner', (path) => `/me/%2e%2e${path}`],
  ['an encoded slash at the head', (path) => path.replace('/', '/%2f')],
  ['encoded slashes', (path) => `/${path.slice(1).replaceAll('/', '%2F')}`],
  ['in other case', (path) => path.toUpperCase()],
  ['backslashes', (path) => `/${path.slice(1).replaceAll('/', '\\')}`],
  ['a parameter of a segment', (path) => path.replace(/(?<=\/\w+)(?=\/|\?|$)/, ';x=1')],
  ['a NUL', (path) => path.replace(/(?=\?|$)/, '%00')],
  ['overlong UTF-8 for a slash', (path) => path.replace('/', '/%c0%af')],
];

describe.each(PROBES)('$path', ({ path, scopes, headers, words }) => {
  const get = (spelled: string, sent: Record<string, string> = {}): Promise<Received> =>
    server.send('GET', spelled, { headers: sent });

  async function credential(): Promise<Record<string, string>> {
    const { value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes });
    return headers(value);
  }

  test.each(SAME)('%s: in the words of its owner, for its credentials', async (_, spell) => {
    const spelled = spell(path);
    const refused = await get(spelled);
    expect({ spelled, status: refused.status }).toEqual({ spelled, status: 401 });
    expect(refused.json).toMatchObject(words);
    const { status } = await get(spelled, await credential());
    // What a path still lacks of a query is not the subject here.
    expect([200, 400]).toContain(status);
  });

  // A path of one segment has nothing to write otherwise.
  const others = OTHER.filter(([, spell]) => spell(path) !== path);
  test.each(others)('%s: nobody is let in by it', async (_, spell) => {
    const spelled = spell(path);
    for (const sent of [{}, await credential()]) {
      const { status } = await get(spelled, sent);
      expect({ spelled, status }).toEqual({ spelled, status: 404 });
    }
  });
});

describe('paths that plain handlers serve', () => {
  test.each([
    '/%76erify',
    '//verify',
    '/./verify',
    '/verif%79?scope=',
    'http://patois.example/verify',
    '/VERIFY',
  ])('%s is no door for gateways', async (path) => {
    const { value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] });
    const { status, text } = await send(server.url, 'GET', path, { headers: bearer(value) });
    expect({ status, text }).toEqual({ status: 404, text: expect.stringContaining('"No such resource"') });
  });

  test('another spelling of introspection is no introspection', async () => {
    const { value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] });
    const sent = { 'content-type': 'application/x-www-form-urlencoded', ...bearer(value) };
    const answer = await server.send('POST', '/oauth2/introspec%74', {
      headers: sent,
      body: `token=${value}`,
    });
    expect(answer.status).toBe(404);
    expect(answer.json).toMatchObject({ error: 'invalid_request' });
  });
});
