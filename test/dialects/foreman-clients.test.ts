import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import {
  type ApipieDocument,
  type ApipieMethod,
  type ApipieParameter,
  type ApipieResource,
  toApipie,
} from '../../src/dialects/foreman/apidoc/apipie.js';
import { DescribedClient } from '../support/foreman-client.js';
import { basic, bearer, type Received } from '../support/http.js';
import { setPolicy } from '../support/policy.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let alice: TestUser;
beforeAll(async () => {
  server = await TestServer.start();
  alice = await server.makeUser({ login: 'alice', name: 'Alice van der Berg', email: 'alice@example.com' });
  await server.makeUser({ login: 'Bob', name: 'Bob' });
});
afterAll(() => server.close());

describe('GET /apidoc', () => {
  const NUMERIC = ['numeric', false];
  const STRING = ['string', false];
  const NEEDED = ['string', true];
  const CONTEXTS = { location_id: NUMERIC, organization_id: NUMERIC };

  async function described(resource: string, name: string): Promise<ApipieMethod> {
    const { json } = await server.send('GET', '/apidoc/v2.json');
    const { methods } = (json as ApipieDocument).docs.resources[resource] as ApipieResource;
    return methods.find((method) => method.name === name) as ApipieMethod;
  }

  function typesOf(params: ApipieParameter[]): object {
    const entries = params.map(({ name, expected_type, required, params: inner }) => [
      name,
      inner ? [expected_type, required, typesOf(inner)] : [expected_type, required],
    ]);
    return Object.fromEntries(entries) as object;
  }

  test('describes the API to anybody, in the resources that its clients start with', async () => {
    const { status, json } = await server.send('GET', '/apidoc/v2.json');
    expect(status).toBe(200);
    const methods = Object.entries((json as ApipieDocument).docs.resources).map(([name, resource]) => [
      name,
      resource.methods.map((method) => method.name),
    ]);
    expect(Object.fromEntries(methods)).toEqual({
      architectures: [],
      compute_resources: [],
      domains: [],
      home: ['status'],
      hostgroups: [],
      hosts: ['update'],
      locations: [],
      media: [],
      operatingsystems: [],
      organizations: [],
      personal_access_tokens: ['index', 'create', 'show', 'destroy'],
      ping: ['ping', 'statuses'],
      provisioning_templates: [],
      ptables: [],
      roles: [],
      smart_proxies: [],
      subnets: [],
      usergroups: [],
      users: ['index', 'show'],
    });
    expect((await server.send('GET', '/apidoc/v2.en.json')).text).toBe(
      (await server.send('GET', '/apidoc/v2.json')).text,
    );
  });

  test.each([
    ['personal_access_tokens', 'index', 'GET', '/api/users/:user_id/personal_access_tokens'],
    ['personal_access_tokens', 'show', 'GET', '/api/users/:user_id/personal_access_tokens/:id'],
    ['personal_access_tokens', 'create', 'POST', '/api/users/:user_id/personal_access_tokens'],
    ['personal_access_tokens', 'destroy', 'DELETE', '/api/users/:user_id/personal_access_tokens/:id'],
    ['users', 'index', 'GET', '/api/users'],
    ['users', 'show', 'GET', '/api/users/:id'],
    ['home', 'status', 'GET', '/api/status'],
    ['ping', 'ping', 'GET', '/api/ping'],
    ['ping', 'statuses', 'GET', '/api/statuses'],
  ])('describes where %s#%s is', async (resource, name, http_method, api_url) => {
    const short_description = expect.stringMatching(/./);
    expect(await described(resource, name)).toMatchObject({
      apis: [{ http_method, api_url, short_description }],
    });
  });

  test('describes types and which parameters are required', async () => {
    const page = { search: STRING, order: STRING, page: NUMERIC, per_page: STRING };
    expect(typesOf((await described('personal_access_tokens', 'index')).params)).toEqual({
      user_id: NEEDED,
      ...page,
      ...CONTEXTS,
    });
    const one = { user_id: NEEDED, id: NEEDED, ...CONTEXTS };
    expect(typesOf((await described('personal_access_tokens', 'show')).params)).toEqual(one);
    expect(typesOf((await described('personal_access_tokens', 'destroy')).params)).toEqual(one);
    expect(typesOf((await described('personal_access_tokens', 'create')).params)).toEqual({
      user_id: NEEDED,
      personal_access_token: ['hash', true, { name: NEEDED, expires_at: STRING }],
      ...CONTEXTS,
    });
    expect(typesOf((await described('users', 'index')).params)).toEqual(page);
    expect(typesOf((await described('users', 'show')).params)).toEqual({ id: NEEDED });
    expect(typesOf((await described('ping', 'statuses')).params)).toEqual({});
  });

  test('is made of the checked-in OpenAPI document, with a checksum that every answer repeats', async () => {
    const document = await server.send('GET', '/apidoc/v2.json');
    expect(document.json).toEqual(toApipie(JSON.parse(readFileSync('openapi/foreman.json', 'utf8'))));
    const { json } = await server.send('GET', '/apidoc/apipie_checksum');
    expect(json).toEqual({ checksum: expect.stringMatching(/^[0-9a-f]{32}$/) });
    const status = await server.send('GET', '/api/status');
    for (const { headers } of [document, status]) expect(headers['apipie-checksum']).toBe(json.checksum);
  });
});

describe('GET /api/status', () => {
  test('tests credentials, of any kind and scope', async () => {
    const { value } = await server.issue({ dialect: 'panther', ownerId: alice.user.id });
    for (const headers of [alice.byPassword, bearer(value), basic('alice', value)]) {
      for (const path of ['/api/status', '/api/v2/status/', '/api/status.json']) {
        const answer = await server.send('GET', path, { headers });
        expect([answer.status, answer.text]).toEqual([
          200,
          '{"result":"ok","status":200,"version":"3.13.0","api_version":2}',
        ]);
        expect(answer.headers['foreman_version']).toBe('3.13.0');
      }
    }
    expect((await server.send('GET', '/api/status')).status).toBe(401);
  });
});

const DATABASE = { active: true, duration_ms: expect.stringMatching(/^\d+$/) };

describe('GET /api/ping', () => {
  test('tells anybody how long the database took to answer', async () => {
    for (const path of ['/api/ping', '/api/v2/ping', '/api/ping.json']) {
      for (const headers of [{}, basic('alice', 'wrong password'), alice.byPassword]) {
        const answer = await server.send('GET', path, { headers });
        expect([answer.status, answer.json]).toEqual([200, { results: { foreman: { database: DATABASE } } }]);
        expect(answer.headers['apipie-checksum']).toMatch(/^[0-9a-f]{32}$/);
      }
    }
  });

  test('says in a 200 that the database does not answer within two seconds, asking once for all who ask', async () => {
    const { dataSource } = server.app;
    const { max } = (dataSource.options as { extra: { max: number } }).extra;
    const holders = Array.from({ length: max }, () => dataSource.createQueryRunner());
    for (const holder of holders) await holder.connect();
    const asked = jest.spyOn(dataSource, 'query');
    const answers = await Promise.all(Array.from({ length: 10 }, () => server.send('GET', '/api/ping')));
    // The recorder of last uses asks as well, in its own time.
    const questions = asked.mock.calls.filter(([sql]) => sql === 'SELECT 1');
    asked.mockRestore();
    for (const holder of holders) await holder.release();
    expect(questions).toHaveLength(1);
    for (const { status, json } of answers) {
      const { active, duration_ms: duration } = json.results.foreman.database;
      expect([status, active]).toEqual([200, false]);
      expect(Number(duration)).toBeGreaterThan(1_900);
    }
    await server.send('GET', '/api/status', { headers: alice.byPassword });
    expect((await server.send('GET', '/api/ping')).json.results.foreman.database.active).toBe(true);
  });
});

describe('GET /api/statuses', () => {
  test('tells versions and the database, to a caller with any credential alone', async () => {
    const { value } = await server.issue({ dialect: 'panther', ownerId: alice.user.id });
    for (const headers of [alice.byPassword, bearer(value)]) {
      const { status, json } = await server.send('GET', '/api/statuses', { headers });
      expect(status).toBe(200);
      expect(Object.keys(json.results.foreman)).toEqual([
        'version',
        'api',
        'plugins',
        'smart_proxies',
        'compute_resources',
        'database',
      ]);
      expect(json.results.foreman).toMatchObject({ version: '3.13.0', api: { version: 'v2' } });
      expect(json.results.foreman.database).toEqual(DATABASE);
    }
    const nobody = await server.send('GET', '/api/statuses');
    const message = 'Unable to authenticate user ';
    expect([nobody.status, nobody.json]).toEqual([401, { error: { message } }]);
  });
});

describe('GET /api/users', () => {
  let viewer: TestUser;
  beforeAll(async () => {
    viewer = await server.makeUser({ login: 'viewer', permissions: ['view_users'] });
    const { id: organizationId } = await server.organization('Far');
    await server.makeUser({ login: 'stranger', organizationId });
  });

  function ask(query: string, headers = viewer.byPassword): Promise<Received> {
    return server.send('GET', `/api/users${query}`, { headers });
  }

  async function logins(search: string, headers = server.asAdmin): Promise<string[]> {
    const { status, json } = await ask(`?search=${encodeURIComponent(search)}`, headers);
    expect(status).toBe(200);
    return json.results.map(({ login }: { login: string }) => login);
  }

  test('lists in the envelope of lists, with keys in order', async () => {
    const answer = await ask('?search=login%20%3D%20%22alice%22&per_page=1000&page=1');
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(
      `{"total":4,"subtotal":1,"page":1,"per_page":1000,"search":"login = \\"alice\\"","sort":{"by":null,"order":null},"results":[{"id":${alice.user.numericId},"login":"alice","mail":"alice@example.com","firstname":"Alice","lastname":"van der Berg","admin":false,"disabled":false}]}`,
    );
  });

  test('searches login, mail and number in the same language', async () => {
    expect(await logins('ALICE')).toEqual(['alice']);
    expect(await logins('example.com')).toEqual(['alice']);
    expect(await logins('login = bob')).toEqual([]);
    expect(await logins('login = Bob or mail ~ alice')).toEqual(['alice', 'Bob']);
    expect(await logins(`id = ${alice.user.numericId}`)).toEqual(['alice']);
    expect(await logins('null? mail and not login ~ a')).toEqual(['Bob', 'viewer']);
    expect((await ask('?search=name%3Dx')).json.error.message).toBe(
      "Field 'name' not recognized for searching!",
    );
    expect((await ask('?search=password%3Dx')).status).toBe(400);
  });

  test('sorts and pages', async () => {
    const { json } = await ask('?order=login%20DESC&per_page=2&page=2&include_permissions', server.asAdmin);
    expect(json.results.map(({ login }: { login: string }) => login)).toEqual(['alice', 'admin']);
    expect(json).toMatchObject({ total: 5, per_page: 2, can_create: true, can_edit: true });
    expect((await ask('?order=firstname')).status).toBe(400);
  });

  test('shows the own organization alone, an administrator everybody, within a context', async () => {
    expect((await ask('')).json.total).toBe(4);
    expect((await ask('', server.asAdmin)).json.total).toBe(5);
    expect((await ask('?organization_id=Far', server.asAdmin)).json.total).toBe(1);
    expect((await ask('?organization_id=Far')).status).toBe(404);
  });

  test('needs view_users', async () => {
    for (const path of ['', '/viewer', '/nobody']) {
      const answer = await ask(path, alice.byPassword);
      const details = 'Missing one of the required permissions: view_users';
      const missing_permissions = ['view_users'];
      expect([answer.status, answer.json]).toEqual([
        403,
        { error: { message: 'Access denied', details, missing_permissions } },
      ]);
    }
    expect((await ask('', {})).status).toBe(401);
  });

  test('shows one user by number or login, oneself without a permission', async () => {
    for (const id of [`${alice.user.numericId}`, `${alice.user.numericId}-x`, 'alice', 'alice.json']) {
      for (const headers of [viewer.byPassword, alice.byPassword]) {
        const answer = await ask(`/${id}`, headers);
        expect([id, answer.status, answer.json.login]).toEqual([id, 200, 'alice']);
      }
    }
    expect((await ask('/Bob')).json).toMatchObject({ firstname: 'Bob', lastname: null, mail: null });
    for (const id of ['nobody', 'stranger', '999999', '5x']) {
      const answer = await ask(`/${id}`);
      const message = `Resource user not found by id '${id}'`;
      expect([answer.status, answer.json]).toEqual([404, { error: { message } }]);
    }
  });
});

describe('a client that builds itself from the description', () => {
  test('lists, shows, creates and revokes tokens by the names of user and token', async () => {
    const client = await DescribedClient.connect(server, server.asAdmin);
    const value = await client.create({ user: 'alice', name: 'my "laptop"', expires: '2031-05-06' });
    expect(value).toMatch(/^pt-/);
    const plain = await client.create({ user: 'alice', name: 'laptop' });
    const own = await DescribedClient.connect(server, basic('alice', plain));
    await expect(own.list({ user: 'alice' })).rejects.toMatchObject({ exitCode: 77 });
    expect(await client.list({ user: 'alice' })).toHaveLength(2);
    expect(await client.info({ user: 'alice', name: 'laptop' })).toMatchObject({
      name: 'laptop',
      'active?': true,
    });
    expect(await client.revoke({ user: 'alice', name: 'laptop' })).toMatchObject({ revoked: true });
    expect(await client.info({ user: 'alice', name: 'laptop' })).toMatchObject({
      'active?': false,
      'revoked?': true,
    });
    await expect(DescribedClient.connect(server, basic('alice', plain))).rejects.toMatchObject({
      exitCode: 129,
    });
  });

  test('shows a user by number, as `user info --id` does', async () => {
    const client = await DescribedClient.connect(server, server.asAdmin);
    expect(await client.userInfo(alice.user.numericId)).toEqual({
      id: alice.user.numericId,
      login: 'alice',
      mail: 'alice@example.com',
      firstname: 'Alice',
      lastname: 'van der Berg',
      full_name: 'Alice van der Berg',
      admin: false,
      disabled: false,
      usergroups: [],
      inherited: [],
    });
    await expect(client.userInfo(999_999)).rejects.toMatchObject({
      exitCode: 128,
      message: "Resource user not found by id '999999'",
    });
  });

  test('pings, and asks for the status', async () => {
    const client = await DescribedClient.connect(server, server.asAdmin);
    const duration = expect.stringMatching(/^\d+$/);
    expect(await client.ping()).toEqual({ lines: ['ok', duration], exitCode: 0 });
    expect(await client.status()).toEqual({
      version: '3.13.0',
      apiVersion: 'v2',
      database: [true, duration],
      plugins: [],
      proxies: [],
      computeResources: [],
    });
  });

  test('fails with what the policy of the organization does not allow', async () => {
    const client = await DescribedClient.connect(server, server.asAdmin);
    await setPolicy(server, { maxLifetimeSeconds: 90 * 86_400 });
    await expect(client.create({ user: 'Bob', name: 'long', expires: '2099-01-01' })).rejects.toMatchObject({
      exitCode: 65,
      message: "The organization's policy allows a token to live for at most 90 days (maxLifetimeSeconds)",
    });
    await setPolicy(server, {});
  });

  test('fails with the texts that are meant for people', async () => {
    const client = await DescribedClient.connect(server, server.asAdmin);
    await client.create({ user: 'Bob', name: 'taken' });
    await expect(client.create({ user: 'Bob', name: 'taken' })).rejects.toMatchObject({
      exitCode: 65,
      message: 'Name has already been taken',
    });
    await expect(client.create({ user: 'Bob', name: 'late', expires: '2001-01-01' })).rejects.toMatchObject({
      exitCode: 65,
      message: 'Expires at cannot be in the past',
    });
    await expect(client.info({ user: 'Bob', name: 'unknown' })).rejects.toMatchObject({
      exitCode: 70,
      message: 'personal_access_token not found',
    });
    await expect(client.list({ user: 'unknown' })).rejects.toMatchObject({
      exitCode: 70,
      message: 'user not found',
    });
    await expect(DescribedClient.connect(server, basic('Bob', 'wrong'))).rejects.toMatchObject({
      exitCode: 129,
      message: 'Unable to authenticate user Bob',
    });
    const viewer = await server.makeUser({ permissions: ['view_users'] });
    const weak = await DescribedClient.connect(server, viewer.byPassword);
    await expect(weak.list({ user: 'Bob' })).rejects.toMatchObject({
      exitCode: 77,
      message: 'Access denied\nMissing one of the required permissions: view_personal_access_tokens',
    });
  });
});
