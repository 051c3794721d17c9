/** Beyond this number the oldest key is evicted: attackers choose the keys. */
const MAX_KEYS = 50_000;

/** Counts failures by key in a fixed window that opens with the first. */
export class FailureCounter {
  private readonly windows = new Map<string, { failures: number; endsAt: number }>();

  constructor(
    private readonly maxFailures: number,
    private readonly windowSeconds: number,
  ) {}

  /** Seconds until a key may try again; 0 when it may now. */
  secondsBlocked(key: string): number {
    const window = this.windows.get(key);
    if (!window || window.failures < this.maxFailures) return 0;
    return Math.max(0, Math.ceil((window.endsAt - Date.now()) / 1000));
  }

  /** @returns whether the key must wait from now on: true once a window. */
  count(key: string): boolean {
    const now = Date.now();
    const window = this.windows.get(key);
    if (window && window.endsAt > now) {
      window.failures += 1;
      return window.failures === this.maxFailures;
    }
    this.windows.delete(key);
    this.windows.set(key, { failures: 1, endsAt: now + this.windowSeconds * 1000 });
    const [oldest] = this.windows.keys();
    if (this.windows.size > MAX_KEYS && oldest !== undefined) this.windows.delete(oldest);
    return this.maxFailures === 1;
  }
}
