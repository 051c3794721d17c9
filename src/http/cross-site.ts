import type { IncomingMessage } from 'node:http';
import type { Config } from '../config.js';
import { Refusal } from '../refusal.js';
import { isSecureRequest } from './public-url.js';

/** Safe methods (RFC 9110, 9.2.1). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/**
 * `Sec-Fetch-Site` of this server's own pages, and of requests that the user started, such as from the
 * address bar.
 */
const OWN_SITES = new Set(['same-origin', 'none']);

/**
 * Refuses requests that a page of another site sends: a browser adds the password that it has stored for this
 * server to the requests of every page. Applies with any credential and to public routes; programs send
 * neither of the two headers.
 *
 * @returns forbidden, for a method that may change something; undefined if the request may proceed. See
 *   https://www.w3.org/TR/fetch-metadata/ and RFC 6454.
 */
export function refusalOfCrossSite(
  request: IncomingMessage,
  config: Pick<Config, 'publicUrl' | 'trustedProxies'>,
): Refusal | undefined {
  const { method, headers } = request;
  const { origin, 'sec-fetch-site': site } = headers;
  if ((origin === undefined && site === undefined) || !isUnsafe(method)) return undefined;
  const isForeignSite = site !== undefined && !OWN_SITES.has(String(site));
  if (!isForeignSite && (origin === undefined || origin === ownOrigin(request, config))) return undefined;
  const message = 'A page of another site may not send this request';
  return new Refusal('forbidden', { reason: 'crossSite', message });
}

/** Whether requests of this method may change something. */
export function isUnsafe(method = ''): boolean {
  return !SAFE_METHODS.has(method);
}

/** The origin of this server's own pages; undefined if the Host header cannot be one. */
function ownOrigin(
  request: IncomingMessage,
  config: Pick<Config, 'publicUrl' | 'trustedProxies'>,
): string | undefined {
  if (config.publicUrl !== undefined) return new URL(config.publicUrl).origin;
  const scheme = isSecureRequest(request, config) ? 'https' : 'http';
  const url = `${scheme}://${request.headers.host ?? ''}`;
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
