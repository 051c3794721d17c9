import type { Config } from '../config.js';
import type { RefusedRequest } from '../protocol/dialect.js';

/** The address that clients know this server by, without a slash at its end: `PUBLIC_URL`, else scheme and Host of the request. */
export function publicUrlOf(
  request: Pick<RefusedRequest, 'headers' | 'protocol'>,
  { publicUrl }: Pick<Config, 'publicUrl'>,
): string {
  if (publicUrl !== undefined) return publicUrl;
  const { host = '' } = request.headers;
  // The client chose it: what is no host is not repeated.
  return /^[\w.:[\]-]+$/.test(host) ? `${request.protocol}://${host}` : '';
}
