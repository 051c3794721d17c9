import { createPublicKey, verify } from 'node:crypto';
import type { PublicAuditKey } from '../audit-keys.js';

/** Whether a signature (base64url) is the one of a text (Ed25519, RFC 8032); what cannot be read is not. */
export function isSignedBy({ x }: PublicAuditKey, text: string, signature: string): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}
