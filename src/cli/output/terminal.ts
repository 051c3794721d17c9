import type { CommandEnvironment } from '../environment.js';
import type { Layout } from './table.js';

const NARROWEST = 40;

/** Where a command reads and writes: what it is asked for to standard output, all that is said about it to the other. */
export class Terminal {
  constructor(
    private readonly environment: Pick<CommandEnvironment, 'allowsColours'>,
    readonly input = process.stdin,
    readonly output = process.stdout,
    readonly messages = process.stderr,
  ) {
    // Whoever reads has read enough, such as `head`: nothing went wrong.
    output.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1));
  }

  /** Whether somebody sits there who can be asked. */
  get isInteractive(): boolean {
    return Boolean(this.input.isTTY && this.messages.isTTY);
  }

  /** Whether what is written is seen, rather than kept or read by a program. */
  get isShown(): boolean {
    return Boolean(this.output.isTTY);
  }

  get layout(): Layout {
    return {
      width: this.isShown ? Math.max(NARROWEST, this.output.columns || 80) : undefined,
      hasColours: this.isShown && this.environment.allowsColours,
    };
  }

  /** Writes what was asked for; waits where the reader is slower. */
  async write(text: string | Uint8Array): Promise<void> {
    if (this.output.write(text)) return;
    await new Promise((resume) => this.output.once('drain', resume));
  }

  /** Says something about it. */
  say(line: string): void {
    this.messages.write(`${line}\n`);
  }
}
