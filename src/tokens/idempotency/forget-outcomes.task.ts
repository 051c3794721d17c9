import { Injectable } from '@nestjs/common';
import { Schedule } from '../../jobs/schedule.js';
import type { ScheduledTask } from '../../jobs/scheduled-task.js';
import { Idempotency } from './idempotency.js';

/** Deletes what is kept of calls for their repetitions: the outcomes soon after 120 seconds, the keys after a day. */
@Injectable()
export class ForgetOutcomesTask implements ScheduledTask {
  readonly name = 'forget-outcomes';
  readonly intervalMs = 10_000;

  constructor(
    private readonly idempotency: Idempotency,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  run(): Promise<void> {
    return this.idempotency.forget();
  }
}
