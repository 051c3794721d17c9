import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.js';
import { Program, temporaryFolder, unprivileged } from './programs.js';

export const PGBOUNCER = '/usr/sbin/pgbouncer';

/** A PgBouncer before a server, with nothing set but what it needs: every database of the server, in transaction mode. */
export class PgBouncer {
  private constructor(
    private readonly program: Program,
    private readonly folder: { remove(): void },
    private readonly target: URL,
    private readonly port: number,
  ) {}

  static async before(url: string, settings: Record<string, string> = {}): Promise<PgBouncer> {
    const target = new URL(url);
    const folder = temporaryFolder('pgbouncer');
    chmodSync(folder.path, 0o755);
    const port = await freePort();
    const pooler = {
      listen_addr: '127.0.0.1',
      listen_port: String(port),
      unix_socket_dir: '',
      auth_type: 'any',
      pool_mode: 'transaction',
      ...settings,
    };
    const lines = Object.entries(pooler).map(([name, value]) => `${name} = ${value}`);
    const ini = join(folder.path, 'pgbouncer.ini');
    const server = `host=${target.hostname} port=${target.port} user=${target.username}`;
    writeFileSync(ini, `[databases]\n* = ${server}\n[pgbouncer]\n${lines.join('\n')}\n`);
    const program = await Program.start(PGBOUNCER, [ini], port, { user: unprivileged('postgres') });
    return new PgBouncer(program, folder, target, port);
  }

  /** The address of the database through it. */
  get url(): string {
    const url = new URL(this.target);
    url.port = String(this.port);
    return url.href;
  }

  /** What it says of its own connections: to applications, or to the server. */
  async show<Row extends object>(what: 'CLIENTS' | 'SERVERS'): Promise<Row[]> {
    const url = new URL(this.url);
    url.pathname = '/pgbouncer';
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      return (await client.query<Row>(`SHOW ${what}`)).rows;
    } finally {
      await client.end();
    }
  }

  async close(): Promise<void> {
    await this.program.stop();
    this.folder.remove();
  }
}
