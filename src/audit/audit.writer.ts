import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { EntityRows } from '../database/entity-rows.js';
import { type StatementRunner, statementOf } from '../database/statements.js';
import { withoutSecrets } from '../secrets.js';
import { type AuditAction, AuditEvent } from './audit-event.entity.js';

/** Who changes something, and where the request came from. */
export interface Actor {
  type: 'user' | 'token' | 'system';
  /** The uuid of the user or token; null for the system and for strangers. */
  id: string | null;
  /** How the audit trail names it: a user's uuid, a token's token id. */
  auditId: string | null;
  /** For people: a user's or token's name. */
  name: string;
  /** When the user or token was made: some dialects' ids are built of it. */
  createdAt: Date | null;
  address: string | null;
  userAgent: string | null;
  requestId: string | null;
}

/** The server itself, at a start. */
export const SYSTEM: Actor = {
  type: 'system',
  id: null,
  auditId: null,
  name: 'system',
  createdAt: null,
  address: null,
  userAgent: null,
  requestId: null,
};

export interface AuditEntry {
  actor: Actor;
  action: AuditAction;
  /** When it was, where it is written later. */
  time?: Date;
  alias?: string | undefined;
  object: { type: string; id: string | null };
  before?: Record<string, unknown> | undefined;
  after?: Record<string, unknown> | undefined;
}

/**
 * Writes audit events, in the transaction that makes the change. Secrets of tokens are removed from all texts: clients put
 * them into user agents, names and reasons.
 */
@Injectable()
export class AuditWriter {
  private readonly rows: EntityRows<AuditEvent>;

  constructor(dataSource: DataSource) {
    this.rows = new EntityRows(dataSource, AuditEvent);
  }

  /** Writes events by a statement of their own. */
  async write(runner: StatementRunner, entries: AuditEntry | AuditEntry[]): Promise<void> {
    await runner.run(statementOf('audit', this.insertion('$1')), [this.rowsOf(entries)]);
  }

  /**
   * The SQL that writes events, for a statement that writes what they are about as well.
   *
   * @param place of the value that {@link rowsOf} gives.
   */
  insertion(place: string): string {
    const columns = this.rows.givenColumns.join(', ');
    return `INSERT INTO audit_events (${columns})
      SELECT ${columns} FROM json_populate_recordset(NULL::audit_events, ${place}::json)`;
  }

  /** Events as the value of {@link insertion}. */
  rowsOf(entries: AuditEntry | AuditEntry[]): string {
    const now = new Date();
    const rows = [entries].flat().map(({ actor, action, time = now, alias, object, before, after }) => ({
      id: randomUUID(),
      time,
      actor_type: actor.type,
      actor_id: actor.auditId,
      action,
      alias: alias ?? null,
      object_type: object.type,
      object_id: object.id,
      before: before ?? null,
      after: after ?? null,
      address: actor.address,
      user_agent: actor.userAgent,
      request_id: actor.requestId,
    }));
    // JSON never escapes the characters of a token.
    return withoutSecrets(JSON.stringify(rows));
  }
}
