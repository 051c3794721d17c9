import { Injectable } from '@nestjs/common';
import { JobRunner } from '../../jobs/job-runner.js';
import type { Job } from '../../jobs/job.js';
import { Idempotency } from './idempotency.js';

/** Deletes what is kept of calls for their repetitions: the outcomes soon after 120 seconds, the keys after a day. */
@Injectable()
export class ForgetOutcomesJob implements Job {
  readonly name = 'forget-outcomes';
  readonly intervalMs = 10_000;

  constructor(
    private readonly idempotency: Idempotency,
    runner: JobRunner,
  ) {
    runner.add(this);
  }

  run(): Promise<void> {
    return this.idempotency.forget();
  }
}
