import { IntersectionType } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  Min,
} from 'class-validator';
import { ArrayUnique } from '../../http/validation/array-unique.js';
import { IsFuture } from '../../http/validation/date-time.js';
import {
  Flag,
  Instant,
  IsAddress,
  IsInstant,
  IsPrintable,
  IsText,
  Optional,
  Trimmed,
} from '../../http/validation/fields.js';
import { ListQuery } from '../../native/list.dto.js';
import { parseCallerAddress } from '../../network/addresses.js';
import type { NamedTokenFilter } from '../../tokens/inventory/inventory.js';
import { TOKEN_SORTS, type TokenSort } from '../../tokens/inventory/token-order.js';
import { MAX_GRACE_SECONDS } from '../../tokens/rotation/rotation.js';
import type { ActorSnapshot, Token as TokenRow, TokenStatus } from '../../tokens/token.entity.js';
import { ExportQuery } from '../exports/export.dto.js';
import { PlaceReference } from '../place.dto.js';

const NAME = 255;
const DESCRIPTION = 32_767;
const REFERENCE = 100;
const MAX_BLOCKS = 100;

export const TOKEN_STATUSES = ['active', 'inactive', 'expired', 'revoked'] as const;
/** The body that makes a token. */
export class CreateToken {
  /**
   * The API that the token is for, which defines its scopes. `patois` tokens may hold scopes of every API.
   * @example 'patois'
   */
  @IsText(REFERENCE)
  dialect!: string;

  /**
   * Login or uuid of the user that the token acts for.
   * @example 'ada'
   */
  @IsText(REFERENCE)
  owner!: string;

  /**
   * A name for people, trimmed; unique among the owner's tokens in dialects that require it.
   * @example 'nightly report'
   */
  @Trimmed()
  @IsPrintable(NAME)
  name!: string;

  /** @example 'Reads the inventory at night' */
  @IsOptional()
  @IsText(DESCRIPTION)
  description?: string | null;

  /**
   * What the token may do. Optional for dialects with default scopes.
   * @example ['patois:tokens.read']
   */
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  // The core's MAX_SCOPES: only a number gets into the document.
  @ArrayMaxSize(500)
  @ArrayUnique()
  @IsPrintable(NAME, { each: true })
  scopes?: string[];

  /**
   * CIDR blocks, `address/prefix`, that the token works from. Omitted or empty: those of the organization's policy, or no
   * restriction.
   * @example ['203.0.113.0/24']
   */
  @Optional()
  @IsArray()
  @ArrayMaxSize(MAX_BLOCKS)
  @IsString({ each: true })
  allowedCidrs?: string[];

  /**
   * Must be in the future; null: never expires. Omitted: after the default lifetime of the organization's policy, or
   * never, but no later than the token that creates it.
   * @example '2031-05-06T07:08:09.000Z'
   */
  @IsOptional()
  @Instant()
  @IsInstant()
  @IsFuture()
  expiresAt?: Date | null;
}

/** The body that changes a token; keys left out stay as they are. */
export class UpdateToken {
  /** @example 'nightly report' */
  @Optional()
  @Trimmed()
  @IsPrintable(NAME)
  name?: string;

  /** @example 'Reads the inventory at night' */
  @IsOptional()
  @IsText(DESCRIPTION)
  description?: string | null;

  /**
   * Replaces the whole list; empty: those of the organization's policy, or no restriction.
   * @example ['203.0.113.0/24']
   */
  @Optional()
  @IsArray()
  @ArrayMaxSize(MAX_BLOCKS)
  @IsString({ each: true })
  allowedCidrs?: string[];

  /** An inactive token does not work until it is set to active again. */
  @Optional()
  @IsIn(['active', 'inactive'])
  status?: 'active' | 'inactive';

  /**
   * Must be in the future; null: never expires.
   * @example '2031-05-06T07:08:09.000Z'
   */
  @IsOptional()
  @Instant()
  @IsInstant()
  @IsFuture()
  expiresAt?: Date | null;
}

/** The query of a revocation. */
export class RevokeTokenQuery {
  /**
   * Stored with the token and in the audit trail.
   * @example 'Leaked in a build log'
   */
  @Optional()
  @IsText(1000)
  reason?: string;

  /** Whether to revoke all tokens that this token issued as well, directly or indirectly. Of more than 1,000 a job does it. */
  @Optional()
  @Flag()
  @IsBoolean()
  descendants?: boolean;
}

/** The body of a rotation; it may be absent. */
export class RotateToken {
  /**
   * How long the old value keeps working, in seconds, 0 to 604,800; 0: it stops working at once. By default what the
   * policy of the organization says, which is 0 unless set.
   * @example 3600
   */
  @Optional()
  @IsInt()
  @Min(0)
  @Max(MAX_GRACE_SECONDS)
  graceSeconds?: number;

  /** Whether the first use of the new value ends that grace, 60 seconds later. */
  @Optional()
  @IsBoolean()
  retireOnFirstUse: boolean = true;
}

/** Which tokens are meant; all that is given must hold. */
export class TokenFilter {
  /** Login or uuid. */
  @Optional()
  @IsText(REFERENCE)
  owner?: string;

  /** Name or uuid of the owner's organization. */
  @Optional()
  @IsText(REFERENCE)
  organization?: string;

  /**
   * The API that the tokens are of: `foreman`, `yunxiao`, `panther`, `quay`, `losant` or `patois`.
   * @example 'quay'
   */
  @Optional()
  @IsText(REFERENCE)
  dialect?: string;

  /** The first that holds of revoked, expired, inactive and active. */
  @Optional()
  @IsIn(TOKEN_STATUSES)
  status?: TokenStatus;

  /** Whether the token is neither revoked nor expired. */
  @Optional()
  @Flag()
  @IsBoolean()
  live?: boolean;

  /** A scope that the token holds, compared exactly. */
  @Optional()
  @IsText(NAME)
  scope?: string;

  /** Part of the name, description or token id, case-insensitive. A whole token id finds that token alone. */
  @Optional()
  @IsText(NAME)
  q?: string;

  /** Exclusive upper bound. */
  @Optional()
  @Instant()
  @IsInstant()
  createdBefore?: Date;

  /** Inclusive lower bound. */
  @Optional()
  @Instant()
  @IsInstant()
  createdAfter?: Date;

  /** Exclusive upper bound of the last use. Does not match unused tokens: see `neverUsed`. */
  @Optional()
  @Instant()
  @IsInstant()
  lastUsedBefore?: Date;

  /** True: no use is known; false: there is one. */
  @Optional()
  @Flag()
  @IsBoolean()
  neverUsed?: boolean;

  /** Exclusive upper bound of the last use or, of a token that was never used, of the creation. */
  @Optional()
  @Instant()
  @IsInstant()
  unusedSince?: Date;

  /** Exclusive upper bound of the expiry. Does not match tokens that never expire. */
  @Optional()
  @Instant()
  @IsInstant()
  expiresBefore?: Date;

  /** Inclusive lower bound of the expiry. Does not match tokens that never expire: see `withoutExpiry`. */
  @Optional()
  @Instant()
  @IsInstant()
  expiresAfter?: Date;

  /** Whether the token never expires. */
  @Optional()
  @Flag()
  @IsBoolean()
  withoutExpiry?: boolean;

  /** Whether the token has no CIDR blocks, and works from anywhere. */
  @Optional()
  @Flag()
  @IsBoolean()
  withoutCidrs?: boolean;

  /**
   * An IP address that the token's CIDR blocks allow.
   * @example '203.0.113.7'
   */
  @Optional()
  @IsAddress()
  allowsAddress?: string;

  /**
   * Login or uuid of the user, or the token id of the token, that created the token.
   * @example 'ada'
   */
  @Optional()
  @IsText(REFERENCE)
  createdBy?: string;

  /**
   * Whether the token is live, that is neither revoked nor expired and its owner is not deleted, and breaks the current
   * policy of its organization.
   */
  @Optional()
  @Flag()
  @IsBoolean()
  violatesPolicy?: boolean;

  /** As the core knows it. */
  static named(this: void, filter: TokenFilter): NamedTokenFilter {
    const { createdBefore, createdAfter, lastUsedBefore, unusedSince } = filter;
    const { expiresBefore, expiresAfter, allowsAddress } = filter;
    const named = {
      owner: filter.owner,
      organization: filter.organization,
      dialect: filter.dialect,
      status: filter.status,
      live: filter.live,
      scope: filter.scope,
      q: filter.q,
      createdBefore: createdBefore?.toISOString(),
      createdAfter: createdAfter?.toISOString(),
      lastUsedBefore: lastUsedBefore?.toISOString(),
      neverUsed: filter.neverUsed,
      unusedSince: unusedSince?.toISOString(),
      expiresBefore: expiresBefore?.toISOString(),
      expiresAfter: expiresAfter?.toISOString(),
      withoutExpiry: filter.withoutExpiry,
      withoutCidrs: filter.withoutCidrs,
      allowsAddress: allowsAddress === undefined ? undefined : parseCallerAddress(allowsAddress),
      createdBy: filter.createdBy,
      violatesPolicy: filter.violatesPolicy,
    };
    // What is not given is left out: what is kept of a filter has no empty keys.
    return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  }
}

/** The query of the list of tokens. */
export class ListTokensQuery extends IntersectionType(TokenFilter, ListQuery) {
  /**
   * Ascending, or descending with a leading `-`. By `lastUsedAt`, unused tokens sort before all others; by `expiresAt`,
   * tokens that never expire sort after all others. Names are compared case-insensitively.
   */
  @Optional()
  @IsIn(TOKEN_SORTS)
  sort: TokenSort = '-createdAt';
}

/** The query of an export of tokens. */
export class ExportTokensQuery extends IntersectionType(TokenFilter, ExportQuery) {}

/** The owner of a token. */
export class TokenOwner {
  /** @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  id: string;

  /** @example 'ada' */
  login: string;

  constructor({ id, login }: TokenRow['owner']) {
    this.id = id;
    this.login = login;
  }
}

/** Who made or revoked a token: a user, a token, or the server itself. */
export class TokenDoer {
  /** @example 'user' */
  type: 'user' | 'token' | 'system';

  /**
   * A uuid; null for the server itself.
   * @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b'
   */
  id: string | null;

  constructor({ type, id }: ActorSnapshot) {
    this.type = type ?? 'system';
    this.id = id;
  }
}

/** A token of any dialect, without its secret. */
export class Token {
  /**
   * The public part of the value: safe to log and show.
   * @example 'pt-4fK2mZq81LxT'
   */
  tokenId: string;

  /**
   * The id of the token in the API of its dialect.
   * @example 'pt-4fK2mZq81LxT'
   */
  externalId: string;

  /** @example '0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10' */
  uuid: string;

  /** @example 12 */
  numericId: number;

  /** @example 'patois' */
  dialect: string;

  owner: TokenOwner;

  organization: PlaceReference;

  /** @example 'nightly report' */
  name: string;

  /** @example 'Reads the inventory at night' */
  description: string | null;

  /** @example ['patois:tokens.read'] */
  scopes: string[];

  /** @example ['203.0.113.0/24'] */
  allowedCidrs: string[];

  /** The first that applies of revoked, expired, inactive, active. */
  status: TokenStatus;

  expiresAt: Date | null;

  createdAt: Date;

  createdBy: TokenDoer;

  updatedAt: Date | null;

  rotatedAt: Date | null;

  /** Until when the value before the last rotation works beside the current one; null when it does not. */
  previousValidUntil: Date | null;

  lastUsedAt: Date | null;

  /** @example '203.0.113.7' */
  lastUsedAddress: string | null;

  /** @example 'curl/8.5.0' */
  lastUsedUserAgent: string | null;

  revokedAt: Date | null;

  revokedBy: TokenDoer | null;

  /** @example 'Leaked in a build log' */
  revokeReason: string | null;

  /**
   * @param token with its owner and the owner's organization.
   * @param now the moment for which it is shown.
   */
  constructor(token: TokenRow, externalId: string, now?: Date) {
    this.tokenId = token.tokenId;
    this.externalId = externalId;
    this.uuid = token.id;
    this.numericId = token.numericId;
    this.dialect = token.dialect;
    this.owner = new TokenOwner(token.owner);
    this.organization = new PlaceReference(token.owner.organization);
    this.name = token.name;
    this.description = token.description;
    this.scopes = token.scopes;
    this.allowedCidrs = token.allowedCidrs;
    this.status = token.status(now);
    this.expiresAt = token.expiresAt;
    this.createdAt = token.createdAt;
    this.createdBy = new TokenDoer(token.createdBy);
    this.updatedAt = token.updatedAt;
    this.rotatedAt = token.rotatedAt;
    this.previousValidUntil = token.graceEnd(now);
    this.lastUsedAt = token.lastUsedAt;
    this.lastUsedAddress = token.lastUse?.address ?? null;
    this.lastUsedUserAgent = token.lastUse?.userAgent ?? null;
    this.revokedAt = token.revokedAt;
    this.revokedBy = token.revokedAt && new TokenDoer(token.revokedBy);
    this.revokeReason = token.revokeReason;
  }
}

/** A token with its value: the answer of create and rotate, and of nothing else. */
export class TokenWithSecret extends Token {
  /**
   * The secret, shown once.
   * @example 'pt-4fK2mZq81LxT_…'
   */
  token: string;

  constructor(token: TokenRow, externalId: string, value: string) {
    super(token, externalId);
    this.token = value;
  }
}

/** One page of tokens. */
export class TokenPage {
  items: Token[];

  /**
   * The cursor of the next page; null on the last page.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  nextCursor: string | null;

  constructor(items: Token[], nextCursor: string | undefined) {
    this.items = items;
    this.nextCursor = nextCursor ?? null;
  }
}
