import { type Place, Values } from '../../database/statements.js';
import { slotOf, type TokenStatus } from '../token.entity.js';
import { filterCondition, type TokenFilter } from './token-filter.js';

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
const UNUSED_DAYS = 90;

type Counts = Omit<Record<string, number>, 'dialect'> & { dialect: string };

/** What is told apart of each token: the number of the first condition that holds, 0 where none does. */
type Mark = readonly string[];

/**
 * A query whose one row of each dialect {@link summaryOf} adds up. Each token is looked at once: what is told apart of it
 * becomes one number, equal ones are counted, and these few counts are added up. To ask of each token whether it belongs to
 * each count takes three times as long.
 */
export function summaryQuery(filter: TokenFilter, asOf: Date): { text: string; values: unknown[] } {
  const { place, list } = new Values();
  const condition = filterCondition(filter, place, asOf);
  const marks = marksOf(asOf, place);
  const since = moment(-UNUSED_DAYS, asOf, place);
  if (Object.values(filter).some((value) => value !== undefined)) {
    const used = {
      unused: ['used.used_at IS NULL'],
      rested: [`coalesce(used.used_at, token.created_at) < ${since}`],
    };
    const text = summed(
      { ...marks, ...used },
      `tokens token JOIN last_uses used ON used.token_uuid = token.id WHERE ${condition}`,
      {
        neverUsed: ({ unused }) => `${unused} = 1`,
        unusedFor90Days: ({ rested }) => `${rested} = 1`,
      },
    );
    return { text, values: list };
  }
  // Of all tokens the uses are counted by themselves, along their index: to put a million of each together takes longer than
  // all the rest. What was never used is unused since it was made: these are all but the young of them.
  const slot = place(slotOf(asOf.getTime() - UNUSED_DAYS * DAY_MS));
  const text = `
    WITH uses AS MATERIALIZED (SELECT (SELECT count(*)::int FROM last_uses used WHERE used.used_slot = 0) AS never,
        (SELECT count(*)::int FROM last_uses used WHERE used.used_slot > 0 AND used.used_slot < ${slot})
          + (SELECT count(*)::int FROM last_uses used WHERE used.used_slot = ${slot} AND used.used_at < ${since}) AS rested),
      young AS (SELECT count(*)::int AS never FROM tokens token JOIN last_uses used ON used.token_uuid = token.id
        WHERE used.used_slot = 0 AND token.created_at >= ${since}),
      counts AS (${summed(marks, 'tokens token', {})})
    SELECT counts.*, uses.never * is_first AS "neverUsed", (uses.rested + uses.never - young.never) * is_first
        AS "unusedFor90Days"
    FROM (SELECT *, (row_number() OVER () = 1)::int AS is_first FROM counts) AS counts, uses, young`;
  return { text, values: list };
}

/** A moment that is none holds in no comparison. */
function marksOf(asOf: Date, place: Place): Record<'status' | 'expiry' | 'age' | 'cidrs', Mark> {
  const now = `${place(asOf)}::timestamptz`;
  const expiresWithin = (days: number): string => `token.expires_at <= ${moment(days, asOf, place)}`;
  const before = (days: number): string => `token.created_at < ${moment(-days, asOf, place)}`;
  const isExpired = `token.expires_at <= ${now}`;
  return {
    status: ['token.revoked_at IS NOT NULL', isExpired, 'token.inactive'],
    expiry: ['token.expires_at IS NULL', isExpired, expiresWithin(7), expiresWithin(30), expiresWithin(90)],
    age: [before(365), before(90), before(30)],
    // An array without elements has less than 20 bytes, and no other has: to read each takes a fifth of all the time.
    cidrs: ['pg_column_size(token.allowed_cidrs) < 20'],
  };
}

const COUNTS: Record<string, (mark: Record<string, string>) => string> = {
  revoked: ({ status }) => `${status} = 1`,
  expired: ({ status }) => `${status} = 2`,
  inactive: ({ status }) => `${status} = 3`,
  within7Days: ({ status, expiry }) => `${status} <> 1 AND ${expiry} = 3`,
  within30Days: ({ status, expiry }) => `${status} <> 1 AND ${expiry} BETWEEN 3 AND 4`,
  within90Days: ({ status, expiry }) => `${status} <> 1 AND ${expiry} BETWEEN 3 AND 5`,
  withoutExpiry: ({ expiry }) => `${expiry} = 1`,
  withoutCidrs: ({ cidrs }) => `${cidrs} = 1`,
  over365Days: ({ age }) => `${age} = 1`,
  upTo365Days: ({ age }) => `${age} = 2`,
  upTo90Days: ({ age }) => `${age} = 3`,
  upTo30Days: ({ age }) => `${age} = 0`,
};

/** @param from what the tokens are read from, with the conditions. */
function summed(marks: Record<string, Mark>, from: string, more: typeof COUNTS): string {
  let bits = 0;
  const parts: string[] = [];
  const read: Record<string, string> = {};
  for (const [name, conditions] of Object.entries(marks)) {
    const cases = conditions.map((condition, index) => `WHEN ${condition} THEN ${(index + 1) << bits}`);
    parts.push(`CASE ${cases.join(' ')} ELSE 0 END`);
    const width = 32 - Math.clz32(conditions.length);
    read[name] = `(mark >> ${bits} & ${2 ** width - 1})`;
    bits += width;
  }
  const columns = Object.entries({ ...COUNTS, ...more }).map(
    ([name, isMet]) => `coalesce(sum(n) FILTER (WHERE ${isMet(read)}), 0)::int AS "${name}"`,
  );
  // By the offset the database expects few marks, and not one of each token; by its quotes, several processes may read.
  return `SELECT dialect, sum(n)::int AS total, ${columns.join(', ')} FROM (
      SELECT dialect, mark, count(*) AS n FROM (
        SELECT token.dialect, ${parts.join(' | ')} AS mark FROM ${from} OFFSET '0') AS marked
      GROUP BY dialect, mark) AS counted
    GROUP BY dialect`;
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
      upTo30Days: sum('upTo30Days'),
      upTo90Days: sum('upTo90Days'),
      upTo365Days: sum('upTo365Days'),
      over365Days: sum('over365Days'),
    },
    asOf,
  };
}

function moment(days: number, asOf: Date, place: Place): string {
  return `${place(new Date(asOf.getTime() + days * DAY_MS))}::timestamptz`;
}
