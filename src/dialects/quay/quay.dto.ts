import { ApiProperty } from '@nestjs/swagger';
import type { Token } from '../../tokens/token.entity.js';
import { formatRfc2822 } from './quay.dates.js';
import type { ErrorType } from './quay.dialect.js';

/** The body of create. */
export class NewAppToken {
  /**
   * A friendly name, kept as it is sent; it need not be unique.
   * @example 'laptop'
   */
  @ApiProperty({ minLength: 1, maxLength: 255 })
  title!: string;

  /**
   * When the token is to expire (RFC 3339), instead of after the configured lifetime.
   * @example '2031-01-01T00:00:00Z'
   */
  expiration?: Date;
}

/** An app-specific token. What is unset is null, never left out. */
export class AppToken {
  /** @example '31b32343-e974-4f8c-bd9c-db5a0406f211' */
  uuid: string;

  /** @example 'laptop' */
  title: string;

  /**
   * RFC 2822; null before the first use.
   * @example 'Sat, 21 Nov 2026 20:53:54 -0000'
   */
  last_accessed: string | null;

  /**
   * RFC 2822.
   * @example 'Sat, 21 Nov 2026 20:53:54 -0000'
   */
  created: string;

  /**
   * RFC 2822; null when the token never expires.
   * @example 'Sat, 19 Dec 2026 20:53:54 -0000'
   */
  expiration: string | null;

  constructor(token: Token) {
    this.uuid = token.id;
    this.title = token.name;
    this.last_accessed = token.lastUsedAt && formatRfc2822(token.lastUsedAt);
    this.created = formatRfc2822(token.createdAt);
    this.expiration = token.expiresAt && formatRfc2822(token.expiresAt);
  }
}

/** An app-specific token with its secret: what create answers. */
export class CreatedAppToken extends AppToken {
  /**
   * The secret: the password of the user `$app`, or a bearer token.
   * @example 'pt-1aZ2bY3cX4dW_secret'
   */
  token_code: string;

  constructor(token: Token, code: string) {
    super(token);
    this.token_code = code;
  }
}

/** An app-specific token as get answers it. */
export class ReadAppToken extends AppToken {
  /**
   * The secret, only where the server is set to `QUAY_FIDELITY=deployed`; null there when no copy of it is kept, or when the
   * caller holds less than the token.
   * @example 'pt-1aZ2bY3cX4dW_secret'
   */
  token_code?: string | null;

  /** @param code left out: the answer has no key for it. */
  constructor(token: Token, code?: string | null) {
    super(token);
    if (code !== undefined) this.token_code = code;
  }
}

/** The answer of create. */
export class CreatedAppTokenView {
  token: CreatedAppToken;

  constructor(token: Token, code: string) {
    this.token = new CreatedAppToken(token, code);
  }
}

/** The answer of get. */
export class AppTokenView {
  token: ReadAppToken;

  constructor(token: Token, code?: string | null) {
    this.token = new ReadAppToken(token, code);
  }
}

/** The answer of both lists: all of it, oldest first; there are no pages. */
export class AppTokensView {
  tokens: AppToken[];

  /** The query parameter `expiring` as parsed; null if it was absent. */
  only_expiring: boolean | null;

  constructor(tokens: AppToken[], onlyExpiring: boolean | null) {
    this.tokens = tokens;
    this.only_expiring = onlyExpiring;
  }
}

/** What begins a session. */
export class CsrfToken {
  /**
   * For the header `X-CSRF-Token`.
   * @example 'bXkgY3NyZiB0b2tlbiBvZiAzMiBieXRlcyBpbiBiYXNl'
   */
  csrf_token!: string;
}

/** The body of a sign-in; other keys are ignored. */
export class SignIn {
  /**
   * The login.
   * @example 'ada'
   */
  @ApiProperty({ minLength: 1, maxLength: 255 })
  username!: string;

  /** @example 'correct horse battery' */
  @ApiProperty({ minLength: 1, maxLength: 255 })
  password!: string;
}

/** The answer to signing in and out. */
export class SignedInOrOut {
  /** @example true */
  success!: boolean;
}

/** The page about a kind of error. */
export class QuayErrorDescription {
  /**
   * The address of this page.
   * @example 'https://tokens.example.com/api/v1/error/not_found'
   */
  type: string;

  /** @example 'not_found' */
  title: string;

  /** @example 'There is no such resource, or the caller cannot see it.' */
  description: string;

  constructor(type: string, title: string, description: string) {
    this.type = type;
    this.title = title;
    this.description = description;
  }
}

/** Every error of this API. */
export class QuayError {
  /** @example 'Requires authentication' */
  detail!: string;

  /**
   * The same as `detail`.
   * @example 'Requires authentication'
   */
  error_message!: string;

  /** @example 'invalid_token' */
  error_type!: ErrorType;

  /** The same as `error_type`. */
  title!: ErrorType;

  /**
   * The address of a page about this kind of error.
   * @example 'https://tokens.example.com/api/v1/error/invalid_token'
   */
  type!: string;

  /** @example 401 */
  status!: number;
}
