import { describe } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAX_START_MS = 15_000;

/** What a service behind a gateway was asked. */
export interface Asked {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
}

/**
 * A describe for tests that drive programs from Debian's packages (scripts/install-test-packages.sh). Where one is
 * missing they are left out, with a line that says so; in CI they run, and fail.
 */
export function describeWith(programs: readonly string[], name: string, tests: () => void): void {
  const missing = programs.filter((program) => !existsSync(program));
  const isLeftOut = missing.length > 0 && !process.env['CI'];
  if (isLeftOut) {
    process.stderr.write(
      `${name}: left out, for want of ${missing.join(', ')}; scripts/install-test-packages.sh installs it\n`,
    );
  }
  (isLeftOut ? describe.skip : describe)(name, tests);
}

/** An example of docs/, with the addresses and paths that it says are to be replaced. */
export function example(path: string, replacements: Record<string, string>): string {
  return Object.entries(replacements).reduce(
    (text, [placeholder, value]) => {
      if (!text.includes(placeholder)) throw new Error(`${path} does not mention ${placeholder}`);
      return text.replaceAll(placeholder, value);
    },
    readFileSync(join('docs', path), 'utf8'),
  );
}

/** Who a program runs as: this process's own user where it has no ids. */
export interface SystemUser {
  uid?: number;
  gid?: number;
}

/** A user for programs that refuse to run as root. */
export function unprivileged(name: string): SystemUser {
  return process.getuid?.() === 0 ? idsOf(name) : {};
}

function idsOf(name: string): SystemUser {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? {} : { uid: Number(uid), gid: Number(gid) };
}

/** A folder that any user may enter: some programs give up their rights. */
export function temporaryFolder(name: string): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `patois-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

interface ProgramOptions {
  env?: Record<string, string>;
  user?: SystemUser;
  cwd?: string;
}

/** Another program, in the foreground, listening on a port. */
export class Program {
  output = '';
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  private constructor(command: string, args: string[], { env = {}, user = {}, cwd }: ProgramOptions) {
    const { PATH = '' } = process.env;
    const stdio = ['ignore' as const, 'pipe' as const, 'pipe' as const];
    this.child = spawn(command, args, { env: { PATH, ...env }, ...user, cwd, stdio });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.ended = once(this.child, 'close');
  }

  /** Runs it and waits until it takes connections. */
  static async start(
    command: string,
    args: string[],
    port: number,
    options: ProgramOptions = {},
  ): Promise<Program> {
    const program = new Program(command, args, options);
    let hasEnded = false;
    void program.ended.then(() => (hasEnded = true));
    for (const endsAt = Date.now() + MAX_START_MS; Date.now() < endsAt && !hasEnded;) {
      if (await takesConnections(port)) return program;
      await new Promise((resume) => setTimeout(resume, 20));
    }
    await program.stop();
    throw new Error(`${command} does not listen on ${port}:\n${program.output}`);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    const kill = setTimeout(() => this.child.kill('SIGKILL'), 3_000);
    await this.ended;
    clearTimeout(kill);
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (takes: boolean): void => {
      socket.destroy();
      resolve(takes);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

/** A service for gateways to stand before: 200, and remembers what it was asked. */
export class Service {
  readonly asked: Asked[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      const { method = '', url = '', headers } = request;
      this.asked.push({ method, path: url, headers });
      request.resume().on('end', () => response.writeHead(url === '/broken' ? 500 : 200).end('served'));
    });
  }

  static async start(): Promise<Service> {
    const service = new Service();
    service.server.listen(0, '127.0.0.1');
    await once(service.server, 'listening');
    return service;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The last request that came through. */
  get last(): Asked {
    const last = this.asked.at(-1);
    if (!last) throw new Error('The service was asked nothing');
    return last;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
