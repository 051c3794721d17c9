import type { Config } from '../config.js';
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
