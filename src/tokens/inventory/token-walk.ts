import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Values } from '../../database/statements.js';
import { conditionOf, type TokenCriteria } from '../token-criteria.js';
import { type TokenRow, TokenRows } from '../token-rows.js';
import type { Token } from '../token.entity.js';
import { ownedDialects } from './token-order.js';

/** What a list shows, and its order: by the moment of issue; ties by one more column, in the same direction. */
export interface WalkOrder {
  /** What is read of each, besides what it is sorted by: the names of columns. */
  columns: readonly string[];
  /** Whether it shows when each was used last. */
  showsUse: boolean;
  ties: 'id' | 'numeric_id';
  direction: 'ASC' | 'DESC';
}

/** So many tokens are held at once, and read without another call waiting long for its turn. */
const TOKENS_A_PORTION = 1_000;

/** Reads lists that have no pages, a portion after the other. */
@Injectable()
export class TokenWalk {
  constructor(
    private readonly dataSource: DataSource,
    private readonly rows: TokenRows,
  ) {}

  /**
   * All tokens that the criteria name, without owners, in portions of which none is empty. Each portion is a statement of
   * its own, so that nobody who reads slowly holds a connection: a token that is there all the time comes exactly once.
   */
  async *portions(
    where: TokenCriteria,
    { columns, showsUse, ties, direction }: WalkOrder,
    limit = TOKENS_A_PORTION,
  ): AsyncGenerator<Token[], void> {
    const read = [...new Set(['id', 'created_at', ties, ...columns])]
      .map((column) => `token.${column}`)
      .join(', ');
    let last: Token | undefined;
    do {
      const { place, list } = new Values();
      const after = last && { createdAt: last.createdAt, tie: ties === 'id' ? last.id : last.numericId };
      const isBeyond = after
        ? `AND (token.created_at, token.${ties}) ${direction === 'ASC' ? '>' : '<'} (${place(after.createdAt)}, ${place(after.tie)})`
        : '';
      const condition = conditionOf(where, place);
      const order = `ORDER BY token.created_at ${direction}, token.${ties} ${direction} LIMIT ${place(limit + 1)}`;
      // The index has an owner's by dialect: each dialect's come in order, and of none more are read than a portion takes.
      const tokens =
        where.ownerId === undefined || where.dialect !== undefined
          ? `tokens token WHERE ${condition} ${isBeyond}`
          : `${ownedDialects(`${place(where.ownerId)}::uuid`)} CROSS JOIN LATERAL (SELECT * FROM tokens token
              WHERE token.dialect = owned.dialect AND ${condition} ${isBeyond} ${order}) AS token`;
      const found = await this.dataSource.query<TokenRow[]>(
        `SELECT (SELECT row_to_json(r) FROM (SELECT ${read}) r) AS token,
           ${showsUse ? this.rows.lastUseJson('token') : 'NULL'} AS "lastUse"
         FROM (SELECT token.* FROM ${tokens} ${order}) AS token
         ORDER BY token.created_at ${direction}, token.${ties} ${direction}`,
        list,
      );
      const isEnd = found.length <= limit;
      const portion = (isEnd ? found : found.slice(0, limit)).map((row) => this.rows.tokenOf(row));
      if (portion.length > 0) yield portion;
      last = isEnd ? undefined : portion.at(-1);
    } while (last);
  }
}
