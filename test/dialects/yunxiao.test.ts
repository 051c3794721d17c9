import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Organization } from '../../src/accounts/organization.entity.js';
import { User } from '../../src/accounts/user.entity.js';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import type { TokenSpec } from '../../src/tokens/token.service.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const TOKENS = '/oapi/v1/platform/users/admin/personalAccessTokens';
const USER = '/oapi/v1/platform/user';
const ORGANIZATIONS = '/oapi/v1/platform/organizations';
const READ = 'base_user_read';
const READ_WRITE = 'base_user_read_write';
const FUTURE = '2091-01-31T12:00:00.000Z';
const NOBODY = '00000000-0000-4000-8000-000000000000';
const OUTSIDE = 'Forbidden.InvalidUser.UserNotInCurrentOrganization';

let server: TestServer;
/** Administers the organization `Default`. */
let administrator: TestUser;
let member: TestUser;
/** A member of another organization. */
let stranger: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  administrator = await server.makeUser({ role: 'organizationAdministrator' });
  member = await server.makeUser({ name: 'Ada Lovelace', email: 'ada@example.com' });
  const elsewhere = await server.organization('Elsewhere');
  stranger = await server.makeUser({ organizationId: elsewhere.id });
});
afterAll(() => server.close());

interface Key {
  token: Token;
  value: string;
  headers: Record<string, string>;
}

async function makeKey(
  scopes: string[] = [READ_WRITE],
  user = administrator,
  spec: Partial<TokenSpec> = {},
): Promise<Key> {
  const { token, value } = await server.issue({
    dialect: 'yunxiao',
    ownerId: user.user.id,
    scopes,
    ...spec,
  });
  return { token, value, headers: { 'x-yunxiao-token': value } };
}

function body(changes: object = {}): object {
  return {
    userId: member.user.id,
    name: 'nightly',
    permissions: [READ],
    expiredAt: FUTURE,
    ...changes,
  };
}

function create(changes: object = {}, headers = administrator.byPassword): Promise<Received> {
  return server.send('POST', TOKENS, { headers, body: body(changes) });
}

function list(userId: string, headers = administrator.byPassword): Promise<Received> {
  return server.send('GET', `${TOKENS}?userId=${userId}`, { headers });
}

function remove(tokenId: string, headers = administrator.byPassword): Promise<Received> {
  return server.send('DELETE', `${TOKENS}/${tokenId}`, { headers });
}

/** Expects one of this API's errors, in full: three keys, and the id of the request in its header as well. */
function expectError({ status, json, headers }: Received, code: number, name: string, text = ''): void {
  expect({ status, errorCode: json.errorCode }).toEqual({ status: code, errorCode: name });
  expect(Object.keys(json)).toEqual(['errorCode', 'errorMessage', 'requestId']);
  expect(json.errorMessage).toContain(text);
  expect(json.requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers['x-request-id']).toBe(json.requestId);
}

describe('POST …/users/admin/personalAccessTokens', () => {
  test('answers 200 with the token of the user, in camelCase', async () => {
    const permissions = [READ_WRITE, 'lingma_chat_read', 'custom_thing_of_ours_read'];
    const { status, json } = await create({ permissions, description: 'reads members' });
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual([
      'createdAt',
      'description',
      'expiredAt',
      'name',
      'permissions',
      'token',
      'tokenId',
      'userId',
    ]);
    expect(json).toEqual({
      createdAt: expect.stringMatching(ISO),
      description: 'reads members',
      expiredAt: FUTURE,
      name: 'nightly',
      permissions,
      token: expect.stringMatching(/^pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/),
      tokenId: expect.stringMatching(/^pt-[0-9A-Za-z]{12}$/),
      userId: member.user.id,
    });
    expect(json.token.split('_')[0]).toBe(json.tokenId);
  });

  test('makes a token that works at once, with x-yunxiao-token and with Bearer', async () => {
    const { json } = await create();
    for (const headers of [{ 'x-yunxiao-token': json.token }, bearer(json.token)]) {
      const { status, json: user } = await server.send('GET', USER, { headers });
      expect({ status, id: user.id }).toEqual({ status: 200, id: member.user.id });
    }
  });

  test('reads ISO 8601 with any offset, and gives UTC', async () => {
    for (const expiredAt of [
      '2091-01-31T20:00:00+08:00',
      '2091-01-31T20:00:00.000+0800',
      '2091-01-31T12:00:00',
    ]) {
      expect((await create({ expiredAt })).json.expiredAt).toBe(FUTURE);
    }
  });

  test('without a description gives an empty one', async () => {
    expect((await create()).json.description).toBe('');
  });

  test.each([
    ['no userId', { userId: undefined }, 'userId'],
    ['an empty userId', { userId: '' }, 'userId'],
    ['a number as userId', { userId: 5 }, 'userId'],
    ['no name', { name: undefined }, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a name of 65', { name: 'x'.repeat(65) }, 'name'],
    ['null as name', { name: null }, 'name'],
    ['a NUL in the name', { name: 'a\u0000' }, 'name'],
    ['no permissions', { permissions: undefined }, 'permissions'],
    ['an empty list of permissions', { permissions: [] }, 'permissions'],
    ['a permission twice', { permissions: [READ, READ] }, 'permissions'],
    ['permissions that are a text', { permissions: READ }, 'permissions'],
    ['a permission of another form', { permissions: ['base_user'] }, 'permissions'],
    ['a permission without a middle', { permissions: ['base_read'] }, 'permissions'],
    ['a permission with a digit', { permissions: ['base_user2_read'] }, 'permissions'],
    ['a permission and a line break', { permissions: [`${READ}\n`] }, 'permissions'],
    ['the permission of everything', { permissions: ['*'] }, 'permissions'],
    ['a number among permissions', { permissions: [5] }, 'permissions'],
    ['no expiredAt', { expiredAt: undefined }, 'expiredAt'],
    ['null as expiredAt', { expiredAt: null }, 'expiredAt'],
    ['an expiredAt that has passed', { expiredAt: '2020-01-01T00:00:00Z' }, 'expiredAt'],
    ['a date alone', { expiredAt: '2091-01-31' }, 'expiredAt'],
    ['30 February', { expiredAt: '2091-02-30T00:00:00Z' }, 'expiredAt'],
    ['a number as expiredAt', { expiredAt: 4_000_000_000_000 }, 'expiredAt'],
    ['a description of 201', { description: 'x'.repeat(201) }, 'description'],
    ['null as description', { description: null }, 'description'],
    ['another key', { colour: 'red' }, 'colour'],
  ])('refuses %s with 400 that names it', async (_, changes, named) => {
    expectError(await create(changes), 400, 'BadRequest', named);
  });

  test.each(['', '[]', '"x"', 'null', '{'])('refuses the body %j with 400', async (text) => {
    const headers = { ...administrator.byPassword, 'content-type': 'application/json' };
    expectError(await server.send('POST', TOKENS, { headers, body: text }), 400, 'BadRequest');
  });

  test('takes names of 64 and descriptions of 200 characters', async () => {
    const { status } = await create({ name: '云'.repeat(64), description: '😀'.repeat(200) });
    expect(status).toBe(200);
  });

  test('a user of another organization reads like nobody', async () => {
    const texts = new Set<string>();
    for (const userId of [stranger.user.id, NOBODY, 'x', `${NOBODY}\n`]) {
      const answer = await create({ userId });
      expectError(answer, 403, OUTSIDE);
      texts.add(answer.json.errorMessage);
    }
    expect(texts.size).toBe(1);
  });

  test('an administrator of everything reaches every organization', async () => {
    const { status, json } = await create({ userId: stranger.user.id }, server.asAdmin);
    expect({ status, userId: json.userId }).toEqual({ status: 200, userId: stranger.user.id });
    expectError(await create({ userId: NOBODY }, server.asAdmin), 403, OUTSIDE);
  });

  test('an administrator of one organization cannot come by a token of one of everything', async () => {
    const { id } = await server.admin();
    expectError(await create({ userId: id }), 403, 'Forbidden');
  });

  test('a member makes no tokens, not even own ones', async () => {
    expectError(await create({}, member.byPassword), 403, 'Forbidden');
    const key = await makeKey([READ_WRITE], member);
    expectError(await create({}, key.headers), 403, 'Forbidden');
  });

  test('a token needs base_user_read_write', async () => {
    for (const scope of [READ, 'base_organization_read_write']) {
      const key = await makeKey([scope]);
      expectError(await create({}, key.headers), 403, 'Forbidden', READ_WRITE);
    }
  });

  test('a token grants what it holds itself, and nothing else', async () => {
    const key = await makeKey([READ_WRITE, 'lingma_chat_read']);
    for (const permissions of [[READ], [READ_WRITE, 'lingma_chat_read']]) {
      expect((await create({ permissions }, key.headers)).status).toBe(200);
    }
    for (const permissions of [['lingma_chat_read_write'], [READ, 'base_organization_read']]) {
      expectError(await create({ permissions }, key.headers), 403, 'Forbidden', permissions.at(-1));
    }
  });

  test('a token confined to addresses cannot make one that is not', async () => {
    const key = await makeKey([READ_WRITE], administrator, { allowedCidrs: ['127.0.0.0/8'] });
    expectError(await create({}, key.headers), 403, 'Forbidden');
  });

  test('writes one audit event', async () => {
    const { json } = await create();
    const events = await server.app.dataSource.manager.findBy(AuditEvent, { objectId: json.tokenId });
    expect(events).toMatchObject([{ action: 'token.create', actorId: administrator.user.id }]);
  });
});

describe('GET …/users/admin/personalAccessTokens', () => {
  test('gives a bare list, newest first, of seven keys in snake_case', async () => {
    const user = await server.makeUser();
    const first = await makeKey([READ], user, {
      name: 'first',
      description: 'd',
      expiresAt: new Date(FUTURE),
    });
    const second = await makeKey([READ_WRITE], user, { name: 'second' });
    const { status, json } = await list(user.user.id);
    expect(status).toBe(200);
    expect(Object.keys(json[0])).toEqual([
      'created_at',
      'description',
      'expired_at',
      'name',
      'permissions',
      'token_id',
      'user_id',
    ]);
    expect(json).toEqual([
      {
        created_at: second.token.createdAt.toISOString(),
        description: '',
        expired_at: null,
        name: 'second',
        permissions: [READ_WRITE],
        token_id: second.token.tokenId,
        user_id: user.user.id,
      },
      {
        created_at: first.token.createdAt.toISOString(),
        description: 'd',
        expired_at: FUTURE,
        name: 'first',
        permissions: [READ],
        token_id: first.token.tokenId,
        user_id: user.user.id,
      },
    ]);
  });

  test('no tokens are an empty list', async () => {
    const user = await server.makeUser();
    expect((await list(user.user.id)).text).toBe('[]');
  });

  test('shows every live token whichever API issued it: not revoked and expired ones, but inactive ones', async () => {
    const user = await server.makeUser();
    const panther = await makeKey(['RuleRead'], user, { dialect: 'panther' });
    const losant = await makeKey(['all.User'], user, { dialect: 'losant', inactive: true });
    const own = await makeKey(['*'], user, { dialect: 'patois' });
    await makeKey([READ], user, { expiresAt: new Date(Date.now() - 1000) });
    await server.revoke((await makeKey([READ], user)).token);
    const { json } = await list(user.user.id);
    const shown = json.map((item: { token_id: string; permissions: string[] }) => [
      item.token_id,
      item.permissions,
    ]);
    expect(shown).toEqual([
      [own.token.tokenId, ['*']],
      [losant.token.tokenId, ['all.User']],
      [panther.token.tokenId, ['RuleRead']],
    ]);
  });

  test('needs base_user_read, which base_user_read_write covers', async () => {
    for (const scope of [READ, READ_WRITE]) {
      expect((await list(member.user.id, (await makeKey([scope])).headers)).status).toBe(200);
    }
    const key = await makeKey(['base_user_data_read', 'base_organization_read_write']);
    expectError(await list(member.user.id, key.headers), 403, 'Forbidden', READ);
  });

  test('a member sees no list, not even the own one', async () => {
    expectError(await list(member.user.id, member.byPassword), 403, 'Forbidden');
    expectError(await list(NOBODY, member.byPassword), 403, 'Forbidden');
    const key = await makeKey([READ_WRITE], member);
    expectError(await list(member.user.id, key.headers), 403, 'Forbidden');
  });

  test('a user of another organization reads like nobody', async () => {
    const texts = new Set<string>();
    for (const userId of [stranger.user.id, NOBODY, 'x', '%00', '%E4%BA%91', 'x'.repeat(4_000)]) {
      const answer = await list(userId);
      expectError(answer, 403, OUTSIDE);
      texts.add(answer.json.errorMessage);
    }
    expect(texts.size).toBe(1);
    expect((await list(stranger.user.id, server.asAdmin)).status).toBe(200);
  });

  test.each(['', '?userId=', `?userId=${NOBODY}&userId=${NOBODY}`, '?user_id=x'])(
    'refuses the query "%s" with 400',
    async (query) => {
      const answer = await server.send('GET', TOKENS + query, { headers: administrator.byPassword });
      expectError(answer, 400, 'BadRequest', 'userId');
    },
  );

  test('a JSON content type without a body and unknown parameters do not matter', async () => {
    const headers = { ...administrator.byPassword, 'content-type': 'application/json' };
    const path = `${TOKENS}/?userId=${member.user.id}&page=1`;
    expect((await server.send('GET', path, { headers })).status).toBe(200);
  });
});

describe('DELETE …/users/admin/personalAccessTokens/{tokenId}', () => {
  test('answers 200 and {}; the token is dead at once and gone', async () => {
    const key = await makeKey([READ], member);
    const { status, text } = await remove(key.token.tokenId);
    expect({ status, text }).toEqual({ status: 200, text: '{}' });
    expectError(await server.send('GET', USER, { headers: key.headers }), 401, 'InvalidTokenError');
    expectError(await remove(key.token.tokenId), 404, 'NotFound');
    expect((await list(member.user.id)).text).not.toContain(key.token.tokenId);
  });

  test('takes every token of the list, whichever API issued it', async () => {
    const user = await server.makeUser();
    await makeKey(['RuleRead'], user, { dialect: 'panther' });
    await makeKey(['all.User'], user, { dialect: 'losant', inactive: true });
    await makeKey(['*'], user, { dialect: 'patois' });
    const { json } = await list(user.user.id);
    expect(json).toHaveLength(3);
    for (const { token_id: tokenId } of json) expect((await remove(tokenId)).status).toBe(200);
    expect((await list(user.user.id)).text).toBe('[]');
  });

  test("an unknown id, none, and another organization's are 404", async () => {
    const foreign = await makeKey([READ], stranger);
    const ids = [
      foreign.token.tokenId,
      'pt-000000000000',
      'x',
      foreign.token.id,
      '%00',
      'pt-00000000000%00',
      `pt-000000000000%0A`,
      'x'.repeat(300),
      foreign.value,
    ];
    for (const id of ids) expectError(await remove(id), 404, 'NotFound');
    expect((await server.send('GET', USER, { headers: foreign.headers })).status).toBe(200);
    expect((await remove(foreign.token.tokenId, server.asAdmin)).status).toBe(200);
  });

  test('a member deletes nothing, and learns nothing', async () => {
    const key = await makeKey([READ_WRITE], member);
    for (const id of [key.token.tokenId, 'pt-000000000000']) {
      expectError(await remove(id, key.headers), 403, 'Forbidden');
      expectError(await remove(id, member.byPassword), 403, 'Forbidden');
    }
  });

  test('a token needs base_user_read_write', async () => {
    const key = await makeKey([READ_WRITE], member);
    const reader = await makeKey([READ]);
    expectError(await remove(key.token.tokenId, reader.headers), 403, 'Forbidden', READ_WRITE);
    const writer = await makeKey([READ_WRITE]);
    const headers = { ...writer.headers, 'content-type': 'application/json' };
    expect((await remove(key.token.tokenId, headers)).status).toBe(200);
  });

  test('of many simultaneous deletes one succeeds', async () => {
    const key = await makeKey([READ], member);
    const answers = await Promise.all(Array.from({ length: 10 }, () => remove(key.token.tokenId)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(9);
  });
});

describe('GET …/user', () => {
  test('gives the user of any valid token, whatever its scopes', async () => {
    for (const dialect of ['yunxiao', 'panther', 'patois']) {
      const key = await makeKey([], member, { dialect });
      const { status, json } = await server.send('GET', USER, { headers: key.headers });
      expect(status).toBe(200);
      expect(Object.keys(json)).toEqual([
        'id',
        'username',
        'name',
        'email',
        'createdAt',
        'lastOrganization',
        'sysDeptIds',
      ]);
      expect(json).toEqual({
        id: member.user.id,
        username: member.user.login,
        name: 'Ada Lovelace',
        email: 'ada@example.com',
        createdAt: member.user.createdAt.toISOString(),
        lastOrganization: member.user.organizationId,
        sysDeptIds: [],
      });
    }
  });

  test('leaves out what has no value, and answers a password as well', async () => {
    const { text } = await server.send('GET', USER, { headers: administrator.byPassword });
    expect(text).not.toMatch(/null|"name"|"email"/);
  });
});

describe('whoever calls', () => {
  const calls: [string, string][] = [
    ['GET', USER],
    ['GET', `${TOKENS}?userId=x`],
    ['POST', TOKENS],
    ['DELETE', `${TOKENS}/pt-000000000000`],
  ];

  test.each(calls)('%s %s without a token is 401 Unauthorized', async (method, path) => {
    expectError(await server.send(method, path), 401, 'Unauthorized');
  });

  test.each(calls)(
    '%s %s with an unknown or malformed token is 401 InvalidTokenError',
    async (method, path) => {
      for (const value of ['x', 'pt-000000000000', `pt-${'0'.repeat(12)}_${'0'.repeat(49)}`]) {
        for (const headers of [{ 'x-yunxiao-token': value }, bearer(value)]) {
          expectError(await server.send(method, path, { headers }), 401, 'InvalidTokenError');
        }
      }
    },
  );

  test('a wrong password is 401 Unauthorized', async () => {
    const authorization = `Basic ${Buffer.from(`${member.user.login}:wrong`).toString('base64')}`;
    expectError(await server.send('GET', USER, { headers: { authorization } }), 401, 'Unauthorized');
  });

  test('revoked and inactive tokens and those of a disabled owner are 401 InvalidTokenError', async () => {
    const revoked = await makeKey();
    await server.revoke(revoked.token);
    const inactive = await makeKey([READ], member, { inactive: true });
    const gone = await server.makeUser();
    const orphaned = await makeKey([READ], gone);
    await server.app.dataSource.manager.update(User, { id: gone.user.id }, { disabled: true });
    for (const { headers } of [revoked, inactive, orphaned]) {
      expectError(await server.send('GET', USER, { headers }), 401, 'InvalidTokenError');
    }
  });

  test('an expired token is 401 ExpiredTokenError, for whoever holds its secret', async () => {
    const { token, headers } = await makeKey([READ], member, { expiresAt: new Date(Date.now() - 1000) });
    expectError(await server.send('GET', USER, { headers }), 401, 'ExpiredTokenError');
    const guess = `${token.tokenId}_${'0'.repeat(49)}`;
    const guessed = await server.send('GET', USER, { headers: { 'x-yunxiao-token': guess } });
    expectError(guessed, 401, 'InvalidTokenError');
  });

  test('two different tokens in one request are 401', async () => {
    const headers = { ...(await makeKey()).headers, ...bearer((await makeKey()).value) };
    expectError(await server.send('GET', USER, { headers }), 401, 'InvalidTokenError');
  });

  test('from outside its blocks a token is 403, and nothing is said about it', async () => {
    const key = await makeKey([READ], member, { allowedCidrs: ['10.0.0.0/8'] });
    const answer = await server.send('GET', USER, { headers: key.headers });
    expectError(answer, 403, 'Forbidden');
    expect(answer.json.errorMessage).not.toContain('10.');
  });
});

describe('below the mount', () => {
  test.each([
    '/oapi/v1/platform',
    '/oapi/v1/platform/',
    '/oapi/v1/platform/x',
    `${TOKENS}/a/b`,
    `${TOKENS}/%zz`,
  ])('%s is 404 in JSON', async (path) => {
    expectError(await server.send('GET', path), 404, 'NotFound');
  });

  test.each([
    ['PUT', TOKENS, 'GET, HEAD, POST'],
    ['GET', `${TOKENS}/pt-000000000000`, 'DELETE'],
    ['POST', USER, 'GET, HEAD'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allow) => {
    const answer = await server.send(method, path);
    expectError(answer, 405, 'MethodNotAllowed');
    expect(answer.headers.allow).toBe(allow);
  });

  test('another content type is 415, a body too large 413', async () => {
    const headers = { ...administrator.byPassword, 'content-type': 'text/xml' };
    expectError(await server.send('POST', TOKENS, { headers, body: '<x/>' }), 415, 'UnsupportedMediaType');
    expectError(await create({ name: 'x'.repeat(1024 * 1024) }), 413, 'PayloadTooLarge');
  });
});

describe('GET /organizations', () => {
  const SCOPE = 'base_organization_read';

  test.each([['base_organization_read'], ['base_organization_read_write']])(
    "shows a token with %s its owner's own organization, and no other",
    async (scope) => {
      for (const user of [member, stranger, administrator]) {
        const { headers } = await makeKey([scope], user);
        const { id, name, createdAt } = await server.app.dataSource.manager.findOneByOrFail(Organization, {
          id: user.user.organizationId,
        });
        const answer = await server.send('GET', ORGANIZATIONS, { headers });
        expect(answer.status).toBe(200);
        expect(answer.text).toBe(JSON.stringify([{ id, name, createdAt }]));
        expect(answer.json[0].createdAt).toMatch(ISO);
      }
    },
  );

  test('shows a caller by password, an administrator of everything too, the own one alone', async () => {
    const own = await server.organization('Default');
    for (const headers of [member.byPassword, server.asAdmin]) {
      const { json } = await server.send('GET', ORGANIZATIONS, { headers });
      expect(json.map(({ id }: { id: string }) => id)).toEqual([own.id]);
    }
  });

  test('has one page, says so in headers, and does not look at userId', async () => {
    const { headers } = await makeKey([SCOPE], member);
    const ask = (query: string): Promise<Received> =>
      server.send('GET', `${ORGANIZATIONS}?${query}`, { headers });
    const paging = ({ headers: received }: Received): object =>
      Object.fromEntries(
        Object.entries(received).filter(([name]) => /^x-(page|per-page|total|next|prev)/.test(name)),
      );
    const first = await ask(`page=1&perPage=100&userId=${stranger.user.id}&unknown=x`);
    expect(first.json).toMatchObject([{ id: member.user.organizationId }]);
    expect(paging(first)).toEqual({
      'x-page': '1',
      'x-per-page': '100',
      'x-total': '1',
      'x-total-pages': '1',
    });
    const second = await ask('page=2&perPage=1');
    expect(second.json).toEqual([]);
    expect(paging(second)).toEqual({
      'x-page': '2',
      'x-per-page': '1',
      'x-total': '1',
      'x-total-pages': '1',
      'x-prev-page': '1',
    });
  });

  test.each(['page=0', 'page=x', 'page=1.5', 'page=1&page=2', 'perPage=0', 'perPage=101', 'perPage=-1'])(
    'refuses ?%s',
    async (query) => {
      const { headers } = await makeKey([SCOPE], member);
      const name = query.split('=')[0];
      expectError(
        await server.send('GET', `${ORGANIZATIONS}?${query}`, { headers }),
        400,
        'BadRequest',
        name,
      );
    },
  );

  test('refuses no credential, a wrong scope, and a wrong address', async () => {
    expectError(await server.send('GET', ORGANIZATIONS), 401, 'Unauthorized');
    const weak = await makeKey([READ_WRITE, 'base_orgmember_read'], member);
    expectError(await server.send('GET', ORGANIZATIONS, { headers: weak.headers }), 403, 'Forbidden', SCOPE);
    const confined = await makeKey([SCOPE], member, { allowedCidrs: ['10.0.0.0/8'] });
    expectError(await server.send('GET', ORGANIZATIONS, { headers: confined.headers }), 403, 'Forbidden');
  });
});
