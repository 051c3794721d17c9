import { Injectable } from '@nestjs/common';
import { JobRunner } from '../../jobs/job-runner.js';
import type { Job } from '../../jobs/job.js';
import { SigningKeys } from './signing-keys.js';

/** Makes the next signing key long before it is needed, and forgets old ones. */
@Injectable()
export class SigningKeysJob implements Job {
  readonly name = 'signing-keys';
  readonly intervalMs = 3_600_000;

  constructor(
    private readonly keys: SigningKeys,
    runner: JobRunner,
  ) {
    runner.add(this);
  }

  run(): Promise<void> {
    return this.keys.rotate();
  }
}
