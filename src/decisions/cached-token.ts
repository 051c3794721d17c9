import type { LookupResult } from '../tokens/token-lookup.js';
import type { Token } from '../tokens/token.entity.js';

/** The last use of a token, times in milliseconds since 1970. */
export interface TokenUse {
  at: number;
  address: string | undefined;
  userAgent: string | undefined;
  /** Since when it has not been written; undefined when it has. */
  pendingSince: number | undefined;
  /** Written, and not used since for so long that the recorder knows of it no more. */
  isForgotten: boolean;
}

/**
 * A token in memory, with all that is noted of it there. A token in use is one of very many: what lies beside it costs
 * less than a map that leads there.
 */
export class CachedToken implements LookupResult {
  /** By the usage recorder. */
  use: TokenUse | undefined = undefined;
  /** By the gateway: header names and values in turn, of who the bearer is. */
  identityHeaders: string[] | undefined = undefined;
  /** By introspection: the answer, which depends on the address that the caller knows this server by. */
  introspection: { host: string | undefined; text: string } | undefined = undefined;

  constructor(
    readonly token: Token,
    /** Until when the value works: null, but for the old value during a grace. */
    readonly validUntil: Date | null,
  ) {}
}
