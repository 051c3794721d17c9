import { ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsUUID } from 'class-validator';
import { Optional } from '../../http/validation/fields.js';
import { ListQuery } from '../../native/list.dto.js';
import type { HeldScope } from '../../protocol/scope-power.js';
import type { TokenOwner as OwnerRow } from '../../tokens/inventory/token-owners.js';
import { PlaceReference } from '../place.dto.js';
import { TokenFilter } from '../tokens/tokens.dto.js';

/** So many fit into an address that every proxy takes. */
const MAX_USERS = 100;

/** The query of the list of owners: a user is in it who owns a token that the filters mean. */
export class ListOwnersQuery extends IntersectionType(TokenFilter, ListQuery) {
  @ApiPropertyOptional({
    description: 'Uuids of users, separated by commas: lists those alone of them who own such a token.',
    type: [String],
    format: 'uuid',
    maxItems: MAX_USERS,
    style: 'form',
    explode: false,
  } as object)
  @Optional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value))
  @IsArray()
  @ArrayMaxSize(MAX_USERS)
  @IsUUID('all', { each: true })
  users?: string[];
}

/** How many tokens somebody owns. */
export class OwnedTokenCounts {
  /** @example 3 */
  total: number;

  /**
   * By dialect, without those of which there is none.
   * @example { "patois": 1, "quay": 2 }
   */
  byDialect: Record<string, number>;

  constructor(counts: OwnerRow['tokens']) {
    this.total = counts.reduce((sum, { count }) => sum + count, 0);
    this.byDialect = Object.fromEntries(counts.map(({ dialect, count }) => [dialect, count]));
  }
}

/** A scope, as tokens of a dialect hold it. */
export class OwnedScope {
  /** @example 'quay' */
  dialect: string;

  /** @example 'repo:admin' */
  scope: string;

  constructor({ dialect, scope }: HeldScope) {
    this.dialect = dialect;
    this.scope = scope;
  }
}

/** A user and what the tokens that the user owns come to. */
export class Owner {
  /** @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b' */
  id: string;

  /** @example 'ada' */
  login: string;

  /** @example 'Ada Lovelace' */
  name: string | null;

  organization: PlaceReference;

  /** @example false */
  disabled: boolean;

  tokens: OwnedTokenCounts;

  /** The last use of any of these tokens; null when none was ever used. */
  lastUsedAt: Date | null;

  /**
   * Of the scopes that these tokens hold the one that covers most: `*`, then the one that covers the largest part of its
   * API's scopes. Null when they hold none.
   */
  mostPowerfulScope: OwnedScope | null;

  constructor({ user, tokens }: OwnerRow, mostPowerful: HeldScope | undefined) {
    this.id = user.id;
    this.login = user.login;
    this.name = user.name;
    this.organization = new PlaceReference(user.organization);
    this.disabled = user.disabled;
    this.tokens = new OwnedTokenCounts(tokens);
    const uses = tokens.flatMap(({ lastUsedAt }) => lastUsedAt?.getTime() ?? []);
    this.lastUsedAt = uses.length > 0 ? new Date(Math.max(...uses)) : null;
    this.mostPowerfulScope = mostPowerful ? new OwnedScope(mostPowerful) : null;
  }
}

/** One page of owners, the newest users first. */
export class OwnerPage {
  items: Owner[];

  /**
   * The cursor of the next page; null on the last page.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  nextCursor: string | null;

  constructor(items: Owner[], nextCursor: string | undefined) {
    this.items = items;
    this.nextCursor = nextCursor ?? null;
  }
}
