import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.js';

/** The address clients know this server by, without a slash at its end: `PUBLIC_URL`, else scheme and Host of the request. */
export function publicUrlOf(request: FastifyRequest, { publicUrl }: Config): string {
  return publicUrl ?? `${request.protocol}://${request.headers.host ?? 'localhost'}`;
}
