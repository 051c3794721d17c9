import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateIf,
} from 'class-validator';
import type { Organization } from '../../accounts/organization.entity.js';
import type { User } from '../../accounts/user.entity.js';
import { ArrayUnique } from '../../http/validation/array-unique.js';
import { IsFuture, parseIso8601 } from '../../http/validation/date-time.js';
import type { Token } from '../../tokens/token.entity.js';
import { PERMISSION } from './yunxiao.scopes.js';

/** The query of the list. */
export class ListPersonalAccessTokensQuery {
  /**
   * The uuid of the user whose tokens are listed.
   * @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b'
   */
  @IsString()
  @MinLength(1)
  userId!: string;
}

/** The query of the list of organizations. */
export class ListOrganizationsQuery {
  /**
   * Ignored, as in the standard edition: the list holds the caller's own organizations.
   * @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b'
   */
  @ValidateIf(() => false)
  userId?: string;

  /** Page number, starting at 1. */
  @Transform(({ value }: { value: unknown }) => wholeNumber(value))
  @IsInt()
  @Min(1)
  page: number = 1;

  /** Number of items per page. */
  @Transform(({ value }: { value: unknown }) => wholeNumber(value))
  @IsInt()
  @Min(1)
  @Max(100)
  perPage: number = 100;
}

/** Texts of digits as numbers; anything else as it is, for the validators to refuse. */
function wholeNumber(value: unknown): unknown {
  return /^\d{1,9}$/.test(String(value)) ? Number(value) : value;
}

/** A token to be made for a user. */
export class CreatePersonalAccessToken {
  /** @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  @IsString()
  @MinLength(1)
  userId!: string;

  /** @example 'Nightly report' */
  @IsString()
  @Length(1, 64)
  name!: string;

  /** @example 'Reads the members for the nightly report' */
  @ValidateIf((_, value) => value !== undefined)
  @IsString()
  @MaxLength(200)
  description?: string;

  /**
   * Without repetitions; `…_read_write` covers `…_read`.
   * @example ['base_user_read']
   */
  @IsArray()
  @ArrayMinSize(1)
  // The core's MAX_SCOPES: only a number gets into the document.
  @ArrayMaxSize(500)
  @ArrayUnique()
  @Matches(PERMISSION, {
    each: true,
    message: 'each value in permissions must be the name of a permission, such as base_user_read',
  })
  permissions!: string[];

  /**
   * ISO 8601 date and time, in the future; without an offset it is UTC.
   * @example '2031-01-31T12:00:00.000Z'
   */
  @ApiProperty({ format: 'date-time' })
  @IsFuture(parseIso8601)
  expiredAt!: string;
}

/** A token of the list, whichever API issued it. This one answer is in snake_case. */
export class ListedPersonalAccessToken {
  created_at: Date;

  /**
   * Empty when there is none.
   * @example 'Reads the members for the nightly report'
   */
  description: string;

  /** Null when the token never expires. */
  expired_at: Date | null;

  /** @example 'Nightly report' */
  name: string;

  /**
   * Named as in the API that issued the token.
   * @example ['base_user_read']
   */
  permissions: string[];

  /** @example 'pt-4fJ0aB9cK2dE' */
  token_id: string;

  /** @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  user_id: string;

  constructor(token: Token) {
    this.created_at = token.createdAt;
    this.description = token.description ?? '';
    this.expired_at = token.expiresAt;
    this.name = token.name;
    this.permissions = token.scopes;
    this.token_id = token.tokenId;
    this.user_id = token.ownerId;
  }
}

/** A token just made, with its value. */
export class CreatedPersonalAccessToken {
  createdAt: Date;

  /**
   * Empty when there is none.
   * @example 'Reads the members for the nightly report'
   */
  description: string;

  expiredAt: Date;

  /** @example 'Nightly report' */
  name: string;

  /** @example ['base_user_read'] */
  permissions: string[];

  /**
   * The secret, shown once.
   * @example 'pt-4fJ0aB9cK2dE_…'
   */
  token: string;

  /**
   * All of `token` before the first `_`.
   * @example 'pt-4fJ0aB9cK2dE'
   */
  tokenId: string;

  /** @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  userId: string;

  /** @param expiredAt a token made here always has one. */
  constructor(token: Token, value: string, expiredAt: Date) {
    this.createdAt = token.createdAt;
    this.description = token.description ?? '';
    this.expiredAt = expiredAt;
    this.name = token.name;
    this.permissions = token.scopes;
    this.token = value;
    this.tokenId = token.tokenId;
    this.userId = token.ownerId;
  }
}

/** The answer of a deletion. */
export class Deleted {}

/** The user that a token speaks for. What has no value is left out: clients refuse null. */
export class CurrentUser {
  /** @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  id: string;

  /** @example 'ada' */
  username: string;

  /** @example 'Ada Lovelace' */
  name?: string;

  /** @example 'ada@example.com' */
  email?: string;

  createdAt: Date;

  /**
   * The id of the user's organization.
   * @example '9a558a1d-1c0c-4f3b-8f0e-2a365d9e4b0e'
   */
  lastOrganization: string;

  /** @example [] */
  sysDeptIds: string[];

  constructor(user: User) {
    this.id = user.id;
    this.username = user.login;
    if (user.name) this.name = user.name;
    if (user.email) this.email = user.email;
    this.createdAt = user.createdAt;
    this.lastOrganization = user.organizationId;
    this.sysDeptIds = [];
  }
}

/**
 * An organization. Who made it, its default role, its description and its last change are not known here, and left out.
 */
export class ListedOrganization {
  /** @example '9a558a1d-1c0c-4f3b-8f0e-2a365d9e4b0e' */
  id: string;

  /** @example 'Default' */
  name: string;

  createdAt: Date;

  constructor({ id, name, createdAt }: Organization) {
    this.id = id;
    this.name = name;
    this.createdAt = createdAt;
  }
}

/** Every error of this API. */
export class YunxiaoError {
  errorCode!:
    | 'BadRequest'
    | 'Unauthorized'
    | 'InvalidTokenError'
    | 'ExpiredTokenError'
    | 'Forbidden'
    | 'Forbidden.InvalidUser.UserNotInCurrentOrganization'
    | 'NotFound'
    | 'MethodNotAllowed'
    | 'Conflict'
    | 'PayloadTooLarge'
    | 'UnsupportedMediaType'
    | 'TooManyRequests'
    | 'InternalServerError'
    | 'ServiceUnavailable';

  /** @example 'name must be a string' */
  errorMessage!: string;

  /**
   * Also in the header `x-request-id`.
   * @example '5d9e4b0e-9a55-4a1d-9c0c-6f3b3f0e2a36'
   */
  requestId!: string;
}
