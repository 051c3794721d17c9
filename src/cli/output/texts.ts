/** An instant as tables show it: to the minute, in UTC. */
export function shortTime(instant: string | null | undefined): string | null {
  return instant ? `${instant.slice(0, 16).replace('T', ' ')}Z` : null;
}

export function joined(texts: readonly string[]): string {
  return texts.join(', ');
}

/** A number of seconds in its largest whole unit, such as `90d`. */
export function duration(seconds: number | null): string | null {
  if (seconds === null) return null;
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const;
  const unit = units.find(([, size]) => seconds >= size && seconds % size === 0);
  return unit ? `${seconds / unit[1]}${unit[0]}` : `${seconds}s`;
}

export function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
