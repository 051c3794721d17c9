import { type Place, Values } from '../../database/statements.js';
import type { TokenStatus } from '../token.entity.js';
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

/** What is told apart of each token, as a small number. */
interface Mark {
  bits: number;
  sql: string;
}

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
      unused: { bits: 1, sql: 'CASE WHEN used.used_at IS NULL THEN 1 ELSE 0 END' },
      rested: {
        bits: 1,
        sql: `CASE WHEN coalesce(used.used_at, token.created_at) < ${since} THEN 1 ELSE 0 END`,
      },
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
  // Of all tokens the uses are counted by themselves: to put a million of each together takes longer than all the rest.
  // What was never used is unused since it was made: these are all but the young of them.
  const text = `
    WITH uses AS (SELECT count(*) FILTER (WHERE used.used_at IS NULL)::int AS never,
        count(*) FILTER (WHERE used.used_at < ${since})::int AS rested FROM last_uses used),
      young AS (SELECT count(*)::int AS never FROM tokens token JOIN last_uses used ON used.token_uuid = token.id
        WHERE used.used_slot = 0 AND used.used_at IS NULL AND token.created_at >= ${since}),
      counts AS (${summed(marks, 'tokens token', {})})
    SELECT counts.*, uses.never * is_first AS "neverUsed", (uses.rested + uses.never - young.never) * is_first
        AS "unusedFor90Days"
    FROM (SELECT *, (row_number() OVER () = 1)::int AS is_first FROM counts) AS counts, uses, young`;
  return { text, values: list };
}

/** In each the first that holds; a moment that is none holds in no comparison. */
function marksOf(asOf: Date, place: Place): Record<'status' | 'expiry' | 'age' | 'cidrs', Mark> {
  const now = `${place(asOf)}::timestamptz`;
  const after = (days: number): string => `token.expires_at > ${moment(days, asOf, place)}`;
  const before = (days: number): string => `token.created_at < ${moment(-days, asOf, place)}`;
  return {
    status: {
      bits: 2,
      sql: `CASE WHEN token.revoked_at IS NOT NULL THEN 3 WHEN token.expires_at <= ${now} THEN 2
        WHEN token.inactive THEN 1 ELSE 0 END`,
    },
    expiry: {
      bits: 3,
      sql: `CASE WHEN token.expires_at IS NULL THEN 4 WHEN token.expires_at <= ${now} OR ${after(90)} THEN 3
        WHEN ${after(30)} THEN 2 WHEN ${after(7)} THEN 1 ELSE 0 END`,
    },
    age: {
      bits: 2,
      sql: `CASE WHEN ${before(365)} THEN 3 WHEN ${before(90)} THEN 2 WHEN ${before(30)} THEN 1 ELSE 0 END`,
    },
    cidrs: {
      bits: 1,
      // An array without elements has less than 20 bytes, and no other has: to read each takes a fifth of all the time.
      sql: 'CASE WHEN pg_column_size(token.allowed_cidrs) < 20 THEN 0 ELSE 1 END',
    },
  };
}

const COUNTS: Record<string, (mark: Record<string, string>) => string> = {
  revoked: ({ status }) => `${status} = 3`,
  expired: ({ status }) => `${status} = 2`,
  inactive: ({ status }) => `${status} = 1`,
  within7Days: ({ status, expiry }) => `${status} < 3 AND ${expiry} = 0`,
  within30Days: ({ status, expiry }) => `${status} < 3 AND ${expiry} <= 1`,
  within90Days: ({ status, expiry }) => `${status} < 3 AND ${expiry} <= 2`,
  withoutExpiry: ({ expiry }) => `${expiry} = 4`,
  withoutCidrs: ({ cidrs }) => `${cidrs} = 0`,
  upTo30Days: ({ age }) => `${age} = 0`,
  upTo90Days: ({ age }) => `${age} <= 1`,
  upTo365Days: ({ age }) => `${age} <= 2`,
};

/** @param from what the tokens are read from, with the conditions. */
function summed(marks: Record<string, Mark>, from: string, more: typeof COUNTS): string {
  let bits = 0;
  const parts: string[] = [];
  const read: Record<string, string> = {};
  for (const [name, mark] of Object.entries(marks)) {
    parts.push(`((${mark.sql}) << ${bits})`);
    read[name] = `(mark >> ${bits} & ${2 ** mark.bits - 1})`;
    bits += mark.bits;
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
