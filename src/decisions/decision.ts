import type { Token } from '../tokens/token.entity.js';
import type { CachedToken } from './cached-token.js';

/** What is asked of a token. */
export interface DecisionRequest {
  value: string;
  /** Where the token came from; undefined when that is not known. */
  address: string | undefined;
  userAgent?: string | undefined;
  requestId?: string | undefined;
  /** Whose token it is said to be; another's is as good as unknown. Undefined: nothing is said. */
  claimedLogin?: string | undefined;
  /**
   * Where the value is the secret of HTTP Basic and not of our form: whether it is checked as the password of that login
   * next, with the hashes of tokens that the login leads to, or is no password here.
   */
  basicSecret?: 'passwordNext' | 'noPassword';
  /** Scopes that must all be covered, in the words of the dialect that issued the token. */
  scopes: readonly string[];
}

/** Why a token may not do what is asked; for trusted callers. */
export type DenyReason =
  'malformed' | 'unknown' | 'revoked' | 'expired' | 'inactive' | 'owner_disabled' | 'address' | 'scope';

/** The answer: a token that may, or why not; `cached` is there whenever the secret was right. */
export type Decision =
  | { isActive: true; cached: CachedToken }
  | {
      isActive: false;
      reason: DenyReason;
      cached?: CachedToken;
      /** Where the value was retired moments ago, of a token that is let in: whose it was. */
      justRetired?: Token;
    };
