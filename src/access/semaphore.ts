import { Refusal } from '../tokens/refusal.js';

/** Lets a few tasks run at once, makes some wait and refuses the rest. */
export class Semaphore {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly mostAtOnce: number,
    private readonly mostWaiting: number,
  ) {}

  /**
   * Runs a task when its turn has come.
   *
   * @throws {Refusal} tooMany when too many wait already.
   */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.running >= this.mostAtOnce) {
      if (this.waiting.length >= this.mostWaiting) {
        throw new Refusal('tooMany', { message: 'Too many logins at once', retryAfterSeconds: 1 });
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else {
      this.running += 1;
    }
    try {
      return await task();
    } finally {
      // The place is handed on, not given back and taken again: nobody slips in between.
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}
