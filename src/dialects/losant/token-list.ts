import type { SelectQueryBuilder } from 'typeorm';
import type { Token } from '../../tokens/token.entity.js';
import type { FilterField, ListApiTokensQuery, SortField } from './losant.dto.js';

/**
 * The SQL expression of each value of `sortField`, which are those of
 * https://github.com/Losant/losant-rest-js/blob/v4.2.0/docs/userApiTokens.md
 * Names sort by code point, so that the order does not depend on the locale of the database (decided here).
 */
const SORT_EXPRESSIONS: Record<Exclude<SortField, 'id'>, string> = {
  name: 'token.name COLLATE "C"',
  status: 'token.inactive',
  creationDate: 'token.createdAt',
  lastUpdated: 'COALESCE(token.updatedAt, token.createdAt)',
  // NULL is a token that never expires. PostgreSQL sorts it last when ascending and first when descending, as
  // decided here.
  expirationDate: 'token.expiresAt',
};

const FILTER_EXPRESSIONS: Record<FilterField, string> = {
  name: 'token.name',
  status: `CASE WHEN token.inactive THEN 'inactive' ELSE 'active' END`,
};

/**
 * One page of a query over tokens, filtered and in a total order: equal rows are sorted by id, and descending
 * is the exact reverse of ascending, so that pages neither repeat nor skip a row (decided here).
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
      // The id that a client sees begins with the second of creation.
      .addOrderBy(`date_trunc('second', token.createdAt)`, direction)
      .addOrderBy('token.id', direction)
      .limit(perPage)
      .offset(page * perPage)
      .getManyAndCount()
  );
}

/**
 * A glob as a LIKE pattern. Published are only "Supports globbing" and the example `my*token`; that `?` is
 * any one character, that all else is literal and that case does not matter was decided here.
 */
function likePattern(glob: string): string {
  return glob.replace(/\*+|[?%_\\]/g, (part) => {
    if (part === '?') return '_';
    return part.startsWith('*') ? '%' : `\\${part}`;
  });
}
