import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { Job } from '../../src/jobs/job.entity.js';
import { TIMING } from '../../src/jobs/job-runner.js';
import { Jobs } from '../../src/jobs/jobs.js';
import { ForgetTargetsTask } from '../../src/tokens/revocations/forget-targets.task.js';
import { RevocationTarget } from '../../src/tokens/revocations/revocation-target.entity.js';
import { RevocationTargets } from '../../src/tokens/revocations/revocation-targets.js';
import { LastUse, Token } from '../../src/tokens/token.entity.js';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';
import { until } from '../support/until.js';

const EACH = 60_000;
const REASON = 'broken into';
const DAY_MS = 86_400_000;

/** So many tokens a first portion ends. */
const PORTION = 40;

let server: TestServer;
/** Of the organization of the test. */
let member: TestUser;
let head: TestUser;
let organization = '';
let count = 0;

beforeAll(async () => {
  // Jobs run when a test says so.
  TIMING.pollMs = 3_600_000;
  TIMING.backOffMs = 3_600_000;
  server = await TestServer.start();
});
afterAll(() => server.close());
beforeEach(async () => {
  organization = `Place ${(count += 1)}`;
  const { id: organizationId } = await server.organization(organization);
  member = await server.makeUser({ organizationId });
  head = await server.makeUser({ organizationId, role: 'organizationAdministrator' });
});
afterEach(() => {
  jest.restoreAllMocks();
});

function issue(spec: object = {}): Promise<{ token: Token; value: string }> {
  return server.issue({ dialect: 'patois', ownerId: member.user.id, scopes: ['patois:*'], ...spec });
}

/** Tokens of which nobody has the value. */
async function makeMany(number: number, { user } = member): Promise<void> {
  await server.app.dataSource.query(
    `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
       inactive, created_at, dialect_fields)
     SELECT gen_random_uuid(), 'pt-' || substr(md5(random()::text), 1, 12), '\\x00', 'none', 'quay', $1, $2, 'many', '{}',
       '{}', false, now(), '{}' FROM generate_series(1, $3::int)`,
    [user.id, user.organizationId, number],
  );
}

function post(body: object, headers: Record<string, string> = head.byPassword): Promise<Received> {
  return server.send('POST', '/patois/v1/revocations', { headers, body });
}

function revoke(filter: object, others: object = {}, headers = head.byPassword): Promise<Received> {
  return post({ filter, reason: REASON, ...others }, headers);
}

async function preview(filter: object, headers = head.byPassword, others: object = {}): Promise<number> {
  const { status, json } = await post({ filter, dryRun: true, ...others }, headers);
  expect(status).toBe(200);
  return json.count;
}

function read(id: string): Promise<Job> {
  return server.app.dataSource.manager.findOneByOrFail(Job, { id });
}

async function ended(id: string): Promise<Job> {
  await until(async () => (await read(id)).endedAt !== null);
  return read(id);
}

/** Begins a job that does not run yet. */
async function begin(filter: object, headers = head.byPassword, others: object = {}): Promise<string> {
  const running = jest.spyOn(jobs(), 'runSoon').mockImplementation(() => {});
  const { status, json } = await revoke(filter, others, headers);
  running.mockRestore();
  expect(status).toBe(202);
  return json.id;
}

/** Has a job do its first portion alone. */
async function runOnePortion(id: string): Promise<void> {
  const targets = server.app.nest.get(RevocationTargets, { strict: false });
  const next = targets.next.bind(targets);
  let calls = 0;
  const asking = jest.spyOn(targets, 'next').mockImplementation((...parameters) => {
    calls += 1;
    return calls === 1 ? next(...parameters) : Promise.reject(new Error('broken by a test'));
  });
  jobs().runSoon();
  await until(async () => calls > 1 && (await read(id)).leaseOwner === null);
  asking.mockRestore();
}

function jobs(): Jobs {
  return server.app.nest.get(Jobs, { strict: false });
}

async function run(id: string): Promise<Job> {
  await server.app.dataSource.query('UPDATE jobs SET due_at = now() WHERE id = $1 AND ended_at IS NULL', [
    id,
  ]);
  jobs().runSoon();
  return ended(id);
}

function stored({ id }: Token): Promise<Token> {
  return server.app.dataSource.manager.findOneByOrFail(Token, { id });
}

async function liveCount({ user }: TestUser): Promise<number> {
  const [row] = await server.app.dataSource.query<{ count: number }[]>(
    'SELECT count(*)::int AS count FROM tokens WHERE owner_id = $1 AND revoked_at IS NULL',
    [user.id],
  );
  return row?.count ?? Number.NaN;
}

async function verify(value: string): Promise<number> {
  return (await server.send('GET', '/verify', { headers: bearer(value) })).status;
}

function eventsOf(action: AuditEvent['action'], actor: TestUser): Promise<AuditEvent[]> {
  return server.app.dataSource.manager.findBy(AuditEvent, { action, actorId: actor.user.id });
}

describe('POST /patois/v1/revocations with dryRun', () => {
  test('counts the live tokens that the filter means, shows some, and changes nothing but the audit trail', async () => {
    await issue();
    await issue({ dialect: 'quay', scopes: ['user:admin'] });
    const revoked = await issue();
    await server.revoke(revoked.token);
    const expired = await issue({ inactive: true, expiresAt: new Date(Date.now() + DAY_MS) });
    await server.app.dataSource.manager.update(
      Token,
      { id: expired.token.id },
      { expiresAt: new Date(Date.now() - 1) },
    );
    await makeMany(120);
    const { status, json } = await post({ filter: { owner: member.user.login }, dryRun: true });
    expect([status, json.count, json.sample.length]).toEqual([200, 123, 100]);
    expect(Object.keys(json)).toEqual(['count', 'sample']);
    expect(await preview({ dialect: 'patois' })).toBe(2);
    const one = await post({ filter: { q: expired.token.tokenId }, dryRun: true });
    expect(one.json).toMatchObject({
      count: 1,
      sample: [{ tokenId: expired.token.tokenId, status: 'expired' }],
    });
    expect(await preview({ q: revoked.token.tokenId })).toBe(0);
    expect(await liveCount(member)).toBe(123);
    const events = await eventsOf('revocation.preview', head);
    expect(events.map(({ after }) => after)).toContainEqual({
      filter: { owner: member.user.login },
      count: 123,
    });
    expect(await server.app.dataSource.manager.countBy(Job, { kind: 'revocation' })).toBe(0);
  });
});

describe('POST /patois/v1/revocations', () => {
  test('answers with the job, and where it is; the job ends those tokens for its caller, and no others', async () => {
    const [first, second] = [await issue(), await issue({ inactive: true })];
    const other = await issue({ ownerId: head.user.id });
    expect(await verify(first.value)).toBe(204);
    const filter = { owner: member.user.login };
    const { status, json, headers } = await revoke(filter, { expectedCount: await preview(filter) });
    expect([status, json.kind, json.total, headers['location']]).toEqual([
      202,
      'revocation',
      2,
      `/patois/v1/jobs/${json.id}`,
    ]);
    expect(await ended(json.id)).toMatchObject({
      status: 'done',
      done: 2,
      failed: 0,
      result: { revoked: 2, alreadyRevoked: 0, appeared: 0 },
    });
    expect([await verify(first.value), await verify(other.value)]).toEqual([401, 204]);
    for (const { token } of [first, second]) {
      expect(await stored(token)).toMatchObject({
        revokeReason: REASON,
        revokedBy: { type: 'user', id: head.user.id },
      });
    }
    const ending = await eventsOf('token.revoke', head);
    const tokenIds = [first, second].map(({ token }) => token.tokenId);
    expect(ending).toHaveLength(2);
    expect(new Set(ending.map(({ objectId }) => objectId))).toEqual(new Set(tokenIds));
    expect(ending[0]).toMatchObject({ after: { revokeReason: REASON, status: 'revoked' } });
    expect(await eventsOf('revocation.start', head)).toMatchObject([
      { objectId: json.id, after: { filter, reason: REASON, total: 2 } },
    ]);
    expect(await server.app.dataSource.manager.count(RevocationTarget)).toBe(0);
  });

  test(
    'goes on in portions, and counts each token once',
    async () => {
      await makeMany(1_203);
      const id = await begin({ dialect: 'quay' });
      const job = await run(id);
      expect(job).toMatchObject({ status: 'done', total: 1_203, done: 1_203, failed: 0 });
      expect(job.result).toEqual({ revoked: 1_203, alreadyRevoked: 0, appeared: 0 });
      expect(await eventsOf('token.revoke', head)).toHaveLength(1_203);
      expect(await server.app.dataSource.manager.count(RevocationTarget)).toBe(0);
    },
    EACH,
  );

  test('does nothing where another number of tokens is meant than was expected, and says how many', async () => {
    await makeMany(3);
    const refused = await revoke({ dialect: 'quay' }, { expectedCount: 2 });
    expectProblem(refused, 409, '/expectedCount');
    expect(refused.json.detail).toContain('3 tokens');
    expect(await liveCount(member)).toBe(3);
    expect(await server.app.dataSource.manager.count(RevocationTarget)).toBe(0);
    expect(await eventsOf('revocation.start', head)).toEqual([]);
  });

  test('ends what was found when it began: what is made later lives on and is counted, what changed meanwhile ends', async () => {
    const [unused, ended, renamed] = [await issue(), await issue(), await issue()];
    const filter = { neverUsed: true, owner: member.user.login };
    const id = await begin(filter);
    const { token: late } = await issue();
    await server.revoke(ended.token);
    // It meets the filter no more, but its end was asked for, and counted.
    await server.app.dataSource.manager.update(
      LastUse,
      { tokenUuid: renamed.token.id },
      { usedAt: new Date() },
    );
    const job = await run(id);
    expect(job).toMatchObject({
      total: 3,
      done: 3,
      result: { revoked: 2, alreadyRevoked: 1, appeared: 1 },
    });
    const states = await Promise.all([unused.token, renamed.token, late].map(stored));
    expect(states.map((token) => token.isRevoked())).toEqual([true, true, false]);
    expect(await stored(ended.token)).toMatchObject({ revokeReason: null });
  });

  test('a token that begins it is ended last, also where all are meant', async () => {
    await makeMany(300);
    const { value, token } = await issue();
    const id = await begin({}, bearer(value), { everything: true });
    await runOnePortion(id);
    expect((await stored(token)).isRevoked()).toBe(false);
    expect(await run(id)).toMatchObject({ status: 'done', result: { revoked: 301, appeared: 0 } });
    expect(await verify(value)).toBe(401);
    expect(await liveCount(member)).toBe(0);
  });

  test('an empty filter takes everything, and everything an empty filter', async () => {
    await issue();
    expectProblem(await revoke({}), 400, '/everything');
    expectProblem(await revoke({}, { dryRun: true }), 400, '/everything');
    expectProblem(await revoke({}, { everything: false }), 400, '/everything');
    expectProblem(await revoke({ dialect: 'patois' }, { everything: true }), 400, '/everything');
    expect(await liveCount(member)).toBe(1);
    // A member's everything is what is the member's.
    await issue({ ownerId: head.user.id });
    expect(await preview({}, member.byPassword, { everything: true })).toBe(1);
    expect(await preview({}, head.byPassword, { everything: true })).toBe(2);
  });

  test('refuses what it does not understand: it must not mean more tokens', async () => {
    await issue();
    const wrong: [body: object, ...pointers: string[]][] = [
      [{ filter: { owners: 'x' } }, '/filter/owners'],
      [{ filter: { owner: member.user.login, limit: 1 } }, '/filter/limit'],
      [{ filter: { owner: null } }, '/filter/owner'],
      [{ filter: { owner: '' } }, '/filter/owner'],
      [{ filter: { status: 'gone' } }, '/filter/status'],
      [{ filter: { neverUsed: 'yes' } }, '/filter/neverUsed'],
      [{ filter: { createdBefore: '2031' } }, '/filter/createdBefore'],
      [{ filter: [{ owner: member.user.login }], everything: true }, '/filter'],
      [{ filter: null, everything: true }, '/filter'],
      [{ filter: 'owner', everything: true }, '/filter'],
      [{ everything: true }, '/filter'],
      [{ filter: { dialect: 'patois' }, expectedCount: '1' }, '/expectedCount'],
      [{ filter: { dialect: 'patois' }, expectedCount: -1 }, '/expectedCount'],
      [{ filter: { dialect: 'patois' }, dryRun: 'true' }, '/dryRun'],
      [{ filter: { dialect: 'patois' }, dryrun: true }, '/dryrun'],
    ];
    for (const [body, ...pointers] of wrong) {
      expectProblem(await post({ reason: REASON, ...body }), 400, ...pointers);
    }
    expectProblem(await post({ filter: { dialect: 'patois' } }), 400, '/reason');
    expect(await liveCount(member)).toBe(1);
  });

  test('each key of the filter narrows: none is lost on the way', async () => {
    const soon = new Date(Date.now() + DAY_MS).toISOString();
    await issue();
    const narrowing: Record<string, unknown> = {
      owner: head.user.login,
      organization: 'Default',
      dialect: 'quay',
      status: 'inactive',
      scope: 'user:admin',
      q: 'nothing like that',
      createdBefore: '2020-01-01T00:00:00Z',
      createdAfter: soon,
      lastUsedBefore: soon,
      neverUsed: false,
      expiresBefore: soon,
      expiresAfter: soon,
      withoutExpiry: false,
      withoutCidrs: false,
      createdBy: head.user.login,
      violatesPolicy: true,
    };
    for (const [key, value] of Object.entries(narrowing)) {
      expect([key, await preview({ [key]: value })]).toEqual([key, 0]);
    }
    const confined = await issue({ allowedCidrs: ['198.51.100.0/24'] });
    expect(await preview({ allowsAddress: '203.0.113.1', q: confined.token.tokenId })).toBe(0);
    expect(await preview({ dialect: 'patois' })).toBe(2);
  });

  test('nobody ends more than they may: members the own tokens, heads those of their organization', async () => {
    await issue();
    await issue({ ownerId: head.user.id });
    const outsider = await server.makeUser();
    await server.issue({ dialect: 'quay', ownerId: outsider.user.id });
    expect(await preview({ organization }, server.asAdmin)).toBe(2);
    expect(await preview({ owner: outsider.user.login }, server.asAdmin)).toBe(1);
    expect(await preview({ owner: outsider.user.login })).toBe(0);
    expect(await preview({ organization: 'Default' })).toBe(0);
    expect(await preview({ owner: head.user.login }, member.byPassword)).toBe(0);
    const { json } = await revoke({ organization }, {}, member.byPassword);
    expect(await ended(json.id)).toMatchObject({ total: 1, result: { revoked: 1 } });
    expect([await liveCount(member), await liveCount(head)]).toEqual([0, 1]);
  });

  test('a token needs the right to change tokens, and a dry run the right to read them', async () => {
    const { value: writes } = await issue({ scopes: ['patois:tokens.write'] });
    const { value: reads } = await issue({ scopes: ['patois:tokens.read'] });
    const filter = { dialect: 'quay' };
    expectProblem(await revoke(filter, {}, {}), 401);
    expectProblem(await revoke(filter, {}, bearer(reads)), 403);
    expectProblem(await revoke(filter, { dryRun: true }, bearer(writes)), 403);
    expect((await revoke(filter, {}, bearer(writes))).status).toBe(202);
  });

  test('who has begun it sees and ends it, with whichever credential; another member does not', async () => {
    await makeMany(10);
    const { value } = await issue();
    const { value: otherValue } = await issue();
    const id = await begin({ dialect: 'quay' }, bearer(value));
    const path = `/patois/v1/jobs/${id}`;
    const other = await server.makeUser({ organizationId: member.user.organizationId });
    const elsewhere = await server.makeUser({ role: 'organizationAdministrator' });
    const get = async (headers: Record<string, string>): Promise<number> =>
      (await server.send('GET', path, { headers })).status;
    expect(await get(member.byPassword)).toBe(200);
    expect(await get(bearer(otherValue))).toBe(200);
    expect(await get(head.byPassword)).toBe(200);
    expect(await get(server.asAdmin)).toBe(200);
    expect(await get(other.byPassword)).toBe(403);
    expect(await get(elsewhere.byPassword)).toBe(404);
    const cancel = (headers: Record<string, string>): Promise<Received> =>
      server.send('POST', `${path}/cancel`, { headers });
    expectProblem(await cancel(other.byPassword), 403);
    expect((await cancel(member.byPassword)).json).toMatchObject({ status: 'cancelled', done: 0 });
    expect(await liveCount(member)).toBe(12);
  });

  test('a filter with a key that this version does not know means no more tokens: the count at the end fails', async () => {
    await makeMany(3);
    const id = await begin({ dialect: 'quay' });
    await server.app.dataSource.query(
      `UPDATE jobs SET input = jsonb_set(input, '{filter,later}', '1') WHERE id = $1`,
      [id],
    );
    jobs().runSoon();
    await until(async () => {
      const { status, attempts } = await read(id);
      return status === 'waiting' && attempts > 0;
    });
    // What was settled is ended; only the look back fails.
    expect(await read(id)).toMatchObject({ status: 'waiting', done: 3 });
  });

  describe('once it has begun', () => {
    async function half(headers = head.byPassword): Promise<string> {
      await makeMany(600);
      const id = await begin({ dialect: 'quay' }, headers);
      await runOnePortion(id);
      expect(await liveCount(member)).toBe(600 - PORTION);
      return id;
    }

    async function expectFailed(id: string, why: string): Promise<void> {
      const job = await run(id);
      expect(job).toMatchObject({ status: 'failed', done: PORTION, result: null });
      expect(job.problem).toBe(`Who began it may not go on: ${why}`);
      expect(await liveCount(member)).toBe(600 - PORTION);
      await server.app.nest.get(ForgetTargetsTask, { strict: false }).run();
      expect(await server.app.dataSource.manager.countBy(RevocationTarget, { jobId: id })).toBe(0);
    }

    test('it stops where it is cancelled, and what was done stays', async () => {
      const id = await half();
      const answer = await server.send('POST', `/patois/v1/jobs/${id}/cancel`, { headers: head.byPassword });
      expect(answer.json).toMatchObject({ status: 'cancelled', total: 600, done: PORTION });
      jobs().runSoon();
      await server.app.nest.get(ForgetTargetsTask, { strict: false }).run();
      expect(await server.app.dataSource.manager.countBy(RevocationTarget, { jobId: id })).toBe(0);
      expect(await liveCount(member)).toBe(600 - PORTION);
    });

    test('the task that deletes what jobs have left keeps what one still needs', async () => {
      const id = await half();
      await server.app.nest.get(ForgetTargetsTask, { strict: false }).run();
      expect(await run(id)).toMatchObject({ status: 'done', result: { revoked: 600 } });
    });

    test('it fails where its caller is disabled', async () => {
      const id = await half();
      await server.send('PATCH', `/patois/v1/users/${head.user.id}`, {
        headers: server.asAdmin,
        body: { disabled: true },
      });
      await expectFailed(id, 'the user is disabled or gone');
    });

    test('it fails where its caller administers less', async () => {
      const id = await half();
      await server.send('PATCH', `/patois/v1/users/${head.user.id}`, {
        headers: server.asAdmin,
        body: { role: 'member' },
      });
      await expectFailed(id, 'the role is less than it was');
    });

    test('it fails where the token that began it is revoked, and goes on where it is rotated', async () => {
      const { token, value } = await issue({ ownerId: head.user.id });
      const id = await half(bearer(value));
      await server.revoke(token);
      await expectFailed(id, 'the token is revoked');
      const other = await issue({ ownerId: head.user.id });
      const rest = await begin({ dialect: 'quay' }, bearer(other.value));
      await server.send('POST', `/patois/v1/tokens/${other.token.tokenId}/rotate`, {
        headers: server.asAdmin,
      });
      expect(await run(rest)).toMatchObject({ status: 'done', result: { revoked: 600 - PORTION } });
    });

    test('it fails where the token that began it has lost a scope', async () => {
      const { token, value } = await issue({ ownerId: head.user.id, scopes: ['patois:tokens.write'] });
      const id = await half(bearer(value));
      await server.app.dataSource.manager.update(Token, { id: token.id }, { scopes: ['patois:tokens.read'] });
      await expectFailed(id, 'the token lost scopes');
    });

    test('a new password changes nothing', async () => {
      const id = await half();
      await server.send('PATCH', `/patois/v1/users/${head.user.id}`, {
        headers: server.asAdmin,
        body: { password: 'another password' },
      });
      expect(await run(id)).toMatchObject({ status: 'done', result: { revoked: 600 } });
    });

    test('a token whose owner has moved out of reach is counted as failed, and lives', async () => {
      await makeMany(3);
      const id = await begin({ dialect: 'quay' });
      const moved = await server.send('PATCH', `/patois/v1/users/${member.user.id}`, {
        headers: server.asAdmin,
        body: { organization: 'Default' },
      });
      expect(moved.status).toBe(200);
      expect(await run(id)).toMatchObject({
        status: 'done',
        done: 0,
        failed: 3,
        result: { revoked: 0, alreadyRevoked: 0, appeared: 0 },
      });
      expect(await liveCount(member)).toBe(3);
    });
  });
});

describe('DELETE /patois/v1/tokens/{tokenId}?descendants=true of very many', () => {
  /** Tokens that a token has issued. */
  async function makeChildren(number: number, parent: { id: string }, { user } = member): Promise<string[]> {
    const rows = await server.app.dataSource.query<{ id: string }[]>(
      `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
         inactive, created_at, created_by_type, created_by_id, dialect_fields)
       SELECT gen_random_uuid(), 'pt-' || substr(md5(random()::text), 1, 12), '\\x00', 'none', 'patois', $1, $2, 'child', '{}',
         '{}', false, now(), 'token', $4, '{}' FROM generate_series(1, $3::int) RETURNING id`,
      [user.id, user.organizationId, number, parent.id],
    );
    return rows.map(({ id }) => id);
  }

  function end({ tokenId }: Token, headers = member.byPassword): Promise<Received> {
    const path = `/patois/v1/tokens/${tokenId}?descendants=true&reason=${encodeURIComponent(REASON)}`;
    return server.send('DELETE', path, { headers });
  }

  test(
    'ends the token at once, and the rest by a job: also what is issued until it is done',
    async () => {
      const { token: root, value } = await issue();
      const [first = ''] = await makeChildren(1_100, root);
      await makeChildren(50, { id: first });
      const other = await issue();
      const running = jest.spyOn(jobs(), 'runSoon').mockImplementation(() => {});
      const { status, json, headers } = await end(root);
      running.mockRestore();
      expect([status, json.kind, json.total, headers['location']]).toEqual([
        202,
        'revocation',
        1_150,
        `/patois/v1/jobs/${json.id}`,
      ]);
      expect(await verify(value)).toBe(401);
      await makeChildren(7, { id: first });
      expect(await run(json.id)).toMatchObject({
        status: 'done',
        total: 1_157,
        done: 1_157,
        result: { revoked: 1_157, alreadyRevoked: 0, appeared: 0 },
      });
      expect(await liveCount(member)).toBe(1);
      expect(await verify(other.value)).toBe(204);
      expect(await stored(root)).toMatchObject({ revokeReason: REASON, revokedBy: { id: member.user.id } });
    },
    EACH,
  );

  test(
    'the own token of the caller is ended last, by the job',
    async () => {
      const { token: root, value } = await issue();
      await makeChildren(1_001, root);
      const { status, json } = await end(root, bearer(value));
      expect([status, json.total]).toEqual([202, 1_002]);
      expect(await ended(json.id)).toMatchObject({ status: 'done', result: { revoked: 1_002, appeared: 0 } });
      expect(await verify(value)).toBe(401);
      expect(await liveCount(member)).toBe(0);
    },
    EACH,
  );

  test(
    'ends nothing where one of them is of somebody whom the caller does not administer',
    async () => {
      const { token: root } = await issue();
      await makeChildren(1_000, root);
      await makeChildren(1, root, head);
      expectProblem(await end(root), 403);
      expect([await liveCount(member), await liveCount(head)]).toEqual([1_001, 1]);
      const { json } = await end(root, head.byPassword);
      expect(await ended(json.id)).toMatchObject({ status: 'done', result: { revoked: 1_001 } });
    },
    EACH,
  );

  test('is not there for who does not see the token', async () => {
    const { token: root } = await issue();
    await makeChildren(1_001, root);
    const stranger = await server.makeUser();
    expectProblem(await end(root, stranger.byPassword), 404);
    expect(await liveCount(member)).toBe(1_002);
  });
});
