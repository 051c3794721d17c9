import type { InvalidTokenReason } from './refusal.js';
import type { Token } from './token.entity.js';
import type { Found } from './token-lookup.js';

/** Whether a presented value is a token that works now; `token` is there whenever the secret was right. */
export type Verdict =
  | { isValid: true; token: Token }
  | { isValid: false; reason: 'malformed' | 'unknown'; token?: undefined }
  | { isValid: false; reason: Exclude<InvalidTokenReason, 'unknown'>; token: Token };

/** What follows, at this moment, from what was found for a well-formed value; says nothing of addresses and scopes. */
export function verdictOn(found: Found | undefined, now?: Date): Verdict {
  if (!found || (found.validUntil !== null && found.validUntil <= (now ?? new Date())))
    return { isValid: false, reason: 'unknown' };
  const { token } = found;
  const status = token.status(now);
  if (status !== 'active') return { isValid: false, reason: status, token };
  if (token.owner.disabled) return { isValid: false, reason: 'ownerDisabled', token };
  return { isValid: true, token };
}
