import { Injectable } from '@nestjs/common';
import { JobStore } from './job-store.js';
import { Schedule } from './schedule.js';
import type { ScheduledTask } from './scheduled-task.js';

const KEPT_DAYS = 30;

/** Deletes the jobs that ended thirty days ago. */
@Injectable()
export class PurgeJobsTask implements ScheduledTask {
  readonly name = 'purge-jobs';
  readonly intervalMs = 3_600_000;

  constructor(
    private readonly store: JobStore,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  async run(ending?: AbortSignal): Promise<void> {
    for (let isMore = true; isMore && !ending?.aborted;) isMore = await this.store.purge(KEPT_DAYS);
  }
}
