import { Injectable } from '@nestjs/common';
import { type AuditEntry, AuditWriter } from '../audit/audit.writer.js';
import { CHANNEL, notificationsOf } from '../database/changes/change-feed.js';
import {
  type Place,
  type Statement,
  statementOf,
  type StatementRunner,
  Values,
} from '../database/statements.js';
import type { Transaction } from '../database/transactions.js';
import { TokenRows } from './token-rows.js';
import type { Notice } from '../notices/notice.js';
import { Outbox } from '../notices/outbox.js';
import type { Token } from './token.entity.js';

/** What never changes of a token once it is made. */
const CONSTANT = new Set([
  'id',
  'token_id',
  'dialect',
  'owner_id',
  'created_at',
  'created_by_type',
  'created_by_id',
  'created_by_name',
  'created_by_created_at',
]);

/** More that one statement writes along: common table expressions by their names, and the values of their places. */
export interface Rider {
  /** Those of one name have the same text. */
  name: string;
  expressions: (place: Place) => string;
  values: readonly unknown[];
}

export interface UpdateOptions {
  /** Whether other replicas are told of the tokens. */
  isTold?: boolean;
  riders?: readonly Rider[];
  /** What owners and channels are told of. */
  notices?: readonly Notice[];
}

/**
 * The statements that write tokens, with their audit events: for one a list of values, which the server takes in half the
 * time, for several a list in JSON, whose length is no part of the text.
 */
@Injectable()
export class TokenWrites {
  private readonly statements = new Map<string, Statement>();

  constructor(
    private readonly rows: TokenRows,
    private readonly audit: AuditWriter,
    private readonly outbox: Outbox,
  ) {}

  /** Inserts tokens, whose `numericId` is made by it. */
  async insert(
    runner: StatementRunner,
    tokens: readonly Token[],
    entries: AuditEntry[],
    riders: readonly Rider[] = [],
  ): Promise<void> {
    const columns = this.rows.givenColumns;
    const statement = this.statement('insert-tokens', tokens, entries, riders, (place) => {
      const names = columns.join(', ');
      const rows =
        tokens.length === 1
          ? `VALUES (${columns.map(() => place(undefined)).join(', ')})`
          : `SELECT ${names} FROM json_populate_recordset(NULL::tokens, ${place(undefined)}::json)`;
      return `WITH made AS (INSERT INTO tokens (${names}) ${rows} RETURNING id, numeric_id),
        unused AS (INSERT INTO last_uses (token_uuid) SELECT id FROM made),
        audited AS (${this.audit.insertion(entries.length, place)})${ridersOf(riders, place)}
        SELECT id, numeric_id FROM made`;
    });
    const values = [
      ...this.valuesOf(tokens, columns),
      ...this.audit.valuesOf(entries),
      ...riders.flatMap((rider) => rider.values),
    ];
    const made = await runner.run<{ id: string; numeric_id: number }>(statement, values);
    const numbers = new Map(made.map(({ id, numeric_id }) => [id, numeric_id]));
    for (const token of tokens) token.numericId = numbers.get(token.id) as number;
  }

  /** Writes all of tokens that are locked. */
  async update(
    runner: StatementRunner,
    tokens: readonly Token[],
    entries: AuditEntry[],
    { isTold = true, riders: others = [], notices = [] }: UpdateOptions = {},
  ): Promise<void> {
    const riders = notices.length === 0 ? others : [...others, this.outbox.rider(notices)];
    const columns = this.rows.givenColumns.filter((column) => !CONSTANT.has(column));
    const statement = this.statement('update-tokens', tokens, entries, riders, (place) => {
      const changing =
        tokens.length === 1
          ? `UPDATE tokens SET ${columns.map((column) => `${column} = ${place(undefined)}`).join(', ')}
             WHERE id = ${place(undefined)}`
          : `UPDATE tokens SET ${columns.map((column) => `${column} = row.${column}`).join(', ')}
             FROM json_populate_recordset(NULL::tokens, ${place(undefined)}::json) AS row WHERE tokens.id = row.id`;
      return `WITH changed AS (${changing}),
        audited AS (${this.audit.insertion(entries.length, place)})${ridersOf(riders, place)}
        SELECT pg_notify('${CHANNEL}', payload) FROM unnest(${place(undefined)}::text[]) AS payload`;
    });
    await runner.run(statement, [
      ...this.valuesOf(tokens, [...columns, 'id']),
      ...this.audit.valuesOf(entries),
      ...riders.flatMap((rider) => rider.values),
      isTold ? notificationsOf(tokens.map(({ tokenId }) => tokenId)) : [],
    ]);
  }

  /** Takes down what has happened to a token that stays as it is, and what is told of it. */
  async note(transaction: Transaction, entry: AuditEntry, notice: Notice): Promise<void> {
    await this.outbox.write(transaction, [notice]);
    await this.audit.write(transaction.last, entry);
  }

  private valuesOf(tokens: readonly Token[], columns: readonly string[]): unknown[] {
    const [only] = tokens;
    if (only && tokens.length === 1) return this.rows.parametersOf(only, columns);
    return [JSON.stringify(tokens.map((token) => this.rows.rowOf(token)))];
  }

  private statement(
    kind: string,
    tokens: readonly Token[],
    entries: readonly AuditEntry[],
    riders: readonly Rider[],
    build: (place: Place) => string,
  ): Statement {
    const key = [kind, tokens.length === 1, entries.length === 1, ...riders.map(({ name }) => name)].join(
      ' ',
    );
    const known = this.statements.get(key);
    if (known) return known;
    const statement = statementOf(kind, build(new Values().place));
    this.statements.set(key, statement);
    return statement;
  }
}

function ridersOf(riders: readonly Rider[], place: Place): string {
  return riders.map(({ expressions }) => `,\n${expressions(place)}`).join('');
}
