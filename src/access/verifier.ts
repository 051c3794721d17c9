import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import { type Found, TokenLookup } from '../tokens/token-lookup.js';
import { tokenIdOf } from '../tokens/token-format.js';
import { type Verdict, verdictOn } from '../tokens/verdict.js';
import { after, type Soon } from './soon.js';
import { type Reading, VerdictCache } from './verdict-cache.js';

/** Whether a value is a token that works now: from memory where that is recent enough, else from the database. */
@Injectable()
export class Verifier {
  /** What verdicts came from, and how long (seconds, in all) the database took for the others. */
  readonly counts = { remembered: 0, lookedUp: 0, failed: 0, lookupSeconds: 0 };
  /** Look-ups under way, so that many requests with one value ask once. */
  private readonly underWay = new Map<string, { reading: Reading; finding: Promise<Found | undefined> }>();

  constructor(
    private readonly lookup: TokenLookup,
    private readonly cache: VerdictCache,
  ) {}

  /** How many verdicts are in memory. */
  get remembered(): number {
    return this.cache.size;
  }

  /** A verdict at once where memory has it. */
  verify(value: string): Soon<Verdict> {
    // One-shot and unkeyed: what it digests has 256 random bits, and it never leaves this process.
    const digest = hash('sha256', value, 'binary');
    const known = this.cache.get(digest);
    if (known) {
      this.counts.remembered += 1;
      return verdictOn(known.found);
    }
    const tokenId = tokenIdOf(value);
    if (tokenId === undefined) return { isValid: false, reason: 'malformed' };
    return after(this.find(digest, tokenId, value), (found) => verdictOn(found));
  }

  private find(digest: string, tokenId: string, value: string): Promise<Found | undefined> {
    const running = this.underWay.get(digest);
    // One that a change has overtaken may find what was true before: who asks after the change asks anew.
    if (running && !running.reading.isOvertaken) return running.finding;
    const reading = this.cache.begin(tokenId);
    const finding = this.read(reading, digest, value).finally(() => {
      if (this.underWay.get(digest)?.reading === reading) this.underWay.delete(digest);
    });
    this.underWay.set(digest, { reading, finding });
    return finding;
  }

  private async read(reading: Reading, digest: string, value: string): Promise<Found | undefined> {
    let outcome: { found: Found | undefined } | undefined;
    try {
      outcome = { found: await this.lookup.find(value) };
      this.counts.lookedUp += 1;
      return outcome.found;
    } catch (problem) {
      this.counts.failed += 1;
      throw problem;
    } finally {
      this.counts.lookupSeconds += (performance.now() - reading.readAt) / 1000;
      this.cache.end(reading, digest, outcome);
    }
  }
}
