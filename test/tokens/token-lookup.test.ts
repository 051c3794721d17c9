import { beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { BatchedLookup } from '../../src/database/batched-lookup.js';
import { HashingService } from '../../src/hashing/hashing.service.js';
import { makeToken } from '../../src/tokens/token-format.js';
import type { ImportedValues } from '../../src/tokens/imports/imported-values.js';
import type { RetiredValues } from '../../src/tokens/rotation/retired-values.js';
import { type LookupRow, TokenLookup } from '../../src/tokens/token-lookup.js';
import type { Token } from '../../src/tokens/token.entity.js';

const hashing = new HashingService([{ name: 'k1', secret: randomBytes(32) }], 4);

let rows: Map<string, Partial<LookupRow>>;
let lookup: TokenLookup;
beforeEach(() => {
  rows = new Map();
  const query = { row: async (tokenId: string) => rows.get(tokenId) };
  lookup = new TokenLookup(
    query as unknown as BatchedLookup<LookupRow>,
    hashing,
    {} as DataSource,
    {} as RetiredValues,
    {} as ImportedValues,
  );
});

/** Reads a token of a row that the database has. */
async function found(row: Partial<LookupRow>): Promise<Token> {
  const { tokenId, value } = makeToken();
  const { digest, keyName } = hashing.digestToken(value);
  const whole = {
    token_id: tokenId,
    digest,
    digest_key: keyName,
    owner_id: 'ada',
    scopes: [],
    allowed_cidrs: [],
  };
  rows.set(tokenId, { ...whole, ...row });
  const token = (await lookup.find(value))?.token;
  if (!token) throw new Error('Not found');
  return token;
}

describe('what tokens have in common', () => {
  test('is one owner, as long as nothing of the owner differs', async () => {
    const [one, other] = [await found({ login: 'ada' }), await found({ login: 'ada' })];
    expect(other.owner).toBe(one.owner);
    const renamed = await found({ login: 'ada', disabled: true });
    expect([renamed.owner.disabled, one.owner.disabled]).toEqual([true, undefined]);
    expect((await found({ owner_id: 'bob', login: 'bob' })).owner.login).toBe('bob');
  });

  test('is one list, where it is the same to the last entry', async () => {
    const [one, other] = [await found({ scopes: ['a', 'b'] }), await found({ scopes: ['a', 'b'] })];
    expect(other.scopes).toBe(one.scopes);
    for (const scopes of [['a,b'], ['b', 'a'], ['a'], ['a', 'b', '']])
      expect((await found({ scopes })).scopes).toEqual(scopes);
  });

  test('is kept for 10,000 owners and lists at most', async () => {
    const sizes = (): number[] =>
      ['owners', 'lists'].map((name) => (Reflect.get(lookup, name) as Map<string, unknown>).size);
    let most = 0;
    for (let count = 0; count < 10_500; count += 1) {
      await found({ owner_id: `owner ${count}`, scopes: [`scope ${count}`] });
      most = Math.max(most, ...sizes());
    }
    expect(most).toBe(10_000);
  });
});
