import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { User } from '../../accounts/user.entity.js';
import type { Token } from '../../tokens/token.entity.js';
import { formatTimestamp } from './timestamps.js';

/** What part of a list is asked for. */
export class ListQuery {
  /**
   * Filter results
   * @example 'name ~ backup'
   */
  search?: string;

  /**
   * Sort field and order, e.g. `id DESC`
   * @example 'name DESC'
   */
  order?: string;

  /** Page number, starting at 1 */
  @ApiPropertyOptional({ minimum: 1 })
  page?: number;

  /** Number of results per page to return, `all` to return all results */
  per_page?: string;

  /** Adds what the caller may do; any value counts, also an empty one. */
  include_permissions?: string;

  /** What a client sends besides is ignored. */
  readonly [parameter: string]: unknown;
}

/** The fields of a token to be made. */
export class PersonalAccessTokenFields {
  /**
   * Unique among the user's tokens, revoked ones included; at most 255 characters.
   * @example 'backup'
   */
  name!: string;

  /**
   * Expiry Date
   * @example '2031-05-06T07:08:09Z'
   */
  expires_at?: string | null;
}

/** The body of create; the fields may also stand bare, without the wrapping. */
export class CreatePersonalAccessToken {
  personal_access_token!: PersonalAccessTokenFields;
}

/** A personal access token. Times read `2026-11-21 20:55:03 UTC`. */
export class PersonalAccessToken {
  /** @example '2026-11-21 20:55:03 UTC' */
  created_at: string;

  /** @example '2026-11-21 20:55:03 UTC' */
  updated_at: string;

  /** @example 50 */
  id: number;

  /** @example 'backup' */
  name: string;

  /**
   * Null when the token never expires.
   * @example '2031-05-06 07:08:09 UTC'
   */
  expires_at: string | null;

  /** Neither revoked nor expired. */
  'active?': boolean;

  /** @example 5 */
  user_id: number;

  /**
   * Null until the first use.
   * @example '2026-11-21 21:00:00 UTC'
   */
  last_used_at: string | null;

  /** @example false */
  'revoked?': boolean;

  constructor(token: Token, owner: User) {
    this.created_at = formatTimestamp(token.createdAt);
    this.updated_at = formatTimestamp(lastChange(token));
    this.id = token.numericId;
    this.name = token.name;
    this.expires_at = token.expiresAt && formatTimestamp(token.expiresAt);
    this['active?'] = token.status() === 'active';
    this.user_id = owner.numericId;
    this.last_used_at = token.lastUsedAt && formatTimestamp(token.lastUsedAt);
    this['revoked?'] = token.isRevoked();
  }
}

/** A token with its value: the answer of create, and of nothing else. */
export class CreatedPersonalAccessToken {
  /**
   * The secret, shown once.
   * @example 'pt-9fK2mQ7xLw0B_…'
   */
  token_value: string;

  /** @example '2026-11-21 20:55:03 UTC' */
  created_at!: string;

  /** @example '2026-11-21 20:55:03 UTC' */
  updated_at!: string;

  /** @example 50 */
  id!: number;

  /** @example 'backup' */
  name!: string;

  /**
   * Null when the token never expires.
   * @example '2031-05-06 07:08:09 UTC'
   */
  expires_at!: string | null;

  'active?'!: boolean;

  /** @example 5 */
  user_id!: number;

  /**
   * Null until the first use.
   * @example '2026-11-21 21:00:00 UTC'
   */
  last_used_at!: string | null;

  /** @example false */
  'revoked?'!: boolean;

  constructor(token: Token, owner: User, value: string) {
    this.token_value = value;
    Object.assign(this, new PersonalAccessToken(token, owner));
  }
}

/** A revoked token, as its record is stored; times are ISO 8601 here. */
export class RevokedPersonalAccessToken {
  /** @example true */
  revoked: boolean;

  /** @example 50 */
  id: number;

  /** @example 'backup' */
  name: string;

  expires_at: Date | null;

  last_used_at: Date | null;

  /** @example 5 */
  user_id: number;

  created_at: Date;

  updated_at: Date;

  constructor(token: Token, owner: User) {
    this.revoked = token.isRevoked();
    this.id = token.numericId;
    this.name = token.name;
    this.expires_at = token.expiresAt;
    this.last_used_at = token.lastUsedAt;
    this.user_id = owner.numericId;
    this.created_at = token.createdAt;
    this.updated_at = lastChange(token);
  }
}

/** By which field a list is sorted, both words as they were typed; null without an order. */
export class ListSort {
  /** @example 'name' */
  by: string | null;

  /** @example 'DESC' */
  order: string | null;

  constructor(by: string | null, order: string | null) {
    this.by = by;
    this.order = order;
  }
}

/** What a list says of itself. */
export interface ListFrame {
  total: number;
  subtotal: number;
  page: number;
  perPage: number;
  search: string | null;
  permissions: { canCreate: boolean; canEdit: boolean } | null;
  sort: ListSort;
}

/** What every list says of itself. */
class List {
  /**
   * Number of records in the list.
   * @example 1
   */
  total: number;

  /**
   * Number of records that match the search.
   * @example 1
   */
  subtotal: number;

  /** @example 1 */
  page: number;

  /** @example 20 */
  per_page: number;

  /**
   * As it was sent.
   * @example 'name ~ backup'
   */
  search: string | null;

  /** With `include_permissions`: whether the caller may create such records here. */
  can_create?: boolean;

  /** With `include_permissions`: whether the caller may change such records here; of tokens, revoke them. */
  can_edit?: boolean;

  sort: ListSort;

  constructor(frame: ListFrame) {
    this.total = frame.total;
    this.subtotal = frame.subtotal;
    this.page = frame.page;
    this.per_page = frame.perPage;
    this.search = frame.search;
    if (frame.permissions) {
      this.can_create = frame.permissions.canCreate;
      this.can_edit = frame.permissions.canEdit;
    }
    this.sort = frame.sort;
  }
}

/** A page of a user's tokens. */
export class PersonalAccessTokenList extends List {
  results: PersonalAccessToken[];

  constructor(frame: ListFrame, results: PersonalAccessToken[]) {
    super(frame);
    this.results = results;
  }
}

/** A user. */
export class ForemanUser {
  /** @example 5 */
  id: number;

  /** @example 'alice' */
  login: string;

  /** @example 'alice@example.com' */
  mail: string | null;

  /**
   * The name up to its first space.
   * @example 'Alice'
   */
  firstname: string | null;

  /**
   * The rest of the name.
   * @example 'van der Berg'
   */
  lastname: string | null;

  /** @example false */
  admin: boolean;

  /** @example false */
  disabled: boolean;

  constructor(user: User) {
    const [, first, last] = /^([^ ]*)(?: (.*))?$/s.exec(user.name ?? '') ?? [];
    this.id = user.numericId;
    this.login = user.login;
    this.mail = user.email;
    this.firstname = first || null;
    this.lastname = last || null;
    this.admin = user.role === 'administrator';
    this.disabled = user.disabled;
  }
}

/** A user as it is shown alone. */
export class ForemanUserDetails extends ForemanUser {
  /**
   * There are none here; the command-line client takes the list for granted.
   * @example []
   */
  usergroups: string[] = [];
}

/** A page of users. */
export class ForemanUserList extends List {
  results: ForemanUser[];

  constructor(frame: ListFrame, results: ForemanUser[]) {
    super(frame);
    this.results = results;
  }
}

/** That the server answers, and who it says it is. */
export class ForemanStatus {
  /** @example 'ok' */
  result!: string;

  /** @example 200 */
  status!: number;

  /** @example '3.13.0' */
  version!: string;

  /** @example 2 */
  api_version!: number;
}

/** Whether the database answers. */
export class ForemanDatabaseStatus {
  /** @example true */
  active!: boolean;

  /**
   * Milliseconds until it answered or the check timed out.
   * @example '1'
   */
  duration_ms!: string;
}

/** What a ping is about. */
export class ForemanPingResult {
  database!: ForemanDatabaseStatus;
}

/** The results of a ping, by system: there is one. */
export class ForemanPingResults {
  foreman!: ForemanPingResult;
}

/** The answer of a ping. */
export class ForemanPing {
  results!: ForemanPingResults;
}

/** The version of the API. */
export class ForemanApiVersion {
  /** @example 'v2' */
  version!: string;
}

/** What a status is about. */
export class ForemanStatusResult {
  /** @example '3.13.0' */
  version!: string;

  api!: ForemanApiVersion;

  /**
   * There are none here.
   * @example []
   */
  plugins!: string[];

  /**
   * There are none here.
   * @example []
   */
  smart_proxies!: string[];

  /**
   * There are none here.
   * @example []
   */
  compute_resources!: string[];

  database!: ForemanDatabaseStatus;
}

/** The statuses, by system: there is one. */
export class ForemanStatusResults {
  foreman!: ForemanStatusResult;
}

/** How the server and what it needs are, and in which version. */
export class ForemanStatuses {
  results!: ForemanStatusResults;
}

/** Which description of the API is in force. */
export class ApipieChecksum {
  /** @example '9b74c9897bac770ffc029102a200c5de' */
  checksum!: string;
}

/** What went wrong. */
export class ForemanErrorDetails {
  /** @example 'Access denied' */
  message!: string;

  /** @example 'Missing one of the required permissions: view_personal_access_tokens' */
  details?: string;

  /** @example ['view_personal_access_tokens'] */
  missing_permissions?: string[];

  /**
   * The kind of a 400.
   * @example 'ScopedSearch::QueryNotSupported'
   */
  class?: string;

  /**
   * The parameter that a 400 is about.
   * @example 'page'
   */
  parameter_name?: string;
}

/** Most errors of this API. */
export class ForemanError {
  error!: ForemanErrorDetails;
}

/** What is wrong with each field of a record that was not saved. */
export class InvalidRecordDetails {
  @ApiProperty({ type: 'null' })
  id!: null;

  /** By field. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { name: ['has already been taken'] },
  })
  errors!: Record<string, string[]>;

  /** @example ['Name has already been taken'] */
  full_messages!: string[];
}

/** A record that was not saved. */
export class ForemanInvalidRecord {
  error!: InvalidRecordDetails;
}

/** A body that is not JSON: answered before Foreman's own error templates are reached. */
export class ForemanMalformedBody {
  /** @example 400 */
  status!: number;

  /** @example 'There was a problem in the JSON you submitted: Unexpected end of JSON input' */
  error!: string;
}

/** An organization or location that is not there, or not the caller's. */
export class ForemanContextNotFound {
  /** @example 'Organization with id 999 not found' */
  message!: string;
}

/** A token's record changes with its revocation and, in Foreman, with each use too. */
function lastChange(token: Token): Date {
  // Each use updates the record: `authenticate_user` in
  // https://github.com/theforeman/foreman/blob/develop/app/models/personal_access_token.rb
  const changes = [token.createdAt, token.updatedAt, token.rotatedAt, token.revokedAt, token.lastUsedAt];
  const times = changes.flatMap((change) => (change ? [change.getTime()] : []));
  return new Date(Math.max(...times));
}
