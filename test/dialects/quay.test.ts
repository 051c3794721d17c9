import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { DialectRegistry } from '../../src/protocol/dialect-registry.js';
import { type Dialect } from '../../src/protocol/dialect.js';
import { Token } from '../../src/tokens/token.entity.js';
import { basic, bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const TOKENS = '/api/v1/user/apptoken';
const ALL_TOKENS = '/api/v1/superuser/apptokens';
const TOKEN = /^pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/;
const RFC_2822 =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d -0000$/;
const KEYS = ['uuid', 'title', 'last_accessed', 'created', 'expiration'];
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let server: TestServer;
let owner: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  owner = await server.makeUser();
  stranger = await server.makeUser();
});
afterAll(() => server.close());

interface AppToken {
  token: Token;
  uuid: string;
  value: string;
  headers: Record<string, string>;
}

/** Issues past the dialect: with any scopes, expiry (in ms from now) and blocks. */
async function makeToken(
  user = owner,
  {
    scopes = ['user:admin'],
    expiresIn,
    allowedCidrs = [] as string[],
    inactive = false,
    name = 'laptop',
  }: Options = {},
): Promise<AppToken> {
  const expiresAt = expiresIn === undefined ? null : new Date(Date.now() + expiresIn);
  const spec = { dialect: 'quay', ownerId: user.user.id, name, scopes, expiresAt, allowedCidrs, inactive };
  const { token, value } = await server.issue(spec);
  return { token, uuid: token.id, value, headers: bearer(value) };
}
interface Options {
  scopes?: string[];
  expiresIn?: number;
  allowedCidrs?: string[];
  inactive?: boolean;
  name?: string;
}

function create(body: unknown, headers = owner.byPassword): Promise<Received> {
  return server.send('POST', TOKENS, { headers, body });
}

function get(uuid: string, headers = owner.byPassword): Promise<Received> {
  return server.send('GET', `${TOKENS}/${uuid}`, { headers });
}

function revoke(uuid: string, headers = owner.byPassword): Promise<Received> {
  return server.send('DELETE', `${TOKENS}/${uuid}`, { headers });
}

async function listed(user: TestUser, query = ''): Promise<string[]> {
  const { json } = await server.send('GET', TOKENS + query, { headers: user.byPassword });
  return json.tokens.map(({ uuid }: { uuid: string }) => uuid);
}

/** Asserts an error to the byte. */
function expectError({ status, text }: Received, error: number, type: string, detail?: string): void {
  const said = detail ?? JSON.parse(text).detail;
  expect(said).not.toBe('');
  const body = {
    detail: said,
    error_message: said,
    error_type: type,
    title: type,
    type: `${server.url}/api/v1/error/${type}`,
    status: error,
  };
  expect({ status, text }).toEqual({ status: error, text: JSON.stringify(body) });
}

const unauthenticated = (answer: Received): void =>
  expectError(answer, 401, 'invalid_token', 'Requires authentication');
const forbidden = (answer: Received): void => expectError(answer, 403, 'insufficient_scope', 'Unauthorized');
const notFound = (answer: Received): void => expectError(answer, 404, 'not_found', 'Not Found');

describe('POST /api/v1/user/apptoken', () => {
  test('answers 201 with the token, its code last', async () => {
    const { status, headers, json } = await create({ title: 'laptop' });
    expect(status).toBe(201);
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(Object.keys(json)).toEqual(['token']);
    expect(Object.keys(json.token)).toEqual([...KEYS, 'token_code']);
    expect(json.token).toEqual({
      uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      title: 'laptop',
      last_accessed: null,
      created: expect.stringMatching(RFC_2822),
      expiration: null,
      token_code: expect.stringMatching(TOKEN),
    });
    expect(Math.abs(Date.parse(json.token.created) - Date.now())).toBeLessThan(10_000);
  });

  test('makes a token that manages its siblings at once', async () => {
    const { json } = await create({ title: 'first' });
    const sibling = await create({ title: 'second' }, bearer(json.token.token_code));
    expect(sibling.status).toBe(201);
    expect((await revoke(sibling.json.token.uuid, bearer(json.token.token_code))).status).toBe(204);
  });

  test.each(['Bearer', 'bearer', 'BEARER'])('takes the scheme as %s', async (scheme) => {
    const { value } = await makeToken();
    const { status } = await create({ title: 'x' }, { authorization: `${scheme} ${value}` });
    expect(status).toBe(201);
  });

  test('keeps no copy of the value', async () => {
    const { json } = await create({ title: 'unkept' });
    const [{ row }] = await server.app.dataSource.query(
      'SELECT to_jsonb(tokens) AS row FROM tokens WHERE id = $1',
      [json.token.uuid],
    );
    expect(row.sealed_value).toBeNull();
    expect(JSON.stringify(row)).not.toContain(json.token.token_code.slice(16));
  });

  test.each([
    ['spaces around it', '  laptop '],
    ['one character', 'x'],
    ['255 code points of two units each', '🐙'.repeat(255)],
    ['another script and a line break', 'ноутбук\n電腦'],
  ])('keeps a title with %s as it is sent', async (_, title) => {
    const { status, json } = await create({ title });
    expect({ status, title: json.token.title }).toEqual({ status: 201, title });
    expect((await get(json.token.uuid)).json.token.title).toBe(title);
  });

  test('titles need not be unique, and other keys are ignored', async () => {
    const body = { title: 'twin', friendlyName: 'x', uuid: 'y', token_code: null };
    const [one, other] = [await create(body), await create(body)];
    expect([one.status, other.status]).toEqual([201, 201]);
    expect(one.json.token.uuid).not.toBe(other.json.token.uuid);
  });

  test.each([
    ['no title', '{}', "'title' is a required property"],
    ['another key alone', '{"friendlyName":"x"}', "'title' is a required property"],
    ['a number', '{"title":5}', "5 is not of type 'string'"],
    ['a fraction', '{"title":1.5}', "1.5 is not of type 'string'"],
    ['a small number', '{"title":1e-7}', "1e-07 is not of type 'string'"],
    ['null', '{"title":null}', "None is not of type 'string'"],
    ['true', '{"title":true}', "True is not of type 'string'"],
    ['false', '{"title":false}', "False is not of type 'string'"],
    ['a list', '{"title":["a"]}', "['a'] is not of type 'string'"],
    [
      'an object',
      '{"title":{"a":[1,null,"it\'s"],"b":{}}}',
      `{'a': [1, None, "it's"], 'b': {}} is not of type 'string'`,
    ],
    [
      'text that Python escapes',
      '["\\n\\t\\\\ \\"\' \\u0001\\u00a0\\u2028é😀"]',
      `['\\n\\t\\\\ "\\' \\x01\\xa0\\u2028é😀'] is not of type 'object'`,
    ],
    ['a body that is a number', '5', "5 is not of type 'object'"],
    ['a body that is a list', '[]', "[] is not of type 'object'"],
    ['a body that is text', '"x"', "'x' is not of type 'object'"],
    ['a body that is false', 'false', "False is not of type 'object'"],
    ['a body that is null', 'null', 'Missing JSON body'],
    ['no body', '', 'Missing JSON body'],
    ['malformed JSON', '{"title":', 'Malformed JSON body'],
    ['JSON nested 20,000 deep', '['.repeat(20_000), 'Malformed JSON body'],
    ['an empty title', '{"title":""}', "'title' is blank"],
    ['a blank title', '{"title":" \\t\\u3000"}', "'title' is blank"],
    ['256 code points', JSON.stringify({ title: '🐙'.repeat(256) }), "'title' is longer than 255 characters"],
    ['a NUL', '{"title":"a\\u0000b"}', 'title contains invalid characters'],
    ['a lone surrogate', '{"title":"a\\ud800b"}', 'title contains invalid characters'],
    ['an expiration that is no text', '{"title":"x","expiration":5}', "5 is not of type 'string'"],
    ['a null expiration', '{"title":"x","expiration":null}', "None is not of type 'string'"],
    ['a malformed expiration', '{"title":"x","expiration":"tomorrow"}', "'tomorrow' is not a 'date-time'"],
    [
      'an expiration without a zone',
      '{"title":"x","expiration":"2099-01-01T00:00:00"}',
      "'2099-01-01T00:00:00' is not a 'date-time'",
    ],
    [
      'a day that is not',
      '{"title":"x","expiration":"2099-02-30T00:00:00Z"}',
      "'2099-02-30T00:00:00Z' is not a 'date-time'",
    ],
    [
      'a past expiration',
      '{"title":"x","expiration":"2020-01-01T00:00:00Z"}',
      "'2020-01-01T00:00:00Z' is in the past",
    ],
  ])('refuses %s with 400', async (_, body, detail) => {
    const headers = { ...owner.byPassword, 'content-type': 'application/json' };
    expectError(await server.send('POST', TOKENS, { headers, body }), 400, 'invalid_request', detail);
  });

  test('an error repeats no token that somebody sent in the wrong place', async () => {
    const { value } = await makeToken();
    const answer = await create({ title: [value] });
    expectError(answer, 400, 'invalid_request', `['${value.slice(0, 16)}…'] is not of type 'string'`);
  });

  test.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'text/json', 'nonsense'])(
    'refuses a body of content type %s with 415',
    async (type) => {
      const headers = { ...owner.byPassword, ...(type === undefined ? {} : { 'content-type': type }) };
      const answer = await server.send('POST', TOKENS, { headers, body: '{"title":"x"}' });
      expectError(answer, 415, 'unsupported_media_type');
    },
  );

  test.each(['application/json; charset=utf-8', 'application/vnd.api+json', 'APPLICATION/JSON'])(
    'takes a body of content type %s',
    async (type) => {
      const headers = { ...owner.byPassword, 'content-type': type };
      expect((await server.send('POST', TOKENS, { headers, body: '{"title":"x"}' })).status).toBe(201);
    },
  );

  test('refuses a body of 1 MiB with 413', async () => {
    expectError(await create({ title: 'x'.repeat(1 << 20) }), 413, 'payload_too_large');
  });

  test.each([
    ['2099-01-01T00:00:00Z', 'Thu, 01 Jan 2099 00:00:00 -0000'],
    ['2099-01-01T00:00:00.25+02:00', 'Wed, 31 Dec 2098 22:00:00 -0000'],
    ['2096-02-29t00:00:00z', 'Wed, 29 Feb 2096 00:00:00 -0000'],
  ])('honours the expiration %s', async (expiration, shown) => {
    const { status, json } = await create({ title: 'x', expiration });
    expect({ status, expiration: json.token.expiration }).toEqual({ status: 201, expiration: shown });
  });

  test('asks for credentials first, then the scope, then the body', async () => {
    const { headers } = await makeToken(owner, { scopes: ['user:read'] });
    for (const body of ['{}', '{"title":', 'x'.repeat(1 << 20)]) {
      const type = { 'content-type': 'application/json' };
      unauthenticated(await server.send('POST', TOKENS, { headers: type, body }));
      forbidden(await server.send('POST', TOKENS, { headers: { ...type, ...headers }, body }));
    }
    unauthenticated(await server.send('POST', TOKENS, { body: '{}' }));
    forbidden(await server.send('POST', TOKENS, { headers, body: '{}' }));
  });

  test('a confined token cannot make one that works everywhere', async () => {
    const { headers } = await makeToken(owner, { allowedCidrs: ['127.0.0.0/8'] });
    forbidden(await create({ title: 'x' }, headers));
  });

  test("writes one event under Quay's name, without the code", async () => {
    const { json } = await create({ title: 'audited' });
    const objectId = json.token.token_code.slice(0, 15);
    const events = await server.app.dataSource.manager.findBy(AuditEvent, { objectId });
    expect(events).toMatchObject([
      {
        action: 'token.create',
        alias: 'create_app_specific_token',
        actorType: 'user',
        actorId: owner.user.id,
        address: '127.0.0.1',
        after: { name: 'audited', uuid: json.token.uuid, scopes: ['user:admin'] },
      },
    ]);
  });
});

describe('GET /api/v1/user/apptoken', () => {
  test('lists the own tokens, oldest first, without a code', async () => {
    const user = await server.makeUser();
    const { json: one } = await create({ title: 'one' }, user.byPassword);
    const { json: two } = await create({ title: 'two' }, user.byPassword);
    const { status, json } = await server.send('GET', TOKENS, { headers: user.byPassword });
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual(['tokens', 'only_expiring']);
    expect(json.only_expiring).toBeNull();
    expect(json.tokens.map(({ uuid }: { uuid: string }) => uuid)).toEqual([one.token.uuid, two.token.uuid]);
    for (const token of json.tokens) expect(Object.keys(token)).toEqual(KEYS);
  });

  test('tokens made in one moment come in the order of their ids', async () => {
    const user = await server.makeUser();
    const made = [await makeToken(user), await makeToken(user), await makeToken(user)];
    await server.app.dataSource.manager.update(Token, { ownerId: user.user.id }, { createdAt: new Date() });
    expect(await listed(user)).toEqual(made.map(({ uuid }) => uuid).sort());
  });

  test('is empty for a user without tokens', async () => {
    const { byPassword } = await server.makeUser();
    const { text } = await server.send('GET', TOKENS, { headers: byPassword });
    expect(text).toBe('{"tokens":[],"only_expiring":null}');
  });

  test("shows neither another user's, nor another dialect's, nor a revoked token", async () => {
    const user = await server.makeUser();
    const own = await makeToken(user);
    const revoked = await makeToken(user);
    await server.revoke(revoked.token);
    await makeToken(stranger);
    await server.issue({ dialect: 'patois', ownerId: user.user.id, scopes: ['*'] });
    expect(await listed(user)).toEqual([own.uuid]);
  });

  test('shows when a token was last used, this very request included', async () => {
    const { uuid, headers } = await makeToken();
    const { json } = await server.send('GET', TOKENS, { headers });
    const token = json.tokens.find((each: { uuid: string }) => each.uuid === uuid);
    expect(token.last_accessed).toMatch(RFC_2822);
    expect(Math.abs(Date.parse(token.last_accessed) - Date.now())).toBeLessThan(10_000);
  });

  test('shows an expired token for one day', async () => {
    const user = await server.makeUser();
    const live = await makeToken(user);
    const expired = await makeToken(user, { expiresIn: -DAY + HOUR });
    await makeToken(user, { expiresIn: -DAY - HOUR });
    expect(await listed(user)).toEqual([live.uuid, expired.uuid]);
  });

  test('`expiring` leaves what expires within 10 % of four weeks where no lifetime is set', async () => {
    const user = await server.makeUser();
    const soon = await makeToken(user, { expiresIn: 241_910_000 });
    await makeToken(user, { expiresIn: 241_930_000 });
    await makeToken(user, { expiresIn: -HOUR });
    await makeToken(user);
    expect(await listed(user, '?expiring=true')).toEqual([soon.uuid]);
    expect(await listed(user, '?expiring=false')).toHaveLength(4);
  });

  test.each([
    ['', null],
    ['?other=1', null],
    ['?expiring=true', true],
    ['?expiring=True', true],
    ['?expiring=no', true],
    ['?expiring=2', true],
    ['?expiring=%00', true],
    ['?expiring=false', false],
    ['?expiring=False', false],
    ['?expiring=FALSE', false],
    ['?expiring=fALSE', true],
    ['?expiring=0', false],
    ['?expiring=null', false],
    ['?expiring=', false],
    ['?expiring', false],
    ['?expiring=false&expiring=true', false],
    ['?expiring=true&expiring=false', true],
    ['?token=x&page=2', null],
  ])('understands the query "%s" as %s', async (query, onlyExpiring) => {
    const { status, json } = await server.send('GET', TOKENS + query, { headers: owner.byPassword });
    expect({ status, onlyExpiring: json.only_expiring }).toEqual({ status: 200, onlyExpiring });
  });

  test('gives all of 10,000 tokens in one answer, with a statement for each thousand', async () => {
    const user = await server.makeUser();
    const { token, headers } = await makeToken(user);
    // The first call of a token may ask more about it than those after it.
    expect((await server.send('GET', TOKENS, { headers })).json.tokens).toHaveLength(1);
    const statements = countStatements();
    await server.send('GET', TOKENS, { headers });
    const few = statements.splice(0);
    await server.app.dataSource.query(
      `INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, scopes, allowed_cidrs, inactive,
         created_at, digest, digest_key, dialect_fields)
       SELECT gen_random_uuid(), 'pt-bulk' || n, dialect, owner_id, organization_id, 'bulk ' || n, scopes, allowed_cidrs,
         false, created_at + n * interval '1 ms', digest, digest_key, dialect_fields
       FROM tokens, generate_series(1, 9999) n WHERE id = $1`,
      [token.id],
    );
    statements.splice(0);
    const { json } = await server.send('GET', TOKENS, { headers });
    expect(few.length).toBeLessThanOrEqual(2);
    expect(statements.length).toBe(few.length + 9);
    // No row is read to be skipped, and of each only what is shown.
    for (const statement of statements.filter((each) => each.includes('ORDER BY')))
      expect(statement).not.toMatch(/OFFSET|digest|sealed_value/);
    const titles = json.tokens.map(({ title }: { title: string }) => title);
    expect(titles).toEqual(['laptop', ...Array.from({ length: 9999 }, (_, n) => `bulk ${n + 1}`)]);
    await server.app.dataSource.query(`DELETE FROM tokens WHERE token_id LIKE 'pt-bulk%'`);
  });
});

/** Every reading statement from now on, as TypeORM sends it; last uses are written now and then by a clock. */
function countStatements(): string[] {
  const statements: string[] = [];
  const { dataSource } = server.app;
  dataSource.logger = Object.assign(Object.create(dataSource.logger), {
    logQuery: (statement: string) => {
      if (statement.startsWith('SELECT')) statements.push(statement);
    },
  });
  return statements;
}

describe('GET /api/v1/user/apptoken/{token_uuid}', () => {
  test('gives a token without its code', async () => {
    const { json: made } = await create({ title: 'laptop' });
    const { status, json } = await get(made.token.uuid);
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual(['token']);
    expect(Object.keys(json.token)).toEqual(KEYS);
    expect({ ...json.token, token_code: made.token.token_code }).toEqual(made.token);
  });

  test("an expired one, another user's, another dialect's, an unknown and a malformed uuid are 404", async () => {
    const expired = await makeToken(owner, { expiresIn: -1000 });
    const foreign = await makeToken(stranger);
    const { token } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] });
    const known = (await makeToken()).uuid;
    const malformed = ['x', '5', known.toUpperCase(), `{${known}}`, '%20', '%zz', 'a'.repeat(300), '%00'];
    for (const uuid of [expired.uuid, foreign.uuid, token.id, randomUUID(), ...malformed])
      notFound(await get(uuid));
  });

  test('an administrator is told no more than anybody', async () => {
    const foreign = await makeToken(stranger);
    notFound(await get(foreign.uuid, server.asAdmin));
    notFound(await revoke(foreign.uuid, server.asAdmin));
  });
});

describe('DELETE /api/v1/user/apptoken/{token_uuid}', () => {
  test('answers 204 with nothing, and the token is dead at once', async () => {
    const { uuid, headers } = await makeToken();
    const { status, text } = await revoke(uuid);
    expect({ status, text }).toEqual({ status: 204, text: '' });
    unauthenticated(await server.send('GET', TOKENS, { headers }));
    notFound(await get(uuid));
  });

  test('a second time it is 404', async () => {
    const { uuid } = await makeToken();
    expect((await revoke(uuid)).status).toBe(204);
    notFound(await revoke(uuid));
  });

  test('of many at once, one succeeds', async () => {
    const { uuid } = await makeToken();
    const answers = await Promise.all(Array.from({ length: 20 }, () => revoke(uuid)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.filter((status) => status === 404)).toHaveLength(19);
  });

  test('an own expired one is 204 until it is purged', async () => {
    const expired = await makeToken(owner, { expiresIn: -1000 });
    expect((await revoke(expired.uuid)).status).toBe(204);
    notFound(await revoke(expired.uuid));
    notFound(await revoke((await makeToken(owner, { expiresIn: -DAY - HOUR })).uuid));
  });

  test('a token can revoke itself', async () => {
    const { uuid, headers } = await makeToken();
    expect((await revoke(uuid, headers)).status).toBe(204);
    unauthenticated(await get(uuid, headers));
  });

  test("another user's, an unknown and a malformed uuid are 404, and nothing is revoked", async () => {
    const foreign = await makeToken(stranger);
    for (const uuid of [foreign.uuid, randomUUID(), 'x']) notFound(await revoke(uuid));
    expect((await get(foreign.uuid, foreign.headers)).status).toBe(200);
  });

  test("writes one event under Quay's name", async () => {
    const { token, uuid } = await makeToken();
    await revoke(uuid);
    await revoke(uuid);
    const events = await server.app.dataSource.manager.findBy(AuditEvent, {
      objectId: token.tokenId,
      action: 'token.revoke',
    });
    expect(events).toMatchObject([
      {
        alias: 'revoke_app_specific_token',
        actorId: owner.user.id,
        address: '127.0.0.1',
        after: { name: 'laptop', uuid },
      },
    ]);
  });

  test('listing and reading are not audited', async () => {
    const { uuid, headers } = await makeToken();
    const events = server.app.dataSource.getRepository(AuditEvent);
    const before = await events.count();
    await server.send('GET', TOKENS, { headers });
    await get(uuid, headers);
    expect(await events.count()).toBe(before);
  });
});

describe('GET /api/v1/superuser/apptokens', () => {
  test('an administrator sees the tokens of all users, and no code', async () => {
    const [one, other] = [await makeToken(), await makeToken(stranger)];
    const revoked = await makeToken(stranger);
    await server.revoke(revoked.token);
    const { status, json } = await server.send('GET', ALL_TOKENS, { headers: server.asAdmin });
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual(['tokens', 'only_expiring']);
    const seen = json.tokens.map(({ uuid }: { uuid: string }) => uuid);
    expect(seen).toEqual(expect.arrayContaining([one.uuid, other.uuid]));
    expect(seen).not.toContain(revoked.uuid);
    for (const token of json.tokens) expect(Object.keys(token)).toEqual(KEYS);
    expect([...json.tokens].sort((a, b) => Date.parse(a.created) - Date.parse(b.created))).toEqual(
      json.tokens,
    );
  });

  test('`expiring` works as in the own list', async () => {
    const soon = await makeToken(stranger, { expiresIn: HOUR });
    const later = await makeToken(stranger);
    const { json } = await server.send('GET', `${ALL_TOKENS}?expiring=true`, { headers: server.asAdmin });
    const seen = json.tokens.map(({ uuid }: { uuid: string }) => uuid);
    expect(json.only_expiring).toBe(true);
    expect(seen).toContain(soon.uuid);
    expect(seen).not.toContain(later.uuid);
  });

  test("an administrator's token needs `super:user`", async () => {
    const { id: ownerId } = await server.admin();
    const superuser = await server.issue({ dialect: 'quay', ownerId, scopes: ['super:user'] });
    const plain = await server.issue({ dialect: 'quay', ownerId, scopes: ['user:admin'] });
    expect((await server.send('GET', ALL_TOKENS, { headers: bearer(superuser.value) })).status).toBe(200);
    forbidden(await server.send('GET', ALL_TOKENS, { headers: bearer(plain.value) }));
    forbidden(await server.send('GET', TOKENS, { headers: bearer(superuser.value) }));
  });

  test('nobody else may, by password or with `super:user`', async () => {
    const { headers } = await makeToken(owner, { scopes: ['super:user'] });
    forbidden(await server.send('GET', ALL_TOKENS, { headers }));
    forbidden(await server.send('GET', ALL_TOKENS, { headers: owner.byPassword }));
    const chief = await server.makeUser({ role: 'organizationAdministrator' });
    forbidden(await server.send('GET', ALL_TOKENS, { headers: chief.byPassword }));
    unauthenticated(await server.send('GET', ALL_TOKENS));
  });
});

describe.each([
  ['POST', TOKENS],
  ['GET', TOKENS],
  ['GET', `${TOKENS}/{own}`],
  ['DELETE', `${TOKENS}/{own}`],
  ['GET', ALL_TOKENS],
])('whoever calls %s %s', (method, path) => {
  let target: AppToken;
  beforeAll(async () => {
    target = await makeToken();
  });
  const call = (headers: Record<string, string | string[]>): Promise<Received> => {
    const body = method === 'POST' ? { title: 'x' } : undefined;
    return server.send(method, path.replace('{own}', target.uuid), { headers, body });
  };

  test('refuses no, wrong, unknown, expired, inactive and revoked credentials alike', async () => {
    const live = await makeToken();
    const revoked = await makeToken();
    await server.revoke(revoked.token);
    const wrongChecksum = live.value.slice(0, -1) + (live.value.endsWith('0') ? '1' : '0');
    const refused: Record<string, string | string[]>[] = [
      {},
      { authorization: 'Bearer' },
      { authorization: 'Bearer x' },
      { authorization: 'Digest x' },
      { authorization: `Bearer ${wrongChecksum}` },
      { authorization: live.value },
      { 'x-api-key': live.value },
      { 'x-yunxiao-token': live.value },
      { cookie: `session=${live.value}` },
      { authorization: 'Bearer x', cookie: `session=${live.value}` },
      (await makeToken(owner, { expiresIn: -1000 })).headers,
      (await makeToken(owner, { inactive: true })).headers,
      revoked.headers,
      basic(owner.user.login, 'wrong'),
      basic('$app', 'wrong'),
      basic(stranger.user.login, live.value),
    ];
    for (const headers of refused) unauthenticated(await call(headers));
    const other = await makeToken();
    const both = { authorization: [`Bearer ${live.value}`, `Bearer ${other.value}`] };
    // Node joins or drops repeated lines; both must be seen.
    unauthenticated(await call(both));
  });

  test('takes no token from the query string', async () => {
    const { value } = await makeToken();
    const body = method === 'POST' ? { title: 'x' } : undefined;
    for (const key of ['access_token', 'token', 'apptoken'])
      unauthenticated(
        await server.send(method, `${path.replace('{own}', target.uuid)}?${key}=${value}`, { body }),
      );
  });

  test('refuses every other scope', async () => {
    const needed = path === ALL_TOKENS ? 'super:user' : 'user:admin';
    const all = ['repo:admin', 'repo:create', 'user:read', 'user:admin', 'org:admin', 'super:user'];
    const scopes = all.filter((scope) => scope !== needed);
    forbidden(await call((await makeToken(owner, { scopes })).headers));
    forbidden(await call((await makeToken(owner, { scopes: [] })).headers));
  });

  test('refuses a token from outside its blocks', async () => {
    const scopes = ['user:admin', 'super:user'];
    forbidden(await call((await makeToken(owner, { scopes, allowedCidrs: ['10.0.0.0/8'] })).headers));
  });

  test("refuses a disabled owner's token", async () => {
    const user = await server.makeUser();
    const { headers } = await makeToken(user);
    await server.app.dataSource.query('UPDATE users SET disabled = true WHERE id = $1', [user.user.id]);
    unauthenticated(await call(headers));
  });
});

describe('credentials', () => {
  test("a token works as the password of HTTP Basic, with its owner's login", async () => {
    const { value } = await makeToken();
    expect((await server.send('GET', TOKENS, { headers: basic(owner.user.login, value) })).status).toBe(200);
  });

  test('a token of the own API with `*` may do all of it', async () => {
    const { value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] });
    expect((await create({ title: 'x' }, bearer(value))).status).toBe(201);
  });

  test('`Content-Type: application/json` without a body is fine on GET and DELETE, and so is a body there', async () => {
    const { uuid, headers } = await makeToken();
    const typed = { ...headers, 'content-type': 'application/json' };
    for (const body of [undefined, '{}', '{"x":']) {
      expect((await server.send('GET', TOKENS, { headers: typed, body })).status).toBe(200);
      expect((await server.send('GET', `${TOKENS}/${uuid}`, { headers: typed, body })).status).toBe(200);
      const sibling = await makeToken();
      const answer = await server.send('DELETE', `${TOKENS}/${sibling.uuid}`, { headers: typed, body });
      expect(answer.status).toBe(204);
    }
  });
});

test('of the scopes, only those of repositories cover one another', () => {
  const { scopes } = server.app.nest.get(DialectRegistry).find('quay') as Dialect;
  const all = [
    'repo:read',
    'repo:write',
    'repo:admin',
    'repo:create',
    'user:read',
    'user:admin',
    'org:admin',
  ];
  all.push('super:user');
  const covered = all.flatMap((held) =>
    all.filter((needed) => scopes.covers(held, needed)).map((needed) => `${held} ${needed}`),
  );
  expect(covered).toEqual(['repo:write repo:read', 'repo:admin repo:read', 'repo:admin repo:write']);
  expect([...all, 'repo', '*', ''].filter((scope) => scopes.isKnown(scope))).toEqual(all);
});

test('headers too large to be read are refused in the same words', async () => {
  const headers = { 'x-padding': 'x'.repeat(20_000) };
  const { status, json } = await server.send('GET', TOKENS, { headers });
  expect({ status, type: json.type }).toEqual({ status: 431, type: '/api/v1/error/invalid_request' });
  expect(Object.keys(json)).toEqual(['detail', 'error_message', 'error_type', 'title', 'type', 'status']);
});

describe('methods and unknown paths', () => {
  test.each([
    [TOKENS, ['PUT', 'PATCH', 'DELETE', 'OPTIONS'], 'GET, HEAD, POST'],
    [`${TOKENS}/x`, ['PUT', 'PATCH', 'POST'], 'DELETE, GET, HEAD'],
    [ALL_TOKENS, ['POST', 'DELETE'], 'GET, HEAD'],
    ['/api/v1/discovery', ['POST'], 'GET, HEAD'],
    ['/api/v1/error/not_found', ['POST'], 'GET, HEAD'],
  ])('%s answers 405 to %j', async (path, methods, allow) => {
    for (const method of methods) {
      const answer = await server.send(method, path, { headers: owner.byPassword });
      expectError(answer, 405, 'method_not_allowed');
      expect(answer.headers.allow).toBe(allow);
    }
  });

  test.each(['/api/v1', '/api/v1/', '/api/v1/user', '/api/v1/nowhere', `${TOKENS}/a/b`, '/api/v1/%zz'])(
    '%s is 404',
    async (path) => {
      notFound(await server.send('GET', path, { headers: owner.byPassword }));
    },
  );

  test('HEAD answers as GET without a body', async () => {
    const { uuid, headers } = await makeToken();
    for (const path of [TOKENS, `${TOKENS}/${uuid}`, '/api/v1/discovery']) {
      const head = await server.send('HEAD', path, { headers });
      const got = await server.send('GET', path, { headers });
      expect({ status: head.status, text: head.text }).toEqual({ status: 200, text: '' });
      expect(head.headers['content-type']).toBe(got.headers['content-type']);
    }
    expect((await server.send('HEAD', TOKENS)).status).toBe(401);
    expect((await server.send('HEAD', `${TOKENS}/x`, { headers })).status).toBe(404);
  });
});

describe('GET /api/v1/error/{error_type}', () => {
  test.each([
    'invalid_token',
    'insufficient_scope',
    'not_found',
    'invalid_request',
    'method_not_allowed',
    'payload_too_large',
    'unsupported_media_type',
    'too_many_requests',
    'internal_error',
    'unavailable',
  ])('describes %s to anybody', async (type) => {
    const { status, json } = await server.send('GET', `/api/v1/error/${type}`);
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual(['type', 'title', 'description']);
    expect(json).toEqual({
      type: `${server.url}/api/v1/error/${type}`,
      title: type,
      description: expect.stringMatching(/\.$/),
    });
  });

  test('is where the `type` of an error leads', async () => {
    const { json } = await server.send('GET', TOKENS);
    const page = await server.send('GET', new URL(json.type).pathname);
    expect(page.json).toMatchObject({ type: json.type, title: json.error_type });
  });

  test.each(['nonsense', 'toString', '__proto__', 'x'.repeat(300)])('%s is 404', async (type) => {
    notFound(await server.send('GET', `/api/v1/error/${type}`));
  });

  test.each(['a/<b>', 'a:b:c', ':'])('the discovery document names no host for the Host %s', async (host) => {
    const { status, json } = await server.send('GET', '/api/v1/discovery', { headers: { host } });
    expect({ status, host: json.host, basePath: json.basePath }).toEqual({
      status: 200,
      host: undefined,
      basePath: '/',
    });
  });

  test('a Host that is none is not repeated', async () => {
    const { json } = await server.send('GET', TOKENS, { headers: { host: 'a/<b>' } });
    expect(json.type).toBe('/api/v1/error/invalid_token');
  });
});

test('too many failed logins are 429 with Retry-After', async () => {
  const user = await server.makeUser();
  let answer: Received;
  let tries = 0;
  do {
    answer = await server.send('GET', TOKENS, { headers: basic(user.user.login, 'wrong') });
    tries += 1;
  } while (answer.status === 401 && tries < 200);
  expectError(answer, 429, 'too_many_requests');
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
});
