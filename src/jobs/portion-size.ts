/** A portion that takes longer than this is the sign to take less. */
const LONG_MS = 80;
const SHORT_MS = 40;

/**
 * How many a portion takes, by how long those before it took: what they lock is locked for that long, and on a machine that
 * has much else to do each takes longer.
 */
export class PortionSize {
  private size: number;

  constructor(
    private readonly least: number,
    private readonly most: number,
  ) {
    this.size = most;
  }

  get current(): number {
    return this.size;
  }

  /** Takes down how long a portion of `count` took. */
  note(count: number, ms: number): void {
    if (ms > LONG_MS) this.size = Math.max(this.least, Math.floor(Math.min(count, this.size) / 2));
    else if (ms < SHORT_MS && count >= this.size)
      this.size = Math.min(this.most, Math.ceil(this.size * 1.25));
  }
}
