import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { User } from '../accounts/user.entity.js';
import { EntityRows, type JsonRow } from '../database/entity-rows.js';
import { LastUse, Token } from './token.entity.js';

/** A token as a written-out statement reads it. */
export interface TokenRow {
  token: JsonRow;
  lastUse: JsonRow | null;
}

/** Tokens and their last uses in statements that are written out. */
@Injectable()
export class TokenRows {
  private readonly tokens: EntityRows<Token>;
  private readonly lastUses: EntityRows<LastUse>;

  constructor(dataSource: DataSource) {
    this.tokens = new EntityRows(dataSource, Token);
    this.lastUses = new EntityRows(dataSource, LastUse);
  }

  /** @param options.hidden whether digests and sealed values are read as well. */
  columns(alias: string, options: { hidden?: boolean } = {}): string {
    return this.tokens.columns(alias, options);
  }

  /** The names of the columns that a new token is given. */
  get givenColumns(): readonly string[] {
    return this.tokens.givenColumns;
  }

  /** The last use of the token of an alias, as a value. */
  lastUseJson(alias: string): string {
    return `(SELECT row_to_json(l) FROM last_uses l WHERE l.token_uuid = ${alias}.id)`;
  }

  tokenOf({ token, lastUse }: TokenRow): Token {
    const entity = this.tokens.entityOf(token);
    // A token whose row of uses is missing was never used, or its use is not written yet.
    entity.lastUse = this.lastUses.entityOf(
      lastUse ?? { token_uuid: entity.id, used_at: null, address: null, user_agent: null },
    );
    return entity;
  }

  /** A token as it leaves the core, to be restored by {@link restoredOf} as it was. */
  keptOf(token: Token): TokenRow {
    return { token: this.rowOf(token), lastUse: token.lastUse ? this.lastUses.rowOf(token.lastUse) : null };
  }

  restoredOf({ token, lastUse }: TokenRow): Token {
    return Object.assign(this.tokens.keptOf(token), { lastUse: lastUse && this.lastUses.keptOf(lastUse) });
  }

  /** A token as it leaves the core, with its owner: no answer needs a digest or a sealed copy. */
  shown(token: Token, owner: User): Token {
    return Object.assign(this.tokens.withoutHidden(token), { owner, lastUse: token.lastUse ?? null });
  }

  parametersOf(token: Token, columns: readonly string[]): unknown[] {
    return this.tokens.parametersOf(token, columns);
  }

  rowOf(token: Token): JsonRow {
    return this.tokens.rowOf(token);
  }
}
