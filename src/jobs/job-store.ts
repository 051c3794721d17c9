import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { EntityRows, type JsonRow } from '../database/entity-rows.js';
import { type Statement, type StatementRunner, Statements } from '../database/statements.js';
import { withoutSecrets } from '../secrets.js';
import { Job, type JobStatus } from './job.entity.js';
import type { JobSpec, Portion } from './job-kind.js';

/** The right to work at a job. */
export interface Lease {
  jobId: string;
  /** Whoever takes the job up next has another. */
  owner: string;
}

/** How many jobs of a kind and status there are, and how many of them can be taken up. */
export interface OpenJobs {
  kind: string;
  status: JobStatus;
  count: number;
  due: number;
}

/** How a job ends. */
export interface JobEnd extends Partial<Pick<Job, 'result' | 'problem' | 'total'>> {
  status: 'done' | 'failed' | 'cancelled';
  /** What its last portion adds to the counts. */
  done?: number;
  failed?: number;
}

const AFTER = (place: string): string => `clock_timestamp() + ${place}::float8 * interval '1 millisecond'`;
const MAX_PURGED = 1_000;

/**
 * The statements on jobs. The database's clock decides on leases; a new one begins when it is written, not with its
 * transaction.
 */
@Injectable()
export class JobStore {
  private readonly rows: EntityRows<Job>;

  constructor(
    dataSource: DataSource,
    private readonly statements: Statements,
  ) {
    this.rows = new EntityRows(dataSource, Job);
  }

  /** Secrets of tokens are removed from all texts: clients put them into user agents and reasons. */
  async insert(
    runner: StatementRunner,
    { id = randomUUID(), kind, input, createdBy, organizationId, total }: JobSpec,
  ): Promise<Job> {
    const text = `
      INSERT INTO jobs AS job (id, kind, status, input, total, done, failed, created_by, organization_id, created_at, due_at,
        attempts)
      VALUES ($1, $2, 'waiting', $3, $4, 0, 0, $5, $6, clock_timestamp(), clock_timestamp(), 0)
      RETURNING row_to_json(job) AS job`;
    const [kept, creator] = [input, createdBy].map((value) => withoutSecrets(JSON.stringify(value)));
    const values = [id, kind, kept, total ?? null, creator, organizationId];
    return this.one(
      await runner.run<{ job: JsonRow }>({ kind: 'jobs', name: 'insert-job', text }, values),
    ) as Job;
  }

  /** What is not over, by kind and status. */
  countOpen(): Promise<OpenJobs[]> {
    const text = `
      SELECT kind, status, count(*)::int AS count, (count(*) FILTER (WHERE due_at <= now()))::int AS due
      FROM jobs WHERE ended_at IS NULL GROUP BY kind, status`;
    return this.statements.run<OpenJobs>({ kind: 'jobs', name: 'open-jobs', text }, []);
  }

  /** Takes up a job of a kind that nobody works at, the one that is due for longest. */
  async take(runner: StatementRunner, kind: string, leaseMs: number): Promise<Job | undefined> {
    const text = `
      WITH next AS MATERIALIZED (SELECT id FROM jobs
        WHERE kind = $1 AND ended_at IS NULL AND due_at <= now()
        ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
      UPDATE jobs job SET status = 'running', started_at = coalesce(started_at, clock_timestamp()), lease_owner = $2,
        due_at = ${AFTER('$3')}, attempts = attempts + 1
      FROM next WHERE job.id = next.id RETURNING row_to_json(job) AS job`;
    const statement = { kind: 'jobs', name: 'take-job', text };
    return this.one(await runner.run<{ job: JsonRow }>(statement, [kind, randomUUID(), leaseMs]));
  }

  /** Locks the job of a lease; undefined where the lease is lost: another has taken the job up, or it has ended. */
  async lockLeased(runner: StatementRunner, { jobId, owner }: Lease): Promise<Job | undefined> {
    const text = `SELECT row_to_json(job) AS job FROM jobs job WHERE id = $1 AND lease_owner = $2 FOR UPDATE`;
    const statement = { kind: 'jobs', name: 'lock-leased-job', text };
    return this.one(await runner.run<{ job: JsonRow }>(statement, [jobId, owner]));
  }

  /** Locks a job. While it is locked no portion of it is under way. */
  async lock(runner: StatementRunner, id: string): Promise<Job | undefined> {
    const text = `SELECT row_to_json(job) AS job FROM jobs job WHERE id = $1 FOR UPDATE`;
    return this.one(await runner.run<{ job: JsonRow }>({ kind: 'jobs', name: 'lock-job', text }, [id]));
  }

  /** Notes a portion of a locked job, and renews its lease, or ends it where the job is to rest. */
  async advance<State>(
    runner: StatementRunner,
    id: string,
    { done, failed, total, state, restMs }: Extract<Portion<State>, { state: unknown }>,
    leaseMs: number,
  ): Promise<void> {
    const text = `
      UPDATE jobs SET state = $2, done = done + $3, failed = failed + $4, total = coalesce($5, total),
        due_at = ${AFTER('$6')}, attempts = CASE WHEN $7 THEN 0 ELSE 1 END,
        status = CASE WHEN $7 THEN 'waiting' ELSE status END, lease_owner = CASE WHEN $7 THEN NULL ELSE lease_owner END
      WHERE id = $1`;
    const isResting = restMs !== undefined;
    const values = [
      id,
      JSON.stringify(state),
      done,
      failed ?? 0,
      total ?? null,
      restMs ?? leaseMs,
      isResting,
    ];
    await runner.run({ kind: 'jobs', name: 'advance-job', text }, values);
  }

  /** Ends a locked job. */
  async end(runner: StatementRunner, id: string, end: JobEnd): Promise<Job> {
    const { status, done, failed, total, result, problem } = end;
    const text = `
      UPDATE jobs job SET status = $2, done = done + $3, failed = failed + $4, total = coalesce($5, total), result = $6,
        problem = $7, ended_at = clock_timestamp(), lease_owner = NULL
      WHERE id = $1 RETURNING row_to_json(job) AS job`;
    const values = [
      id,
      status,
      done ?? 0,
      failed ?? 0,
      total ?? null,
      result ? JSON.stringify(result) : null,
      problem ?? null,
    ];
    return this.one(
      await runner.run<{ job: JsonRow }>({ kind: 'jobs', name: 'end-job', text }, values),
    ) as Job;
  }

  /** Gives a locked job back, for whoever takes it up when it is due again. */
  async postpone(runner: StatementRunner, id: string, delayMs: number): Promise<void> {
    const text = `UPDATE jobs SET status = 'waiting', lease_owner = NULL, due_at = ${AFTER('$2')} WHERE id = $1`;
    await runner.run({ kind: 'jobs', name: 'postpone-job', text }, [id, delayMs]);
  }

  /** Gives a job back that nothing has gone wrong with, for another to take it up at once. */
  async release({ jobId, owner }: Lease): Promise<void> {
    const text = `
      UPDATE jobs SET status = 'waiting', lease_owner = NULL, due_at = clock_timestamp(), attempts = greatest(attempts - 1, 0)
      WHERE id = $1 AND lease_owner = $2`;
    await this.statements.run({ kind: 'jobs', name: 'release-job', text }, [jobId, owner]);
  }

  /** Makes all leases those of the past: for who is alone in its store, where each is of a process that is gone. */
  async endLeases(): Promise<void> {
    const text = `UPDATE jobs SET due_at = clock_timestamp() WHERE ended_at IS NULL AND lease_owner IS NOT NULL`;
    await this.statements.run({ kind: 'jobs', name: 'end-leases', text }, []);
  }

  /** Deletes some jobs that ended so many days ago; whether there may be more. */
  async purge(days: number): Promise<boolean> {
    // A job ends after its creation, by which they are found.
    const text = `
      DELETE FROM jobs WHERE id IN (SELECT id FROM jobs
        WHERE created_at < now() - $1::int * interval '1 day'
          AND ended_at < now() - $1::int * interval '1 day'
        ORDER BY created_at, id LIMIT ${MAX_PURGED})
      RETURNING id`;
    const statement: Statement = { kind: 'jobs', name: 'purge-jobs', text };
    return (await this.statements.run(statement, [days])).length === MAX_PURGED;
  }

  private one([row]: { job: JsonRow }[]): Job | undefined {
    return row && this.rows.entityOf(row.job);
  }
}
