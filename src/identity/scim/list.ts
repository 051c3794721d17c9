import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { type Attributes, valueOf } from './attributes.js';
import { Projection } from './projection.js';
import { refuseInput } from './refusals.js';
import { LIST_SCHEMA, type ResourceType } from './schemas.js';

/** Of resources in one answer; where none is asked for, too. */
export const MAX_COUNT = 200;
const MAX_START = 2 ** 31 - 1;

/** What a list is asked for (RFC 7644, 3.4.2). */
export interface ListRequest {
  filter: string | undefined;
  /** From 1. */
  startIndex: number;
  /** 0 to {@link MAX_COUNT}. */
  count: number;
  projection: Projection;
}

/** A part of a list, and how many there are in all. */
export interface Part<Row> {
  rows: Row[];
  total: number;
}

/**
 * Reads what a list is asked for, from a query or the body of a search.
 *
 * @throws {Refusal} invalidValue, invalidFilter, invalidSyntax, tooMany.
 */
export function readListRequest(sent: Attributes, type: ResourceType): ListRequest {
  const filter = valueOf(sent, 'filter');
  if (filter !== undefined && typeof filter !== 'string') {
    throw refuseInput('invalidFilter', 'filter must be one text', ['filter']);
  }
  return {
    filter: filter?.trim() === '' ? undefined : filter,
    startIndex: Math.max(1, wholeNumber(sent, 'startIndex', MAX_START) ?? 1),
    count: Math.min(MAX_COUNT, Math.max(0, wholeNumber(sent, 'count', MAX_START) ?? MAX_COUNT)),
    projection: Projection.read(type, valueOf(sent, 'attributes'), valueOf(sent, 'excludedAttributes')),
  };
}

/** The rows of a query that a list is asked for, the oldest first. */
export async function partOf<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  { startIndex, count }: Pick<ListRequest, 'startIndex' | 'count'>,
): Promise<Part<Row>> {
  const total = await query.getCount();
  if (count === 0 || startIndex > total) return { rows: [], total };
  const rows = await query
    .orderBy(`${query.alias}.createdAt`, 'ASC')
    .addOrderBy(`${query.alias}.id`, 'ASC')
    .offset(startIndex - 1)
    .limit(count)
    .getMany();
  return { rows, total };
}

/** The answer of a list. */
export function listAnswer(
  { rows, total }: Part<Attributes>,
  { startIndex, projection }: Pick<ListRequest, 'startIndex' | 'projection'>,
): Attributes {
  return {
    schemas: [LIST_SCHEMA],
    totalResults: total,
    startIndex,
    itemsPerPage: rows.length,
    Resources: rows.map((row) => projection.of(row)),
  };
}

function wholeNumber(sent: Attributes, name: string, most: number): number | undefined {
  const value = valueOf(sent, name);
  if (value === undefined || value === null || value === '') return undefined;
  const number = typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number)) return Math.min(number, most);
  throw refuseInput('invalidValue', `${name} must be a whole number`, [name]);
}
