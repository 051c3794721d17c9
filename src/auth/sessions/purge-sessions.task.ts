import { Injectable } from '@nestjs/common';
import { Schedule } from '../../jobs/schedule.js';
import type { ScheduledTask } from '../../jobs/scheduled-task.js';
import { Sessions } from './sessions.js';

/** Deletes the sessions that have run out. */
@Injectable()
export class PurgeSessionsTask implements ScheduledTask {
  readonly name = 'purge-sessions';
  readonly intervalMs = 3_600_000;

  constructor(
    private readonly sessions: Sessions,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  async run(ending?: AbortSignal): Promise<void> {
    for (let isMore = true; isMore && !ending?.aborted;) isMore = await this.sessions.purge();
  }
}
