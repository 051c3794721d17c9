import { ValidateBy } from 'class-validator';

const DATE = String.raw`(?<date>\d{4}-\d\d-\d\d)`;
const HOUR = String.raw`(?:[01]\d|2[0-3])`;
const MINUTE = String.raw`[0-5]\d`;

/** RFC 3339, 5.6, `date-time`; a leap second is refused, for no clock here has one. */
const RFC_3339 = new RegExp(
  `^${DATE}T(?<time>${HOUR}:${MINUTE}:${MINUTE})(?<fraction>\\.\\d+)?(?:Z|(?<hours>[+-]${HOUR}):(?<minutes>${MINUTE}))$`,
  'i',
);
/** ISO 8601, extended format; seconds and offset may be missing, and of the offset its colon or minutes. */
const ISO_8601 = new RegExp(
  `^${DATE}T(?<time>${HOUR}:${MINUTE}(?::${MINUTE})?)(?<fraction>\\.\\d+)?(?:Z|(?<hours>[+-]${HOUR})(?::?(?<minutes>${MINUTE}))?)?$`,
);
/** Later ones have more than four digits of a year, which no client reads. */
const LAST_MOMENT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * The instant of an RFC 3339 date-time, to the millisecond; undefined for anything else, such as 30 February.
 */
export function parseRfc3339(text: string): Date | undefined {
  return momentOf(RFC_3339.exec(text)?.groups);
}

/** As {@link parseRfc3339}, for an ISO 8601 date and time; without an offset it is UTC. */
export function parseIso8601(text: string): Date | undefined {
  return momentOf(ISO_8601.exec(text)?.groups);
}

/**
 * The field names a moment that is still to come: a text that `parse` reads, or, without one, a Date; what is
 * no Date is then for another rule to refuse.
 */
export function IsFuture(parse?: (text: string) => Date | undefined): PropertyDecorator {
  const isFuture = (moment: Date | undefined): boolean => moment !== undefined && moment > new Date();
  const validate = (value: unknown): boolean => {
    if (!parse) return !(value instanceof Date) || isFuture(value);
    return typeof value === 'string' && isFuture(parse(value));
  };
  const what = parse ? 'a date and time in the future, such as 2031-01-31T12:00:00Z' : 'in the future';
  return ValidateBy({
    name: 'isFuture',
    validator: { validate, defaultMessage: () => `$property must be ${what}` },
  });
}

function momentOf(parts: Record<string, string | undefined> | undefined): Date | undefined {
  if (!parts) return undefined;
  const { date = '', time = '', fraction = '', hours = '+00', minutes = '00' } = parts;
  const midnight = new Date(`${date}T00:00:00Z`);
  // JavaScript reads 30 February as a day of March.
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(date)) return undefined;
  const moment = Date.parse(`${date}T${time}${time.length === 5 ? ':00' : ''}${fraction}${hours}:${minutes}`);
  return moment <= LAST_MOMENT ? new Date(moment) : undefined;
}
