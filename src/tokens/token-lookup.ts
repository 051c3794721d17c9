import { type OnApplicationShutdown } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import type { DataSource } from 'typeorm';
import { Organization } from '../accounts/organization.entity.js';
import { type Permission, type Role, User } from '../accounts/user.entity.js';
import type { BatchedLookup } from '../database/batched-lookup.js';
import type { HashingService, TokenDigest } from '../hashing/hashing.service.js';
import type { ImportedValues, Presenter } from './imports/imported-values.js';
import type { RetiredValues } from './rotation/retired-values.js';
import { retiresPrevious } from './rotation/rotation.js';
import { tokenIdOf } from './token-format.js';
import { Token } from './token.entity.js';

/** The one query of verification: tokens, their owners and the owners' organizations, by token id. */
export const LOOKUP_SQL = `
  SELECT t.id, t.numeric_id, t.token_id, t.dialect, t.owner_id, t.organization_id, t.name, t.scopes, t.allowed_cidrs,
    t.inactive, t.expires_at, t.created_at, t.revoked_at,
    t.digest, t.digest_key, t.previous_digest, t.previous_digest_key, t.previous_valid_until,
    t.retires_on_first_use,
    u.numeric_id AS user_numeric_id, u.login, u.name AS user_name, u.email, u.role, u.permissions,
    u.organization_id AS user_organization_id, u.disabled, u.created_at AS user_created_at,
    u.updated_at AS user_updated_at,
    o.numeric_id AS organization_numeric_id, o.name AS organization_name, o.created_at AS organization_created_at
  FROM tokens t
    JOIN users u ON u.id = t.owner_id AND u.deleted_at IS NULL
    JOIN organizations o ON o.id = u.organization_id
  WHERE t.token_id = ANY ($1)`;

export interface LookupRow {
  id: string;
  numeric_id: number;
  token_id: string;
  dialect: string;
  owner_id: string;
  organization_id: string;
  name: string;
  scopes: string[];
  allowed_cidrs: string[];
  inactive: boolean;
  expires_at: Date | null;
  created_at: Date;
  revoked_at: Date | null;
  digest: Buffer;
  digest_key: string;
  previous_digest: Buffer | null;
  previous_digest_key: string | null;
  previous_valid_until: Date | null;
  retires_on_first_use: boolean;
  user_numeric_id: number;
  login: string;
  user_name: string | null;
  email: string | null;
  role: Role;
  permissions: Permission[];
  user_organization_id: string;
  disabled: boolean;
  user_created_at: Date;
  user_updated_at: Date;
  organization_numeric_id: number;
  organization_name: string;
  organization_created_at: Date;
}

/** What many tokens have in common is kept once, up to so many of a kind. */
const MAX_SHARED = 10_000;

/** A token whose secret was right. */
export interface LookupResult {
  token: Token;
  /** Until when the value works: null, but for the old value during a grace. */
  validUntil: Date | null;
  /** The digest of the value before, whose grace the first use of this one cuts short; null where it does not. */
  retires: Buffer | null;
}

/** A value that was a token's before a rotation, and works no more. */
export class RetiredLookup {
  constructor(
    readonly token: Token,
    readonly digest: Buffer,
    readonly retiredAt: Date,
  ) {}
}

/** Reads tokens by their value, from the database each time. */
export class TokenLookup implements OnApplicationShutdown {
  private readonly owners = new Map<string, User>();
  private readonly lists = new Map<string, string[]>();

  constructor(
    private readonly query: BatchedLookup<LookupRow>,
    private readonly hashing: HashingService,
    private readonly dataSource: DataSource,
    private readonly retired: RetiredValues,
    private readonly imported: ImportedValues,
  ) {}

  /** Whether a value that does not have our form may be that of a token all the same. */
  mayBeImported(value: string): boolean {
    return this.imported.mayBe(value);
  }

  /**
   * The token of a value, whatever its status; undefined for a value that is no token's and never was. A wrong checksum
   * costs no query where no values were imported; unknown and wrong values take the same path otherwise, up to a second
   * query for a value whose token id is one.
   *
   * @throws {Refusal} tooMany, for what may be an imported value.
   */
  async find(
    value: string,
    presenter: Presenter = { address: undefined },
  ): Promise<LookupResult | RetiredLookup | undefined> {
    const tokenId = tokenIdOf(value) ?? (await this.importedTokenId(value, presenter));
    if (tokenId === undefined) return undefined;
    const row = await this.query.row(tokenId);
    const kept: TokenDigest = row ? { digest: row.digest, keyName: row.digest_key } : this.hashing.decoy;
    if (this.hashing.matchesToken(value, kept)) {
      if (!row) return undefined;
      if (!this.hashing.isCurrent(kept)) await this.digestAnew(row, value);
      return { token: this.tokenOf(row), validUntil: null, retires: retiredBy(row) };
    }
    if (!row) return undefined;
    if (this.isPrevious(row, value)) {
      return { token: this.tokenOf(row), validUntil: row.previous_valid_until, retires: null };
    }
    const retired = await this.retired.find(row.id, value);
    return retired && new RetiredLookup(this.tokenOf(row), retired.digest, retired.retiredAt);
  }

  private async importedTokenId(value: string, presenter: Presenter): Promise<string | undefined> {
    return this.imported.mayBe(value) ? this.imported.find(value, presenter) : undefined;
  }

  /** Whether a value is the one before the last rotation, in its grace. */
  private isPrevious(row: LookupRow, value: string): boolean {
    const { previous_digest: digest, previous_digest_key: keyName, previous_valid_until: end } = row;
    if (!digest || !keyName || !end || end <= new Date()) return false;
    return this.hashing.matchesToken(value, { digest, keyName });
  }

  onApplicationShutdown(): Promise<void> {
    return this.query.close();
  }

  private tokenOf(row: LookupRow): Token {
    const owner = ownerOf(row);
    // Many tokens are remembered, of few owners: one object for each that is the same to the last field.
    const known = this.owners.get(row.owner_id);
    const isKnown = known !== undefined && isDeepStrictEqual(known, owner);
    if (!isKnown) keep(this.owners, row.owner_id, owner);
    row.scopes = this.shared(row.scopes);
    row.allowed_cidrs = this.shared(row.allowed_cidrs);
    return tokenOf(row, isKnown ? known : owner);
  }

  /** The same list for every token that has such a one: they are few, and nobody changes them. */
  private shared(list: string[]): string[] {
    const key = JSON.stringify(list);
    return this.lists.get(key) ?? keep(this.lists, key, list);
  }

  /** Moves a token whose digest was made under an old key to the signing key. */
  private async digestAnew(row: LookupRow, value: string): Promise<void> {
    const { digest, keyName } = this.hashing.digestToken(value);
    // A rotation in between has put a newer value there: it stays.
    const unchanged = { id: row.id, digest: row.digest };
    await this.dataSource.manager.update(Token, unchanged, { digest, digestKey: keyName });
  }
}

function keep<Value>(values: Map<string, Value>, key: string, value: Value): Value {
  if (values.size >= MAX_SHARED) values.clear();
  values.set(key, value);
  return value;
}

function retiredBy(row: LookupRow): Buffer | null {
  const { previous_valid_until: previousValidUntil, retires_on_first_use: retiresOnFirstUse } = row;
  // Asked first for what most tokens have not: a Date costs.
  if (!retiresOnFirstUse) return null;
  return retiresPrevious({ previousValidUntil, retiresOnFirstUse }, new Date()) ? row.previous_digest : null;
}

/** As much of a token as verification and its callers read; the rest of its columns is not loaded. */
function tokenOf(row: LookupRow, owner: User): Token {
  return Object.assign(new Token(), {
    id: row.id,
    numericId: row.numeric_id,
    tokenId: row.token_id,
    dialect: row.dialect,
    ownerId: owner.id,
    owner,
    organizationId: row.organization_id,
    name: row.name,
    scopes: row.scopes,
    allowedCidrs: row.allowed_cidrs,
    inactive: row.inactive,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  });
}

function ownerOf(row: LookupRow): User {
  const organization = Object.assign(new Organization(), {
    id: row.user_organization_id,
    numericId: row.organization_numeric_id,
    name: row.organization_name,
    createdAt: row.organization_created_at,
  });
  return Object.assign(new User(), {
    id: row.owner_id,
    numericId: row.user_numeric_id,
    login: row.login,
    name: row.user_name,
    email: row.email,
    role: row.role,
    permissions: row.permissions,
    organizationId: row.user_organization_id,
    organization,
    disabled: row.disabled,
    createdAt: row.user_created_at,
    updatedAt: row.user_updated_at,
  });
}
