import { describe, expect, test } from '@jest/globals';
import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { canonicalJson } from '../../src/audit/chain/canonical-json.js';
import type { Gap } from '../../src/audit/chain/audit-sealing.entity.js';
import { newGaps, remaining } from '../../src/audit/chain/gaps.js';
import { packLeaves, unpackLeaves } from '../../src/audit/chain/leaves.js';
import { leafHash, merkleRoot } from '../../src/audit/chain/merkle-tree.js';
import { isSignedBy } from '../../src/audit/chain/signatures.js';
import { AuditKeyRing } from '../../src/hashing/audit-key-ring.js';

describe('the Merkle tree', () => {
  // The inputs and roots of Certificate Transparency's reference implementation (RFC 6962, whose hashing RFC 9162 keeps).
  const inputs = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ];
  const leaves = inputs.map((hex) => leafHash(Buffer.from(hex, 'hex').toString()));
  test.each([
    [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [3, 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('of %i leaves has the root that others compute', (count, root) => {
    expect(merkleRoot(leaves.slice(0, count)).toString('hex')).toBe(root);
  });
});

describe('canonical JSON', () => {
  test('is that of the examples of RFC 8785', () => {
    const value: unknown = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    );
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
    expect(Object.values(JSON.parse(canonicalJson(keys)) as object)).toEqual([4, 2, 6, 7, 1, 5, 3]);
  });

  test('is the same of a value and of what JSON makes of it', () => {
    fc.assert(
      fc.property(fc.anything({ withDate: true, withSparseArray: false }), (value) => {
        const text = JSON.stringify(value);
        if (text === undefined || /\\ud[89a-f]/.test(text)) return;
        expect(canonicalJson(value)).toBe(canonicalJson(JSON.parse(text)));
      }),
    );
  });

  test('has all keys in the order of their code units, few or many', () => {
    const key = fc.oneof(fc.string(), fc.string({ unit: 'grapheme-composite' }), fc.nat().map(String));
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 100 }), (keys) => {
        const canonical = canonicalJson(Object.fromEntries(keys.map((one) => [one, null])));
        const members = keys.toSorted((one, other) => (one < other ? -1 : 1));
        expect(canonical).toBe(`{${members.map((one) => `${JSON.stringify(one)}:null`).join(',')}}`);
      }),
    );
  });
});

test('leaves are read as they were written', () => {
  const leaf = fc.record({
    event: fc.uuid(),
    ordinal: fc.maxSafeNat(),
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(fc.array(leaf), (leaves) => {
      expect(unpackLeaves(packLeaves(leaves))).toEqual(leaves);
    }),
  );
});

describe('the keys of the trail', () => {
  const [one, other] = ['one', 'other'].map((name) => ({ name, secret: randomBytes(32) }));
  if (!one || !other) throw new Error('There are two keys');
  const ring = new AuditKeyRing([one, other]);

  test('sign with the first of the ring, and are what anybody verifies with', () => {
    const [first, second] = ring.publicKeys;
    const signature = ring.sign('text');
    expect(first && isSignedBy(first, 'text', signature)).toBe(true);
    expect(first && isSignedBy(first, 'other text', signature)).toBe(false);
    expect(second && isSignedBy(second, 'text', signature)).toBe(false);
    expect(first && isSignedBy(first, 'text', 'nonsense')).toBe(false);
  });

  test('are the same at each start, and others for other bytes under the same name', () => {
    expect(new AuditKeyRing([one, other]).publicKeys).toEqual(ring.publicKeys);
    const renewed = new AuditKeyRing([{ ...one, secret: randomBytes(32) }]);
    expect(renewed.keyId).toMatch(/^one-[\w-]{11}$/);
    expect(renewed.keyId).not.toBe(ring.keyId);
  });

  test('know the codes of all keys of the ring, and no others', () => {
    const mac = new AuditKeyRing([other]).macOf('text');
    expect(ring.matches('text', mac)).toBe(true);
    expect(ring.matches('text.', mac)).toBe(false);
    expect(ring.matches('text', mac.subarray(0, 8))).toBe(false);
    expect(ring.matches('text', Buffer.alloc(0))).toBe(false);
    expect(new AuditKeyRing([one]).matches('text', mac)).toBe(false);
    // One key serves one purpose: it is not the one that digests tokens.
    const digest = createHmac('sha256', one.secret).update('text').digest();
    expect(ring.matches('text', digest.subarray(0, 16))).toBe(false);
  });
});

describe('gaps', () => {
  const look = (
    found: number[],
    { xmin = 10n, xmax = 20n, now = 0 } = {},
  ): Parameters<typeof remaining>[1] => ({
    found,
    xmin,
    xmax,
    now,
  });
  const gap = (low: number, high: number): Gap => ({ low, high, horizon: '20', since: 0 });

  test('are what is not there below the highest ordinal', () => {
    expect(newGaps(2, 10, look([3, 5, 6, 10]))).toEqual([gap(4, 4), gap(7, 9)]);
    expect(newGaps(2, 5, look([3, 4, 5]))).toEqual([]);
    expect(newGaps(2, 2, look([]))).toEqual([]);
  });

  test('lose what turns up', () => {
    expect(remaining([gap(4, 4), gap(7, 9)], look([4, 8]))).toEqual([gap(7, 7), gap(9, 9)]);
  });

  test('close once all transactions of their time are over, and a minute has gone by', () => {
    const minute = 60_000;
    expect(remaining([gap(4, 4)], look([], { xmin: 19n, xmax: 30n, now: minute }))).toHaveLength(1);
    expect(remaining([gap(4, 4)], look([], { xmin: 20n, xmax: 30n, now: minute - 1 }))).toHaveLength(1);
    expect(remaining([gap(4, 4)], look([], { xmin: 20n, xmax: 30n, now: minute }))).toEqual([]);
  });

  test('close in a cluster that counts its transactions anew', () => {
    expect(remaining([gap(4, 4)], look([], { xmin: 3n, xmax: 5n }))).toEqual([]);
  });
});
