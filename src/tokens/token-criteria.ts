import type { Place } from '../database/statements.js';

/** Which tokens are meant, within what a caller may see; all that is given must hold. */
export interface TokenCriteria {
  id?: string;
  ids?: readonly string[];
  /** From and to, both included: all uuids that begin alike. */
  idBetween?: readonly [string, string];
  tokenId?: string;
  numericId?: number;
  dialect?: string;
  ownerId?: string;
  organizationId?: string;
  uniqueName?: string;
  /** From and to, both included. */
  createdBetween?: readonly [Date, Date];
  /** That it never expires, or later than this. */
  expiresAfter?: Date;
  expiresUntil?: Date;
  /** That it is not revoked. */
  isUnrevoked?: true;
}

type Key = keyof TokenCriteria;

const CONDITIONS: { [K in Key]-?: (value: NonNullable<TokenCriteria[K]>, place: Place) => string } = {
  id: (id, place) => `token.id = ${place(id)}`,
  ids: (ids, place) => `token.id = ANY (${place(ids)}::uuid[])`,
  idBetween: ([from, to], place) => `token.id BETWEEN ${place(from)} AND ${place(to)}`,
  tokenId: (tokenId, place) => `token.token_id = ${place(tokenId)}`,
  numericId: (numericId, place) => `token.numeric_id = ${place(numericId)}`,
  dialect: (dialect, place) => `token.dialect = ${place(dialect)}`,
  ownerId: (ownerId, place) => `token.owner_id = ${place(ownerId)}`,
  organizationId: (id, place) => `token.organization_id = ${place(id)}`,
  uniqueName: (name, place) => `token.unique_name = ${place(name)}`,
  createdBetween: ([from, to], place) => `token.created_at BETWEEN ${place(from)} AND ${place(to)}`,
  expiresAfter: (time, place) => `(token.expires_at IS NULL OR token.expires_at > ${place(time)})`,
  expiresUntil: (time, place) => `token.expires_at <= ${place(time)}`,
  isUnrevoked: () => 'token.revoked_at IS NULL',
};

/** In SQL, on the alias `token`; without any key it is met by every token. */
export function conditionOf(criteria: TokenCriteria, place: Place): string {
  const parts: string[] = [];
  // Not by the keys of the conditions: to look for what is not there costs more than all else here.
  for (const [key, value] of Object.entries(criteria)) {
    const condition = CONDITIONS[key as Key] as (value: unknown, place: Place) => string;
    if (value !== undefined) parts.push(condition(value, place));
  }
  return parts.length > 0 ? parts.join(' AND ') : 'TRUE';
}
