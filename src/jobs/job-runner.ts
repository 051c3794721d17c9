import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { AuditWriter, SYSTEM } from '../audit/audit.writer.js';
import type { Database } from '../database/database.js';
import { isDatabaseUnavailable, isTimeout } from '../database/errors.js';
import { DATABASE } from '../database/database.module.js';
import { type Transaction, Transactions } from '../database/transactions.js';
import { Refusal } from '../refusal.js';
import { withoutSecrets } from '../secrets.js';
import { Semaphore } from '../semaphore.js';
import { NO_TRACING, type Step, TRACING, type Tracing } from '../tracing.js';
import { auditView, type Job } from './job.entity.js';
import { type JobKind, progressOf } from './job-kind.js';
import { Poll } from './poll.js';
import { type JobEnd, JobStore, type Lease, type OpenJobs } from './job-store.js';

/** How long things take. */
export interface JobTiming {
  /** For how long a replica that says nothing more keeps a job. */
  leaseMs: number;
  /** How often a replica looks for jobs that are due, a fifth sooner or later. */
  pollMs: number;
  /** Before a portion that went wrong is tried again; twice as long after each further attempt. */
  backOffMs: number;
  /** Before a database that was away is asked again. */
  retryMs: number;
}

/** What modules inject the timing by. */
export const JOB_TIMING = Symbol('job timing');

/** The job of a replica that is gone goes on after the lease and a poll, 21 seconds at most. */
export const TIMING: JobTiming = { leaseMs: 15_000, pollMs: 5_000, backOffMs: 5_000, retryMs: 1_000 };

/** So often a portion is tried, under as many leases; then its job has failed. */
export const MAX_ATTEMPTS = 6;

/** The longest rest between two portions; it is as long as the portion was, so that half of the time is others'. */
const MAX_REST_MS = 100;

/** In which portions wait for their turn among changes. */
const LINE = 'jobs';

/**
 * Works at jobs: at one of each kind, a portion at a time of all of them together, so that one of the connections for
 * changes is theirs at most.
 *
 * A replica has a lease on the job that it works at. Each portion is a transaction that locks the job, sees that the lease
 * is still its own, does the work, and notes the counts and a longer lease: a replica that has lost its lease changes
 * nothing, and what is counted is what was done. As long as a portion is under way the lock keeps others from the job,
 * however long it takes.
 */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger(JobRunner.name);
  private readonly kinds = new Map<string, JobKind>();
  private readonly running = new Map<string, Promise<void>>();
  private readonly portions = new Semaphore(1, Infinity, () => new Refusal('unavailable'));
  private readonly ending = new AbortController();
  private readonly endedCounts = new Map<string, { kind: string; status: string; count: number }>();
  private readonly polling = new Poll(
    () => this.timing.pollMs,
    () => this.poll(),
  );

  /** The jobs that are not over, of all replicas, as of the last poll. */
  open: readonly OpenJobs[] = [];

  constructor(
    private readonly store: JobStore,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    @Inject(DATABASE) private readonly database: Database,
    @Inject(JOB_TIMING) private readonly timing: JobTiming,
    @Inject(TRACING) private readonly tracing: Tracing = NO_TRACING,
  ) {}

  /** Adds a kind; its jobs are taken up from the start of the application on. */
  register(kind: JobKind): void {
    if (this.kinds.has(kind.kind)) throw new Error(`There are two kinds of job ${kind.kind}`);
    this.kinds.set(kind.kind, kind);
  }

  knows(kind: string): boolean {
    return this.kinds.has(kind);
  }

  /** The jobs that this process has ended so far. */
  get ended(): readonly { kind: string; status: string; count: number }[] {
    return [...this.endedCounts.values()];
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.database.isEmbedded) await this.store.endLeases();
    this.runSoon();
  }

  /** Begins no further portion: the one under way ends while the last requests do. */
  beforeApplicationShutdown(): void {
    this.ending.abort();
  }

  /** Finishes the portion under way, and gives the jobs back: another replica, or the next start, takes them up. */
  async onApplicationShutdown(): Promise<void> {
    this.ending.abort();
    await this.polling.end();
    await Promise.all(this.running.values());
  }

  /** Looks for jobs that are due without waiting for the next poll: to be called when a new one has committed. */
  runSoon(): void {
    this.polling.soon();
  }

  /** Counts a job that has ended here. */
  countEnded({ kind, status }: Job): void {
    const key = `${kind} ${status}`;
    const known = this.endedCounts.get(key);
    if (known) known.count += 1;
    else this.endedCounts.set(key, { kind, status, count: 1 });
  }

  private get isEnding(): boolean {
    return this.ending.signal.aborted;
  }

  private async poll(): Promise<void> {
    try {
      this.open = await this.store.countOpen();
    } catch (error) {
      if (!isDatabaseUnavailable(error)) this.logger.warn(`Jobs could not be looked for: ${String(error)}`);
      return;
    }
    for (const { kind: name, due } of this.open) {
      const kind = this.kinds.get(name);
      if (due === 0 || !kind || this.running.has(name) || this.isEnding) continue;
      const run = this.runKind(kind).finally(() => this.running.delete(name));
      this.running.set(name, run);
    }
  }

  /** Works at jobs of a kind, one after the other, as long as any is due. */
  private async runKind(kind: JobKind): Promise<void> {
    try {
      while (!this.isEnding) {
        const job = await this.transactions.run(LINE, (transaction) =>
          this.store.take(transaction.last, kind.kind, this.timing.leaseMs),
        );
        if (!job) return;
        await this.work(kind, job);
      }
    } catch (error) {
      // The lease runs out, and the next poll finds the job.
      if (!isAway(error)) this.logger.error(`Jobs of the kind ${kind.kind} stopped: ${String(error)}`);
    }
  }

  /** Works at a job until it ends, is lost or must be given back. */
  private async work(kind: JobKind, { id, leaseOwner, attempts }: Job): Promise<void> {
    const lease = { jobId: id, owner: leaseOwner ?? '' };
    if (attempts > MAX_ATTEMPTS) return this.giveUp(lease);
    for (let goesOn = true; goesOn;) {
      if (this.isEnding) return this.store.release(lease);
      const beganAt = performance.now();
      goesOn = await this.portions.run(kind.kind, () => this.tracedAttempt(kind, lease));
      if (goesOn) await this.rest(Math.min(performance.now() - beganAt, MAX_REST_MS));
    }
  }

  /** Each portion is a trace of its own: a job may take hours. */
  private tracedAttempt(kind: JobKind, lease: Lease): Promise<boolean> {
    const attributes = { 'patois.job.kind': kind.kind, 'patois.job.id': lease.jobId };
    const step: Step = { name: `job ${kind.kind}`, kind: 'internal', attributes };
    return this.tracing.root(step, () => this.attempt(kind, lease));
  }

  /** @returns whether there is more to do under this lease. */
  private async attempt(kind: JobKind, lease: Lease): Promise<boolean> {
    if (this.isEnding) return true;
    let isInPortion = false;
    try {
      return await this.leased(lease, async (job, transaction) => {
        isInPortion = true;
        const portion = await kind.portion(progressOf(job), transaction);
        isInPortion = false;
        if ('result' in portion) return this.end(transaction, job, { status: 'done', ...portion });
        if ('problem' in portion) return this.end(transaction, job, { status: 'failed', ...portion });
        await this.store.advance(transaction.last, job.id, portion, this.timing.leaseMs);
        return portion.restMs === undefined;
      });
    } catch (error) {
      // What takes the database too long is the portion's fault: one that is away does not get as far as that.
      const isOfPortion = isInPortion && (isTimeout(error) || !isDatabaseUnavailable(error));
      if (isAway(error) && !isOfPortion) {
        await this.rest(this.timing.retryMs);
        return true;
      }
      this.logger.warn(`A portion of the job ${lease.jobId} (${kind.kind}) failed: ${detailsOf(error)}`);
      await this.postpone(lease, error);
      return false;
    }
  }

  /** Has a portion tried again later, or ends its job. */
  private async postpone(lease: Lease, error: unknown): Promise<void> {
    await this.leased(lease, async (job, transaction) => {
      if (job.attempts >= MAX_ATTEMPTS) {
        const problem = error instanceof Refusal ? withoutSecrets(error.message) : SERVER_FAILED;
        return this.end(transaction, job, { status: 'failed', problem });
      }
      await this.store.postpone(transaction.last, job.id, this.timing.backOffMs * 2 ** (job.attempts - 1));
      return false;
    });
  }

  /** Ends a job whose runners have ended again and again before a portion was finished. */
  private async giveUp(lease: Lease): Promise<void> {
    const problem = `It was taken up ${MAX_ATTEMPTS} times, and its runner ended each time before a portion was finished`;
    await this.leased(lease, (job, transaction) => this.end(transaction, job, { status: 'failed', problem }));
  }

  /** Does something to the job of a lease, which it locks; nothing where the lease is lost. */
  private async leased(
    lease: Lease,
    work: (job: Job, transaction: Transaction) => Promise<Job | boolean>,
  ): Promise<boolean> {
    const outcome = await this.transactions.run(LINE, async (transaction) => {
      const job = await this.store.lockLeased(transaction, lease);
      return job ? work(job, transaction) : false;
    });
    if (typeof outcome === 'boolean') return outcome;
    this.countEnded(outcome);
    return false;
  }

  private async end(transaction: Transaction, before: Job, end: JobEnd): Promise<Job> {
    const after = await this.store.end(transaction, before.id, end);
    await this.audit.write(transaction.last, {
      actor: SYSTEM,
      action: 'job.end',
      object: { type: 'job', id: before.id },
      before: auditView(before),
      after: auditView(after),
    });
    return after;
  }

  /** Ends early when the application does. */
  private async rest(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.ending.signal, ref: false }).catch(() => {});
  }
}

const SERVER_FAILED = 'The server failed; its log says why';

/** Whether the database, or a turn for a change, is not to be had now. */
function isAway(error: unknown): boolean {
  return isDatabaseUnavailable(error) || (error instanceof Refusal && error.kind === 'unavailable');
}

function detailsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
