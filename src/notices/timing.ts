/** How long things take. */
export interface NoticeTiming {
  /** How often a replica looks for what is due, a fifth sooner or later. */
  pollMs: number;
  /** For how long a replica that says nothing more keeps what it was sending. */
  leaseMs: number;
  /** How long a receiver has to take a notice, from the look-up of its name to the status of its answer. */
  timeoutMs: number;
  /** Before a notice that was not taken is sent again; twice as long after each further attempt. */
  backOffMs: number;
  maxBackOffMs: number;
  /** After how long a notice that nobody takes is given up. */
  giveUpMs: number;
}

/** What modules inject the timing by. */
export const NOTICE_TIMING = Symbol('notice timing');

export const TIMING: NoticeTiming = {
  pollMs: 2_000,
  leaseMs: 30_000,
  timeoutMs: 10_000,
  backOffMs: 5_000,
  maxBackOffMs: 3_600_000,
  giveUpMs: 86_400_000,
};

/**
 * How long to wait after so many failures in a row, a fifth less or more: else those that failed together would come
 * again together.
 *
 * @param askedMs what the receiver asks for; it is given no more than the longest wait.
 */
export function backOff(
  failures: number,
  { backOffMs, maxBackOffMs }: NoticeTiming,
  askedMs = 0,
  random = Math.random(),
): number {
  const ms = Math.min(backOffMs * 2 ** (failures - 1), maxBackOffMs);
  return Math.max(Math.round(ms * (0.8 + 0.4 * random)), Math.min(askedMs, maxBackOffMs));
}
