import { withoutSecrets } from '../secrets.js';

/** Where a request came from, for restrictions, last use and the audit trail. */
export interface Origin {
  address: string | undefined;
  /** As it was sent; {@link keptUserAgent} says what is kept of it. */
  userAgent: string | undefined;
  requestId: string;
}

/** Longer ones are cut: they are stored for people to read. */
const MAX_USER_AGENT_LENGTH = 512;

/** The part of a user agent that is stored, without secrets of tokens, which some clients put there. */
export function keptUserAgent(userAgent: string | undefined): string | null {
  return userAgent === undefined ? null : withoutSecrets(userAgent.slice(0, MAX_USER_AGENT_LENGTH));
}
