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
