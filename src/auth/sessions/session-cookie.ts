import type { Config } from '../../config.js';
import { cookieHeader, cookieOf } from '../../http/cookies.js';
import { isUnsafe } from '../../http/cross-site.js';
import { headerLines } from '../../http/header-lines.js';
import { isSecureRequest } from '../../http/public-url.js';
import type { PresentedCookie } from '../../protocol/credentials.js';
import type { WithRaw } from '../../protocol/dialect.js';
import { SESSION_HOURS } from './sessions.js';

/** The browser takes it only from this host, over TLS and for all paths: no neighbour can plant one (RFC 6265bis, 4.1.3.2). */
const SECURE_NAME = '__Host-patois_session';
/** Where there is no TLS, a browser would not take that one. */
const PLAIN_NAME = 'patois_session';
const LIFETIME_SECONDS = SESSION_HOURS * 3_600;
/** No form and no link of a page can send it, and no other site's script without asking first. */
const PROOF = 'x-requested-with';

type CookieConfig = Pick<Config, 'publicUrl' | 'trustedProxies'>;

/** A `Set-Cookie` header that gives a browser its session. */
export function sessionCookieHeader(request: WithRaw, config: CookieConfig, value: string): string {
  return cookie(request, config, value, LIFETIME_SECONDS);
}

/** A `Set-Cookie` header that makes a browser forget its session. */
export function clearedSessionCookieHeader(request: WithRaw, config: CookieConfig): string {
  return cookie(request, config, '', 0);
}

/**
 * The session that a request presents: by the cookie of the name that fits the scheme, exactly once, and together with
 * `X-Requested-With`. Without that header a request that may change something is to be refused, and another presents none.
 */
export function presentedSession(request: WithRaw, config: CookieConfig): PresentedCookie | undefined {
  const value = sessionCookieOf(request, config);
  if (value === undefined) return undefined;
  const { method, headers } = request.raw;
  const hasProof = headerLines(request, PROOF).length > 0;
  if (!isUnsafe(method)) return hasProof ? { value, isForgeable: false } : undefined;
  // What a browser says of itself; that it is of our own pages has been seen to already.
  const isOfBrowser = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
  return { value, isForgeable: !hasProof || !isOfBrowser };
}

/** What the cookie holds; undefined where there is none, or more than one. That it is of a session is not said. */
export function sessionCookieOf(request: WithRaw, config: CookieConfig): string | undefined {
  return cookieOf(request, isSecureRequest(request.raw, config) ? SECURE_NAME : PLAIN_NAME);
}

function cookie(request: WithRaw, config: CookieConfig, value: string, maxAgeSeconds: number): string {
  const isSecure = isSecureRequest(request.raw, config);
  const name = isSecure ? SECURE_NAME : PLAIN_NAME;
  return cookieHeader({ name, value, path: '/', maxAgeSeconds, sameSite: 'Lax', isSecure });
}
