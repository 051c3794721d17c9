import type { SelectQueryBuilder } from 'typeorm';
import { Refusal } from './refusal.js';
import type { Token } from './token.entity.js';

/** One page of a list that is stable under inserts, and where the next one begins; undefined at the end. */
export interface Page {
  tokens: Token[];
  nextCursor: string | undefined;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Reads one page of a query over tokens, newest first.
 *
 * @param cursor opaque, the `nextCursor` of the page before.
 * @throws {Refusal} invalid for a cursor that no page gave out.
 */
export async function readNewestFirst(
  query: SelectQueryBuilder<Token>,
  cursor: string | undefined,
  limit: number,
): Promise<Page> {
  query
    .orderBy('token.createdAt', 'DESC')
    .addOrderBy('token.id', 'DESC')
    .limit(limit + 1);
  if (cursor !== undefined) {
    const { time, id } = decode(cursor);
    query.andWhere('(token.createdAt, token.id) < (:cursorTime, :cursorId)', {
      cursorTime: time,
      cursorId: id,
    });
  }
  const tokens = await query.getMany();
  if (tokens.length <= limit) return { tokens, nextCursor: undefined };
  tokens.pop();
  const last = tokens.at(-1);
  return { tokens, nextCursor: last && encode(last) };
}

function encode({ createdAt, id }: Token): string {
  return Buffer.from(`${createdAt.getTime()} ${id}`).toString('base64url');
}

function decode(cursor: string): { time: Date; id: string } {
  const [milliseconds = '', id = ''] = Buffer.from(cursor, 'base64url').toString('latin1').split(' ');
  if (!/^\d{1,15}$/.test(milliseconds) || !UUID.test(id)) {
    throw Refusal.ofField(['cursor'], 'cursor', 'cursor is not one that this list gave out');
  }
  return { time: new Date(Number(milliseconds)), id };
}
