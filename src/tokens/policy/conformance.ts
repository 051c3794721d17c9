import { blocksOfBoth } from '../../network/cidr.js';
import type { Token } from '../token.entity.js';
import { brokenBlocks, brokenLifetime, defaultExpiry } from './policy.js';
import type { PolicySettings } from './policy.entity.js';

/** What a token needs to keep a policy: changes, or its end where none would do. Undefined: it keeps it. */
export type Conforming =
  { changes: Partial<Pick<Token, 'expiresAt' | 'allowedCidrs'>> } | 'revoke' | undefined;

/** Whether a token was not used for longer than a policy allows; one that was never used counts from its issue. */
export function isUnusedTooLong(
  { maxUnusedSeconds }: Pick<PolicySettings, 'maxUnusedSeconds'>,
  { createdAt, lastUsedAt }: Pick<Token, 'createdAt' | 'lastUsedAt'>,
  usedUntil: Date,
): boolean {
  if (maxUnusedSeconds === null) return false;
  return (lastUsedAt ?? createdAt).getTime() <= usedUntil.getTime() - maxUnusedSeconds * 1000;
}

/**
 * What makes a live token keep a policy from now on. Its life is shortened to what the policy leaves it, its blocks are cut
 * to the policy's. It is revoked where it was unused for too long, and where that leaves it no life, or no address.
 *
 * @param times.usedUntil the moment that uses are counted up to.
 */
export function conforming(
  policy: PolicySettings,
  token: Token,
  { now, usedUntil }: { now: Date; usedUntil: Date },
): Conforming {
  if (isUnusedTooLong(policy, token, usedUntil)) return 'revoke';
  const changes: Partial<Pick<Token, 'expiresAt' | 'allowedCidrs'>> = {};
  if (brokenLifetime(policy, token)) {
    const end = permittedEnd(policy, token, now);
    if (end === null || end <= now) return 'revoke';
    changes.expiresAt = end;
  }
  if (brokenBlocks(policy, token.allowedCidrs)) {
    const blocks = blocksOfBoth(token.allowedCidrs, policy.allowedCidrs);
    if (blocks.length === 0) return 'revoke';
    changes.allowedCidrs = blocks;
  }
  return Object.keys(changes).length > 0 ? { changes } : undefined;
}

/** When a token's life is to end at the latest: counted from its last rotation, or where only an end is asked, from now. */
function permittedEnd(policy: PolicySettings, { createdAt, rotatedAt }: Token, now: Date): Date | null {
  const { maxLifetimeSeconds } = policy;
  if (maxLifetimeSeconds === null) return defaultExpiry(policy, now);
  return new Date((rotatedAt ?? createdAt).getTime() + maxLifetimeSeconds * 1000);
}
