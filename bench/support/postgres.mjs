import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { cpuSecondsOf, freePort } from './processes.mjs';

const VERSIONS = '/usr/lib/postgresql';

/** A PostgreSQL server of this run's own, in a temporary folder. */
export class Postgres {
  #server;
  #folder;

  /** Makes one, with Debian's programs. As root it runs as user postgres: the server refuses root. */
  static async start() {
    const bin = programs();
    if (!bin) throw new Error('No PostgreSQL server is installed: apt-get install postgresql');
    const postgres = new Postgres();
    const folder = (postgres.#folder = mkdtempSync(join(tmpdir(), 'patois-bench-pg-')));
    const user = process.getuid() === 0 ? idsOf('postgres') : {};
    if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
    const data = join(folder, 'data');
    const made = spawnSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'], {
      ...user,
      cwd: folder,
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
    const port = await freePort();
    // Nothing here outlives the run, so it is not made safe against power cuts: commits would else measure the disk.
    const settings = {
      fsync: 'off',
      full_page_writes: 'off',
      synchronous_commit: 'off',
      max_connections: '300',
      shared_buffers: '512MB',
      maintenance_work_mem: '512MB',
      max_wal_size: '8GB',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    postgres.#server = spawn(
      join(bin, 'postgres'),
      ['-D', data, '-p', String(port), '-k', folder, '-h', '127.0.0.1', ...options],
      { ...user, cwd: folder, stdio: 'ignore' },
    );
    postgres.port = port;
    await postgres.#ready();
    return postgres;
  }

  /** The address of one of its databases. */
  url(database = 'postgres') {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  /** Makes an empty database, and gives its address. */
  async database(name) {
    await withClient(this.url(), (client) => client.query(`CREATE DATABASE ${name}`));
    return this.url(name);
  }

  async version() {
    const { rows } = await withClient(this.url(), (client) => client.query('SHOW server_version'));
    return rows[0].server_version.split(/[. ]/)[0];
  }

  /** Seconds of processor time so far, with all its processes. */
  cpuSeconds() {
    return cpuSecondsOf(this.#server.pid);
  }

  async stop() {
    if (this.#server.exitCode === null && this.#server.signalCode === null) {
      const ended = new Promise((resolve) => this.#server.once('exit', resolve));
      this.#server.kill('SIGQUIT');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ready() {
    for (const endsAt = Date.now() + 30_000; ;) {
      try {
        return await withClient(this.url(), (client) => client.query('SELECT 1'));
      } catch (error) {
        if (Date.now() > endsAt) throw error;
        await new Promise((resume) => setTimeout(resume, 50));
      }
    }
  }
}

/** Runs some queries over a connection of their own. */
export async function withClient(url, work) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function programs() {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).map(Number) : [];
  return versions
    .toSorted((one, other) => other - one)
    .map((version) => join(VERSIONS, String(version), 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
}

function idsOf(name) {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  if (!line) return {};
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}
