import { type Place, Values } from '../../database/statements.js';
import type { TokenStatus } from '../token.entity.js';
import { filterCondition, statusCondition, type TokenFilter } from './token-filter.js';

/** How many tokens there are, of all that a filter means; each number as it was at one moment, `asOf`. */
export interface TokenSummary {
  total: number;
  byDialect: Record<string, number>;
  byStatus: Record<TokenStatus, number>;
  /** Neither revoked nor expired, and will be within so many days: each holds the ones before it. */
  expiring: { within7Days: number; within30Days: number; within90Days: number };
  neverUsed: number;
  /** Neither used nor issued within 90 days. */
  unusedFor90Days: number;
  withoutExpiry: number;
  withoutCidrs: number;
  /** By the days since they were issued: each counts from where the one before it ends. */
  byAge: { upTo30Days: number; upTo90Days: number; upTo365Days: number; over365Days: number };
  asOf: Date;
}

const DAY_MS = 86_400_000;
const STATUSES = ['active', 'inactive', 'expired', 'revoked'] as const;
const UNUSED_DAYS = 90;

type Counts = Omit<Record<string, number>, 'dialect'> & { dialect: string };

/** A query whose one row of each dialect {@link summaryOf} adds up. */
export function summaryQuery(filter: TokenFilter, asOf: Date): { text: string; values: unknown[] } {
  const { place, list } = new Values();
  const condition = filterCondition(filter, place, asOf);
  const now = `${place(asOf)}::timestamptz`;
  const counts = {
    total: 'TRUE',
    ...Object.fromEntries(STATUSES.slice(1).map((status) => [status, statusCondition(status, () => now)])),
    within7Days: expiringWithin(7, asOf, now, place),
    within30Days: expiringWithin(30, asOf, now, place),
    within90Days: expiringWithin(90, asOf, now, place),
    withoutExpiry: 'token.expires_at IS NULL',
    withoutCidrs: 'cardinality(token.allowed_cidrs) = 0',
    upTo30Days: `token.created_at >= ${moment(-30, asOf, place)}`,
    upTo90Days: `token.created_at >= ${moment(-90, asOf, place)}`,
    upTo365Days: `token.created_at >= ${moment(-365, asOf, place)}`,
  };
  const columns = Object.entries(counts).map(
    ([name, met]) => `count(*) FILTER (WHERE ${met})::int AS "${name}"`,
  );
  const since = moment(-UNUSED_DAYS, asOf, place);
  const unused = `used.used_at IS NULL`;
  const isWhole = Object.values(filter).every((value) => value === undefined);
  if (!isWhole) {
    const text = `SELECT token.dialect, ${columns.join(', ')}, count(*) FILTER (WHERE ${unused})::int AS "neverUsed",
        count(*) FILTER (WHERE coalesce(used.used_at, token.created_at) < ${since})::int AS "unusedFor90Days"
      FROM tokens token JOIN last_uses used ON used.token_uuid = token.id WHERE ${condition} GROUP BY token.dialect`;
    return { text, values: list };
  }
  // Of all tokens the uses are counted by themselves: to put a million of each together takes longer than all the rest.
  // What was never used is unused since it was made: these are all but the young of them.
  const text = `
    WITH uses AS (SELECT count(*) FILTER (WHERE ${unused})::int AS never,
        count(*) FILTER (WHERE used.used_at < ${since})::int AS rested FROM last_uses used),
      young AS (SELECT count(*)::int AS never FROM tokens token JOIN last_uses used ON used.token_uuid = token.id
        WHERE ${unused} AND token.created_at >= ${since}),
      counts AS (SELECT token.dialect, ${columns.join(', ')} FROM tokens token GROUP BY token.dialect)
    SELECT counts.*, uses.never * is_first AS "neverUsed", (uses.rested + uses.never - young.never) * is_first
        AS "unusedFor90Days"
    FROM (SELECT *, (row_number() OVER () = 1)::int AS is_first FROM counts) AS counts, uses, young`;
  return { text, values: list };
}

export function summaryOf(rows: readonly object[], asOf: Date): TokenSummary {
  const counts = rows as readonly Counts[];
  const sum = (name: string): number => counts.reduce((whole, row) => whole + (row[name] as number), 0);
  const [total, revoked, expired, inactive] = ['total', 'revoked', 'expired', 'inactive'].map(sum) as [
    number,
    number,
    number,
    number,
  ];
  const [upTo30Days, upTo90Days, upTo365Days] = ['upTo30Days', 'upTo90Days', 'upTo365Days'].map(sum) as [
    number,
    number,
    number,
  ];
  return {
    total,
    byDialect: Object.fromEntries(counts.map((row) => [row.dialect, row['total'] as number])),
    byStatus: { active: total - revoked - expired - inactive, inactive, expired, revoked },
    expiring: {
      within7Days: sum('within7Days'),
      within30Days: sum('within30Days'),
      within90Days: sum('within90Days'),
    },
    neverUsed: sum('neverUsed'),
    unusedFor90Days: sum('unusedFor90Days'),
    withoutExpiry: sum('withoutExpiry'),
    withoutCidrs: sum('withoutCidrs'),
    byAge: {
      upTo30Days,
      upTo90Days: upTo90Days - upTo30Days,
      upTo365Days: upTo365Days - upTo90Days,
      over365Days: total - upTo365Days,
    },
    asOf,
  };
}

function moment(days: number, asOf: Date, place: Place): string {
  return `${place(new Date(asOf.getTime() + days * DAY_MS))}::timestamptz`;
}

function expiringWithin(days: number, asOf: Date, now: string, place: Place): string {
  return `token.revoked_at IS NULL AND token.expires_at > ${now} AND token.expires_at <= ${moment(days, asOf, place)}`;
}
