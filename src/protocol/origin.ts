import { withoutSecrets } from '../secrets.js';

/** Where a request came from, for restrictions, last use and the audit trail. */
export interface Origin {
  address: string | undefined;
  /** As it was sent; {@link keptUserAgent} says what is kept of it. */
  userAgent: string | undefined;
  requestId: string;
}

/** Longer ones are cut: they are kept for people to read, and anybody may send anything. */
const MAX_USER_AGENT_LENGTH = 512;

/** What is kept of a user agent. Some clients put into one what they should not: no secret of a token stays. */
export function keptUserAgent(userAgent: string | undefined): string | null {
  return userAgent === undefined ? null : withoutSecrets(userAgent.slice(0, MAX_USER_AGENT_LENGTH));
}
