import type { Token } from '../tokens/token.entity.js';

/** What is asked of a token. */
export interface Question {
  value: string;
  /** Where the token came from; undefined when that is not known. */
  address: string | undefined;
  userAgent?: string | undefined;
  /** Whose token it is said to be; another's is as good as unknown. Undefined: nothing is said. */
  claimedLogin?: string | undefined;
  /** Scopes that must all be covered. */
  scopes: readonly string[];
}

/** Why a token may not do what is asked; for trusted callers. */
export type Objection =
  'malformed' | 'unknown' | 'revoked' | 'expired' | 'inactive' | 'owner_disabled' | 'address' | 'scope';

/** The answer: a token that may, or why not; `token` is there whenever the secret was right. */
export type Judgement =
  { isActive: true; token: Token } | { isActive: false; reason: Objection; token?: Token };
