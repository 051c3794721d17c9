import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { type Actor, AuditWriter, SYSTEM } from '../../src/audit/audit.writer.js';
import { createDataSource } from '../../src/data-source.js';
import { ChangeFeed } from '../../src/database/changes/change-feed.js';
import type { Database } from '../../src/database/database.js';
import { StatementCounts, Statements } from '../../src/database/statements.js';
import { Transactions } from '../../src/database/transactions.js';
import { AuditKeyRing } from '../../src/hashing/audit-key-ring.js';
import type { JobKind, JobSpec } from '../../src/jobs/job-kind.js';
import { JobRunner, type JobTiming } from '../../src/jobs/job-runner.js';
import { JobStore } from '../../src/jobs/job-store.js';
import { Job } from '../../src/jobs/job.entity.js';
import { Jobs } from '../../src/jobs/jobs.js';
import { onceFree } from './store.js';
import { until } from './until.js';

/** So short that a test need not wait for them. */
export const SHORT: JobTiming = { leaseMs: 1_000, pollMs: 100, backOffMs: 1, retryMs: 1 };

const auditKeys = new AuditKeyRing([{ name: 'test', secret: randomBytes(32) }]);

/** What of a replica works at jobs, on a store that others may be on as well. */
export class JobReplica {
  private constructor(
    readonly dataSource: DataSource,
    readonly jobs: Jobs,
    readonly runner: JobRunner,
    readonly store: JobStore,
    private readonly transactions: Transactions,
    private readonly statements: Statements,
  ) {}

  static async on(store: Database, timing: Partial<JobTiming> = {}): Promise<JobReplica> {
    const dataSource = await createDataSource(store).initialize();
    const counts = new StatementCounts();
    const feed = new ChangeFeed(dataSource, store.isEmbedded);
    const transactions = Transactions.of(store, dataSource, feed, counts);
    const statements = Statements.of(store, dataSource, counts);
    const audit = new AuditWriter(dataSource, auditKeys);
    const jobStore = new JobStore(dataSource, statements);
    const runner = new JobRunner(jobStore, transactions, audit, store, { ...SHORT, ...timing });
    const jobs = new Jobs(dataSource, transactions, audit, jobStore, runner);
    return new JobReplica(dataSource, jobs, runner, jobStore, transactions, statements);
  }

  /** Begins a job of a kind, which is registered if it is not yet. */
  async start(kind: JobKind, spec: Partial<JobSpec> = {}, by: Actor = SYSTEM): Promise<Job> {
    if (!this.runner.knows(kind.kind)) this.runner.register(kind);
    const whole = { kind: kind.kind, input: {}, createdBy: by, organizationId: null, ...spec };
    const job = await onceFree(() =>
      this.transactions.run('test', (transaction) => this.jobs.start(transaction, whole)),
    );
    this.jobs.runSoon();
    return job;
  }

  read({ id }: Pick<Job, 'id'>): Promise<Job> {
    return onceFree(() => this.dataSource.manager.findOneByOrFail(Job, { id }));
  }

  /** The job once it has ended. */
  async ended(job: Pick<Job, 'id'>): Promise<Job> {
    await until(async () => (await this.read(job)).endedAt !== null);
    return this.read(job);
  }

  /** Stops working at jobs as a shutdown does. */
  stop(): Promise<void> {
    return this.runner.onApplicationShutdown();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.transactions.onApplicationShutdown();
    await this.statements.close();
    await this.dataSource.destroy();
  }
}
