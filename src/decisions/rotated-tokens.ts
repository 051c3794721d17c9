import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { RecentKeys } from '../audit/recent-keys.js';
import { ChangeFeed } from '../database/changes/change-feed.js';
import { isReuse, RetiredValues } from '../tokens/rotation/retired-values.js';
import type { RetiredLookup } from '../tokens/token-lookup.js';
import { TokenService } from '../tokens/token.service.js';
import type { CachedToken } from './cached-token.js';
import { bearerOf, type RefusedOrigin } from './refused-tokens.js';

const RETRY_MS = 2_000;
/** A retired value of one token is reported at most once in this time. */
const REPEAT_INTERVAL_MS = 60_000;
const MAX_RECENT = 10_000;

/** What a use of a rotated token's values leads to, after the answer. Runs nothing for any other token. */
@Injectable()
export class RotatedTokens implements OnApplicationShutdown {
  /** How often a retired value was reported. */
  reuses = 0;
  private readonly logger = new Logger(RotatedTokens.name);
  private readonly recent = new RecentKeys(REPEAT_INTERVAL_MS, MAX_RECENT);
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly retired: RetiredValues,
    private readonly tokens: TokenService,
    private readonly feed: ChangeFeed,
  ) {}

  /** The first use of a new value: one write, which ends the old one's grace early on all replicas. */
  recordFirstUse(cached: CachedToken): void {
    const { retires, token } = cached;
    if (!retires) return;
    cached.retires = null;
    this.begin(
      this.retired.retirePrevious(token.id, retires).then(
        () => this.feed.tell(new Set([token.tokenId])),
        (error: unknown) => {
          this.logger.warn(`The grace of ${token.tokenId} is not cut short yet: ${String(error)}`);
          // The next use tries again.
          setTimeout(() => (cached.retires = retires), RETRY_MS).unref();
        },
      ),
    );
  }

  /** A value that was retired: whoever sends it has kept it, or taken it. */
  recordReuse({ token, digest, retiredAt }: RetiredLookup, origin: RefusedOrigin): void {
    const now = Date.now();
    const { tokenId } = token;
    if (!isReuse(retiredAt, now) || this.recent.has(tokenId, now)) return;
    this.recent.add(tokenId, now);
    this.begin(
      this.tokens.reportReuse(token.id, digest, bearerOf(token, origin)).then(
        (isReported) => {
          if (isReported) this.reuses += 1;
        },
        (error: unknown) => {
          this.logger.warn(`The reuse of ${tokenId} is not in the audit trail yet: ${String(error)}`);
          this.recent.delete(tokenId);
        },
      ),
    );
  }

  /** Waits for what has begun. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }

  onApplicationShutdown(): Promise<void> {
    return this.settled();
  }

  private begin(work: Promise<void>): void {
    const tracked = work.finally(() => this.underWay.delete(tracked));
    this.underWay.add(tracked);
  }
}
