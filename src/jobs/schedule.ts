import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { AdvisoryLock, LOCKS } from '../database/advisory-lock.js';
import type { Database } from '../database/database.js';
import { DATABASE } from '../database/database.module.js';
import type { ScheduledTask } from './scheduled-task.js';

/** After a failure, and for replicas that do not run the tasks: how soon they see that nobody does any more. */
const RETRY_MS = 60_000;

/**
 * Runs tasks at intervals, once across replicas: the replica that holds an advisory lock runs them all, for as long as
 * it lives; when it is gone, another takes over.
 */
@Injectable()
export class Schedule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger(Schedule.name);
  private readonly tasks: ScheduledTask[] = [];
  private readonly lock: AdvisoryLock;
  private readonly timers = new Map<ScheduledTask, NodeJS.Timeout>();
  private readonly running = new Set<Promise<void>>();
  /** Serializes the calls: two at once would open a connection each. */
  private asking: Promise<unknown> = Promise.resolve();
  private readonly ending = new AbortController();

  constructor(@Inject(DATABASE) { listenServer }: Database) {
    this.lock = new AdvisoryLock(listenServer, LOCKS.schedule);
  }

  /** Adds a task, before the application has started. */
  add(task: ScheduledTask): void {
    this.tasks.push(task);
  }

  onApplicationBootstrap(): void {
    for (const task of this.tasks) this.begin(task);
  }

  /** Begins no further run: those under way end, with their portion, while the last requests do. */
  beforeApplicationShutdown(): void {
    this.ending.abort();
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  /** Waits for the runs under way: each statement of theirs has a time-out. */
  async onApplicationShutdown(): Promise<void> {
    this.beforeApplicationShutdown();
    await Promise.all(this.running);
    await this.lock.release();
  }

  private begin(task: ScheduledTask): void {
    const run = this.runOnce(task).then((restMs) => {
      this.running.delete(run);
      if (!this.ending.signal.aborted)
        this.timers.set(task, setTimeout(() => this.begin(task), restMs).unref());
    });
    this.running.add(run);
  }

  /** @returns how long to wait for the next time (ms). */
  private async runOnce(task: ScheduledTask): Promise<number> {
    const retryMs = Math.min(task.intervalMs, RETRY_MS);
    try {
      if (!(await this.isMine())) return retryMs;
      await task.run(this.ending.signal);
      return task.intervalMs;
    } catch (error) {
      this.logger.warn(`The task ${task.name} failed: ${String(error)}`);
      return retryMs;
    }
  }

  private isMine(): Promise<boolean> {
    const answer = this.asking.then(() => this.lock.take());
    this.asking = answer.catch(() => {});
    return answer;
  }
}
