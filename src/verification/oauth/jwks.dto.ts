import type { PublicJwk } from '../../signing/key-pair.js';

/** A public key (RFC 7517). */
export class Jwk implements PublicJwk {
  /** @example 'EC' */
  kty!: string;

  /** @example 'P-256' */
  crv!: string;

  /** @example 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4' */
  x!: string;

  /** @example '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM' */
  y!: string;

  /**
   * The key id as libtrust computes it.
   * @example 'PYYO:TEWU:V7JH:26JV:AQTZ:LJC3:SXVJ:XGHA:34F2:2LAQ:ZRMK:Z7Q6'
   */
  kid!: string;

  /** @example 'sig' */
  use!: string;

  /** @example 'ES256' */
  alg!: string;

  /**
   * The certificate, DER in base64.
   * @example ['MIIBJjCBzaADAgECAhABDMI=']
   */
  x5c!: string[];
}

/** The keys that sign now, will sign soon, or signed what has not expired yet. */
export class JwkSet {
  keys!: Jwk[];
}
