/**
 * Lets steps of work through one by one, each in a turn of the event loop of its own, in the order in which they came: what
 * is answered within a turn, above all verification, then waits for one of them, and not for all that are ready.
 */
export class Turnstile {
  private readonly waiting: (() => void)[] = [];
  private isPassed = false;

  /** Runs a step: at once, if it is the first of this turn. */
  pass(step: () => void): void {
    if (this.isPassed) {
      this.waiting.push(step);
      return;
    }
    this.isPassed = true;
    setImmediate(this.next);
    step();
  }

  /** Resolves when a step may run. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.pass(resolve));
  }

  private readonly next = (): void => {
    const step = this.waiting.shift();
    if (step) setImmediate(this.next);
    else this.isPassed = false;
    step?.();
  };
}

/** The one of this process, as it has one event loop: all but verification passes it, with every step that is long. */
export const turnstile = new Turnstile();

const MAX_TURN_MS = 2;

/** Does a step for each of many, in their order; after two milliseconds of it others have their turn. */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  step: (item: Item, index: number) => Promise<Result> | Result,
): Promise<Result[]> {
  const results: Result[] = [];
  let turnBegan = performance.now();
  for (const [index, item] of items.entries()) {
    results.push(await step(item, index));
    if (performance.now() - turnBegan > MAX_TURN_MS) {
      await new Promise((resume) => setImmediate(resume));
      turnBegan = performance.now();
    }
  }
  return results;
}
