import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { User } from '../../src/accounts/user.entity.js';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { bearer } from '../support/http.js';
import { ENTERPRISE, expectScimError, freshName, LIST, Provisioner, USER } from '../support/scim.js';
import { TestServer } from '../support/server.js';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let server: TestServer;
let scim: Provisioner;
/** The provisioner of another organization. */
let other: Provisioner;

beforeAll(async () => {
  server = await TestServer.start({ publicUrl: 'https://patois.example' });
  scim = await Provisioner.make(server, 'Research');
  other = await Provisioner.make(server, 'Elsewhere');
});
afterAll(() => server.close());

function stored(id: string): Promise<User | null> {
  return server.app.dataSource.manager.findOne(User, { where: { id }, withDeleted: true });
}

async function tokenOf(ownerId: string): Promise<string> {
  return (await server.issue({ dialect: 'patois', ownerId, scopes: ['patois:tokens.read'] })).value;
}

async function isAccepted(value: string): Promise<boolean> {
  return (await server.send('GET', '/verify', { headers: bearer(value) })).status === 204;
}

describe('POST /scim/v2/Users', () => {
  test('makes a member without a password, and gives back what was set', async () => {
    const userName = freshName();
    const sent = {
      schemas: [USER, ENTERPRISE],
      externalId: randomUUID(),
      userName,
      name: { givenName: 'Ada', familyName: 'Lovelace' },
      displayName: 'Ada, Countess of Lovelace',
      emails: [
        { value: 'home@example.org', type: 'home' },
        { value: userName, type: 'work', primary: true },
      ],
      phoneNumbers: [{ value: '+47 555 01', type: 'mobile' }],
      roles: [{ value: 'analyst', primary: true }],
      title: 'Engineer',
      active: true,
      [ENTERPRISE]: { department: 'Engines', employeeNumber: '7', manager: { value: '42' } },
      badge: { number: 12, color: 'blue' },
    };
    const made = await scim.call('POST', '/Users', sent);
    expect(made.status).toBe(201);
    const { id, meta } = made.json;
    const location = `https://patois.example/scim/v2/Users/${id}`;
    expect(made.headers['location']).toBe(location);
    expect(made.headers['content-type']).toMatch(/^application\/scim\+json\b/);
    expect(made.json).toEqual({ ...sent, id, meta });
    expect(meta).toEqual({
      resourceType: 'User',
      created: expect.stringMatching(INSTANT),
      lastModified: expect.stringMatching(INSTANT),
      location,
    });
    expect((await scim.call('GET', `/Users/${id}`)).json).toEqual(made.json);
    expect(await stored(id)).toMatchObject({
      login: userName,
      name: 'Ada, Countess of Lovelace',
      email: userName,
      role: 'member',
      permissions: [],
      organizationId: scim.organizationId,
      disabled: false,
    });
  });

  test('keeps no password, and says so nowhere', async () => {
    const { id } = await scim.user({ password: 'correct horse' });
    const user = await server.app.dataSource.manager
      .createQueryBuilder(User, 'user')
      .addSelect(['user.passwordDigest', 'user.scimAttributes'])
      .where({ id })
      .getOneOrFail();
    expect([user.passwordDigest, user.scimAttributes]).toEqual([null, {}]);
    expect((await scim.call('GET', `/Users/${id}`)).text).not.toMatch(/password/i);
  });

  test('reads names of attributes without regard to case, and booleans that are texts', async () => {
    const sent = {
      USERNAME: freshName(),
      Active: 'False',
      Emails: [{ VALUE: 'a@example.org', Primary: 'True' }],
    };
    const made = await scim.call('POST', '/Users', sent);
    expect(made.json).toMatchObject({
      userName: sent.USERNAME,
      active: false,
      emails: [{ value: 'a@example.org', primary: true }],
    });
  });

  test('of a user who is there, in any case, it is a 409 with uniqueness', async () => {
    const { userName } = await scim.user();
    const again = { schemas: [USER], userName: userName.toUpperCase() };
    expectScimError(await scim.call('POST', '/Users', again), 409, 'uniqueness');
    // Logins are those of all organizations.
    expectScimError(await other.call('POST', '/Users', again), 409, 'uniqueness');
  });

  test('an externalId is unique in its organization, and in no other', async () => {
    const externalId = randomUUID();
    await scim.user({ externalId });
    const again = { schemas: [USER], userName: freshName(), externalId };
    expectScimError(await scim.call('POST', '/Users', again), 409, 'uniqueness');
    await other.user({ externalId });
  });

  test.each([
    ['no userName', {}, 'invalidValue'],
    ['a userName that is no login', { userName: 'Ada Lovelace' }, 'invalidValue'],
    ['a userName that is no text', { userName: 7 }, 'invalidValue'],
    ['an active that is neither', { userName: 'x', active: 'perhaps' }, 'invalidValue'],
    ['a name of one letter too many', { userName: 'x', displayName: 'x'.repeat(256) }, 'invalidValue'],
    ['a name with a control character', { userName: 'x', displayName: 'a\u202eb' }, 'invalidValue'],
    ['an externalId that is no text', { userName: 'x', externalId: 7 }, 'invalidValue'],
    ['a name that is a text', { userName: 'x', name: 'Ada' }, 'invalidValue'],
    ['an attribute that objects of JavaScript have', { userName: 'x', constructor: 1 }, 'invalidPath'],
    ['too much', { userName: 'x', notes: 'x'.repeat(17_000) }, 'tooMany'],
    ['a list that is too long', { userName: 'x', emails: Array(101).fill({ value: 'a@b.no' }) }, 'tooMany'],
    ['a list', [], 'invalidSyntax'],
  ])('refuses %s', async (_what, sent, scimType) => {
    expectScimError(await scim.call('POST', '/Users', sent), 400, scimType);
  });

  test('refuses malformed JSON in the words of SCIM', async () => {
    const answer = await server.send('POST', '/scim/v2/Users', {
      headers: scim.headers,
      body: '{"userName":',
    });
    expectScimError(answer, 400, 'invalidSyntax');
  });
});

describe('GET /scim/v2/Users', () => {
  let lister: Provisioner;
  const logins = ['one@list.example', 'two@list.example', 'three@list.example'];

  beforeAll(async () => {
    lister = await Provisioner.make(server, 'Listed');
    for (const [index, userName] of logins.entries()) {
      await lister.user({
        userName,
        externalId: `ext-${index}`,
        active: index !== 2,
        name: { givenName: `Given${index}`, familyName: 'Family' },
        emails: [{ value: `mail${index}@list.example`, type: 'work' }],
        [ENTERPRISE]: { department: `d${index}` },
      });
    }
  });

  test('lists those of the organization, the oldest first, from startIndex', async () => {
    const all = await lister.call('GET', '/Users');
    expect(all.json).toMatchObject({ schemas: [LIST], totalResults: 4, startIndex: 1, itemsPerPage: 4 });
    const names = all.json.Resources.map(({ userName }: { userName: string }) => userName);
    expect(names).toEqual([lister.head.user.login, ...logins]);
    const page = await lister.call('GET', '/Users?startIndex=2&count=2');
    expect(page.json).toMatchObject({ totalResults: 4, startIndex: 2, itemsPerPage: 2 });
    expect(page.json.Resources.map(({ userName }: { userName: string }) => userName)).toEqual(
      logins.slice(0, 2),
    );
  });

  test.each([
    ['count=0', 1, 0],
    ['startIndex=5', 5, 0],
    ['startIndex=999999999999', 2_147_483_647, 0],
    ['startIndex=0&count=-1', 1, 0],
    ['startIndex=-3&count=1', 1, 1],
    ['count=100000', 1, 4],
  ])('%s is read as RFC 7644 has it', async (query, startIndex, itemsPerPage) => {
    const { status, json } = await lister.call('GET', `/Users?${query}`);
    expect([status, json]).toEqual([200, expect.anything()]);
    expect(json).toMatchObject({ totalResults: 4, startIndex, itemsPerPage });
    expect(json.Resources).toHaveLength(itemsPerPage);
  });

  test.each([
    ['userName eq "ONE@list.example"', [0]],
    ['username Eq "one@list.example"', [0]],
    [`${USER}:userName eq "one@list.example"`, [0]],
    ['userName sw "t"', [1, 2]],
    ['userName co "WO@"', [1]],
    ['userName ew "one@list.example"', [0]],
    ['externalId eq "ext-1"', [1]],
    ['externalId eq "EXT-1"', []],
    ['emails eq "mail1@list.example"', [1]],
    ['emails.value co "MAIL2"', [2]],
    ['emails[type eq "work"].value eq "mail0@list.example"', [0]],
    ['emails[type eq "home" and value eq "mail0@list.example"]', []],
    ['userName co "list" and active eq false', [2]],
    ['userName co "list" and active eq "True"', [0, 1]],
    ['externalId eq "ext-0" or externalId eq "ext-2"', [0, 2]],
    ['userName co "list" and (externalId eq "ext-0" or active eq false)', [0, 2]],
    ['externalId pr and not (externalId eq "ext-0")', [1, 2]],
    ['name.givenName eq "given1"', [1]],
    [`${ENTERPRISE}:department eq "d2"`, [2]],
    ['userName eq "nobody"', []],
    ['userName eq "a%_\\\\b"', []],
    ['meta.created gt "2020-01-01T00:00:00Z" and externalId pr', [0, 1, 2]],
  ])('finds by %s', async (filter, found) => {
    expect(await lister.found(filter)).toEqual(found.map((index) => logins[index]));
  });

  test.each([
    'shoeSize eq "44"',
    'emails.size eq "44"',
    'password eq "x"',
    'userName gt "a"',
    'userName eq 7',
    'active eq "perhaps"',
    'active co true',
    'userName',
    'userName eq',
    'userName eq "a" and',
    '(userName eq "a"',
    'userName eq "a" constructor active eq true',
    'userName eq "a" xor active eq true',
    'userName[value eq "a"]',
    `userName eq "${'x'.repeat(1_000)}"`,
    Array(21).fill('userName eq "a"').join(' or '),
  ])('refuses the filter %p', async (filter) => {
    const answer = await lister.call('GET', `/Users?filter=${encodeURIComponent(filter)}`);
    expectScimError(answer, 400, 'invalidFilter');
  });

  test('refuses numbers that are none, and two filters', async () => {
    expectScimError(await lister.call('GET', '/Users?startIndex=one'), 400, 'invalidValue');
    expectScimError(await lister.call('GET', '/Users?filter=a&filter=b'), 400, 'invalidFilter');
  });

  test('answers the attributes that are asked for', async () => {
    const shown = async (query: string): Promise<unknown> =>
      (await lister.call('GET', `/Users?filter=externalId%20eq%20%22ext-0%22&${query}`)).json.Resources;
    const [user] = (await shown('')) as [Record<string, unknown>];
    const { id, schemas } = user;
    expect(await shown('attributes=userName,NAME.familyName')).toEqual([
      { schemas, id, userName: logins[0], name: { familyName: 'Family' } },
    ]);
    expect(await shown(`attributes=emails.value,${ENTERPRISE}:department`)).toEqual([
      { schemas, id, emails: [{ value: 'mail0@list.example' }], [ENTERPRISE]: { department: 'd0' } },
    ]);
    expect(await shown(`excludedAttributes=${ENTERPRISE},name,emails,meta,id,active`)).toEqual([
      { schemas, id, userName: logins[0], externalId: 'ext-0' },
    ]);
    expectScimError(
      await lister.call('GET', '/Users?attributes=a&excludedAttributes=b'),
      400,
      'invalidSyntax',
    );
  });

  test('POST .search is the same, with the query in the body', async () => {
    const body = { filter: 'externalId eq "ext-1"', attributes: ['userName'], count: 5 };
    const { status, json } = await lister.call('POST', '/Users/.search', body);
    expect([status, json.totalResults]).toEqual([200, 1]);
    expect(json.Resources).toEqual([
      { schemas: expect.anything(), id: expect.any(String), userName: logins[1] },
    ]);
  });

  test('shows a user who was made, and changed, elsewhere', async () => {
    const { user } = await server.makeUser({
      login: 'native@list.example',
      name: 'Native',
      email: 'native@list.example',
      organizationId: lister.organizationId,
    });
    const { json } = await lister.call('GET', `/Users/${user.id}`);
    expect(json).toMatchObject({
      userName: 'native@list.example',
      displayName: 'Native',
      emails: [{ value: 'native@list.example', type: 'work', primary: true }],
      active: true,
    });
    expect(await lister.found('emails eq "native@list.example"')).toEqual(['native@list.example']);
    const body = { name: 'Renamed', email: 'renamed@list.example' };
    await server.send('PATCH', `/patois/v1/users/${user.id}`, { headers: server.asAdmin, body });
    expect((await lister.call('GET', `/Users/${user.id}`)).json).toMatchObject({
      displayName: 'Renamed',
      emails: [{ value: 'renamed@list.example' }],
    });
    await server.send('DELETE', `/patois/v1/users/${user.id}`, { headers: server.asAdmin });
    expect(await lister.found('userName eq "native@list.example"')).toEqual([]);
  });
});

describe('PUT /scim/v2/Users/{id}', () => {
  test('replaces what was set, and leaves active as it is', async () => {
    const { id } = await scim.user({ externalId: randomUUID(), title: 'Old', active: false });
    const userName = freshName();
    const replaced = await scim.call('PUT', `/Users/${id}`, {
      schemas: [USER],
      userName,
      nickName: 'N',
      id: 'x',
    });
    expect([replaced.status, replaced.json]).toEqual([
      200,
      { schemas: [USER], id, userName, nickName: 'N', active: false, meta: expect.anything() },
    ]);
    expect(await stored(id)).toMatchObject({ login: userName, externalId: null, disabled: true });
  });

  test('that changes nothing writes nothing', async () => {
    const sent = {
      userName: freshName(),
      name: { givenName: 'A', familyName: 'B' },
      emails: [{ value: 'a@b.no' }],
    };
    const { id } = await scim.user(sent);
    await scim.call('PUT', `/Users/${id}`, { schemas: [USER], ...sent, active: true });
    const events = await server.app.dataSource.manager.findBy(AuditEvent, { objectId: id });
    expect(events.map(({ action }) => action)).toEqual(['user.create']);
  });

  test('refuses a login that is taken, and no login', async () => {
    const [one, two] = [await scim.user(), await scim.user()];
    const sent = { schemas: [USER], userName: two.userName };
    expectScimError(await scim.call('PUT', `/Users/${one.id}`, sent), 409, 'uniqueness');
    expectScimError(await scim.call('PUT', `/Users/${one.id}`, { schemas: [USER] }), 400, 'invalidValue');
  });
});

describe('active', () => {
  test('false ends every token and session at once; true gives back what provisioning took', async () => {
    const { id } = await scim.user();
    const value = await tokenOf(id);
    expect(await isAccepted(value)).toBe(true);
    const off = await scim.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: false });
    expect([off.status, off.json.active]).toEqual([200, false]);
    expect(await isAccepted(value)).toBe(false);
    const on = await scim.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: true });
    expect([on.status, on.json.active]).toEqual([200, true]);
    expect(await isAccepted(value)).toBe(true);
  });

  test('true does not undo what an administrator has done', async () => {
    const { id } = await scim.user();
    const disable = { headers: server.asAdmin, body: { disabled: true } };
    await server.send('PATCH', `/patois/v1/users/${id}`, disable);
    const enabled = await scim.patch(`/Users/${id}`, { op: 'replace', value: { active: true } });
    expectScimError(enabled, 403);
    // Not even where provisioning comes in between.
    await scim.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: false });
    expectScimError(await scim.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: true }), 403);
    expect(await stored(id)).toMatchObject({ disabled: true });
    // Who holds all that the user does may.
    const all = await Provisioner.make(server, 'Research', ['*']);
    expect((await all.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: true })).status).toBe(
      200,
    );
  });

  test('an administrator takes over from provisioning', async () => {
    const { id } = await scim.user({ active: false });
    const disable = { headers: server.asAdmin, body: { disabled: true } };
    await server.send('PATCH', `/patois/v1/users/${id}`, disable);
    expectScimError(await scim.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: true }), 403);
  });
});

describe('DELETE /scim/v2/Users/{id}', () => {
  test('ends the tokens; the user is gone, and can be made again', async () => {
    const externalId = randomUUID();
    const { id, userName } = await scim.user({ externalId });
    const value = await tokenOf(id);
    const gone = await scim.call('DELETE', `/Users/${id}`);
    expect([gone.status, gone.text]).toEqual([204, '']);
    expect(await isAccepted(value)).toBe(false);
    expectScimError(await scim.call('GET', `/Users/${id}`), 404);
    expectScimError(await scim.call('DELETE', `/Users/${id}`), 404);
    expectScimError(await scim.patch(`/Users/${id}`, { op: 'add', path: 'title', value: 'x' }), 404);
    expect(await scim.found(`userName eq "${userName}"`)).toEqual([]);
    const again = await scim.user({ userName, externalId });
    expect(again.id).not.toBe(id);
    expect(await isAccepted(value)).toBe(false);
  });
});

describe('who may', () => {
  const CALLS: [method: string, path: string, body: object | undefined][] = [
    ['GET', '/Users', undefined],
    ['POST', '/Users/.search', {}],
    ['POST', '/Users', { userName: 'somebody' }],
    ['GET', '/Users/ID', undefined],
    ['PUT', '/Users/ID', { userName: 'somebody' }],
    [
      'PATCH',
      '/Users/ID',
      {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'add', path: 'title', value: 'x' }],
      },
    ],
    ['DELETE', '/Users/ID', undefined],
  ];

  test.each(CALLS)(
    '%s %s is for who administers an organization, with patois:scim',
    async (method, path, body) => {
      const { id } = await scim.user();
      const at = path.replace('ID', id);
      const without = await scim.call(method, at, body, {});
      expectScimError(without, 401);
      expect(without.headers['www-authenticate']).toMatch(/^Bearer /);
      expectScimError(await scim.call(method, at, body, bearer('pt-nothing')), 401);
      const weak = await Provisioner.make(server, 'Research', ['patois:users.write', 'patois:tokens.read']);
      expectScimError(await weak.call(method, at, body), 403);
      const member = await server.makeUser({ organizationId: scim.organizationId });
      const { value } = await server.issue({ dialect: 'patois', ownerId: member.user.id, scopes: ['*'] });
      expectScimError(await scim.call(method, at, body, bearer(value)), 403);
      expect(await stored(id)).toMatchObject({ disabled: false, deletedAt: null });
    },
  );

  test.each(CALLS.filter(([, path]) => path.includes('ID')))(
    '%s %s of another organization is a 404',
    async (method, path, body) => {
      const { id } = await scim.user();
      expectScimError(await other.call(method, path.replace('ID', id), body), 404);
      expectScimError(await other.call(method, path.replace('ID', randomUUID()), body), 404);
      expectScimError(await other.call(method, path.replace('ID', 'no-uuid'), body), 404);
      expect(await stored(id)).toMatchObject({ disabled: false, deletedAt: null });
    },
  );

  test('an administrator of everything acts in the own organization alone', async () => {
    const { id: ownerId } = await server.admin();
    const { value } = await server.issue({ dialect: 'patois', ownerId, scopes: ['patois:scim'] });
    const { id } = await scim.user();
    expectScimError(await scim.call('GET', `/Users/${id}`, undefined, bearer(value)), 404);
    expectScimError(await scim.call('DELETE', `/Users/${id}`, undefined, bearer(value)), 404);
  });

  test('nobody changes an administrator of everything', async () => {
    const { user } = await server.makeUser({ role: 'administrator', organizationId: scim.organizationId });
    expect((await scim.call('GET', `/Users/${user.id}`)).json).toMatchObject({ userName: user.login });
    const operation = { op: 'replace', path: 'active', value: false };
    expectScimError(await scim.patch(`/Users/${user.id}`, operation), 403);
    const replacement = { schemas: [USER], userName: user.login };
    expectScimError(await scim.call('PUT', `/Users/${user.id}`, replacement), 403);
    expectScimError(await scim.call('DELETE', `/Users/${user.id}`), 403);
    // Nor does an administrator of everything, by this door.
    const { value } = await server.issue({ dialect: 'patois', ownerId: user.id, scopes: ['*'] });
    const answer = await scim.call('DELETE', `/Users/${user.id}`, undefined, bearer(value));
    expectScimError(answer, 403);
    expect(await stored(user.id)).toMatchObject({ disabled: false, deletedAt: null });
  });

  test('a login and password do as well as a token', async () => {
    const { status } = await scim.call('GET', '/Users?count=1', undefined, scim.head.byPassword);
    expect(status).toBe(200);
  });
});

describe('the trail', () => {
  test('has every change, by the token, and nothing of what was kept', async () => {
    const { id } = await scim.user({
      externalId: 'trail-1',
      [ENTERPRISE]: { department: 'Secret department' },
    });
    await scim.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: false });
    await scim.call('DELETE', `/Users/${id}`);
    const events = await server.app.dataSource.manager.find(AuditEvent, {
      where: { objectId: id },
      order: { time: 'ASC' },
    });
    expect(events.map(({ action }) => action)).toEqual(['user.create', 'user.update', 'user.delete']);
    expect(new Set(events.map(({ actorType }) => actorType))).toEqual(new Set(['token']));
    expect(events[0]?.after).toMatchObject({ externalId: 'trail-1', disabled: false });
    expect(events[1]?.after).toMatchObject({ disabled: true });
    expect(JSON.stringify(events)).not.toContain('Secret department');
  });

  test('a user who moves keeps neither groups nor externalId of the organization', async () => {
    const { id } = await scim.user({ externalId: 'moves' });
    const group = await scim.group(undefined, [id]);
    const body = { organization: 'Elsewhere' };
    const moved = await server.send('PATCH', `/patois/v1/users/${id}`, { headers: server.asAdmin, body });
    expect(moved.status).toBe(200);
    expect(await scim.membersOf(group.id)).toEqual([]);
    const { json } = await other.call('GET', `/Users/${id}`);
    expect([json.externalId, json.groups]).toEqual([undefined, undefined]);
  });
});
