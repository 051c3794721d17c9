import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type Role, User } from '../../src/accounts/user.entity.js';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { bearer } from '../support/http.js';
import {
  expectScimError,
  expectStatus,
  freshName,
  GROUP,
  LIST,
  PATCH,
  Provisioner,
} from '../support/scim.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
let scim: Provisioner;
let other: Provisioner;

beforeAll(async () => {
  server = await TestServer.start({
    publicUrl: 'https://patois.example',
    scimRoleGroups: new Map([
      ['token heads', 'organizationAdministrator'],
      ['other heads', 'organizationAdministrator'],
    ]),
  });
  scim = await Provisioner.make(server, 'Research');
  other = await Provisioner.make(server, 'Elsewhere');
});
afterAll(() => server.close());

async function ids(count: number, provisioner = scim): Promise<string[]> {
  const made: string[] = [];
  for (let index = 0; index < count; index += 1) made.push((await provisioner.user()).id);
  return made.toSorted();
}

async function members(groupId: string): Promise<string[]> {
  return (await scim.membersOf(groupId)).toSorted();
}

async function groupsFound(filter: string): Promise<string[]> {
  const { json } = expectStatus(await scim.call('GET', `/Groups?filter=${encodeURIComponent(filter)}`), 200);
  return (json.Resources as { id: string }[]).map(({ id }) => id);
}

describe('POST /scim/v2/Groups', () => {
  test('makes a group with its members, who have it in their resources', async () => {
    const [member = ''] = await ids(1);
    const sent = {
      schemas: [GROUP],
      displayName: freshName(),
      externalId: randomUUID(),
      members: [{ value: member }],
    };
    const made = expectStatus(await scim.call('POST', '/Groups', sent), 201);
    const { id } = made.json;
    const location = `https://patois.example/scim/v2/Groups/${id}`;
    expect(made.headers['location']).toBe(location);
    expect(made.json).toEqual({
      ...sent,
      id,
      members: [
        {
          value: member,
          $ref: `https://patois.example/scim/v2/Users/${member}`,
          display: expect.any(String),
          type: 'User',
        },
      ],
      meta: expect.objectContaining({ resourceType: 'Group', location }),
    });
    expect((await scim.call('GET', `/Users/${member}`)).json.groups).toEqual([
      { value: id, $ref: location, display: sent.displayName, type: 'direct' },
    ]);
  });

  test('a name that is taken, in any case, or an externalId, is a 409; in another organization it is free', async () => {
    const { displayName } = await scim.group();
    const again = { schemas: [GROUP], displayName: displayName.toUpperCase() };
    expectScimError(await scim.call('POST', '/Groups', again), 409, 'uniqueness');
    expectStatus(await other.call('POST', '/Groups', again), 201);
    const externalId = randomUUID();
    expectStatus(await scim.call('POST', '/Groups', { displayName: freshName(), externalId }), 201);
    const same = { displayName: freshName(), externalId };
    expectScimError(await scim.call('POST', '/Groups', same), 409, 'uniqueness');
  });

  test('refuses what it cannot be', async () => {
    const [stranger = ''] = await ids(1, other);
    const refused = async (sent: object, type: string): Promise<void> =>
      expectScimError(await scim.call('POST', '/Groups', sent), 400, type);
    await refused({}, 'invalidValue');
    await refused({ displayName: '' }, 'invalidValue');
    await refused({ displayName: 'x', members: [{ value: 'nobody' }] }, 'invalidValue');
    await refused({ displayName: 'x', members: [{ value: randomUUID() }] }, 'invalidValue');
    await refused({ displayName: 'x', members: [{ value: stranger }] }, 'invalidValue');
    const many = Array.from({ length: 2_001 }, () => ({ value: randomUUID() }));
    await refused({ displayName: 'x', members: many }, 'invalidSyntax');
    expect(await groupsFound('displayName eq "x"')).toEqual([]);
  });
});

describe('GET /scim/v2/Groups', () => {
  test('finds groups, with and without their members', async () => {
    const [one = '', two = ''] = await ids(2);
    const group = await scim.group('Find Me', [one]);
    expect(await groupsFound('displayName eq "find me"')).toEqual([group.id]);
    expect(await groupsFound(`id eq "${group.id}" and members eq "${one}"`)).toEqual([group.id]);
    expect(await groupsFound(`id eq "${group.id}" and members[value eq "${one}"]`)).toEqual([group.id]);
    expect(await groupsFound(`id eq "${group.id}" and members.value eq "${two}"`)).toEqual([]);
    const short = await scim.call(
      'GET',
      `/Groups?excludedAttributes=members&filter=displayName%20eq%20%22Find%20Me%22`,
    );
    expect(short.json).toMatchObject({ schemas: [LIST], totalResults: 1, itemsPerPage: 1 });
    expect(short.json.Resources[0]).not.toHaveProperty('members');
    const refused = await scim.call('GET', `/Groups?filter=${encodeURIComponent('color eq "red"')}`);
    expectScimError(refused, 400, 'invalidFilter');
  });

  test('pages, and none beyond the end', async () => {
    const pager = await Provisioner.make(server, 'Pages');
    const made: string[] = [];
    for (let index = 0; index < 3; index += 1) made.push((await pager.group()).id);
    const page = async (query: string): Promise<[number, string[]]> => {
      const { json } = await pager.call('GET', `/Groups?${query}`);
      return [json.totalResults, (json.Resources as { id: string }[]).map(({ id }) => id)];
    };
    expect(await page('startIndex=1&count=2')).toEqual([3, made.slice(0, 2)]);
    expect(await page('startIndex=3&count=2')).toEqual([3, made.slice(2)]);
    expect(await page('startIndex=4&count=2')).toEqual([3, []]);
    expect(await page('count=0')).toEqual([3, []]);
    const search = await pager.call('POST', '/Groups/.search', { count: 1, excludedAttributes: 'members' });
    expect([search.status, search.json.itemsPerPage]).toEqual([200, 1]);
  });
});

describe('PATCH /scim/v2/Groups/{id}', () => {
  test('adds, removes and replaces members, in the order of the operations', async () => {
    const [one = '', two = '', three = ''] = await ids(3);
    const { id } = await scim.group();
    const value = (...users: string[]): object[] => users.map((user) => ({ value: user }));
    const changed = await scim.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: value(one, two) });
    expect([changed.status, changed.text]).toEqual([204, '']);
    expect(await members(id)).toEqual([one, two]);
    // Again: nobody is in it twice.
    await scim.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: value(one, three) });
    expect(await members(id)).toEqual([one, two, three]);
    await scim.patch(`/Groups/${id}`, { op: 'remove', path: `members[value eq "${two}"]` });
    expect(await members(id)).toEqual([one, three]);
    await scim.patch(`/Groups/${id}`, { op: 'replace', path: 'members', value: value(two) });
    expect(await members(id)).toEqual([two]);
    await scim.patch(
      `/Groups/${id}`,
      { op: 'remove', path: 'members' },
      { op: 'add', path: 'members', value: value(one, three) },
      { op: 'remove', path: 'members', value: value(three) },
    );
    expect(await members(id)).toEqual([one]);
    // Nothing is named, and nobody goes.
    await scim.patch(`/Groups/${id}`, { op: 'remove', path: 'members', value: [] });
    expect(await members(id)).toEqual([one]);
    await scim.patch(`/Groups/${id}`, { op: 'remove', path: 'members' });
    expect(await members(id)).toEqual([]);
  });

  test('renames, and answers what is asked for', async () => {
    const { id } = await scim.group();
    const displayName = freshName();
    const body = { schemas: [PATCH], Operations: [{ op: 'replace', value: { id, displayName } }] };
    const renamed = await scim.call('PATCH', `/Groups/${id}?attributes=displayName`, body);
    expect([renamed.status, renamed.json]).toEqual([200, { schemas: [GROUP], id, displayName }]);
    const taken = { op: 'replace', path: 'displayName', value: (await scim.group()).displayName };
    expectScimError(await scim.patch(`/Groups/${id}`, taken), 409, 'uniqueness');
  });

  test('refuses what it cannot do, and does none of it', async () => {
    const [one = ''] = await ids(1);
    const [stranger = ''] = await ids(1, other);
    const { id } = await scim.group(undefined, [one]);
    const refused = async (type: string, ...operations: object[]): Promise<void> =>
      expectScimError(await scim.patch(`/Groups/${id}`, ...operations), 400, type);
    const gone = { op: 'remove', path: 'members' };
    await refused('invalidValue', gone, { op: 'add', path: 'members', value: [{ value: stranger }] });
    await refused('invalidValue', gone, { op: 'remove', path: 'displayName' });
    await refused('invalidFilter', gone, { op: 'remove', path: 'members[display co "a"]' });
    await refused('invalidFilter', gone, { op: 'remove', path: 'members[value eq]' });
    await refused('invalidPath', gone, { op: 'add', path: 'members..value', value: 'x' });
    await refused('mutability', gone, { op: 'replace', path: 'id', value: randomUUID() });
    await refused('noTarget', { op: 'remove' });
    await refused('invalidSyntax', { op: 'move', path: 'members' });
    await refused('invalidSyntax');
    await refused('tooMany', ...Array.from({ length: 101 }, () => gone));
    const wrong = { schemas: [GROUP], Operations: [gone] };
    expectScimError(await scim.call('PATCH', `/Groups/${id}`, wrong), 400, 'invalidSyntax');
    expect(await members(id)).toEqual([one]);
  });
});

describe('PUT and DELETE /scim/v2/Groups/{id}', () => {
  test('replace name and members, and end the group alone', async () => {
    const [one = '', two = ''] = await ids(2);
    const { id } = await scim.group(undefined, [one]);
    const sent = { schemas: [GROUP], displayName: freshName(), members: [{ value: two }] };
    const put = expectStatus(await scim.call('PUT', `/Groups/${id}`, sent), 200);
    expect(put.json).toMatchObject({ displayName: sent.displayName, members: [{ value: two }] });
    expect((await scim.call('DELETE', `/Groups/${id}`)).status).toBe(204);
    expectScimError(await scim.call('GET', `/Groups/${id}`), 404);
    const { status, json } = await scim.call('GET', `/Users/${two}`);
    expect([status, json.groups]).toEqual([200, undefined]);
    const events = await server.app.dataSource.manager.find(AuditEvent, {
      where: { objectId: id },
      order: { time: 'ASC' },
    });
    expect(events.map(({ action }) => action)).toEqual(['group.create', 'group.update', 'group.delete']);
    expect(events[1]).toMatchObject({
      actorType: 'token',
      objectType: 'group',
      after: {
        displayName: sent.displayName,
        added: [two],
        removed: [one],
        membersAdded: 1,
        membersRemoved: 1,
      },
    });
  });

  test('a user who is deleted is in no group', async () => {
    const [one = ''] = await ids(1);
    const { id } = await scim.group(undefined, [one]);
    await scim.call('DELETE', `/Users/${one}`);
    expect(await members(id)).toEqual([]);
  });
});

describe('who may', () => {
  const change = {
    schemas: [PATCH],
    Operations: [{ op: 'replace', path: 'displayName', value: 'taken over' }],
  };
  const CALLS: [method: string, path: string, body: object | undefined][] = [
    ['GET', '/Groups', undefined],
    ['POST', '/Groups/.search', {}],
    ['POST', '/Groups', { displayName: 'taken over' }],
    ['GET', '/Groups/ID', undefined],
    ['PUT', '/Groups/ID', { displayName: 'taken over' }],
    ['PATCH', '/Groups/ID', change],
    ['DELETE', '/Groups/ID', undefined],
  ];

  test.each(CALLS)(
    '%s %s is for who administers an organization, with patois:scim',
    async (method, path, body) => {
      const { id } = await scim.group();
      const at = path.replace('ID', id);
      expectScimError(await scim.call(method, at, body, {}), 401);
      const weak = await Provisioner.make(server, 'Research', ['patois:users.write', 'patois:tokens.read']);
      expectScimError(await weak.call(method, at, body), 403);
      const member = await server.makeUser({ organizationId: scim.organizationId });
      const { value } = await server.issue({ dialect: 'patois', ownerId: member.user.id, scopes: ['*'] });
      expectScimError(await scim.call(method, at, body, bearer(value)), 403);
      expect(await groupsFound('displayName eq "taken over"')).toEqual([]);
    },
  );

  test.each(CALLS.filter(([, path]) => path.includes('ID')))(
    '%s %s of another organization is a 404',
    async (method, path, body) => {
      const { id } = await scim.group();
      expectScimError(await other.call(method, path.replace('ID', id), body), 404);
      expectScimError(await other.call(method, path.replace('ID', 'no-uuid'), body), 404);
      expect((await scim.call('GET', `/Groups/${id}`)).status).toBe(200);
    },
  );
});

describe('a group that stands for a role', () => {
  let giver: Provisioner;

  beforeAll(async () => {
    giver = await Provisioner.make(server, 'Roles', ['*']);
  });

  async function roleOf(id: string): Promise<Role> {
    return (await server.app.dataSource.manager.findOneByOrFail(User, { id })).role;
  }

  test('gives it to who is in it, and takes it from who leaves, is renamed away or goes with it', async () => {
    const [one = '', two = ''] = await ids(2, giver);
    const heads = await giver.group('Token Heads', [one]);
    expect([await roleOf(one), await roleOf(two)]).toEqual(['organizationAdministrator', 'member']);
    await giver.patch(
      `/Groups/${heads.id}`,
      { op: 'add', path: 'members', value: [{ value: two }] },
      { op: 'remove', path: `members[value eq "${one}"]` },
    );
    expect([await roleOf(one), await roleOf(two)]).toEqual(['member', 'organizationAdministrator']);
    await giver.patch(`/Groups/${heads.id}`, { op: 'replace', path: 'displayName', value: 'Nobody' });
    expect(await roleOf(two)).toBe('member');
    await giver.patch(`/Groups/${heads.id}`, { op: 'replace', path: 'displayName', value: 'TOKEN HEADS' });
    expect(await roleOf(two)).toBe('organizationAdministrator');
    const others = await giver.group('Other heads', [two]);
    await giver.call('DELETE', `/Groups/${heads.id}`);
    expect(await roleOf(two)).toBe('organizationAdministrator');
    await giver.call('DELETE', `/Groups/${others.id}`);
    expect(await roleOf(two)).toBe('member');
  });

  test('a token that does not hold everything cannot give the role, and can take it', async () => {
    const [one = '', two = ''] = await ids(2, giver);
    const heads = await giver.group('Token heads', [one]);
    const weak = await Provisioner.make(server, 'Roles');
    const add = { op: 'add', path: 'members', value: [{ value: two }] };
    expectScimError(await weak.patch(`/Groups/${heads.id}`, add), 403);
    const made = await weak.call('POST', '/Groups', {
      displayName: 'Other heads',
      members: [{ value: two }],
    });
    expectScimError(made, 403);
    const plain = await weak.group(undefined, [two]);
    const rename = { op: 'replace', path: 'displayName', value: 'Other heads' };
    expectScimError(await weak.patch(`/Groups/${plain.id}`, rename), 403);
    expect([await roleOf(two), await giver.membersOf(heads.id)]).toEqual(['member', [one]]);
    expectStatus(await weak.patch(`/Groups/${heads.id}`, { op: 'remove', path: 'members' }), 204);
    expect(await roleOf(one)).toBe('member');
  });

  test('is not ended by one call where more than 2,000 would lose the role, but in portions', async () => {
    const { manager } = server.app.dataSource;
    const crowd = await Provisioner.make(server, 'Crowd', ['*']);
    const heads = await crowd.group('Token heads');
    await manager.query(
      `WITH made AS (INSERT INTO users (id, login, role, permissions, organization_id, disabled, created_at, updated_at)
         SELECT gen_random_uuid(), 'crowd' || n, 'organizationAdministrator', '{}', $1, false, now(), now()
         FROM generate_series(1, 2001) n RETURNING id)
       INSERT INTO group_members (group_id, user_id) SELECT $2, id FROM made`,
      [crowd.organizationId, heads.id],
    );
    const rename = { op: 'replace', path: 'displayName', value: 'Nobody' };
    expectScimError(await crowd.patch(`/Groups/${heads.id}`, rename), 400, 'tooMany');
    expectScimError(await crowd.call('DELETE', `/Groups/${heads.id}`), 400, 'tooMany');
    const [one = ''] = await crowd.membersOf(heads.id);
    expectStatus(
      await crowd.patch(`/Groups/${heads.id}`, { op: 'remove', path: `members[value eq "${one}"]` }),
      204,
    );
    expect([await roleOf(one), (await crowd.membersOf(heads.id)).length]).toEqual(['member', 2_000]);
  });

  test('no administrator of everything becomes less by a group', async () => {
    const alone = await Provisioner.make(server, 'Alone', ['*']);
    const { user } = await server.makeUser({ role: 'administrator', organizationId: alone.organizationId });
    const { id } = await alone.group('Token heads', [user.id]);
    await alone.patch(`/Groups/${id}`, { op: 'remove', path: 'members' });
    expect(await roleOf(user.id)).toBe('administrator');
  });
});
