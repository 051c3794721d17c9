import { Readable } from 'node:stream';

/** How long an export waits, in milliseconds. */
export interface ExportLimits {
  /** For a reader who takes nothing. */
  stallMs: number;
  /** For the end: nobody holds an old state of the store for longer. */
  wholeMs: number;
}

const LIMITS: ExportLimits = { stallMs: 30_000, wholeMs: 3_600_000 };

/**
 * Texts as a stream of bytes. The next text is made when the reader has taken the ones before, and none for a reader who
 * has gone away. It fails where making one fails, and where the reader takes too long: what was sent then is no whole.
 */
export class ExportStream extends Readable {
  private stall: NodeJS.Timeout | undefined;
  private readonly whole: NodeJS.Timeout;

  /**
   * @param texts none of them empty; each takes a turn of the event loop of its own to make.
   * @param release frees what the texts are made of; called once, also while one is being made.
   */
  constructor(
    private readonly texts: AsyncIterator<string>,
    private readonly release: () => Promise<void>,
    private readonly limits = LIMITS,
  ) {
    super({ highWaterMark: 64 * 1024 });
    this.whole = setTimeout(() => this.giveUp('The export took too long'), limits.wholeMs).unref();
    this.awaitReader();
  }

  override _read(): void {
    clearTimeout(this.stall);
    void this.texts.next().then(
      ({ value, done }) => {
        if (this.destroyed) return;
        this.awaitReader();
        this.push(done ? null : value);
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.stall);
    clearTimeout(this.whole);
    this.release().then(
      () => callback(error),
      (failure: Error) => callback(error ?? failure),
    );
  }

  private awaitReader(): void {
    const giveUp = (): void => this.giveUp('The reader takes nothing');
    this.stall = setTimeout(giveUp, this.limits.stallMs).unref();
  }

  private giveUp(why: string): void {
    this.destroy(new Error(why));
  }
}
