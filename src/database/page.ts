import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { Refusal } from '../refusal.js';
import { isUuid } from './uuid.js';

/** What a list is sorted by; ties go by id in the same direction. */
export interface Order {
  /** Names the order in cursors: one of another order is refused. Without spaces. */
  name: string;
  /** In the query's terms, never null: `token.createdAt`, `lower(token.name)`. */
  expression: string;
  /** What the expression gives: a moment of whole milliseconds, or text. */
  kind: 'time' | 'text';
  direction: 'ASC' | 'DESC';
}

/** One page of a list that is stable under inserts, and where the next one begins; undefined at the end. */
export interface Page<Row> {
  rows: Row[];
  nextCursor: string | undefined;
}

const SORT_KEY = 'sort_key';

/**
 * Reads one page of a query whose main entity has an `id` (uuid). The query may join one row to each of its rows, not
 * several.
 *
 * @param cursor opaque, the `nextCursor` of the page before.
 * @throws {Refusal} invalid for a cursor that no page of this order gave out.
 */
export async function readPage<Row extends ObjectLiteral & { id: string }>(
  query: SelectQueryBuilder<Row>,
  order: Order,
  cursor: string | undefined,
  limit: number,
): Promise<Page<Row>> {
  const { expression, kind, direction } = order;
  const id = `${query.alias}.id`;
  // The key is read as the database has it: what is loaded may show a newer one, from which rows would be lost.
  const key = kind === 'time' ? `round(extract(epoch from ${expression}) * 1000)::bigint` : expression;
  query
    .addSelect(key, SORT_KEY)
    .orderBy(expression, direction)
    .addOrderBy(id, direction)
    .limit(limit + 1);
  keepBehind(query, order, cursor);
  const { raw, entities: rows } = await query.getRawAndEntities<Record<typeof SORT_KEY, string>>();
  if (rows.length <= limit) return { rows, nextCursor: undefined };
  rows.pop();
  const last = rows.at(-1);
  return { rows, nextCursor: last && encode(order, last.id, raw[limit - 1]?.[SORT_KEY] ?? '') };
}

/**
 * Leaves out of a query what comes before the page of a cursor.
 *
 * @throws {Refusal} as {@link readPage}.
 */
export function keepBehind<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  order: Order,
  cursor: string | undefined,
): void {
  if (cursor === undefined) return;
  const { key, id } = decode(cursor, order);
  const comparison = order.direction === 'ASC' ? '>' : '<';
  query.andWhere(`(${order.expression}, ${query.alias}.id) ${comparison} (:cursorKey, :cursorId)`, {
    cursorKey: key,
    cursorId: id,
  });
}

/** The order of most lists, by the moment that `expression` gives. */
export function newestFirst(expression: string): Order {
  return { name: 'newest', expression, kind: 'time', direction: 'DESC' };
}

function encode({ name }: Order, id: string, key: string): string {
  return Buffer.from(`${name} ${id} ${key}`).toString('base64url');
}

function decode(cursor: string, order: Order): { id: string; key: Date | string } {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const [, name, id = '', key = ''] = /^(\S+) (\S+) (.*)$/s.exec(text) ?? [];
  const isKey = order.kind === 'time' ? /^-?\d{1,15}$/.test(key) : !key.includes('\u0000');
  if (name !== order.name || !isUuid(id) || !isKey) {
    throw Refusal.ofField(['cursor'], 'cursor', 'cursor is not one that this list gave out');
  }
  return { id, key: order.kind === 'time' ? new Date(Number(key)) : key };
}
