import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { encodeObjectId } from '../../accounts/object-id.js';
import type { User } from '../../accounts/user.entity.js';
import { ArrayUnique } from '../../http/validation/array-unique.js';
import { IsFuture, parseRfc3339 } from '../../http/validation/date-time.js';
import { isGoodText } from '../../http/validation/text.js';
import { MAX_SCOPES } from '../../tokens/scope-limits.js';
import type { ActorSnapshot, Token } from '../../tokens/token.entity.js';
import { SCOPES } from './losant.scopes.js';

// Keys, values, lengths and patterns of the bodies, and that no other key is allowed:
// https://github.com/Losant/losant-rest-js/blob/v4.2.0/lib/schemas/apiTokenPost.json
// https://github.com/Losant/losant-rest-js/blob/v4.2.0/lib/schemas/apiTokenPatch.json
// Parameters of the list, their values and defaults; `perPage` up to 1000 was decided here:
// https://github.com/Losant/losant-rest-js/blob/v4.2.0/docs/userApiTokens.md
// Answers, and `sortDirection` in lower and upper case:
// https://github.com/Losant/losant-rest-js/blob/v4.2.0/lib/schemas/apiTokens.json
const STATUSES = ['active', 'inactive'] as const;
type Status = (typeof STATUSES)[number];
const ORG_ROLES = ['admin', 'edit', 'collaborate', 'view', 'none'] as const;
type OrgRoleName = (typeof ORG_ROLES)[number];
const RESOURCE_ROLES = ['collaborate', 'view', 'none'] as const;
type ResourceRoleName = (typeof RESOURCE_ROLES)[number];
export const SORT_FIELDS = ['name', 'status', 'id', 'creationDate', 'lastUpdated', 'expirationDate'] as const;
export type SortField = (typeof SORT_FIELDS)[number];
const FILTER_FIELDS = ['name', 'status'] as const;
export type FilterField = (typeof FILTER_FIELDS)[number];

const HEX_24 = /^[0-9a-fA-F]{24}$/;
/** Page numbers beyond it are no longer exact in JSON. */
const LAST_PAGE = 2n ** 53n;

/** May be left out; null is no value of any key. */
const Optional = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

/** A blank parameter of a query counts as left out. */
const Blank = (meaning: unknown): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && value.trim() === '' ? meaning : value,
  );

/** Queries are text: digits become a number, and whatever is none is left for the validator to refuse. */
const WholeNumber = (fallback: number): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => {
    if (typeof value !== 'string') return value;
    if (value.trim() === '') return fallback;
    return /^\d+$/.test(value) && BigInt(value) <= LAST_PAGE ? Number(value) : value;
  });

/** Queries, unlike bodies, may still hold what PostgreSQL cannot take. */
const IsText = (): PropertyDecorator =>
  ValidateBy({
    name: 'isText',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isGoodText(value),
      defaultMessage: () => '$property must be a text without invalid characters',
    },
  });

/** Without repeating the value: people also paste secrets. */
const IsPublishedScopes = (): PropertyDecorator =>
  ValidateBy({
    name: 'isPublishedScopes',
    validator: {
      validate: (value: unknown) =>
        Array.isArray(value) && value.every((scope) => SCOPES.has(scope as string)),
      defaultMessage: () => 'each value in $property must be a published scope name',
    },
  });

/** What a role on one application or dashboard is. */
export class ResourceRole {
  /** @example '575ec8687ae143cd83dc4a97' */
  @Matches(HEX_24)
  resourceId!: string;

  @IsIn(RESOURCE_ROLES)
  role!: ResourceRoleName;
}

/** The role in one organization. */
export class OrgRole {
  /**
   * The organization, or `sandbox`.
   * @example '575ed6e87ae143cd83dc4aa8'
   */
  @Matches(/^([0-9a-fA-F]{24}|sandbox)$/)
  orgId!: string;

  @IsIn(ORG_ROLES)
  role!: OrgRoleName;

  @Optional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ResourceRole)
  applicationRoles?: ResourceRole[];

  @Optional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ResourceRole)
  dashboardRoles?: ResourceRole[];
}

/** What POST and PATCH take alike. */
export class ApiTokenFields {
  /** @example 'Reads the devices for the nightly export' */
  @Optional()
  @IsString()
  @MaxLength(32_767)
  description?: string;

  /** Stored and returned unchanged. */
  @Optional()
  @IsIn(ORG_ROLES)
  defaultRole?: OrgRoleName;

  /** Stored and returned unchanged. */
  @Optional()
  @IsArray()
  @ArrayMaxSize(25)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => OrgRole)
  orgRoles?: OrgRole[];
}

/** What PATCH may change; keys left out stay as they are. */
export class ApiTokenPatch extends ApiTokenFields {
  /** @example 'Nightly export' */
  @Optional()
  @IsString()
  @Length(1, 255)
  name?: string;

  /** An inactive token is refused until it is set to active again. */
  @Optional()
  @IsIn(STATUSES)
  status?: Status;
}

/** A token to be made. */
export class ApiTokenPost extends ApiTokenFields {
  /** @example 'Nightly export' */
  @IsString()
  @Length(1, 255)
  name!: string;

  /**
   * RFC 3339, in the future. Omitted: the token never expires, or expires with the token that creates it.
   * @example '2031-01-31T12:00:00.000Z'
   */
  @ApiPropertyOptional({ format: 'date-time' })
  @Optional()
  @IsFuture(parseRfc3339)
  expirationDate?: string;

  @Optional()
  @IsIn(STATUSES)
  status: Status = 'active';

  /**
   * Published scope names, without repetitions.
   * @example ['all.User.read']
   */
  @ApiPropertyOptional({ enum: [...SCOPES], isArray: true, maxItems: MAX_SCOPES })
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_SCOPES)
  @ArrayUnique()
  @IsPublishedScopes()
  scope: string[] = ['all.User'];
}

/** The query of the list. */
export class ListApiTokensQuery {
  /** What the tokens are sorted by. */
  @Blank('name')
  @IsIn(SORT_FIELDS)
  sortField: SortField = 'name';

  /**
   * `asc` or `desc`, case-insensitive.
   * @example 'desc'
   */
  @Blank('asc')
  @Matches(/^(asc|desc)$/i)
  sortDirection: string = 'asc';

  /** The first page is 0. */
  @WholeNumber(0)
  @IsInt()
  @Min(0)
  page: number = 0;

  /** The most tokens on a page. */
  @WholeNumber(100)
  @IsInt()
  @Min(1)
  @Max(1000)
  perPage: number = 100;

  /** What `filter` applies to. */
  @Blank(undefined)
  @Optional()
  @IsIn(FILTER_FIELDS)
  filterField?: FilterField;

  /**
   * A glob that must match the whole text, case-insensitive: `*` matches any run of characters, `?` any one character.
   * @example 'ci-*'
   */
  @Blank(undefined)
  @Optional()
  @IsText()
  filter?: string;

  /** If `true`, the response contains a link to itself. */
  @Allow()
  _links?: string;
}

/** An API token; what is unset is left out. */
export class ApiToken {
  /** @example '6921f0aa3f0e2a365d9e4b0e' */
  id: string;

  /**
   * Equal to `id`.
   * @example '6921f0aa3f0e2a365d9e4b0e'
   */
  apiTokenId: string;

  /** @example '6920b1339a558a1d1c0c6f3b' */
  ownerId: string;

  ownerType: 'user';

  /**
   * The user or token that created it.
   * @example '6920b1339a558a1d1c0c6f3b'
   */
  creatorId: string;

  /** @example 'user' */
  creatorType: 'user' | 'apiToken';

  /** @example 'Ada Lovelace' */
  creatorName: string;

  /** @example 'Nightly export' */
  name: string;

  /** @example 'Reads the devices for the nightly export' */
  description?: string;

  creationDate: Date;

  lastUpdated: Date;

  /** Omitted if the token never expires. */
  expirationDate?: Date;

  /** @example ['all.User.read'] */
  scope: string[];

  status: Status;

  defaultRole?: OrgRoleName;

  orgRoles?: OrgRole[];

  _type: 'apiToken';

  constructor(token: Token, owner: User) {
    const ownerId = encodeObjectId(owner.createdAt, owner.id);
    const { defaultRole, orgRoles } = token.dialectFields as Pick<ApiTokenFields, 'defaultRole' | 'orgRoles'>;
    this.id = encodeObjectId(token.createdAt, token.id);
    this.apiTokenId = this.id;
    this.ownerId = ownerId;
    this.ownerType = 'user';
    this.creatorId = creatorIdOf(token.createdBy) ?? ownerId;
    this.creatorType = token.createdBy.type === 'token' ? 'apiToken' : 'user';
    this.creatorName = token.createdBy.name ?? '';
    this.name = token.name;
    if (token.description !== null) this.description = token.description;
    this.creationDate = token.createdAt;
    this.lastUpdated = token.updatedAt ?? token.createdAt;
    if (token.expiresAt) this.expirationDate = token.expiresAt;
    this.scope = token.scopes;
    this.status = token.inactive ? 'inactive' : 'active';
    if (defaultRole) this.defaultRole = defaultRole;
    if (orgRoles) this.orgRoles = orgRoles;
    this._type = 'apiToken';
  }
}

/** A token with its value: the answer of POST, and of nothing else. */
export class ApiTokenWithValue extends ApiToken {
  /**
   * The secret, shown once.
   * @example 'pt-9fK2mQ7xLw0B_…'
   */
  token: string;

  constructor(token: Token, owner: User, value: string) {
    super(token, owner);
    this.token = value;
  }
}

/** A link of an answer. */
export class Link {
  /** @example 'https://patois.example/me/tokens' */
  href: string;

  constructor(href: string) {
    this.href = href;
  }
}

/** The links of an answer. */
export class Links {
  self: Link;

  constructor(self: string) {
    this.self = new Link(self);
  }
}

/** One page of a user's tokens. */
export class ApiTokens {
  items: ApiToken[];

  /** Number of tokens on this page. */
  count: number;

  /** Number of tokens on all pages. */
  totalCount: number;

  page: number;

  perPage: number;

  /** @example 'name' */
  sortField: SortField;

  /**
   * As it was sent.
   * @example 'asc'
   */
  sortDirection: string;

  /** @example '6920b1339a558a1d1c0c6f3b' */
  ownerId: string;

  ownerType: 'user';

  /** Omitted if no filter was given. */
  filterField?: FilterField;

  /**
   * Omitted if no filter was given.
   * @example 'ci-*'
   */
  filter?: string;

  _type: 'apiTokens';

  /** Omitted unless `_links=true` was sent. */
  _links?: Links;

  /** @param self where this answer is found; undefined leaves the links out. */
  constructor(
    tokens: Token[],
    totalCount: number,
    owner: User,
    query: ListApiTokensQuery,
    self: string | undefined,
  ) {
    this.items = tokens.map((token) => new ApiToken(token, owner));
    this.count = tokens.length;
    this.totalCount = totalCount;
    this.page = query.page;
    this.perPage = query.perPage;
    this.sortField = query.sortField;
    this.sortDirection = query.sortDirection;
    this.ownerId = encodeObjectId(owner.createdAt, owner.id);
    this.ownerType = 'user';
    if (query.filterField !== undefined && query.filter !== undefined) {
      this.filterField = query.filterField;
      this.filter = query.filter;
    }
    this._type = 'apiTokens';
    if (self !== undefined) this._links = new Links(self);
  }
}

/** The answer of DELETE. */
export class Success {
  success: boolean = true;
}

/** Every error of this API. */
export class LosantError {
  type!:
    | 'Validation'
    | 'Unauthorized'
    | 'Forbidden'
    | 'NotFound'
    | 'MethodNotAllowed'
    | 'Conflict'
    | 'PayloadTooLarge'
    | 'UnsupportedMediaType'
    | 'TooManyRequests'
    | 'Internal'
    | 'ServiceUnavailable';

  /** @example 'name must be a string' */
  message!: string;
}

/** Undefined for a token that the server itself made. */
function creatorIdOf({ createdAt, id }: ActorSnapshot): string | undefined {
  return createdAt && id ? encodeObjectId(createdAt, id) : undefined;
}
