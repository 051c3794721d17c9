import type { PublicJwk } from './key-pair.js';

/** A token for a registry (Distribution's token authentication specification). */
export class RegistryToken {
  /**
   * A JWT, signed with ES256: `iss`, `sub` (the login), `aud` (the service), `exp`, `nbf`, `iat`, `jti`, `access`.
   * @example 'eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL3Rva2Vucy5leGFtcGxlIn0.c2ln'
   */
  token: string;

  /**
   * The same value, under the name of OAuth 2.0.
   * @example 'eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL3Rva2Vucy5leGFtcGxlIn0.c2ln'
   */
  access_token: string;

  /**
   * Seconds; less than 300 if the presented token expires sooner.
   * @example 300
   */
  expires_in: number;

  /**
   * RFC 3339.
   * @example '2026-11-21T20:53:54Z'
   */
  issued_at: string;

  constructor(jwt: string, expiresInSeconds: number, issuedAt: Date) {
    this.token = jwt;
    this.access_token = jwt;
    this.expires_in = expiresInSeconds;
    this.issued_at = issuedAt.toISOString().replace(/\.\d+Z$/, 'Z');
  }
}

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

/** One error of a registry. */
export class RegistryError {
  /** @example 'UNAUTHORIZED' */
  code!: string;

  /** @example 'No such resource' */
  message!: string;

  /** @example null */
  detail!: string | null;
}

/** The errors of a registry. */
export class RegistryErrors {
  errors!: RegistryError[];
}
