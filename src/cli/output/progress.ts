import type { Terminal } from './terminal.js';

const BAR_WIDTH = 24;
/** Back to the beginning of the line, which is cleared. */
const AGAIN = '\r\u001b[K';

/** How far long work is, in one line that is written over; only where somebody looks at it. */
export class ProgressLine {
  private isOnLine = false;

  constructor(
    private readonly terminal: Terminal,
    private readonly name: string,
  ) {}

  show(done: number, total: number | null): void {
    this.write(progressText(done, total));
  }

  /** The same of bytes, in megabytes. */
  showBytes(done: number, total: number): void {
    this.write(progressText(done, total, megabytes));
  }

  private write(text: string): void {
    if (!this.terminal.messages.isTTY) return;
    this.terminal.messages.write(`${AGAIN}${this.name} ${text}`);
    this.isOnLine = true;
  }

  /** Clears the line. */
  end(): void {
    if (this.isOnLine) this.terminal.messages.write(AGAIN);
    this.isOnLine = false;
  }
}

/** Such as `[######------------------] 25 % (1,000 of 4,000)`. */
export function progressText(
  done: number,
  total: number | null,
  textOf = (count: number): string => count.toLocaleString('en'),
): string {
  const count = textOf(done);
  if (total === null) return `${count} done`;
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '-');
  return `[${bar}] ${Math.floor(share * 100)} % (${count} of ${textOf(total)})`;
}

function megabytes(count: number): string {
  return `${(count / 1_000_000).toFixed(1)} MB`;
}
