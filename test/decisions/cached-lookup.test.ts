import { beforeEach, describe, expect, test } from '@jest/globals';
import { User } from '../../src/accounts/user.entity.js';
import { CachedLookup } from '../../src/decisions/cached-lookup.js';
import { CachedToken } from '../../src/decisions/cached-token.js';
import { LookupCache } from '../../src/decisions/lookup-cache.js';
import { makeToken } from '../../src/tokens/token-format.js';
import type { LookupResult, TokenLookup } from '../../src/tokens/token-lookup.js';
import { stateOf } from '../../src/tokens/token-state.js';
import { Token } from '../../src/tokens/token.entity.js';

interface Asked {
  value: string;
  /** The database answers. */
  answer: (found: LookupResult | undefined) => void;
  fail: (error: Error) => void;
}

let asked: Asked[];
let cache: LookupCache;
let lookup: CachedLookup;
const { tokenId, value } = makeToken();

beforeEach(() => {
  asked = [];
  cache = new LookupCache(2_000, undefined);
  const find = (text: string): Promise<LookupResult | undefined> =>
    new Promise((answer, fail) => asked.push({ value: text, answer, fail }));
  const none = { find, mayBeImported: () => false };
  lookup = new CachedLookup(none as unknown as TokenLookup, cache);
});

function foundActive(revokedAt: Date | null = null): LookupResult {
  const owner = Object.assign(new User(), { id: 'the owner', disabled: false });
  const row = { tokenId, ownerId: owner.id, owner, inactive: false, expiresAt: null, revokedAt };
  return { token: Object.assign(new Token(), row), validUntil: null, retires: null };
}

/** What the value is, as it comes. */
async function state(): Promise<string> {
  const found = await lookup.find(value);
  if (typeof found === 'string') return found;
  return found instanceof CachedToken ? stateOf(found) : 'retired';
}

const change = (): void => cache.forget(new Set([tokenId]));

describe('look-ups', () => {
  test('many who ask of one value at one moment ask the database once', async () => {
    const states = [state(), state(), state()];
    expect(asked.map((one) => one.value)).toEqual([value]);
    asked[0]?.answer(foundActive());
    expect(await Promise.all(states)).toEqual(['active', 'active', 'active']);
    expect(lookup.counts).toMatchObject({ remembered: 0, lookedUp: 1, failed: 0 });
  });

  test('what was found is remembered, and is then at hand', async () => {
    const first = state();
    asked[0]?.answer(foundActive());
    await first;
    expect(lookup.find(value)).toBeInstanceOf(CachedToken);
    expect([asked.length, lookup.counts.remembered, lookup.remembered]).toEqual([1, 1, 1]);
  });

  test('one that a change has overtaken is not reused: who asks after the change asks anew', async () => {
    const before = state();
    change();
    const after = state();
    expect(asked).toHaveLength(2);
    asked[1]?.answer(foundActive(new Date()));
    expect(await after).toBe('revoked');
    asked[0]?.answer(foundActive());
    expect(await before).toBe('active');
    expect(await state()).toBe('revoked');
    expect(asked).toHaveLength(2);
  });

  test('one that a change has overtaken is not remembered', async () => {
    const before = state();
    change();
    asked[0]?.answer(foundActive());
    await before;
    expect(lookup.remembered).toBe(0);
    void state();
    expect(asked).toHaveLength(2);
  });

  test('an overtaken one that ends does not end the sharing of the one after it', async () => {
    const before = state();
    change();
    const after = state();
    asked[0]?.answer(foundActive());
    await before;
    const later = state();
    expect(asked).toHaveLength(2);
    asked[1]?.answer(foundActive(new Date()));
    expect(await Promise.all([after, later])).toEqual(['revoked', 'revoked']);
  });

  test('a failed one fails for all who waited, is counted, and leaves nothing behind', async () => {
    const states = [state(), state()].map((one) => expect(one).rejects.toThrow('no database'));
    asked[0]?.fail(new Error('no database'));
    await Promise.all(states);
    expect(lookup.remembered).toBe(0);
    expect(lookup.counts).toMatchObject({ lookedUp: 0, failed: 1 });
    const again = state();
    asked[1]?.answer(foundActive());
    expect(await again).toBe('active');
  });

  test('a value with a wrong checksum costs none', async () => {
    const wrong = `${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}`;
    expect(lookup.find(wrong)).toBe('malformed');
    expect(asked).toEqual([]);
  });
});
