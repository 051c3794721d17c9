import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AccountsService } from '../../src/accounts/accounts.service.js';
import { PERMISSIONS } from '../../src/accounts/user.entity.js';
import { SYSTEM } from '../../src/audit/audit.writer.js';
import { Token } from '../../src/tokens/token.entity.js';
import { basic, bearer, type Received, type Sent } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const KEYS = [
  'created_at',
  'updated_at',
  'id',
  'name',
  'expires_at',
  'active?',
  'user_id',
  'last_used_at',
  'revoked?',
];
const SECONDS_TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let server: TestServer;
let alice: TestUser;
let path: string;
beforeAll(async () => {
  server = await TestServer.start();
  alice = await server.makeUser({ login: 'alice' });
  path = pathOf(alice);
});
afterAll(() => server.close());

function pathOf({ user }: TestUser): string {
  return `/api/users/${user.numericId}/personal_access_tokens`;
}

function create(user: TestUser, fields: unknown, sent: Sent = {}): Promise<Received> {
  const body = { personal_access_token: fields };
  return server.send('POST', pathOf(user), { headers: user.byPassword, body, ...sent });
}

async function created(
  user: TestUser,
  name: string,
  more: object = {},
): Promise<{ id: number; value: string }> {
  const { status, json } = await create(user, { name, ...more });
  expect(status).toBe(201);
  return { id: json.id, value: json.token_value };
}

function invalid(errors: Record<string, string[]>, full_messages: string[]): object {
  return { error: { id: null, errors, full_messages } };
}

describe('POST personal_access_tokens', () => {
  test('answers 201, the value first, then the token in its order of keys', async () => {
    const answer = await create(alice, { name: 'first', expires_at: '2031-05-06T07:08:09.987+02:00' });
    expect(answer.status).toBe(201);
    expect(Object.keys(answer.json)).toEqual(['token_value', ...KEYS]);
    expect(answer.json).toEqual({
      token_value: expect.stringMatching(/^pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/),
      created_at: expect.stringMatching(SECONDS_TIME),
      updated_at: answer.json.created_at,
      id: expect.any(Number),
      name: 'first',
      expires_at: '2031-05-06 05:08:09 UTC',
      'active?': true,
      user_id: alice.user.numericId,
      last_used_at: null,
      'revoked?': false,
    });
  });

  test.each([
    ['wrapped', { personal_access_token: { name: 'form wrapped' } }, '', 'form wrapped'],
    ['bare', { name: 'form bare' }, '', 'form bare'],
    ['wrapped beside bare', { name: 'no', personal_access_token: { name: 'form wins' } }, '', 'form wins'],
    ['in the query', {}, '?personal_access_token[name]=form%20query', 'form query'],
    ['a number', { name: 4711 }, '', '4711'],
    ['with white space around', { name: ' \t\nform trimmed\r\n ' }, '', 'form trimmed'],
    ['with other white space, kept', { name: ' \u00a0form kept\u2003 ' }, '', '\u00a0form kept\u2003'],
    ['255 characters of two units', { name: '\u{1f511}'.repeat(255) }, '', '\u{1f511}'.repeat(255)],
    ['with unknown keys', { name: 'form unknown', user_id: 1, id: 7, revoked: true }, '', 'form unknown'],
  ])('takes a name %s', async (_, body, query, name) => {
    const answer = await server.send('POST', path + query, { headers: alice.byPassword, body });
    expect([answer.status, answer.json.name, answer.json.user_id]).toEqual([201, name, alice.user.numericId]);
  });

  test.each([
    ['an empty object', {}],
    ['an empty body', ''],
    ['an empty record', { personal_access_token: {} }],
    ['a text in place of the record', { personal_access_token: 'name', name: 'x' }],
    ['null in place of the record', { personal_access_token: null, name: 'x' }],
    ['a list', ['name']],
    ['a number', '5'],
    ['a blank name', { name: ' \t ' }],
    ['a name of other white space', { name: '\u00a0\u2003' }],
    ['a null name', { name: null }],
    ['a list as name', { name: ['x'] }],
    ['a record as name', { name: { a: 'x' } }],
  ])('refuses %s: a name is needed', async (_, body) => {
    const headers = { ...alice.byPassword, 'content-type': 'application/json' };
    const answer = await server.send('POST', path, { headers, body });
    expect(answer.status).toBe(422);
    expect(answer.json).toEqual(invalid({ name: ["can't be blank"] }, ["Name can't be blank"]));
  });

  test('refuses a name of more than 255 characters', async () => {
    const answer = await create(alice, { name: 'x'.repeat(256) });
    const text = 'is too long (maximum is 255 characters)';
    expect([answer.status, answer.json]).toEqual([422, invalid({ name: [text] }, [`Name ${text}`])]);
  });

  test.each([
    ['a NUL', '{"name":"a\\u0000b"}', ''],
    ['a lone surrogate', '{"personal_access_token":{"name":"a\\ud800"}}', ''],
    ['a NUL in the query', '{}', '?personal_access_token[name]=a%00b'],
  ])('refuses a name with %s', async (_, body, query) => {
    const headers = { ...alice.byPassword, 'content-type': 'application/json' };
    const answer = await server.send('POST', path + query, { headers, body });
    const text = 'contains invalid characters';
    expect([answer.status, answer.json]).toEqual([422, invalid({ name: [text] }, [`Name ${text}`])]);
  });

  test('refuses a name that the user has, also on a revoked token, but not in another case or for another user', async () => {
    const { id } = await created(alice, 'unique');
    await server.send('DELETE', `${path}/${id}`, { headers: alice.byPassword });
    const text = 'has already been taken';
    const again = await create(alice, { name: ' unique ' });
    expect(again.status).toBe(422);
    expect(again.text).toBe(
      `{"error":{"id":null,"errors":{"name":["${text}"]},"full_messages":["Name ${text}"]}}`,
    );
    expect((await create(alice, { name: 'Unique' })).status).toBe(201);
    expect((await create(await server.makeUser(), { name: 'unique' })).status).toBe(201);
  });

  test('says all that is wrong at once, the name before the expiry', async () => {
    await created(alice, 'both');
    const answer = await create(alice, { expires_at: '2001-01-01', name: 'both' });
    expect(answer.status).toBe(422);
    expect(answer.text).toBe(
      '{"error":{"id":null,"errors":{"name":["has already been taken"],"expires_at":["cannot be in the past"]},"full_messages":["Name has already been taken","Expires at cannot be in the past"]}}',
    );
  });

  test.each([
    ['2031-05-06T07:08:09Z', '2031-05-06 07:08:09 UTC'],
    ['2031-05-06T07:08:09', '2031-05-06 07:08:09 UTC'],
    ['2031-05-06T07:08:09.999Z', '2031-05-06 07:08:09 UTC'],
    ['2031-05-06T07:08:09.123456789-0530', '2031-05-06 12:38:09 UTC'],
    ['2031-05-06T07:08', '2031-05-06 07:08:00 UTC'],
    ['2031-05-06', '2031-05-06 00:00:00 UTC'],
    ['2031-05-06 07:08:09 UTC', '2031-05-06 07:08:09 UTC'],
    ['2031-05-06 07:08:09 +0200', '2031-05-06 05:08:09 UTC'],
    ['2031-05-06 07:08:09', '2031-05-06 07:08:09 UTC'],
    ['Tue, 06 May 2031 07:08:09 GMT', '2031-05-06 07:08:09 UTC'],
    ['2032-02-29', '2032-02-29 00:00:00 UTC'],
    [null, null],
  ])('reads the expiry %j', async (expires_at, shown) => {
    const answer = await create(alice, { name: `expires ${expires_at}`, expires_at });
    expect([answer.status, answer.json.expires_at]).toEqual([201, shown]);
  });

  test.each([
    [4102444800],
    ['4102444800'],
    ['2031'],
    ['2031-05'],
    ['2023-08-34'],
    ['2031-02-30'],
    ['2028-08-22 28:30:55'],
    ['2031-13-01'],
    ['2031-05-06T07:08:09+25:00'],
    ['tomorrow'],
    [''],
    ['  '],
    ['01/02/2048'],
    ['6 May 2031'],
    ['20310506'],
    ['07:08:09'],
    [true],
    [false],
    [{ year: 2031 }],
    [['2031-05-06']],
  ])('refuses the expiry %j', async (expires_at) => {
    const answer = await create(alice, { name: 'never made', expires_at });
    const raw = typeof expires_at === 'string' ? expires_at : JSON.stringify(expires_at);
    const text = `Could not parse timestamp '${raw}'`;
    expect(answer.status).toBe(422);
    expect(answer.json).toEqual(invalid({ expires_at: [text] }, [`Expires at ${text}`]));
  });

  test.each([['2001-01-01'], [new Date().toISOString()]])('refuses %s: it is past', async (expires_at) => {
    const answer = await create(alice, { name: 'never made', expires_at });
    const text = 'cannot be in the past';
    expect(answer.status).toBe(422);
    expect(answer.json).toEqual(invalid({ expires_at: [text] }, [`Expires at ${text}`]));
  });

  test('gives one 201 and 422 for the others when one name is asked for at the same moment', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(alice, { name: 'race' })));
    const count = (wanted: number): number => answers.filter(({ status }) => status === wanted).length;
    expect([count(201), count(422)]).toEqual([1, 9]);
  });

  test('hands a token on with no more than the calling token holds', async () => {
    const scopes = ['foreman:create_personal_access_tokens', 'foreman:view_personal_access_tokens'];
    const { value } = await server.issue({ dialect: 'foreman', ownerId: alice.user.id, scopes });
    const answer = await create(alice, { name: 'handed on' }, { headers: bearer(value) });
    expect(answer.status).toBe(201);
    const headers = bearer(answer.json.token_value);
    expect((await server.send('GET', path, { headers })).status).toBe(200);
    const refused = await server.send('DELETE', `${path}/${answer.json.id}`, { headers });
    expect([refused.status, refused.json.error.missing_permissions]).toEqual([
      403,
      ['revoke_personal_access_tokens'],
    ]);
  });

  test('a token confined to addresses makes none, since it would work beyond them', async () => {
    const allowedCidrs = ['127.0.0.0/8'];
    const scopes = ['foreman:*'];
    const caller = await server.issue({ dialect: 'foreman', ownerId: alice.user.id, scopes, allowedCidrs });
    const answer = await create(alice, { name: 'confined' }, { headers: bearer(caller.value) });
    expect([answer.status, answer.json.error.message]).toEqual([403, 'Access denied']);
  });

  test('a helper with the permission makes no token for an administrator, nor for another member', async () => {
    const helper = await server.makeUser({ permissions: [...PERMISSIONS] });
    const mate = await server.makeUser();
    for (const owner of [await server.admin(), mate.user]) {
      const sent = { headers: helper.byPassword, body: { name: 'by the helper' } };
      const answer = await server.send('POST', `/api/users/${owner.numericId}/personal_access_tokens`, sent);
      expect(answer.status).toBe(403);
      expect(answer.json.error).toEqual({
        message: 'Access denied',
        details: 'Only administrators act for others',
        missing_permissions: [],
      });
      expect(await server.app.dataSource.manager.countBy(Token, { ownerId: owner.id })).toBe(0);
    }
  });

  test('an organization administrator with the permission makes one for a member who holds no more', async () => {
    const head = await server.makeUser({
      role: 'organizationAdministrator',
      permissions: ['create_personal_access_tokens'],
    });
    const create_ = (owner: TestUser): Promise<Received> =>
      server.send('POST', pathOf(owner), { headers: head.byPassword, body: { name: 'by the head' } });
    const mate = await server.makeUser();
    const made = await create_(mate);
    expect(made.status).toBe(201);
    const asMate = { headers: bearer(made.json.token_value) };
    expect((await server.send('GET', pathOf(mate), asMate)).json.total).toBe(1);
    const helper = await server.makeUser({ permissions: ['view_users'] });
    expect((await create_(helper)).status).toBe(403);
  });
});

describe('GET personal_access_tokens/:id', () => {
  test('shows the token in its order of keys, without its value', async () => {
    const { id } = await created(alice, 'shown');
    const answer = await server.send('GET', `${path}/${id}`, { headers: alice.byPassword });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json)).toEqual(KEYS);
    expect(answer.json).toMatchObject({ id, name: 'shown', user_id: alice.user.numericId });
  });

  test('shows this very use of a token', async () => {
    const { id, value } = await created(alice, 'used');
    const before = Math.floor(Date.now() / 1000) * 1000;
    const answer = await server.send('GET', `${path}/${id}`, { headers: basic('ALICE', value) });
    expect(answer.status).toBe(200);
    expect(Date.parse(answer.json.last_used_at)).toBeGreaterThanOrEqual(before);
    const listed = await server.send('GET', `${path}?per_page=all`, { headers: bearer(value) });
    const row = listed.json.results.find((one: { id: number }) => one.id === id);
    expect(Date.parse(row.last_used_at)).toBeGreaterThanOrEqual(before);
  });

  test('takes the leading digits of an id, and no name', async () => {
    const { id } = await created(alice, 'leading');
    const show = (form: string): Promise<Received> =>
      server.send('GET', `${path}/${form}`, { headers: alice.byPassword });
    for (const form of [`${id}`, `000${id}`, `${id}-leading`, `${id}xyz`, `${id}.json`, `${id}/`]) {
      expect([form, (await show(form)).json.id]).toEqual([form, id]);
    }
    for (const form of ['leading', '999999', '0', '99999999999999999999', '-1', 'a%00b', '%27', `x${id}`]) {
      const answer = await show(form);
      const raw = decodeURIComponent(form);
      const message = `Resource personal_access_token not found by id '${raw}'`;
      expect([answer.status, answer.json]).toEqual([404, { error: { message } }]);
    }
  });

  test('does not show a token of another user or of another dialect', async () => {
    const bob = await server.makeUser();
    const { id } = await created(bob, "bob's");
    const { token } = await server.issue({ dialect: 'panther', ownerId: alice.user.id });
    for (const hidden of [id, token.numericId]) {
      const answer = await server.send('GET', `${path}/${hidden}`, { headers: server.asAdmin });
      expect(answer.status).toBe(404);
    }
  });
});

describe('DELETE personal_access_tokens/:id', () => {
  test('answers the revoked record, its times in ISO 8601, and refuses the token at once', async () => {
    const { id, value } = await created(alice, 'ended', { expires_at: '2031-05-06T07:08:09Z' });
    const url = `${path}/${id}`;
    const answer = await server.send('DELETE', url, { headers: alice.byPassword });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json)).toEqual([
      'revoked',
      'id',
      'name',
      'expires_at',
      'last_used_at',
      'user_id',
      'created_at',
      'updated_at',
    ]);
    expect(answer.json).toEqual({
      revoked: true,
      id,
      name: 'ended',
      expires_at: '2031-05-06T07:08:09.000Z',
      last_used_at: null,
      user_id: alice.user.numericId,
      created_at: expect.stringMatching(ISO_TIME),
      updated_at: expect.stringMatching(ISO_TIME),
    });
    expect((await server.send('GET', path, { headers: bearer(value) })).status).toBe(401);
    const shown = await server.send('GET', url, { headers: alice.byPassword });
    expect([shown.json['active?'], shown.json['revoked?']]).toEqual([false, true]);
    const again = await server.send('DELETE', url, { headers: alice.byPassword });
    expect([again.status, again.text]).toEqual([200, answer.text]);
  });

  test('revokes an expired token too', async () => {
    const expiresAt = new Date(Date.now() - 60_000);
    const { token } = await server.issue({ dialect: 'foreman', ownerId: alice.user.id, expiresAt });
    const url = `${path}/${token.numericId}`;
    const before = await server.send('GET', url, { headers: alice.byPassword });
    expect([before.json['active?'], before.json['revoked?']]).toEqual([false, false]);
    const answer = await server.send('DELETE', url, { headers: alice.byPassword });
    expect([answer.status, answer.json.revoked]).toEqual([200, true]);
  });

  test('ignores the body and its content type', async () => {
    const { id } = await created(alice, 'with a body');
    const headers = { ...alice.byPassword, 'content-type': 'text/plain' };
    expect((await server.send('DELETE', `${path}/${id}`, { headers, body: '{no' })).status).toBe(200);
  });

  test('answers 404 for a token that is not there', async () => {
    const answer = await server.send('DELETE', `${path}/none`, { headers: alice.byPassword });
    const message = "Resource personal_access_token not found by id 'none'";
    expect([answer.status, answer.json]).toEqual([404, { error: { message } }]);
  });
});

describe('GET personal_access_tokens', () => {
  let carol: TestUser;
  let list: (query?: string) => Promise<Received>;
  beforeAll(async () => {
    carol = await server.makeUser();
    list = (query = '') => server.send('GET', `${pathOf(carol)}${query}`, { headers: carol.byPassword });
    for (let number = 1; number <= 25; number += 1) await created(carol, `token ${number}`);
    await created(carol, 'B');
    await created(carol, 'a');
    await created(carol, 'Z');
    await created(carol, 'é');
  });

  function names({ json }: Received): string[] {
    return json.results.map(({ name }: { name: string }) => name);
  }

  test('answers the first 20 by id, with all that a list says of itself', async () => {
    const answer = await list();
    expect(answer.status).toBe(200);
    const head =
      '{"total":29,"subtotal":29,"page":1,"per_page":20,"search":null,"sort":{"by":null,"order":null},"results":[{"created_at":';
    expect(answer.text.slice(0, head.length)).toBe(head);
    expect(names(answer)).toEqual(Array.from({ length: 20 }, (_, index) => `token ${index + 1}`));
    expect(Object.keys(answer.json.results[0])).toEqual(KEYS);
  });

  test.each([
    ['?page=2', 2, 20, 9],
    ['?page=2&per_page=10', 2, 10, 10],
    ['?page=3&per_page=10', 3, 10, 9],
    ['?page=4&per_page=10', 4, 10, 0],
    ['?page=999999999999&per_page=4294967296', 999999999999, 4294967296, 0],
    ['?per_page=4294967296', 1, 4294967296, 29],
    ['?per_page=all', 1, 29, 29],
    ['?per_page=all&page=7', 7, 29, 29],
    ['?per_page=&page=', 1, 20, 20],
    ['?per_page=3&per_page=5', 1, 5, 5],
  ])('pages %s', async (query, page, perPage, rows) => {
    const { status, json } = await list(query);
    expect(status).toBe(200);
    expect([json.page, json.per_page, json.results.length, json.total]).toEqual([page, perPage, rows, 29]);
  });

  test.each([
    ['page', '0'],
    ['page', '-1'],
    ['page', '1.5'],
    ['page', 'x'],
    ['page', 'all'],
    ['per_page', '0'],
    ['per_page', '-5'],
    ['per_page', '2.0'],
    ['per_page', 'ALL'],
    ['per_page', '1e3'],
    ['page', '99999999999999999999'],
  ])('refuses %s=%s', async (name, value) => {
    const answer = await list(`?${name}=${value}`);
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({
      error: {
        message: expect.stringMatching(`^Invalid parameter '${name}' value "`),
        class: 'Apipie::ParamInvalid',
        parameter_name: name,
      },
    });
  });

  test.each(['page[]=1', 'per_page[a]=1', 'order[]=name', 'page=%00'])('refuses ?%s', async (query) => {
    expect((await list(`?${query}`)).status).toBe(400);
  });

  test.each([
    ['name', ['B', 'Z', 'a', 'token 1'], 'name', 'ASC'],
    ['name DESC', ['é', 'token 9', 'token 8', 'token 7'], 'name', 'DESC'],
    ['name desc', ['é', 'token 9', 'token 8', 'token 7'], 'name', 'desc'],
    ['name down', ['B', 'Z', 'a', 'token 1'], 'name', 'down'],
    ['  id   DESC ', ['é', 'Z', 'a', 'B'], 'id', 'DESC'],
    ['user_id DESC', ['token 1', 'token 2', 'token 3', 'token 4'], 'user_id', 'DESC'],
    ['created_at', ['token 1', 'token 2', 'token 3', 'token 4'], 'created_at', 'ASC'],
    ['expires_at DESC', ['token 1', 'token 2', 'token 3', 'token 4'], 'expires_at', 'DESC'],
    ['last_used_at', ['token 1', 'token 2', 'token 3', 'token 4'], 'last_used_at', 'ASC'],
  ])('sorts by %j', async (order, first, by, direction) => {
    const answer = await list(`?order=${encodeURIComponent(order)}`);
    expect(answer.json.sort).toEqual({ by, order: direction });
    expect(names(answer).slice(0, 4)).toEqual(first);
  });

  test('refuses an order by a field that it does not have', async () => {
    const answer = await list('?order=token%20DESC');
    expect(answer.status).toBe(400);
    const message = "the field 'token' in the order statement is not valid field for search";
    expect(answer.json).toEqual({ error: { message, class: 'ScopedSearch::QueryNotSupported' } });
  });

  test('takes a blank order for none', async () => {
    expect((await list('?order=%20')).json.sort).toEqual({ by: null, order: null });
  });

  test('lists revoked and expired tokens too', async () => {
    const dave = await server.makeUser();
    const { id } = await created(dave, 'revoked');
    await server.send('DELETE', `${pathOf(dave)}/${id}`, { headers: dave.byPassword });
    await server.issue({ dialect: 'foreman', ownerId: dave.user.id, expiresAt: new Date(0) });
    const answer = await server.send('GET', pathOf(dave), { headers: dave.byPassword });
    expect(answer.json.total).toBe(2);
  });

  test('says with include_permissions what the caller may, before the sort', async () => {
    const own = await list('?include_permissions&per_page=1');
    expect(Object.keys(own.json)).toEqual([
      'total',
      'subtotal',
      'page',
      'per_page',
      'search',
      'can_create',
      'can_edit',
      'sort',
      'results',
    ]);
    expect([own.json.can_create, own.json.can_edit]).toEqual([true, true]);
    const viewer = await server.makeUser({ permissions: ['view_personal_access_tokens', 'view_users'] });
    const url = `${pathOf(carol)}?include_permissions=1`;
    const { json } = await server.send('GET', url, { headers: viewer.byPassword });
    expect([json.total, json.can_create, json.can_edit]).toEqual([29, false, false]);
  });
});

describe('the user of a path', () => {
  test('is named by number, by number and anything, or by login', async () => {
    const { numericId } = alice.user;
    const forms = [
      `${numericId}`,
      `00${numericId}`,
      `${numericId}-alice`,
      `${numericId}-x%2Fy`,
      'alice',
      'ALICE',
    ];
    for (const form of forms) {
      for (const headers of [alice.byPassword, server.asAdmin]) {
        const answer = await server.send('GET', `/api/users/${form}/personal_access_tokens`, { headers });
        expect([form, answer.status]).toEqual([form, 200]);
      }
    }
  });

  test.each([
    ['nobody', '"nobody"'],
    ['999999', '"999999"'],
    ['99999999999999999999', '"99999999999999999999"'],
    ['5xyz', '"5xyz"'],
    ['a%00b', '"a\\u0000b"'],
    ['%22%5C', '"\\"\\\\"'],
    ['%23%7Bx%7D', '"\\#{x}"'],
  ])('is not %s', async (form, shown) => {
    const url = `/api/users/${form}/personal_access_tokens`;
    const answer = await server.send('GET', url, { headers: server.asAdmin });
    const message = `Couldn't find User with 'id'=${shown}`;
    expect([answer.status, answer.json]).toEqual([422, { error: { message } }]);
  });

  test('is not one of another organization, nor a deleted one', async () => {
    const other = await server.organization('Other');
    const stranger = await server.makeUser({ organizationId: other.id });
    const permissions = ['view_personal_access_tokens', 'view_users'] as const;
    const viewer = await server.makeUser({ permissions: [...permissions] });
    const chief = await server.makeUser({ permissions: [...permissions], role: 'organizationAdministrator' });
    const text = `{"error":{"message":"Couldn't find User with 'id'=\\"${stranger.user.numericId}\\""}}`;
    for (const { byPassword: headers } of [viewer, chief]) {
      const answer = await server.send('GET', pathOf(stranger), { headers });
      expect([answer.status, answer.text]).toEqual([422, text]);
    }
    expect((await server.send('GET', pathOf(stranger), { headers: server.asAdmin })).status).toBe(200);
    const gone = await server.makeUser();
    await server.app.dataSource.query('UPDATE users SET deleted_at = now() WHERE id = $1', [gone.user.id]);
    expect((await server.send('GET', pathOf(gone), { headers: server.asAdmin })).status).toBe(422);
  });
});

describe('permissions on the tokens of others', () => {
  const MATRIX = [
    { permissions: [], index: 403, create: 403, show: 403, destroy: 403 },
    { permissions: ['view_users', 'edit_users'], index: 403, create: 403, show: 403, destroy: 403 },
    { permissions: ['view_personal_access_tokens'], index: 'empty', create: 403, show: 404, destroy: 403 },
    {
      permissions: ['view_personal_access_tokens', 'view_users'],
      index: 200,
      create: 403,
      show: 200,
      destroy: 403,
    },
    { permissions: ['create_personal_access_tokens'], index: 403, create: 403, show: 403, destroy: 403 },
    { permissions: ['revoke_personal_access_tokens'], index: 403, create: 403, show: 403, destroy: 404 },
    {
      permissions: ['revoke_personal_access_tokens', 'edit_users'],
      index: 403,
      create: 403,
      show: 403,
      destroy: 200,
    },
  ] as const;

  test.each(MATRIX)('with $permissions', async ({ permissions, ...expected }) => {
    const helper = await server.makeUser({ permissions: [...permissions] });
    const { user } = helper;
    const byToken = await server.issue({ dialect: 'foreman', ownerId: user.id, scopes: ['foreman:*'] });
    for (const [way, headers] of Object.entries({
      password: helper.byPassword,
      token: bearer(byToken.value),
    })) {
      const bob = await server.makeUser();
      const { id } = await created(bob, 'to be seen');
      const index = await server.send('GET', pathOf(bob), { headers });
      const create_ = await server.send('POST', pathOf(bob), { headers, body: { name: 'by another' } });
      const show = await server.send('GET', `${pathOf(bob)}/${id}`, { headers });
      const destroy = await server.send('DELETE', `${pathOf(bob)}/${id}`, { headers });
      const seen = index.status === 200 && index.json.total === 0 ? 'empty' : index.status;
      expect({
        way,
        index: seen,
        create: create_.status,
        show: show.status,
        destroy: destroy.status,
      }).toEqual({
        way,
        ...expected,
      });
    }
  });

  test('are asked for before anything is looked up, and named', async () => {
    const member = await server.makeUser();
    const ask = (method: string, url: string): Promise<Received> =>
      server.send(method, `/api/users/${url}`, {
        headers: member.byPassword,
        ...(method === 'POST' ? { body: {} } : {}),
      });
    for (const [method, url, permission] of [
      ['GET', 'nobody/personal_access_tokens', 'view_personal_access_tokens'],
      ['GET', '999999/personal_access_tokens/1?organization_id=nowhere', 'view_personal_access_tokens'],
      ['POST', 'nobody/personal_access_tokens', 'create_personal_access_tokens'],
      ['DELETE', 'nobody/personal_access_tokens/1', 'revoke_personal_access_tokens'],
    ] as const) {
      const answer = await ask(method, url);
      expect([answer.status, answer.text]).toEqual([
        403,
        `{"error":{"message":"Access denied","details":"Missing one of the required permissions: ${permission}","missing_permissions":["${permission}"]}}`,
      ]);
    }
  });

  test("do not count on one's own tokens, but a token of another dialect needs the scope", async () => {
    const eve = await server.makeUser();
    const issue = (scopes: string[]): Promise<{ value: string }> =>
      server.issue({ dialect: 'patois', ownerId: eve.user.id, scopes });
    for (const [scopes, status] of [
      [['foreman:view_personal_access_tokens'], 200],
      [['foreman:*'], 200],
      [['*'], 200],
      [['foreman:create_personal_access_tokens'], 403],
      [['patois:*'], 403],
      [[], 403],
    ] as const) {
      const { value } = await issue([...scopes]);
      const answer = await server.send('GET', pathOf(eve), { headers: bearer(value) });
      const missing = answer.json.error?.missing_permissions ?? null;
      const named = status === 403 ? ['view_personal_access_tokens'] : null;
      expect([scopes, answer.status, missing]).toEqual([scopes, status, named]);
    }
  });

  test("end where the token's scopes end, also for an administrator", async () => {
    const { id: ownerId } = await server.admin();
    const scopes = ['foreman:view_personal_access_tokens'];
    const { value } = await server.issue({ dialect: 'foreman', ownerId, scopes });
    const answer = await server.send('GET', path, { headers: bearer(value) });
    expect([answer.status, answer.json.total]).toEqual([200, 0]);
  });
});

describe('contexts', () => {
  let organizationId: number;
  let placeId: number;
  let local: TestUser;
  beforeAll(async () => {
    const accounts = server.app.nest.get(AccountsService, { strict: false });
    const place = await accounts.createLocation('Lyon', SYSTEM);
    await accounts.createLocation('Oslo', SYSTEM);
    placeId = place.numericId;
    organizationId = (await server.organization('Default')).numericId;
    local = await server.makeUser({
      locations: [place],
      permissions: ['view_personal_access_tokens', 'view_users'],
    });
    await server.organization('Elsewhere');
  });

  test('are named by id, by id and name, or by name; empty ones are any', async () => {
    const contexts = [
      `organization_id=${organizationId}`,
      `organization_id=${organizationId}-default`,
      'organization_id=Default',
      `location_id=${placeId}`,
      `location_id=${placeId}-lyon&organization_id=Default`,
      'location_id=Lyon',
      'location_id=&organization_id=',
    ];
    for (const query of contexts) {
      for (const headers of [local.byPassword, server.asAdmin]) {
        const answer = await server.send('GET', `${pathOf(local)}?${query}`, { headers });
        expect([query, answer.status]).toEqual([query, 200]);
      }
    }
  });

  test.each([
    ['organization_id=999', 'Organization with id 999 not found'],
    ['location_id=nowhere', 'Location with id nowhere not found'],
    ['organization_id=999&location_id=998', 'Location with id 998 not found'],
    ['organization_id=999999999999', 'Organization with id 999999999999 not found'],
    ['organization_id=a%00b', 'Organization with id a\u0000b not found'],
    ['organization_id=1x', 'Organization with id 1x not found'],
    ['location_id[]=1', 'Location with id ["1"] not found'],
  ])('that are unknown are 404: %s', async (query, message) => {
    const answer = await server.send('GET', `${path}?${query}`, { headers: server.asAdmin });
    expect([answer.status, answer.json]).toEqual([404, { message }]);
  });

  test("are the caller's own, unless an administrator calls", async () => {
    for (const [query, kind, id] of [
      ['organization_id=Elsewhere', 'Organization', 'Elsewhere'],
      ['location_id=Oslo', 'Location', 'Oslo'],
    ]) {
      const answer = await server.send('GET', `${pathOf(local)}?${query}`, { headers: local.byPassword });
      expect([answer.status, answer.json]).toEqual([404, { message: `${kind} with id ${id} not found` }]);
    }
  });

  test('hide users that they do not hold', async () => {
    for (const query of ['organization_id=Elsewhere', 'location_id=Oslo', 'location_id=Lyon']) {
      const answer = await server.send('GET', `${path}?${query}`, { headers: server.asAdmin });
      const message = `Couldn't find User with 'id'="${alice.user.numericId}"`;
      expect([query, answer.status, answer.json]).toEqual([query, 422, { error: { message } }]);
    }
    const answer = await server.send('GET', `${path}?location_id=Lyon`, { headers: local.byPassword });
    expect(answer.status).toBe(422);
  });

  test('also come in the body', async () => {
    const answer = await create(alice, { name: 'x' }, { body: { name: 'x', location_id: 998 } });
    expect([answer.status, answer.json]).toEqual([404, { message: 'Location with id 998 not found' }]);
    const fine = await create(alice, {}, { body: { name: 'in context', organization_id: organizationId } });
    expect(fine.status).toBe(201);
  });
});

describe('credentials', () => {
  const refusal = (message: string): object => ({ error: { message } });

  test('that are missing, wrong or cannot be read are 401, naming the login', async () => {
    for (const [headers, shown] of [
      [{}, ''],
      [basic('alice', 'wrong password'), 'alice'],
      [basic('Nobody', 'x'), 'Nobody'],
      [{ authorization: 'Basic %%%' }, ''],
      [{ authorization: 'Basic' }, ''],
      [{ authorization: 'Bearer nonsense' }, ''],
      [{ authorization: 'Digest x' }, ''],
    ] as [Record<string, string>, string][]) {
      const answer = await server.send('GET', path, { headers });
      expect([answer.status, answer.json]).toEqual([401, refusal(`Unable to authenticate user ${shown}`)]);
      expect(answer.headers['foreman_version']).toBeUndefined();
      expect(answer.headers['foreman_api_version']).toBeUndefined();
      expect(answer.headers['apipie-checksum']).toBeDefined();
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  });

  test('take the login in any case, the scheme too, and a token in place of the password', async () => {
    const { value } = await created(alice, 'as password');
    const lower = { authorization: basic('alice', value)['authorization']!.replace('Basic', 'bAsIc') };
    for (const headers of [lower, basic('Alice', value), bearer(value), basic('ALICE', alice.password)]) {
      expect((await server.send('GET', path, { headers })).status).toBe(200);
    }
    const answer = await server.send('GET', path, { headers: basic('admin', value) });
    expect([answer.status, answer.json]).toEqual([401, refusal('Unable to authenticate user admin')]);
    const swapped = await server.send('GET', path, { headers: basic(value, value) });
    expect([swapped.status, swapped.json]).toEqual([401, refusal('Unable to authenticate user ')]);
  });

  test('of an expired token are 401, and from a wrong address 403', async () => {
    const whole = { dialect: 'foreman', ownerId: alice.user.id, scopes: ['foreman:*'] };
    const expired = await server.issue({ ...whole, expiresAt: new Date(Date.now() - 1000) });
    const answer = await server.send('GET', path, { headers: basic('alice', expired.value) });
    expect([answer.status, answer.json]).toEqual([401, refusal('Unable to authenticate user alice')]);
    const elsewhere = await server.issue({ ...whole, allowedCidrs: ['203.0.113.0/24'] });
    const denied = await server.send('GET', path, { headers: bearer(elsewhere.value) });
    expect([denied.status, denied.text]).toEqual([403, '{"error":{"message":"Access denied"}}']);
  });

  test('of a disabled user are 401 and say so', async () => {
    const frank = await server.makeUser();
    const { value } = await created(frank, 'of the disabled');
    const accounts = server.app.nest.get(AccountsService, { strict: false });
    await server.app.dataSource.transaction((manager) =>
      accounts.updateUser(frank.user.id, { disabled: true }, SYSTEM, manager),
    );
    const message = 'User account is disabled, please contact your administrator';
    for (const headers of [frank.byPassword, bearer(value)]) {
      const answer = await server.send('GET', pathOf(frank), { headers });
      expect([answer.status, answer.json]).toEqual([401, refusal(message)]);
    }
  });

  test('are never repeated, wherever a token is put', async () => {
    const { value } = await created(alice, 'leaked');
    const elsewhere = [
      ['GET', `/api/users/${value}/personal_access_tokens`],
      ['GET', `${path}/${value}`],
      ['GET', `${path}?organization_id=${value}`],
      ['GET', `${path}?order=${value}`],
      ['GET', `${path}?page=${value}`],
      ['GET', `${path}?search=${value}`],
    ] as const;
    for (const [method, url] of elsewhere) {
      const answer = await server.send(method, url, { headers: server.asAdmin });
      expect([url, answer.text.includes(value.slice(16))]).toEqual([url, false]);
    }
    const answer = await create(alice, { name: 'x', expires_at: value });
    expect([answer.status, answer.text.includes(value.slice(16))]).toEqual([422, false]);
  });
});

describe('bodies and paths', () => {
  test('malformed JSON is answered before credentials are looked at, and not wrapped', async () => {
    for (const body of ['{', '{"name":}', `${'['.repeat(20_000)}`, '{"__proto__": 1']) {
      const answer = await server.send('POST', path, {
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(answer.status).toBe(400);
      expect(Object.keys(answer.json)).toEqual(['status', 'error']);
      expect(answer.json.error).toMatch(/^There was a problem in the JSON you submitted: ./);
      expect(answer.headers['foreman_version']).toBe('3.13.0');
    }
  });

  test('a content type that is not JSON is answered after credentials', async () => {
    for (const type of ['text/plain', 'application/vnd.api+json', 'application/x-www-form-urlencoded']) {
      const headers = { 'content-type': type };
      const sent = { headers: { ...alice.byPassword, ...headers }, body: 'name=x' };
      expect((await server.send('POST', path, { headers, body: 'name=x' })).status).toBe(401);
      const answer = await server.send('POST', path, sent);
      const message = `Media type in 'Content-Type: ${type}' is unsupported in API v2 for POST and PUT requests. Please use 'Content-Type: application/json'.`;
      expect([answer.status, answer.json]).toEqual([415, { error: { message } }]);
    }
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'text/x-json', 'APPLICATION/JSON'])(
    'reads %s',
    async (type) => {
      const headers = { ...alice.byPassword, 'content-type': type };
      const body = JSON.stringify({ name: `as ${type}` });
      expect((await server.send('POST', path, { headers, body })).status).toBe(201);
    },
  );

  test('a body that is too large is 413, in these words too', async () => {
    const answer = await create(alice, { name: 'x'.repeat(1024 * 1024) });
    expect([answer.status, Object.keys(answer.json)]).toEqual([413, ['error']]);
  });

  test('the same calls are answered below /api/v2, with an ending .json, a trailing slash, doubled slashes', async () => {
    const { id } = await created(alice, 'spelled');
    const { numericId } = alice.user;
    for (const prefix of ['/api', '/api/v2', '//api//v2']) {
      for (const ending of ['', '.json', '/', '.json/']) {
        for (const rest of ['', `/${id}`]) {
          const url = `${prefix}/users/${numericId}/personal_access_tokens${rest}${ending}`;
          const answer = await server.send('GET', `${url}?page=1`, { headers: alice.byPassword });
          expect([url, answer.status]).toEqual([url, 200]);
        }
      }
    }
    const headers = { ...alice.byPassword, accept: 'application/json;version=2' };
    const url = `/api/v2/users/${numericId}/personal_access_tokens.json`;
    expect((await server.send('POST', url, { headers, body: { name: 'spelled too' } })).status).toBe(201);
    expect(
      (await server.send('DELETE', `/api/v2/users/alice/personal_access_tokens/${id}.json`, { headers }))
        .status,
    ).toBe(200);
  });

  test('other methods and unknown paths are 404 in JSON, never 405', async () => {
    const { id } = await created(alice, 'other methods');
    for (const [method, url] of [
      ['PUT', path],
      ['PATCH', path],
      ['DELETE', path],
      ['PUT', `${path}/${id}`],
      ['PATCH', `${path}/${id}`],
      ['POST', `${path}/${id}`],
      ['GET', '/api'],
      ['GET', '/api/nothing'],
      ['GET', '/api/v2/nothing'],
      ['GET', '/api/v3/users'],
      ['GET', '/apidoc/nothing'],
      ['GET', `${path}/${id}/more`],
      ['GET', '/api/users/%zz/personal_access_tokens'],
    ] as const) {
      const answer = await server.send(method, url, { headers: server.asAdmin, body: {} });
      expect([method, url, answer.status]).toEqual([method, url, 404]);
      expect(Object.keys(answer.json)).toEqual(['error']);
      expect(answer.headers['allow']).toBeUndefined();
    }
  });

  test('every answer but 401 names version and API version, and every one the checksum of the description', async () => {
    const answers = [
      await server.send('GET', path, { headers: alice.byPassword }),
      await server.send('GET', `${path}/none`, { headers: alice.byPassword }),
      await server.send('GET', '/api/nothing'),
    ];
    for (const { headers } of answers) {
      expect(headers['foreman_version']).toBe('3.13.0');
      expect(headers['foreman_api_version']).toBe('2');
      expect(headers['apipie-checksum']).toBeDefined();
      expect(headers['set-cookie']).toBeUndefined();
    }
  });
});
