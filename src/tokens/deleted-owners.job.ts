import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Transactions } from '../database/transactions.js';
import { Schedule } from '../jobs/schedule.js';
import type { ScheduledTask } from '../jobs/scheduled-task.js';
import { DeletedOwner } from './deleted-owner.entity.js';
import { TokenService } from './token.service.js';

/** Marks the tokens of deleted users as revoked, a portion in a transaction, however often it is interrupted. */
@Injectable()
export class DeletedOwnersJob implements ScheduledTask, OnApplicationShutdown {
  readonly name = 'deleted-owners';
  readonly intervalMs = 60_000;
  private underWay = Promise.resolve();
  private isEnding = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly tokens: TokenService,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  /** Begins without waiting for the next run. What fails here is left to that one. */
  runSoon(): void {
    this.underWay = this.underWay.then(() => this.run()).catch(() => undefined);
  }

  /** Waits for what {@link runSoon} has begun. */
  async onApplicationShutdown(): Promise<void> {
    this.isEnding = true;
    await this.underWay;
  }

  async run(): Promise<void> {
    const owners = await this.dataSource.manager.find(DeletedOwner);
    for (const { userId, actor } of owners) {
      for (let isMore = true; isMore;) {
        if (this.isEnding) return;
        isMore = await this.transactions.run(this.name, (portion) =>
          this.tokens.revokeSomeOf(userId, actor, portion),
        );
      }
      await this.dataSource.manager.delete(DeletedOwner, { userId });
    }
  }
}
