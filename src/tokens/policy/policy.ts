import { reachesBeyond } from '../../network/cidr.js';
import { Refusal } from '../../refusal.js';
import type { Token } from '../token.entity.js';
import type { PolicySettings } from './policy.entity.js';

/** What a change of tokens is refused for, by the names in the API. Of several that are broken the first is named. */
export const REFUSING_RULES = [
  'allowNonExpiring',
  'maxLifetimeSeconds',
  'requireCidrs',
  'allowedCidrs',
  'maxTokensPerUser',
] as const;
export type RefusingRule = (typeof REFUSING_RULES)[number];

/** As much of a token as the rules of its life look at. */
export type Life = Pick<Token, 'createdAt' | 'rotatedAt' | 'expiresAt'>;

/**
 * When a token of today expires for which nobody names an expiry: by default, else at the maximum. Null: never.
 *
 * @param from its issue or rotation.
 */
export function defaultExpiry(
  { defaultLifetimeSeconds, maxLifetimeSeconds }: PolicySettings,
  from: Date,
): Date | null {
  const seconds = defaultLifetimeSeconds ?? maxLifetimeSeconds;
  return seconds === null ? null : later(from, seconds);
}

/** The rule of lifetimes that a token breaks. Its life counts from its last rotation, or else its issue. */
export function brokenLifetime(
  { allowNonExpiring, maxLifetimeSeconds }: PolicySettings,
  { createdAt, rotatedAt, expiresAt }: Life,
): RefusingRule | undefined {
  if (expiresAt === null && !allowNonExpiring) return 'allowNonExpiring';
  if (maxLifetimeSeconds === null) return undefined;
  const isTooLong = expiresAt === null || expiresAt > later(rotatedAt ?? createdAt, maxLifetimeSeconds);
  return isTooLong ? 'maxLifetimeSeconds' : undefined;
}

/** The blocks of a token for which these are asked: where there are none, the policy's. */
export function blocksWithin(policy: PolicySettings, asked: readonly string[]): string[] {
  return asked.length > 0 ? [...asked] : [...policy.allowedCidrs];
}

/** The rule of CIDR blocks that a token with these blocks breaks. */
export function brokenBlocks(
  { requireCidrs, allowedCidrs }: PolicySettings,
  blocks: readonly string[],
): RefusingRule | undefined {
  if (requireCidrs && blocks.length === 0) return 'requireCidrs';
  return reachesBeyond(blocks, allowedCidrs) ? 'allowedCidrs' : undefined;
}

/**
 * The expiry of a token that is rotated: its own, unless that breaks a rule now; then the default, counted from the
 * rotation, which is never later than its own.
 */
export function expiryAtRotation(policy: PolicySettings, token: Life, rotatedAt: Date): Date | null {
  const { expiresAt } = token;
  if (brokenLifetime(policy, { ...token, rotatedAt }) === undefined) return expiresAt;
  return defaultExpiry(policy, rotatedAt) ?? expiresAt;
}

/** Whether a policy allows, in anything, more than another: longer, from more places, more of them, with less ado. */
export function loosens(after: PolicySettings, before: PolicySettings): boolean {
  const lifetime = (policy: PolicySettings): number =>
    policy.defaultLifetimeSeconds ?? orEndless(policy.maxLifetimeSeconds);
  return (
    orEndless(after.maxLifetimeSeconds) > orEndless(before.maxLifetimeSeconds) ||
    lifetime(after) > lifetime(before) ||
    orEndless(after.maxUnusedSeconds) > orEndless(before.maxUnusedSeconds) ||
    orEndless(after.maxTokensPerUser) > orEndless(before.maxTokensPerUser) ||
    after.defaultGraceSeconds > before.defaultGraceSeconds ||
    (after.allowNonExpiring && !before.allowNonExpiring) ||
    (before.requireCidrs && !after.requireCidrs) ||
    reachesBeyond(after.allowedCidrs, before.allowedCidrs) ||
    (before.onReuse === 'revoke' && after.onReuse !== 'revoke') ||
    (before.onLeak === 'revoke' && after.onLeak !== 'revoke')
  );
}

/** What is said to who would break a rule. */
export function policyRefusal(policy: PolicySettings, rule: RefusingRule): Refusal {
  const message = `The organization's policy ${sentenceOf(policy, rule)} (${rule})`;
  return new Refusal('invalid', { reason: 'policy', message, fields: [{ path: [rule], rule, message }] });
}

function sentenceOf(policy: PolicySettings, rule: RefusingRule): string {
  switch (rule) {
    case 'allowNonExpiring':
      return 'allows no token without an expiry';
    case 'maxLifetimeSeconds':
      return `allows a token to live for at most ${durationOf(policy.maxLifetimeSeconds ?? 0)}`;
    case 'requireCidrs':
      return 'allows no token without CIDR blocks';
    case 'allowedCidrs':
      return `allows tokens within ${listOf(policy.allowedCidrs)} alone`;
    case 'maxTokensPerUser':
      return `allows a user at most ${counted(policy.maxTokensPerUser ?? 0, 'token')}`;
  }
}

const UNITS: [seconds: number, name: string][] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

/** `90 days`: in the largest unit of which it is a whole number. */
function durationOf(seconds: number): string {
  const [length, name] = UNITS.find(([unit]) => seconds % unit === 0) ?? [1, 'second'];
  return counted(seconds / length, name);
}

function counted(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

const MAX_NAMED_BLOCKS = 3;

function listOf(blocks: readonly string[]): string {
  const more = blocks.length - MAX_NAMED_BLOCKS;
  const named = blocks.slice(0, MAX_NAMED_BLOCKS).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}

function orEndless(limit: number | null): number {
  return limit ?? Infinity;
}

function later(from: Date, seconds: number): Date {
  return new Date(from.getTime() + seconds * 1000);
}
