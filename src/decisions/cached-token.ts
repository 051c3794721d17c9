import type { LookupResult } from '../tokens/token-lookup.js';
import type { Token } from '../tokens/token.entity.js';

/** The last use of a token, times in milliseconds since 1970. */
export interface TokenUse {
  at: number;
  address: string | undefined;
  userAgent: string | undefined;
  /** Where else it was used from since it was written; noted only while somebody wants to know of new addresses. */
  elsewhere?: string[] | undefined;
  /** Since when it has not been written; undefined when it has. */
  pendingSince: number | undefined;
  /** Written, and unused for so long that the recorder has dropped it. */
  isForgotten: boolean;
}

/**
 * A token in memory, with everything that is noted of it. There may be very many: fields beside the token cost less than
 * maps that lead to them.
 */
export class CachedToken implements LookupResult {
  /** Set by the usage recorder. */
  use: TokenUse | undefined = undefined;
  /** Set by the gateway: names and values of the identity headers, alternating. */
  identityHeaders: string[] | undefined = undefined;
  /** Set by introspection: the answer, which depends on the Host by which the caller addresses this server. */
  introspection: { host: string | undefined; text: string } | undefined = undefined;

  constructor(
    readonly token: Token,
    readonly validUntil: Date | null,
    /** Set to null by the first use. */
    public retires: Buffer | null = null,
  ) {}
}
