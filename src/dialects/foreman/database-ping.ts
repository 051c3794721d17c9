import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ForemanDatabaseStatus } from './foreman.dto.js';

// Decided here; Foreman only asks whether the connection is active (app/services/ping.rb).
const MAX_WAIT_MS = 2_000;

/** Measures how long the database takes to answer. */
@Injectable()
export class DatabasePing {
  /** One query at a time for all callers: anybody may call this, which must not use up the connections. */
  private underWay: Promise<unknown> | undefined;

  constructor(private readonly dataSource: DataSource) {}

  /** Whether the database answers within two seconds, and after how long. Never throws. */
  async measure(): Promise<ForemanDatabaseStatus> {
    const startedAt = performance.now();
    const active = await within(MAX_WAIT_MS, this.ask());
    // A string: `duration_ms` in https://github.com/theforeman/foreman/blob/develop/app/services/ping.rb
    return { active, duration_ms: Math.round(performance.now() - startedAt).toString() };
  }

  private ask(): Promise<unknown> {
    this.underWay ??= this.dataSource.query('SELECT 1').finally(() => (this.underWay = undefined));
    return this.underWay;
  }
}

/** Whether a promise is fulfilled in time. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  const done = work.then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
