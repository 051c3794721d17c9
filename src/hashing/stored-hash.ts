import { hash as bcryptHash } from 'bcrypt';
import { createHash, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const pbkdf2Of = promisify(pbkdf2);

/** What a check may take: about a second of one processor. */
const MAX_PBKDF2_ROUNDS = 1_000_000;
const BCRYPT_COST = { least: 4, most: 14 };
const MAX_SALT_BYTES = 256;
const MAX_HASH_BYTES = 128;
/** Of the rounds of PBKDF2 about so many fit into a millisecond, of those of bcrypt so many. */
const ROUNDS_A_MS = { pbkdf2: 1_000, bcrypt: 16 };
const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 };
type Digest = keyof typeof DIGEST_BYTES;

/** Of a hash without salt: whoever has the value finds the hash. */
export interface PlainHash {
  kind: 'sha256' | 'hmac-sha256' | 'grafana';
  /** By which the call that imports names the key of an HMAC. */
  keyName?: string;
  /** As lower-case hex. */
  digest: string;
}

/** Of a hash with a salt of its own: it must be tried on a value. */
export interface SaltedHash {
  kind: 'salted';
  /** What derives from a value what the hash is compared with; the same for hashes that are tried together. */
  work: string;
  /** About how long that takes. */
  costMs: number;
  expected: Buffer;
  /** Undefined for a value that the algorithm does not read to its end. */
  derive: (value: string) => Promise<Buffer | undefined>;
}

/** A hash as another system has stored it, which says nothing of its value. */
export type StoredHash = PlainHash | SaltedHash;

/** Why a text is no hash that can be checked; the sentence does not repeat it. */
export class UnreadableHash extends Error {}

/**
 * Reads a stored hash. docs/import.md lists the forms.
 *
 * @throws {UnreadableHash}
 */
export function parseStoredHash(text: string): StoredHash {
  for (const [pattern, read] of FORMS) {
    const match = pattern.exec(text);
    if (match) return read(match);
  }
  throw new UnreadableHash('must be a hash in one of the forms that are documented');
}

/** Whether a value has a hash with salt. */
export function matches(derived: Buffer | undefined, { expected }: SaltedHash): boolean {
  return derived?.length === expected.length && timingSafeEqual(derived, expected);
}

/**
 * A hash by what it means: the same for its spellings. Two hashes of one text are hashes of one value.
 *
 * @param keyId of the key of an HMAC.
 */
export function meaningOf(hash: StoredHash, keyId = ''): string {
  return hash.kind === 'salted'
    ? `${hash.work}$${hash.expected.toString('hex')}`
    : `${hash.kind}$${keyId}$${hash.digest}`;
}

const FORMS: [pattern: RegExp, read: (match: RegExpExecArray) => StoredHash][] = [
  [/^sha256\$([^$]+)$/, ([, text = '']) => ({ kind: 'sha256', digest: digestOf(text, 32) })],
  [
    /^hmac-sha256\$([\w.-]{1,100})\$([^$]+)$/,
    ([, keyName = '', text = '']) => ({ kind: 'hmac-sha256', keyName, digest: digestOf(text, 32) }),
  ],
  // github.com/grafana/grafana, pkg/util/encoding.go, EncodePassword: 50 bytes, in hex.
  [/^grafana\$([^$]+)$/, ([, text = '']) => ({ kind: 'grafana', digest: digestOf(text, 50) })],
  [/^(\$2[aby]\$.*)$/, ([, text = '']) => bcrypt(text)],
  // github.com/go-gitea/gitea, models/auth/twofactor.go, HashToken.
  [
    /^gitea\$([^$]+)\$([^$]+)$/,
    ([, salt = '', text = '']) =>
      pbkdf2Hash('sha256', 10_000, Buffer.from(salt), Buffer.from(digestOf(text, 50), 'hex')),
  ],
  // github.com/theforeman/foreman, app/services/foreman/password_hash.rb.
  [/^foreman\$(\d{1,18})\$(.+)$/, ([, userId = '', text = '']) => foreman(userId, text)],
  [/^(\$pbkdf2sha1\$.*)$/, ([, text = '']) => foremanPbkdf2(text)],
  // PHC: `$pbkdf2-sha256$i=1000,l=32$salt$hash`.
  [
    /^\$pbkdf2-(sha1|sha256|sha512)\$i=(\d{1,9})(?:,l=(\d{1,3}))?\$([^$]+)\$([^$]+)$/,
    ([, digest, rounds, length, salt = '', text = '']) => {
      const bytes = base64(text);
      if (length !== undefined && Number(length) !== bytes.length)
        throw new UnreadableHash('is of another length than it says');
      return pbkdf2Hash(digest as Digest, Number(rounds), base64(salt), bytes);
    },
  ],
  // passlib: the SHA-1 variant has no name of a digest, and `.` stands for `+`.
  [
    /^\$pbkdf2(?:-(sha256|sha512))?\$(\d{1,9})\$([^$]+)\$([^$]+)$/,
    ([, digest = 'sha1', rounds, salt = '', text = '']) =>
      pbkdf2Hash(digest as Digest, Number(rounds), base64(salt), base64(text)),
  ],
  // Django's has an underscore.
  [
    /^pbkdf2[-_](sha1|sha256|sha512)\$(\d{1,9})\$([^$]+)\$([^$]+)$/,
    ([, digest, rounds, salt = '', text = '']) =>
      pbkdf2Hash(digest as Digest, Number(rounds), Buffer.from(salt), hexOrBase64(text)),
  ],
];

function pbkdf2Hash(digest: Digest, rounds: number, salt: Buffer, expected: Buffer): SaltedHash {
  const { length } = expected;
  // What is shorter than 16 bytes is too easily met by chance.
  if (length < 16 || length > MAX_HASH_BYTES) {
    throw new UnreadableHash(`must be a hash of 16 to ${MAX_HASH_BYTES} bytes`);
  }
  if (salt.length > MAX_SALT_BYTES) {
    throw new UnreadableHash(`must have a salt of at most ${MAX_SALT_BYTES} bytes`);
  }
  const blocks = Math.ceil(length / DIGEST_BYTES[digest]);
  if (rounds < 1 || rounds * blocks > MAX_PBKDF2_ROUNDS) {
    throw new UnreadableHash(`must take 1 to ${MAX_PBKDF2_ROUNDS} rounds of PBKDF2`);
  }
  return {
    kind: 'salted',
    work: ['pbkdf2', digest, rounds, salt.toString('hex'), length].join('$'),
    costMs: (rounds * blocks) / ROUNDS_A_MS.pbkdf2,
    expected,
    derive: (value) => pbkdf2Of(value, salt, rounds, length, digest),
  };
}

/** PHP writes `$2y$`, early libraries `$2a$`: of texts that bcrypt reads to their end all are one algorithm. */
function bcrypt(text: string): SaltedHash {
  const [, cost = '', rest = ''] = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{53})$/.exec(text) ?? [];
  if (rest === '') throw new UnreadableHash('must be a whole bcrypt hash of 60 characters');
  const { least, most } = BCRYPT_COST;
  if (Number(cost) < least || Number(cost) > most) {
    throw new UnreadableHash(`must have a bcrypt cost of ${least} to ${most}`);
  }
  const salt = `$2b$${cost}$${rest.slice(0, 22)}`;
  return {
    kind: 'salted',
    work: salt,
    costMs: 2 ** Number(cost) / ROUNDS_A_MS.bcrypt,
    expected: Buffer.from(`$2b$${cost}$${rest}`),
    derive: async (value) =>
      Buffer.byteLength(value) > 72 ? undefined : Buffer.from(await bcryptHash(value, salt)),
  };
}

/** The salt of a token is made of its user's id; that it fits shows a row that was put together wrongly. */
function foreman(userId: string, text: string): SaltedHash {
  const salt = createHash('sha1').update(userId).digest('hex');
  if (/^[0-9a-f]{40}$/.test(text)) {
    return {
      kind: 'salted',
      work: `sha1$${salt}`,
      costMs: 0,
      expected: Buffer.from(text, 'hex'),
      derive: async (value) => createHash('sha1').update(value).update(salt).digest(),
    };
  }
  const isOfUser = text.startsWith('$pbkdf2sha1$')
    ? text.split('$')[3] === salt
    : text.slice(7, 28) === salt.slice(0, 21);
  if (!isOfUser) throw new UnreadableHash('must be a hash of a token of the user whose id it names');
  return text.startsWith('$pbkdf2sha1$') ? foremanPbkdf2(text) : bcrypt(text);
}

function foremanPbkdf2(text: string): SaltedHash {
  const [, rounds, salt = '', hash = ''] = /^\$pbkdf2sha1\$(\d{1,9})\$([^$]+)\$([^$]+)$/.exec(text) ?? [];
  if (rounds === undefined) throw new UnreadableHash('must be a whole hash of Foreman');
  return pbkdf2Hash('sha1', Number(rounds), Buffer.from(salt), base64(hash));
}

/** A digest of so many bytes, in hex or base64, as lower-case hex. */
function digestOf(text: string, bytes: number): string {
  const digest = text.length === bytes * 2 ? hex(text) : base64(text);
  if (digest.length !== bytes)
    throw new UnreadableHash(`must be a digest of ${bytes} bytes, in hex or base64`);
  return digest.toString('hex');
}

function hexOrBase64(text: string): Buffer {
  return text.length % 2 === 0 && /^[0-9a-fA-F]{32,}$/.test(text) ? hex(text) : base64(text);
}

function hex(text: string): Buffer {
  if (!/^([0-9a-fA-F]{2})+$/.test(text)) throw new UnreadableHash('must be hex');
  return Buffer.from(text, 'hex');
}

/** With `+` and `/`, with `-` and `_` (RFC 4648), or with `.` for `+`, as passlib has it; padded or not. */
function base64(text: string): Buffer {
  if (!/^[A-Za-z0-9+/._-]*={0,2}$/.test(text)) throw new UnreadableHash('must be base64');
  return Buffer.from(text.replaceAll('.', '+'), 'base64');
}
