import { Values } from '../../database/statements.js';
import { filterCondition, type TokenFilter } from './token-filter.js';

/** How many active tokens expire on each day of UTC. */
export interface TokenExpirations {
  /** The moment that the counts are of. */
  from: Date;
  /** Exclusive upper bound: the end of the last day. */
  to: Date;
  /** In their order, as `YYYY-MM-DD`; without those on which none expires. */
  days: DayOfExpirations[];
}

export interface DayOfExpirations {
  date: string;
  count: number;
}

const DAY_MS = 86_400_000;

/** The end of so many days of UTC, of which the one that `from` is in is the first. */
export function endOfDays(from: Date, days: number): Date {
  return new Date((Math.floor(from.getTime() / DAY_MS) + days) * DAY_MS);
}

/** A query of {@link DayOfExpirations}: of the tokens that a filter means those are read that expire within the bounds. */
export function expirationsQuery(
  filter: TokenFilter,
  { from, to }: Pick<TokenExpirations, 'from' | 'to'>,
): { text: string; values: unknown[] } {
  const { place, list } = new Values();
  const now = place(from);
  // Of those that expire later than now, neither revoked nor inactive is active. By the offset, as in summaries, the database
  // expects few days, and sorts no tokens.
  const text = `
    SELECT to_char(day::timestamp, 'YYYY-MM-DD') AS date, count FROM (
      SELECT day, count(*)::int AS count FROM (
        SELECT (token.expires_at AT TIME ZONE 'UTC')::date AS day FROM tokens token
        WHERE token.expires_at > ${now}::timestamptz AND token.expires_at < ${place(to)}::timestamptz
          AND token.revoked_at IS NULL AND NOT token.inactive AND ${filterCondition(filter, place, from)}
        OFFSET '0') AS expiring
      GROUP BY day) AS counted
    ORDER BY day`;
  return { text, values: list };
}
