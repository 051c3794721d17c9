/** The middle of some numbers; of an even count the mean of the two in the middle. */
export function median(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The list, begun at another place each round, so that nobody always follows the same neighbour. */
export function rotated(list, by) {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

/** Counts durations in steps of 10 µs up to some seconds, for percentiles at the cost of one addition each. */
export class Histogram {
  #counts;
  #total = 0;

  constructor(seconds = 1) {
    this.#counts = new Uint32Array(seconds * 100_000);
  }

  record(milliseconds) {
    const step = Math.min(this.#counts.length - 1, Math.max(0, Math.floor(milliseconds * 100)));
    this.#counts[step] += 1;
    this.#total += 1;
  }

  /** The milliseconds that this share (0 to 1) of the durations does not exceed. */
  percentile(share) {
    let seen = 0;
    for (let step = 0; step < this.#counts.length; step += 1) {
      seen += this.#counts[step];
      if (seen >= share * this.#total) return (step + 1) / 100;
    }
    return undefined;
  }
}
