import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.js';
import { send } from './http.js';
import { postgresPrograms } from './postgres.js';
import { example, Program, type SystemUser, temporaryFolder, unprivileged } from './programs.js';

const ETCD = '/usr/bin/etcd';
const PATRONI = '/usr/bin/patroni';
const HAPROXY = '/usr/sbin/haproxy';
/** What {@link PatroniCluster} needs. */
export const PATRONI_PROGRAMS = [ETCD, PATRONI, HAPROXY];

/**
 * Small, so that tests do not wait: a leader that says nothing for six seconds is none. `loop_wait` is the smallest there is,
 * and `ttl` no smaller than it and twice `retry_timeout`.
 */
const TIMES = { ttl: 6, loop_wait: 1, retry_timeout: 2 };
const MAX_WAIT_MS = 60_000;

/** Two PostgreSQL servers that Patroni keeps, in synchronous mode, and a HAProxy before them as docs/cluster says. */
export class PatroniCluster {
  private haproxy: Program | undefined;

  private constructor(
    private readonly folder: { path: string; remove(): void },
    private readonly etcd: Program,
    readonly nodes: readonly [PatroniNode, PatroniNode],
    /** Where HAProxy listens. */
    private readonly port: number,
  ) {}

  static async make(): Promise<PatroniCluster> {
    // Neither program runs as root.
    const user = unprivileged('postgres');
    const folder = temporaryFolder('patroni');
    own(folder.path, user);
    let cluster: PatroniCluster | undefined;
    try {
      const [etcd, etcdUrl] = await startEtcd(folder.path, user);
      const nodes = [
        await PatroniNode.make('one', folder.path, etcdUrl, user),
        await PatroniNode.make('two', folder.path, etcdUrl, user),
      ] as const;
      cluster = new PatroniCluster(folder, etcd, nodes, await freePort());
      await cluster.lead();
      for (const node of nodes) {
        await node.start();
        await cluster.settled();
      }
      return cluster;
    } catch (error) {
      await cluster?.close();
      throw error;
    }
  }

  /** The address of the database through HAProxy. */
  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  /** The address that names both servers. */
  get directUrl(): string {
    return `postgres://postgres@${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}/postgres`;
  }

  /** HAProxy as docs/cluster has it, leading to the primary; or to one server, whatever that is. */
  async lead(only?: PatroniNode): Promise<void> {
    await this.haproxy?.stop();
    const [one, two] = this.nodes;
    const text = example('cluster/haproxy.cfg', {
      '127.0.0.1:5000': `127.0.0.1:${this.port}`,
      '10.0.0.1:5432': `127.0.0.1:${one.port} port ${one.restPort}`,
      '10.0.0.2:5432': `127.0.0.1:${two.port} port ${two.restPort}`,
    });
    const astray = `defaults\n  mode tcp\n  timeout connect 1s\n  timeout client 30m\n  timeout server 30m
listen astray\n  bind 127.0.0.1:${this.port}\n  server only 127.0.0.1:${only?.port}\n`;
    const config = join(this.folder.path, 'haproxy.cfg');
    writeFileSync(config, only ? astray : text);
    this.haproxy = await Program.start(HAPROXY, ['-db', '-f', config], this.port);
  }

  /** The node that holds the leader's key and can be written to, and the other one. */
  async roles(): Promise<{ leader: PatroniNode; other: PatroniNode }> {
    const [one, two] = this.nodes;
    for (const [leader, other] of [[one, two] as const, [two, one] as const]) {
      if ((await leader.answers('/primary')) && (await leader.isWritable())) return { leader, other };
    }
    throw new Error('Patroni has no leader');
  }

  /** Waits until there is a leader, and every node that runs follows it; both of two are in step. */
  async settled(): Promise<void> {
    const running = this.nodes.filter((node) => node.isRunning);
    for (const endsAt = Date.now() + MAX_WAIT_MS; ;) {
      const leads = await Promise.all(running.map((node) => node.answers('/primary')));
      const follows = await Promise.all(running.map((node) => node.answers('/synchronous')));
      const isSettled =
        leads.filter(Boolean).length === 1 && follows.filter(Boolean).length === running.length - 1;
      if (isSettled) return;
      if (Date.now() > endsAt) throw new Error(`Patroni has not settled:\n${this.output}`);
      await sleep(100);
    }
  }

  /** Has the leader hand over to the other node, as an operator does. */
  async switchover(): Promise<void> {
    const { leader, other } = await this.roles();
    const body = { leader: leader.name, candidate: other.name };
    const { status, text } = await send(leader.rest, 'POST', '/switchover', { body });
    if (status !== 200) throw new Error(`Patroni does not switch over: ${status} ${text}`);
  }

  /** Lets every node go on, whatever became of it, and waits until they are in step. */
  async restore(): Promise<void> {
    for (const node of this.nodes) {
      if (node.isRunning) node.thaw();
      else await node.start();
    }
    await this.settled();
  }

  /** The last words of Patroni. */
  get output(): string {
    return this.nodes.map((node) => `${node.name}: ${node.output.slice(-3_000)}`).join('\n');
  }

  async close(): Promise<void> {
    await this.haproxy?.stop();
    await Promise.all(this.nodes.map((node) => node.kill()));
    await this.etcd.stop();
    this.folder.remove();
  }
}

/** One PostgreSQL server, and the Patroni that keeps it. */
export class PatroniNode {
  private patroni: Program | undefined;

  private constructor(
    readonly name: string,
    private readonly folder: string,
    readonly port: number,
    readonly restPort: number,
    private readonly user: SystemUser,
  ) {}

  static async make(name: string, parent: string, etcd: string, user: SystemUser): Promise<PatroniNode> {
    const folder = join(parent, name);
    mkdirSync(folder);
    const node = new PatroniNode(name, folder, await freePort(), await freePort(), user);
    writeFileSync(join(folder, 'patroni.yml'), JSON.stringify(node.settings(etcd)));
    own(folder, user);
    return node;
  }

  get rest(): string {
    return `http://127.0.0.1:${this.restPort}`;
  }

  /** The server itself, past HAProxy. */
  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  get output(): string {
    return this.patroni?.output ?? '';
  }

  get isRunning(): boolean {
    return this.patroni !== undefined;
  }

  async start(): Promise<void> {
    const options = { user: this.user, cwd: this.folder, env: { LANG: 'C.UTF-8', HOME: this.folder } };
    this.patroni = await Program.start(PATRONI, [join(this.folder, 'patroni.yml')], this.restPort, options);
  }

  /** Ends Patroni and every process of the server at once, as `kill -9` does. */
  async kill(): Promise<void> {
    const { patroni } = this;
    this.patroni = undefined;
    this.signal('SIGKILL');
    await patroni?.stop();
  }

  /** Stops every process where it stands, Patroni's too. */
  freeze(): void {
    this.signal('SIGSTOP');
  }

  /** Lets the server go on, but not Patroni: nobody tells it that it is the primary no more. */
  thawServer(): void {
    for (const pid of this.processes()) if (pid !== this.patroni?.pid) signalTo(pid, 'SIGCONT');
  }

  thaw(): void {
    this.signal('SIGCONT');
  }

  /** Whether Patroni answers 200 to a question. */
  async answers(path: string): Promise<boolean> {
    try {
      return (await fetch(this.rest + path, { signal: AbortSignal.timeout(1_000) })).status === 200;
    } catch {
      return false;
    }
  }

  async isWritable(): Promise<boolean> {
    return (await introduction(this.url))?.isWritable === true;
  }

  /**
   * How many connections Patois has to this server; undefined where it does not answer. A commit that waits for its standby
   * is none: it does not notice that its client is gone.
   */
  async connections(): Promise<number | undefined> {
    const asked = `SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE application_name LIKE 'patois%' AND wait_event IS DISTINCT FROM 'SyncRep'`;
    return (await ask<{ count: number }>(this.url, asked))?.count;
  }

  private signal(signal: NodeJS.Signals): void {
    // What a process began before it stood still is found by looking again.
    const reached = new Set<number>();
    for (let isNew = true; isNew;) {
      isNew = false;
      for (const pid of this.processes()) {
        if (reached.has(pid)) continue;
        reached.add(pid);
        signalTo(pid, signal);
        isNew = true;
      }
    }
  }

  /** Patroni first and the server before its children, so that none replaces another: all that work in the folder. */
  private processes(): number[] {
    const within = readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && isIn(pid, this.folder));
    const first = [this.patroni?.pid, this.postmaster];
    return [...first.filter((pid) => pid !== undefined && within.includes(pid)), ...within] as number[];
  }

  private get postmaster(): number | undefined {
    const file = join(this.folder, 'data', 'postmaster.pid');
    return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : undefined;
  }

  private settings(etcd: string): object {
    const address = `127.0.0.1:${this.port}`;
    const rest = `127.0.0.1:${this.restPort}`;
    return {
      scope: 'patois',
      name: this.name,
      restapi: { listen: rest, connect_address: rest },
      // Not etcd3, in which Patroni 3.0 at times never again sees what it has stored itself (patroni/patroni#2783).
      etcd: { host: etcd },
      bootstrap: {
        dcs: { ...TIMES, synchronous_mode: true, postgresql: { use_pg_rewind: true } },
        initdb: [{ encoding: 'UTF8' }, { locale: 'C.UTF-8' }],
      },
      postgresql: {
        listen: address,
        connect_address: address,
        data_dir: join(this.folder, 'data'),
        bin_dir: postgresPrograms(),
        pgpass: join(this.folder, 'pgpass'),
        authentication: { superuser: { username: 'postgres' }, replication: { username: 'postgres' } },
        pg_hba: [
          'local all all trust',
          'host all all 127.0.0.1/32 trust',
          'host replication all 127.0.0.1/32 trust',
        ],
        parameters: {
          unix_socket_directories: this.folder,
          // A killed process leaves what it wrote to the system: only a power cut would not.
          fsync: 'off',
          // What queues behind a commit that waits for its standby notices so that its client is gone.
          client_connection_check_interval: '500ms',
        },
      },
    };
  }
}

/** What a server says of itself over a new connection. */
export interface Introduction {
  isWritable: boolean;
  port: number;
}

/** @returns undefined where nothing answers. */
export function introduction(url: string): Promise<Introduction | undefined> {
  return ask(url, `SELECT NOT pg_is_in_recovery() AS "isWritable", current_setting('port')::int AS port`);
}

async function ask<Row extends object>(url: string, text: string): Promise<Row | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 500, query_timeout: 500 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query<Row>(text)).rows[0];
  } catch {
    return undefined;
  } finally {
    // Broken rather than ended: a server that stands still would be waited for.
    (client as unknown as { connection: { stream: Duplex } }).connection.stream.destroy();
  }
}

async function startEtcd(parent: string, user: SystemUser): Promise<[Program, string]> {
  const folder = join(parent, 'etcd');
  mkdirSync(folder, { mode: 0o700 });
  own(folder, user);
  const [port, peer] = [await freePort(), await freePort()];
  const [clients, peers] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peer}`];
  const options = {
    '--enable-v2': 'true',
    '--data-dir': folder,
    '--listen-client-urls': clients,
    '--advertise-client-urls': clients,
    '--listen-peer-urls': peers,
    '--initial-advertise-peer-urls': peers,
    '--initial-cluster': `default=${peers}`,
  };
  const args = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  const program = await Program.start(ETCD, args, port, { user, cwd: folder });
  return [program, `127.0.0.1:${port}`];
}

function own(path: string, { uid, gid }: SystemUser): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

function isIn(pid: number, folder: string): boolean {
  try {
    return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`);
  } catch {
    return false; // It has ended, or is another user's.
  }
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself when another did.
  }
}
