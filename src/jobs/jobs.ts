import { Injectable } from '@nestjs/common';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import { type Actor, AuditWriter } from '../audit/audit.writer.js';
import type { StatementRunner } from '../database/statements.js';
import { type Transaction, Transactions } from '../database/transactions.js';
import { Refusal } from '../refusal.js';
import { auditView, Job } from './job.entity.js';
import type { JobSpec } from './job-kind.js';
import { JobRunner } from './job-runner.js';
import { JobStore } from './job-store.js';

export interface CancelOptions {
  /** In which the change waits for its turn. */
  line: string;
  /** Throws what keeps the caller from ending this job; asked while it is locked. */
  gate: (transaction: Transaction, job: Job | undefined) => Promise<void>;
}

/** Long work: how it is begun, read and ended. {@link JobRunner} does it. */
@Injectable()
export class Jobs {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly store: JobStore,
    private readonly runner: JobRunner,
  ) {}

  /**
   * Begins a job in the caller's transaction, with whose change it commits. {@link runSoon}, called after the commit, has
   * it taken up at once; else a replica finds it within seconds.
   */
  async start(runner: StatementRunner, spec: JobSpec): Promise<Job> {
    if (!this.runner.knows(spec.kind)) throw new Error(`Nothing does jobs of the kind ${spec.kind}`);
    const job = await this.store.insert(runner, spec);
    const object = { type: 'job', id: job.id };
    await this.audit.write(runner, {
      actor: spec.createdBy,
      action: 'job.start',
      object,
      after: auditView(job),
    });
    return job;
  }

  runSoon(): void {
    this.runner.runSoon();
  }

  /**
   * Ends a job, when the portion under way is finished; what was done stays. One that is cancelled already is given back
   * unchanged.
   *
   * @throws {Refusal} notFound; conflict for one that has ended otherwise.
   */
  async cancel(id: string, by: Actor, { line, gate }: CancelOptions): Promise<Job> {
    let isNew = false;
    const job = await this.transactions.run(line, async (transaction) => {
      // Before the users and tokens, as a portion does. The lock waits for the portion: afterwards none is under way.
      const before = await this.store.lock(transaction, id);
      await gate(transaction, before);
      if (!before) throw noSuchJob();
      if (before.status === 'cancelled') return before;
      if (before.endedAt !== null) throw new Refusal('conflict', { message: 'The job has ended already' });
      isNew = true;
      const after = await this.store.end(transaction, id, { status: 'cancelled' });
      await this.audit.write(transaction.last, {
        actor: by,
        action: 'job.cancel',
        object: { type: 'job', id },
        before: auditView(before),
        after: auditView(after),
      });
      return after;
    });
    if (isNew) this.runner.countEnded(job);
    return job;
  }

  /** A query over jobs (alias `job`) for lists. */
  query(): SelectQueryBuilder<Job> {
    return this.dataSource.manager.createQueryBuilder(Job, 'job');
  }
}

/** What is said of a job that is not there, or not visible to the caller. */
export function noSuchJob(): Refusal {
  return new Refusal('notFound', { message: 'No such job' });
}
