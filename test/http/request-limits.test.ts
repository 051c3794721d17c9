import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer, type Received } from '../support/http.js';
import { TestServer } from '../support/server.js';

const FORM = 'application/x-www-form-urlencoded';
const BODY_BYTES = 512 * 1024;

/** How each API says that a request is not valid, with what is said; and a body that is, but for what a test adds. */
const SPEAKERS: [api: string, path: string, body: object, words: (said: string) => object][] = [
  [
    'foreman',
    '/api/users/admin/personal_access_tokens',
    { name: 'x' },
    (message) => ({ error: { message } }),
  ],
  ['losant', '/me/tokens', { name: 'x' }, (message) => ({ type: 'Validation', message })],
  [
    'panther',
    '/api-tokens',
    { name: 'x', permissions: ['BulkUpload'] },
    (message) => ({ message, error: 'bad_request' }),
  ],
  [
    'patois',
    '/patois/v1/organizations',
    { name: 'x' },
    (detail) => ({ type: 'about:blank', title: 'Bad Request', status: 400, detail }),
  ],
  [
    'quay',
    '/api/v1/user/apptoken',
    { title: 'x' },
    (detail) => ({
      detail,
      error_message: detail,
      error_type: 'invalid_request',
      title: 'invalid_request',
      type: `${server.url}/api/v1/error/invalid_request`,
      status: 400,
    }),
  ],
  [
    'yunxiao',
    '/oapi/v1/platform/users/admin/personalAccessTokens',
    { userId: 'x', name: 'x' },
    (errorMessage) => ({ errorCode: 'BadRequest', errorMessage, requestId: expect.any(String) }),
  ],
];

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Received> {
  const sent = { 'content-type': 'application/json', ...server.asAdmin, ...headers };
  return server.send('POST', path, { headers: sent, body });
}

function keys(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 0]));
}

describe.each(SPEAKERS)('in the words of %s', (_, path, body, words) => {
  test.each<[string, unknown, string]>([
    ['more than 100 keys of one object', keys(101), 'An object of the JSON has more than 100 keys'],
    [
      'more than 2,000 items of one list',
      { a: Array(2_001).fill(0) },
      'A list of the JSON has more than 2000 items',
    ],
    [
      'more than 16,384 keys and items',
      { a: Array(9).fill(Array(2_000).fill(0)) },
      'The JSON has more than 16384 keys and items',
    ],
  ])('%s are refused', async (_what, more, said) => {
    const answer = await post(path, JSON.stringify({ ...body, ...(more as object) }));
    expect([answer.status, answer.json]).toEqual([400, words(said)]);
  });

  test('more than 100 parameters of the query are refused', async () => {
    const query = Array.from({ length: 101 }, (_one, index) => `k${index}=`).join('&');
    const answer = await post(`${path}?${query}`, JSON.stringify(body));
    expect([answer.status, answer.json]).toEqual([400, words('The query has more than 100 parameters')]);
  });

  test('who is calling is asked first', async () => {
    const headers = { 'content-type': 'application/json' };
    const { status } = await server.send('POST', path, { headers, body: JSON.stringify(keys(101)) });
    expect(status).toBe(401);
  });

  test('what was sent is repeated in short', async () => {
    const { text, status } = await post(
      path,
      JSON.stringify({ ...body, ['y'.repeat(500_000)]: 'z'.repeat(9) }),
    );
    expect([status < 500, text.length < 5_000]).toEqual([true, true]);
  });
});

describe('the exact limits of a body', () => {
  const PATH = '/patois/v1/organizations';

  /** What is said of a body with an unknown key, which shows that it was read. */
  async function saidOf(body: string): Promise<string> {
    const answer = await post(PATH, body);
    return `${answer.status} ${(answer.json as { detail: string }).detail}`;
  }

  test('64 levels are read, 65 are not', async () => {
    const nested = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(await saidOf(nested(64))).toBe('400 property a should not exist');
    expect(await saidOf(nested(65))).toBe('400 The JSON is nested more than 64 levels deep');
  });

  test('512 KiB are read, one byte more is not', async () => {
    const long = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`;
    expect(Buffer.byteLength(long(BODY_BYTES))).toBe(BODY_BYTES);
    expect(await saidOf(long(BODY_BYTES))).toBe('400 property a should not exist');
    expect(await saidOf(long(BODY_BYTES + 1))).toBe(`413 The body is larger than ${BODY_BYTES} bytes`);
  });

  test('100 keys, 2,000 items and 16,384 of both are read', async () => {
    expect(await saidOf(JSON.stringify(keys(100)))).toBe('400 property k0 should not exist');
    expect(await saidOf(JSON.stringify({ a: Array(2_000).fill(0) }))).toBe('400 property a should not exist');
    const lists = [...Array(8).fill(Array(2_000).fill(0)), Array(374).fill(0)];
    expect(await saidOf(JSON.stringify({ a: lists }))).toBe('400 property a should not exist');
    lists.push([0, 0]);
    expect(await saidOf(JSON.stringify({ a: lists }))).toBe(
      '400 The JSON has more than 16384 keys and items',
    );
  });

  test('what stands in a text is neither a level nor an item', async () => {
    const body = JSON.stringify({ a: `${'[{'.repeat(100)}${','.repeat(20_000)}"\\` });
    expect(await saidOf(body)).toBe('400 property a should not exist');
  });

  test('of more wrong keys than 100 the first 100 are named', async () => {
    const locations = Array.from({ length: 100 }, () => 0);
    const answer = await post('/patois/v1/users', JSON.stringify({ ...keys(98), login: 1, locations }));
    expect((answer.json as { errors: unknown[] }).errors).toHaveLength(100);
  });
});

describe('a form', () => {
  function form(path: string, body: string): Promise<Received> {
    return post(path, body, { 'content-type': FORM });
  }

  test.each(['/oauth2/revoke', '/oauth2/introspect'])(
    'of 1,000 pairs is read at %s, of 1,001 not',
    async (path) => {
      expect((await form(path, `token=x${'&a='.repeat(999)}`)).status).toBe(200);
      const refused = await form(path, `token=x${'&a='.repeat(1_000)}`);
      expect([refused.status, refused.json]).toEqual([
        400,
        { error: 'invalid_request', error_description: 'The form has more than 1000 parameters' },
      ]);
    },
  );

  test('a parameter that stands there three times is still not one', async () => {
    expect((await form('/oauth2/revoke', 'token=a&token=b&token=c')).status).toBe(400);
  });
});

describe('scopes', () => {
  test('a token of any dialect holds 500 at most', async () => {
    const scopes = Array.from({ length: 501 }, (_, index) => `a_${letters(index)}_read`);
    const yunxiao = { userId: (await server.admin()).id, name: 'x', expiredAt: '2099-01-01T00:00:00Z' };
    const path = '/oapi/v1/platform/users/admin/personalAccessTokens';
    const made = await post(path, JSON.stringify({ ...yunxiao, permissions: scopes.slice(1) }));
    expect(made.status).toBe(200);
    const refused: [string, object][] = [
      [path, { ...yunxiao, permissions: scopes }],
      ['/patois/v1/tokens', { dialect: 'yunxiao', owner: 'admin', name: 'x', scopes }],
    ];
    for (const [where, body] of refused) {
      const { status, text } = await post(where, JSON.stringify(body));
      expect([where, status, text]).toEqual([where, 400, expect.stringMatching(/no more than 500 elements/)]);
    }
  });

  test('the core issues no token with more, whatever dialect asks', async () => {
    const { id: ownerId } = await server.admin();
    const scopes = Array.from({ length: 501 }, (_, index) => letters(index));
    for (const dialect of ['foreman', 'losant', 'panther', 'patois', 'quay', 'yunxiao']) {
      await expect(server.issue({ dialect, ownerId, scopes })).rejects.toThrow(
        'A token cannot hold more than 500 scopes',
      );
    }
  });

  test('one of more than 255 characters, and more than 16,384 in all, are refused', async () => {
    const yunxiao = { userId: (await server.admin()).id, name: 'x', expiredAt: '2099-01-01T00:00:00Z' };
    const path = '/oapi/v1/platform/users/admin/personalAccessTokens';
    const long = (length: number, index = 0): string => `a_${letters(index).padEnd(length - 7, 'z')}_read`;
    const say = async (permissions: string[]): Promise<string> =>
      (await post(path, JSON.stringify({ ...yunxiao, permissions }))).text;
    expect(await say([long(255)])).not.toContain('errorMessage');
    expect(await say([long(256)])).toContain('A token cannot hold a scope of more than 255 characters');
    const many = Array.from({ length: 65 }, (_, index) => long(255, index));
    expect(await say(many)).toContain('A token cannot hold scopes of more than 16384 characters in all');
  });

  test('a verdict may be asked about 100, not more', async () => {
    const { id: ownerId } = await server.admin();
    const { value } = await server.issue({ dialect: 'patois', ownerId, scopes: ['*'] });
    const needed = (count: number): string => Array.from({ length: count }, () => 'a').join('+');
    const verify = (count: number): Promise<Received> =>
      server.send('GET', `/verify?scope=${needed(count)}`, { headers: bearer(value) });
    expect([(await verify(100)).status, (await verify(101)).status]).toEqual([204, 403]);
    const introspect = (count: number): Promise<Received> =>
      post('/oauth2/introspect', `token=${value}&scope=${needed(count)}`, { 'content-type': FORM });
    expect((await introspect(100)).json).toMatchObject({ active: true });
    expect((await introspect(101)).json).toMatchObject({ error: 'invalid_request' });
    const verifications = [{ token: value, scope: needed(101).replaceAll('+', ' ') }];
    const batch = await post('/patois/v1/verifications', JSON.stringify({ verifications }));
    expect(batch.json).toMatchObject({
      errors: [
        { pointer: '/verifications/0/scope', detail: 'verifications.0.scope must name at most 100 scopes' },
      ],
    });
  });
});

describe("Foreman's searches", () => {
  function search(text: string): Promise<Received> {
    const path = `/api/users/admin/personal_access_tokens?search=${encodeURIComponent(text)}`;
    return server.send('GET', path, { headers: server.asAdmin });
  }

  test('1,000 parentheses are read, 1,001 are not', async () => {
    const block = `${'('.repeat(100)}a${')'.repeat(100)}`;
    expect((await search(block.repeat(5))).status).toBe(200);
    const refused = await search(`${block.repeat(5)})`);
    expect([refused.status, refused.json.error.class]).toEqual([400, 'ScopedSearch::QueryNotSupported']);
  });

  test('100 terms are read, 101 are not', async () => {
    expect((await search('a '.repeat(100))).status).toBe(200);
    const refused = await search('a '.repeat(101));
    expect([refused.status, refused.json]).toEqual([
      400,
      {
        error: {
          message: 'The search has more than 100 terms',
          class: 'ScopedSearch::QueryNotSupported',
        },
      },
    ]);
  });
});

/** A number in three letters. */
function letters(index: number): string {
  return String(index)
    .padStart(3, '0')
    .replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');
}
