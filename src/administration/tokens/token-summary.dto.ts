import { IsInt, Max, Min } from 'class-validator';
import { Optional, WholeNumber } from '../../http/validation/fields.js';
import type { TokenExpirations as Expirations } from '../../tokens/inventory/token-expirations.js';
import type { TokenSummary as Summary } from '../../tokens/inventory/token-summary.js';
import { TokenFilter } from './tokens.dto.js';

/** The query of the days on which tokens expire. */
export class ExpirationsQuery extends TokenFilter {
  /** How many days of UTC to look ahead; today is the first. */
  @Optional()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(366)
  days: number = 90;
}

/** By status: the first that applies of revoked, expired, inactive, active. */
export class CountsByStatus {
  /** @example 640 */
  active!: number;

  /** @example 4 */
  inactive!: number;

  /** @example 300 */
  expired!: number;

  /** @example 56 */
  revoked!: number;
}

/** Tokens that are neither revoked nor expired, and will expire soon. Each count includes the ones before it. */
export class CountsOfExpiring {
  /** @example 2 */
  within7Days!: number;

  /** @example 12 */
  within30Days!: number;

  /** @example 31 */
  within90Days!: number;
}

/** By the time since the tokens were created. The bands do not overlap: together they are `total`. */
export class CountsByAge {
  /** @example 60 */
  upTo30Days!: number;

  /**
   * More than 30 days.
   * @example 100
   */
  upTo90Days!: number;

  /**
   * More than 90 days.
   * @example 340
   */
  upTo365Days!: number;

  /** @example 500 */
  over365Days!: number;
}

/** How many tokens there are. Unless it says otherwise, a count is of tokens of every status. */
export class TokenSummary {
  /** @example 1000 */
  total: number;

  /**
   * Of each dialect of which there are tokens.
   * @example { "patois": 600, "quay": 400 }
   */
  byDialect: Record<string, number>;

  byStatus: CountsByStatus;

  expiring: CountsOfExpiring;

  /** @example 120 */
  neverUsed: number;

  /**
   * Not used in the last 90 days, and created before that.
   * @example 210
   */
  unusedFor90Days: number;

  /** @example 300 */
  withoutExpiry: number;

  /** @example 800 */
  withoutCidrs: number;

  byAge: CountsByAge;

  /** The moment that all counts are of. */
  asOf: Date;

  constructor(summary: Summary) {
    this.total = summary.total;
    this.byDialect = summary.byDialect;
    this.byStatus = summary.byStatus;
    this.expiring = summary.expiring;
    this.neverUsed = summary.neverUsed;
    this.unusedFor90Days = summary.unusedFor90Days;
    this.withoutExpiry = summary.withoutExpiry;
    this.withoutCidrs = summary.withoutCidrs;
    this.byAge = summary.byAge;
    this.asOf = summary.asOf;
  }
}

/** A day on which tokens expire. */
export class ExpirationDay {
  /**
   * A day of UTC.
   * @example '2031-05-06'
   */
  date!: string;

  /** @example 3 */
  count!: number;
}

/** How many active tokens expire on which day. */
export class TokenExpirations {
  /** The moment that the counts are of. */
  from: Date;

  /** Exclusive upper bound: the end of the last day. */
  to: Date;

  /** In their order, without those on which no token expires. */
  days: ExpirationDay[];

  constructor({ from, to, days }: Expirations) {
    this.from = from;
    this.to = to;
    this.days = days;
  }
}
