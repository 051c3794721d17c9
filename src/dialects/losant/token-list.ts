import type { SelectQueryBuilder } from 'typeorm';
import type { Token } from '../../tokens/token.entity.js';
import type { FilterField, ListApiTokensQuery, SortField } from './losant.dto.js';

/** What each field is to the database. Names sort by code point, so that the order does not hang on its locale. */
const SORT_EXPRESSIONS: Record<Exclude<SortField, 'id'>, string> = {
  name: 'token.name COLLATE "C"',
  status: 'token.inactive',
  creationDate: 'token.createdAt',
  lastUpdated: 'COALESCE(token.updatedAt, token.createdAt)',
  // PostgreSQL puts NULL, which never expires, after all others ascending, and before them descending.
  expirationDate: 'token.expiresAt',
};

const FILTER_EXPRESSIONS: Record<FilterField, string> = {
  name: 'token.name',
  status: `CASE WHEN token.inactive THEN 'inactive' ELSE 'active' END`,
};

/**
 * One page of a query over tokens, filtered and in a total order: ties go by id, and descending is the exact reverse of
 * ascending.
 *
 * @returns the page's tokens and how many there are on all pages.
 */
export function readPage(
  query: SelectQueryBuilder<Token>,
  { sortField, sortDirection, page, perPage, filterField, filter }: ListApiTokensQuery,
): Promise<[Token[], number]> {
  if (filterField !== undefined && filter !== undefined) {
    query.andWhere(`${FILTER_EXPRESSIONS[filterField]} ILIKE :glob`, { glob: likePattern(filter) });
  }
  const direction = sortDirection.toLowerCase() === 'desc' ? 'DESC' : 'ASC';
  if (sortField !== 'id') query.addOrderBy(SORT_EXPRESSIONS[sortField], direction);
  return (
    query
      // The id a client sees begins with the second of creation.
      .addOrderBy(`date_trunc('second', token.createdAt)`, direction)
      .addOrderBy('token.id', direction)
      .limit(perPage)
      .offset(page * perPage)
      .getManyAndCount()
  );
}

/** A glob as a LIKE pattern: `*` is any run, `?` any one character, everything else is itself. */
function likePattern(glob: string): string {
  return glob.replace(/\*+|[?%_\\]/g, (part) => {
    if (part === '?') return '_';
    return part.startsWith('*') ? '%' : `\\${part}`;
  });
}
