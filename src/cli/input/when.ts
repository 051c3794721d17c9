import { InvalidArgumentError } from 'commander';

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_536_000 } as const;
const NONE = 'none';
const NEVER = 'never';
const DURATION = /^(\d{1,9})([smhdwy])$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;
const DURATIONS = 'a number and one of s, m, h, d, w, y, such as 90d';

/** `90d` in seconds. */
export function parseSeconds(text: string): number {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (unit === undefined) throw new InvalidArgumentError(`It must be ${DURATIONS}.`);
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}

/** A moment of the past: an instant, or how long ago. */
export function parsePast(text: string): string {
  return instantOf(text, -1);
}

/** A moment to come: an instant, or in how long. */
export function parseFuture(text: string): string {
  return instantOf(text, 1);
}

/** As {@link parseFuture}, or `never`. */
export function parseExpiry(text: string): string {
  return text === NEVER ? text : parseFuture(text);
}

/** A number of seconds, or `none`. */
export function parseSecondsOrNone(text: string): number | typeof NONE {
  return text === NONE ? text : parseSeconds(text);
}

/** A number, or `none`. */
export function parseCountOrNone(text: string): number | typeof NONE {
  return text === NONE ? text : parseWholeNumber(text);
}

/** What was given, as the API has it. An option cannot be null itself: commander takes that for one without a value. */
export function orNull<Value>(value: Value | undefined): Exclude<Value, typeof NONE> | null | undefined {
  return value === NONE || value === NEVER ? null : (value as Exclude<Value, typeof NONE> | undefined);
}

export function parseWholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** How many of a list: at least one. */
export function parseLimit(text: string): number {
  const limit = parseWholeNumber(text);
  if (limit < 1) throw new InvalidArgumentError('It must be at least 1.');
  return limit;
}

function instantOf(text: string, direction: 1 | -1): string {
  if (DURATION.test(text)) return new Date(Date.now() + direction * parseSeconds(text) * 1000).toISOString();
  const time = INSTANT.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) {
    throw new InvalidArgumentError(`It must be a time such as 2031-05-06T07:08:09Z, or ${DURATIONS}.`);
  }
  return new Date(time).toISOString();
}
