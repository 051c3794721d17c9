import { EVERYTHING } from '../database/change-feed.js';
import type { Hearing } from '../database/change-listener.js';
import type { Found } from '../tokens/token-lookup.js';

/** Well over the tokens that are in use at one moment; each takes about 2 KB. */
const MOST_FOUND = 200_000;
/** Strangers choose these values, so they share a place of their own and cannot push out the good ones. */
const MOST_UNKNOWN = 50_000;

interface Entry {
  found: Found | undefined;
  /** When the look-up began (ms of `performance.now()`): what it read was true then. */
  readAt: number;
  /** The listening connection that the look-up began under. */
  epoch: number;
  /** How old this entry may grow: spread out, so that many of one age do not all end at one moment. */
  mostAgeMs: number;
}

/** A look-up under way. What changes while it runs may not be remembered from it. */
export interface Reading {
  tokenId: string;
  readAt: number;
  epoch: number;
  isOvertaken: boolean;
}

/**
 * Remembers what look-ups found, by a digest of the presented value. Nothing older than the bound is ever given back.
 *
 * An entry is as old as its look-up; or younger, where the listening connection has proved since then that no change
 * was missed (see ChangeListener). With `hearing` undefined this process is alone in its store and hears all changes
 * itself: then nothing grows old.
 */
export class VerdictCache {
  private readonly found = new Map<string, Entry>();
  private readonly unknown = new Map<string, Entry>();
  /** Which entries a change concerns: digests by token id and by owner. */
  private readonly digestsOf = new Map<string, Set<string>>();
  private readonly readings = new Set<Reading>();

  constructor(
    private readonly boundMs: number,
    private readonly hearing: Readonly<Hearing> | undefined,
  ) {}

  get size(): number {
    return this.found.size + this.unknown.size;
  }

  /** What is known of a value and still true within the bound; undefined when it must be looked up. */
  get(digest: string): { found: Found | undefined } | undefined {
    const entry = this.found.get(digest) ?? this.unknown.get(digest);
    return entry && this.isCurrent(entry) ? entry : undefined;
  }

  begin(tokenId: string): Reading {
    const reading = {
      tokenId,
      readAt: performance.now(),
      epoch: this.hearing?.epoch ?? 0,
      isOvertaken: false,
    };
    this.readings.add(reading);
    return reading;
  }

  /** Ends a reading and remembers what it found, unless that changed in the meantime. */
  end(reading: Reading, digest: string, outcome: { found: Found | undefined } | undefined): void {
    this.readings.delete(reading);
    if (!outcome || reading.isOvertaken || this.boundMs === 0) return;
    const { readAt, epoch } = reading;
    const mostAgeMs = this.boundMs * (0.5 + Math.random() / 2);
    this.remember(digest, { found: outcome.found, readAt, epoch, mostAgeMs });
  }

  /** Forgets what these token ids and owners' uuids concern, and what is being read of them right now. */
  forget(keys: ReadonlySet<string>): void {
    const isEverything = keys.has(EVERYTHING);
    for (const reading of this.readings) {
      // Whose token it is shows only at the end: the change of an owner overtakes every look-up under way.
      const concernsOwner = [...keys].some((key) => !key.startsWith('pt-'));
      if (isEverything || concernsOwner || keys.has(reading.tokenId)) reading.isOvertaken = true;
    }
    if (isEverything) {
      this.found.clear();
      this.digestsOf.clear();
      return;
    }
    for (const key of keys) for (const digest of this.digestsOf.get(key) ?? []) this.drop(digest);
  }

  private isCurrent(entry: Entry): boolean {
    if (!this.hearing) return true;
    const { epoch, heardAt, heardBefore } = this.hearing;
    const provenAt = entry.epoch === epoch ? heardAt : entry.epoch === epoch - 1 ? heardBefore : -Infinity;
    return performance.now() - Math.max(entry.readAt, provenAt) <= entry.mostAgeMs;
  }

  private remember(digest: string, entry: Entry): void {
    this.drop(digest);
    const entries = entry.found ? this.found : this.unknown;
    entries.set(digest, entry);
    for (const key of keysOf(entry)) {
      const digests = this.digestsOf.get(key);
      if (digests) digests.add(digest);
      else this.digestsOf.set(key, new Set([digest]));
    }
    // The oldest goes first: a token in use is looked up, and so remembered, again.
    const [oldest] = entries.keys();
    if (entries.size > (entry.found ? MOST_FOUND : MOST_UNKNOWN) && oldest !== undefined) this.drop(oldest);
  }

  private drop(digest: string): void {
    this.unknown.delete(digest);
    const entry = this.found.get(digest);
    if (!entry) return;
    this.found.delete(digest);
    for (const key of keysOf(entry)) {
      const digests = this.digestsOf.get(key);
      digests?.delete(digest);
      if (digests?.size === 0) this.digestsOf.delete(key);
    }
  }
}

function keysOf({ found }: Entry): string[] {
  return found ? [found.token.tokenId, found.token.ownerId] : [];
}
