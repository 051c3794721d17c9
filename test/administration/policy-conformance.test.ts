import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { Job } from '../../src/jobs/job.entity.js';
import { PolicyBreaches } from '../../src/tokens/policy/policy-breaches.js';
import { LastUse, Token } from '../../src/tokens/token.entity.js';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';
import { until } from '../support/until.js';

const DAY_MS = 86_400_000;
let server: TestServer;
let member: TestUser;
let organization = '';
let count = 0;
/** Administers another organization. */
let stranger: TestUser;
/** Administers the organization of the test. */
let head: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  const { id: organizationId } = await server.organization('Elsewhere');
  stranger = await server.makeUser({ role: 'organizationAdministrator', organizationId });
});
afterAll(() => server.close());
afterEach(() => {
  jest.restoreAllMocks();
});

/** An organization of its own for a test, with one member. */
async function begin(): Promise<void> {
  organization = `Place ${(count += 1)}`;
  const { id: organizationId } = await server.organization(organization);
  member = await server.makeUser({ organizationId });
  head = await server.makeUser({ role: 'organizationAdministrator', organizationId });
}

function issue(spec: object = {}): Promise<{ token: Token; value: string }> {
  return server.issue({ dialect: 'patois', ownerId: member.user.id, scopes: ['patois:*'], ...spec });
}

function put(
  body: object,
  query = '?existing=conform',
  headers: Record<string, string> = server.asAdmin,
): Promise<Received> {
  return server.send('PUT', `/patois/v1/organizations/${encodeURIComponent(organization)}/policy${query}`, {
    headers,
    body,
  });
}

async function preview(body: object): Promise<number> {
  const path = `/patois/v1/organizations/${encodeURIComponent(organization)}/policy/preview`;
  return (await server.send('POST', path, { headers: server.asAdmin, body })).json.affected;
}

function read(id: string): Promise<Job> {
  return server.app.dataSource.manager.findOneByOrFail(Job, { id });
}

/** Replaces the policy, and gives the job of that once it has ended. */
async function conform(body: object): Promise<Job> {
  const { status, json } = await put(body);
  expect(status).toBe(202);
  await until(async () => (await read(json.id)).endedAt !== null);
  return read(json.id);
}

function stored({ id }: Token): Promise<Token> {
  return server.app.dataSource.manager.findOneByOrFail(Token, { id });
}

const at = (ms: number): Date => new Date(Date.now() + ms);

describe('PUT …/policy?existing=conform', () => {
  test('answers with the job, and where it is; it makes every token keep the policy, as the preview said', async () => {
    await begin();
    const [long, open, fine, elsewhere, inactive] = [
      await issue({ expiresAt: at(90 * DAY_MS) }),
      await issue(),
      await issue({ expiresAt: at(DAY_MS), allowedCidrs: ['127.0.0.1/32'] }),
      await issue({ expiresAt: at(DAY_MS), allowedCidrs: ['198.51.100.0/24'] }),
      await issue({ inactive: true }),
    ];
    const policy = { maxLifetimeSeconds: (30 * DAY_MS) / 1000, allowedCidrs: ['127.0.0.0/8'] };
    const affected = await preview(policy);
    expect(affected).toBe(4);
    const { status, json, headers } = await put(policy);
    expect([status, json.kind, json.total, headers['location']]).toEqual([
      202,
      'policy-conformance',
      affected,
      `/patois/v1/jobs/${json.id}`,
    ]);
    const got = await server.send(
      'GET',
      `/patois/v1/organizations/${encodeURIComponent(organization)}/policy`,
      {
        headers: server.asAdmin,
      },
    );
    expect([got.headers['etag'], got.json.allowedCidrs]).toEqual([headers['etag'], policy.allowedCidrs]);
    await until(async () => (await read(json.id)).endedAt !== null);
    const job = await server.send('GET', headers['location'] ?? '', { headers: server.asAdmin });
    expect(job.json).toMatchObject({
      status: 'done',
      total: 4,
      done: 4,
      failed: 0,
      result: { shortened: 3, confined: 3, revoked: 1, appeared: 0, gone: 0, isSuperseded: false },
    });
    expect(await preview(policy)).toBe(0);
    for (const { token } of [long, open, inactive]) {
      const after = await stored(token);
      expect(after.expiresAt?.getTime()).toBe(token.createdAt.getTime() + 30 * DAY_MS);
      expect(after.allowedCidrs).toEqual(['127.0.0.0/8']);
    }
    expect(await stored(fine.token)).toMatchObject({ updatedAt: null, allowedCidrs: ['127.0.0.1/32'] });
    expect(await stored(elsewhere.token)).toMatchObject({ revokeReason: 'policy version 2' });
    const verify = async (value: string): Promise<number> =>
      (await server.send('GET', '/verify', { headers: bearer(value) })).status;
    expect([await verify(open.value), await verify(elsewhere.value)]).toEqual([204, 401]);
    const events = await server.app.dataSource.manager.findBy(AuditEvent, {
      objectId: open.token.tokenId,
      action: 'token.update',
    });
    expect(events).toMatchObject([
      {
        actorType: 'system',
        before: { expiresAt: null, allowedCidrs: [] },
        after: { reason: 'policy version 2', allowedCidrs: ['127.0.0.0/8'] },
      },
    ]);
  });

  test('revokes what was used least recently of an owner with too many, and no more than that', async () => {
    await begin();
    const tokens = [];
    for (let index = 0; index < 7; index += 1) tokens.push((await issue()).token);
    // The older a token is, the later it was used.
    for (const [index, { id }] of tokens.entries()) {
      await server.app.dataSource.manager.update(
        LastUse,
        { tokenUuid: id },
        { usedAt: at(-index * 60_000 + 3_600_000) },
      );
    }
    const other = await server.makeUser({ organizationId: member.user.organizationId });
    const { token: alone } = await issue({ ownerId: other.user.id });
    const policy = { maxTokensPerUser: 3 };
    expect(await preview(policy)).toBe(4);
    expect(await conform(policy)).toMatchObject({ status: 'done', done: 4, result: { revoked: 4 } });
    const statuses = await Promise.all(tokens.map(async (token) => (await stored(token)).status()));
    expect(statuses).toEqual(['active', 'active', 'active', 'revoked', 'revoked', 'revoked', 'revoked']);
    expect((await stored(alone)).status()).toBe('active');
  });

  test('goes on in portions, and counts each token once', async () => {
    await begin();
    await server.app.dataSource.query(
      `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
         inactive, created_at, dialect_fields)
       SELECT gen_random_uuid(), 'pt-' || substr(md5(random()::text), 1, 12), '\\x00', 'none', 'quay', $1, $2, 'many', '{}',
         '{}', false, now(), '{}' FROM generate_series(1, 1203)`,
      [member.user.id, member.user.organizationId],
    );
    const job = await conform({ maxLifetimeSeconds: 3_600, maxTokensPerUser: 1 });
    expect(job).toMatchObject({
      status: 'done',
      total: 1_203,
      failed: 0,
      result: { shortened: 1_203, confined: 0, revoked: 1_202 },
    });
  }, 60_000);

  test('says what ended between the count and the job', async () => {
    await begin();
    const tokens = [(await issue()).token, (await issue()).token, (await issue()).token];
    const breaches = server.app.nest.get(PolicyBreaches, { strict: false });
    const lockBroken = breaches.lockBroken.bind(breaches);
    jest.spyOn(breaches, 'lockBroken').mockImplementation(async (runner, policy, options) => {
      const found = await lockBroken(runner, policy, options);
      // As if it had been revoked before it could be locked.
      return found.filter(({ id }) => id !== tokens[0]?.id);
    });
    expect(await conform({ maxLifetimeSeconds: 3_600 })).toMatchObject({
      total: 3,
      done: 2,
      result: { shortened: 2, appeared: 0, gone: 1 },
    });
  });

  test('stops where the policy is replaced again', async () => {
    await begin();
    await issue();
    const breaches = server.app.nest.get(PolicyBreaches, { strict: false });
    const locking = jest.spyOn(breaches, 'lockBroken').mockRejectedValueOnce(new Error('broken by a test'));
    const { json } = await put({ maxLifetimeSeconds: 3_600 });
    await until(() => locking.mock.calls.length > 0);
    expect((await put({}, '')).status).toBe(200);
    await until(async () => (await read(json.id)).endedAt !== null);
    expect(await read(json.id)).toMatchObject({
      status: 'done',
      done: 0,
      result: { shortened: 0, gone: 1, isSuperseded: true },
    });
  }, 60_000);

  test('a policy that is not replaced begins no job', async () => {
    await begin();
    const jobs = (): Promise<number> =>
      server.app.dataSource.manager.countBy(Job, { kind: 'policy-conformance' });
    const before = await jobs();
    expectProblem(await put({ maxLifetimeSeconds: 1.5 }), 400, '/maxLifetimeSeconds');
    expectProblem(await put({}, '?existing=ask'), 400, '/existing');
    expectProblem(await put({}, '?existing=conform', {}), 401);
    expectProblem(await put({}, '?existing=conform', member.byPassword), 403);
    expectProblem(await put({}, '?existing=conform', stranger.byPassword), 404);
    const { value } = await issue({ scopes: ['patois:users.read'] });
    expectProblem(await put({}, '?existing=conform', bearer(value)), 403);
    const { value: changes } = await issue({ scopes: ['patois:users.write'], ownerId: head.user.id });
    expectProblem(await put({ maxLifetimeSeconds: 3_600 }, '?existing=conform', bearer(changes)), 403);
    const stale = await put({}, '?existing=conform', { ...server.asAdmin, 'if-match': '"other"' });
    expectProblem(stale, 412);
    expect(await jobs()).toBe(before);
  });

  test('keep, which is the default, begins none and changes no token', async () => {
    await begin();
    const { token } = await issue();
    for (const query of ['', '?existing=keep']) {
      expect((await put({ maxLifetimeSeconds: 3_600 }, query)).status).toBe(200);
    }
    expect(await stored(token)).toMatchObject({ expiresAt: null, updatedAt: null });
  });
});
