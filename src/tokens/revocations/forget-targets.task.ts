import { Injectable } from '@nestjs/common';
import { Schedule } from '../../jobs/schedule.js';
import type { ScheduledTask } from '../../jobs/scheduled-task.js';
import { RevocationTargets } from './revocation-targets.js';

/** Deletes what jobs that were cancelled or have failed were still to revoke. */
@Injectable()
export class ForgetTargetsTask implements ScheduledTask {
  readonly name = 'forget-targets';
  readonly intervalMs = 600_000;

  constructor(
    private readonly targets: RevocationTargets,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  run(ending?: AbortSignal): Promise<void> {
    return this.targets.forget(ending);
  }
}
