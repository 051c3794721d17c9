import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { withoutSecrets } from '../../secrets.js';
import { type ListFrame, ListSort } from './foreman.dto.js';
import { InvalidParameter, QueryNotSupported } from './foreman.refusals.js';
import { type Parameters, textOf } from './parameters.js';
import { conditionOf } from './search/conditions.js';
import type { SearchFields } from './search/fields.js';
import { parseSearch } from './search/grammar.js';

// `entries_per_page` in
// https://github.com/theforeman/foreman/blob/develop/config/initializers/f_foreman_settings_general.rb
const DEFAULT_PER_PAGE = 20;

/** Which part of a list is asked for, checked. */
export interface Listing {
  search: string | null;
  page: number;
  /** How many rows; `all` for every row. */
  perPage: number | 'all';
  sort: ListSort;
  wantsPermissions: boolean;
}

/** The rows of one page, and how many there are. */
export interface Listed<Row> {
  rows: Row[];
  total: number;
  subtotal: number;
}

/**
 * Reads the parameters of a list: `:search_and_pagination` in
 * https://github.com/theforeman/foreman/blob/develop/app/controllers/api/v2/base_controller.rb
 *
 * @throws {InvalidParameter} for a page or size that is no positive whole number (decided here), and for a
 *   list in place of a text.
 */
export function readListing(parameters: Parameters): Listing {
  const perPage = textOf(parameters, 'per_page');
  return {
    search: searchOf(parameters),
    page: positive('page', textOf(parameters, 'page'), 1),
    // `all`, or a number of any size: the Ansible collection sends 2 << 31 (`PER_PAGE`, foreman_helper.py).
    perPage: perPage === 'all' ? 'all' : positive('per_page', perPage, DEFAULT_PER_PAGE),
    sort: sortOf(parameters),
    // `params.has_key?`: whatever its value.
    wantsPermissions: 'include_permissions' in parameters,
  };
}

/**
 * Runs a query over all rows of a list, all in the database: counts, searches, sorts and cuts out the page.
 *
 * @param fields what may be searched and sorted by.
 * @throws {QueryNotSupported}
 */
export async function list<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  listing: Listing,
  fields: SearchFields,
): Promise<Listed<Row>> {
  const orderings = orderingsOf(listing.sort, fields);
  const found = query.clone();
  const condition = listing.search === null ? undefined : conditionOf(parseSearch(listing.search), fields);
  if (condition) found.andWhere(condition.sql, condition.parameters);
  const total = await query.getCount();
  const subtotal = condition ? await found.getCount() : total;
  const { perPage } = listing;
  const offset = perPage === 'all' ? 0 : (listing.page - 1) * perPage;
  if (offset >= subtotal) return { rows: [], total, subtotal };
  for (const { by, direction, nulls } of orderings) found.addOrderBy(by, direction, nulls);
  if (perPage !== 'all') found.offset(offset).limit(perPage);
  return { rows: await found.getMany(), total, subtotal };
}

/**
 * The envelope of a list, with the key order of
 * https://github.com/theforeman/foreman/blob/develop/app/views/api/v2/layouts/index_layout.json.erb
 * and the values of the `metadata_…` methods of app/controllers/api/v2/base_controller.rb: `per_page=all` is
 * answered with the total, and search and order as they were sent.
 */
export function frameOf(
  { search, page, perPage, sort, wantsPermissions }: Listing,
  { total, subtotal }: Pick<Listed<unknown>, 'total' | 'subtotal'>,
  permissions: { canCreate: boolean; canEdit: boolean },
): ListFrame {
  return {
    total,
    subtotal,
    page,
    perPage: perPage === 'all' ? total : perPage,
    search: search && withoutSecrets(search),
    permissions: wantsPermissions ? permissions : null,
    sort,
  };
}

interface Ordering {
  by: string;
  direction: 'ASC' | 'DESC';
  nulls?: 'NULLS FIRST' | 'NULLS LAST';
}

function orderingsOf({ by, order }: ListSort, fields: SearchFields): Ordering[] {
  const byKey: Ordering = { by: fields.key, direction: 'ASC' };
  if (by === null) return [byKey];
  // `find_field_for_order_by` in
  // https://github.com/wvanbergen/scoped_search/blob/master/lib/scoped_search/query_builder.rb
  const field = fields.find(by);
  if (!field) {
    throw new QueryNotSupported(`the field '${by}' in the order statement is not valid field for search`);
  }
  const direction = order?.toLowerCase() === 'desc' ? 'DESC' : 'ASC';
  // `PostgreSQLAdapter#order_by`, same file; PostgreSQL itself would do the opposite.
  const nulls = direction === 'DESC' ? 'NULLS LAST' : 'NULLS FIRST';
  const byField: Ordering = {
    by: field.collated ?? field.sql,
    direction,
    ...(field.isNullable ? { nulls } : {}),
  };
  return field.sql === fields.key ? [byField] : [byField, byKey];
}

function searchOf(parameters: Parameters): string | null {
  try {
    return textOf(parameters, 'search') ?? null;
  } catch (error) {
    // `build_query` in query_builder.rb raises an ArgumentError, which becomes a 500; 400 was decided here.
    if (error instanceof InvalidParameter) throw new QueryNotSupported('Unsupported query object!');
    throw error;
  }
}

/**
 * A field and, after white space, a direction. Only `desc`, in any case, sorts descending; every other word
 * sorts ascending, and is given back (`order_by` in query_builder.rb, `metadata_order` in
 * api/v2/base_controller.rb).
 */
function sortOf(parameters: Parameters): ListSort {
  const [by, order = 'ASC'] = (textOf(parameters, 'order') ?? '')
    .split(/[ \t\r\n\f\v]+/)
    .filter((word) => word !== '');
  return by === undefined ? new ListSort(null, null) : new ListSort(by, order);
}

function positive(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text.trim() === '') return fallback;
  const number = /^\d{1,20}$/.test(text) ? Number(text) : 0;
  if (number > 0 && Number.isSafeInteger(number)) return number;
  const rule = name === 'page' ? 'Must be a number from 1' : "Must be a number from 1 or 'all'";
  throw new InvalidParameter(name, `Invalid parameter '${name}' value ${JSON.stringify(text)}: ${rule}`);
}
