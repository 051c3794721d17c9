import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withoutSecrets } from '../../src/secrets.js';
import {
  BASE62,
  fromBase62,
  looksLikeToken,
  makeToken,
  toBase62,
  TOKEN_PATTERN,
  tokenIdOf,
  withFreshSecret,
} from '../../src/tokens/token-format.js';

/** CRC-32 as in ISO 3309 and zlib, bit by bit: nothing of what is tested computes it. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Six digits of base 62, most significant first. */
function sixDigits(number: number): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let text = '';
  for (let place = 5; place >= 0; place -= 1) text += alphabet[Math.floor(number / 62 ** place) % 62];
  return text;
}

describe('the format of tokens', () => {
  test('the reference CRC here agrees with published check values', () => {
    expect(crc32('123456789')).toBe(0xcbf43926);
    expect(crc32('The quick brown fox jumps over the lazy dog')).toBe(0x414fa339);
    expect(sixDigits(0)).toBe('000000');
    expect(sixDigits(61)).toBe('00000z');
    expect(sixDigits(62)).toBe('000010');
    expect(sixDigits(0xffffffff)).toBe('4gfFC3');
  });

  test('a token is pt-, 12 digits, _, 43 digits of secret and 6 of checksum', () => {
    for (let count = 0; count < 200; count += 1) {
      const { tokenId, value } = makeToken();
      expect(value).toMatch(/^pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
      expect(tokenId).toBe(value.split('_')[0]);
      expect(value.slice(-6)).toBe(sixDigits(crc32(value.slice(0, -6))));
      expect(tokenIdOf(value)).toBe(tokenId);
    }
  });

  test('fixed values: a right checksum passes, also one with leading zeros, and a wrong one does not', () => {
    // The sums were computed by another program (Python's zlib.crc32); they stand apart from their texts.
    const cases: [unsigned: string, sum: number][] = [
      [`pt-000000000000_${'0'.repeat(43)}`, 3513622481],
      [`pt-zzzzzzzzzzzz_${'z'.repeat(43)}`, 1287073185],
      ['pt-AbCdEf012345_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg', 122687311],
      [`pt-000000000446_${'q'.repeat(43)}`, 10212244],
    ];
    for (const [unsigned, sum] of cases) {
      expect(crc32(unsigned)).toBe(sum);
      expect(tokenIdOf(unsigned + sixDigits(sum))).toBe(unsigned.slice(0, 15));
      expect(tokenIdOf(unsigned + sixDigits((sum + 1) % 2 ** 32))).toBeUndefined();
    }
  });

  test('every change of a single character is refused', () => {
    const { value } = makeToken();
    for (let place = 0; place < value.length; place += 1) {
      for (const other of `${BASE62}-_ `) {
        if (other === value[place]) continue;
        expect(tokenIdOf(value.slice(0, place) + other + value.slice(place + 1))).toBeUndefined();
      }
      expect(tokenIdOf(value.slice(0, place) + value.slice(place + 1))).toBeUndefined();
    }
  });

  test('neighbours that changed places are refused', () => {
    const { value } = makeToken();
    for (let place = 0; place + 1 < value.length; place += 1) {
      const [one = '', other = ''] = value.slice(place, place + 2);
      if (one === other) continue;
      expect(tokenIdOf(value.slice(0, place) + other + one + value.slice(place + 2))).toBeUndefined();
    }
  });

  test('what stands around a token makes it none, also where the checksum counts it in', () => {
    const unsigned = makeToken().value.slice(0, -6);
    for (const text of [` ${unsigned}`, `x${unsigned}`, `${unsigned}0`, `${unsigned}00`, `pt-${unsigned}`])
      expect(tokenIdOf(text + sixDigits(crc32(text)))).toBeUndefined();
  });

  test('what stands around a token makes it none', () => {
    const { value } = makeToken();
    for (const text of [` ${value}`, `${value} `, `${value}\n`, `${value}0`, `x${value}`, `"${value}"`, ''])
      expect(tokenIdOf(text)).toBeUndefined();
  });

  test('any text is answered, never with an error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(TOKEN_PATTERN)), (text) => {
        const isWhole = /^pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/.test(text);
        const isRight = isWhole && text.slice(-6) === sixDigits(crc32(text.slice(0, -6)));
        expect(tokenIdOf(text)).toBe(isRight ? text.slice(0, 15) : undefined);
      }),
    );
  });

  test('a fresh secret keeps the token id and nothing else', () => {
    const first = makeToken();
    const second = withFreshSecret(first.tokenId);
    expect(second.tokenId).toBe(first.tokenId);
    expect(tokenIdOf(second.value)).toBe(first.tokenId);
    expect(second.value.slice(16)).not.toBe(first.value.slice(16));
  });

  test('the digits of secrets are spread evenly over all 62', () => {
    const counts = new Map<string, number>(BASE62.split('').map((digit) => [digit, 0]));
    const tokens = 4000;
    for (let count = 0; count < tokens; count += 1) {
      for (const digit of makeToken().value.slice(16, -6)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
    }
    const expected = (tokens * 43) / 62;
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    expect(counts.size).toBe(62);
    // 61 degrees of freedom: beyond 150 with a chance of about one in a billion. A modulo bias would give thousands.
    expect(chiSquare).toBeLessThan(150);
  });

  test('of thousands of tokens no two share an id or a secret', () => {
    const tokens = Array.from({ length: 5000 }, () => makeToken());
    expect(new Set(tokens.map(({ tokenId }) => tokenId)).size).toBe(tokens.length);
    expect(new Set(tokens.map(({ value }) => value.slice(16))).size).toBe(tokens.length);
  });
});

describe('texts that hold tokens', () => {
  test('a token loses its secret, and everything around it stays', () => {
    const [one, other] = [makeToken(), makeToken()];
    const text = `first ${one.value}, then "${other.value}"; pt-short_x stays`;
    expect(withoutSecrets(text)).toBe(`first ${one.tokenId}_…, then "${other.tokenId}_…"; pt-short_x stays`);
  });

  test('a broken or cut token loses its secret too', () => {
    const { tokenId, value } = makeToken();
    expect(withoutSecrets(value.slice(0, 30))).toBe(`${tokenId}_…`);
    expect(withoutSecrets(`${value}more`)).toBe(`${tokenId}_…`);
  });

  test('a token looks like one, so does a cut or wrapped one; other texts do not', () => {
    const { tokenId, value } = makeToken();
    for (const text of [value, value.slice(0, 20), `“${value}”`, `${tokenId}_`, ` ${value}x`])
      expect(looksLikeToken(text)).toBe(true);
    for (const text of ['', 'password', tokenId, 'pt-', 'pt-short_secret', value.slice(3)])
      expect(looksLikeToken(text)).toBe(false);
  });
});

describe('base 62', () => {
  test('reading gives back what was written, padded to any width', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 200n }), fc.nat(50), (number, digits) => {
        const text = toBase62(number, digits);
        expect(text.length).toBeGreaterThanOrEqual(digits);
        expect(fromBase62(text)).toBe(number);
      }),
    );
  });

  test('digits count in the order 0-9, A-Z, a-z, the most significant first', () => {
    expect(toBase62(0n, 3)).toBe('000');
    expect(toBase62(9n, 1) + toBase62(10n, 1) + toBase62(35n, 1) + toBase62(36n, 1) + toBase62(61n, 1)).toBe(
      '9AZaz',
    );
    expect(toBase62(62n, 1)).toBe('10');
    expect(fromBase62('1é')).toBeUndefined();
    expect(fromBase62('-1')).toBeUndefined();
  });
});
