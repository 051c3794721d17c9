import type { InvalidTokenReason } from '../refusal.js';
import type { LookupResult } from './token-lookup.js';

/** What a stored token is now: it works, or why it does not. */
export type TokenState = 'active' | InvalidTokenReason;

/** What follows, at this moment, from what a look-up found; says nothing of addresses and scopes. */
export function stateOf(
  { token, validUntil }: Pick<LookupResult, 'token' | 'validUntil'>,
  now?: Date,
): TokenState {
  // The old value of a rotated token, whose grace is over, is nobody's.
  if (validUntil !== null && validUntil <= (now ?? new Date())) return 'unknown';
  const status = token.status(now);
  return status === 'active' && token.owner.disabled ? 'ownerDisabled' : status;
}
