import { IsOptional, IsString } from 'class-validator';

/** The form of a revocation (RFC 7009). */
export class Revocation {
  /**
   * The token value to revoke.
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
}

/** An error of OAuth 2.0 (RFC 6749, section 5.2). */
export class OAuthError {
  /** @example 'invalid_request' */
  error!: string;

  /** @example 'A valid token or login and password is needed' */
  error_description!: string;
}
