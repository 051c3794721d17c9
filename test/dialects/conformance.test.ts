import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Transactions } from '../../src/database/transactions.js';
import { DialectRegistry } from '../../src/protocol/dialect-registry.js';
import { Refusal } from '../../src/refusal.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { Token } from '../../src/tokens/token.entity.js';
import { TokenWrites } from '../../src/tokens/token-writes.js';
import { moveClock } from '../support/clock.js';
import { breakTokens, type Fault } from '../support/fault.js';
import { basic, bearer, type Received, type Sent } from '../support/http.js';
import { until } from '../support/until.js';
import { TestServer, type TestUser } from '../support/server.js';

/** What every dialect promises, whatever its words. */
type Case =
  | 'none'
  | 'invalid'
  | 'expired'
  | 'stranger'
  | 'scope'
  | 'address'
  | 'malformed'
  | 'mediaType'
  | 'tooLarge'
  | 'text'
  | 'noBody'
  | 'route'
  | 'method'
  | 'tooMany'
  | 'busy'
  // Of an Idempotency-Key.
  | 'keyMalformed'
  | 'keyReused'
  | 'keyRepeated'
  | Fault;

interface Answer {
  status: number;
  body: unknown;
}

/** How one dialect is called, and what it answers. */
interface Speaker {
  dialect: string;
  mount: string;
  /** The list of the caller's own tokens. */
  list: (owner: TestUser) => string;
  /** A token, as this dialect names it. */
  one: (owner: TestUser, id: string) => string;
  /** The method that a token's path surely has. */
  oneMethod: 'GET' | 'DELETE';
  /** Every call that names a token, the end of it included. */
  calls: (owner: TestUser, id: string) => [method: string, path: string, body?: object][];
  /** Whether a token that was ended is still shown. */
  keepsEnded?: boolean;
  /** What the end of a token is answered with. */
  deleted: number;
  /** What a list is answered whose every parameter of a known name is a NUL. */
  listWithNul: number;
  mediaType?: string;
  body: (owner: TestUser, name: string) => object;
  headers: (value: string) => Record<string, string>;
  scopes: string[];
  /** Known to the dialect, and enough for nothing here. */
  lesser: string[];
  words: Record<Case, Answer>;
}

const TEXT = expect.any(String) as unknown as string;
const KEY_MALFORMED = 'Idempotency-Key must be one text of 1 to 255 printable ASCII characters';
const KEY_REUSED = 'This Idempotency-Key was used with another body';
const KEY_REPEATED = expect.stringMatching(
  /^(A request with this Idempotency-Key is under way: try again in a moment|The request with this Idempotency-Key was made; its answer cannot be given again)$/,
) as unknown as string;
const UNAUTHENTICATED = expect.stringMatching(/^Unable to authenticate user /) as unknown as string;

function panther(status: number, error: string, message = TEXT): Answer {
  return { status, body: { message, error } };
}

function losant(status: number, type: string, message = TEXT): Answer {
  return { status, body: { type, message } };
}

function quay(status: number, type: string, detail: string = TEXT): Answer {
  const page = expect.stringMatching(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/api/v1/error/${type}$`));
  return {
    status,
    body: { detail, error_message: detail, error_type: type, title: type, type: page, status },
  };
}

function yunxiao(status: number, errorCode: string, errorMessage = TEXT): Answer {
  return { status, body: { errorCode, errorMessage, requestId: TEXT } };
}

function foreman(status: number, error: object): Answer {
  return { status, body: { error } };
}

function patois(status: number, title: string, detail = TEXT, ...pointers: string[]): Answer {
  const errors = pointers.map((pointer) => ({ pointer, detail: TEXT }));
  const body = { type: 'about:blank', title, status, detail, ...(errors.length > 0 ? { errors } : {}) };
  return { status, body };
}

const SPEAKERS: Speaker[] = [
  {
    dialect: 'panther',
    mount: '/api-tokens',
    list: () => '/api-tokens',
    one: (_, id) => `/api-tokens/${id}`,
    oneMethod: 'GET',
    calls: (_, id) => [
      ['GET', `/api-tokens/${id}`],
      ['POST', `/api-tokens/${id}`, { name: 'x', permissions: ['BulkUpload'] }],
      ['POST', `/api-tokens/${id}/rotate`],
      ['DELETE', `/api-tokens/${id}`],
      ['GET', `/v1/api-tokens/${id}`],
    ],
    deleted: 204,
    listWithNul: 400,
    body: (_, name) => ({ name, permissions: ['BulkUpload'] }),
    headers: (value) => ({ 'x-api-key': value }),
    scopes: ['OrganizationAPITokenRead', 'OrganizationAPITokenModify', 'BulkUpload'],
    lesser: ['BulkUpload'],
    words: {
      none: panther(401, 'unauthorized'),
      invalid: panther(401, 'unauthorized'),
      expired: panther(401, 'unauthorized'),
      stranger: panther(404, 'not_found', 'API token not found'),
      scope: panther(403, 'forbidden'),
      address: panther(403, 'forbidden'),
      malformed: panther(400, 'bad_request'),
      mediaType: panther(415, 'unsupported_media_type'),
      tooLarge: panther(413, 'payload_too_large'),
      text: panther(400, 'bad_request'),
      noBody: panther(400, 'bad_request'),
      route: panther(404, 'not_found'),
      method: panther(405, 'method_not_allowed'),
      tooMany: panther(429, 'too_many_requests', 'Too many failed logins, please try again later'),
      internal: panther(500, 'internal', 'internal error'),
      unavailable: panther(503, 'unavailable', 'service unavailable'),
      busy: panther(503, 'unavailable', 'service unavailable'),
      keyMalformed: panther(400, 'bad_request', KEY_MALFORMED),
      keyReused: panther(400, 'bad_request', KEY_REUSED),
      keyRepeated: panther(409, 'conflict', KEY_REPEATED),
    },
  },
  {
    dialect: 'losant',
    mount: '/me/tokens',
    list: () => '/me/tokens',
    one: (_, id) => `/me/tokens/${id}`,
    oneMethod: 'GET',
    calls: (_, id) => [
      ['GET', `/me/tokens/${id}`],
      ['PATCH', `/me/tokens/${id}`, { name: 'x' }],
      ['PATCH', `/me/tokens/${id}`, {}],
      ['DELETE', `/me/tokens/${id}`],
    ],
    deleted: 200,
    listWithNul: 400,
    body: (_, name) => ({ name }),
    headers: bearer,
    scopes: ['all.User'],
    lesser: ['orgs.get'],
    words: {
      none: losant(401, 'Unauthorized'),
      invalid: losant(401, 'Unauthorized'),
      expired: losant(401, 'Unauthorized'),
      stranger: losant(404, 'NotFound', 'API Token was not found'),
      scope: losant(403, 'Forbidden'),
      address: losant(403, 'Forbidden'),
      malformed: losant(400, 'Validation'),
      mediaType: losant(415, 'UnsupportedMediaType'),
      tooLarge: losant(413, 'PayloadTooLarge'),
      text: losant(400, 'Validation'),
      noBody: losant(400, 'Validation'),
      route: losant(404, 'NotFound'),
      method: losant(405, 'MethodNotAllowed'),
      tooMany: losant(429, 'TooManyRequests', 'Too many failed logins, please try again later'),
      internal: losant(500, 'Internal', 'Internal server error'),
      unavailable: losant(503, 'ServiceUnavailable', 'The service is unavailable, please try again'),
      busy: losant(503, 'ServiceUnavailable', 'The service is unavailable, please try again'),
      keyMalformed: losant(400, 'Validation', KEY_MALFORMED),
      keyReused: losant(400, 'Validation', KEY_REUSED),
      keyRepeated: losant(409, 'Conflict', KEY_REPEATED),
    },
  },
  {
    dialect: 'quay',
    mount: '/api/v1/user/apptoken',
    list: () => '/api/v1/user/apptoken',
    one: (_, id) => `/api/v1/user/apptoken/${id}`,
    oneMethod: 'GET',
    calls: (_, id) => [
      ['GET', `/api/v1/user/apptoken/${id}`],
      ['DELETE', `/api/v1/user/apptoken/${id}`],
    ],
    deleted: 204,
    listWithNul: 200,
    body: (_, title) => ({ title }),
    headers: bearer,
    scopes: ['user:admin'],
    lesser: ['user:read'],
    words: {
      none: quay(401, 'invalid_token', 'Requires authentication'),
      invalid: quay(401, 'invalid_token', 'Requires authentication'),
      expired: quay(401, 'invalid_token', 'Requires authentication'),
      stranger: quay(404, 'not_found', 'Not Found'),
      scope: quay(403, 'insufficient_scope', 'Unauthorized'),
      address: quay(403, 'insufficient_scope', 'Unauthorized'),
      malformed: quay(400, 'invalid_request'),
      mediaType: quay(415, 'unsupported_media_type'),
      tooLarge: quay(413, 'payload_too_large'),
      text: quay(400, 'invalid_request'),
      noBody: quay(400, 'invalid_request', 'Missing JSON body'),
      route: quay(404, 'not_found'),
      method: quay(405, 'method_not_allowed'),
      tooMany: quay(429, 'too_many_requests', 'Too many failed logins, please try again later'),
      internal: quay(500, 'internal_error', 'Internal Server Error'),
      unavailable: quay(503, 'unavailable', 'Service Unavailable'),
      busy: quay(503, 'unavailable', 'Service Unavailable'),
      keyMalformed: quay(400, 'invalid_request', KEY_MALFORMED),
      keyReused: quay(400, 'invalid_request', KEY_REUSED),
      keyRepeated: quay(409, 'invalid_request', KEY_REPEATED),
    },
  },
  {
    dialect: 'yunxiao',
    mount: '/oapi/v1/platform',
    list: ({ user }) => `/oapi/v1/platform/users/admin/personalAccessTokens?userId=${user.id}`,
    one: (_, id) => `/oapi/v1/platform/users/admin/personalAccessTokens/${id}`,
    oneMethod: 'DELETE',
    calls: (_, id) => [['DELETE', `/oapi/v1/platform/users/admin/personalAccessTokens/${id}`]],
    deleted: 200,
    listWithNul: 200,
    body: ({ user }, name) => ({
      userId: user.id,
      name,
      permissions: ['base_user_read'],
      expiredAt: '2031-01-01T00:00:00Z',
    }),
    headers: (value) => ({ 'x-yunxiao-token': value }),
    scopes: ['base_user_read_write'],
    lesser: ['lingma_chat_read'],
    words: {
      none: yunxiao(401, 'Unauthorized'),
      invalid: yunxiao(401, 'InvalidTokenError'),
      expired: yunxiao(401, 'ExpiredTokenError'),
      stranger: yunxiao(404, 'NotFound', 'There is no such personal access token'),
      scope: yunxiao(403, 'Forbidden'),
      address: yunxiao(403, 'Forbidden'),
      malformed: yunxiao(400, 'BadRequest'),
      mediaType: yunxiao(415, 'UnsupportedMediaType'),
      tooLarge: yunxiao(413, 'PayloadTooLarge'),
      text: yunxiao(400, 'BadRequest'),
      noBody: yunxiao(400, 'BadRequest'),
      route: yunxiao(404, 'NotFound'),
      method: yunxiao(405, 'MethodNotAllowed'),
      tooMany: yunxiao(429, 'TooManyRequests', 'Too many failed logins, please try again later'),
      internal: yunxiao(500, 'InternalServerError', 'Internal server error'),
      unavailable: yunxiao(503, 'ServiceUnavailable', 'The service is unavailable, please try again'),
      busy: yunxiao(503, 'ServiceUnavailable', 'The service is unavailable, please try again'),
      keyMalformed: yunxiao(400, 'BadRequest', KEY_MALFORMED),
      keyReused: yunxiao(400, 'BadRequest', KEY_REUSED),
      keyRepeated: yunxiao(409, 'Conflict', KEY_REPEATED),
    },
  },
  {
    dialect: 'foreman',
    mount: '/api/users',
    list: ({ user }) => `/api/users/${user.numericId}/personal_access_tokens`,
    one: ({ user }, id) => `/api/users/${user.numericId}/personal_access_tokens/${id}`,
    oneMethod: 'GET',
    calls: ({ user }, id) => [
      ['GET', `/api/users/${user.numericId}/personal_access_tokens/${id}`],
      ['DELETE', `/api/users/${user.numericId}/personal_access_tokens/${id}`],
    ],
    keepsEnded: true,
    deleted: 200,
    listWithNul: 400,
    body: (_, name) => ({ personal_access_token: { name } }),
    headers: bearer,
    scopes: ['foreman:*'],
    lesser: ['foreman:view_users'],
    words: {
      none: foreman(401, { message: UNAUTHENTICATED }),
      invalid: foreman(401, { message: UNAUTHENTICATED }),
      expired: foreman(401, { message: UNAUTHENTICATED }),
      stranger: foreman(404, {
        message: expect.stringMatching(/^Resource personal_access_token not found by id '.*'$/),
      }),
      scope: foreman(403, {
        message: 'Access denied',
        details: 'Missing one of the required permissions: view_personal_access_tokens',
        missing_permissions: ['view_personal_access_tokens'],
      }),
      address: foreman(403, { message: 'Access denied' }),
      malformed: {
        status: 400,
        body: {
          status: 400,
          error: expect.stringMatching(/^There was a problem in the JSON you submitted: /),
        },
      },
      mediaType: foreman(415, {
        message:
          "Media type in 'Content-Type: text/plain' is unsupported in API v2 for POST and PUT requests. Please use 'Content-Type: application/json'.",
      }),
      tooLarge: foreman(413, { message: TEXT }),
      text: foreman(422, {
        id: null,
        errors: { name: ['contains invalid characters'] },
        full_messages: ['Name contains invalid characters'],
      }),
      noBody: foreman(422, {
        id: null,
        errors: { name: ["can't be blank"] },
        full_messages: ["Name can't be blank"],
      }),
      route: foreman(404, { message: TEXT }),
      method: foreman(404, { message: TEXT }),
      tooMany: foreman(401, { message: 'Too many tries, please try again in a few minutes.' }),
      internal: foreman(500, { message: expect.stringMatching(/^Internal Server Error: /) }),
      unavailable: foreman(503, { message: 'The database does not answer, please try again.' }),
      busy: foreman(503, { message: 'Too many changes at once, please try again.' }),
      keyMalformed: foreman(400, { message: KEY_MALFORMED }),
      keyReused: foreman(400, { message: KEY_REUSED }),
      keyRepeated: foreman(409, { message: KEY_REPEATED }),
    },
  },
  {
    dialect: 'patois',
    mount: '/patois/v1',
    list: () => '/patois/v1/tokens',
    one: (_, id) => `/patois/v1/tokens/${id}`,
    oneMethod: 'GET',
    calls: (_, id) => [
      ['GET', `/patois/v1/tokens/${id}`],
      ['PATCH', `/patois/v1/tokens/${id}`, { name: 'x' }],
      ['POST', `/patois/v1/tokens/${id}/rotate`],
      ['DELETE', `/patois/v1/tokens/${id}`],
    ],
    keepsEnded: true,
    deleted: 204,
    listWithNul: 400,
    mediaType: 'application/problem+json',
    body: ({ user }, name) => ({
      dialect: 'patois',
      owner: user.login,
      name,
      scopes: ['patois:tokens.read'],
    }),
    headers: bearer,
    scopes: ['patois:tokens.read', 'patois:tokens.write'],
    lesser: ['patois:users.read'],
    words: {
      none: patois(401, 'Unauthorized'),
      invalid: patois(401, 'Unauthorized'),
      expired: patois(401, 'Unauthorized'),
      stranger: patois(404, 'Not Found', 'No such token'),
      scope: patois(403, 'Forbidden', 'The token lacks the scope patois:tokens.read'),
      address: patois(403, 'Forbidden', 'Access denied'),
      malformed: patois(400, 'Bad Request'),
      mediaType: patois(415, 'Unsupported Media Type'),
      tooLarge: patois(413, 'Content Too Large'),
      text: patois(400, 'Bad Request', 'name contains invalid characters', '/name'),
      noBody: patois(400, 'Bad Request', TEXT, '/dialect', '/owner', '/name'),
      route: patois(404, 'Not Found', 'No such resource'),
      method: patois(405, 'Method Not Allowed'),
      tooMany: patois(429, 'Too Many Requests', 'Too many failed logins, please try again later'),
      internal: patois(500, 'Internal Server Error', 'The server failed; its log says why'),
      unavailable: patois(503, 'Service Unavailable', 'The database does not answer; try again'),
      busy: patois(503, 'Service Unavailable', 'Too many changes at once; try again'),
      keyMalformed: patois(400, 'Bad Request', KEY_MALFORMED),
      keyReused: patois(422, 'Unprocessable Content', KEY_REUSED),
      keyRepeated: patois(409, 'Conflict', KEY_REPEATED),
    },
  },
];

let server: TestServer;
/** Administers the organization, so that in every dialect only the credential decides. */
let owner: TestUser;
let stranger: TestUser;
/** Servers whose tokens cannot be read, each with a user who calls it by password. */
let broken: Record<Fault, { server: TestServer; owner: TestUser }>;

async function startBroken(fault: Fault): Promise<{ server: TestServer; owner: TestUser }> {
  const failing = await TestServer.start();
  const user = await failing.makeUser({ role: 'organizationAdministrator' });
  await breakTokens(failing.app.dataSource, fault);
  return { server: failing, owner: user };
}

beforeAll(async () => {
  server = await TestServer.start();
  owner = await server.makeUser({ role: 'organizationAdministrator' });
  const elsewhere = await server.organization('Elsewhere');
  stranger = await server.makeUser({ role: 'organizationAdministrator', organizationId: elsewhere.id });
  broken = { internal: await startBroken('internal'), unavailable: await startBroken('unavailable') };
});
afterAll(async () => {
  await server.close();
  for (const { server: failing } of Object.values(broken)) await failing.close();
});

describe.each(SPEAKERS)('$dialect', (speaker) => {
  const { dialect, words, oneMethod, mediaType = 'application/json' } = speaker;

  async function issue(
    spec: object = {},
  ): Promise<{ value: string; token: Token; headers: Record<string, string> }> {
    const whole = { dialect, ownerId: owner.user.id, scopes: speaker.scopes, ...spec };
    const { value, token } = await server.issue(whole);
    return { value, token, headers: speaker.headers(value) };
  }

  async function expectAnswer(
    promised: Answer,
    method: string,
    path: string,
    sent: Sent = {},
    asked = server,
  ): Promise<Received> {
    const answer = await asked.send(method, path, sent);
    expect({ status: answer.status, body: answer.json }).toEqual(promised);
    expect(answer.headers['content-type']?.split(';')[0]).toBe(mediaType);
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['www-authenticate'] !== undefined).toBe(answer.status === 401);
    return answer;
  }

  test('a good token lists', async () => {
    const { headers } = await issue();
    expect((await server.send('GET', speaker.list(owner), { headers })).status).toBe(200);
  });

  test('no credential', () => expectAnswer(words.none, 'GET', speaker.list(owner)));

  test('a token that nobody issued, a wrong secret, a wrong checksum, no token at all', async () => {
    const { token, value } = await issue();
    const wrongSecret = `${token.tokenId}${makeToken().value.slice(15)}`;
    const wrongChecksum = value.slice(0, -1) + (value.endsWith('0') ? '1' : '0');
    for (const wrong of [makeToken().value, wrongSecret, wrongChecksum, 'nonsense']) {
      await expectAnswer(words.invalid, 'GET', speaker.list(owner), { headers: speaker.headers(wrong) });
    }
  });

  test('an expired token', async () => {
    const { headers } = await issue({ expiresAt: new Date(Date.now() - 1) });
    await expectAnswer(words.expired, 'GET', speaker.list(owner), { headers });
  });

  test('a revoked token, also one that was just used', async () => {
    const { token, headers } = await issue();
    expect((await server.send('GET', speaker.list(owner), { headers })).status).toBe(200);
    await server.revoke(token);
    await expectAnswer(words.invalid, 'GET', speaker.list(owner), { headers });
  });

  test('an inactive token', async () => {
    const { headers } = await issue({ inactive: true });
    await expectAnswer(words.invalid, 'GET', speaker.list(owner), { headers });
  });

  test('a token of a disabled owner', async () => {
    const sleeper = await server.makeUser({ role: 'organizationAdministrator' });
    const { headers } = await issue({ ownerId: sleeper.user.id });
    await server.app.dataSource.query('UPDATE users SET disabled = true WHERE id = $1', [sleeper.user.id]);
    const disabled = { message: 'User account is disabled, please contact your administrator' };
    const promised = dialect === 'foreman' ? foreman(401, disabled) : words.invalid;
    await expectAnswer(promised, 'GET', speaker.list(sleeper), { headers });
  });

  test("a stranger's token is not found, and lives on", async () => {
    const { headers } = await issue();
    const theirs = await issue({ ownerId: stranger.user.id });
    const id = server.app.nest
      .get(DialectRegistry, { strict: false })
      .of(theirs.token)
      .externalId(theirs.token);
    await expectAnswer(words.stranger, oneMethod, speaker.one(owner, id), { headers });
    await server.send('DELETE', speaker.one(owner, id), { headers });
    const { status } = await server.send('GET', speaker.list(stranger), { headers: theirs.headers });
    expect(status).toBe(200);
  });

  test("a token that was ended, is a stranger's or never was, in one text for every call", async () => {
    const { headers } = await issue();
    const registry = server.app.nest.get(DialectRegistry, { strict: false });
    const idOf = (token: Token): string => registry.of(token).externalId(token);
    const [ended, theirs] = [await issue(), await issue({ ownerId: stranger.user.id })];
    const never = { id: randomUUID(), tokenId: makeToken().tokenId, numericId: 999_999_999 };
    const ids = [
      idOf(Object.assign(new Token(), ended.token, never)),
      idOf(theirs.token),
      'nonsense',
      ...(speaker.keepsEnded ? [] : [idOf(ended.token)]),
    ];
    await server.send('DELETE', speaker.one(owner, idOf(ended.token)), { headers });
    for (const id of ids) {
      for (const [method, path, body] of speaker.calls(owner, id)) {
        const answer = await server.send(method, path, { headers, body });
        expect([method, path, answer.status, answer.json]).toEqual([
          method,
          path,
          words.stranger.status,
          words.stranger.body,
        ]);
      }
    }
  });

  test('a token without the scope', async () => {
    const member = await server.makeUser();
    const { headers } = await issue({ scopes: speaker.lesser, ownerId: member.user.id });
    await expectAnswer(words.scope, 'GET', speaker.list(member), { headers });
  });

  test('a token outside its CIDR blocks', async () => {
    const { headers } = await issue({ allowedCidrs: ['10.0.0.0/8', '::1/128'] });
    await expectAnswer(words.address, 'GET', speaker.list(owner), { headers });
  });

  test('a token within its CIDR blocks works', async () => {
    const { headers } = await issue({ allowedCidrs: ['127.0.0.0/8'] });
    expect((await server.send('GET', speaker.list(owner), { headers })).status).toBe(200);
  });

  test('a token of a dialect with other words can do nothing here', async () => {
    const other = dialect === 'panther' ? ['user:admin'] : ['OrganizationAPITokenRead'];
    const member = await server.makeUser();
    const { value } = await server.issue({ dialect: 'patois', ownerId: member.user.id, scopes: other });
    const { status } = await server.send('GET', speaker.list(member), { headers: speaker.headers(value) });
    expect(status).toBe(403);
  });

  test('a token of the own API that holds `*` can do all', async () => {
    const { value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] });
    const { status } = await server.send('GET', speaker.list(owner), { headers: speaker.headers(value) });
    expect(status).toBe(200);
  });

  test('two different tokens', async () => {
    const [one, other] = [await issue(), await issue()];
    const headers = { ...one.headers, ...basic(owner.user.login, other.value) };
    // Where the header of a token is `authorization` itself, it comes twice.
    const both =
      'authorization' in one.headers
        ? {
            authorization: [
              one.headers['authorization'] as string,
              bearer(other.value)['authorization'] as string,
            ],
          }
        : headers;
    await expectAnswer(words.invalid, 'GET', speaker.list(owner), { headers: both });
  });

  test('two Basic headers, were both right', async () => {
    const [right, wrong] = [owner.byPassword, basic(owner.user.login, 'wrong password')];
    for (const [one, other] of [
      [right, right],
      [right, wrong],
      [wrong, right],
    ] as const) {
      const authorization = [one['authorization'] as string, other['authorization'] as string];
      await expectAnswer(words.invalid, 'GET', speaker.list(owner), { headers: { authorization } });
    }
  });

  test('login and password, and login and token, by HTTP Basic', async () => {
    const { value } = await issue();
    for (const headers of [owner.byPassword, basic(owner.user.login.toUpperCase(), value)]) {
      expect((await server.send('GET', speaker.list(owner), { headers })).status).toBe(200);
    }
    const wrong = await server.send('GET', speaker.list(owner), {
      headers: basic(stranger.user.login, value),
    });
    expect(wrong.status).toBe(401);
  });

  const posting = (body: unknown, headers: Record<string, string>, type = 'application/json'): Sent => ({
    headers: { ...headers, 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

  test('malformed JSON', async () => {
    const { headers } = await issue();
    const path = speaker.list(owner).split('?')[0] as string;
    for (const body of ['{"name":', 'nonsense', '{"a":1}}', '{"__proto__":{"x":1}}']) {
      await expectAnswer(words.malformed, 'POST', path, posting(body, headers));
    }
  });

  test('a body is looked at after credential and scope, but for malformed JSON in Foreman', async () => {
    const member = await server.makeUser();
    const lesser = await issue({ scopes: speaker.lesser, ownerId: member.user.id });
    const path = speaker.list(member).split('?')[0] as string;
    const bad: [body: unknown, type: string][] = [
      ['{"name":', 'application/json'],
      [speaker.body(member, 'x'), 'text/plain'],
      [speaker.body(member, 'x'.repeat(1024 * 1024)), 'application/json'],
      [{ unknown: 1 }, 'application/json'],
    ];
    for (const [index, [body, type]] of bad.entries()) {
      const isFirst = dialect === 'foreman' && index === 0;
      const forNobody = isFirst ? words.malformed : words.none;
      await expectAnswer(forNobody, 'POST', path, posting(body, {}, type));
      const answer = await server.send('POST', path, posting(body, lesser.headers, type));
      expect([index, answer.status]).toEqual([index, isFirst ? 400 : 403]);
    }
  });

  test('JSON nested 20,000 deep', async () => {
    const { headers } = await issue();
    const path = speaker.list(owner).split('?')[0] as string;
    const body = `{"name":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    await expectAnswer(words.malformed, 'POST', path, posting(body, headers));
  });

  test('a wrong content type', async () => {
    const { headers } = await issue();
    const path = speaker.list(owner).split('?')[0] as string;
    const sent = posting(speaker.body(owner, 'x'), headers, 'text/plain');
    await expectAnswer(words.mediaType, 'POST', path, sent);
  });

  test('a body of 1 MiB', async () => {
    const { headers } = await issue();
    const path = speaker.list(owner).split('?')[0] as string;
    const sent = posting(speaker.body(owner, 'x'.repeat(1024 * 1024)), headers);
    await expectAnswer(words.tooLarge, 'POST', path, sent);
  });

  test.each([
    ['a NUL', '\\u0000'],
    ['half a surrogate pair', '\\ud800'],
  ])('%s in a name', async (_, bad) => {
    const { headers } = await issue();
    const path = speaker.list(owner).split('?')[0] as string;
    const body = JSON.stringify(speaker.body(owner, 'NAME')).replace('NAME', `a${bad}b`);
    await expectAnswer(words.text, 'POST', path, posting(body, headers));
  });

  test('a NUL in the query and in a path harms nothing', async () => {
    const { headers } = await issue();
    const list = speaker.list(owner);
    const query = `${list.includes('?') ? '&' : '?'}limit=%00&filter=%00&search=%00&cursor=%00`;
    const { status, json } = await server.send('GET', list + query, { headers });
    expect([status, json]).toEqual([speaker.listWithNul, expect.anything()]);
    for (const id of ['%00', 'a%00']) {
      await expectAnswer(words.stranger, oneMethod, speaker.one(owner, id), { headers });
    }
  });

  test('an unknown route below the mount, with a credential and without', async () => {
    const { headers } = await issue();
    const path = `${speaker.mount}/no/such/route/anywhere`;
    await expectAnswer(words.route, 'GET', path, { headers });
    await expectAnswer(words.route, 'GET', path);
  });

  test('a path that cannot be decoded', async () => {
    const answer = await server.send('GET', `${speaker.mount}/%zz`);
    expect(answer.status).toBe(words.route.status);
    expect(answer.json).toEqual(words.route.body);
  });

  test('a method that the path has not', async () => {
    const { headers } = await issue();
    const path = speaker.list(owner).split('?')[0] as string;
    const answer = await expectAnswer(words.method, 'PUT', path, { headers });
    expect(answer.headers['allow']).toBe(answer.status === 405 ? 'GET, HEAD, POST' : undefined);
  });

  test('an id of 300 characters', async () => {
    const { headers } = await issue();
    await expectAnswer(words.stranger, oneMethod, speaker.one(owner, 'x'.repeat(300)), { headers });
  });

  test('no body, with a JSON content type', async () => {
    const { headers, token } = await issue();
    const typed = { ...headers, 'content-type': 'application/json' };
    expect((await server.send('GET', speaker.list(owner), { headers: typed })).status).toBe(200);
    const victim = await issue();
    const id = server.app.nest.get(DialectRegistry, { strict: false }).of(token).externalId(victim.token);
    const deletion = await server.send('DELETE', speaker.one(owner, id), { headers: typed });
    expect(deletion.status).toBe(speaker.deleted);
    const path = speaker.list(owner).split('?')[0] as string;
    await expectAnswer(words.noBody, 'POST', path, { headers: typed, body: '' });
  });

  test('HEAD answers as GET, without a body', async () => {
    const { headers } = await issue();
    const get = await server.send('GET', speaker.list(owner), { headers });
    const head = await server.send('HEAD', speaker.list(owner), { headers });
    expect(head).toMatchObject({ status: get.status, text: '' });
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
    expect((await server.send('HEAD', speaker.list(owner))).status).toBe(401);
  });

  test('a header of 20 KB is refused in these words as well', async () => {
    const answer = await server.send('GET', speaker.list(owner), {
      headers: { 'x-long': 'x'.repeat(20_000) },
    });
    expect(answer.status).toBe(431);
    expect(Object.keys(answer.json)).toEqual(Object.keys(words.route.body as object));
  });

  test('a token confined to CIDR blocks makes none that reaches beyond them', async () => {
    const { headers } = await issue({ allowedCidrs: ['127.0.0.0/8'] });
    const path = speaker.list(owner).split('?')[0] as string;
    const { status } = await server.send('POST', path, { headers, body: speaker.body(owner, 'wider') });
    expect(status).toBe(403);
  });

  test('too many changes at once, with when to come back', async () => {
    const { headers } = await issue();
    const transactions = server.app.nest.get(Transactions, { strict: false });
    let end = (): void => {};
    const gate = new Promise<void>((resolve) => (end = resolve));
    const held = Array.from({ length: 150 }, () =>
      transactions.inTurn(owner.user.id, () => gate).catch((error: unknown) => error),
    );
    const body = speaker.body(owner, `busy ${dialect}`);
    const answer = await expectAnswer(words.busy, 'POST', speaker.list(owner).split('?')[0] ?? '', {
      headers,
      body,
    });
    expect(answer.headers['retry-after']).toBe('1');
    end();
    const refused = (await Promise.all(held)).filter((one) => one instanceof Refusal);
    expect(refused.length).toBeGreaterThan(0);
    // The server itself may be at one now and then.
    await until(() => transactions.load.running + transactions.load.waiting === 0);
  });

  test('after 30 failed logins, with when to come back', async () => {
    const localAddress = `127.0.0.${10 + SPEAKERS.indexOf(speaker)}`;
    const wrong = basic(`nobody-${dialect}`, 'wrong password');
    for (let count = 0; count < 30; count += 1) {
      await expectAnswer(words.none, 'GET', speaker.list(owner), { headers: wrong, localAddress });
    }
    const answer = await expectAnswer(words.tooMany, 'GET', speaker.list(owner), {
      headers: owner.byPassword,
      localAddress,
    });
    const seconds = Number(answer.headers['retry-after']);
    expect(seconds).toBeGreaterThan(200);
    expect(seconds).toBeLessThanOrEqual(300);
  });

  test.each([
    ['a fault, with nothing of its cause', 'internal', undefined],
    ['a database that does not answer, with when to come back', 'unavailable', '1'],
  ] as const)('%s', async (_, fault, retryAfter) => {
    const { server: failing, owner: caller } = broken[fault];
    for (const headers of [caller.byPassword, speaker.headers(makeToken().value)]) {
      const answer = await expectAnswer(words[fault], 'GET', speaker.list(caller), { headers }, failing);
      expect(answer.headers['retry-after']).toBe(retryAfter);
      expect(answer.text).not.toContain('broken by a test');
    }
  });

  describe('Idempotency-Key', () => {
    afterEach(() => {
      jest.useRealTimers();
      jest.restoreAllMocks();
    });

    /** A call that issues a token of a name that nobody has, and how often it did. */
    function creation(
      user = owner,
      key: string | string[] = randomUUID(),
    ): { name: string; send: (name?: string) => Promise<Received>; made: () => Promise<number> } {
      const name = `repeated ${randomUUID()}`;
      return {
        name,
        send: (other = name) =>
          server.send('POST', speaker.list(user), {
            headers: { ...user.byPassword, 'idempotency-key': key },
            body: speaker.body(user, other),
          }),
        made: () => server.app.dataSource.manager.countBy(Token, { name }),
      };
    }

    test('a call that is repeated is answered as the first, to the byte, and makes nothing', async () => {
      const { send, made } = creation();
      const first = await send();
      const again = await send();
      expect([again.status, again.text]).toEqual([first.status, first.text]);
      expect(first.headers['idempotency-replayed']).toBeUndefined();
      expect(again.headers['idempotency-replayed']).toBe('true');
      expect(await made()).toBe(1);
    });

    test('a key in quotation marks is the one within them', async () => {
      const key = `a "key" ${randomUUID()}`;
      const bare = creation(owner, key);
      const first = await bare.send();
      const quoted = creation(owner, `"${key.replaceAll('"', '\\"')}"`);
      expect((await quoted.send(bare.name)).text).toBe(first.text);
    });

    test.each([
      ['empty', ['']],
      ['too long', ['x'.repeat(256)]],
      ['not ASCII', ['ä']],
      ['named twice', ['one', 'two']],
      ['an open quotation', ['"key']],
    ])('a key that is %s is refused, and nothing is made', async (_, key) => {
      const { name, made } = creation();
      await expectAnswer(words.keyMalformed, 'POST', speaker.list(owner), {
        headers: { ...owner.byPassword, 'idempotency-key': key },
        body: speaker.body(owner, name),
      });
      expect(await made()).toBe(0);
    });

    test('with another body it is refused', async () => {
      const key = randomUUID();
      const { send, made } = creation(owner, key);
      await send();
      await expectAnswer(words.keyReused, 'POST', speaker.list(owner), {
        headers: { ...owner.byPassword, 'idempotency-key': key },
        body: speaker.body(owner, 'another'),
      });
      expect([(await send()).headers['idempotency-replayed'], await made()]).toEqual(['true', 1]);
    });

    test("another caller's key is another, and so is another token's of one user", async () => {
      const key = randomUUID();
      const { send, name, made } = creation(owner, key);
      await send();
      const scopes = ['*'];
      const callers = [
        await issue({ scopes, dialect: 'patois' }),
        await issue({ scopes, dialect: 'patois' }),
      ];
      for (const [index, { headers }] of callers.entries()) {
        const answer = await server.send('POST', speaker.list(owner), {
          headers: { ...headers, 'idempotency-key': key },
          body: speaker.body(owner, `${name} ${index}`),
        });
        expect([answer.status < 300, answer.headers['idempotency-replayed']]).toEqual([true, undefined]);
      }
      expect(await made()).toBe(1);
    });

    test('many at once make one token, and those that are answered get it', async () => {
      const { send, made } = creation();
      const answers = await Promise.all(Array.from({ length: 8 }, () => send()));
      const good = answers.filter(({ status }) => status < 300);
      expect(await made()).toBe(1);
      expect(new Set(good.map(({ text }) => text)).size).toBe(1);
      for (const { status, json } of answers.filter((answer) => answer.status >= 300)) {
        expect({ status, body: json }).toEqual(words.keyRepeated);
      }
    });

    test('the outcome is there for 120 seconds, the key is known for a day', async () => {
      const key = randomUUID();
      const { send, name, made } = creation(owner, key);
      moveClock(0);
      const first = await send();
      moveClock(119_999);
      expect((await send()).text).toBe(first.text);
      moveClock(1);
      const repeated = {
        headers: { ...owner.byPassword, 'idempotency-key': key },
        body: speaker.body(owner, name),
      };
      await expectAnswer(words.keyRepeated, 'POST', speaker.list(owner), repeated);
      moveClock(86_400_000 - 120_001);
      await expectAnswer(words.keyRepeated, 'POST', speaker.list(owner), repeated);
      expect(await made()).toBe(1);
      moveClock(1);
      const { status, headers } = await server.send('POST', speaker.list(owner), {
        ...repeated,
        body: speaker.body(owner, `${name} again`),
      });
      expect([status, headers['idempotency-replayed']]).toEqual([first.status, undefined]);
    });

    test('a call that failed is not remembered', async () => {
      const { send, made } = creation();
      const writes = server.app.nest.get(TokenWrites, { strict: false });
      jest.spyOn(writes, 'insert').mockRejectedValueOnce(new Error('broken by a test'));
      expect((await send()).status).toBe(500);
      expect(await made()).toBe(0);
      const { status, headers } = await send();
      expect([status < 300, headers['idempotency-replayed'], await made()]).toEqual([true, undefined, 1]);
    });
  });
});

const OAUTH_UNAVAILABLE = JSON.stringify({
  error: 'temporarily_unavailable',
  error_description: 'The database does not answer',
});

test.each([
  ['POST', '/oauth2/introspect', 'token=x', OAUTH_UNAVAILABLE],
  ['POST', '/oauth2/revoke', `token=${makeToken().value}`, OAUTH_UNAVAILABLE],
  ['GET', '/v2/token?service=any', undefined, '"code":"UNAVAILABLE"'],
  ['POST', '/patois/v1/verifications', '{}', '"title":"Service Unavailable"'],
  ['GET', '/verify', undefined, ''],
])('%s %s says when to come back while the database does not answer', async (method, path, body, said) => {
  const type = body?.startsWith('{') ? 'application/json' : 'application/x-www-form-urlencoded';
  const headers = { ...basic('$app', makeToken().value), 'content-type': type };
  const answer = await broken.unavailable.server.send(method, path, { headers, body });
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  expect(answer.text).toContain(said);
});
