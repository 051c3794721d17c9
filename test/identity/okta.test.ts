import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { expectScimError, expectStatus, GROUP, LIST, Provisioner, USER } from '../support/scim.js';
import { TestServer } from '../support/server.js';

/** The requests of Okta's "Okta and SCIM Version 2.0", in the order in which Okta sends them. */
let server: TestServer;
let okta: Provisioner;
beforeAll(async () => {
  server = await TestServer.start();
  okta = await Provisioner.make(server, 'Okta customer');
});
afterAll(() => server.close());

async function assigned(): Promise<{ id: string; profile: Record<string, unknown> }> {
  const userName = `test.${randomBytes(5).toString('hex')}@okta.local`;
  const externalId = `00u${randomBytes(8).toString('hex')}`;
  const page = '&startIndex=1&count=100';
  const found = await okta.call(
    'GET',
    `/Users?filter=userName%20eq%20%22${encodeURIComponent(userName)}%22${page}`,
  );
  expect(expectStatus(found, 200).json).toEqual({
    schemas: [LIST],
    totalResults: 0,
    startIndex: 1,
    itemsPerPage: 0,
    Resources: [],
  });
  const profile = {
    schemas: [USER],
    userName,
    name: { givenName: 'Test', familyName: 'User' },
    emails: [{ primary: true, value: userName, type: 'work' }],
    displayName: 'Test User',
    locale: 'en-US',
    externalId,
    active: true,
  };
  const body = { ...profile, groups: [], password: '1mz050nq' };
  const made = expectStatus(await okta.call('POST', '/Users', body), 201);
  const { id, meta } = made.json;
  expect(made.json).toEqual({ ...profile, id, meta });
  return { id, profile };
}

describe('users', () => {
  test('the credentials are tested by two lists', async () => {
    const users = await okta.call('GET', '/Users?startIndex=1&count=2');
    expect(expectStatus(users, 200).json).toMatchObject({ schemas: [LIST], startIndex: 1, itemsPerPage: 1 });
    const groups = await okta.call('GET', '/Groups?startIndex=1&count=100');
    expect(expectStatus(groups, 200).json).toMatchObject({ totalResults: 0, Resources: [] });
  });

  test('a profile is read, and written whole', async () => {
    const { id, profile } = await assigned();
    const read = expectStatus(await okta.call('GET', `/Users/${id}`), 200).json;
    const changed = {
      ...read,
      name: { givenName: 'Another', middleName: 'Excited', familyName: 'User' },
      title: 'Dr',
    };
    const written = expectStatus(await okta.call('PUT', `/Users/${id}`, changed), 200).json;
    const { name, title } = changed;
    const meta = expect.objectContaining({ created: read.meta.created });
    expect(written).toEqual({ ...profile, id, name, title, meta });
    expect(expectStatus(await okta.call('GET', `/Users/${id}`), 200).json).toEqual(written);
  });

  test('is deactivated by a value without a path, found inactive, and activated again', async () => {
    const { id, profile } = await assigned();
    const off = await okta.patch(`/Users/${id}`, { op: 'replace', value: { active: false } });
    expect(expectStatus(off, 200).json).toMatchObject({ id, active: false });
    expect(await okta.found(`userName eq "${String(profile['userName'])}" and active eq false`)).toHaveLength(
      1,
    );
    const on = await okta.patch(`/Users/${id}`, { op: 'replace', value: { active: true } });
    expect(expectStatus(on, 200).json).toMatchObject({ id, active: true });
    // As Okta does it for apps that are written by PUT.
    const whole = { ...profile, id, active: false };
    expect(expectStatus(await okta.call('PUT', `/Users/${id}`, whole), 200).json.active).toBe(false);
    const again = { ...profile, id, active: true };
    expect(expectStatus(await okta.call('PUT', `/Users/${id}`, again), 200).json.active).toBe(true);
  });

  test('a password that is pushed is taken for nothing', async () => {
    const { id, profile } = await assigned();
    const pushed = await okta.patch(`/Users/${id}`, { op: 'replace', value: { password: 'wsOyg0Hi' } });
    expect(expectStatus(pushed, 200).text).not.toMatch(/password/i);
    const login = String(profile['userName']);
    const authorization = `Basic ${Buffer.from(`${login}:wsOyg0Hi`).toString('base64')}`;
    expect((await server.send('GET', '/patois/v1/me', { headers: { authorization } })).status).toBe(401);
  });

  test('who is there already is a conflict', async () => {
    const { profile } = await assigned();
    expectScimError(await okta.call('POST', '/Users', profile), 409, 'uniqueness');
  });
});

describe('groups are pushed', () => {
  test('made, filled, renamed by the whole of it, replaced and deleted', async () => {
    const [one, two] = [await assigned(), await assigned()];
    const member = ({ id, profile }: typeof one): object => ({ value: id, display: profile['userName'] });
    const made = await okta.call('POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'Test SCIMv2',
      members: [],
    });
    const { id } = expectStatus(made, 201).json as { id: string };
    expect(made.json).toMatchObject({ displayName: 'Test SCIMv2', members: [] });
    const renamed = { op: 'replace', value: { id, displayName: 'Test SCIMv2 renamed' } };
    expectStatus(await okta.patch(`/Groups/${id}`, renamed), 204);
    expectStatus(
      await okta.patch(
        `/Groups/${id}`,
        { op: 'remove', path: `members[value eq "${two.id}"]` },
        { op: 'add', path: 'members', value: [member(one)] },
      ),
      204,
    );
    expect(await okta.membersOf(id)).toEqual([one.id]);
    const replaced = { op: 'replace', path: 'members', value: [member(one), member(two)] };
    expectStatus(await okta.patch(`/Groups/${id}`, replaced), 204);
    const listed = await okta.call('GET', '/Groups?startIndex=1&count=100');
    expect(listed.json.Resources[0].members).toHaveLength(2);
    const whole = { schemas: [GROUP], id, displayName: 'Test SCIMv2', members: [member(two)] };
    const put = expectStatus(await okta.call('PUT', `/Groups/${id}`, whole), 200);
    expect(put.json.members).toEqual([expect.objectContaining({ value: two.id })]);
    expect((await okta.call('DELETE', `/Groups/${id}`)).status).toBe(204);
    expectScimError(await okta.call('GET', `/Groups/${id}`), 404);
  });
});
