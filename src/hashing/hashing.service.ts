import { Injectable } from '@nestjs/common';
import { compare, genSalt, getRounds, hash } from 'bcrypt';
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { TokenKey } from '../config.js';

/** What is kept of a token's value: its HMAC-SHA-256 (32 bytes) and the name of the key that made it. */
export interface TokenDigest {
  digest: Buffer;
  keyName: string;
}

const SEAL_NONCE_BYTES = 12;
const SEAL_TAG_BYTES = 16;
/** A shorter tag, which would be easier to forge, opens nothing. */
const SEAL_OPTIONS = { authTagLength: SEAL_TAG_BYTES };

/**
 * Digests what must never be read back. Tokens, random secrets of 256 bits, take a fast keyed hash (NIST SP 800-63B
 * look-up secrets, ASVS 5.0 6.5.2); passwords, which people choose, take bcrypt.
 */
@Injectable()
export class HashingService {
  /** A digest that no value has, so that an unknown token costs what a known one does. */
  readonly decoy: TokenDigest;
  private readonly keys: Map<string, TokenKey>;
  private readonly signingKey: TokenKey;

  constructor(
    ring: readonly TokenKey[],
    /** Of the hashes of passwords that are made now: 2 to its power rounds of bcrypt. */
    readonly passwordCost: number,
  ) {
    const [first] = ring;
    if (!first) throw new Error('The key ring is empty.');
    this.signingKey = first;
    this.keys = new Map(ring.map((key) => [key.name, key]));
    this.decoy = { digest: randomBytes(32), keyName: first.name };
  }

  /** Digests a token's whole value under the signing key. */
  digestToken(value: string): TokenDigest {
    return { digest: hmac(this.signingKey, value), keyName: this.signingKey.name };
  }

  /** Whether a presented value has this digest, compared in constant time; false if the key has left the ring. */
  matchesToken(value: string, kept: TokenDigest): boolean {
    const key = this.keys.get(kept.keyName);
    if (!key || kept.digest.length !== 32) return false;
    return timingSafeEqual(hmac(key, value), kept.digest);
  }

  /** Whether a digest was made under today's signing key; one that was not is made anew at the token's next use. */
  isCurrent(kept: TokenDigest): boolean {
    return kept.keyName === this.signingKey.name;
  }

  /** Digests a text under a key of its purpose that is derived from each of the ring's, the signing one's first. */
  digestsOf(text: string, purpose: string): [Buffer, ...Buffer[]] {
    const digestBy = (key: TokenKey): Buffer =>
      createHmac('sha256', derived(key, `patois ${purpose}`))
        .update(text)
        .digest();
    const others = [...this.keys.values()].filter((key) => key !== this.signingKey);
    return [digestBy(this.signingKey), ...others.map(digestBy)];
  }

  /** The bcrypt hash of a password of at most 72 bytes; a longer one is refused, never cut. */
  async hashPassword(password: string): Promise<string> {
    if (Buffer.byteLength(password) > 72)
      throw new RangeError('bcrypt reads 72 bytes of a password, not more');
    return hash(password, this.passwordCost);
  }

  /** Does the work of {@link matchesPassword} for a hash that no password has. */
  async matchesDecoyPassword(password: string, cost: number): Promise<void> {
    const decoy = (await genSalt(cost)) + randomBytes(16).toString('hex').slice(1);
    await this.matchesPassword(password, decoy);
  }

  /** Whether a hash of a password was made at today's cost; one that was not is made anew at the next login. */
  isPasswordHashCurrent(kept: string): boolean {
    return costOf(kept) === this.passwordCost;
  }

  /** Whether a password has this bcrypt hash; false for one longer than bcrypt reads. */
  async matchesPassword(password: string, kept: string): Promise<boolean> {
    const isReadable = Buffer.byteLength(password) <= 72;
    return (await compare(isReadable ? password : '', kept)) && isReadable;
  }

  /**
   * Seals a text with AES-256-GCM under the signing key, for what must be read back: keys that sign, and the copies that
   * Quay's `deployed` fidelity shows again.
   *
   * @param binding what the sealed text belongs to; it opens for nothing else.
   * @param secret that nobody here keeps: without it, too, the text does not open.
   */
  seal(text: string, binding: string, secret?: string): string {
    const nonce = randomBytes(SEAL_NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', sealingKey(this.signingKey, secret), nonce, SEAL_OPTIONS);
    cipher.setAAD(Buffer.from(binding));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${this.signingKey.name}:${sealed.toString('base64')}`;
  }

  /** Whether a text was sealed under today's signing key; one that was not is to be sealed anew. */
  isSealedCurrently(sealed: string): boolean {
    return sealed.startsWith(`${this.signingKey.name}:`);
  }

  /**
   * Opens what {@link seal} sealed; undefined when its key has left the ring, the secret is another or it was tampered
   * with.
   */
  open(sealed: string, binding: string, secret?: string): string | undefined {
    const [keyName = '', base64 = ''] = sealed.split(':');
    const key = this.keys.get(keyName);
    if (!key) return undefined;
    const bytes = Buffer.from(base64, 'base64');
    try {
      const decipher = createDecipheriv(
        'aes-256-gcm',
        sealingKey(key, secret),
        bytes.subarray(0, SEAL_NONCE_BYTES),
        SEAL_OPTIONS,
      );
      decipher.setAAD(Buffer.from(binding));
      decipher.setAuthTag(bytes.subarray(-SEAL_TAG_BYTES));
      const text = bytes.subarray(SEAL_NONCE_BYTES, -SEAL_TAG_BYTES);
      return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8');
    } catch {
      return undefined;
    }
  }
}

/** The cost that a bcrypt hash was made at. */
export function costOf(passwordHash: string): number {
  return getRounds(passwordHash);
}

function hmac(key: TokenKey, text: string): Buffer {
  return createHmac('sha256', key.secret).update(text).digest();
}

/** One key serves one purpose: sealing uses a key derived from the digesting one. */
function sealingKey(key: TokenKey, secret?: string): Buffer {
  if (secret === undefined) return derived(key, 'patois sealed copies');
  return createHmac('sha256', derived(key, 'patois sealed under a secret')).update(secret).digest();
}

function derived(key: TokenKey, purpose: string): Buffer {
  return hmac(key, purpose);
}
