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
  /** The same where those that count are few: each is looked up, whatever the database takes their number for. */
  ofFew: (tokens: string) => string;
  /** Tables without that alias, where all tokens count. */
  ofAll?: string;
  /** Which tokens it has. */
  where: string;
  /** What the index begins with and is the same for all of them. */
  constant?: string;
  keys: readonly { expression: string; type: KeyType }[];
  id: string;
}

const ofTokens = (tokens: string): string => `${tokens} token`;
const OF_TOKENS = { from: ofTokens, ofFew: ofTokens, where: 'TRUE', id: 'token.id' };
const OF_USES = {
  from: (tokens: string) => `last_uses used JOIN ${tokens} token ON token.id = used.token_uuid`,
  ofFew: (tokens: string) =>
    `${tokens} token CROSS JOIN LATERAL (SELECT * FROM last_uses WHERE token_uuid = token.id OFFSET 0) AS used`,
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

/** How the tokens of a page are found. */
export type Way =
  /** Along the order, or as the database knows better. */
  | { by: 'order' }
  /** By a condition that few tokens meet, along an index of its own; then they are sorted. */
  | { by: 'few'; condition: string }
  /** Along the first part of the order, each looked up, and no more than so many: what comes later is not found. */
  | { by: 'walk'; most: number }
  /** An owner's, along the index that has those of each dialect by the moment of issue; in no other order. */
  | { by: 'owner'; owner: string };

/**
 * A query of the first tokens that a condition on `token` means, in their order: each is a {@link Position}, with its
 * `place` in the page.
 *
 * @param after where the page before ended.
 */
export function pickedInOrder(
  sort: TokenSort,
  condition: string,
  {
    after,
    limit,
    place,
    way = { by: 'order' },
  }: { after: Position | undefined; limit: number; place: Place; way?: Way },
): string {
  const { field, isDescending } = read(sort);
  const direction = isDescending ? 'DESC' : 'ASC';
  const most = place(limit);
  const parts = [...ORDERS[field].entries()].filter(
    ([number]) => !after || (isDescending ? number <= after.part : number >= after.part),
  );
  if (isDescending) parts.reverse();
  // What a walk has not reached of a part comes before all of the next.
  if (way.by === 'walk') parts.splice(1);
  const tables: string[] = [];
  for (const [number, part] of parts) {
    const { where, keys, id } = part;
    const beyond = number === after?.part ? [isBeyond(keys, id, after, isDescending, place)] : [];
    // A part is looked at where those before it do not fill the page: it may have nothing for long.
    const before = tables.map((_, index) => `(SELECT count(*) FROM part_${index})`);
    const isNeeded = before.length > 0 ? [`${before.join(' + ')} < ${most}`] : [];
    const bounds = [where, ...beyond, ...isNeeded].join(' AND ');
    tables.push(`SELECT ${number} AS part, keys, id, row_number() OVER () AS place
      FROM (${pickedOf(part, condition, { bounds, direction, most, way })}) AS picked`);
  }
  const names = tables.map((_, index) => `part_${index}`);
  return `WITH ${tables.map((table, index) => `${names[index]} AS MATERIALIZED (${table})`).join(', ')}
    SELECT part, keys, id, row_number() OVER () AS place
    FROM (${names.map((name) => `SELECT * FROM ${name}`).join(' UNION ALL ')}
      ORDER BY part ${direction}, place LIMIT ${most}) AS picked`;
}

/** The first of a part, with their `keys` and their `id`. */
function pickedOf(
  { from, ofFew, ofAll, constant, keys, id }: Part,
  condition: string,
  { bounds, direction, most, way }: { bounds: string; direction: string; most: string; way: Way },
): string {
  const shown = keys.map(({ expression, type }) => shownKey(expression, type));
  const position = `ARRAY[${shown.join(', ')}]::text[] AS keys, ${id} AS id`;
  const inOrder = [
    ...(constant === undefined ? [] : [constant]),
    ...keys.map(({ expression }) => expression),
  ];
  const order = inDirection([...inOrder, id], direction);
  if (way.by === 'walk') {
    const names = inOrder.map((_, index) => `key_${index}`);
    const columns = inOrder.map((expression, index) => `${expression} AS ${names[index]}`);
    // Each is looked up by its uuid, whatever else the condition could find it by. By the whole order, so that the database
    // knows it from within and ends the walk where the page is full.
    const walkedOrder = inDirection(
      [...names, 'id'].map((name) => `walked.${name}`),
      direction,
    );
    return `SELECT walked.keys, walked.id FROM (
        SELECT ${[position, ...columns].join(', ')} FROM ${ofAll ?? from('tokens')} WHERE ${bounds}
        ORDER BY ${order} LIMIT ${way.most}) AS walked
      CROSS JOIN LATERAL (SELECT FROM (SELECT * FROM tokens WHERE id = walked.id OFFSET 0) AS token
        WHERE ${condition}) AS meant
      ORDER BY ${walkedOrder} LIMIT ${most}`;
  }
  if (way.by === 'owner') {
    return `SELECT token.keys, token.id FROM ${ownedDialects(way.owner)}
      CROSS JOIN LATERAL (SELECT ${position}, token.created_at FROM tokens token
        WHERE token.owner_id = ${way.owner} AND token.dialect = owned.dialect AND ${condition} AND ${bounds}
        ORDER BY ${order} LIMIT ${most}) AS token
      ORDER BY ${order} LIMIT ${most}`;
  }
  let tables = condition === 'TRUE' && ofAll !== undefined ? ofAll : from('tokens');
  // The offset keeps the database from looking for them along the order, past all others.
  if (way.by === 'few') tables = ofFew(`(SELECT * FROM tokens token WHERE ${way.condition} OFFSET 0)`);
  return `SELECT ${position} FROM ${tables}
    WHERE ${condition} AND ${bounds} ORDER BY ${order} LIMIT ${most}`;
}

function inDirection(expressions: readonly string[], direction: string): string {
  return expressions.map((expression) => `${expression} ${direction}`).join(', ');
}

/**
 * The dialects of which an owner (a place) has tokens, as a table `owned`: one look each at the index that begins with owner
 * and dialect, so that the tokens of each can be read along it.
 */
export function ownedDialects(owner: string): string {
  const first = (beyond: string): string =>
    `(SELECT min(token.dialect) FROM tokens token WHERE token.owner_id = ${owner}${beyond})`;
  return `(WITH RECURSIVE owned (dialect) AS (
      SELECT ${first('')}
      UNION ALL SELECT ${first(' AND token.dialect > owned.dialect')} FROM owned WHERE owned.dialect IS NOT NULL)
    SELECT dialect FROM owned WHERE dialect IS NOT NULL) AS owned`;
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
