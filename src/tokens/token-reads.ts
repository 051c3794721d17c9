import { Injectable } from '@nestjs/common';
import { ReferencedUsers, referenceCondition, type UserReference } from '../accounts/user-reference.js';
import { organizationJson, type UserRow, UserRows } from '../accounts/user-rows.js';
import type { User } from '../accounts/user.entity.js';
import {
  type Statement,
  type StatementRunner,
  Statements,
  statementOf,
  Values,
} from '../database/statements.js';
import { conditionOf, type TokenCriteria } from './token-criteria.js';
import { type TokenRow, TokenRows } from './token-rows.js';
import type { Token } from './token.entity.js';

/** The table `family`, of the uuids of the tokens that meet a condition, of all that they issued, and so on. */
export function familyOf(condition: string): string {
  return `family (id) AS (
    SELECT token.id FROM tokens token WHERE ${condition}
    UNION
    SELECT t.id FROM tokens t JOIN family ON t.created_by_id = family.id WHERE t.created_by_type = 'token')`;
}

/** The statements that read tokens, but for lists. */
@Injectable()
export class TokenReads {
  /** By what follows the columns: to put the whole text together with each read costs more than to find it. */
  private readonly finds = new Map<string, Statement>();

  constructor(
    private readonly statements: Statements,
    private readonly userRows: UserRows,
    private readonly rows: TokenRows,
  ) {}

  /**
   * The one token that the criteria name, with its owner, who may be deleted.
   *
   * @param reference the user whom a request names as the owner: found also where the token is not, unless deleted.
   */
  async find(
    where: TokenCriteria,
    reference?: UserReference,
  ): Promise<{ token: Token | undefined; owner: User | undefined }> {
    const values = new Values();
    const condition = conditionOf(where, values.place);
    const join = reference
      ? `FROM users u LEFT JOIN tokens token ON token.owner_id = u.id AND ${condition}
         WHERE ${referenceCondition(reference, values.place)} AND u.deleted_at IS NULL`
      : `FROM tokens token JOIN users u ON u.id = token.owner_id WHERE ${condition}`;
    const found = await this.statements.run<TokenRow & UserRow>(this.finding(join), values.list);
    const owners = found.map((row) => this.userRows.userOf(row));
    const owner = reference ? new ReferencedUsers(owners).find(reference) : owners[0];
    const row = owner && found[owners.indexOf(owner)];
    const token = row?.token ? this.rows.tokenOf(row) : undefined;
    return { token: token && Object.assign(token, { owner }), owner };
  }

  /** @param join tables and conditions. */
  private finding(join: string): Statement {
    const known = this.finds.get(join);
    if (known) return known;
    const text = `
      SELECT CASE WHEN token.id IS NOT NULL THEN (SELECT row_to_json(r) FROM (SELECT ${this.rows.columns('token')}) r) END
          AS token, ${this.rows.lastUseJson('token')} AS "lastUse",
        (SELECT row_to_json(r) FROM (SELECT ${this.userRows.columns('u')}) r) AS "user",
        ${organizationJson('u')} AS organization
      ${join}`;
    const statement = statementOf('find', text);
    this.finds.set(join, statement);
    return statement;
  }

  /**
   * The uuids of a token, the first, and of all that it issued, and all that those issued; undefined for more than
   * `maxDescendants`.
   */
  async family(
    runner: StatementRunner,
    where: TokenCriteria,
    maxDescendants: number,
  ): Promise<string[] | undefined> {
    const values = new Values();
    const text = `
      WITH RECURSIVE ${familyOf(conditionOf(where, values.place))}
      SELECT id FROM family LIMIT ${values.place(maxDescendants + 2)}`;
    const family = await runner.run<{ id: string }>(statementOf('family', text), values.list);
    return family.length > maxDescendants + 1 ? undefined : family.map(({ id }) => id);
  }

  /** How many of an owner's tokens are not revoked. */
  async countLive(runner: StatementRunner, ownerId: string): Promise<number> {
    const text = `SELECT count(*)::int AS count FROM tokens t WHERE t.owner_id = $1 AND t.revoked_at IS NULL`;
    const [row] = await runner.run<{ count: number }>(statementOf('count-live', text), [ownerId]);
    return row?.count ?? 0;
  }

  /** Some of an owner's tokens that are not revoked, locked for a change, in the order of their ids. */
  async lockLive(runner: StatementRunner, ownerId: string, limit: number): Promise<Token[]> {
    const text = `
      WITH live AS MATERIALIZED (SELECT ${this.rows.columns('t', { hidden: true })} FROM tokens t
        WHERE t.owner_id = $1 AND t.revoked_at IS NULL ORDER BY t.id LIMIT $2 FOR UPDATE)
      SELECT row_to_json(live) AS token, NULL::json AS "lastUse" FROM live`;
    const found = await runner.run<TokenRow>(statementOf('lock-live', text), [ownerId, limit]);
    return found.map((row) => this.rows.tokenOf(row));
  }
}
