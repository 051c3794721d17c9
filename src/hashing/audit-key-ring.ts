import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
  timingSafeEqual,
} from 'node:crypto';
import type { TokenKey } from '../config.js';

/** RFC 8410: what stands before the 32 bytes of an Ed25519 key in PKCS #8. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const MAC_BYTES = 16;
/** Of a key's thumbprint so much follows its name: a name that comes again with other bytes is another key. */
const THUMBPRINT_LENGTH = 11;

interface DerivedKey {
  id: string;
  x: string;
  privateKey: KeyObject;
  macKey: Buffer;
}

/**
 * What vouches for the audit trail, derived from the ring that digests tokens: of each of its keys a pair that signs and a
 * key of message authentication codes. The first of the ring signs, all verify.
 */
export class AuditKeyRing {
  private readonly keys: [DerivedKey, ...DerivedKey[]];

  constructor(ring: readonly TokenKey[]) {
    const [first, ...others] = ring;
    if (!first) throw new Error('The key ring is empty.');
    this.keys = [derive(first), ...others.map(derive)];
  }

  get keyId(): string {
    return this.keys[0].id;
  }

  get publicKeys(): { id: string; x: string }[] {
    return this.keys.map(({ id, x }) => ({ id, x }));
  }

  macOf(text: string): Buffer {
    return macOf(this.keys[0], text);
  }

  matches(text: string, mac: Buffer): boolean {
    return mac.length === MAC_BYTES && this.keys.some((key) => timingSafeEqual(macOf(key, text), mac));
  }

  sign(text: string): string {
    return sign(null, Buffer.from(text), this.keys[0].privateKey).toString('base64url');
  }
}

/** One key serves one purpose. */
function derive({ name, secret }: TokenKey): DerivedKey {
  const seed = Buffer.from(hkdfSync('sha256', secret, '', 'patois audit seals', 32));
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const thumbprint = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`);
  const macKey = Buffer.from(hkdfSync('sha256', secret, '', 'patois audit events', 32));
  return {
    id: `${name}-${thumbprint.digest('base64url').slice(0, THUMBPRINT_LENGTH)}`,
    x,
    privateKey,
    macKey,
  };
}

function macOf({ macKey }: DerivedKey, text: string): Buffer {
  return createHmac('sha256', macKey).update(text).digest().subarray(0, MAC_BYTES);
}
