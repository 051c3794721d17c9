import type { IncomingMessage } from 'node:http';
import type { Config } from '../config.js';
import { parseCallerAddress } from '../network/addresses.js';
import { allowsAddress } from '../network/cidr.js';
import type { RefusedRequest } from '../protocol/dialect.js';

/**
 * The base URL by which clients know this server, without a trailing slash: `PUBLIC_URL`, else scheme and
 * Host of the request.
 */
export function publicUrlOf(
  request: Pick<RefusedRequest, 'headers' | 'protocol'>,
  { publicUrl }: Pick<Config, 'publicUrl'>,
): string {
  if (publicUrl !== undefined) return publicUrl;
  const { host = '' } = request.headers;
  // The client chose it: only a valid host is repeated.
  return /^[\w.:[\]-]+$/.test(host) ? `${request.protocol}://${host}` : '';
}

/** Whether a client reaches this server over TLS: so says `PUBLIC_URL`, else a proxy of `TRUSTED_PROXIES`. */
export function isSecureRequest(
  { headers, socket }: IncomingMessage,
  { publicUrl, trustedProxies }: Pick<Config, 'publicUrl' | 'trustedProxies'>,
): boolean {
  if (publicUrl !== undefined) return publicUrl.startsWith('https:');
  if (headers['x-forwarded-proto'] !== 'https' || trustedProxies.length === 0) return false;
  return allowsAddress(trustedProxies, parseCallerAddress(socket.remoteAddress ?? ''));
}
