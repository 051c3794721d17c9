import type { PresentedCredentials } from '../protocol/credentials.js';
import type { Origin } from '../protocol/origin.js';
import { looksLikeToken } from '../tokens/token-format.js';

/** What a passport strategy sees of a request. */
export interface AuthenticationRequest {
  credentials: PresentedCredentials;
  origin: Origin;
  /** Whether a token's value will do that was retired moments ago: where a call may be repeated, and only for that. */
  isRepeatable?: boolean;
}

/** The login of HTTP Basic, for refusals that repeat it. People also paste secrets there: those are left out. */
export function shownLoginOf({ basic }: PresentedCredentials): { login?: string } {
  return basic && !looksLikeToken(basic.login) ? { login: basic.login } : {};
}
