/** Looks for work, over and over, a fifth sooner or later than asked, and at once on request; never twice at a time. */
export class Poll {
  private looking: Promise<void> | undefined;
  private isAsked = false;
  private isEnding = false;
  private timer: NodeJS.Timeout | undefined;

  /** @param look never fails. */
  constructor(
    private readonly intervalMs: () => number,
    private readonly look: () => Promise<void>,
  ) {}

  /** Looks without waiting for the next time; the first of all begins the others. */
  soon(): void {
    if (this.isEnding) return;
    if (this.looking) {
      this.isAsked = true;
      return;
    }
    clearTimeout(this.timer);
    this.isAsked = false;
    this.looking = this.look().then(() => {
      this.looking = undefined;
      if (this.isAsked) return this.soon();
      const ms = this.intervalMs() * (0.8 + 0.4 * Math.random());
      if (!this.isEnding) this.timer = setTimeout(() => this.soon(), ms).unref();
    });
  }

  /** Waits for the look under way; there is none after it. */
  async end(): Promise<void> {
    this.isEnding = true;
    clearTimeout(this.timer);
    await this.looking;
  }
}
