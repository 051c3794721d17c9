import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import pg from 'pg';
import { SYSTEM } from '../../src/audit/audit.writer.js';
import type { Database } from '../../src/database/database.js';
import type { JobKind } from '../../src/jobs/job-kind.js';
import type { JobTiming } from '../../src/jobs/job-runner.js';
import { Job } from '../../src/jobs/job.entity.js';
import { basic, send } from '../support/http.js';
import { JobReplica } from '../support/job-replica.js';
import { databaseAt, type Reached, reachedAt } from '../support/pooler.js';
import { PrivatePostgres } from '../support/postgres.js';
import { buildOnce, PatoisProcess } from '../support/process.js';
import { type EmptyDatabase, makeEmptyDatabase, openTestStore } from '../support/store.js';

/** Leases of a second and a half: a frozen process has lost its own before a test grows long. */
const TIMING: JobTiming = { leaseMs: 1_500, pollMs: 200, backOffMs: 50, retryMs: 50 };
const EACH = 120_000;

/** A replica in a process of its own, see job-process.mjs. */
class JobProcess {
  stdout = '';
  readonly ended: Promise<unknown>;
  private readonly child: ChildProcess;

  private constructor({ url }: Reached) {
    const program = resolve('test/support/job-process.mjs');
    this.child = spawn(process.execPath, [program, url, JSON.stringify(TIMING)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.ended = once(this.child, 'close');
  }

  static async start(reached = reachedAt(store.url ?? '')): Promise<JobProcess> {
    const made = new JobProcess(reached);
    processes.push(made);
    await soon(() => made.stdout.includes('ready'));
    return made;
  }

  /** How many portions it has begun. */
  get portions(): number {
    return this.stdout.split('portion ').length - 1;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

let store: Database;
/** Begins jobs and reads them; what does them are processes of their own. */
let reader: JobReplica;
const processes: JobProcess[] = [];
beforeAll(async () => {
  buildOnce();
  store = await openTestStore();
  reader = await readerOf(store);
}, 600_000);
afterEach(async () => {
  for (const one of processes.splice(0)) {
    one.kill('SIGKILL');
    await one.ended;
  }
});
afterAll(async () => {
  await reader.close();
  await store.close();
});

const ROWS: JobKind = { kind: 'rows', portion: () => Promise.reject(new Error('Not here')) };

async function readerOf(database: Database): Promise<JobReplica> {
  const made = await JobReplica.on(database);
  await made.stop();
  made.runner.register(ROWS);
  await made.dataSource.query('CREATE TABLE job_rows (job uuid NOT NULL, number integer NOT NULL)');
  return made;
}

function begin(rows: number, { each = 10, sleepMs = 20 } = {}): Promise<Job> {
  return reader.start(ROWS, { input: { rows, each, sleepMs } });
}

async function soon(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const endsAt = Date.now() + 60_000; !(await isSo());) {
    if (Date.now() > endsAt) throw new Error('It never came');
    await new Promise((resume) => setTimeout(resume, 10));
  }
}

async function ended(job: Job): Promise<Job> {
  await soon(async () => (await reader.read(job)).endedAt !== null);
  return reader.read(job);
}

/** Asserts that a job is done, and each of its rows is there once. */
async function expectDone(job: Job, rows: number): Promise<void> {
  expect(await ended(job)).toMatchObject({
    status: 'done',
    total: rows,
    done: rows,
    failed: 0,
    result: { last: rows },
  });
  const [written] = await reader.dataSource.query<object[]>(
    'SELECT count(*)::int AS count, count(DISTINCT number)::int AS numbers, max(number) AS last FROM job_rows WHERE job = $1',
    [job.id],
  );
  expect(written).toEqual({ count: rows, numbers: rows, last: rows });
}

async function doneOf(job: Job): Promise<number> {
  return (await reader.read(job)).done;
}

describe('a long job on several replicas', () => {
  test(
    'is finished by another when the one that works at it is killed, each row done once',
    async () => {
      const first = await JobProcess.start();
      const job = await begin(1_000);
      await soon(async () => (await doneOf(job)) >= 100);
      const second = await JobProcess.start();
      first.kill('SIGKILL');
      const killedAt = Date.now();
      await soon(() => second.portions > 0);
      // The lease, and a poll.
      expect(Date.now() - killedAt).toBeLessThan(TIMING.leaseMs + TIMING.pollMs + 2_000);
      await expectDone(job, 1_000);
      expect(first.portions).toBeLessThan(100);
    },
    EACH,
  );

  test(
    'goes on however often its replicas are killed',
    async () => {
      const job = await begin(1_000);
      for (let kills = 0; kills < 5; kills += 1) {
        const replica = await JobProcess.start();
        const before = await doneOf(job);
        await soon(async () => (await doneOf(job)) > before + 50);
        replica.kill('SIGKILL');
      }
      await JobProcess.start();
      await expectDone(job, 1_000);
    },
    EACH,
  );

  test(
    'is worked at by one at a time',
    async () => {
      const replicas = await Promise.all([JobProcess.start(), JobProcess.start(), JobProcess.start()]);
      const job = await begin(300);
      await expectDone(job, 300);
      expect(replicas.filter(({ portions }) => portions > 0)).toHaveLength(1);
    },
    EACH,
  );

  test(
    'stays with the replica that works at it for as long as a portion takes, past the end of its lease',
    async () => {
      const first = await JobProcess.start();
      const job = await begin(2, { each: 1, sleepMs: 2 * TIMING.leaseMs });
      await soon(() => first.portions > 0);
      const second = await JobProcess.start();
      await expectDone(job, 2);
      expect([first.portions, second.portions]).toEqual([2, 0]);
    },
    EACH,
  );

  test(
    'is given back by a replica that is stopped, and goes on elsewhere at the next poll',
    async () => {
      const first = await JobProcess.start();
      const job = await begin(1_000);
      await soon(async () => (await doneOf(job)) >= 100);
      const second = await JobProcess.start();
      first.kill('SIGTERM');
      await first.ended;
      const stoppedAt = Date.now();
      await soon(() => second.portions > 0);
      expect(Date.now() - stoppedAt).toBeLessThan(TIMING.leaseMs);
      await expectDone(job, 1_000);
      // No portion was done in vain.
      expect(first.portions + second.portions).toBe(100);
    },
    EACH,
  );

  test(
    'ends within a portion of being cancelled',
    async () => {
      const replica = await JobProcess.start();
      const job = await begin(1_000, { sleepMs: 200 });
      await soon(async () => (await doneOf(job)) > 0);
      const before = replica.portions;
      const cancelled = await reader.jobs.cancel(job.id, SYSTEM, { line: 'test', gate: async () => {} });
      expect(cancelled.status).toBe('cancelled');
      expect(replica.portions - before).toBeLessThanOrEqual(1);
      await new Promise((resume) => setTimeout(resume, 500));
      expect(await reader.read(job)).toEqual(cancelled);
      const [rows] = await reader.dataSource.query<{ count: number }[]>(
        'SELECT count(*)::int AS count FROM job_rows WHERE job = $1',
        [job.id],
      );
      expect(rows?.count).toBe(cancelled.done);
    },
    EACH,
  );
});

describe('a replica that was frozen', () => {
  test(
    'changes nothing more once another has its job',
    async () => {
      const first = await JobProcess.start();
      const job = await begin(1_000);
      await soon(async () => (await doneOf(job)) >= 100);
      // Between two portions; in the midst of one the server would have to end its transaction first.
      await frozenBetweenPortions(first, job);
      const second = await JobProcess.start();
      await soon(() => second.portions > 3);
      const before = first.portions;
      first.kill('SIGCONT');
      await expectDone(job, 1_000);
      expect(first.portions).toBe(before);
    },
    EACH,
  );

  test(
    'in the midst of a portion loses it when the server ends its transaction, ten seconds later',
    async () => {
      const first = await JobProcess.start();
      const job = await begin(400, { sleepMs: 100 });
      await soon(async () => (await doneOf(job)) >= 100);
      await frozenInPortion(first, job);
      const second = await JobProcess.start();
      const frozenAt = Date.now();
      await soon(() => second.portions > 0);
      expect(Date.now() - frozenAt).toBeLessThan(30_000);
      first.kill('SIGCONT');
      await expectDone(job, 400);
    },
    EACH,
  );

  /** Whether a transaction holds the job's row. */
  async function isLocked({ id }: Job): Promise<boolean> {
    const free = await reader.dataSource.query<object[]>(
      'SELECT 1 FROM jobs WHERE id = $1 FOR UPDATE SKIP LOCKED',
      [id],
    );
    return free.length === 0;
  }

  async function frozenBetweenPortions(replica: JobProcess, job: Job): Promise<void> {
    for (;;) {
      replica.kill('SIGSTOP');
      // What the server was doing for it is over by then.
      await new Promise((resume) => setTimeout(resume, 150));
      if (!(await isLocked(job))) return;
      replica.kill('SIGCONT');
      await new Promise((resume) => setTimeout(resume, 7 + Math.random() * 20));
    }
  }

  async function frozenInPortion(replica: JobProcess, job: Job): Promise<void> {
    for (;;) {
      replica.kill('SIGSTOP');
      await new Promise((resume) => setTimeout(resume, 300));
      if (await isLocked(job)) return;
      replica.kill('SIGCONT');
      await new Promise((resume) => setTimeout(resume, 7 + Math.random() * 20));
    }
  }
});

describe('a database that goes away', () => {
  test(
    'and ends its connections again and again stops no job, and spoils no count',
    async () => {
      const replicas = await Promise.all([JobProcess.start(), JobProcess.start()]);
      const job = await begin(1_000);
      for (let round = 0; (await doneOf(job)) < 700; round += 1) {
        await new Promise((resume) => setTimeout(resume, 40 + (round % 7) * 10));
        await reader.dataSource.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND application_name IN ('patois-changes', 'patois-reads') AND pid <> pg_backend_pid()`,
        );
      }
      await expectDone(job, 1_000);
      // Work was lost with its connections, and done again.
      expect(replicas.reduce((sum, { portions }) => sum + portions, 0)).toBeGreaterThan(100);
      expect((await reader.read(job)).problem).toBeNull();
    },
    EACH,
  );

  test(
    'and comes back finds the job where it was',
    async () => {
      const postgres = await PrivatePostgres.make();
      const shared = reader;
      try {
        const database = databaseAt(postgres.reached);
        const migrating = await JobReplica.on(database);
        await migrating.dataSource.runMigrations();
        await migrating.close();
        reader = await readerOf(database);
        await JobProcess.start(postgres.reached);
        const job = await begin(1_000);
        await soon(async () => (await doneOf(job)) >= 100);
        await postgres.killHard();
        await new Promise((resume) => setTimeout(resume, 3_000));
        await postgres.start();
        await soon(() =>
          reader.read(job).then(
            () => true,
            () => false,
          ),
        );
        await expectDone(job, 1_000);
        await reader.close();
      } finally {
        reader = shared;
        for (const one of processes) one.kill('SIGKILL');
        await postgres.remove();
      }
    },
    EACH,
  );
});

describe('the deletion of an owner of very many tokens', () => {
  const MANY = 40_000;
  const ADMIN_PASSWORD = 'correct horse battery';
  const asAdmin = basic('admin', ADMIN_PASSWORD);
  const servers: PatoisProcess[] = [];
  let database: EmptyDatabase;
  beforeAll(async () => {
    database = (await makeEmptyDatabase()) as EmptyDatabase;
  });
  afterAll(async () => {
    for (const server of servers) {
      server.kill('SIGKILL');
      await server.ended;
    }
    await database.drop();
  });

  const keys = `k1:${randomBytes(32).toString('base64')}`;

  async function serve(): Promise<{ server: PatoisProcess; url: string }> {
    const server = new PatoisProcess({
      ...database.settings,
      TOKEN_KEYS: keys,
      ADMIN_PASSWORD,
      BCRYPT_COST: '4',
      PORT: '0',
    });
    servers.push(server);
    return { server, url: await server.listening() };
  }

  test(
    'goes on within 30 seconds on another replica when the one that began it is killed, each token revoked once',
    async () => {
      const first = await serve();
      const second = await serve();
      const { json: owner } = await send(first.url, 'POST', '/patois/v1/users', {
        headers: asAdmin,
        body: { login: 'owner' },
      });
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      try {
        await client.query(
          `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes,
             allowed_cidrs, inactive, created_at, dialect_fields)
           SELECT gen_random_uuid(), 'pt-' || substr(md5(n::text), 1, 12), '\\x00', 'none', 'quay', u.id, u.organization_id,
             'many', '{}', '{}', false, now(), '{}' FROM users u, generate_series(1, $2::int) n WHERE u.id = $1`,
          [owner.id, MANY],
        );
        expect((await send(first.url, 'DELETE', '/patois/v1/users/owner', { headers: asAdmin })).status).toBe(
          204,
        );
        const job = async (): Promise<{ id: string; status: string; done: number; total: number }> =>
          (await send(second.url, 'GET', '/patois/v1/jobs?kind=owner-deletion', { headers: asAdmin })).json
            .items[0];
        await soon(async () => (await job()).done > 0);
        first.server.kill('SIGKILL');
        await first.server.ended;
        const killedAt = Date.now();
        const { id, done } = await job();
        expect(done).toBeLessThan(MANY - 1_000);
        await soon(async () => (await job()).done > done);
        expect(Date.now() - killedAt).toBeLessThan(30_000);
        await soon(async () => (await job()).status === 'done');
        expect(await job()).toMatchObject({ id, total: MANY - 1_000, done: MANY - 1_000, failed: 0 });
        const { rows } = await client.query(
          `SELECT (SELECT count(*)::int FROM tokens WHERE owner_id = $1 AND revoked_at IS NULL) AS live,
             count(*)::int AS events, count(DISTINCT object_id)::int AS tokens
           FROM audit_events WHERE action = 'token.revoke'`,
          [owner.id],
        );
        expect(rows).toEqual([{ live: 0, events: MANY, tokens: MANY }]);
      } finally {
        await client.end();
      }
    },
    EACH,
  );
});
