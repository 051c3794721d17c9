import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { contains, isFault, parseCidr, sizeOf } from '../../console/src/parts/cidr.js';
import { CidrError, parseCidr as serverParse, reachesBeyond } from '../../src/network/cidr.js';

/** What the server thinks: the network it reads, or undefined where it refuses. */
function onServer(entry: string): string | undefined {
  try {
    const { network, prefix } = serverParse(entry);
    return `${network.toByteArray().join('.')}/${prefix}`;
  } catch (error) {
    if (error instanceof CidrError) return undefined;
    throw error;
  }
}

function inConsole(entry: string): string | undefined {
  const parsed = parseCidr(entry);
  if (isFault(parsed)) return undefined;
  const bytes = parsed.version === 4 ? 4 : 16;
  const list = Array.from({ length: bytes }, (_, index) => {
    return String((parsed.network >> BigInt(8 * (bytes - 1 - index))) & 0xffn);
  });
  return `${list.join('.')}/${parsed.prefix}`;
}

const address = fc.oneof(fc.ipV4(), fc.ipV6());
const entry = fc.oneof(
  fc.tuple(address, fc.integer({ min: 0, max: 130 })).map(([text, prefix]) => `${text}/${prefix}`),
  fc.string({ unit: fc.constantFrom(...'0123456789abf:./'.split('')), maxLength: 24 }),
  address,
);

describe('a block as the console reads it', () => {
  test('is what the server reads, and nothing that it refuses', () => {
    fc.assert(
      fc.property(entry, (text) => expect(inConsole(text)).toBe(onServer(text))),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['10.0.0.1/8', 'hostBits', '10.0.0.0/8'],
    ['2001:db8:0:0:1::1/64', 'hostBits', '2001:db8::/64'],
    ['10.1.2.3', 'noPrefix', '10.1.2.3/32'],
    ['::1', 'noPrefix', '::1/128'],
    ['10.0.0.0/33', 'prefixTooLong', '10.0.0.0/32'],
    ['::ffff:10.0.0.0/104', 'mapped', undefined],
    ['010.0.0.0/8', 'noBlock', undefined],
    ['10.0.0.0/08', 'noBlock', undefined],
    ['fe80::1%eth0/64', 'noBlock', undefined],
  ])('%s has the fault %s, and %s was probably meant', (text, kind, suggestion) => {
    expect(parseCidr(text)).toEqual(suggestion === undefined ? { kind } : { kind, suggestion });
    expect(onServer(text)).toBeUndefined();
    expect(suggestion === undefined || onServer(suggestion) !== undefined).toBe(true);
  });

  test('what it suggests instead of host bits is a block for the server as well', () => {
    fc.assert(
      fc.property(address, fc.integer({ min: 1, max: 32 }), (text, prefix) => {
        const parsed = parseCidr(`${text}/${prefix}`);
        fc.pre(isFault(parsed) && parsed.kind === 'hostBits');
        expect(onServer((isFault(parsed) && parsed.suggestion) || '')).toBeDefined();
      }),
      { numRuns: 1_000 },
    );
  });

  test('lies within another where the server says so', () => {
    const block = fc
      .tuple(
        fc.oneof(fc.constant('10.0.0.0'), fc.constant('10.128.0.0'), fc.constant('2001:db8::')),
        fc.integer({ min: 9, max: 32 }),
      )
      .map(([network, prefix]) => `${network}/${prefix}`);
    fc.assert(
      fc.property(block, block, (outer, inner) => {
        const [one, other] = [parseCidr(outer), parseCidr(inner)];
        if (isFault(one) || isFault(other)) return;
        expect(contains(one, other)).toBe(!reachesBeyond([inner], [outer]));
      }),
    );
  });

  test('has two to the power of its free bits addresses', () => {
    const sizes = ['10.0.0.0/24', '10.0.0.1/32', '::/0'].map((text) => {
      const parsed = parseCidr(text);
      return isFault(parsed) ? 0n : sizeOf(parsed);
    });
    expect(sizes).toEqual([256n, 1n, 2n ** 128n]);
  });
});
