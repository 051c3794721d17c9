import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
  ValidateIf,
} from 'class-validator';
import { ArrayUnique } from '../../http/validation/array-unique.js';
import type { ActorSnapshot, Token } from '../../tokens/token.entity.js';
import { encodeId } from './panther.dialect.js';
import { type Permission, PERMISSIONS } from './panther.scopes.js';

/** The body of create and of update: an update replaces all of it. */
export class ModifyApiToken {
  /**
   * A name for people, trimmed.
   * @example 'CI uploads'
   */
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value))
  @IsString()
  @Length(1, 255)
  name!: string;

  /**
   * What the token may do, without repetitions.
   * @example ['BulkUpload']
   */
  @IsArray()
  @ArrayMinSize(1)
  // The core's MAX_SCOPES: only a number gets into the document.
  @ArrayMaxSize(500)
  @ArrayUnique()
  @IsIn(PERMISSIONS, { each: true })
  permissions!: Permission[];

  /**
   * CIDR blocks, `address/prefix`, that the token works from. Omitted or empty: no restriction.
   * @example ['203.0.113.0/24']
   */
  @ValidateIf((_, value) => value !== undefined)
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  allowedCIDRBlocks?: string[];
}

/** A body that may be absent, empty or `{}`. */
export class Nothing {}

/** The query of the list. */
export class ListApiTokensQuery {
  /** The `next` of the previous page. */
  @IsOptional()
  @IsString()
  cursor?: string;

  /** Maximum number of tokens on the page. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (/^\d{1,9}$/.test(String(value)) ? Number(value) : value))
  @IsInt()
  @Min(1)
  @Max(1000)
  limit: number = 100;
}

/** Who made or changed a token. */
export class ApiTokenActor {
  /** @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  id: string;

  /** @example 'user' */
  // The published schema has the values user, api-token and system on `id`; taken for a slip.
  type: 'user' | 'api-token';

  constructor(doer: ActorSnapshot) {
    const isToken = doer.type === 'token';
    this.id = isToken && doer.id ? encodeId(doer.id) : (doer.id ?? '');
    this.type = isToken ? 'api-token' : 'user';
  }
}

/** An API token; what is unset is left out. */
export class ApiToken {
  /** @example 'po_5mQyR1bXnZ0uTq3Lw9Kd2a' */
  id: string;

  /** @example 'CI uploads' */
  name: string;

  /** @example ['BulkUpload'] */
  permissions: string[];

  createdAt: Date;

  /** @example ['203.0.113.0/24'] */
  allowedCIDRBlocks: string[];

  createdBy: ApiTokenActor;

  /** Null when the token never expires. */
  expiresAt: Date | null;

  updatedAt?: Date;

  updatedBy?: ApiTokenActor;

  rotatedAt?: Date;

  lastUsedAt?: Date;

  constructor(token: Token) {
    this.id = encodeId(token.id);
    this.name = token.name;
    this.permissions = token.scopes;
    this.createdAt = token.createdAt;
    this.allowedCIDRBlocks = token.allowedCidrs;
    this.createdBy = new ApiTokenActor(token.createdBy);
    this.expiresAt = token.expiresAt;
    // Not among the "required" of the published schema, and only of `expiresAt` it says "Will be null".
    if (token.updatedAt) {
      this.updatedAt = token.updatedAt;
      this.updatedBy = new ApiTokenActor(token.updatedBy);
    }
    if (token.rotatedAt) this.rotatedAt = token.rotatedAt;
    if (token.lastUsedAt) this.lastUsedAt = token.lastUsedAt;
  }
}

/** A token with its value: the answer of create and rotate, and of nothing else. */
export class ApiTokenWithValue extends ApiToken {
  /**
   * The secret, shown once.
   * @example 'pt-9fK2mQ7xLw0B_…'
   */
  value: string;

  constructor(token: Token, value: string) {
    super(token);
    this.value = value;
  }
}

/** One page of tokens, newest first. */
export class ApiTokenPage {
  results: ApiToken[];

  /**
   * The cursor of the next page; omitted on the last page.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  next?: string;

  constructor(tokens: Token[], next: string | undefined) {
    this.results = tokens.map((token) => new ApiToken(token));
    if (next !== undefined) this.next = next;
  }
}

/** Every error of this API. */
export class PantherError {
  /** @example 'OrganizationAPITokenRead permission required' */
  message!: string;

  error!:
    | 'bad_request'
    | 'unauthorized'
    | 'forbidden'
    | 'not_found'
    | 'method_not_allowed'
    | 'conflict'
    | 'payload_too_large'
    | 'unsupported_media_type'
    | 'too_many_requests'
    | 'internal'
    | 'unavailable';
}
