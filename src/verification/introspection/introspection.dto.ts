import { IsOptional, IsString } from 'class-validator';
import type { Token } from '../../tokens/token.entity.js';

/** The form of an introspection (RFC 7662), with two extensions. */
export class Introspection {
  /**
   * The token value to introspect.
   * @example 'pt-4fK2mZq81LxT_…'
   */
  @IsString()
  token!: string;

  /**
   * Accepted and ignored: there is only one type of token.
   * @example 'access_token'
   */
  @IsOptional()
  @IsString()
  token_type_hint?: string;

  /**
   * The address that the token was presented from. Without it, a token with CIDR blocks is inactive.
   * @example '203.0.113.7'
   */
  @IsOptional()
  @IsString()
  client_ip?: string;

  /**
   * Required scopes, separated by spaces; all must be covered.
   * @example 'repo:read'
   */
  @IsOptional()
  @IsString()
  scope?: string;
}

/** What introspection says (RFC 7662): of a token that may not do what is asked, only that it is not active. */
export class IntrospectionAnswer {
  active: boolean;

  /**
   * Separated by spaces.
   * @example 'repo:read'
   */
  scope?: string;

  /**
   * The owner's login.
   * @example 'ada'
   */
  username?: string;

  /**
   * The owner's uuid.
   * @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b'
   */
  sub?: string;

  /**
   * The address of this server.
   * @example 'https://patois.example'
   */
  iss?: string;

  /**
   * The token id.
   * @example 'pt-4fK2mZq81LxT'
   */
  jti?: string;

  /** @example 'Bearer' */
  token_type?: string;

  /**
   * Unix time in seconds.
   * @example 1926400000
   */
  iat?: number;

  /**
   * Unix time in seconds; omitted if the token never expires.
   * @example 1957936000
   */
  exp?: number;

  /** @example 'quay' */
  dialect?: string;

  /**
   * The name of the owner's organization.
   * @example 'Default'
   */
  organization?: string;

  constructor(token: Token | undefined, issuer: string) {
    this.active = token !== undefined;
    if (!token) return;
    this.scope = token.scopes.join(' ');
    this.username = token.owner.login;
    this.sub = token.ownerId;
    this.iss = issuer;
    this.jti = token.tokenId;
    this.token_type = 'Bearer';
    this.iat = seconds(token.createdAt);
    if (token.expiresAt) this.exp = seconds(token.expiresAt);
    this.dialect = token.dialect;
    this.organization = token.owner.organization.name;
  }
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
