import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { HttpServers } from '../../http/http-servers.js';
import { Refusal } from '../../refusal.js';

const MAX_WAIT_MS = 2_000;

/** Whether this server can do its work, and will: the database answers, and has the schema that this version needs. */
@Injectable()
export class Readiness {
  /** One question at a time: probes at a frozen database must not take up its connections. */
  private underWay: Promise<string[]> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly servers: HttpServers,
  ) {}

  /**
   * @throws {Refusal} unavailable, when the end has begun, the database does not answer within two seconds or lacks a
   *   migration.
   */
  async assertReady(): Promise<void> {
    if (this.servers.isDraining) throw new Refusal('unavailable', { message: 'The server is about to end' });
    const missing = await within(MAX_WAIT_MS, this.ask());
    if (missing.length === 0) return;
    throw new Refusal('unavailable', { message: `Migrations are missing: ${missing.join(', ')}` });
  }

  private ask(): Promise<string[]> {
    this.underWay ??= this.missingMigrations().finally(() => (this.underWay = undefined));
    return this.underWay;
  }

  /** Those of a newer version, which another replica may have run already, do no harm. */
  private async missingMigrations(): Promise<string[]> {
    const rows: { name: string }[] = await this.dataSource.query('SELECT name FROM migrations');
    const run = new Set(rows.map(({ name }) => name));
    return this.dataSource.migrations
      .map(({ name, constructor }) => name ?? constructor.name)
      .filter((name) => !run.has(name));
  }
}

async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } catch (cause) {
    throw new Refusal('unavailable', { retryAfterSeconds: 1, cause });
  } finally {
    clearTimeout(timer);
  }
}
