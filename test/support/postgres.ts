import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.js';
import { PgBouncer } from './pgbouncer.js';
import { hasPooler, type Reached, settingsOf } from './pooler.js';
import { type SystemUser, unprivileged } from './programs.js';

const VERSIONS = '/usr/lib/postgresql';

/** The folder of the newest PostgreSQL server programs, or undefined where there are none. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(VERSIONS)
    ? readdirSync(VERSIONS)
        .map(Number)
        .sort((one, other) => other - one)
    : [];
  return versions
    .map((version) => join(VERSIONS, String(version), 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
}

/** A PostgreSQL server of a test's own, which it may kill, freeze and start again. */
export class PrivatePostgres {
  private server: ChildProcess | undefined;
  /** Where the suite is run through one. */
  private pooler: PgBouncer | undefined;

  private constructor(
    private readonly bin: string,
    private readonly folder: string,
    private readonly port: number,
    private readonly user: SystemUser,
  ) {}

  static async make(): Promise<PrivatePostgres> {
    const bin = postgresPrograms();
    if (bin === undefined) throw new Error('No PostgreSQL server is installed');
    // The server does not run as root.
    const user = unprivileged('postgres');
    const folder = folderOf(user);
    const options = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '--no-sync'];
    const { status, stderr } = spawnSync(join(bin, 'initdb'), options, {
      ...user,
      cwd: folder,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
    const made = new PrivatePostgres(bin, folder, await freePort(), user);
    await made.start();
    if (hasPooler) made.pooler = await PgBouncer.before(made.url);
    return made;
  }

  /** A server that follows this one, and can be promoted. */
  async standby(): Promise<PrivatePostgres> {
    const { bin, user } = this;
    const folder = folderOf(user);
    const source = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres'];
    const options = [...source, '-D', join(folder, 'data'), '-R', '-X', 'stream', '-c', 'fast', '--no-sync'];
    this.run('pg_basebackup', options);
    const made = new PrivatePostgres(bin, folder, await freePort(), user);
    await made.start();
    if (hasPooler) made.pooler = await PgBouncer.before(made.url);
    return made;
  }

  /** Makes a standby the primary. */
  promote(): void {
    this.run('pg_ctl', ['promote', '-w', '-D', join(this.folder, 'data')]);
  }

  /** Stops every process of the server where it stands, or lets all go on. */
  freeze(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of this.processes()) process.kill(pid, signal);
  }

  /** For a test's own clients. */
  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  /** How applications under test reach it. */
  get reached(): Reached {
    const { pooler, url } = this;
    return pooler ? { url: pooler.url, listenUrl: url } : { url, listenUrl: undefined };
  }

  /** What leads a process to it. */
  get settings(): Record<string, string> {
    return settingsOf(this.reached);
  }

  /** How many connections Patois has to it: those that a pooler keeps by itself lead nobody there. */
  async connectionsOfPatois(): Promise<number> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'patois%'`,
      );
      if (!this.pooler) return rows.length;
      const kept = await this.pooler.show<{ remote_pid: number }>('SERVERS');
      const pids = new Set(kept.map(({ remote_pid }) => remote_pid));
      const clients = await this.pooler.show<{ application_name: string }>('CLIENTS');
      const pooled = clients.filter(({ application_name }) => application_name.startsWith('patois'));
      return pooled.length + rows.filter(({ pid }) => !pids.has(pid)).length;
    } finally {
      await client.end();
    }
  }

  async start(): Promise<void> {
    const options = [
      '-D',
      join(this.folder, 'data'),
      '-p',
      String(this.port),
      '-k',
      this.folder,
      '-h',
      '127.0.0.1',
      // A killed process leaves what it wrote to the system: only a power cut would not.
      '-c',
      'fsync=off',
    ];
    this.server = spawn(join(this.bin, 'postgres'), options, {
      ...this.user,
      cwd: this.folder,
      stdio: 'ignore',
    });
    await answers(this.url);
    // PgBouncer looks for a server that was gone every 15 seconds only (`server_login_retry`).
    if (this.pooler) await answers(this.pooler.url);
  }

  /** Ends every process of the server at once, as `kill -9` does. */
  async killHard(): Promise<void> {
    const ended = new Promise((resolve) => this.server?.once('exit', resolve));
    for (const pid of this.processes()) killIfThere(pid);
    await ended;
  }

  async remove(): Promise<void> {
    const ended = new Promise((resolve) => this.server?.once('exit', resolve));
    if (this.server?.exitCode === null && this.server.signalCode === null) {
      this.server.kill('SIGQUIT');
      await ended;
    }
    await this.pooler?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private run(program: string, options: string[]): void {
    const { user, folder } = this;
    const { status, stderr } = spawnSync(join(this.bin, program), options, {
      ...user,
      cwd: folder,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  }

  /** The server, and after it all its children: were they to die first, it would replace them. */
  private processes(): number[] {
    const parent = this.server?.pid;
    if (parent === undefined) return [];
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim();
    return [parent, ...children.split(' ').filter(Boolean).map(Number)];
  }
}

/** Waits until a database can be asked. */
async function answers(url: string): Promise<void> {
  for (const endsAt = Date.now() + 30_000; ;) {
    const client = new pg.Client({ connectionString: url, query_timeout: 1_000 });
    // A server that goes away while we ask is asked again.
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('SELECT 1');
      return;
    } catch (error) {
      if (Date.now() > endsAt) throw error;
      await new Promise((resume) => setTimeout(resume, 50));
    } finally {
      await client.end().catch(() => {});
    }
  }
}

function folderOf({ uid, gid }: SystemUser): string {
  const folder = mkdtempSync(join(tmpdir(), 'patois-pg-'));
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  return folder;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself when the server did.
  }
}
