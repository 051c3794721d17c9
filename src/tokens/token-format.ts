import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Digits of base 62, the least first: also their order in sums and ids. */
export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const ID_DIGITS = 12;
/** log2(62^43) is 256.03: at least 256 bits. */
const SECRET_DIGITS = 43;
const CHECKSUM_DIGITS = 6;

/** One regular expression for every token of every dialect, fit for secret scanners. */
export const TOKEN_PATTERN = /pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}/;

const TOKEN_ID = /^pt-[0-9A-Za-z]{12}$/;
const WHOLE_TOKEN = new RegExp(`^${TOKEN_PATTERN.source}$`);
const TOKEN_LIKE = /pt-[0-9A-Za-z]{12}_/;

/** A freshly made token: the public id and the whole value, which is to be shown once. */
export interface FreshToken {
  tokenId: string;
  value: string;
}

/** Makes a new token: `pt-` and 12 letters or digits, `_`, 43 digits of secret, 6 of checksum. */
export function makeToken(): FreshToken {
  return withFreshSecret(`pt-${randomBase62(ID_DIGITS)}`);
}

/** A new value for a token that keeps its id, for rotation. */
export function withFreshSecret(tokenId: string): FreshToken {
  const unsigned = `${tokenId}_${randomBase62(SECRET_DIGITS)}`;
  return { tokenId, value: unsigned + checksum(unsigned) };
}

/** The token id of a well-formed token with a right checksum, else undefined. Costs no look-up and no digest. */
export function tokenIdOf(value: string): string | undefined {
  if (!WHOLE_TOKEN.test(value)) return undefined;
  const unsigned = value.slice(0, -CHECKSUM_DIGITS);
  if (checksum(unsigned) !== value.slice(-CHECKSUM_DIGITS)) return undefined;
  return value.slice(0, 'pt-'.length + ID_DIGITS);
}

/** Whether a text has the form of a token id, the public part of a token. */
export function isTokenId(text: string): boolean {
  return TOKEN_ID.test(text);
}

/**
 * Whether a text is, or holds, what somebody meant as a token, well-formed or not: such a text is never taken for a
 * password and never repeated in an answer or a log.
 */
export function looksLikeToken(text: string): boolean {
  return TOKEN_LIKE.test(text);
}

/** The CRC-32 of a text as 6 digits of base 62, most significant first. */
function checksum(text: string): string {
  return toBase62(BigInt(crc32(text)), CHECKSUM_DIGITS);
}

/** A number in base 62, most significant digit first, padded on the left with zeros to `digits`. */
export function toBase62(number: bigint, digits: number): string {
  let text = '';
  for (let rest = number; rest > 0n; rest /= 62n) text = BASE62[Number(rest % 62n)] + text;
  return text.padStart(digits, '0');
}

/** The number that {@link toBase62} wrote; undefined for a text with other characters. */
export function fromBase62(text: string): bigint | undefined {
  let number = 0n;
  for (const digit of text) {
    const value = BASE62.indexOf(digit);
    if (value < 0) return undefined;
    number = number * 62n + BigInt(value);
  }
  return number;
}

/** Digits from the system's CSPRNG without bias: bytes from 248 on, which 62 does not divide evenly, are drawn again. */
function randomBase62(digits: number): string {
  let text = '';
  while (text.length < digits) {
    for (const byte of randomBytes(digits * 2)) {
      if (byte < 248 && text.length < digits) text += BASE62[byte % 62];
    }
  }
  return text;
}
