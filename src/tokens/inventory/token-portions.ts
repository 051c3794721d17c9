import { Injectable } from '@nestjs/common';
import { UserRows } from '../../accounts/user-rows.js';
import type { JsonRow } from '../../database/entity-rows.js';
import type { SnapshotSelect } from '../../database/snapshots.js';
import type { Place } from '../../database/statements.js';
import { type TokenRow, TokenRows } from '../token-rows.js';
import type { Token } from '../token.entity.js';
import { filterCondition, type TokenFilter } from './token-filter.js';

/** A token as a portion has it, with as much of its owner as answers show. */
export interface TokenPortionRow extends TokenRow {
  user: JsonRow;
  organization: JsonRow;
}

/** Any number of tokens, newest first, to be read in portions. */
@Injectable()
export class TokenPortions {
  constructor(
    private readonly rows: TokenRows,
    private readonly userRows: UserRows,
  ) {}

  /**
   * @param filter undefined: no token.
   * @param now the moment for which status and policy are asked.
   */
  select(filter: TokenFilter | undefined, now: Date): SnapshotSelect<TokenPortionRow> {
    const text = (place: Place): string => `
      SELECT (SELECT row_to_json(r) FROM (SELECT ${this.rows.columns('token')}) r) AS token,
        ${this.rows.lastUseJson('token')} AS "lastUse",
        json_build_object('id', owner.id, 'login', owner.login) AS "user",
        json_build_object('id', organization.id, 'name', organization.name) AS organization
      FROM tokens token
        JOIN users owner ON owner.id = token.owner_id
        JOIN organizations organization ON organization.id = owner.organization_id
      WHERE ${filter ? filterCondition(filter, place, now) : 'FALSE'}`;
    return {
      text,
      order: { time: 'token.created_at', id: 'token.id' },
      positionOf: ({ token }) => ({
        time: new Date(token['created_at'] as string),
        id: token['id'] as string,
      }),
    };
  }

  /** The token as the row has it: what waits in memory to be written does not show on it. */
  tokenOf(row: TokenPortionRow): Token {
    return Object.assign(this.rows.restoredOf(row), { owner: this.userRows.restoredOf(row) });
  }
}
