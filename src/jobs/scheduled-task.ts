/** Recurring work that one replica does for all. It lives in the room that it belongs to, as `<name>.task.ts`. */
export interface ScheduledTask {
  /** For the log. */
  readonly name: string;
  /** Milliseconds between the end of a run and the next. The first run begins at the start, which does not wait for it. */
  readonly intervalMs: number;
  /**
   * A failed run is repeated after a minute, or after its interval if that is shorter. Must be idempotent: a replica that
   * has lost its connection may still be running when another one begins.
   *
   * @param ending aborted when the process is about to end: a run that works in portions begins no further one.
   */
  run(ending?: AbortSignal): Promise<void>;
}
