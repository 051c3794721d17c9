import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import type { MaybePromise } from '../maybe-promise.js';
import { tokenIdOf } from '../tokens/token-format.js';
import { RetiredLookup, TokenLookup } from '../tokens/token-lookup.js';
import { CachedToken } from './cached-token.js';
import { type Entry, LookupCache, type PendingLookup } from './lookup-cache.js';

/** Why a value is no token: it has not the form of one, or its secret is nobody's. */
export type NoToken = 'malformed' | 'unknown';

/** What a value leads to. A retired one counts as unknown, but for the trail. */
export type LookedUp = CachedToken | RetiredLookup | NoToken;

/** The token of a value, whatever its state: from memory where that is recent enough, else from the database. */
@Injectable()
export class CachedLookup {
  /** Where tokens came from, and how long (seconds, in all) the database took for the others. */
  readonly counts = { remembered: 0, lookedUp: 0, failed: 0, lookupSeconds: 0 };
  /** Look-ups under way, so that many requests with one value ask once. */
  private readonly underWay = new Map<string, { pending: PendingLookup; finding: Promise<LookedUp> }>();

  constructor(
    private readonly lookup: TokenLookup,
    private readonly cache: LookupCache,
  ) {}

  /** How many values are in memory. */
  get remembered(): number {
    return this.cache.size;
  }

  /** At once where memory has it. */
  find(value: string): MaybePromise<LookedUp> {
    // Unkeyed: the value has 256 random bits, and the digest never leaves this process.
    const digest = hash('sha256', value, 'binary');
    const known = this.cache.get(digest);
    if (known) {
      this.counts.remembered += 1;
      return known.found ?? 'unknown';
    }
    const tokenId = tokenIdOf(value);
    return tokenId === undefined ? 'malformed' : this.lookUp(digest, tokenId, value);
  }

  private lookUp(digest: string, tokenId: string, value: string): Promise<LookedUp> {
    const running = this.underWay.get(digest);
    // A look-up that a change has overtaken may return the old state: a request after the change starts a new one.
    if (running && !running.pending.isOvertaken) return running.finding;
    const pending = this.cache.begin(tokenId);
    const finding = this.read(pending, digest, value).finally(() => {
      if (this.underWay.get(digest)?.pending === pending) this.underWay.delete(digest);
    });
    this.underWay.set(digest, { pending, finding });
    return finding;
  }

  private async read(pending: PendingLookup, digest: string, value: string): Promise<LookedUp> {
    let outcome: Pick<Entry, 'found'> | undefined;
    try {
      const result = await this.lookup.find(value);
      outcome = {
        found:
          result instanceof RetiredLookup
            ? result
            : result && new CachedToken(result.token, result.validUntil, result.retires),
      };
      this.counts.lookedUp += 1;
      return outcome.found ?? 'unknown';
    } catch (error) {
      this.counts.failed += 1;
      throw error;
    } finally {
      this.counts.lookupSeconds += (performance.now() - pending.readAt) / 1000;
      this.cache.end(pending, digest, outcome);
    }
  }
}
