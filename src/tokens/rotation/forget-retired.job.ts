import { Injectable } from '@nestjs/common';
import { JobRunner } from '../../jobs/job-runner.js';
import type { Job } from '../../jobs/job.js';
import { RetiredValues } from './retired-values.js';

/** Deletes the retired values that are not known any more. */
@Injectable()
export class ForgetRetiredJob implements Job {
  readonly name = 'forget-retired';
  readonly intervalMs = 86_400_000;

  constructor(
    private readonly retired: RetiredValues,
    runner: JobRunner,
  ) {
    runner.add(this);
  }

  run(): Promise<void> {
    return this.retired.purge();
  }
}
