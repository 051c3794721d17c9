import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { Schedule } from '../../jobs/schedule.js';
import type { ScheduledTask } from '../../jobs/scheduled-task.js';
import { TokenService } from '../../tokens/token.service.js';
import { QUAY } from './quay.dialect.js';

/**
 * Deletes the sealed copies that nobody can be shown any more: all of them once the setting that keeps them is off; while
 * it is on, those of expired tokens.
 */
@Injectable()
export class SealedCopiesTask implements ScheduledTask {
  readonly name = 'sealed-copies';
  readonly intervalMs = 3_600_000;

  constructor(
    private readonly tokens: TokenService,
    @Inject(CONFIG) private readonly config: Config,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  run(): Promise<void> {
    const keepsCopies = this.config.quayFidelity === 'deployed';
    return this.tokens.forgetSealedValues(QUAY, keepsCopies ? { expiredBy: new Date() } : {});
  }
}
