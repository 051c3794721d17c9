import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { BRIEF } from './process.js';

export const CLI = resolve('dist/server/cli.js');

/** What a run of the command line left. */
export interface Ran {
  code: number | NodeJS.Signals;
  stdout: string;
  stderr: string;
}

/** What a run is given beside its arguments: nothing of this process's environment but where programs are. */
export interface Given {
  env?: Record<string, string>;
  input?: string;
  cwd?: string;
  /** When this resolves the run is killed (-9). */
  killedAfter?: Promise<unknown>;
}

/** Runs the built command line, with no terminal, to its end. */
export async function patois(
  args: readonly string[],
  { env, input = '', cwd, killedAfter }: Given = {},
): Promise<Ran> {
  const child = start(process.execPath, [...BRIEF, CLI, ...args], env, cwd);
  void killedAfter?.then(() => child.kill('SIGKILL'));
  const ran = collect(child);
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { ...ran, code: code ?? signal ?? 'SIGKILL' };
}

/** The command line on a terminal of its own: what is shown, and what is typed. */
export class OnTerminal {
  private readonly ran: Ran;
  private readonly ended: Promise<unknown[]>;
  private readonly child: ChildProcess;

  /** @param columns of the terminal. */
  constructor(args: readonly string[], { env, cwd }: Given = {}, columns = 80) {
    const words = [process.execPath, CLI, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    const command = `stty cols ${columns} rows 24; exec ${words.join(' ')}`;
    this.child = start(
      'script',
      ['-qec', command, '/dev/null'],
      { TERM: 'xterm', SHELL: '/bin/sh', ...env },
      cwd,
    );
    this.ran = collect(this.child);
    this.ended = once(this.child, 'close');
  }

  get shown(): string {
    return this.ran.stdout;
  }

  async type(text: string, after: RegExp): Promise<void> {
    await this.shows(after);
    this.child.stdin?.write(text);
  }

  async shows(pattern: RegExp): Promise<void> {
    let hasEnded = false;
    void this.ended.then(() => (hasEnded = true));
    while (!pattern.test(this.shown)) {
      if (hasEnded) throw new Error(`It did not show ${pattern}:\n${this.shown}`);
      await new Promise((resume) => setTimeout(resume, 20));
    }
  }

  async end(): Promise<Ran> {
    const [code] = (await this.ended) as [number];
    return { ...this.ran, code };
  }
}

function start(
  command: string,
  args: string[],
  env: Record<string, string> = {},
  cwd?: string,
): ChildProcess {
  const { PATH = '' } = process.env;
  // A home that is not there: no file of whoever runs the tests is read.
  const home = { HOME: '/nowhere', XDG_CONFIG_HOME: '/nowhere' };
  return spawn(command, args, { env: { PATH, ...home, ...env }, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
}

function collect(child: ChildProcess): Ran {
  const ran: Ran = { code: 0, stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (ran.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (ran.stderr += chunk.toString()));
  return ran;
}
