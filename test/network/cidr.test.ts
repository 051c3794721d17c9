import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { parseCallerAddress } from '../../src/network/addresses.js';
import {
  allowsAddress,
  CidrError,
  normalizeCidrs,
  parseCidr,
  reachesBeyond,
} from '../../src/network/cidr.js';

/** An address as the reference sees it: a number of so many bits. */
interface Numbered {
  bits: 32 | 128;
  number: bigint;
}

const v4 = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((number): Numbered => ({ bits: 32, number }));
const v6 = fc
  .bigInt({ min: 0n, max: 2n ** 128n - 1n })
  // IPv4-mapped ones are written as IPv4; they have tests of their own.
  .filter((number) => number >> 32n !== 0xffffn)
  .map((number): Numbered => ({ bits: 128, number }));
const address = fc.oneof(v4, v6);

function written({ bits, number }: Numbered): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.');
  return Array.from({ length: 8 }, (_, group) =>
    ((number >> BigInt(112 - 16 * group)) & 0xffffn).toString(16),
  ).join(':');
}

/** The first `prefix` bits, the rest zeros. */
function networkOf({ bits, number }: Numbered, prefix: number): Numbered {
  const free = BigInt(bits - prefix);
  return { bits, number: (number >> free) << free };
}

const block = address.chain((base) =>
  fc
    .nat(base.bits)
    .map((prefix) => ({ prefix, network: networkOf(base, prefix) }))
    .filter(({ network }) => network.bits === 32 || network.number >> 32n !== 0xffffn),
);
type Block = { prefix: number; network: Numbered };

function text({ prefix, network }: Block): string {
  return `${written(network)}/${prefix}`;
}

function holds(outer: Block, { bits, number }: Numbered): boolean {
  const free = BigInt(bits - outer.prefix);
  return outer.network.bits === bits && number >> free === outer.network.number >> free;
}

describe('an entry of an allow list', () => {
  test.each([
    ['10.0.0.1', /'10\.0\.0\.1'.*prefix length/],
    ['2001:db8::1', /'2001:db8::1'.*prefix length/],
    ['10.0.0.0/33', /'10\.0\.0\.0\/33'.*0 to 32/],
    ['2001:db8::/129', /0 to 128/],
    ['10.0.0.0/-1', /'10\.0\.0\.0\/-1'/],
    ['10.0.0.0/08', /'10\.0\.0\.0\/08'/],
    ['10.0.0.0/+8', /'10\.0\.0\.0\/\+8'/],
    ['10.0.0.0/8/8', /'10\.0\.0\.0\/8\/8'/],
    ['10.0.0.0/', /'10\.0\.0\.0\/'/],
    ['10.0.0.0/ 8', /'10\.0\.0\.0\/ 8'/],
    [' 10.0.0.0/8', /' 10\.0\.0\.0\/8'/],
    ['10.0.0.1/8', /host bits set; the block is 10\.0\.0\.0\/8/],
    ['2001:db8::1/32', /host bits set; the block is 2001:db8::\/32/],
    ['0.0.0.1/0', /host bits set; the block is 0\.0\.0\.0\/0/],
    ['010.0.0.0/8', /'010\.0\.0\.0\/8'/],
    ['10.00.0.0/8', /'10\.00\.0\.0\/8'/],
    ['0x0a.0.0.0/8', /'0x0a\.0\.0\.0\/8'/],
    ['10/8', /'10\/8'/],
    ['167772160/8', /'167772160\/8'/],
    ['fe80::%eth0/64', /'fe80::%eth0\/64'/],
    ['::ffff:10.0.0.0/104', /IPv4-mapped/],
    ['::ffff:0:0/96', /IPv4-mapped/],
    ['example.com/24', /'example\.com\/24'/],
    ['', /''/],
    ['/', /'\/'/],
    ['/8', /'\/8'/],
  ])('%j is refused by name', (entry, message) => {
    expect(() => parseCidr(entry)).toThrow(CidrError);
    expect(() => parseCidr(entry)).toThrow(message);
  });

  test.each([
    '0.0.0.0/0',
    '::/0',
    '10.0.0.0/8',
    '192.0.2.7/32',
    '2001:db8::/32',
    '2001:0db8::/32',
    '::1/128',
  ])('%s is a block', (entry) => {
    expect(normalizeCidrs([entry])).toEqual([entry]);
  });

  test('repetitions collapse, however they are written, and the first stays as it is', () => {
    const entries = ['10.0.0.0/8', '2001:0DB8::/32', '10.0.0.0/8', '2001:db8:0::/32', '10.0.0.0/9'];
    expect(normalizeCidrs(entries)).toEqual(['10.0.0.0/8', '2001:0DB8::/32', '10.0.0.0/9']);
  });

  test('a block with host bits is refused, and what the message gives is taken', () => {
    fc.assert(
      fc.property(address, fc.nat(128), (base, length) => {
        const prefix = Math.min(length, base.bits);
        const network = networkOf(base, prefix);
        // The mapped range is refused under any prefix that stays within it.
        fc.pre(network.bits === 32 || network.number >> 32n !== 0xffffn);
        const entry = `${written(base)}/${prefix}`;
        const message = messageOf(() => parseCidr(entry));
        const suggested = /the block is (\S+)$/.exec(message ?? '')?.[1] ?? entry;
        expect(message === undefined).toBe(network.number === base.number);
        expect(messageOf(() => parseCidr(suggested))).toBeUndefined();
        expect(allowsAddress([suggested], written(network))).toBe(true);
        expect(suggested.endsWith(`/${prefix}`)).toBe(true);
      }),
    );
  });

  test('no text at all is more than refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f.:/]{0,24}$/)), (entry) => {
        // Any other error than a CidrError is thrown on and fails the test.
        expect(typeof messageOf(() => parseCidr(entry))).toMatch(/^(string|undefined)$/);
      }),
    );
  });
});

describe('whom an allow list lets in', () => {
  test('an empty list lets everybody in, a list nobody whose address is not known', () => {
    expect(allowsAddress([], undefined)).toBe(true);
    expect(allowsAddress([], '10.1.2.3')).toBe(true);
    expect(allowsAddress(['0.0.0.0/0', '::/0'], undefined)).toBe(false);
    expect(allowsAddress(['0.0.0.0/0', '::/0'], 'unknown')).toBe(false);
  });

  test('0.0.0.0/0 means all of IPv4 only, ::/0 all of IPv6 only', () => {
    expect(allowsAddress(['0.0.0.0/0'], '203.0.113.9')).toBe(true);
    expect(allowsAddress(['0.0.0.0/0'], '2001:db8::1')).toBe(false);
    expect(allowsAddress(['::/0'], '2001:db8::1')).toBe(true);
    expect(allowsAddress(['::/0'], '203.0.113.9')).toBe(false);
  });

  test('the bounds of a block are in it, their neighbours are not', () => {
    const list = ['10.16.0.0/12'];
    expect(['10.16.0.0', '10.31.255.255'].map((one) => allowsAddress(list, one))).toEqual([true, true]);
    expect(['10.15.255.255', '10.32.0.0'].map((one) => allowsAddress(list, one))).toEqual([false, false]);
  });

  test('any list and any address, as a reference over whole numbers has it', () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), address, (blocks, caller) => {
        const isIn = blocks.some((one) => holds(one, caller));
        expect(allowsAddress(blocks.map(text), written(caller))).toBe(isIn);
      }),
      { numRuns: 500 },
    );
  });

  test('an address made of a block is in it', () => {
    fc.assert(
      fc.property(block, fc.bigInt({ min: 0n, max: 2n ** 128n }), (one, noise) => {
        const { bits, number } = one.network;
        const caller = { bits, number: number | (noise % 2n ** BigInt(bits - one.prefix)) } as Numbered;
        if (bits === 128 && caller.number >> 32n === 0xffffn) return;
        expect(allowsAddress([text(one)], written(caller))).toBe(true);
      }),
    );
  });
});

describe("a caller's address", () => {
  test('an IPv4-mapped address is the IPv4 address it stands for', () => {
    fc.assert(
      fc.property(v4, (one) => {
        const dotted = written(one);
        expect(parseCallerAddress(`::ffff:${dotted}`)).toBe(dotted);
        expect(parseCallerAddress(`::FFFF:${dotted}`)).toBe(dotted);
        expect(parseCallerAddress(dotted)).toBe(dotted);
        const groups = [one.number >> 16n, one.number & 0xffffn].map((group) => group.toString(16)).join(':');
        expect(parseCallerAddress(`0:0:0:0:0:ffff:${groups}`)).toBe(dotted);
      }),
    );
  });

  test('an IPv4-compatible address, which is deprecated, is IPv6 however it is written', () => {
    fc.assert(
      fc.property(v4, (one) => {
        const dotted = written(one);
        const groups = [one.number >> 16n, one.number & 0xffffn].map((group) => group.toString(16)).join(':');
        const spellings = [`::${dotted}`, `0:0:0:0:0:0:${dotted}`, `0::0:${dotted}`, `::0:${groups}`];
        const caller = written({ bits: 128, number: one.number });
        for (const spelling of spellings) {
          const parsed = parseCallerAddress(spelling);
          expect(allowsAddress([`${dotted}/32`], parsed)).toBe(false);
          expect(allowsAddress(['0.0.0.0/0'], parsed)).toBe(false);
          expect(allowsAddress([`${caller}/128`], parsed)).toBe(true);
          expect(allowsAddress([`::${dotted}/128`], parsed)).toBe(true);
        }
        expect(allowsAddress([`::${dotted}/128`], dotted)).toBe(false);
        expect(reachesBeyond([`::${dotted}/128`], [`${dotted}/32`])).toBe(true);
      }),
    );
  });

  test.each([
    ['other forms with an IPv4 address in them', '::ffff:0:203.0.113.7'],
    ['a translated address', '64:ff9b::203.0.113.7'],
    ['a neighbour of the mapped range', '::fffe:203.0.113.7'],
    ['the loopback, dotted', '::0.0.0.1'],
    ['the unspecified address, dotted', '::0.0.0.0'],
  ])('%s: %s is IPv6', (_, one) => {
    expect(parseCallerAddress(one)).toContain(':');
    expect(allowsAddress(['0.0.0.0/0'], parseCallerAddress(one))).toBe(false);
    expect(allowsAddress(['::/0'], parseCallerAddress(one))).toBe(true);
  });

  test.each([
    '',
    ' 10.0.0.1',
    '10.0.0.1:80',
    '[::1]',
    '[::1]:80',
    'localhost',
    'unknown',
    '010.0.0.1',
    'fe80::1%eth0',
  ])('%j is none', (one) => {
    expect(parseCallerAddress(one)).toBeUndefined();
  });
});

describe('reach', () => {
  test('a list reaches beyond another where it lets in somebody whom that does not', () => {
    expect(reachesBeyond(['10.0.0.0/8'], [])).toBe(false);
    expect(reachesBeyond([], [])).toBe(false);
    expect(reachesBeyond([], ['10.0.0.0/8'])).toBe(true);
    expect(reachesBeyond(['10.0.0.0/8'], ['10.0.0.0/8'])).toBe(false);
    expect(reachesBeyond(['10.1.0.0/16', '10.2.0.0/16'], ['10.0.0.0/8'])).toBe(false);
    expect(reachesBeyond(['10.0.0.0/7'], ['10.0.0.0/8'])).toBe(true);
    expect(reachesBeyond(['10.0.0.0/8', '192.0.2.0/24'], ['10.0.0.0/8'])).toBe(true);
    expect(reachesBeyond(['::/0'], ['0.0.0.0/0'])).toBe(true);
  });

  test('a list that does not reach beyond another lets nobody in whom that keeps out', () => {
    const lists = fc.array(block, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(lists, lists, (inner, outer) => {
        const isInside = inner.every((one) =>
          outer.some((bound) => bound.prefix <= one.prefix && holds(bound, one.network)),
        );
        expect(reachesBeyond(inner.map(text), outer.map(text))).toBe(!isInside);
      }),
      { numRuns: 300 },
    );
  });
});

describe('what is remembered of a list', () => {
  test('are a hundred addresses at most, whatever callers come from: each is told right all the same', () => {
    const remembering = jest.spyOn(Map.prototype, 'set');
    const blocks = ['10.0.0.0/8'];
    const told: boolean[] = [];
    const sizes: number[] = [];
    for (let number = 0; number < 1_000; number += 1) {
      told.push(allowsAddress(blocks, `${number % 2 ? 10 : 11}.0.${number >> 8}.${number & 255}`));
      sizes.push((remembering.mock.contexts.at(-1) as Map<unknown, unknown>).size);
    }
    remembering.mockRestore();
    expect(told).toEqual(Array.from({ length: 1_000 }, (_, number) => number % 2 === 1));
    expect(Math.max(...sizes)).toBe(100);
  });

  test('is forgotten with the list: another one with other blocks decides anew', () => {
    const blocks = ['10.0.0.0/8'];
    expect(allowsAddress(blocks, '10.1.2.3')).toBe(true);
    expect(allowsAddress(['11.0.0.0/8'], '10.1.2.3')).toBe(false);
    expect(allowsAddress(blocks, '10.1.2.3')).toBe(true);
  });
});

/** What a text is refused with; undefined where it is not. */
function messageOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof CidrError)) throw error;
    return error.message;
  }
}
