/** Says what has not happened for a while; beyond its size it forgets the oldest, which then may be said again early. */
export class RecentKeys {
  /** Until when (ms since 1970) a key is recent. The oldest comes first. */
  private readonly until = new Map<string, number>();

  constructor(
    private readonly intervalMs: number,
    private readonly maxSize: number,
  ) {}

  has(key: string, now: number): boolean {
    return (this.until.get(key) ?? 0) > now;
  }

  add(key: string, now: number): void {
    this.until.delete(key);
    this.until.set(key, now + this.intervalMs);
    const [oldest] = this.until.keys();
    if (this.until.size > this.maxSize && oldest !== undefined) this.until.delete(oldest);
  }

  delete(key: string): void {
    this.until.delete(key);
  }
}
