import { EVERYTHING } from '../database/changes/change-feed.js';
import { isProven, type ReplicationState } from '../database/changes/change-listener.js';
import { IMPORTS } from '../tokens/imports/imported-forms.js';
import type { RetiredLookup } from '../tokens/token-lookup.js';
import { CachedToken } from './cached-token.js';

/** Well above the number of tokens in use at the same time; each takes about 2 KB. */
const MAX_FOUND = 200_000;
/** Attackers choose these values, and who has kept an old one sends it again and again: they have a limit of their own and cannot evict valid tokens. */
const MAX_UNKNOWN = 50_000;

export interface Entry {
  /** A token, what is known of a retired value, or nothing. */
  found: CachedToken | RetiredLookup | undefined;
  /** When the look-up began (ms of `performance.now()`): what it read was true then. */
  readAt: number;
  /** The listening connection that the look-up began under. */
  epoch: number;
  /** How old this entry may become: randomized, so that entries of one age do not all expire at once. */
  maxAgeMs: number;
  /** A value that is not of our form and was no imported one: it may be any moment, and no change names it. */
  isForeign: boolean;
}

/** A look-up in progress. If its token changes meanwhile, its result is not cached. */
export interface PendingLookup {
  /** Undefined for a value that does not say it: any change may concern that. */
  tokenId: string | undefined;
  readAt: number;
  epoch: number;
  isOvertaken: boolean;
}

/**
 * Caches the results of look-ups by a digest of the presented value. Never returns an entry older than the bound.
 *
 * An entry is as old as its look-up; or younger, where the listening connection has proved since then that no change
 * was missed (see ChangeListener). With `replication` undefined this process is alone in its store and makes all changes
 * itself: then no entry grows old.
 */
export class LookupCache {
  private readonly found = new Map<string, Entry>();
  /** Retired values are among them. */
  private readonly unknown = new Map<string, Entry>();
  /** Which entries a change concerns: digests by token id and by owner. */
  private readonly digestsOf = new Map<string, Set<string>>();
  private readonly pending = new Set<PendingLookup>();

  constructor(
    private readonly boundMs: number,
    private readonly replication: Readonly<ReplicationState> | undefined,
  ) {}

  get size(): number {
    return this.found.size + this.unknown.size;
  }

  /** The cached result of a value, if recent enough; undefined if it must be looked up. */
  get(digest: string): Pick<Entry, 'found'> | undefined {
    const entry = this.found.get(digest) ?? this.unknown.get(digest);
    return entry && this.isCurrent(entry) ? entry : undefined;
  }

  begin(tokenId: string | undefined): PendingLookup {
    const pending = {
      tokenId,
      readAt: performance.now(),
      epoch: this.replication?.epoch ?? 0,
      isOvertaken: false,
    };
    this.pending.add(pending);
    return pending;
  }

  /** Ends a look-up and caches its result, unless that changed in the meantime. */
  end(pending: PendingLookup, digest: string, outcome: Pick<Entry, 'found'> | undefined): void {
    this.pending.delete(pending);
    if (!outcome || pending.isOvertaken || this.boundMs === 0) return;
    const { readAt, epoch, tokenId } = pending;
    const isForeign = tokenId === undefined && outcome.found === undefined;
    // What is known of imports may be half the bound old itself.
    const mostAgeMs = this.boundMs * (0.5 + Math.random() / 2) * (isForeign ? 0.5 : 1);
    this.remember(digest, { found: outcome.found, readAt, epoch, maxAgeMs: mostAgeMs, isForeign });
  }

  /** Drops all entries of these token ids and owners' uuids, and marks their pending look-ups as overtaken. */
  forget(keys: ReadonlySet<string>): void {
    const isEverything = keys.has(EVERYTHING);
    for (const pending of this.pending) {
      // The owner is known only at the end of a look-up: a change of an owner overtakes all pending ones.
      const concernsOwner = [...keys].some((key) => !key.startsWith('pt-'));
      const { tokenId } = pending;
      if (isEverything || concernsOwner || tokenId === undefined || keys.has(tokenId))
        pending.isOvertaken = true;
    }
    if (isEverything) {
      this.found.clear();
      for (const [digest, { found, isForeign }] of this.unknown) {
        if (found || isForeign) this.unknown.delete(digest);
      }
      this.digestsOf.clear();
      return;
    }
    for (const key of keys) for (const digest of this.digestsOf.get(key) ?? []) this.drop(digest);
  }

  private isCurrent(entry: Entry): boolean {
    if (entry.isForeign) return performance.now() - entry.readAt <= entry.maxAgeMs;
    return isProven(this.replication, entry, entry.maxAgeMs);
  }

  private remember(digest: string, entry: Entry): void {
    this.drop(digest);
    const entries = entry.found instanceof CachedToken ? this.found : this.unknown;
    entries.set(digest, entry);
    for (const key of keysOf(entry)) {
      const digests = this.digestsOf.get(key);
      if (digests) digests.add(digest);
      else this.digestsOf.set(key, new Set([digest]));
    }
    // The oldest entry is evicted first: a token in use is looked up, and cached, again.
    const [oldest] = entries.keys();
    if (entries.size > (entries === this.found ? MAX_FOUND : MAX_UNKNOWN) && oldest !== undefined)
      this.drop(oldest);
  }

  private drop(digest: string): void {
    const entry = this.found.get(digest) ?? this.unknown.get(digest);
    if (!entry) return;
    this.found.delete(digest);
    this.unknown.delete(digest);
    for (const key of keysOf(entry)) {
      const digests = this.digestsOf.get(key);
      digests?.delete(digest);
      if (digests?.size === 0) this.digestsOf.delete(key);
    }
  }
}

function keysOf({ found, isForeign }: Entry): string[] {
  if (isForeign) return [IMPORTS];
  return found ? [found.token.tokenId, found.token.ownerId] : [];
}
