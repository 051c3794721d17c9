import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { Pruner } from '../../audit/chain/pruner.js';
import { CONFIG, type Config } from '../../config.js';
import { Schedule } from '../../jobs/schedule.js';
import type { ScheduledTask } from '../../jobs/scheduled-task.js';

const REST_MS = 100;

/** Deletes the events that are older than `AUDIT_RETENTION`. */
@Injectable()
export class PruneEventsTask implements ScheduledTask {
  readonly name = 'prune-events';
  readonly intervalMs = 3_600_000;

  constructor(
    private readonly pruner: Pruner,
    @Inject(CONFIG) private readonly config: Config,
    schedule: Schedule,
  ) {
    schedule.add(this);
  }

  async run(ending?: AbortSignal): Promise<void> {
    const { auditRetentionSeconds } = this.config;
    if (auditRetentionSeconds === undefined) return;
    const before = new Date(Date.now() - auditRetentionSeconds * 1000);
    while (!ending?.aborted && (await this.pruner.prune(before))) await pause(REST_MS);
  }
}
