import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Actor } from '../../src/audit/audit.writer.js';
import { Transactions } from '../../src/database/transactions.js';
import type { JobKind, JobSpec } from '../../src/jobs/job-kind.js';
import { JobRunner } from '../../src/jobs/job-runner.js';
import { Job } from '../../src/jobs/job.entity.js';
import { Jobs } from '../../src/jobs/jobs.js';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';
import { until } from '../support/until.js';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** One portion, which ends it. */
const QUICK: JobKind = { kind: 'quick', portion: async () => ({ done: 3, total: 3, result: { found: 3 } }) };
/** One small portion after the other until it is ended. */
const ENDLESS: JobKind = { kind: 'endless', portion: async () => ({ done: 1, state: {} }) };

let server: TestServer;
let head: TestUser;
let member: TestUser;
let stranger: TestUser;
let by: Actor;

beforeAll(async () => {
  server = await TestServer.start();
  head = await server.makeUser({ login: 'head', role: 'organizationAdministrator' });
  member = await server.makeUser({ login: 'member' });
  const organizationId = (await server.organization('Elsewhere')).id;
  stranger = await server.makeUser({ organizationId, role: 'organizationAdministrator' });
  const runner = server.app.nest.get(JobRunner, { strict: false });
  for (const kind of [QUICK, ENDLESS]) runner.register(kind);
  const { id } = await server.admin();
  const nothing = { address: null, userAgent: null, requestId: null };
  by = { type: 'user', id, auditId: id, name: 'admin', createdAt: new Date(), ...nothing };
});
afterAll(async () => {
  const jobs = await server.app.dataSource.manager.find(Job, { where: { status: 'running' } });
  for (const { id } of jobs) await cancel(id);
  await server.close();
});

function call(method: string, path: string, headers: Record<string, string>): Promise<Received> {
  return server.send(method, `/patois/v1/jobs${path}`, { headers });
}

function cancel(id: string, headers = server.asAdmin): Promise<Received> {
  return call('POST', `/${id}/cancel`, headers);
}

/** Begins a job of the organization `Default`, unless told otherwise. */
async function begin({ kind }: JobKind, spec: Partial<JobSpec> = {}): Promise<Job> {
  const { organizationId } = head.user;
  const jobs = server.app.nest.get(Jobs, { strict: false });
  const job = await server.app.nest
    .get(Transactions, { strict: false })
    .run('test', (transaction) =>
      jobs.start(transaction, { kind, input: { some: 'input' }, createdBy: by, organizationId, ...spec }),
    );
  jobs.runSoon();
  return job;
}

async function statusOf(id: string): Promise<string> {
  return (await server.app.dataSource.manager.findOneByOrFail(Job, { id })).status;
}

async function ended(job: Job): Promise<Job> {
  await until(async () => !['waiting', 'running'].includes(await statusOf(job.id)));
  return job;
}

/** An endless one, under way. */
async function running(spec: Partial<JobSpec> = {}): Promise<Job> {
  const job = await begin(ENDLESS, spec);
  await until(async () => (await statusOf(job.id)) === 'running');
  return job;
}

async function withScopes(...scopes: string[]): Promise<Record<string, string>> {
  const { id } = await server.admin();
  return bearer((await server.issue({ dialect: 'patois', ownerId: id, scopes })).value);
}

function idsOf({ json }: Received): string[] {
  return (json.items as { id: string }[]).map(({ id }) => id);
}

const ROUTES: [method: string, path: (id: string) => string, scope: string][] = [
  ['GET', () => '', 'patois:tokens.read'],
  ['GET', (id) => `/${id}`, 'patois:tokens.read'],
  ['POST', (id) => `/${id}/cancel`, 'patois:tokens.write'],
];

describe.each(ROUTES)('%s /patois/v1/jobs…', (method, path, scope) => {
  let job: Job;
  beforeAll(async () => {
    job = await begin(QUICK);
    await ended(job);
  });

  test('needs a credential', async () => {
    expectProblem(await call(method, path(job.id), {}), 401);
  });

  test('needs its scope, and no more', async () => {
    const others = ['patois:users.write', 'patois:users.read', 'patois:tokens.read', 'patois:tokens.write'];
    const lacking = await withScopes(...others.filter((other) => other !== scope));
    expectProblem(await call(method, path(job.id), lacking), 403);
    // A job that is over is not cancelled.
    expect([200, 409]).toContain((await call(method, path(job.id), await withScopes(scope))).status);
  });

  test('is not for members', async () => {
    expectProblem(await call(method, path(job.id), member.byPassword), 403);
  });
});

describe('GET /patois/v1/jobs', () => {
  test('lists jobs, newest first, in pages', async () => {
    const made = [];
    for (let count = 0; count < 5; count += 1) made.push((await ended(await begin(QUICK))).id);
    const seen: string[] = [];
    let cursor = '';
    for (let pages = 0; pages < 3; pages += 1) {
      const page = await call('GET', `?limit=2${cursor}`, server.asAdmin);
      expect(page.status).toBe(200);
      expect(Object.keys(page.json)).toEqual(['items', 'nextCursor']);
      seen.push(...idsOf(page));
      cursor = `&cursor=${page.json.nextCursor}`;
    }
    expect(seen.slice(0, 5)).toEqual(made.toReversed());
    expect(new Set(seen).size).toBe(6);
  });

  test('filters by kind and status', async () => {
    const quick = await ended(await begin(QUICK));
    const endless = await running();
    expect(idsOf(await call('GET', '?kind=quick&limit=1', server.asAdmin))).toEqual([quick.id]);
    expect(idsOf(await call('GET', '?status=running', server.asAdmin))).toEqual([endless.id]);
    expect(idsOf(await call('GET', '?kind=quick&status=running', server.asAdmin))).toEqual([]);
    expect(idsOf(await call('GET', '?kind=nothing', server.asAdmin))).toEqual([]);
    await cancel(endless.id);
  });

  test('refuses what it does not know', async () => {
    expectProblem(await call('GET', '?status=over', server.asAdmin), 400, '/status');
    expectProblem(await call('GET', '?kind=', server.asAdmin), 400, '/kind');
    expectProblem(await call('GET', '?limit=1001', server.asAdmin), 400, '/limit');
    expectProblem(await call('GET', '?cursor=x', server.asAdmin), 400, '/cursor');
    expectProblem(await call('GET', '?colour=red', server.asAdmin), 400, '/colour');
  });

  test('shows administrators of an organization those of their own', async () => {
    const own = await ended(await begin(QUICK));
    const { organizationId } = stranger.user;
    const elsewhere = await ended(await begin(QUICK, { organizationId }));
    const ofAll = await ended(await begin(QUICK, { organizationId: null }));
    const seenBy = async (headers: Record<string, string>): Promise<string[]> =>
      idsOf(await call('GET', '?limit=1000', headers));
    expect(await seenBy(head.byPassword)).toContain(own.id);
    expect(await seenBy(head.byPassword)).not.toContain(elsewhere.id);
    expect(await seenBy(head.byPassword)).not.toContain(ofAll.id);
    expect(await seenBy(stranger.byPassword)).toEqual([elsewhere.id]);
    expect((await seenBy(server.asAdmin)).slice(0, 3)).toEqual([ofAll.id, elsewhere.id, own.id]);
  });
});

describe('GET /patois/v1/jobs/{id}', () => {
  test('shows a job, but not what it was given and keeps', async () => {
    const { id } = await ended(await begin(QUICK));
    const answer = await call('GET', `/${id}`, server.asAdmin);
    expect([answer.status, answer.json]).toEqual([
      200,
      {
        id,
        kind: 'quick',
        status: 'done',
        createdAt: expect.stringMatching(INSTANT),
        createdBy: { type: 'user', id: by.id },
        startedAt: expect.stringMatching(INSTANT),
        endedAt: expect.stringMatching(INSTANT),
        total: 3,
        done: 3,
        failed: 0,
        result: { found: 3 },
        problem: null,
      },
    ]);
    expect((await call('GET', `/${id.toUpperCase()}`, head.byPassword)).json).toEqual(answer.json);
  });

  test('finds none that is not there, or of another organization', async () => {
    const own = await ended(await begin(QUICK));
    const ofAll = await ended(await begin(QUICK, { organizationId: null }));
    for (const id of [randomUUID(), 'nonsense'])
      expectProblem(await call('GET', `/${id}`, server.asAdmin), 404);
    expectProblem(await call('GET', `/${own.id}`, stranger.byPassword), 404);
    expectProblem(await call('GET', `/${ofAll.id}`, head.byPassword), 404);
  });
});

describe('POST /patois/v1/jobs/{id}/cancel', () => {
  test('ends a job at once, and says so in the audit trail', async () => {
    const { id } = await running();
    await until(async () => (await call('GET', `/${id}`, head.byPassword)).json.done > 2);
    const answer = await cancel(id, head.byPassword);
    expect([answer.status, answer.json]).toMatchObject([
      200,
      { id, status: 'cancelled', endedAt: expect.stringMatching(INSTANT), result: null, problem: null },
    ]);
    await new Promise((resume) => setTimeout(resume, 200));
    expect((await call('GET', `/${id}`, server.asAdmin)).json).toEqual(answer.json);
    const { items } = (
      await server.send('GET', `/patois/v1/audit-events?object=${id}`, { headers: server.asAdmin })
    ).json;
    expect(items).toMatchObject([
      {
        action: 'job.cancel',
        actor: { type: 'user', id: head.user.id },
        object: { type: 'job', id },
        before: { kind: 'endless', status: 'running' },
        after: { kind: 'endless', status: 'cancelled', done: answer.json.done },
        address: '127.0.0.1',
      },
      { action: 'job.start', actor: { type: 'user', id: by.id }, before: null, after: { status: 'waiting' } },
    ]);
  });

  test('leaves a cancelled one as it is, and refuses one that is over', async () => {
    const { id } = await running();
    const first = await cancel(id);
    const again = await cancel(id);
    expect([again.status, again.json]).toEqual([200, first.json]);
    const over = await ended(await begin(QUICK));
    expectProblem(await cancel(over.id), 409);
    expect(await statusOf(over.id)).toBe('done');
  });

  test('finds none that is not there, or of another organization', async () => {
    const { id } = await running();
    for (const other of [randomUUID(), 'nonsense']) expectProblem(await cancel(other), 404);
    expectProblem(await cancel(id, stranger.byPassword), 404);
    expect(await statusOf(id)).toBe('running');
    await cancel(id);
  });

  test('asks again at the write who the caller is', async () => {
    const { id } = await running();
    const caller = await server.makeUser({ role: 'organizationAdministrator' });
    const { id: ownerId } = caller.user;
    const { token, value } = await server.issue({ dialect: 'patois', ownerId, scopes: ['patois:*'] });
    expect((await call('GET', `/${id}`, bearer(value))).status).toBe(200);
    // Past every cache: what is remembered of the token is still good.
    await server.app.dataSource.query('UPDATE tokens SET revoked_at = now() WHERE id = $1', [token.id]);
    expectProblem(await cancel(id, bearer(value)), 401);
    expect(await statusOf(id)).toBe('running');
    await cancel(id);
  });
});

test('metrics count jobs by kind and status', async () => {
  const valueOf = async (name: string): Promise<number> => {
    const { text } = await server.send('GET', '/metrics');
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  const ends = 'patois_jobs_ended_total{kind="quick",status="done"}';
  const before = await valueOf(ends);
  await ended(await begin(QUICK));
  await until(async () => (await valueOf(ends)) === before + 1);
  const { id } = await running();
  server.app.nest.get(Jobs, { strict: false }).runSoon();
  await until(async () => (await valueOf('patois_jobs{kind="endless",status="running"}')) === 1);
  const cancelled = 'patois_jobs_ended_total{kind="endless",status="cancelled"}';
  const cancelledBefore = await valueOf(cancelled);
  await cancel(id);
  expect(await valueOf(cancelled)).toBe(cancelledBefore + 1);
  server.app.nest.get(Jobs, { strict: false }).runSoon();
  await until(async () => (await valueOf('patois_jobs{kind="endless",status="running"}')) === 0);
});
