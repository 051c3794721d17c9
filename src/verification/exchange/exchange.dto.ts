import { ApiHideProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsOptional, IsString, ValidateIf } from 'class-validator';

/** RFC 8693, section 2.1. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** RFC 8693, section 3. */
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** RFC 6749, 3.2: a parameter without a value counts as left out. */
function OmittedIfEmpty(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (value === '' ? undefined : value));
}

/** A parameter that may be repeated: always a list. */
function Repeatable(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => [value].flat().filter((one) => one !== ''));
}

/** What another grant requires is another matter: that it is not served comes first. */
function OfExchange(): PropertyDecorator {
  return ValidateIf(({ grant_type }: TokenExchange) => grant_type === TOKEN_EXCHANGE);
}

/** The form of a token exchange (RFC 8693), with one extension. */
export class TokenExchange {
  /** @example 'urn:ietf:params:oauth:grant-type:token-exchange' */
  @OmittedIfEmpty()
  @IsString()
  grant_type!: string;

  /**
   * The value of a token, of any dialect.
   * @example 'pt-4fK2mZq81LxT_…'
   */
  @OmittedIfEmpty()
  @OfExchange()
  @IsString()
  subject_token!: string;

  /** @example 'urn:ietf:params:oauth:token-type:access_token' */
  @OmittedIfEmpty()
  @OfExchange()
  @IsString()
  subject_token_type!: string;

  /**
   * Scopes of the JWT, separated by spaces; the token must cover all of them. By default all that the token holds.
   * @example 'repo:read'
   */
  @OmittedIfEmpty()
  @IsOptional()
  @IsString()
  scope?: string;

  /**
   * Names of the services that the JWT is for. May be repeated. Without any, and without `resource`, it is for this server
   * as a whole.
   * @example ['https://orders.example']
   */
  @Repeatable()
  @IsString({ each: true })
  audience: string[] = [];

  /**
   * Addresses of the services that the JWT is for (RFC 8707). May be repeated.
   * @example ['https://orders.example/v1']
   */
  @Repeatable()
  @IsString({ each: true })
  resource: string[] = [];

  /**
   * `urn:ietf:params:oauth:token-type:access_token` or `urn:ietf:params:oauth:token-type:jwt`: the same JWT.
   * @example 'urn:ietf:params:oauth:token-type:access_token'
   */
  @OmittedIfEmpty()
  @IsOptional()
  @IsString()
  requested_token_type?: string;

  /**
   * The address that the token was presented from, of an authenticated caller. Without it, no token with CIDR blocks is
   * exchanged for one.
   * @example '203.0.113.7'
   */
  @OmittedIfEmpty()
  @IsOptional()
  @IsString()
  client_ip?: string;

  /** Not supported: nobody acts for another here. */
  @ApiHideProperty()
  @OmittedIfEmpty()
  @IsOptional()
  @IsString()
  actor_token?: string;

  /** Not supported: clients authenticate by HTTP Basic. */
  @ApiHideProperty()
  @OmittedIfEmpty()
  @IsOptional()
  @IsString()
  client_secret?: string;

  /** Not supported: clients authenticate by HTTP Basic. */
  @ApiHideProperty()
  @OmittedIfEmpty()
  @IsOptional()
  @IsString()
  client_assertion?: string;
}

/** The answer to a token exchange (RFC 8693, section 2.2.1). */
export class ExchangedToken {
  /**
   * A JWT access token (RFC 9068), signed with ES256: `iss`, `sub` (the owner's uuid), `aud`, `exp`, `iat`, `jti`,
   * `client_id` (the token id), `scope`, `username`, `organization`, `dialect`.
   * @example 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJodHRwczovL3Rva2Vucy5leGFtcGxlIn0.c2ln'
   */
  access_token!: string;

  /** @example 'urn:ietf:params:oauth:token-type:access_token' */
  issued_token_type!: string;

  /** @example 'Bearer' */
  token_type!: string;

  /**
   * Seconds, at most 300; fewer where the token ends sooner.
   * @example 300
   */
  expires_in!: number;

  /**
   * Separated by spaces.
   * @example 'repo:read'
   */
  scope!: string;
}
