import type { User } from '../../accounts/user.entity.js';
import type { TokenCriteria } from '../../tokens/token.service.js';
import { FOREMAN } from './foreman.dialect.js';
import { SearchFields } from './search/fields.js';

/** The greatest number that the column holds. */
const GREATEST_ID = 2_147_483_647;

/** As much of a token as lists show; a list of all may be long. */
export const SHOWN_COLUMNS = [
  'token.id',
  'token.numericId',
  'token.name',
  'token.inactive',
  'token.expiresAt',
  'token.createdAt',
  'token.updatedAt',
  'token.rotatedAt',
  'token.lastUsedAt',
  'token.revokedAt',
];

/** The tokens that a user's list holds. */
export function tokensOf(owner: User): TokenCriteria {
  return { dialect: FOREMAN, ownerId: owner.id };
}

/** The number that an id starts with, whatever follows; 0, which no token has, where it starts with none. */
export function numberOf(id: string): number {
  const number = Number(/^\d+/.exec(id)?.[0] ?? 0);
  return number <= GREATEST_ID ? number : 0;
}

/** What a user's tokens can be searched and sorted by. Names are compared by bytes, whatever the database's collation. */
export function tokenFields(owner: User): SearchFields {
  return new SearchFields('token.numericId', [
    { name: 'name', type: 'string', sql: 'token.name', collated: 'token.name COLLATE "C"', isFreeText: true },
    { name: 'id', type: 'integer', sql: 'token.numericId' },
    // One list is of one user. A bare number in ORDER BY would name a column by its place.
    { name: 'user_id', type: 'integer', sql: `CAST(${owner.numericId} AS integer)` },
    { name: 'expires_at', type: 'datetime', sql: 'token.expiresAt', isNullable: true },
    { name: 'last_used_at', type: 'datetime', sql: 'token.lastUsedAt', isNullable: true },
    { name: 'created_at', type: 'datetime', sql: 'token.createdAt' },
    { name: 'revoked', type: 'boolean', sql: '(token.revokedAt IS NOT NULL)' },
    {
      name: 'active',
      type: 'boolean',
      sql: '(token.revokedAt IS NULL AND NOT token.inactive AND (token.expiresAt IS NULL OR token.expiresAt > now()))',
    },
  ]);
}
