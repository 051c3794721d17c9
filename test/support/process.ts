import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const MAIN = resolve('dist/server/main.js');
const MAX_START_MS = 100_000;
/** Most processes end before a second compilation of the embedded engine would be done: it is not begun. */
export const BRIEF = ['--liftoff-only'];

/** Brings dist up to date; of several test files at once one builds, the others wait. */
export function buildOnce(): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/build-if-stale.mjs'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The build failed:\n${stdout}${stderr}`);
}

/** The built Patois as a process of its own, with no setting but those given. */
export class PatoisProcess {
  stdout = '';
  stderr = '';
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  private readonly child: ChildProcess;

  /**
   * @param preload a module that runs in the process before Patois, and answers what {@link ask} asks: of a process that is
   * measured, and compiled as any other.
   */
  constructor(settings: Record<string, string>, cwd = process.cwd(), preload?: string) {
    const { PATH = '', HOME = '', TMPDIR } = process.env;
    const env = { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...settings };
    const before = preload === undefined ? BRIEF : ['--import', resolve(preload)];
    const channel = preload === undefined ? [] : (['ipc'] as const);
    const stdio = ['ignore' as const, 'pipe' as const, 'pipe' as const, ...channel];
    this.child = spawn(process.execPath, [...before, MAIN], { cwd, env, stdio });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    // 'close' comes after the last output, 'exit' may come before it.
    this.ended = once(this.child, 'close').then(
      ([code, signal]) => (code ?? signal) as number | NodeJS.Signals,
    );
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get output(): string {
    return this.stdout + this.stderr;
  }

  /** Asks the preloaded module, one question at a time. */
  async ask(question: string): Promise<unknown> {
    const answered = once(this.child, 'message');
    this.child.send(question);
    const [answer] = (await answered) as [unknown];
    return answer;
  }

  /** The address that the log names, as soon as it does. */
  async listening(): Promise<string> {
    return (await this.printed(/Patois listens on (http:\S+)/))[1] ?? '';
  }

  /** Waits for a text in the output; fails when the process ends without it. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    let hasEnded = false;
    void this.ended.then(() => (hasEnded = true));
    for (const endsAt = Date.now() + MAX_START_MS; Date.now() < endsAt;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      if (hasEnded) break;
      await new Promise((resume) => setTimeout(resume, 20));
    }
    this.kill('SIGKILL');
    throw new Error(`Patois did not print ${pattern}:\n${this.output}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it as Ctrl-C does; the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    this.kill(signal);
    return this.ended;
  }
}
