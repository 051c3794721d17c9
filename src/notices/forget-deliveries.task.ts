import { Injectable } from '@nestjs/common';
import { Schedule } from '../jobs/schedule.js';
import type { ScheduledTask } from '../jobs/scheduled-task.js';
import { DeliveryQueue } from './delivery-queue.js';

const KEPT_DAYS = 30;
const A_STATEMENT = 1_000;

/** Deletes the notices of thirty days ago, whatever became of them. */
@Injectable()
export class ForgetDeliveriesTask implements ScheduledTask {
  readonly name = 'forget-deliveries';
  readonly intervalMs = 3_600_000;

  constructor(
    private readonly queue: DeliveryQueue,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  async run(ending?: AbortSignal): Promise<void> {
    for (let isMore = true; isMore && !ending?.aborted;)
      isMore = await this.queue.purge(KEPT_DAYS, A_STATEMENT);
  }
}
