import { Injectable } from '@nestjs/common';
import { Schedule } from '../../jobs/schedule.js';
import type { ScheduledTask } from '../../jobs/scheduled-task.js';
import { RetiredValues } from './retired-values.js';

/** Deletes the retired values that are not known any more. */
@Injectable()
export class ForgetRetiredTask implements ScheduledTask {
  readonly name = 'forget-retired';
  readonly intervalMs = 86_400_000;

  constructor(
    private readonly retired: RetiredValues,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  run(ending?: AbortSignal): Promise<void> {
    return this.retired.purge(ending);
  }
}
