import { parseTimestamp } from '../timestamps.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const SPANS = { second: 1_000, minute: MINUTE, hour: 60 * MINUTE, day: DAY };
const NAMED_DAYS = new Map([
  ['yesterday', -1],
  ['today', 0],
  ['tomorrow', 1],
]);
const RELATIVE = /^(\d{1,6}) +(minute|hour|day|week|month|year)s? +(ago|from +now)$/i;
/** Years of four digits: others are written differently by the database and by JavaScript. */
const EARLIEST = Date.parse('0001-01-01T00:00:00Z');
const LATEST = Date.parse('9999-12-30T23:59:59Z');

/** The span of time that a value of a search means: a whole day for a date, one second for a time of day. */
export interface Stretch {
  start: Date;
  /** Exclusive. */
  end: Date;
  isDayLong: boolean;
}

/**
 * Reads a timestamp, `today`, `yesterday`, `tomorrow`, or `2 days ago`, `3 hours from now`: `parse_temporal`,
 * https://github.com/wvanbergen/scoped_search/blob/master/lib/scoped_search/definition.rb
 *
 * The spans are those of `datetime_test` in query_builder.rb. Undefined for other texts, also for those that
 * only Ruby's `parse` can read (decided here).
 */
export function parseStretch(text: string, now: Date): Stretch | undefined {
  const words = text.trim();
  const daysAway = NAMED_DAYS.get(words.toLowerCase());
  if (daysAway !== undefined) return stretch(midnight(now) + daysAway * DAY, DAY);
  const relative = RELATIVE.exec(words);
  if (relative) return relativeStretch(relative, now);
  const timestamp = parseTimestamp(words);
  return timestamp && stretch(timestamp.time.getTime(), SPANS[timestamp.precision]);
}

function relativeStretch([, count, unit = '', direction]: string[], now: Date): Stretch | undefined {
  const steps = Number(count) * (direction === 'ago' ? -1 : 1);
  const time = new Date(now);
  switch (unit.toLowerCase()) {
    case 'minute':
      return stretch(time.getTime() + steps * MINUTE, MINUTE);
    case 'hour':
      return stretch(time.getTime() + steps * 60 * MINUTE, MINUTE);
    case 'day':
      time.setUTCDate(time.getUTCDate() + steps);
      break;
    case 'week':
      time.setUTCDate(time.getUTCDate() + 7 * steps);
      break;
    case 'month':
      moveMonths(time, steps);
      break;
    default:
      moveMonths(time, 12 * steps);
  }
  return stretch(midnight(time), DAY);
}

/** The same day of another month, or its last day if it has fewer days. */
function moveMonths(time: Date, months: number): void {
  const day = time.getUTCDate();
  time.setUTCDate(1);
  time.setUTCMonth(time.getUTCMonth() + months);
  const last = new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + 1, 0)).getUTCDate();
  time.setUTCDate(Math.min(day, last));
}

function midnight(time: Date): number {
  return Math.floor(time.getTime() / DAY) * DAY;
}

function stretch(start: number, span: number): Stretch | undefined {
  if (!(start >= EARLIEST && start <= LATEST)) return undefined;
  return { start: new Date(start), end: new Date(start + span), isDayLong: span >= DAY };
}
