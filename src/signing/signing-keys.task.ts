import { Injectable } from '@nestjs/common';
import { Schedule } from '../jobs/schedule.js';
import type { ScheduledTask } from '../jobs/scheduled-task.js';
import { SigningKeys } from './signing-keys.js';

/** Makes the next signing key long before it is needed, and forgets old ones. */
@Injectable()
export class SigningKeysTask implements ScheduledTask {
  readonly name = 'signing-keys';
  readonly intervalMs = 3_600_000;

  constructor(
    private readonly keys: SigningKeys,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  run(): Promise<void> {
    return this.keys.rotate();
  }
}
