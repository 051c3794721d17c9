/**
 * The keys that vouch for the audit trail. They stand outside the database: who can write there, and has no more, can make
 * neither an event nor a seal that is taken for genuine.
 */
export interface AuditKeys {
  /** The id of the key that signs now. */
  readonly keyId: string;
  /** Of all keys at hand, the one that signs first. */
  readonly publicKeys: readonly PublicAuditKey[];
  /** A message authentication code (16 bytes) of the text of an event. */
  macOf(text: string): Buffer;
  /** Whether a code is that of a text, under whichever key. */
  matches(text: string, mac: Buffer): boolean;
  /** The Ed25519 signature (RFC 8032) of a text, in base64url. */
  sign(text: string): string;
}

/** A public key, as a JWK has it (RFC 8037): `x` is its 32 bytes in base64url. */
export interface PublicAuditKey {
  id: string;
  x: string;
}

/** What modules inject the keys by. */
export const AUDIT_KEYS = Symbol('audit keys');
