/** What a client of OAuth needs to know of this server (RFC 8414). */
export class ServerMetadata {
  /**
   * The `iss` of all that is issued here.
   * @example 'https://tokens.example'
   */
  issuer!: string;

  /** @example 'https://tokens.example/oauth2/token' */
  token_endpoint!: string;

  /** @example ['none', 'client_secret_basic'] */
  token_endpoint_auth_methods_supported!: string[];

  /** @example ['urn:ietf:params:oauth:grant-type:token-exchange'] */
  grant_types_supported!: string[];

  /**
   * Empty: there is no authorization endpoint.
   * @example []
   */
  response_types_supported!: string[];

  /** @example 'https://tokens.example/.well-known/jwks.json' */
  jwks_uri!: string;

  /** @example 'https://tokens.example/oauth2/introspect' */
  introspection_endpoint!: string;

  /** @example ['client_secret_basic', 'Bearer'] */
  introspection_endpoint_auth_methods_supported!: string[];

  /** @example ['ES256'] */
  introspection_signing_alg_values_supported!: string[];

  /** @example 'https://tokens.example/oauth2/revoke' */
  revocation_endpoint!: string;

  /** @example ['none'] */
  revocation_endpoint_auth_methods_supported!: string[];

  /** @example 'https://tokens.example/docs/patois' */
  service_documentation!: string;
}
