import { Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { Sealer } from '../../audit/chain/sealer.js';
import { Schedule } from '../../jobs/schedule.js';
import type { ScheduledTask } from '../../jobs/scheduled-task.js';

/** The longest rest between two seals while there is more to seal; it is as long as the seal took. */
const MAX_REST_MS = 100;

/** Seals what is committed: so often that it is sealed ten seconds later, at the latest. */
@Injectable()
export class SealEventsTask implements ScheduledTask {
  readonly name = 'seal-events';
  readonly intervalMs = 7_000;

  constructor(
    private readonly sealer: Sealer,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  async run(ending?: AbortSignal): Promise<void> {
    for (let isMore = true; isMore && !ending?.aborted;) {
      const beganAt = performance.now();
      isMore = await this.sealer.seal();
      if (isMore) await pause(Math.min(performance.now() - beganAt, MAX_REST_MS));
    }
  }
}
