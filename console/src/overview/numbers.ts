import type { Schemas } from '../api/client';
import { STATUSES, type TokenFilter } from '../inventory/token-filters';

export type Summary = Schemas['TokenSummary'];

/** A number of a summary, and exactly which tokens it counts. */
export interface CountedTokens {
  count: number;
  filter: TokenFilter;
}

const DAY_MS = 86_400_000;

/** @param base what the whole summary is narrowed to. */
export function numbersOf(summary: Summary, base: TokenFilter) {
  const { byAge, expiring } = summary;
  const asOf = Date.parse(summary.asOf);
  /** The moment so many days from then, and `more` milliseconds. */
  const at = (days: number, more = 0): string => new Date(asOf + days * DAY_MS + more).toISOString();
  const of = (count: number, filter: TokenFilter): CountedTokens => ({
    count,
    filter: { ...base, ...filter },
  });
  // The bound is exclusive, and the last moment counts.
  const within = (days: number): TokenFilter => ({ live: 'true', expiresBefore: at(days, 1) });
  return {
    total: of(summary.total, {}),
    dialects: Object.entries(summary.byDialect)
      .sort(([, one], [, other]) => other - one)
      .map(([dialect, count]) => ({ dialect, ...of(count, { dialect }) })),
    statuses: STATUSES.map((status) => ({ status, ...of(summary.byStatus[status], { status }) })),
    ages: {
      upTo30Days: of(byAge.upTo30Days, { createdAfter: at(-30) }),
      upTo90Days: of(byAge.upTo90Days, { createdAfter: at(-90), createdBefore: at(-30) }),
      upTo365Days: of(byAge.upTo365Days, { createdAfter: at(-365), createdBefore: at(-90) }),
      over365Days: of(byAge.over365Days, { createdBefore: at(-365) }),
    },
    expiring: {
      within7Days: of(expiring.within7Days, within(7)),
      within30Days: of(expiring.within30Days, within(30)),
      within90Days: of(expiring.within90Days, within(90)),
    },
    attention: {
      neverUsed: of(summary.neverUsed, { neverUsed: 'true' }),
      unusedFor90Days: of(summary.unusedFor90Days, { unusedSince: at(-90) }),
      withoutExpiry: of(summary.withoutExpiry, { withoutExpiry: 'true' }),
      withoutCidrs: of(summary.withoutCidrs, { withoutCidrs: 'true' }),
    },
  };
}

export type Numbers = ReturnType<typeof numbersOf>;

/** The tokens that expire on a day of UTC, as the calendar counts them. */
export function expiringOn(date: string, count: number, base: TokenFilter): CountedTokens {
  const begin = Date.parse(`${date}T00:00:00Z`);
  const expiresAfter = new Date(begin).toISOString();
  const expiresBefore = new Date(begin + DAY_MS).toISOString();
  return { count, filter: { ...base, status: 'active', expiresAfter, expiresBefore } };
}
