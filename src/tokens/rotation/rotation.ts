import type { TokenDigest } from '../../hashing/hashing.service.js';
import type { Token } from '../token.entity.js';

/** How long, at most, the value before a rotation can keep working. */
export const MAX_GRACE_SECONDS = 604_800;
/** How long it works beside the new value once that has been used. */
export const OVERLAP_MS = 60_000;
/** A value that was retired less than this ago comes from a client that has not heard of the new one yet. */
export const LATE_RETRY_MS = 120_000;
/** How long a retired value is known as such. */
export const RETIRED_DAYS = 90;
/** How many retired values of a token are known, the last first. */
export const MAX_RETIRED = 5;

/** What says which values of a token work: the one it has, and during a grace the one before. */
export type TokenValues = Pick<
  Token,
  'digest' | 'digestKey' | 'previousDigest' | 'previousDigestKey' | 'previousValidUntil' | 'retiresOnFirstUse'
>;

export type RotatedValues = TokenValues & { rotatedAt: Date };

export interface RotationTerms {
  at: Date;
  /** For how long the old value keeps working; 0: it ends at once. */
  graceSeconds: number;
  /** Whether the first use of the new value ends the grace ({@link OVERLAP_MS}). */
  retiresOnFirstUse: boolean;
}

/**
 * A token's values after a rotation: the fresh one, and the one that was current until now for as long as its grace, which
 * the token's own end cuts short. One that was in its grace already ends at once: there are never three. docs/lifecycle.md
 * draws it.
 */
export function rotated(
  before: TokenValues & Pick<Token, 'expiresAt'>,
  fresh: TokenDigest,
  { at, graceSeconds, retiresOnFirstUse }: RotationTerms,
): RotatedValues {
  const end = new Date(at.getTime() + graceSeconds * 1000);
  const until = before.expiresAt !== null && before.expiresAt < end ? before.expiresAt : end;
  const isKept = until > at;
  return {
    digest: fresh.digest,
    digestKey: fresh.keyName,
    rotatedAt: at,
    previousDigest: isKept ? before.digest : null,
    previousDigestKey: isKept ? before.digestKey : null,
    previousValidUntil: isKept ? until : null,
    retiresOnFirstUse: isKept && retiresOnFirstUse,
  };
}

/** Whether a use of the current value, at this moment, cuts the grace of the one before short. */
export function retiresPrevious(
  { previousValidUntil, retiresOnFirstUse }: Pick<TokenValues, 'previousValidUntil' | 'retiresOnFirstUse'>,
  at: Date,
): boolean {
  if (!retiresOnFirstUse || previousValidUntil === null) return false;
  return previousValidUntil.getTime() > at.getTime() + OVERLAP_MS;
}
