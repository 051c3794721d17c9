import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { EVERYTHING } from '../../src/database/changes/change-feed.js';
import type { ReplicationState } from '../../src/database/changes/change-listener.js';
import { CachedToken } from '../../src/decisions/cached-token.js';
import { LookupCache } from '../../src/decisions/lookup-cache.js';
import { IMPORTS } from '../../src/tokens/imports/imported-forms.js';
import { Token } from '../../src/tokens/token.entity.js';

const BOUND_MS = 2_000;
const TOKEN_ID = 'pt-AAAAAAAAAAAA';
const OTHER_ID = 'pt-BBBBBBBBBBBB';
const OWNER = '11111111-1111-4111-8111-111111111111';

beforeEach(() => {
  jest.useFakeTimers();
  // Every entry may then grow as old as the bound, to the millisecond.
  jest.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

function foundOf(tokenId = TOKEN_ID, ownerId = OWNER): CachedToken {
  return new CachedToken(Object.assign(new Token(), { tokenId, ownerId }), null);
}

/** What a listening connection has proved: nothing, unless a test says so. */
function replication(proven: Partial<ReplicationState> = {}): ReplicationState {
  return { epoch: 1, caughtUpAt: -Infinity, previousCaughtUpAt: -Infinity, ...proven };
}

/** Looks a value up and remembers what was found, in no time. */
function remember(cache: LookupCache, digest: string, found: CachedToken | undefined): void {
  cache.end(cache.begin(found?.token.tokenId ?? TOKEN_ID), digest, { found });
}

function knows(cache: LookupCache, digest: string): boolean {
  return cache.get(digest) !== undefined;
}

describe('how old an entry may be', () => {
  test('with nothing heard it is given back up to the bound, and not a moment longer', () => {
    const cache = new LookupCache(BOUND_MS, replication());
    const found = foundOf();
    remember(cache, 'good', found);
    remember(cache, 'unknown', undefined);
    jest.advanceTimersByTime(BOUND_MS);
    expect(cache.get('good')?.found).toBe(found);
    expect(cache.get('unknown')).toEqual(expect.objectContaining({ found: undefined }));
    jest.advanceTimersByTime(1);
    expect([knows(cache, 'good'), knows(cache, 'unknown')]).toEqual([false, false]);
  });

  test('its age counts from the beginning of its look-up, however long that took', () => {
    const cache = new LookupCache(BOUND_MS, replication());
    const pending = cache.begin(TOKEN_ID);
    jest.advanceTimersByTime(BOUND_MS - 1);
    cache.end(pending, 'slow', { found: foundOf() });
    expect(knows(cache, 'slow')).toBe(true);
    jest.advanceTimersByTime(2);
    expect(knows(cache, 'slow')).toBe(false);
  });

  test('entries of one age do not all end at one moment: the first after half the bound', () => {
    const cache = new LookupCache(BOUND_MS, replication());
    jest.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(0.5);
    remember(cache, 'first', foundOf());
    remember(cache, 'second', foundOf());
    jest.advanceTimersByTime(BOUND_MS / 2);
    expect([knows(cache, 'first'), knows(cache, 'second')]).toEqual([true, true]);
    jest.advanceTimersByTime(1);
    expect([knows(cache, 'first'), knows(cache, 'second')]).toEqual([false, true]);
    jest.advanceTimersByTime(BOUND_MS / 4);
    expect(knows(cache, 'second')).toBe(false);
  });

  test('a bound of 0 remembers nothing', () => {
    for (const heard of [replication(), undefined]) {
      const cache = new LookupCache(0, heard);
      remember(cache, 'good', foundOf());
      expect([knows(cache, 'good'), cache.size]).toEqual([false, 0]);
    }
  });

  test('who is alone in a store hears every change: nothing grows old', () => {
    const cache = new LookupCache(BOUND_MS, undefined);
    remember(cache, 'good', foundOf());
    jest.advanceTimersByTime(1_000 * BOUND_MS);
    expect(knows(cache, 'good')).toBe(true);
  });
});

describe('what a listening connection proves', () => {
  test('while heartbeats come back an entry of that connection stays, up to the bound after the last', () => {
    const heard = replication();
    const cache = new LookupCache(BOUND_MS, heard);
    remember(cache, 'good', foundOf());
    for (let beat = 0; beat < 10; beat += 1) {
      jest.advanceTimersByTime(BOUND_MS / 2);
      heard.caughtUpAt = performance.now();
    }
    jest.advanceTimersByTime(BOUND_MS);
    expect(knows(cache, 'good')).toBe(true);
    jest.advanceTimersByTime(1);
    expect(knows(cache, 'good')).toBe(false);
  });

  test('a later connection proves nothing of what was read before it', () => {
    const heard = replication();
    const cache = new LookupCache(BOUND_MS, heard);
    remember(cache, 'good', foundOf());
    jest.advanceTimersByTime(BOUND_MS / 2);
    heard.epoch = 2;
    jest.advanceTimersByTime(BOUND_MS);
    heard.caughtUpAt = performance.now();
    expect(knows(cache, 'good')).toBe(false);
    remember(cache, 'fresh', foundOf());
    expect(knows(cache, 'fresh')).toBe(true);
  });

  test('what the connection before had proved counts on, but not that of two before', () => {
    const heard = replication();
    const cache = new LookupCache(BOUND_MS, heard);
    remember(cache, 'good', foundOf());
    jest.advanceTimersByTime(BOUND_MS);
    Object.assign(heard, { epoch: 2, previousCaughtUpAt: performance.now() });
    jest.advanceTimersByTime(BOUND_MS / 2);
    expect(knows(cache, 'good')).toBe(true);
    Object.assign(heard, { epoch: 3, previousCaughtUpAt: performance.now() });
    expect(knows(cache, 'good')).toBe(false);
  });

  test('a look-up that began under the connection before is not proved by the one it ended under', () => {
    const heard = replication();
    const cache = new LookupCache(BOUND_MS, heard);
    const pending = cache.begin(TOKEN_ID);
    heard.epoch = 2;
    cache.end(pending, 'good', { found: foundOf() });
    jest.advanceTimersByTime(BOUND_MS + 1);
    heard.caughtUpAt = performance.now();
    expect(knows(cache, 'good')).toBe(false);
  });
});

describe('a change', () => {
  test.each([
    ['of a token', TOKEN_ID, ['theirs']],
    ['of an owner', OWNER, []],
  ])('%s forgets every value it concerns, and no other', (_, key, left) => {
    const cache = new LookupCache(BOUND_MS, undefined);
    remember(cache, 'value', foundOf());
    remember(cache, 'value in grace', foundOf());
    remember(cache, 'theirs', foundOf(OTHER_ID));
    remember(cache, 'stranger', foundOf('pt-CCCCCCCCCCCC', 'another owner'));
    cache.forget(new Set([key]));
    const all = ['value', 'value in grace', 'theirs', 'stranger'];
    expect(all.filter((digest) => knows(cache, digest))).toEqual([...left, 'stranger']);
  });

  test('of everything forgets every token', () => {
    const cache = new LookupCache(BOUND_MS, undefined);
    remember(cache, 'value', foundOf());
    remember(cache, 'theirs', foundOf(OTHER_ID, 'another owner'));
    cache.forget(new Set([EVERYTHING]));
    expect([knows(cache, 'value'), knows(cache, 'theirs')]).toEqual([false, false]);
  });

  test('finds what was remembered again after it', () => {
    const cache = new LookupCache(BOUND_MS, undefined);
    for (const key of [TOKEN_ID, OWNER, EVERYTHING]) {
      remember(cache, 'value', foundOf());
      cache.forget(new Set([key]));
      remember(cache, 'value', foundOf());
      expect(knows(cache, 'value')).toBe(true);
      cache.forget(new Set([key]));
      expect(knows(cache, 'value')).toBe(false);
    }
  });

  test.each([
    ['its token', TOKEN_ID, true],
    ['an owner, who may be its own', 'some owner', true],
    ['everything', EVERYTHING, true],
    ['another token', OTHER_ID, false],
  ])('of %s overtakes a look-up under way: %s, %s', (_, key, isOvertaken) => {
    const cache = new LookupCache(BOUND_MS, undefined);
    const pending = cache.begin(TOKEN_ID);
    cache.forget(new Set([key]));
    expect(pending.isOvertaken).toBe(isOvertaken);
    cache.end(pending, 'value', { found: foundOf() });
    expect(knows(cache, 'value')).toBe(!isOvertaken);
  });

  test('does not concern a look-up that has ended, nor one that begins after it', () => {
    const cache = new LookupCache(BOUND_MS, undefined);
    const ended = cache.begin(TOKEN_ID);
    cache.end(ended, 'value', undefined);
    cache.forget(new Set([TOKEN_ID]));
    expect(ended.isOvertaken).toBe(false);
    remember(cache, 'value', foundOf());
    expect(knows(cache, 'value')).toBe(true);
  });
});

describe('how much is remembered', () => {
  test('a failed look-up is not', () => {
    const cache = new LookupCache(BOUND_MS, undefined);
    cache.end(cache.begin(TOKEN_ID), 'value', undefined);
    expect([knows(cache, 'value'), cache.size]).toEqual([false, 0]);
  });

  test('of values that are no token 50,000: strangers push out the oldest of theirs, and no good one', () => {
    const cache = new LookupCache(BOUND_MS, undefined);
    remember(cache, 'good', foundOf());
    for (let count = 0; count < 50_000; count += 1) remember(cache, `unknown ${count}`, undefined);
    expect([cache.size, knows(cache, 'unknown 0')]).toEqual([50_001, true]);
    remember(cache, 'one more', undefined);
    expect(cache.size).toBe(50_001);
    const digests = ['good', 'one more', 'unknown 0', 'unknown 1'];
    expect(digests.map((digest) => knows(cache, digest))).toEqual([true, true, false, true]);
  });

  test('of tokens 200,000: the one looked up longest ago goes first', () => {
    const cache = new LookupCache(BOUND_MS, undefined);
    const found = foundOf();
    remember(cache, 'unknown', undefined);
    for (let count = 0; count < 200_000; count += 1) remember(cache, `good ${count}`, found);
    // Looked up once more, the first is the youngest.
    remember(cache, 'good 0', found);
    expect(cache.size).toBe(200_001);
    remember(cache, 'one more', found);
    expect(cache.size).toBe(200_001);
    const digests = ['unknown', 'one more', 'good 0', 'good 1', 'good 2'];
    expect(digests.map((digest) => knows(cache, digest))).toEqual([true, true, true, false, true]);
  });

  test('a value that was unknown and is a token now takes one place', () => {
    const cache = new LookupCache(BOUND_MS, undefined);
    remember(cache, 'value', undefined);
    remember(cache, 'value', foundOf());
    expect(cache.size).toBe(1);
    expect(cache.get('value')?.found).toBeDefined();
    remember(cache, 'value', undefined);
    expect(cache.size).toBe(1);
    expect(cache.get('value')?.found).toBeUndefined();
  });

  test('of what is forgotten nothing stays, in the index neither', () => {
    const cache = new LookupCache(BOUND_MS, undefined);
    const index = Reflect.get(cache, 'digestsOf') as Map<string, Set<string>>;
    for (const key of [TOKEN_ID, OWNER, EVERYTHING]) {
      for (const digest of ['value', 'value in grace']) remember(cache, digest, foundOf());
      cache.forget(new Set([key]));
      expect([cache.size, index.size]).toEqual([0, 0]);
    }
    for (const digest of ['one', 'other']) remember(cache, digest, foundOf());
    remember(cache, 'one', undefined);
    expect([...index].map(([key, digests]) => [key, ...digests])).toEqual([
      [TOKEN_ID, 'other'],
      [OWNER, 'other'],
    ]);
  });
});

describe('a value that does not say whose it is', () => {
  const begun = (cache: LookupCache, digest: string): void =>
    cache.end(cache.begin(undefined), digest, { found: undefined });

  test('is remembered as unknown for half the bound at most, whatever the listening connection has proved', () => {
    for (const heard of [replication({ caughtUpAt: Infinity }), undefined]) {
      const cache = new LookupCache(BOUND_MS, heard);
      begun(cache, 'foreign');
      jest.advanceTimersByTime(BOUND_MS / 2);
      expect(knows(cache, 'foreign')).toBe(true);
      jest.advanceTimersByTime(1);
      expect(knows(cache, 'foreign')).toBe(false);
    }
  });

  test('is forgotten when something was imported, and by nothing else', () => {
    const cache = new LookupCache(BOUND_MS, replication());
    begun(cache, 'foreign');
    cache.forget(new Set([TOKEN_ID, OWNER]));
    expect(knows(cache, 'foreign')).toBe(true);
    cache.forget(new Set([IMPORTS]));
    expect(knows(cache, 'foreign')).toBe(false);
    begun(cache, 'foreign');
    cache.forget(new Set([EVERYTHING]));
    expect(knows(cache, 'foreign')).toBe(false);
  });

  test('is not remembered where anything changed meanwhile', () => {
    const cache = new LookupCache(BOUND_MS, replication());
    const pending = cache.begin(undefined);
    cache.forget(new Set([OTHER_ID]));
    cache.end(pending, 'foreign', { found: foundOf() });
    expect(knows(cache, 'foreign')).toBe(false);
  });
});
