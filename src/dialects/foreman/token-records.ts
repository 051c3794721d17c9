import type { User } from '../../accounts/user.entity.js';
import type { TokenCriteria } from '../../tokens/token-criteria.js';
import { FOREMAN } from './foreman.dialect.js';
import { SearchFields } from './search/fields.js';

/** The greatest value of the column. */
const GREATEST_ID = 2_147_483_647;

/** The columns that lists show; a list of all tokens may be long. */
export const SHOWN_COLUMNS = [
  'token.id',
  'token.numericId',
  'token.name',
  'token.inactive',
  'token.expiresAt',
  'token.createdAt',
  'token.updatedAt',
  'token.rotatedAt',
  'token.revokedAt',
  'lastUse.tokenUuid',
  'lastUse.usedAt',
];

/** The token of a path, whoever its owner is. */
export function tokenOf(id: string): TokenCriteria {
  return { dialect: FOREMAN, numericId: numberOf(id) };
}

/**
 * The number that an id starts with, whatever follows; 0, which no token has, if it starts with none. It is
 * Ruby's `to_i` (`Parameterizable::ById`):
 * https://github.com/theforeman/foreman/blob/develop/app/models/concerns/parameterizable.rb
 */
export function numberOf(id: string): number {
  const number = Number(/^\d+/.exec(id)?.[0] ?? 0);
  return number <= GREATEST_ID ? number : 0;
}

/**
 * The fields by which a user's tokens are searched and sorted. `id`, `name` and `user_id` are the
 * `scoped_search` lines of
 * https://github.com/theforeman/foreman/blob/develop/app/models/personal_access_token.rb
 *
 * The others, and that names are compared by bytes whatever the collation of the database, were decided here.
 */
export function tokenFields(owner: User): SearchFields {
  return new SearchFields('token.numericId', [
    { name: 'name', type: 'string', sql: 'token.name', collated: 'token.name COLLATE "C"', isFreeText: true },
    { name: 'id', type: 'integer', sql: 'token.numericId' },
    // A list is of one user. A bare number in ORDER BY would mean the position of a column.
    { name: 'user_id', type: 'integer', sql: `CAST(${owner.numericId} AS integer)` },
    { name: 'expires_at', type: 'datetime', sql: 'token.expiresAt', isNullable: true },
    { name: 'last_used_at', type: 'datetime', sql: 'lastUse.usedAt', isNullable: true },
    { name: 'created_at', type: 'datetime', sql: 'token.createdAt' },
    { name: 'revoked', type: 'boolean', sql: '(token.revokedAt IS NOT NULL)' },
    {
      name: 'active',
      type: 'boolean',
      sql: '(token.revokedAt IS NULL AND NOT token.inactive AND (token.expiresAt IS NULL OR token.expiresAt > now()))',
    },
  ]);
}
