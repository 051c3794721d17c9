import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { type Actor, SYSTEM } from '../../src/audit/audit.writer.js';
import type { Database } from '../../src/database/database.js';
import type { JobKind, JobProgress, Portion, PortionTransaction } from '../../src/jobs/job-kind.js';
import { MAX_ATTEMPTS } from '../../src/jobs/job-runner.js';
import { Job } from '../../src/jobs/job.entity.js';
import { PurgeJobsTask } from '../../src/jobs/purge-jobs.task.js';
import { Schedule } from '../../src/jobs/schedule.js';
import { Refusal } from '../../src/refusal.js';
import { JobReplica, SHORT } from '../support/job-replica.js';
import { onceFree, openTestStore } from '../support/store.js';
import { until } from '../support/until.js';

const BY: Actor = {
  ...SYSTEM,
  type: 'user',
  id: randomUUID(),
  auditId: 'who',
  name: 'Who',
  createdAt: new Date(1_700_000_000_123),
  requestId: 'request',
};

let store: Database;
let replica: JobReplica;
beforeAll(async () => {
  Logger.overrideLogger(false);
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  replica = await onceFree(() => JobReplica.on(store));
  await replica.runner.onApplicationBootstrap();
});
afterEach(() => replica.close());

interface Steps {
  step: number;
}

type Step = (
  step: number,
  job: JobProgress<unknown, Steps>,
  transaction: PortionTransaction,
) => Promise<void> | void;

/** A kind of job that does five times two in as many portions, with what else each of them does. */
function inFive(onStep: Step = () => {}): JobKind & { seen: JobProgress<unknown, Steps>[] } {
  const seen: JobProgress<unknown, Steps>[] = [];
  return {
    kind: `five-${randomUUID()}`,
    seen,
    async portion(job: JobProgress<unknown, Steps>, transaction): Promise<Portion<Steps>> {
      const step = (job.state?.step ?? 0) + 1;
      seen.push(job);
      await onStep(step, job, transaction);
      const counts = step === 1 ? { done: 2, total: 10 } : { done: 1, failed: 1 };
      return step < 5 ? { ...counts, state: { step } } : { ...counts, result: { steps: step } };
    },
  };
}

function eventsOf({ id }: Job): Promise<AuditEvent[]> {
  return replica.dataSource.manager.find(AuditEvent, { where: { objectId: id }, order: { time: 'ASC' } });
}

function note(text: string): Step {
  return async (step, { id }, transaction) => {
    const values = [randomUUID(), `${text} ${id} ${step}`];
    const sql = `INSERT INTO locations (id, name, created_at) VALUES ($1, $2, now())`;
    await transaction.run({ kind: 'test', name: 'note', text: sql }, values);
  };
}

async function notesOf({ id }: Job): Promise<number> {
  const like = `%${id}%`;
  const [row] = await replica.dataSource.query<{ count: number }[]>(
    'SELECT count(*)::int AS count FROM locations WHERE name LIKE $1',
    [like],
  );
  return row?.count ?? 0;
}

describe('a job', () => {
  test('is done in portions, each of which goes on where the one before it left off', async () => {
    const kind = inFive(note('portion'));
    const started = await replica.start(kind, { input: { of: 'it' }, organizationId: BY.id }, BY);
    expect(started).toMatchObject({ status: 'waiting', startedAt: null, done: 0, total: null });
    const job = await replica.ended(started);
    expect(job).toMatchObject({
      status: 'done',
      total: 10,
      done: 6,
      failed: 4,
      result: { steps: 5 },
      problem: null,
      leaseOwner: null,
      organizationId: BY.id,
      createdAt: started.createdAt,
    });
    expect(job.startedAt?.getTime()).toBeGreaterThanOrEqual(job.createdAt.getTime());
    expect(job.endedAt?.getTime()).toBeGreaterThanOrEqual(job.startedAt?.getTime() ?? Infinity);
    expect(kind.seen.map(({ state, done }) => [state?.step, done])).toEqual([
      [undefined, 0],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
    expect(kind.seen[4]).toMatchObject({ id: job.id, input: { of: 'it' }, createdBy: BY, failed: 3 });
    expect(await notesOf(job)).toBe(5);
  });

  test('has its beginning in the audit trail by who began it, and its end', async () => {
    const kind = inFive();
    const job = await replica.ended(await replica.start(kind, {}, BY));
    expect(await eventsOf(job)).toMatchObject([
      {
        action: 'job.start',
        actorType: 'user',
        actorId: 'who',
        objectType: 'job',
        before: null,
        after: { kind: kind.kind, status: 'waiting', done: 0 },
        requestId: 'request',
      },
      {
        action: 'job.end',
        actorType: 'system',
        before: { status: 'running', total: 10, done: 5, failed: 3 },
        after: { kind: kind.kind, status: 'done', total: 10, done: 6, failed: 4, problem: null },
      },
    ]);
    expect(replica.runner.ended).toEqual([{ kind: kind.kind, status: 'done', count: 1 }]);
  });

  test('is not there where the change that began it did not commit', async () => {
    const kind = inFive();
    replica.runner.register(kind);
    const { manager } = replica.dataSource;
    const spec = { kind: kind.kind, input: {}, createdBy: BY, organizationId: null };
    await expect(
      manager.transaction(async (inside) => {
        await replica.jobs.start({ run: ({ text }, values) => inside.query(text, [...values]) }, spec);
        throw new Error('not today');
      }),
    ).rejects.toThrow('not today');
    expect(await manager.countBy(Job, { kind: kind.kind })).toBe(0);
  });

  test('of a kind that nothing does is not begun', async () => {
    const spec = { kind: 'unheard-of', input: {}, createdBy: BY, organizationId: null };
    await expect(replica.jobs.start({ run: async () => [] }, spec)).rejects.toThrow(/unheard-of/);
  });

  test('keeps no secret that is in what began it', async () => {
    const value = `pt-${'a'.repeat(12)}_${'b'.repeat(49)}`;
    const kind = inFive();
    const job = await replica.start(kind, { input: { reason: value } }, { ...BY, userAgent: value });
    const kept = JSON.stringify(await replica.ended(job));
    expect(kept).toContain(`pt-${'a'.repeat(12)}_…`);
    expect(kept).not.toContain('bbbb');
  });

  test('waits for the one of its kind that is under way, and one of another kind does not', async () => {
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let portions = 0;
    let mostPortions = 0;
    const counted: Step = async () => {
      portions += 1;
      mostPortions = Math.max(mostPortions, portions);
      await new Promise((resume) => setTimeout(resume, 5));
      portions -= 1;
    };
    const kind = inFive(counted);
    const slow: JobKind = { ...inFive(), portion: async () => (await held, { done: 1, result: {} }) };
    const first = await replica.start(kind);
    const second = await replica.start(kind);
    const other = await replica.start(inFive(counted));
    await Promise.all([first, second, other].map((job) => replica.ended(job)));
    const [one, two] = [await replica.read(first), await replica.read(second)];
    expect(two.startedAt?.getTime()).toBeGreaterThanOrEqual(one.endedAt?.getTime() ?? Infinity);
    expect((await replica.read(other)).startedAt?.getTime()).toBeLessThan(two.endedAt?.getTime() ?? 0);
    // However many kinds there are: one of the connections for changes at most.
    expect(mostPortions).toBe(1);
    const last = await replica.start(slow);
    letGo();
    expect((await replica.ended(last)).status).toBe('done');
  });
});

test('a job whose portion asks for a rest waits for it without a lease, and is not taken for one that fails', async () => {
  const restMs = 300;
  const inFiveRests = inFive();
  const kind: JobKind = {
    ...inFiveRests,
    async portion(job, transaction) {
      const portion = await inFiveRests.portion(job, transaction);
      return 'state' in portion ? { ...portion, restMs } : portion;
    },
  };
  const started = await replica.start(kind);
  await until(async () => (await replica.read(started)).done > 0);
  expect(await replica.read(started)).toMatchObject({ status: 'waiting', leaseOwner: null, attempts: 0 });
  const job = await replica.ended(started);
  expect(job).toMatchObject({ status: 'done', done: 6, failed: 4 });
  expect((job.endedAt?.getTime() ?? 0) - job.createdAt.getTime()).toBeGreaterThanOrEqual(4 * restMs);
});

describe('a portion that goes wrong', () => {
  test('leaves nothing, and is tried again', async () => {
    let failures = 0;
    const noting = note('wrong');
    const kind = inFive(async (step, job, transaction) => {
      await noting(step, job, transaction);
      // Each of them, one time less than it may.
      failures += 1;
      if (failures % MAX_ATTEMPTS !== 0) throw new Error('not yet');
    });
    const job = await replica.ended(await replica.start(kind));
    expect(job).toMatchObject({ status: 'done', done: 6, failed: 4 });
    expect(kind.seen).toHaveLength(5 * MAX_ATTEMPTS);
    expect(await notesOf(job)).toBe(5);
  });

  test('fails its job after some attempts, and what was done stays', async () => {
    const kind = inFive((step) => {
      if (step === 3) throw new Error('details for the log');
    });
    const job = await replica.ended(await replica.start(kind));
    expect(job).toMatchObject({ status: 'failed', done: 3, failed: 1, result: null, leaseOwner: null });
    expect(job.problem).toBe('The server failed; its log says why');
    expect(kind.seen).toHaveLength(2 + MAX_ATTEMPTS);
    const events = await eventsOf(job);
    expect(events.at(-1)).toMatchObject({
      action: 'job.end',
      after: { status: 'failed', done: 3, problem: job.problem },
    });
  });

  test('says why where it is refused, without a secret', async () => {
    const value = `pt-${'a'.repeat(12)}_${'b'.repeat(49)}`;
    const kind = inFive(() => {
      throw new Refusal('forbidden', { message: `You may not: ${value}` });
    });
    const job = await replica.ended(await replica.start(kind));
    expect(job).toMatchObject({ status: 'failed', problem: `You may not: pt-${'a'.repeat(12)}_…` });
  });

  test.each([
    ['is the fault of a database that is away: it is tried for as long as it takes', '57P01', 'done'],
    ['is its own fault where it takes the database too long', '57014', 'failed'],
  ])('%s', async (_, code, status) => {
    let failures = 0;
    const kind = inFive(() => {
      failures += 1;
      if (failures < 3 * MAX_ATTEMPTS) throw Object.assign(new Error('of the database'), { code });
    });
    expect((await replica.ended(await replica.start(kind))).status).toBe(status);
  });

  test('does not end the server that runs it for ever: a job whose runners are gone again and again fails', async () => {
    await replica.stop();
    const kind = inFive();
    const job = await replica.start(kind);
    await replica.dataSource.manager.update(Job, { id: job.id }, { attempts: MAX_ATTEMPTS });
    await replica.close();
    replica = await onceFree(() => JobReplica.on(store));
    replica.runner.register(kind);
    await replica.runner.onApplicationBootstrap();
    expect(await replica.ended(job)).toMatchObject({
      status: 'failed',
      problem: 'It was taken up 6 times, and its runner ended each time before a portion was finished',
    });
    expect(kind.seen).toEqual([]);
  });
});

describe('the end of a replica', () => {
  test('comes after the portion under way, and another replica goes on at once', async () => {
    const kind = inFive(async (step) => {
      if (step === 2) stopped = replica.stop();
      await new Promise((resume) => setTimeout(resume, 20));
    });
    let stopped: Promise<void> | undefined;
    const job = await replica.start(kind);
    await until(() => stopped !== undefined);
    await stopped;
    const left = await replica.read(job);
    expect(left).toMatchObject({ status: 'waiting', state: { step: 2 }, leaseOwner: null, attempts: 0 });
    expect(left.dueAt.getTime()).toBeLessThan(Date.now() + SHORT.leaseMs / 2);
    await replica.close();
    replica = await onceFree(() => JobReplica.on(store, { leaseMs: 60_000, pollMs: 60_000 }));
    replica.runner.register(kind);
    await replica.runner.onApplicationBootstrap();
    expect(await replica.ended(job)).toMatchObject({ status: 'done', done: 6, failed: 4 });
    expect(kind.seen.map(({ state }) => state?.step)).toEqual([undefined, 1, 2, 3, 4]);
  });

  test('leaves its lease where it dies: who is alone in its store takes it over at once, others when it has run out', async () => {
    await replica.stop();
    const kind = inFive();
    const job = await replica.start(kind);
    const leaseMs = 1_500;
    const diedAt = Date.now();
    await replica.dataSource.query(
      `UPDATE jobs SET status = 'running', lease_owner = $2, attempts = 1, started_at = now(),
         due_at = now() + $3::int * interval '1 millisecond' WHERE id = $1`,
      [job.id, randomUUID(), leaseMs],
    );
    await replica.close();
    replica = await onceFree(() => JobReplica.on(store));
    replica.runner.register(kind);
    await replica.runner.onApplicationBootstrap();
    expect((await replica.ended(job)).status).toBe('done');
    const waitedMs = Date.now() - diedAt;
    expect(waitedMs < leaseMs).toBe(store.isEmbedded);
  });
});

describe('a job that is to end', () => {
  const cancelling = { line: 'test', gate: async (): Promise<void> => {} };

  test('ends before its next portion, by whoever asked for it, and what was done stays', async () => {
    let cancelled: Promise<Job> | undefined;
    const kind = inFive(async (step, { id }) => {
      if (step !== 2) return;
      cancelled = replica.jobs.cancel(id, BY, cancelling);
      // By the end of the portion it waits for the job's lock.
      await new Promise((resume) => setTimeout(resume, 200));
    });
    const job = await replica.ended(await replica.start(kind));
    expect(await cancelled).toEqual(job);
    expect(job).toMatchObject({ status: 'cancelled', done: 3, failed: 1, result: null, problem: null });
    expect(kind.seen).toHaveLength(2);
    const [, event, ...others] = await eventsOf(job);
    expect(event).toMatchObject({
      action: 'job.cancel',
      actorId: 'who',
      before: { status: 'running', done: 3 },
      after: { status: 'cancelled', done: 3 },
    });
    expect(others).toEqual([]);
    expect(replica.runner.ended).toEqual([{ kind: kind.kind, status: 'cancelled', count: 1 }]);
    expect(await replica.jobs.cancel(job.id, BY, cancelling)).toEqual(job);
    expect(await eventsOf(job)).toHaveLength(2);
  });

  test('ends while it waits', async () => {
    await replica.stop();
    const job = await replica.start(inFive());
    expect(await replica.jobs.cancel(job.id, BY, cancelling)).toMatchObject({
      status: 'cancelled',
      startedAt: null,
    });
  });

  test('is not ended twice, nor where the gate is shut', async () => {
    const job = await replica.ended(await replica.start(inFive()));
    await expect(replica.jobs.cancel(job.id, BY, cancelling)).rejects.toMatchObject({ kind: 'conflict' });
    await expect(replica.jobs.cancel(randomUUID(), BY, cancelling)).rejects.toMatchObject({
      kind: 'notFound',
    });
    await replica.stop();
    const other = await replica.start(inFive());
    const gate = async (): Promise<void> => {
      throw new Refusal('forbidden');
    };
    await expect(replica.jobs.cancel(other.id, BY, { ...cancelling, gate })).rejects.toMatchObject({
      kind: 'forbidden',
    });
    expect((await replica.read(other)).status).toBe('waiting');
  });
});

test('jobs are deleted thirty days after their end, and not before', async () => {
  const old = await replica.ended(await replica.start(inFive()));
  const recent = await replica.ended(await replica.start(inFive()));
  await replica.stop();
  const waiting = await replica.start(inFive());
  const age = (id: string, days: number): Promise<unknown> =>
    replica.dataSource.query(
      `UPDATE jobs SET created_at = created_at - interval '60 days', ended_at = ended_at - $2::int * interval '1 day'
       WHERE id = $1`,
      [id, days],
    );
  await age(old.id, 31);
  await age(recent.id, 29);
  await age(waiting.id, 0);
  await new PurgeJobsTask(replica.store, new Schedule(store)).run();
  const { manager } = replica.dataSource;
  expect(await manager.existsBy(Job, { id: old.id })).toBe(false);
  expect(await manager.existsBy(Job, { id: recent.id })).toBe(true);
  expect(await manager.existsBy(Job, { id: waiting.id })).toBe(true);
});
