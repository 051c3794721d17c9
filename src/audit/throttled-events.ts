import { Logger } from '@nestjs/common';
import type { StatementRunner } from '../database/statements.js';
import type { AuditEntry, AuditWriter } from './audit.writer.js';
import { RecentKeys } from './recent-keys.js';

const WRITE_INTERVAL_MS = 2_000;
/** Of events that are alike there is at most one in this time, unless told otherwise. */
const REPEAT_INTERVAL_MS = 60_000;
/** At most so many events are written at a time; the log counts the rest. */
const MAX_DUE = 500;
/** Beyond this number the oldest entry is evicted, and its event may be repeated early. */
const MAX_RECENT = 10_000;

/**
 * Audit events of what is tried and changes nothing, which may come at any rate: gathered, and written after the answer.
 * Of those that are alike there is one a minute, or so, in each process.
 */
export class ThrottledEvents {
  private readonly logger: Logger;
  /** By what makes events alike. */
  private readonly recent: RecentKeys;
  private due: AuditEntry[] = [];
  private left = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing = Promise.resolve();

  /** @param what the events are, in the plural, for the log. */
  constructor(
    private readonly what: string,
    private readonly runner: StatementRunner,
    private readonly audit: AuditWriter,
    repeatIntervalMs = REPEAT_INTERVAL_MS,
  ) {
    this.recent = new RecentKeys(repeatIntervalMs, MAX_RECENT);
    this.logger = new Logger(what);
  }

  /**
   * Runs no query and allocates no promise.
   *
   * @param key what makes two events alike.
   * @param entryOf makes the event, if it is one.
   */
  record(key: string, entryOf: (time: Date) => AuditEntry): void {
    const now = Date.now();
    if (this.recent.has(key, now)) return;
    if (this.due.length >= MAX_DUE) {
      this.left += 1;
      return;
    }
    this.recent.add(key, now);
    this.due.push(entryOf(new Date(now)));
    this.timer ??= setTimeout(() => void this.flush(), WRITE_INTERVAL_MS).unref();
  }

  /** Writes everything recorded. What could not be written is kept for the next time. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  private async write(): Promise<void> {
    const [entries, left] = [this.due, this.left];
    this.due = [];
    this.left = 0;
    if (left > 0) this.logger.warn(`${left} ${this.what} are not in the audit trail: too many at once`);
    if (entries.length === 0) return;
    try {
      await this.audit.write(this.runner, entries);
    } catch (error) {
      this.logger.warn(`${entries.length} ${this.what} not written yet: ${String(error)}`);
      this.due = [...entries, ...this.due].slice(0, MAX_DUE);
      this.timer ??= setTimeout(() => void this.flush(), WRITE_INTERVAL_MS).unref();
    }
  }
}
