import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { User } from '../../src/accounts/user.entity.js';
import {
  ENTERPRISE,
  expectScimError,
  expectStatus,
  freshName,
  GROUP,
  LIST,
  PATCH,
  Provisioner,
  USER,
} from '../support/scim.js';
import { TestServer } from '../support/server.js';

/** What Entra ID names besides in the schemas of a group. */
const ADSCIM = 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group';

/*
 * The requests of Microsoft's "Tutorial: Develop a sample SCIM endpoint" and "Known issues and resolutions with SCIM 2.0
 * protocol compliance", in the order in which the provisioning service sends them.
 */
let server: TestServer;
let entra: Provisioner;
beforeAll(async () => {
  server = await TestServer.start();
  entra = await Provisioner.make(server, 'Contoso');
});
afterAll(() => server.close());

function query(filter: string, further = ''): string {
  return `?filter=${encodeURIComponent(filter)}${further}`;
}

/** A user as the tutorial makes one. */
async function testUser(): Promise<{ id: string; sent: Record<string, unknown> }> {
  const userName = `Test_User_${randomUUID()}`;
  const sent = {
    schemas: [USER, ENTERPRISE],
    externalId: randomUUID(),
    userName,
    active: true,
    emails: [{ primary: true, type: 'work', value: `${userName}@testuser.com` }],
    name: { formatted: 'givenName familyName', familyName: 'familyName', givenName: 'givenName' },
    roles: [],
  };
  const body = { ...sent, meta: { resourceType: 'User' } };
  const made = expectStatus(await entra.call('POST', '/Users', body), 201);
  return { id: made.json.id as string, sent };
}

async function shown(id: string): Promise<Record<string, unknown>> {
  return expectStatus(await entra.call('GET', `/Users/${id}`), 200).json as Record<string, unknown>;
}

describe('users', () => {
  test('the connection is tested by a user who cannot be there', async () => {
    const { status, json } = await entra.call('GET', `/Users${query(`userName eq "${randomUUID()}"`)}`);
    expect([status, json]).toEqual([
      200,
      { schemas: [LIST], totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] },
    ]);
  });

  test('a user is made, read, and found by userName, externalId and address', async () => {
    const { id, sent } = await testUser();
    const set = Object.fromEntries(
      Object.entries(sent as object).filter(([key]) => key !== 'roles' && key !== 'schemas'),
    );
    expect(await shown(id)).toEqual({ schemas: [USER], id, ...set, meta: expect.anything() });
    const { userName, externalId } = sent as { userName: string; externalId: string };
    for (const filter of [
      `userName eq "${userName.toLowerCase()}"`,
      `externalId eq "${externalId}"`,
      `emails[type eq "work"].value eq "${userName}@testuser.com"`,
      `emails[type eq "work" and value eq "${userName}@testuser.com"]`,
    ]) {
      expect(await entra.found(filter)).toEqual([userName]);
    }
    expectScimError(await entra.call('GET', '/Users/5171a35d82074e068ce2'), 404);
  });

  test('a reference is asked for', async () => {
    const manager = await testUser();
    const { id } = await testUser();
    await entra.patch(`/Users/${id}`, { op: 'Add', path: `${ENTERPRISE}:manager`, value: manager.id });
    for (const name of ['manager', `${ENTERPRISE}:manager`, `${ENTERPRISE}:manager.value`]) {
      const asked = query(`id eq "${id}" and ${name} eq "${manager.id}"`, '&attributes=id');
      const { json } = expectStatus(await entra.call('GET', `/Users${asked}`), 200);
      expect(json.Resources).toEqual([{ schemas: expect.anything(), id }]);
    }
  });

  test('values of lists are replaced by their type, parts of the name by their path', async () => {
    const { id } = await testUser();
    const changed = await entra.patch(
      `/Users/${id}`,
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'updatedEmail@microsoft.com' },
      { op: 'Replace', path: 'name.familyName', value: 'updatedFamilyName' },
    );
    expect(expectStatus(changed, 200).json).toMatchObject({
      emails: [{ primary: true, type: 'work', value: 'updatedEmail@microsoft.com' }],
      name: { familyName: 'updatedFamilyName', givenName: 'givenName' },
    });
    const user = await server.app.dataSource.manager.findOneByOrFail(User, { id });
    expect(user.email).toBe('updatedEmail@microsoft.com');
  });

  test('userName is replaced, and a taken one refused', async () => {
    const [one, two] = [await testUser(), await testUser()];
    const userName = freshName();
    const renamed = await entra.patch(`/Users/${one.id}`, {
      op: 'Replace',
      path: 'userName',
      value: userName,
    });
    expect(expectStatus(renamed, 200).json.userName).toBe(userName);
    const again = await entra.patch(`/Users/${two.id}`, { op: 'Replace', path: 'userName', value: userName });
    expectScimError(again, 409, 'uniqueness');
  });

  test.each([
    ['a boolean', false],
    ['the text False', 'False'],
    ['the text false', 'false'],
  ])('active is replaced by %s', async (_what, value) => {
    const { id } = await testUser();
    const off = await entra.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value });
    expect(expectStatus(off, 200).json.active).toBe(false);
    const on = await entra.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'True' });
    expect(expectStatus(on, 200).json.active).toBe(true);
  });

  test('what is not there yet is added by the path of its type', async () => {
    const { id } = await testUser();
    const changed = await entra.patch(
      `/Users/${id}`,
      { op: 'Add', path: 'displayName', value: 'Display' },
      { op: 'Add', path: 'title', value: 'Engineer' },
      { op: 'Add', path: 'preferredLanguage', value: 'en-US' },
      { op: 'Add', path: 'emails[type eq "other"].value', value: 'other@testuser.com' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+1 (425) 555-0100' },
      { op: 'Add', path: 'addresses[type eq "work"].formatted', value: '1 Microsoft Way' },
      { op: 'Replace', path: 'addresses[type eq "work"].country', value: 'US' },
      { op: 'Add', path: 'roles[primary eq "True"].value', value: 'Reader' },
      { op: 'Add', path: 'roles[primary eq "True"].display', value: 'May read' },
      { op: 'Add', path: `${ENTERPRISE}:department`, value: 'bob' },
      { op: 'Replace', path: `${ENTERPRISE}:employeeNumber`, value: '701984' },
      {
        op: 'Add',
        path: `${ENTERPRISE}:manager`,
        value: [{ $ref: 'https://x.example/Users/7', value: '7' }],
      },
    );
    const { emails } = expectStatus(changed, 200).json;
    expect(emails).toHaveLength(2);
    expect(changed.json).toMatchObject({
      schemas: [USER, ENTERPRISE],
      displayName: 'Display',
      title: 'Engineer',
      preferredLanguage: 'en-US',
      emails: [{ type: 'work' }, { type: 'other', value: 'other@testuser.com' }],
      phoneNumbers: [{ type: 'mobile', value: '+1 (425) 555-0100' }],
      addresses: [{ type: 'work', formatted: '1 Microsoft Way', country: 'US' }],
      roles: [{ primary: true, value: 'Reader', display: 'May read' }],
      [ENTERPRISE]: {
        department: 'bob',
        employeeNumber: '701984',
        manager: { $ref: 'https://x.example/Users/7', value: '7' },
      },
    });
    const gone = await entra.patch(
      `/Users/${id}`,
      { op: 'Remove', path: 'title' },
      { op: 'Remove', path: 'phoneNumbers[type eq "mobile"]' },
      { op: 'Remove', path: 'ims[type eq "work"].value' },
      { op: 'Remove', path: `${ENTERPRISE}:manager` },
      { op: 'Remove', path: 'roles', value: [{ value: 'Reader' }] },
      { op: 'Replace', path: `${ENTERPRISE}:department`, value: null },
    );
    expectStatus(gone, 200);
    for (const key of ['title', 'phoneNumbers', 'ims', 'roles']) expect(gone.json).not.toHaveProperty(key);
    expect(gone.json[ENTERPRISE]).toEqual({ employeeNumber: '701984' });
  });

  test('the older job names everything in one value without a path, with dots in the keys', async () => {
    const { id } = await testUser();
    const changed = await entra.patch(`/Users/${id}`, {
      op: 'replace',
      value: {
        displayName: 'Bjfe',
        'name.givenName': 'Kkom',
        'name.familyName': 'Unua',
        'emails[type eq "work"].value': 'bjfe@testuser.com',
        [`${ENTERPRISE}:employeeNumber`]: 'aklq',
        [`${ENTERPRISE}:department`]: 'bob',
        active: 'False',
      },
    });
    expect(expectStatus(changed, 200).json).toMatchObject({
      displayName: 'Bjfe',
      name: { formatted: 'givenName familyName', givenName: 'Kkom', familyName: 'Unua' },
      emails: [{ type: 'work', value: 'bjfe@testuser.com' }],
      [ENTERPRISE]: { employeeNumber: 'aklq', department: 'bob' },
      active: false,
    });
  });

  test('attributes of a schema of one`s own come back, by value and by path', async () => {
    const custom = 'urn:ietf:params:scim:schemas:extension:custom:2.0:User';
    const { id } = await entra.user({ [custom]: { employeeNumber: '99887766', worksiteId: '180' } });
    await entra.patch(`/Users/${id}`, { op: 'Replace', path: `${custom}:worksiteId`, value: '181' });
    const { schemas, [custom]: set } = await shown(id);
    expect([schemas, set]).toEqual([[USER, custom], { employeeNumber: '99887766', worksiteId: '181' }]);
  });

  test('a user is deleted', async () => {
    const { id } = await testUser();
    expect((await entra.call('DELETE', `/Users/${id}`)).status).toBe(204);
    expectScimError(await entra.call('GET', `/Users/${id}`), 404);
  });
});

describe('groups', () => {
  async function testGroup(): Promise<{ id: string; displayName: string }> {
    const displayName = `displayName ${randomUUID()}`;
    const made = await entra.call('POST', '/Groups', {
      schemas: [GROUP, ADSCIM],
      externalId: randomUUID(),
      displayName,
      members: [],
      meta: { resourceType: 'Group' },
    });
    expect(expectStatus(made, 201).json).toMatchObject({ displayName, members: [] });
    return { id: made.json.id as string, displayName };
  }

  test('a group is found by its name, without members', async () => {
    const { id, displayName } = await testGroup();
    const { status, json } = await entra.call(
      'GET',
      `/Groups?excludedAttributes=members&${query(`displayName eq "${displayName}"`).slice(1)}`,
    );
    expect([status, json.totalResults]).toEqual([200, 1]);
    expect(json.Resources[0]).toMatchObject({ id, displayName });
    const read = await entra.call('GET', `/Groups/${id}?excludedAttributes=members`);
    expect(expectStatus(read, 200).json).not.toHaveProperty('members');
  });

  test('is renamed, and members come and go by the value', async () => {
    const { id } = await testGroup();
    const [one, two] = [await testUser(), await testUser()];
    const member = ({ id: value }: { id: string }): object => ({ $ref: null, value });
    const name = { op: 'Replace', path: 'displayName', value: `1879db59-3bdf-4490-${randomUUID()}` };
    expectStatus(await entra.patch(`/Groups/${id}`, name), 204);
    const added = { op: 'Add', path: 'members', value: [member(one), member(two)] };
    expectStatus(await entra.patch(`/Groups/${id}`, added), 204);
    const asked = query(`id eq "${id}" and members eq "${one.id}"`, '&attributes=id');
    expect((await entra.call('GET', `/Groups${asked}`)).json.totalResults).toBe(1);
    const removed = { op: 'Remove', path: 'members', value: [member(one)] };
    expectStatus(await entra.patch(`/Groups/${id}`, removed), 204);
    expect(await entra.membersOf(id)).toEqual([two.id]);
    const byPath = { op: 'Remove', path: `members[value eq "${two.id}"]` };
    expectStatus(await entra.patch(`/Groups/${id}`, byPath), 204);
    expect(await entra.membersOf(id)).toEqual([]);
    expect((await entra.call('DELETE', `/Groups/${id}`)).status).toBe(204);
  });
});

describe('operations that cannot be', () => {
  test.each([
    [
      'a path of what objects of JavaScript have',
      { op: 'add', path: 'constructor.prototype.x', value: 1 },
      'invalidPath',
    ],
    ['its part', { op: 'add', path: 'name.constructor', value: 'x' }, 'invalidPath'],
    ['its prototype', { op: 'add', path: '__proto__.x', value: 1 }, 'invalidPath'],
    ['it as a key', { op: 'add', value: { 'constructor.prototype': { x: 1 } } }, 'invalidPath'],
    ['a part of a text', { op: 'replace', path: 'userName.x', value: 'y' }, 'invalidPath'],
    ['a path that is too long', { op: 'add', path: 'x'.repeat(501), value: 1 }, 'invalidPath'],
    ['a path that is none', { op: 'add', path: 'emails[type eq "work"', value: 'x' }, 'invalidPath'],
    ['a path that is no text', { op: 'add', path: 7, value: 'x' }, 'invalidPath'],
    ['a filter that is none', { op: 'add', path: 'emails[type]', value: 'x' }, 'invalidFilter'],
    [
      'a value that is replaced and not there',
      { op: 'replace', path: 'emails[type co "x"].value', value: 'x' },
      'noTarget',
    ],
    ['what the server gives', { op: 'replace', path: 'meta.created', value: 'x' }, 'mutability'],
    ['groups', { op: 'add', path: 'groups', value: [{ value: 'x' }] }, 'mutability'],
    ['no value', { op: 'add' }, 'invalidSyntax'],
    ['userName away', { op: 'remove', path: 'userName' }, 'invalidValue'],
    ['an active that is neither', { op: 'replace', path: 'active', value: 'perhaps' }, 'invalidValue'],
    [
      'a list that is too long',
      { op: 'add', path: 'emails', value: Array(101).fill({ value: 'x' }) },
      'tooMany',
    ],
  ])('refuses %s', async (_what, operation, scimType) => {
    const { id } = await testUser();
    const before = await shown(id);
    const good = { op: 'replace', path: 'displayName', value: 'Changed' };
    expectScimError(await entra.patch(`/Users/${id}`, good, operation), 400, scimType);
    expect(await shown(id)).toEqual(before);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  test('a list grows beyond its bound by no number of operations', async () => {
    const { id } = await entra.user();
    const values = (start: number): object[] =>
      Array.from({ length: 60 }, (_, index) => ({ value: `r${start + index}` }));
    const add = (start: number): object => ({ op: 'add', path: 'roles', value: values(start) });
    expectStatus(await entra.patch(`/Users/${id}`, add(0)), 200);
    expectScimError(await entra.patch(`/Users/${id}`, add(60)), 400, 'tooMany');
    expect((await shown(id))['roles']).toHaveLength(60);
  });

  test('schemas that are those of a user are no PATCH', async () => {
    const { id } = await entra.user();
    const body = { schemas: [USER], Operations: [{ op: 'add', path: 'title', value: 'x' }] };
    expectScimError(await entra.call('PATCH', `/Users/${id}`, body), 400, 'invalidSyntax');
    const small = { schemas: [PATCH], operations: [{ Op: 'ADD', Path: 'TITLE', Value: 'x' }] };
    expect(expectStatus(await entra.call('PATCH', `/Users/${id}`, small), 200).json.title).toBe('x');
  });
});
