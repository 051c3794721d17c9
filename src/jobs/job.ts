/** Work that is done again and again, by one replica at a time. It stands in its own room as `<name>.job.ts`. */
export interface Job {
  /** For the log. */
  readonly name: string;
  /** How long it rests after each run. The first comes at the start, which does not wait for it. */
  readonly intervalMs: number;
  /**
   * May fail: it is tried again after a minute, or after its interval if that is shorter. A replica that loses its
   * connection may still be at it when another begins, so what it does must bear being done twice.
   */
  run(): Promise<void>;
}
