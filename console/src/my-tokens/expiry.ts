import type { Policy } from './queries';

const DAY_SECONDS = 86_400;
/** What is asked for at the very limit is refused by a clock that is a little behind. */
const MARGIN_SECONDS = 60;

export const EXPIRIES = ['policy', '7', '30', '90', 'date', 'never'] as const;
export type Expiry = (typeof EXPIRIES)[number];
type Rules = Pick<Policy, 'maxLifetimeSeconds' | 'defaultLifetimeSeconds' | 'allowNonExpiring'>;

/** How long a token lives for which no expiry is named; null: for ever. */
export function lifetimeByPolicy({ maxLifetimeSeconds, defaultLifetimeSeconds }: Rules): number | null {
  if (defaultLifetimeSeconds === null) return maxLifetimeSeconds;
  return Math.min(defaultLifetimeSeconds, maxLifetimeSeconds ?? defaultLifetimeSeconds);
}

/** The choices that there are: that of the policy only where it has one. */
export function expiriesOf(policy: Rules): Expiry[] {
  return EXPIRIES.filter((expiry) => expiry !== 'policy' || lifetimeByPolicy(policy) !== null);
}

/** What the policy refuses a choice for; undefined: it allows it. */
export function refusalOf(expiry: Expiry, policy: Rules): 'tooLong' | 'mustExpire' | undefined {
  const { maxLifetimeSeconds, allowNonExpiring } = policy;
  if (expiry === 'never') return maxLifetimeSeconds !== null || !allowNonExpiring ? 'mustExpire' : undefined;
  if (expiry === 'policy' || expiry === 'date' || maxLifetimeSeconds === null) return undefined;
  return Number(expiry) * DAY_SECONDS > maxLifetimeSeconds ? 'tooLong' : undefined;
}

/** What is chosen before a person does. */
export function firstExpiry(policy: Rules): Expiry {
  return lifetimeByPolicy(policy) === null ? '90' : 'policy';
}

/** The latest moment that the policy allows; undefined: there is none. */
export function latestExpiry({ maxLifetimeSeconds }: Rules, now: number): Date | undefined {
  if (maxLifetimeSeconds === null) return undefined;
  return new Date(now + Math.max(1, maxLifetimeSeconds - MARGIN_SECONDS) * 1000);
}

/**
 * As the API takes it: null for never, undefined where the policy is to say it.
 *
 * @param date local time, as an input of `datetime-local` has it.
 */
export function expiresAtOf(
  expiry: Expiry,
  date: string,
  policy: Rules,
  now: number,
): string | null | undefined {
  if (expiry === 'policy') return undefined;
  if (expiry === 'never') return null;
  if (expiry === 'date') return new Date(date).toISOString();
  const wanted = new Date(now + Number(expiry) * DAY_SECONDS * 1000);
  const latest = latestExpiry(policy, now);
  return (latest && latest < wanted ? latest : wanted).toISOString();
}

/** What is wrong with a date that was typed; undefined: nothing. */
export function dateFault(
  date: string,
  policy: Rules,
  now: number,
): 'missing' | 'past' | 'tooLate' | undefined {
  const moment = Date.parse(date);
  if (Number.isNaN(moment)) return 'missing';
  if (moment <= now) return 'past';
  const latest = latestExpiry(policy, now);
  return latest && moment > latest.getTime() ? 'tooLate' : undefined;
}

/** A moment as an input of `datetime-local` has it, in the zone of the browser. */
export function localInput(moment: Date): string {
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
