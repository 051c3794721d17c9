import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { basic } from './http.js';
import { PrivatePostgres } from './postgres.js';
import { buildOnce, PatoisProcess } from './process.js';

const ADMIN_PASSWORD = 'correct horse battery';

/** The first administrator of every replica. */
export const asAdmin = basic('admin', ADMIN_PASSWORD);

/** One process of Patois, and where it listens. */
export interface Replica {
  replica: PatoisProcess;
  url: string;
}

/** What the table of jobs says of one. */
export interface JobRow {
  status: string;
  total: number;
  done: number;
  failed: number;
  result: Record<string, unknown> | null;
}

/** Replicas of Patois on a PostgreSQL server of their own: processes, all of which a test may kill. */
export class Replicas {
  private readonly started: PatoisProcess[] = [];
  private readonly key = randomBytes(32).toString('base64');

  private constructor(
    readonly postgres: PrivatePostgres,
    private readonly settings: Record<string, string>,
  ) {}

  static async make(settings: Record<string, string> = {}): Promise<Replicas> {
    buildOnce();
    return new Replicas(await PrivatePostgres.make(), settings);
  }

  /** @param settings that this one has beside those of all. */
  async start(settings: Record<string, string> = {}): Promise<Replica> {
    const replica = new PatoisProcess({
      ...this.postgres.settings,
      TOKEN_KEYS: `k1:${this.key}`,
      ADMIN_PASSWORD,
      BCRYPT_COST: '4',
      PORT: '0',
      ...this.settings,
      ...settings,
    });
    this.started.push(replica);
    return { replica, url: await replica.listening() };
  }

  /** Asks the database itself, over a connection that lives no longer. */
  async query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.postgres.url });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  async jobOf(id: string): Promise<JobRow> {
    const [row] = await this.query<JobRow>(
      'SELECT status, total, done, failed, result FROM jobs WHERE id = $1',
      [id],
    );
    return row as JobRow;
  }

  /** Gives the first administrator tokens whose values nobody knows. */
  makeTokens(count: number): Promise<object[]> {
    return this.query(
      `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
         inactive, created_at, dialect_fields)
       SELECT gen_random_uuid(), 'pt-' || substr(md5(random()::text), 1, 12), '\\x00', 'none', 'quay', u.id, u.organization_id,
         'many', '{}', '{}', false, now(), '{}' FROM users u, generate_series(1, $1::int) WHERE u.login = 'admin'`,
      [count],
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.started.map((replica) => replica.stop('SIGKILL')));
    await this.postgres.remove();
  }
}

/** Waits until something is so, in other processes. */
export async function eventually(isSo: () => boolean | Promise<boolean>, withinMs: number): Promise<void> {
  for (const endsAt = Date.now() + withinMs; !(await isSo());) {
    if (Date.now() > endsAt) throw new Error('It never came');
    await sleep(5);
  }
}
