import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { User } from '../../src/accounts/user.entity.js';
import { moveClock } from '../support/clock.js';
import { basic, bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let server: TestServer;
let admin: User;
let head: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  admin = await server.admin();
  head = await server.makeUser({ login: 'head', role: 'organizationAdministrator' });
});
afterEach(() => {
  jest.useRealTimers();
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

interface Event {
  id: string;
  action: string;
  [key: string]: unknown;
}

async function events(query: string): Promise<Event[]> {
  const answer = await asAdmin('GET', `/audit-events?${query}`);
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.json.items as Event[];
}

function freshLogin(): string {
  return `u${randomBytes(5).toString('hex')}`;
}

describe('GET /patois/v1/audit-events', () => {
  test('shows each change with actor, object, before, after and where it came from, newest first', async () => {
    const headers = { ...server.asAdmin, 'user-agent': 'auditor/1' };
    const login = freshLogin();
    const made = await call('POST', '/users', headers, { login });
    await call('PATCH', `/users/${login}`, headers, { name: 'After' });
    await call('DELETE', `/users/${login}`, headers);
    const trail = await events(`object=${made.json.id}`);
    expect(trail.map(({ action }) => action)).toEqual(['user.delete', 'user.update', 'user.create']);
    const [deleted, updated, created] = trail;
    expect(Object.keys(created ?? {})).toEqual([
      'id',
      'time',
      'actor',
      'action',
      'object',
      'before',
      'after',
      'address',
      'userAgent',
      'requestId',
    ]);
    expect(created).toEqual({
      id: expect.stringMatching(UUID),
      time: expect.stringMatching(INSTANT),
      actor: { type: 'user', id: admin.id },
      action: 'user.create',
      object: { type: 'user', id: made.json.id },
      before: null,
      after: expect.objectContaining({ login, name: null }),
      address: '127.0.0.1',
      userAgent: 'auditor/1',
      requestId: made.headers['x-request-id'],
    });
    expect(updated).toMatchObject({ before: { name: null }, after: { name: 'After' } });
    expect(deleted).toMatchObject({ before: { login, name: 'After' }, after: null });
  });

  test('shows the whole life of a token, and who did what by which token', async () => {
    const { token: own, value } = await server.issue({ dialect: 'patois', ownerId: admin.id, scopes: ['*'] });
    const body = { dialect: 'patois', owner: 'admin', name: 'x', scopes: ['*'] };
    const { tokenId } = (await call('POST', '/tokens', bearer(value), body)).json;
    await call('PATCH', `/tokens/${tokenId}`, bearer(value), { status: 'inactive' });
    await call('POST', `/tokens/${tokenId}/rotate`, bearer(value));
    await call('DELETE', `/tokens/${tokenId}?reason=done`, bearer(value));
    const trail = await events(`object=${tokenId}`);
    expect(trail.map(({ action }) => action)).toEqual([
      'token.revoke',
      'token.rotate',
      'token.update',
      'token.create',
    ]);
    for (const event of trail) {
      expect(event).toMatchObject({
        actor: { type: 'token', id: own.tokenId },
        object: { type: 'token', id: tokenId },
      });
    }
    expect(trail[0]).toMatchObject({ after: { status: 'revoked', revokeReason: 'done' } });
    expect(trail[2]).toMatchObject({ before: { status: 'active' }, after: { status: 'inactive' } });
    const byIt = await events(`actor=${own.tokenId}`);
    expect(byIt).toEqual(trail);
  });

  test('shows organizations, locations and failed logins', async () => {
    const name = freshLogin();
    const { json: organization } = await asAdmin('POST', '/organizations', { name });
    const { json: location } = await asAdmin('POST', '/locations', { name });
    expect(await events(`object=${organization.id}`)).toMatchObject([
      { action: 'organization.create', object: { type: 'organization' }, after: { name } },
    ]);
    expect(await events(`object=${location.id}`)).toMatchObject([
      { action: 'location.create', object: { type: 'location' }, after: { name } },
    ]);
    await call('GET', '/me', basic(name, 'not the password'));
    await call('GET', '/me', basic('head', 'not the password'));
    expect(await events(`action=login.fail&object=${name}`)).toMatchObject([
      { actor: { type: 'system', id: null }, object: { type: 'login', id: name } },
    ]);
    const failed = await events('action=login.fail&actor=head');
    expect(failed).toMatchObject([{ actor: { type: 'user', id: head.user.id } }]);
    expect(JSON.stringify(failed)).not.toContain('not the password');
  });

  describe('keeps no secret that a client puts where it does not belong', () => {
    /** A live token of the administrator, and what may be kept of it. */
    async function leak(): Promise<{ value: string; kept: string }> {
      const { token, value } = await server.issue({ dialect: 'patois', ownerId: admin.id, scopes: ['*'] });
      return { value, kept: `${token.tokenId}_…` };
    }

    function expectScrubbed(event: Event | undefined, value: string, part: object): void {
      expect(event).toMatchObject(part);
      expect(JSON.stringify(event)).not.toContain(value.slice(16));
    }

    test('as the user agent, of a change and of a failed login', async () => {
      const { value, kept } = await leak();
      const name = freshLogin();
      const agent = { 'user-agent': `curl/8 (${value})` };
      const { json } = await call('POST', '/locations', { ...server.asAdmin, ...agent }, { name });
      const [made] = await events(`object=${json.id}`);
      expectScrubbed(made, value, { userAgent: `curl/8 (${kept})` });
      await call('GET', '/me', { ...basic(name, 'wrong password'), ...agent });
      const [failed] = await events(`object=${name}`);
      expectScrubbed(failed, value, { action: 'login.fail', userAgent: `curl/8 (${kept})` });
    });

    test('as a user agent so long that it is cut within the secret', async () => {
      const { value } = await leak();
      const agent = { 'user-agent': 'x'.repeat(512 - 40) + value };
      const { json } = await call(
        'POST',
        '/locations',
        { ...server.asAdmin, ...agent },
        { name: freshLogin() },
      );
      const [made] = await events(`object=${json.id}`);
      expect(made?.['userAgent']).toMatch(/^x+pt-[0-9A-Za-z]{12}_…$/);
    });

    test('as the reason of a revocation, in the trail and on the token', async () => {
      const { value, kept } = await leak();
      const victim = await server.issue({ dialect: 'patois', ownerId: admin.id, scopes: [] });
      const reason = encodeURIComponent(`found ${value} in a log`);
      expect((await asAdmin('DELETE', `/tokens/${victim.token.tokenId}?reason=${reason}`)).status).toBe(204);
      const [revoked] = await events(`object=${victim.token.tokenId}`);
      expectScrubbed(revoked, value, { after: { revokeReason: `found ${kept} in a log` } });
      const { json } = await asAdmin('GET', `/tokens/${victim.token.tokenId}`);
      expect(json.revokeReason).toBe(`found ${kept} in a log`);
    });

    test("as a token's name and description, before and after", async () => {
      const { value, kept } = await leak();
      const body = {
        dialect: 'patois',
        owner: 'admin',
        name: value,
        description: `${value}\n${value}`,
        scopes: ['*'],
      };
      const { tokenId } = (await asAdmin('POST', '/tokens', body)).json;
      await asAdmin('PATCH', `/tokens/${tokenId}`, { name: 'better' });
      const [update, create] = await events(`object=${tokenId}`);
      const described = { name: kept, description: `${kept}\n${kept}` };
      expectScrubbed(create, value, { action: 'token.create', after: described });
      expectScrubbed(update, value, { action: 'token.update', before: described, after: { name: 'better' } });
    });

    test('as the name of a user or a place', async () => {
      const { value, kept } = await leak();
      const user = (await asAdmin('POST', '/users', { login: freshLogin(), name: `ada ${value}` })).json;
      const [made] = await events(`object=${user.id}`);
      expectScrubbed(made, value, { after: { name: `ada ${kept}` } });
      const place = (await asAdmin('POST', '/organizations', { name: value })).json;
      const [placed] = await events(`object=${place.id}`);
      expectScrubbed(placed, value, { after: { name: kept } });
    });

    test('as the login of a password, in whatever API', async () => {
      const { value } = await leak();
      const paths = ['/patois/v1/me', '/api/v1/user/apptoken', '/api-tokens', '/me/tokens', '/api/users'];
      for (const path of paths) {
        await server.send('GET', path, { headers: basic(`x ${value}`, 'wrong password') });
      }
      const failed = (await events('action=login.fail')).slice(0, paths.length);
      expect(failed.length).toBe(paths.length);
      for (const event of failed) expectScrubbed(event, value, { object: { type: 'login', id: '' } });
    });
  });

  test('filters by actor and object by login too, by action, and by time', async () => {
    const login = freshLogin();
    await asAdmin('POST', '/users', { login });
    moveClock(1);
    await asAdmin('PATCH', `/users/${login}`, { name: 'x' });
    const [update, create] = await events(`object=${login.toUpperCase()}&actor=ADMIN`);
    expect([update?.action, create?.action]).toEqual(['user.update', 'user.create']);
    expect(await events(`object=${login}&action=user.update`)).toEqual([update]);
    expect(await events(`object=${login}&since=${String(update?.['time'])}`)).toEqual([update]);
    expect(await events(`object=${login}&until=${String(update?.['time'])}`)).toEqual([create]);
    expect(await events(`object=${login}&actor=head`)).toEqual([]);
    expect(await events('action=nonsense')).toEqual([]);
    expect(await events('object=nobody')).toEqual([]);
  });

  test('filters by the address and by the id of the request, of which other events have others', async () => {
    const login = freshLogin();
    const made = await asAdmin('POST', '/users', { login });
    const other = await asAdmin('PATCH', `/users/${login}`, { name: 'Other' });
    const [id, otherId] = [made, other].map(({ headers }) => headers['x-request-id'] as string);
    expect(id).not.toBe(otherId);
    expect(await events(`requestId=${id}`)).toMatchObject([{ action: 'user.create', requestId: id }]);
    expect(await events(`requestId=${otherId}`)).toMatchObject([{ action: 'user.update' }]);
    expect(await events('requestId=none')).toEqual([]);
    const [event] = await events(`requestId=${id}`);
    const address = event?.['address'] as string;
    const found = await events(`address=${address}&object=${made.json.id}`);
    expect(found.map(({ action }) => action)).toEqual(['user.update', 'user.create']);
    // One and the same address, written for IPv6.
    expect(await events(`address=::ffff:${address}&requestId=${id}`)).toHaveLength(1);
    expect(await events(`address=192.0.2.77&object=${made.json.id}`)).toEqual([]);
  });

  test('filters by the owner: the account, its log-ins and its tokens, whoever did it', async () => {
    const { user, byPassword } = await server.makeUser();
    const stranger = await server.makeUser();
    await asAdmin('PATCH', `/users/${user.login}`, { name: 'Known' });
    const { token } = await server.issue({ dialect: 'quay', ownerId: user.id });
    await call('DELETE', `/tokens/${token.tokenId}`, byPassword);
    await call('GET', '/me', basic(user.login, 'wrong'));
    const found = await events(`owner=${user.login.toUpperCase()}`);
    expect(found.map(({ action }) => action).sort()).toEqual([
      'login.fail',
      'token.create',
      'token.revoke',
      'user.create',
      'user.update',
    ]);
    expect(await events(`owner=${user.id}&action=token.revoke`)).toMatchObject([
      { object: { type: 'token', id: token.tokenId } },
    ]);
    expect((await events(`owner=${stranger.user.id}`)).map(({ action }) => action)).toEqual(['user.create']);
    expect(await events('owner=nobody-at-all')).toEqual([]);
    expectProblem(await asAdmin('GET', '/audit-events?owner=nobody-at-all&cursor=x'), 400, '/cursor');
    // Who is gone has a history.
    expect((await asAdmin('DELETE', `/users/${user.login}`)).status).toBe(204);
    expect((await events(`owner=${user.id}`)).map(({ action }) => action)).toContain('user.delete');
  });

  test('filters by the organization: its policy, its users and tokens, and its channels', async () => {
    const name = freshLogin();
    const place = (await asAdmin('POST', '/organizations', { name })).json;
    const { user } = await server.makeUser({ organizationId: place.id });
    const { token } = await server.issue({ dialect: 'losant', ownerId: user.id });
    const channel = await asAdmin('POST', '/notice-channels', {
      kind: 'webhook',
      url: 'https://hooks.example.test/patois',
      events: ['token.leaked'],
      organization: name,
    });
    const policy = await asAdmin('PUT', `/organizations/${name}/policy`, { maxTokensPerUser: 9 });
    expect([channel.status, policy.status]).toEqual([201, 200]);
    const about = (await events(`organization=${name}`)).map(({ action, object }) => [action, object]);
    expect(about).toHaveLength(5);
    expect(about).toEqual(
      expect.arrayContaining([
        ['organization.create', { type: 'organization', id: place.id }],
        ['user.create', { type: 'user', id: user.id }],
        ['token.create', { type: 'token', id: token.tokenId }],
        ['noticeChannel.create', { type: 'noticeChannel', id: channel.json.id }],
        ['policy.update', { type: 'organization', id: place.id }],
      ]),
    );
    expect(await events(`organization=${place.id}&action=user.create`)).toHaveLength(1);
    expect(await events('organization=nowhere-at-all')).toEqual([]);
  });

  test('pages through the events of very many tokens, the newest among many others and the rest long before', async () => {
    const { user } = await server.makeUser();
    const { dataSource } = server.app;
    await dataSource.query(
      `INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, scopes, allowed_cidrs, inactive,
         created_at, digest, digest_key, dialect_fields)
       SELECT gen_random_uuid(), 'pt-many' || lpad(n::text, 8, '0'), 'patois', $1, $2, 'token ' || n, '{}', '{}', false,
         now(), '', 'none', '{}' FROM generate_series(1, 1001) n`,
      [user.id, user.organizationId],
    );
    // The owner's in 2001 and 2003, of one moment each, and more of nobody's between than are gone through for a page.
    const event = (time: string, object: string, count: number): Promise<unknown> =>
      dataSource.query(
        `INSERT INTO audit_events (id, time, actor_type, action, object_type, object_id)
         SELECT gen_random_uuid(), timestamptz '${time}', 'system', 'token.update', 'token', ${object}
         FROM generate_series(1, ${count}) n`,
      );
    await event('2001-01-01', `'pt-many' || lpad(n::text, 8, '0')`, 5);
    await event('2002-01-01', `'pt-nobodys0' || lpad(n::text, 5, '0')`, 20_100);
    await event('2003-01-01', `'pt-many' || lpad(n::text, 8, '0')`, 3);
    // As a server does by itself after a while.
    await dataSource.query('ANALYZE tokens, audit_events');
    try {
      for (const filter of [`owner=${user.login}`, `organization=${user.organizationId}&owner=${user.id}`]) {
        const seen: Event[] = [];
        let cursor: string | null = '';
        while (cursor !== null) {
          const path = `/audit-events?${filter}&action=token.update&until=2004-01-01T00:00:00Z&limit=2`;
          const { json }: Received = await asAdmin('GET', `${path}${cursor && `&cursor=${cursor}`}`);
          seen.push(...(json.items as Event[]));
          cursor = json.nextCursor as string | null;
        }
        expect(seen.map(({ time }) => String(time).slice(0, 4))).toEqual(
          [2003, 2003, 2003, 2001, 2001, 2001, 2001, 2001].map(String),
        );
        expect(new Set(seen.map(({ id }) => id)).size).toBe(8);
      }
    } finally {
      await dataSource.query(`DELETE FROM audit_events WHERE time < '2004-01-01'`);
    }
  });

  test("finds a dialect's own name for an action, and shows it", async () => {
    const headers = { ...server.asAdmin, 'content-type': 'application/json' };
    const made = await server.send('POST', '/api/v1/user/apptoken', { headers, body: { title: 'x' } });
    expect(made.status).toBe(201);
    const [event] = await events('action=create_app_specific_token');
    expect(event).toMatchObject({ action: 'token.create', alias: 'create_app_specific_token' });
  });

  test('pages to the end without repeating one while others are written', async () => {
    const { user } = await server.makeUser();
    for (const name of ['a', 'b', 'c', 'd']) await asAdmin('PATCH', `/users/${user.id}`, { name });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { json }: Received = await asAdmin(
        'GET',
        `/audit-events?object=${user.id}&limit=2${cursor && `&cursor=${cursor}`}`,
      );
      seen.push(...(json.items as Event[]).map(({ id }) => id));
      cursor = json.nextCursor as string | null;
      await asAdmin('PATCH', `/users/${user.id}`, { name: `later ${seen.length}` });
    }
    expect([seen.length, new Set(seen).size]).toEqual([5, 5]);
  });

  test.each([
    ['limit=0', '/limit'],
    ['since=yesterday', '/since'],
    ['until=2026-02-30T00:00:00Z', '/until'],
    ['actor=', '/actor'],
    ['object=%00', '/object'],
    ['owner=', '/owner'],
    ['organization=%00', '/organization'],
    ['action=a&action=b', '/action'],
    ['cursor=x', '/cursor'],
    ['user=admin', '/user'],
  ])('refuses ?%s', async (query, pointer) => {
    expectProblem(await asAdmin('GET', `/audit-events?${query}`), 400, pointer);
  });

  test('is for administrators of everything, with the scope to read accounts', async () => {
    expectProblem(await call('GET', '/audit-events', {}), 401);
    expectProblem(await call('GET', '/audit-events', basic('admin', 'wrong')), 401);
    expectProblem(await call('GET', '/audit-events', head.byPassword), 403);
    const { byPassword } = await server.makeUser();
    expectProblem(await call('GET', '/audit-events', byPassword), 403);
    const statuses: Record<string, number> = {};
    for (const scope of ['patois:users.read', 'patois:*', '*', 'patois:users.write', 'patois:tokens.read']) {
      const { value } = await server.issue({ dialect: 'patois', ownerId: admin.id, scopes: [scope] });
      statuses[scope] = (await call('GET', '/audit-events', bearer(value))).status;
    }
    expect(statuses).toEqual({
      'patois:users.read': 200,
      'patois:*': 200,
      '*': 200,
      'patois:users.write': 403,
      'patois:tokens.read': 403,
    });
  });
});
