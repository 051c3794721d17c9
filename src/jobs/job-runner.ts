import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { AdvisoryLock, LOCKS } from '../database/advisory-lock.js';
import type { Database } from '../database/database.js';
import { DATABASE } from '../database/database.module.js';
import type { Job } from './job.js';

/** After a failure, and for replicas that do not run the jobs: how soon they see that nobody does any more. */
const RETRY_MS = 60_000;

/**
 * Runs jobs on a schedule, once across replicas: the replica that holds an advisory lock runs them all, for as long as
 * it lives; when it is gone, another takes over.
 */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(JobRunner.name);
  private readonly jobs: Job[] = [];
  private readonly lock: AdvisoryLock;
  private readonly timers = new Map<Job, NodeJS.Timeout>();
  private readonly running = new Set<Promise<void>>();
  /** Serializes the calls: two at once would open a connection each. */
  private asking: Promise<unknown> = Promise.resolve();
  private isEnding = false;

  constructor(@Inject(DATABASE) { url }: Database) {
    this.lock = new AdvisoryLock(url, LOCKS.jobs);
  }

  /** Adds a job, before the application has started. */
  add(job: Job): void {
    this.jobs.push(job);
  }

  onApplicationBootstrap(): void {
    for (const job of this.jobs) this.begin(job);
  }

  /** Waits for the runs under way: each statement of theirs has a time-out. */
  async onApplicationShutdown(): Promise<void> {
    this.isEnding = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    await Promise.all(this.running);
    await this.lock.release();
  }

  private begin(job: Job): void {
    const run = this.runOnce(job).then((restMs) => {
      this.running.delete(run);
      if (!this.isEnding) this.timers.set(job, setTimeout(() => this.begin(job), restMs).unref());
    });
    this.running.add(run);
  }

  /** @returns how long to wait for the next time (ms). */
  private async runOnce(job: Job): Promise<number> {
    const retryMs = Math.min(job.intervalMs, RETRY_MS);
    try {
      if (!(await this.isMine())) return retryMs;
      await job.run();
      return job.intervalMs;
    } catch (error) {
      this.logger.warn(`The job ${job.name} failed: ${String(error)}`);
      return retryMs;
    }
  }

  private isMine(): Promise<boolean> {
    const answer = this.asking.then(() => this.lock.take());
    this.asking = answer.catch(() => {});
    return answer;
  }
}
