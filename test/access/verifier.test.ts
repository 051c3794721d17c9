import { beforeEach, describe, expect, test } from '@jest/globals';
import { User } from '../../src/accounts/user.entity.js';
import { VerdictCache } from '../../src/access/verdict-cache.js';
import { Verifier } from '../../src/access/verifier.js';
import { Token } from '../../src/tokens/token.entity.js';
import { makeToken } from '../../src/tokens/token-format.js';
import type { Found, TokenLookup } from '../../src/tokens/token-lookup.js';
import type { Verdict } from '../../src/tokens/verdict.js';

interface Asked {
  value: string;
  /** The database answers. */
  answer: (found: Found | undefined) => void;
  fail: (problem: Error) => void;
}

let asked: Asked[];
let cache: VerdictCache;
let verifier: Verifier;
const { tokenId, value } = makeToken();

beforeEach(() => {
  asked = [];
  cache = new VerdictCache(2_000, undefined);
  const find = (text: string): Promise<Found | undefined> =>
    new Promise((answer, fail) => asked.push({ value: text, answer, fail }));
  verifier = new Verifier({ find } as unknown as TokenLookup, cache);
});

function foundActive(revokedAt: Date | null = null): Found {
  const owner = Object.assign(new User(), { id: 'the owner', disabled: false });
  const row = { tokenId, ownerId: owner.id, owner, inactive: false, expiresAt: null, revokedAt };
  return { token: Object.assign(new Token(), row), validUntil: null };
}

/** The verdict on the value, as it comes. */
async function verdict(): Promise<string> {
  const reached: Verdict = await verifier.verify(value);
  return reached.isValid ? 'valid' : reached.reason;
}

const change = (): void => cache.forget(new Set([tokenId]));

describe('look-ups', () => {
  test('many who ask of one value at one moment ask the database once', async () => {
    const verdicts = [verdict(), verdict(), verdict()];
    expect(asked.map((one) => one.value)).toEqual([value]);
    asked[0]?.answer(foundActive());
    expect(await Promise.all(verdicts)).toEqual(['valid', 'valid', 'valid']);
    expect(verifier.counts).toMatchObject({ remembered: 0, lookedUp: 1, failed: 0 });
  });

  test('what was found is remembered, and the verdict is then at hand', async () => {
    const first = verdict();
    asked[0]?.answer(foundActive());
    await first;
    expect(verifier.verify(value)).toMatchObject({ isValid: true });
    expect([asked.length, verifier.counts.remembered, verifier.remembered]).toEqual([1, 1, 1]);
  });

  test('one that a change has overtaken is not reused: who asks after the change asks anew', async () => {
    const before = verdict();
    change();
    const after = verdict();
    expect(asked).toHaveLength(2);
    asked[1]?.answer(foundActive(new Date()));
    expect(await after).toBe('revoked');
    asked[0]?.answer(foundActive());
    expect(await before).toBe('valid');
    expect(await verdict()).toBe('revoked');
    expect(asked).toHaveLength(2);
  });

  test('one that a change has overtaken is not remembered', async () => {
    const before = verdict();
    change();
    asked[0]?.answer(foundActive());
    await before;
    expect(verifier.remembered).toBe(0);
    void verdict();
    expect(asked).toHaveLength(2);
  });

  test('an overtaken one that ends does not end the sharing of the one after it', async () => {
    const before = verdict();
    change();
    const after = verdict();
    asked[0]?.answer(foundActive());
    await before;
    const later = verdict();
    expect(asked).toHaveLength(2);
    asked[1]?.answer(foundActive(new Date()));
    expect(await Promise.all([after, later])).toEqual(['revoked', 'revoked']);
  });

  test('a failed one fails for all who waited, is counted, and leaves nothing behind', async () => {
    const verdicts = [verdict(), verdict()].map((one) => expect(one).rejects.toThrow('no database'));
    asked[0]?.fail(new Error('no database'));
    await Promise.all(verdicts);
    expect(verifier.remembered).toBe(0);
    expect(verifier.counts).toMatchObject({ lookedUp: 0, failed: 1 });
    const again = verdict();
    asked[1]?.answer(foundActive());
    expect(await again).toBe('valid');
  });

  test('a value with a wrong checksum costs none', async () => {
    const wrong = `${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}`;
    expect(verifier.verify(wrong)).toEqual({ isValid: false, reason: 'malformed' });
    expect(asked).toEqual([]);
  });
});
