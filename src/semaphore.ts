import type { Refusal } from './refusal.js';

interface Waiting {
  begin: () => void;
  refuse: (refusal: Refusal) => void;
  timer?: NodeJS.Timeout;
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
    /** What those are told whom there is no room for. */
    private readonly refusal: () => Refusal,
    /** How long one waits at most; undefined: until its turn has come. */
    private readonly maxWaitMs?: number,
  ) {}

  /** How many tasks run, and how many wait. */
  get load(): { running: number; waiting: number } {
    return { running: this.running, waiting: this.waiting };
  }

  /**
   * Runs a task when its turn has come.
   *
   * @param line in which it waits.
   * @throws {Refusal} when too many wait already: then the last of the longest line is refused; and for who has waited
   *   too long.
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
      const one: Waiting = { begin, refuse };
      if (this.maxWaitMs !== undefined) one.timer = setTimeout(() => this.giveUp(name, one), this.maxWaitMs);
      line.push(one);
      this.lines.set(name, line);
      this.waiting += 1;
      if (this.waiting > this.maxWaiting) this.refuseOne();
    });
  }

  private giveUp(name: string, one: Waiting): void {
    const line = this.lines.get(name) ?? [];
    line.splice(line.indexOf(one), 1);
    if (line.length === 0) this.lines.delete(name);
    this.waiting -= 1;
    one.refuse(this.refusal());
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
    clearTimeout(last?.timer);
    last?.refuse(this.refusal());
  }

  private next(): Waiting | undefined {
    const [first] = this.lines;
    if (!first) return undefined;
    const [name, line] = first;
    const next = line.shift();
    clearTimeout(next?.timer);
    this.waiting -= 1;
    // Behind all others that wait, if anybody is left in it.
    this.lines.delete(name);
    if (line.length > 0) this.lines.set(name, line);
    return next;
  }
}
