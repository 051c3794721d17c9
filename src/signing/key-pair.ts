import { createHash, KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';

/** ECDSA on P-256 with SHA-256 (RFC 7518): what every registry verifies, libtrust included. */
export const ALGORITHM = 'ES256';
const PARAMETERS = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Far beyond the time that a key signs: what ends a key is that it is published no more. */
const CERTIFICATE_YEARS = 10;
/** A verifier's clock may be behind. */
const CLOCK_SKEW_MS = 3_600_000;

/** A key pair as it is kept. */
export interface KeyPair {
  keyId: string;
  /** PEM. */
  certificate: string;
  /** PKCS #8, PEM. */
  privateKey: string;
}

/** A public key as JWKS lists it (RFC 7517). */
export interface PublicJwk {
  kty: string;
  crv: string;
  x: string;
  y: string;
  kid: string;
  use: string;
  alg: string;
  x5c: string[];
}

/** Makes a key pair with a self-signed certificate. */
export async function makeKeyPair(now = new Date()): Promise<KeyPair> {
  // Loaded once in months: a start does not wait for it.
  const { X509CertificateGenerator } = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey(PARAMETERS, true, ['sign', 'verify']);
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(now.getUTCFullYear() + CERTIFICATE_YEARS);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // The top bit of a serial number is its sign.
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    name: 'CN=Patois registry tokens',
    notBefore: new Date(now.getTime() - CLOCK_SKEW_MS),
    notAfter,
    keys,
    signingAlgorithm: PARAMETERS,
  });
  return {
    keyId: keyIdOf(KeyObject.from(keys.publicKey)),
    certificate: `${certificate.toString('pem').trim()}\n`,
    privateKey: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

/**
 * The id that libtrust gives a public key, and a registry of Distribution 2 looks it up by: the first 240 bits of the
 * SHA-256 of its DER form in base32, in 12 groups of 4.
 */
export function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const bits = createHash('sha256').update(der).digest().subarray(0, 30);
  return base32(bits).replace(/(.{4})(?=.)/g, '$1:');
}

/** What JWKS says of a certificate's key. */
export function jwkOf(certificate: string): PublicJwk {
  const { publicKey, raw } = new X509Certificate(certificate);
  const { kty = '', crv = '', x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const x5c = [raw.toString('base64')];
  return { kty, crv, x, y, kid: keyIdOf(publicKey), use: 'sig', alg: ALGORITHM, x5c };
}

/** RFC 4648, for whole groups of 5 bytes, which take no padding. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return (bits.match(/.{5}/g) ?? []).map((digit) => digits[Number.parseInt(digit, 2)]).join('');
}
