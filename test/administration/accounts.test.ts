import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { Token } from '../../src/tokens/token.entity.js';
import { basic, bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let server: TestServer;
let elsewhere: string;
/** Administers the organization Research, and nothing else. */
let head: TestUser;
let member: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  const research = await server.organization('Research');
  elsewhere = (await server.organization('Elsewhere')).id;
  head = await server.makeUser({
    login: 'head',
    role: 'organizationAdministrator',
    organizationId: research.id,
  });
  member = await server.makeUser({ login: 'member', organizationId: research.id });
  stranger = await server.makeUser({ login: 'stranger', organizationId: elsewhere });
});
afterAll(() => server.close());

function call(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<Received> {
  return server.send(method, `/patois/v1${path}`, { headers, ...(body === undefined ? {} : { body }) });
}

function asAdmin(method: string, path: string, body?: unknown): Promise<Received> {
  return call(method, path, server.asAdmin, body);
}

async function byToken(
  ownerId: string,
  scopes: string[],
  allowedCidrs: string[] = [],
): Promise<Record<string, string>> {
  const { value } = await server.issue({ dialect: 'patois', ownerId, scopes, allowedCidrs });
  return bearer(value);
}

function freshLogin(): string {
  return `u${randomBytes(5).toString('hex')}`;
}

describe('POST /patois/v1/users', () => {
  test('makes a member of Default who can log in at once', async () => {
    const login = freshLogin();
    const made = await asAdmin('POST', '/users', { login, password: 'long enough' });
    expect(made.status).toBe(201);
    expect(Object.keys(made.json)).toEqual([
      'id',
      'numericId',
      'losantId',
      'login',
      'name',
      'email',
      'role',
      'permissions',
      'organization',
      'locations',
      'disabled',
      'createdAt',
      'updatedAt',
    ]);
    const { id: organization } = await server.organization('Default');
    expect(made.json).toEqual({
      id: expect.stringMatching(UUID),
      numericId: expect.any(Number),
      losantId: expect.stringMatching(/^[0-9a-f]{24}$/),
      login,
      name: null,
      email: null,
      role: 'member',
      permissions: [],
      organization: { id: organization, name: 'Default' },
      locations: [],
      disabled: false,
      createdAt: expect.stringMatching(INSTANT),
      updatedAt: expect.stringMatching(INSTANT),
    });
    expect((await call('GET', '/me', basic(login, 'long enough'))).json).toEqual({
      user: made.json,
      token: null,
      address: '127.0.0.1',
    });
  });

  test('takes everything that a user has, places by name or uuid', async () => {
    const { json: oslo } = await asAdmin('POST', '/locations', { name: 'Oslo' });
    const { json: rome } = await asAdmin('POST', '/locations', { name: 'Rome' });
    const body = {
      login: `ada.l+${randomBytes(3).toString('hex')}@example.org`,
      email: 'ada@example.org',
      name: '  Ada Lovelace  ',
      role: 'organizationAdministrator',
      permissions: ['view_users', 'edit_users'],
      organization: 'eLSEWHERE',
      locations: ['oslo', rome.id],
    };
    const made = await asAdmin('POST', '/users', body);
    expect(made.json).toMatchObject({
      ...body,
      name: 'Ada Lovelace',
      organization: { id: elsewhere, name: 'Elsewhere' },
      locations: expect.arrayContaining([
        { id: oslo.id, name: 'Oslo' },
        { id: rome.id, name: 'Rome' },
      ]),
    });
    expect((await asAdmin('GET', `/users/${made.json.id}`)).json).toEqual(made.json);
  });

  test.each([
    [{}, '/login'],
    [{ login: '' }, '/login'],
    [{ login: 'with space' }, '/login'],
    [{ login: 'żółw' }, '/login'],
    [{ login: 'a'.repeat(101) }, '/login'],
    [{ login: 5 }, '/login'],
    [{ login: 'fine', password: 'seven77' }, '/password'],
    [{ login: 'fine', password: 'ż'.repeat(37) }, '/password'],
    [{ login: 'fine', password: 'line\nbreak' }, '/password'],
    [{ login: 'fine', email: 'nobody' }, '/email'],
    [{ login: 'fine', name: ' ' }, '/name'],
    [{ login: 'fine', role: 'king' }, '/role'],
    [{ login: 'fine', role: null }, '/role'],
    [{ login: 'fine', permissions: ['fly'] }, '/permissions'],
    [{ login: 'fine', organization: 'Nowhere' }, '/organization'],
    [{ login: 'fine', locations: ['Nowhere'] }, '/locations/0'],
    [{ login: 'fine', admin: true }, '/admin'],
  ])('refuses %j', async (body, pointer) => {
    expectProblem(await asAdmin('POST', '/users', body), 400, pointer);
  });

  test('names every problem at once', async () => {
    const answer = await asAdmin('POST', '/users', { login: '', role: 'king' });
    expectProblem(answer, 400, '/login', '/role');
  });

  test.each([['[]'], ['"text"'], ['7'], ['[[1]]']])('refuses the body %s', async (body) => {
    const headers = { ...server.asAdmin, 'content-type': 'application/json' };
    const answer = await server.send('POST', '/patois/v1/users', { headers, body });
    expect([answer.status, answer.json.title]).toEqual([400, 'Bad Request']);
  });

  test('counts a password in bytes: 72 are taken, of whatever characters', async () => {
    const login = freshLogin();
    const password = 'ż'.repeat(36);
    expect((await asAdmin('POST', '/users', { login, password })).status).toBe(201);
    expect((await call('GET', '/me', basic(login, password))).status).toBe(200);
  });

  test('refuses a token as a password: it could never log in', async () => {
    const { value } = makeToken();
    expectProblem(
      await asAdmin('POST', '/users', { login: freshLogin(), password: value }),
      400,
      '/password',
    );
  });

  test('a login is taken without regard to case, and one of a deleted user is free', async () => {
    const login = freshLogin();
    await asAdmin('POST', '/users', { login });
    expectProblem(await asAdmin('POST', '/users', { login: login.toUpperCase() }), 409, '/login');
    expect((await asAdmin('DELETE', `/users/${login}`)).status).toBe(204);
    expect((await asAdmin('POST', '/users', { login: login.toUpperCase() })).status).toBe(201);
  });

  test('of 10 at once with one login, one is made', async () => {
    const login = freshLogin();
    const answers = await Promise.all(Array.from({ length: 10 }, () => asAdmin('POST', '/users', { login })));
    const statuses = answers.map(({ status }) => status).toSorted((one, other) => one - other);
    expect(statuses).toEqual([201, ...Array<number>(9).fill(409)]);
  });

  test('writes who was made, by whom and from where, and never the password', async () => {
    const login = freshLogin();
    const { json: user } = await asAdmin('POST', '/users', { login, password: 'a very secret one' });
    const admin = await server.admin();
    const event = await server.app.dataSource.manager.findOneByOrFail(AuditEvent, { objectId: user.id });
    expect(event).toMatchObject({
      actorType: 'user',
      actorId: admin.id,
      action: 'user.create',
      objectType: 'user',
      address: '127.0.0.1',
      after: { login, role: 'member' },
    });
    expect(JSON.stringify(event)).not.toMatch(/secret one|\$2[aby]\$/);
  });
});

describe('GET /patois/v1/users', () => {
  test('finds by a part of login, name or email, taking every character as itself', async () => {
    const mark = randomBytes(4).toString('hex');
    const body = { login: freshLogin(), name: `Per_${mark}% Cent`, email: `${mark}@example.org` };
    await asAdmin('POST', '/users', body);
    const found = async (q: string): Promise<string[]> => {
      const { json } = await asAdmin('GET', `/users?q=${encodeURIComponent(q)}`);
      return (json.items as { login: string }[]).map(({ login }) => login);
    };
    expect(await found(`PER_${mark}% c`)).toEqual([body.login]);
    expect(await found(`${mark}@EXAMPLE`)).toEqual([body.login]);
    expect(await found(body.login.slice(1))).toEqual([body.login]);
    expect(await found(`Per%${mark}`)).toEqual([]);
  });

  test('filters by organization and by disabled', async () => {
    const { json: organization } = await asAdmin('POST', '/organizations', {
      name: `Filter ${freshLogin()}`,
    });
    const one = (await asAdmin('POST', '/users', { login: freshLogin(), organization: organization.id }))
      .json;
    const two = (await asAdmin('POST', '/users', { login: freshLogin(), organization: organization.name }))
      .json;
    await asAdmin('PATCH', `/users/${two.id}`, { disabled: true });
    const ids = async (query: string): Promise<string[]> => {
      const { json } = await asAdmin('GET', `/users?organization=${organization.id}${query}`);
      return (json.items as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids('')).toEqual([two.id, one.id]);
    expect(await ids('&disabled=true')).toEqual([two.id]);
    expect(await ids('&disabled=false')).toEqual([one.id]);
    expect((await asAdmin('GET', '/users?organization=Nowhere')).json).toEqual({
      items: [],
      nextCursor: null,
    });
  });

  test('pages newest first, and neither repeats nor drops one when others are made in between', async () => {
    const { json: organization } = await asAdmin('POST', '/organizations', { name: `Paged ${freshLogin()}` });
    const { json: place } = await asAdmin('POST', '/locations', { name: `Place ${freshLogin()}` });
    const { json: other } = await asAdmin('POST', '/locations', { name: `Place ${freshLogin()}` });
    const make = async (): Promise<string> => {
      const locations = [place.name, other.name];
      const body = { login: freshLogin(), organization: organization.id, locations };
      return (await asAdmin('POST', '/users', body)).json.id as string;
    };
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1) made.push(await make());
    const seen: string[] = [];
    let cursor = '';
    do {
      const { json } = await asAdmin('GET', `/users?organization=${organization.id}&limit=2${cursor}`);
      expect(Object.keys(json)).toEqual(['items', 'nextCursor']);
      for (const user of json.items) {
        seen.push(user.id);
        expect(user.locations).toHaveLength(2);
      }
      cursor = json.nextCursor === null ? '' : `&cursor=${json.nextCursor}`;
      if (seen.length === 2) await make();
    } while (cursor !== '');
    expect(seen).toEqual(made.toReversed());
  });

  test.each([
    ['limit=0', '/limit'],
    ['limit=1001', '/limit'],
    ['limit=many', '/limit'],
    ['limit=1&limit=2', '/limit'],
    ['cursor=nonsense', '/cursor'],
    ['cursor=', '/cursor'],
    ['disabled=maybe', '/disabled'],
    ['q=%00', '/q'],
    ['who=me', '/who'],
  ])('refuses ?%s', async (query, pointer) => {
    expectProblem(await asAdmin('GET', `/users?${query}`), 400, pointer);
  });
});

describe('GET /patois/v1/users/{id or login}', () => {
  test('finds by uuid and by login, in either case', async () => {
    const { json: user } = await asAdmin('POST', '/users', { login: freshLogin() });
    for (const name of [user.id, user.id.toUpperCase(), user.login, user.login.toUpperCase()])
      expect((await asAdmin('GET', `/users/${name}`)).json).toEqual(user);
  });

  test.each([
    'nobody',
    '00000000-0000-4000-8000-000000000000',
    'a%00b',
    '%ED%A0%80',
    '%zz',
    'x'.repeat(300),
    'a%2Fb',
  ])('has no user %s', async (name) => {
    expectProblem(await asAdmin('GET', `/users/${name}`), 404);
  });
});

describe('PATCH /patois/v1/users/{id or login}', () => {
  test('changes what is given and leaves the rest', async () => {
    const { json: user } = await asAdmin('POST', '/users', {
      login: freshLogin(),
      name: 'Before',
      email: 'a@b.org',
    });
    const changed = await asAdmin('PATCH', `/users/${user.login}`, { name: 'After', email: null });
    expect(changed.status).toBe(200);
    expect(changed.json).toEqual({ ...user, name: 'After', email: null, updatedAt: changed.json.updatedAt });
    expect(changed.json.updatedAt > user.updatedAt).toBe(true);
    expect((await asAdmin('PATCH', `/users/${user.login}`, {})).json).toEqual(changed.json);
  });

  test('a new password works at once and the old one no more; null takes the password away', async () => {
    const login = freshLogin();
    await asAdmin('POST', '/users', { login, password: 'the old one' });
    const statusOf = async (password: string): Promise<number> =>
      (await call('GET', '/me', basic(login, password))).status;
    expect(await statusOf('the old one')).toBe(200);
    await asAdmin('PATCH', `/users/${login}`, { password: 'the new one' });
    expect([await statusOf('the old one'), await statusOf('the new one')]).toEqual([401, 200]);
    await asAdmin('PATCH', `/users/${login}`, { password: null });
    expect(await statusOf('the new one')).toBe(401);
  });

  test("disabling stops the user's password and tokens at once, enabling brings them back", async () => {
    const user = await server.makeUser();
    const headers = await byToken(user.user.id, ['*']);
    const statuses = async (): Promise<number[]> => [
      (await call('GET', '/me', headers)).status,
      (await call('GET', '/me', user.byPassword)).status,
    ];
    expect(await statuses()).toEqual([200, 200]);
    await asAdmin('PATCH', `/users/${user.user.login}`, { disabled: true });
    expect(await statuses()).toEqual([401, 401]);
    await asAdmin('PATCH', `/users/${user.user.login}`, { disabled: false });
    expect(await statuses()).toEqual([200, 200]);
  });

  test("moving a user takes the user's tokens along", async () => {
    const { user } = await server.makeUser();
    const { token } = await server.issue({ dialect: 'patois', ownerId: user.id, scopes: ['*'] });
    await asAdmin('PATCH', `/users/${user.login}`, { organization: 'Elsewhere' });
    const moved = await server.app.dataSource.manager.findOneByOrFail(Token, { id: token.id });
    expect(moved.organizationId).toBe(elsewhere);
  });

  test('replaces locations and permissions', async () => {
    const names = [`One ${freshLogin()}`, `Two ${freshLogin()}`, `Three ${freshLogin()}`];
    for (const name of names) await asAdmin('POST', '/locations', { name });
    const body = { login: freshLogin(), locations: names.slice(0, 2), permissions: ['view_users'] };
    const { json: user } = await asAdmin('POST', '/users', body);
    const changes = { locations: names.slice(1), permissions: ['edit_users'] };
    const changed = (await asAdmin('PATCH', `/users/${user.id}`, changes)).json;
    expect(changed.locations.map(({ name }: { name: string }) => name).sort()).toEqual(names.slice(1).sort());
    expect(changed.permissions).toEqual(['edit_users']);
    expect((await asAdmin('PATCH', `/users/${user.id}`, { locations: [] })).json.locations).toEqual([]);
  });

  test.each([
    [{ login: 'other' }, '/login'],
    [{ password: 'short' }, '/password'],
    [{ disabled: 'yes' }, '/disabled'],
    [{ disabled: null }, '/disabled'],
    [{ organization: 'Nowhere' }, '/organization'],
    [{ locations: 'Oslo' }, '/locations'],
  ])('refuses %j', async (body, pointer) => {
    expectProblem(await asAdmin('PATCH', '/users/member', body), 400, pointer);
  });

  test('the audit event shows before and after, and that the password changed', async () => {
    const { json: user } = await asAdmin('POST', '/users', { login: freshLogin(), name: 'Before' });
    await asAdmin('PATCH', `/users/${user.id}`, { name: 'After', password: 'another secret' });
    const events = await server.app.dataSource.manager.findBy(AuditEvent, {
      objectId: user.id,
      action: 'user.update',
    });
    expect(events).toMatchObject([
      { before: { name: 'Before' }, after: { name: 'After', passwordChanged: true } },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/another secret|\$2[aby]\$/);
  });
});

describe('DELETE /patois/v1/users/{id or login}', () => {
  test('ends the user, the password and all tokens in one transaction', async () => {
    const { user, byPassword } = await server.makeUser();
    const first = await server.issue({ dialect: 'patois', ownerId: user.id, scopes: ['*'] });
    const second = await server.issue({ dialect: 'panther', ownerId: user.id, scopes: ['AlertRead'] });
    const answer = await asAdmin('DELETE', `/users/${user.id}`);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect((await call('GET', '/me', bearer(first.value))).status).toBe(401);
    expect((await call('GET', '/me', byPassword)).status).toBe(401);
    const { manager } = server.app.dataSource;
    const writers = await manager.query<{ xmin: string }[]>(
      `SELECT xmin FROM users WHERE id = $1
       UNION SELECT xmin FROM tokens WHERE owner_id = $1
       UNION SELECT xmin FROM audit_events WHERE action IN ('user.delete', 'token.revoke') AND object_id = ANY ($2)`,
      [user.id, [user.id, first.token.tokenId, second.token.tokenId]],
    );
    expect(writers).toHaveLength(1);
    for (const { token } of [first, second]) {
      const row = await manager.findOneByOrFail(Token, { id: token.id });
      expect(row).toMatchObject({ revokedAt: expect.any(Date), revokeReason: 'The owner was deleted' });
      const actions = (await manager.findBy(AuditEvent, { objectId: token.tokenId })).map(
        ({ action }) => action,
      );
      expect(actions).toEqual(expect.arrayContaining(['token.create', 'token.revoke']));
    }
    expectProblem(await asAdmin('DELETE', `/users/${user.id}`), 404);
    expectProblem(await asAdmin('GET', `/users/${user.login}`), 404);
    expectProblem(await asAdmin('PATCH', `/users/${user.id}`, { name: 'x' }), 404);
  });
});

describe('a token that was revoked before its owner was deleted', () => {
  test('keeps when and why, and is not revoked once more', async () => {
    const { user } = await server.makeUser();
    const { token } = await server.issue({ dialect: 'patois', ownerId: user.id });
    await asAdmin('DELETE', `/tokens/${token.tokenId}?reason=lost`);
    await server.issue({ dialect: 'patois', ownerId: user.id });
    const { manager } = server.app.dataSource;
    const { revokedAt } = await manager.findOneByOrFail(Token, { id: token.id });
    expect((await asAdmin('DELETE', `/users/${user.id}`)).status).toBe(204);
    const row = await manager.findOneByOrFail(Token, { id: token.id });
    expect([row.revokedAt, row.revokeReason]).toEqual([revokedAt, 'lost']);
    const where = { objectId: token.tokenId, action: 'token.revoke' as const };
    expect(await manager.countBy(AuditEvent, where)).toBe(1);
  });
});

describe('the row of a deleted user', () => {
  test('holds no name, no e-mail, no password and no location any more', async () => {
    const { json: place } = await asAdmin('POST', '/locations', { name: `Place ${freshLogin()}` });
    const body = {
      login: freshLogin(),
      name: 'Ada Lovelace',
      email: 'ada@example.org',
      password: 'long enough',
      locations: [place.id],
    };
    const { json: user } = await asAdmin('POST', '/users', body);
    const row = async (): Promise<unknown> => {
      const [found] = await server.app.dataSource.query<unknown[]>(
        `SELECT login, name, email, password_digest, disabled, deleted_at,
           (SELECT count(*)::int FROM user_locations WHERE user_id = id) AS locations
         FROM users WHERE id = $1`,
        [user.id],
      );
      return found;
    };
    expect(await row()).toEqual({
      login: body.login,
      name: body.name,
      email: body.email,
      password_digest: expect.stringMatching(/^\$2/),
      disabled: false,
      deleted_at: null,
      locations: 1,
    });
    expect((await asAdmin('DELETE', `/users/${user.id}`)).status).toBe(204);
    expect(await row()).toEqual({
      login: body.login,
      name: null,
      email: null,
      password_digest: null,
      disabled: true,
      deleted_at: expect.any(Date),
      locations: 0,
    });
  });
});

describe('the last administrator who can act', () => {
  test('cannot be deleted, demoted or disabled', async () => {
    const admin = await server.admin();
    expectProblem(await asAdmin('DELETE', '/users/admin'), 409);
    expectProblem(await asAdmin('PATCH', `/users/${admin.id}`, { role: 'member' }), 409);
    expectProblem(await asAdmin('PATCH', '/users/admin', { disabled: true }), 409);
    const { json } = await asAdmin('GET', '/users/admin');
    expect(json).toMatchObject({ role: 'administrator', disabled: false });
  });

  test('is one of those who end each other at the same moment', async () => {
    const others = await Promise.all([1, 2, 3].map(() => server.makeUser({ role: 'administrator' })));
    const all = [{ login: 'admin', headers: server.asAdmin }].concat(
      others.map(({ user, byPassword }) => ({ login: user.login, headers: byPassword })),
    );
    // Warm, so that no password check keeps them apart.
    await Promise.all(all.map(({ headers }) => call('GET', '/me', headers)));
    const answers = await Promise.all(
      all.map(({ headers, login }) =>
        call('PATCH', `/users/${login}`, headers, { role: 'organizationAdministrator' }),
      ),
    );
    const rows = await server.app.dataSource.query(`SELECT login FROM users WHERE role = 'administrator'`);
    expect(rows).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(1);
    await server.app.dataSource.query(`UPDATE users SET role = 'administrator' WHERE login = 'admin'`);
    await server.app.dataSource.query(
      `UPDATE users SET role = 'member' WHERE login <> 'admin' AND role = 'administrator'`,
    );
  });
});

describe('organizations and locations', () => {
  test.each(['organizations', 'locations'])(
    '%s are made, listed newest first, and unique without regard to case',
    async (kind) => {
      const name = `Żółw ${randomBytes(3).toString('hex')} 東京`;
      const made = await asAdmin('POST', `/${kind}`, { name: `  ${name} ` });
      expect(made.status).toBe(201);
      expect(Object.keys(made.json)).toEqual(['id', 'numericId', 'name', 'createdAt']);
      expect(made.json).toEqual({
        id: expect.stringMatching(UUID),
        numericId: expect.any(Number),
        name,
        createdAt: expect.stringMatching(INSTANT),
      });
      expectProblem(await asAdmin('POST', `/${kind}`, { name: name.toUpperCase() }), 409, '/name');
      const { json: page } = await asAdmin('GET', `/${kind}?limit=1`);
      expect(page.items).toEqual([made.json]);
    },
  );

  test.each(['organizations', 'locations'])('%s page to the end without repeating one', async (kind) => {
    for (let count = 0; count < 3; count += 1)
      await asAdmin('POST', `/${kind}`, { name: `Page ${freshLogin()}` });
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const { json }: Received = await asAdmin(
        'GET',
        `/${kind}?limit=2${next === '' ? '' : `&cursor=${next}`}`,
      );
      seen.push(...(json.items as { id: string }[]).map(({ id }) => id));
      next = json.nextCursor as string | null;
    }
    const [{ count }] = await server.app.dataSource.query(`SELECT count(*)::integer AS count FROM ${kind}`);
    expect([seen.length, new Set(seen).size]).toEqual([count, count]);
  });

  test.each([
    [{}],
    [{ name: '' }],
    [{ name: '   ' }],
    [{ name: 'a\u0007b' }],
    [{ name: 'x'.repeat(101) }],
    [{ name: '\u202Eevil' }],
    [{ name: 7 }],
  ])('refuse the name %j', async (body) => {
    expectProblem(await asAdmin('POST', '/organizations', body), 400, '/name');
    expectProblem(await asAdmin('POST', '/locations', body), 400, '/name');
  });

  test('take 100 characters, however many bytes they have', async () => {
    const name = `${randomBytes(4).toString('hex')}${'😀'.repeat(92)}`;
    expect((await asAdmin('POST', '/organizations', { name })).json.name).toBe(name);
  });

  test('are made by administrators of everything alone', async () => {
    for (const { byPassword } of [head, member]) {
      expectProblem(await call('POST', '/organizations', byPassword, { name: 'Mine' }), 403);
      expectProblem(await call('POST', '/locations', byPassword, { name: 'Mine' }), 403);
    }
  });

  test('an organization administrator sees the own organization, and every location', async () => {
    const { json } = await call('GET', '/organizations', head.byPassword);
    expect(json.items.map(({ name }: { name: string }) => name)).toEqual(['Research']);
    expect((await call('GET', '/locations', head.byPassword)).status).toBe(200);
  });
});

describe('a member', () => {
  test.each([
    ['GET', '/users'],
    ['GET', '/users/member'],
    ['POST', '/users'],
    ['PATCH', '/users/member'],
    ['DELETE', '/users/member'],
    ['GET', '/organizations'],
    ['GET', '/locations'],
  ])('may not %s %s', async (method, path) => {
    const body =
      method === 'POST' ? { login: 'x' } : method === 'PATCH' ? { role: 'administrator' } : undefined;
    expectProblem(await call(method, path, member.byPassword, body), 403);
  });
});

describe('an organization administrator', () => {
  test('makes, sees, changes and deletes users of the own organization, which is the default', async () => {
    const login = freshLogin();
    const made = await call('POST', '/users', head.byPassword, { login, role: 'organizationAdministrator' });
    expect(made.json).toMatchObject({ login, organization: { name: 'Research' } });
    expect((await call('GET', `/users/${login}`, head.byPassword)).status).toBe(200);
    expect((await call('PATCH', `/users/${login}`, head.byPassword, { role: 'member' })).json.role).toBe(
      'member',
    );
    expect((await call('DELETE', `/users/${login}`, head.byPassword)).status).toBe(204);
  });

  test('sees nobody of another organization', async () => {
    const { json } = await call('GET', '/users?limit=1000', head.byPassword);
    const names = new Set(
      json.items.map(({ organization }: { organization: { name: string } }) => organization.name),
    );
    expect([...names]).toEqual(['Research']);
    expect((await call('GET', '/users?organization=Elsewhere', head.byPassword)).json.items).toEqual([]);
    for (const name of [stranger.user.id, 'stranger', 'admin']) {
      expectProblem(await call('GET', `/users/${name}`, head.byPassword), 404);
      expectProblem(await call('PATCH', `/users/${name}`, head.byPassword, { disabled: true }), 404);
      expectProblem(await call('DELETE', `/users/${name}`, head.byPassword), 404);
    }
  });

  test.each([
    ['an administrator', { role: 'administrator' }],
    ['a user of another organization', { organization: 'Elsewhere' }],
    ['a user of an organization that is not there', { organization: 'Nowhere' }],
    ['a user with permissions that it does not hold', { permissions: ['edit_users'] }],
  ])('cannot make %s', async (_, body) => {
    expectProblem(await call('POST', '/users', head.byPassword, { login: freshLogin(), ...body }), 403);
  });

  test.each([
    [{ role: 'administrator' }],
    [{ organization: 'Elsewhere' }],
    [{ permissions: ['edit_users'] }],
  ])('cannot give a user of its own %j, nor itself', async (body) => {
    expectProblem(await call('PATCH', '/users/member', head.byPassword, body), 403);
    expectProblem(await call('PATCH', '/users/head', head.byPassword, body), 403);
  });

  test('hands on permissions that it holds itself', async () => {
    await asAdmin('PATCH', '/users/head', { permissions: ['view_users'] });
    const granted = await call('PATCH', '/users/member', head.byPassword, { permissions: ['view_users'] });
    expect(granted.json.permissions).toEqual(['view_users']);
    await asAdmin('PATCH', '/users/head', { permissions: [] });
    expect((await call('PATCH', '/users/member', head.byPassword, { permissions: [] })).status).toBe(200);
  });

  test('cannot touch an administrator of everything in the same organization', async () => {
    const boss = await server.makeUser({ role: 'administrator', organizationId: head.user.organizationId });
    const path = `/users/${boss.user.login}`;
    for (const body of [{ password: 'taken over' }, { disabled: true }, { role: 'member' }, { name: 'x' }])
      expectProblem(await call('PATCH', path, head.byPassword, body), 403);
    expectProblem(await call('DELETE', path, head.byPassword), 403);
    await asAdmin('DELETE', path);
  });

  test('cannot take over a user who holds a permission that it does not hold', async () => {
    const { user } = await server.makeUser({
      permissions: ['edit_users'],
      organizationId: head.user.organizationId,
    });
    const path = `/users/${user.login}`;
    expectProblem(await call('PATCH', path, head.byPassword, { password: 'taken over' }), 403);
    expect((await call('PATCH', path, head.byPassword, { disabled: true })).status).toBe(200);
  });
});

describe('a caller with a token', () => {
  test('may do what its scopes cover', async () => {
    const admin = await server.admin();
    const read = await byToken(admin.id, ['patois:users.read']);
    const write = await byToken(admin.id, ['patois:users.write']);
    const all = await byToken(admin.id, ['patois:*']);
    expect((await call('GET', '/users', read)).status).toBe(200);
    expect((await call('GET', '/users', all)).status).toBe(200);
    expectProblem(await call('GET', '/users', write), 403);
    expectProblem(await call('GET', '/users/member', write), 403);
    expectProblem(await call('GET', '/organizations', write), 403);
    expectProblem(await call('GET', '/locations', write), 403);
    expect(
      (await call('POST', '/users', write, { login: freshLogin(), password: 'long enough' })).status,
    ).toBe(201);
    expect((await call('PATCH', '/users/member', write, { name: 'Changed' })).status).toBe(200);
    expect((await call('POST', '/organizations', all, { name: freshLogin() })).status).toBe(201);
    for (const [method, path] of [
      ['POST', '/users'],
      ['PATCH', '/users/member'],
      ['DELETE', '/users/member'],
      ['POST', '/organizations'],
      ['POST', '/locations'],
    ] as const)
      expectProblem(await call(method, path, read, { name: 'x', login: 'x' }), 403);
  });

  test('makes no administrator, grants no permission and takes over no account unless it holds everything', async () => {
    const admin = await server.admin();
    const write = await byToken(admin.id, ['patois:users.write']);
    const everything = await byToken(admin.id, ['*']);
    const login = freshLogin();
    expectProblem(await call('POST', '/users', write, { login, role: 'administrator' }), 403);
    expectProblem(await call('POST', '/users', write, { login, permissions: ['edit_users'] }), 403);
    expectProblem(await call('PATCH', '/users/member', write, { role: 'organizationAdministrator' }), 403);
    expectProblem(await call('PATCH', '/users/member', write, { password: 'taken over' }), 403);
    expectProblem(await call('PATCH', '/users/admin', write, { password: 'taken over' }), 403);
    expect((await call('POST', '/users', everything, { login, role: 'administrator' })).status).toBe(201);
    expect((await call('DELETE', `/users/${login}`, write)).status).toBe(204);
  });

  test('moves nobody with a role to another organization unless it holds everything', async () => {
    const admin = await server.admin();
    const write = await byToken(admin.id, ['patois:users.write', 'patois:tokens.write']);
    const everything = await byToken(admin.id, ['*']);
    for (const role of ['organizationAdministrator', 'administrator'] as const) {
      const { user } = await server.makeUser({ role });
      const move = (headers: Record<string, string>): Promise<Received> =>
        call('PATCH', `/users/${user.login}`, headers, { organization: 'Elsewhere' });
      expectProblem(await move(write), 403);
      const { json } = await asAdmin('GET', `/users/${user.login}`);
      expect(json.organization.name).toBe('Default');
      expect((await move(everything)).json.organization.name).toBe('Elsewhere');
      await asAdmin('DELETE', `/users/${user.login}`);
    }
  });

  test('confined to CIDR blocks sets no password, which would work from anywhere', async () => {
    const confined = await byToken((await server.admin()).id, ['*'], ['127.0.0.0/8']);
    const body = { login: freshLogin(), password: 'long enough' };
    expectProblem(await call('POST', '/users', confined, body), 403);
    expect((await call('POST', '/users', confined, { login: body.login })).status).toBe(201);
  });
});

describe('without a valid credential', () => {
  test.each([
    ['GET', '/me'],
    ['GET', '/users'],
    ['POST', '/users'],
    ['GET', '/users/admin'],
    ['PATCH', '/users/admin'],
    ['DELETE', '/users/admin'],
    ['GET', '/organizations'],
    ['POST', '/organizations'],
    ['GET', '/locations'],
    ['POST', '/locations'],
  ])('%s %s is refused before anything else is looked at', async (method, path) => {
    const headers = { 'content-type': 'application/json' };
    for (const credential of [{}, basic('admin', 'wrong'), bearer('nonsense'), bearer(makeToken().value)]) {
      const sent = { headers: { ...headers, ...credential }, ...(method === 'GET' ? {} : { body: '{' }) };
      const answer = await server.send(method, `/patois/v1${path}`, sent);
      expectProblem(answer, 401);
      expect(answer.headers['www-authenticate']).toContain('Basic');
    }
  });
});

describe('GET /patois/v1/me', () => {
  test('names user and token, and needs no scope', async () => {
    const { value, token } = await server.issue({
      dialect: 'panther',
      ownerId: member.user.id,
      scopes: ['AlertRead'],
    });
    const { json } = await call('GET', '/me', bearer(value));
    expect(json.user).toMatchObject({
      id: member.user.id,
      login: 'member',
      organization: { name: 'Research' },
    });
    expect(json.token).toEqual({ tokenId: token.tokenId, dialect: 'panther', scopes: ['AlertRead'] });
    expect((await call('GET', '/me', basic('member', value))).json).toEqual(json);
  });
});

describe('a user whom another server has deleted', () => {
  test('is nobody, also while this server still remembers the token', async () => {
    const { user } = await server.makeUser();
    const headers = await byToken(user.id, ['*']);
    expect((await call('GET', '/me', headers)).status).toBe(200);
    // Past every service: as if the notification of the change were still under way.
    await server.app.dataSource.query('UPDATE users SET deleted_at = now() WHERE id = $1', [user.id]);
    expectProblem(await call('GET', '/me', headers), 401);
    const body = { dialect: 'patois', owner: user.login, name: 'x', scopes: ['*'] };
    expectProblem(await call('POST', '/tokens', headers, body), 401);
    expectProblem(await call('GET', '/users', headers), 403);
  });
});

describe('what cannot be read', () => {
  test.each([
    ['malformed JSON', '{"login":', 'application/json', 400],
    ['JSON 65 levels deep', '['.repeat(65) + ']'.repeat(65), 'application/json', 400],
    ['JSON 20,000 levels deep', '['.repeat(20_000) + ']'.repeat(20_000), 'application/json', 400],
    ['a form', 'login=x', 'application/x-www-form-urlencoded', 415],
    ['a body of 1 MiB', `"${'x'.repeat(1024 * 1024)}"`, 'application/json', 413],
  ])('%s is a problem', async (_, body, type, status) => {
    const headers = { ...server.asAdmin, 'content-type': type };
    expectProblem(await server.send('POST', '/patois/v1/users', { headers, body }), status);
  });

  test('a NUL or half a character is named', async () => {
    const headers = { ...server.asAdmin, 'content-type': 'application/json' };
    for (const name of ['a\\u0000b', '\\ud800']) {
      const body = `{"login":"fine","name":"${name}"}`;
      expectProblem(await server.send('POST', '/patois/v1/users', { headers, body }), 400, '/name');
    }
  });

  test('an empty body with a JSON content type is an empty object', async () => {
    const headers = { ...server.asAdmin, 'content-type': 'application/json' };
    expectProblem(await server.send('POST', '/patois/v1/users', { headers, body: '' }), 400, '/login');
    expect((await server.send('GET', '/patois/v1/users', { headers })).status).toBe(200);
  });

  test('an unknown route is 404, a known one by another method 405 with Allow', async () => {
    expectProblem(await asAdmin('GET', '/nothing'), 404);
    const answer = await asAdmin('PUT', '/users/admin', {});
    expectProblem(answer, 405);
    expect(answer.headers['allow']).toBe('DELETE, GET, HEAD, PATCH');
  });

  test('HEAD answers as GET does, without a body', async () => {
    const answer = await asAdmin('HEAD', '/users');
    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  test('a header that is too large is a problem as well', async () => {
    const answer = await call('GET', '/me', { 'x-large': 'x'.repeat(40_000) });
    expectProblem(answer, 431);
  });
});

describe('after too many failed logins', () => {
  test('even a right password is refused with 429, and when to come back; a token still works', async () => {
    const other = await TestServer.start();
    const me = (headers: Record<string, string>): Promise<Received> =>
      other.send('GET', '/patois/v1/me', { headers });
    for (let count = 0; count < 30; count += 1) await me(basic(`nobody${count}`, 'wrong'));
    const answer = await me(other.asAdmin);
    const { value } = await other.issue({
      dialect: 'patois',
      ownerId: (await other.admin()).id,
      scopes: ['*'],
    });
    const byValue = await me(bearer(value));
    await other.close();
    expectProblem(answer, 429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(200);
    expect(byValue.status).toBe(200);
  });
});
