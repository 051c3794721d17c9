import type { PresentedCredentials } from '../protocol/credentials.js';
import type { Origin } from '../protocol/origin.js';
import type { IdempotentCall } from '../tokens/idempotency/idempotent-call.js';
import { looksLikeToken } from '../tokens/token-format.js';

/** What a passport strategy sees of a request. */
export interface AuthenticationRequest {
  credentials: PresentedCredentials;
  origin: Origin;
  /**
   * Where the call may be repeated: then a token's value will do that was retired moments ago, if it has made this call
   * before, and only for its repetition.
   */
  idempotentCall?: IdempotentCall | undefined;
}

/** The login of HTTP Basic, for refusals that repeat it. People also paste secrets there: those are left out. */
export function shownLoginOf({ basic }: PresentedCredentials): { login?: string } {
  return basic && !looksLikeToken(basic.login) ? { login: basic.login } : {};
}
