import type { Gap } from './audit-sealing.entity.js';

/**
 * An ordinal is given out a moment before its transaction has a number that others see: only a gap that is also as old as
 * that is closed.
 */
const MIN_AGE_MS = 60_000;

/** What one look at the events has found: their ordinals, and the snapshot that it was in. */
export interface Look {
  found: readonly number[];
  /** Transactions below it are all over; above `xmax` none had begun. */
  xmin: bigint;
  xmax: bigint;
  now: number;
}

/** What is left of gaps after a look at them: without those that were found or can hold nothing more. */
export function remaining(gaps: readonly Gap[], { found, xmin, xmax, now }: Look): Gap[] {
  const isClosed = ({ horizon, since }: Gap): boolean => {
    // In a cluster that was made of a dump transactions count from the start again: none of the former ones lives.
    if (xmax < BigInt(horizon)) return true;
    return xmin >= BigInt(horizon) && Math.abs(now - since) >= MIN_AGE_MS;
  };
  return gaps.flatMap((gap) => {
    const inGap = found.filter((ordinal) => ordinal >= gap.low && ordinal <= gap.high);
    const rest =
      inGap.length === 0 ? [gap] : holes(gap.low, gap.high, inGap).map((one) => ({ ...gap, ...one }));
    return rest.filter((one) => !isClosed(one));
  });
}

/** The gaps between `after` (exclusive) and `through`, both of them ordinals that were looked at. */
export function newGaps(after: number, through: number, { found, xmax, now }: Look): Gap[] {
  const inRange = found.filter((ordinal) => ordinal > after && ordinal <= through);
  return holes(after + 1, through, inRange).map((hole) => ({ ...hole, horizon: String(xmax), since: now }));
}

/** The ranges from `low` to `high` without the numbers found, which ascend. */
function holes(low: number, high: number, found: readonly number[]): { low: number; high: number }[] {
  const ranges: { low: number; high: number }[] = [];
  let next = low;
  for (const number of [...found, high + 1]) {
    if (number > next) ranges.push({ low: next, high: number - 1 });
    next = Math.max(next, number + 1);
  }
  return ranges;
}
