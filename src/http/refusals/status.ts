import type { Refusal } from '../../refusal.js';

const INVALID: Record<string, number> = { mediaType: 415, tooLarge: 413, headers: 431, tooSlow: 408 };

/** The HTTP status of a refusal, where a dialect has no reason for another one. */
export function statusOf({ kind, reason }: Refusal): number {
  switch (kind) {
    case 'invalid':
      return INVALID[reason ?? ''] ?? 400;
    case 'unauthenticated':
      return 401;
    case 'forbidden':
      return 403;
    case 'notFound':
      return reason === 'method' ? 405 : 404;
    case 'conflict':
      return reason === 'stale' ? 412 : 409;
    case 'tooMany':
      return 429;
    case 'unavailable':
      return 503;
    case 'internal':
      return 500;
  }
}
