import { Refusal } from '../refusal.js';

interface Waiting {
  begin: () => void;
  refuse: (refusal: Refusal) => void;
}

/**
 * Lets a few tasks run at once, makes some wait and refuses the rest. Who waits stands in a line, and the lines take
 * turns: however many stand in one, the first of another is next but one.
 */
export class Semaphore {
  private running = 0;
  private waiting = 0;
  /** Those with somebody in them, the one whose turn it is first. */
  private readonly lines = new Map<string, Waiting[]>();

  constructor(
    private readonly maxAtOnce: number,
    private readonly maxWaiting: number,
  ) {}

  /**
   * Runs a task when its turn has come.
   *
   * @param line in which it waits.
   * @throws {Refusal} tooMany when too many wait already; then the last of the longest line is refused.
   */
  async run<Result>(line: string, task: () => Promise<Result>): Promise<Result> {
    if (this.running < this.maxAtOnce) this.running += 1;
    else await this.turn(line);
    try {
      return await task();
    } finally {
      // The place is handed on, not given back and taken again: nobody slips in between.
      const next = this.next();
      if (next) next.begin();
      else this.running -= 1;
    }
  }

  private turn(name: string): Promise<void> {
    return new Promise((begin, refuse) => {
      const line = this.lines.get(name) ?? [];
      line.push({ begin, refuse });
      this.lines.set(name, line);
      this.waiting += 1;
      if (this.waiting > this.maxWaiting) this.refuseOne();
    });
  }

  /** The newest of the longest line goes, be it the one that came last. */
  private refuseOne(): void {
    let longest: [name: string, line: Waiting[]] | undefined;
    for (const entry of this.lines) if (!longest || entry[1].length >= longest[1].length) longest = entry;
    if (!longest) return;
    const [name, line] = longest;
    const last = line.pop();
    if (line.length === 0) this.lines.delete(name);
    this.waiting -= 1;
    last?.refuse(new Refusal('tooMany', { message: 'Too many logins at once', retryAfterSeconds: 1 }));
  }

  private next(): Waiting | undefined {
    const [first] = this.lines;
    if (!first) return undefined;
    const [name, line] = first;
    const next = line.shift();
    this.waiting -= 1;
    // Behind all others that wait, if anybody is left in it.
    this.lines.delete(name);
    if (line.length > 0) this.lines.set(name, line);
    return next;
  }
}
