/**
 * `2031-05-06`, with or without a time; or `20310506T070809`. Without a zone it is UTC, as Foreman's
 * `config.time_zone` says: https://github.com/theforeman/foreman/blob/develop/config/application.rb
 */
const EXTENDED =
  /^(\d{4})-(\d{2})-(\d{2})(?:(?:[Tt]| +)(\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)? *(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?$/i;
const BASIC = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(?:(\d{2})(?:[.,](\d+))?)?(Z|[+-]\d{2}(?::?\d{2})?)?$/i;
/** RFC 1123: `Tue, 06 May 2031 07:08:09 GMT`. */
const RFC_1123 =
  /^(?:mon|tue|wed|thu|fri|sat|sun), (\d{1,2}) (jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec) (\d{4}) (\d{2}):(\d{2})(?::(\d{2}))? (GMT|UTC|Z|[+-]\d{4})$/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** The smallest unit that a timestamp was written with. */
export type Precision = 'day' | 'hour' | 'minute' | 'second';

export interface Timestamp {
  time: Date;
  precision: Precision;
}

/**
 * Reads a point in time: ISO 8601 with or without zone and fraction, a bare date, RFC 1123. Undefined for
 * anything else. Foreman leaves this to Rails' and Ruby's `parse`, which also read dates that do not exist
 * and forms that do not say which number is the month; that those are refused was decided here.
 */
export function parseTimestamp(text: string): Timestamp | undefined {
  const iso = EXTENDED.exec(text) ?? BASIC.exec(text);
  if (iso) {
    const [, year, month, day, hour, minute, second, fraction, zone] = iso;
    const precision = second ? 'second' : minute ? 'minute' : hour ? 'hour' : 'day';
    return stamp(precision, [year, month, day, hour, minute, second, fraction], zone);
  }
  const rfc = RFC_1123.exec(text);
  if (!rfc) return undefined;
  const [, day, monthName = '', year, hour, minute, second, zone] = rfc;
  const month = String(MONTHS.indexOf(monthName.toLowerCase()) + 1);
  return stamp(second ? 'second' : 'minute', [year, month, day, hour, minute, second, undefined], zone);
}

/**
 * A time in lists and tokens: `2026-11-21 20:55:03 UTC`, without the fraction. It is Ruby's `Time#to_s`: rabl
 * calls `JSON.dump` (`json_engine`), and Active Support's own format is not used there
 * (`ToJsonWithActiveSupportEncoder`):
 * https://github.com/rails/rails/blob/main/activesupport/lib/active_support/core_ext/object/json.rb
 */
export function formatTimestamp(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function stamp(
  precision: Precision,
  parts: (string | undefined)[],
  zone: string | undefined,
): Timestamp | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map((part) =>
    Number(part ?? 0),
  );
  const milliseconds = Number((parts[6] ?? '').padEnd(3, '0').slice(0, 3));
  const offset = offsetMinutes(zone);
  if (offset === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  const time = new Date(0);
  // Date.UTC would add 1900 to a year below 100.
  time.setUTCFullYear(year, month - 1, day);
  if (time.getUTCMonth() !== month - 1 || time.getUTCDate() !== day) return undefined;
  time.setUTCHours(hour, minute - offset, second, milliseconds);
  return { time, precision };
}

/** The offset from UTC in minutes, positive east of it; undefined for an offset of a day or more. */
function offsetMinutes(zone: string | undefined): number | undefined {
  const [, sign, hours, minutes = '00'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? '') ?? [];
  if (sign === undefined) return 0;
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
