import { Injectable } from '@nestjs/common';
import { type AuditEntry, AuditWriter } from '../audit/audit.writer.js';
import { CHANNEL, notificationsOf } from '../database/changes/change-feed.js';
import { type Statement, statementOf, type StatementRunner } from '../database/statements.js';
import { TokenRows } from './token-rows.js';
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

/** The two statements that write tokens: one or many, each with its audit events. */
@Injectable()
export class TokenWrites {
  private insertion: Statement | undefined;
  private updates: Statement | undefined;

  constructor(
    private readonly rows: TokenRows,
    private readonly audit: AuditWriter,
  ) {}

  /** Inserts tokens, whose `numericId` is made by it. */
  async insert(runner: StatementRunner, tokens: readonly Token[], entries: AuditEntry[]): Promise<void> {
    const values = [
      JSON.stringify(tokens.map((token) => this.rows.rowOf(token))),
      this.audit.rowsOf(entries),
    ];
    const made = await runner.run<{ id: string; numeric_id: number }>(this.inserting, values);
    const numbers = new Map(made.map(({ id, numeric_id }) => [id, numeric_id]));
    for (const token of tokens) token.numericId = numbers.get(token.id) as number;
  }

  /** Writes all of tokens that are locked, and tells other replicas of them. */
  async update(runner: StatementRunner, tokens: readonly Token[], entries: AuditEntry[]): Promise<void> {
    const values = [
      JSON.stringify(tokens.map((token) => this.rows.rowOf(token))),
      this.audit.rowsOf(entries),
      notificationsOf(tokens.map(({ tokenId }) => tokenId)),
    ];
    await runner.run(this.updating, values);
  }

  private get inserting(): Statement {
    if (this.insertion) return this.insertion;
    const columns = this.rows.givenColumns.join(', ');
    this.insertion = statementOf(
      'insert-tokens',
      `WITH made AS (
         INSERT INTO tokens (${columns}) SELECT ${columns} FROM json_populate_recordset(NULL::tokens, $1::json)
         RETURNING id, numeric_id),
       unused AS (INSERT INTO last_uses (token_uuid) SELECT id FROM made),
       audited AS (${this.audit.insertion('$2')})
       SELECT id, numeric_id FROM made`,
    );
    return this.insertion;
  }

  private get updating(): Statement {
    if (this.updates) return this.updates;
    const columns = this.rows.givenColumns.filter((column) => !CONSTANT.has(column));
    this.updates = statementOf(
      'update-tokens',
      `WITH changed AS (
         UPDATE tokens SET ${columns.map((column) => `${column} = row.${column}`).join(', ')}
         FROM json_populate_recordset(NULL::tokens, $1::json) AS row WHERE tokens.id = row.id),
       audited AS (${this.audit.insertion('$2')})
       SELECT pg_notify('${CHANNEL}', payload) FROM unnest($3::text[]) AS payload`,
    );
    return this.updates;
  }
}
