import type { Place } from '../../database/statements.js';
import { isUuid } from '../../database/uuid.js';
import { Refusal } from '../../refusal.js';

/** What a list is sorted by, descending with a leading `-`; ties go by uuid in the same direction. */
export const TOKEN_SORTS = [
  'createdAt',
  '-createdAt',
  'name',
  '-name',
  'lastUsedAt',
  '-lastUsedAt',
  'expiresAt',
  '-expiresAt',
] as const;
export type TokenSort = (typeof TOKEN_SORTS)[number];
type SortField = 'createdAt' | 'name' | 'lastUsedAt' | 'expiresAt';

/** What a key is: a moment of whole milliseconds, a text, a whole number. */
type KeyType = 'time' | 'text' | 'integer';

/** Some of the tokens, sorted among themselves along an index, which the database reads no further than the page goes. */
interface Part {
  /** Tables, with the alias `token` for the tokens, of which `tokens` are those that count. */
  from: (tokens: string) => string;
  /** Tables without that alias, where all tokens count. */
  ofAll?: string;
  /** Which tokens it has. */
  where: string;
  /** What the index begins with and is the same for all of them. */
  constant?: string;
  keys: readonly { expression: string; type: KeyType }[];
  id: string;
}

const OF_TOKENS = { from: (tokens: string) => `${tokens} token`, where: 'TRUE', id: 'token.id' };
const OF_USES = {
  from: (tokens: string) => `last_uses used JOIN ${tokens} token ON token.id = used.token_uuid`,
  ofAll: 'last_uses used',
  id: 'used.token_uuid',
};

/**
 * The orders, ascending: the parts in theirs. Tokens without a moment are a part by themselves: they may be most, and the
 * index has them in the order of their ids alone. Those in use are read by the quarter of an hour, and sorted within it: an
 * index on the moment itself would make each of the many writes of it dearer.
 */
const ORDERS: Record<SortField, readonly Part[]> = {
  createdAt: [{ ...OF_TOKENS, keys: [{ expression: 'token.created_at', type: 'time' }] }],
  name: [{ ...OF_TOKENS, keys: [{ expression: 'lower(token.name)', type: 'text' }] }],
  lastUsedAt: [
    { ...OF_USES, where: 'used.used_slot = 0', constant: 'used.used_slot', keys: [] },
    {
      ...OF_USES,
      where: 'used.used_slot > 0',
      keys: [
        { expression: 'used.used_slot', type: 'integer' },
        { expression: 'used.used_at', type: 'time' },
      ],
    },
  ],
  expiresAt: [
    {
      ...OF_TOKENS,
      where: 'token.expires_at IS NOT NULL',
      keys: [{ expression: 'token.expires_at', type: 'time' }],
    },
    { ...OF_TOKENS, where: 'token.expires_at IS NULL', constant: 'token.expires_at', keys: [] },
  ],
};

/** Where a page ended: the last token's part, its keys as the database had them, and its uuid. */
export interface Position {
  part: number;
  keys: readonly string[];
  id: string;
}

/**
 * A query of the first tokens that a condition on `token` means, in their order: each is a {@link Position}, with its
 * `place` in the page.
 *
 * @param after where the page before ended.
 * @param few a condition that few tokens meet, along an index of its own: they are found by it first, and then sorted.
 */
export function pickedInOrder(
  sort: TokenSort,
  condition: string,
  {
    after,
    limit,
    place,
    few,
  }: { after: Position | undefined; limit: number; place: Place; few?: string | undefined },
): string {
  const { field, isDescending } = read(sort);
  const direction = isDescending ? 'DESC' : 'ASC';
  const most = place(limit);
  // The offset keeps the database from looking for them along the order, past all others.
  const tokens = few === undefined ? 'tokens' : `(SELECT * FROM tokens token WHERE ${few} OFFSET 0)`;
  const queries = ORDERS[field].flatMap(({ from, ofAll, where, constant, keys, id }, part) => {
    if (after && (isDescending ? part > after.part : part < after.part)) return [];
    const isBegun = part === after?.part;
    const sorted = [
      ...(constant === undefined ? [] : [constant]),
      ...keys.map(({ expression }) => expression),
      id,
    ];
    const shown = keys.map(({ expression, type }) => shownKey(expression, type));
    return `SELECT ${part} AS part, keys, id, row_number() OVER () AS place FROM (
      SELECT ARRAY[${shown.join(', ')}]::text[] AS keys, ${id} AS id FROM ${condition === 'TRUE' && ofAll !== undefined ? ofAll : from(tokens)}
      WHERE ${condition} AND ${where}${isBegun ? ` AND ${isBeyond(keys, id, after, isDescending, place)}` : ''}
      ORDER BY ${sorted.map((key) => `${key} ${direction}`).join(', ')} LIMIT ${most}) AS part_${part}`;
  });
  return `SELECT part, keys, id, row_number() OVER () AS place
    FROM (${queries.join(' UNION ALL ')} ORDER BY part ${direction}, place LIMIT ${most}) AS picked`;
}

export function encodeCursor(sort: TokenSort, { part, keys, id }: Position): string {
  return Buffer.from(JSON.stringify([sort, part, id, ...keys])).toString('base64url');
}

/** @throws {Refusal} invalid for a cursor that no page of this order gave out. */
export function decodeCursor(sort: TokenSort, cursor: string): Position {
  const [name, part, id, ...keys] = partsOf(cursor);
  const { field } = read(sort);
  const types = (typeof part === 'number' ? ORDERS[field][part] : undefined)?.keys.map(({ type }) => type);
  const isKnown =
    name === sort &&
    typeof id === 'string' &&
    isUuid(id) &&
    types?.length === keys.length &&
    types.every((type, index) => isKey(keys[index], type));
  if (isKnown) return { part: part as number, id, keys: keys as string[] };
  throw Refusal.ofField(['cursor'], 'cursor', 'cursor is not one that this list gave out');
}

function read(sort: TokenSort): { field: SortField; isDescending: boolean } {
  const isDescending = sort.startsWith('-');
  return { field: (isDescending ? sort.slice(1) : sort) as SortField, isDescending };
}

/** A key as a cursor has it. */
function shownKey(expression: string, type: KeyType): string {
  if (type === 'time') return `round(extract(epoch from ${expression}) * 1000)::bigint::text`;
  return type === 'integer' ? `${expression}::text` : expression;
}

function isBeyond(
  keys: Part['keys'],
  id: string,
  after: Position,
  isDescending: boolean,
  place: Place,
): string {
  const values = keys.map(({ type }, index) => {
    const key = after.keys[index] as string;
    return type === 'time' ? `${place(new Date(Number(key)))}::timestamptz` : `${place(key)}::${type}`;
  });
  const from = [...keys.map(({ expression }) => expression), id].join(', ');
  return `(${from}) ${isDescending ? '<' : '>'} (${[...values, `${place(after.id)}::uuid`].join(', ')})`;
}

function partsOf(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}

function isKey(key: unknown, type: KeyType): boolean {
  if (typeof key !== 'string') return false;
  if (type === 'text') return !key.includes('\u0000') && key.isWellFormed();
  return type === 'time' ? /^-?\d{1,15}$/.test(key) : /^\d{1,9}$/.test(key);
}
