import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, Not } from 'typeorm';
import { Transactions } from '../../database/transactions.js';
import { Jobs } from '../../jobs/jobs.js';
import { Schedule } from '../../jobs/schedule.js';
import type { ScheduledTask } from '../../jobs/scheduled-task.js';
import { Policy } from './policy.entity.js';
import { UNUSED_TOKENS } from './unused-tokens.job.js';

/** Begins the job that ends unused tokens, where a policy asks for it and none is under way. */
@Injectable()
export class UnusedTokensTask implements ScheduledTask {
  readonly name = 'unused-tokens';
  /** A token ends within a day of its time, though the job itself may take hours. */
  readonly intervalMs = 6 * 3_600_000;

  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly jobs: Jobs,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  async run(): Promise<void> {
    const isAsked = await this.dataSource.manager.existsBy(Policy, { maxUnusedSeconds: Not(IsNull()) });
    const { kind } = UNUSED_TOKENS;
    if (!isAsked || (await this.jobs.query().where({ kind, endedAt: IsNull() }).getExists())) return;
    await this.transactions.run(this.name, (transaction) => this.jobs.start(transaction, UNUSED_TOKENS));
    this.jobs.runSoon();
  }
}
