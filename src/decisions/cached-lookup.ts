import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import type { MaybePromise } from '../maybe-promise.js';
import type { Presenter } from '../tokens/imports/imported-values.js';
import { tokenIdOf } from '../tokens/token-format.js';
import { RetiredLookup, TokenLookup } from '../tokens/token-lookup.js';
import { CachedToken } from './cached-token.js';
import { type Entry, LookupCache, type PendingLookup } from './lookup-cache.js';

/** Why a value is no token: it has not the form of one, or its secret is nobody's. */
export type NoToken = 'malformed' | 'unknown';

/** What a value leads to. A retired one counts as unknown, but for the trail. */
export type LookedUp = CachedToken | RetiredLookup | NoToken;

/** Who presents a value, as far as that counts for one that is not of our form. */
export interface PresentedBy extends Presenter {
  /** Whether the value may be a password: what is no token is not remembered then. */
  mayBePassword?: boolean;
}

const NOBODY: PresentedBy = { address: undefined };

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

  /** Whether a value that does not have our form may be a token's all the same. */
  mayBeImported(value: string): boolean {
    return this.lookup.mayBeImported(value);
  }

  /**
   * At once where memory has it.
   *
   * @throws {Refusal} tooMany, for a value that is not of our form.
   */
  find(value: string, presenter: PresentedBy = NOBODY): MaybePromise<LookedUp> {
    // Unkeyed: the value has 256 random bits, and the digest never leaves this process.
    const digest = hash('sha256', value, 'binary');
    const known = this.cache.get(digest);
    // A login beside the value may lead, or have led, to more than the value alone.
    if (known && (known.found || presenter.mayBePassword !== true)) {
      this.counts.remembered += 1;
      return known.found ?? 'unknown';
    }
    const tokenId = tokenIdOf(value);
    if (tokenId === undefined && !this.lookup.mayBeImported(value)) return 'malformed';
    return this.lookUp(digest, tokenId, value, presenter);
  }

  private lookUp(
    digest: string,
    tokenId: string | undefined,
    value: string,
    presenter: PresentedBy,
  ): Promise<LookedUp> {
    const key = presenter.login === undefined ? digest : `${digest} ${presenter.login}`;
    const running = this.underWay.get(key);
    // A look-up that a change has overtaken may return the old state: a request after the change starts a new one.
    if (running && !running.pending.isOvertaken) return running.finding;
    const pending = this.cache.begin(tokenId);
    const finding = this.read(pending, digest, value, presenter).finally(() => {
      if (this.underWay.get(key)?.pending === pending) this.underWay.delete(key);
    });
    this.underWay.set(key, { pending, finding });
    return finding;
  }

  private async read(
    pending: PendingLookup,
    digest: string,
    value: string,
    presenter: PresentedBy,
  ): Promise<LookedUp> {
    let outcome: Pick<Entry, 'found'> | undefined;
    let isForgotten = false;
    try {
      const result = await this.lookup.find(value, presenter);
      outcome = {
        found:
          result instanceof RetiredLookup
            ? result
            : result && new CachedToken(result.token, result.validUntil, result.retires),
      };
      const isNone = pending.tokenId === undefined && result === undefined;
      isForgotten = isNone && presenter.mayBePassword === true;
      // Nothing was imported, as it turns out.
      if (isNone && !this.lookup.mayBeImported(value)) {
        isForgotten = true;
        return 'malformed';
      }
      this.counts.lookedUp += 1;
      return outcome.found ?? 'unknown';
    } catch (error) {
      this.counts.failed += 1;
      throw error;
    } finally {
      this.counts.lookupSeconds += (performance.now() - pending.readAt) / 1000;
      this.cache.end(pending, digest, isForgotten ? undefined : outcome);
    }
  }
}
