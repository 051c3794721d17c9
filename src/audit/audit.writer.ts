import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { EntityRows } from '../database/entity-rows.js';
import { type Place, type StatementRunner, statementOf, Values } from '../database/statements.js';
import { withoutSecrets } from '../secrets.js';
import { type AuditAction, AuditEvent } from './audit-event.entity.js';
import { AUDIT_KEYS, type AuditKeys } from './audit-keys.js';
import { textToBe } from './chain/event-text.js';

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

  constructor(
    dataSource: DataSource,
    @Inject(AUDIT_KEYS) private readonly keys: AuditKeys,
  ) {
    this.rows = new EntityRows(dataSource, AuditEvent);
  }

  /** Writes events by a statement of their own. */
  async write(runner: StatementRunner, entries: AuditEntry | AuditEntry[]): Promise<void> {
    const list = [entries].flat();
    const { place } = new Values();
    await runner.run(statementOf('audit', this.insertion(list.length, place)), this.valuesOf(list));
  }

  /**
   * The SQL that writes so many events, for a statement that writes what they are about as well. One event is a list of
   * values, which the server takes in half the time; of several the number is no part of the text.
   *
   * @param place of the values that {@link valuesOf} gives, in their order.
   */
  insertion(count: number, place: Place): string {
    const columns = this.rows.givenColumns;
    const names = columns.join(', ');
    const rows =
      count === 1
        ? `VALUES (${columns.map(() => place(undefined)).join(', ')})`
        : `SELECT ${names} FROM json_populate_recordset(NULL::audit_events, ${place(undefined)}::json)`;
    return `INSERT INTO audit_events (${names}) ${rows}`;
  }

  /** Events as the values of {@link insertion}. */
  valuesOf(entries: readonly AuditEntry[]): unknown[] {
    const now = new Date();
    const events = entries.map((entry) => this.vouchedFor(eventOf(entry, now)));
    const [only] = events;
    if (!only || events.length > 1) {
      return [withoutSecrets(JSON.stringify(events.map((event) => this.rows.rowOf(event))))];
    }
    const parameters = this.rows.parametersOf(only, this.rows.givenColumns);
    return parameters.map((value) => (typeof value === 'string' ? withoutSecrets(value) : value));
  }

  private vouchedFor(event: AuditEvent): AuditEvent {
    event.mac = this.keys.macOf(textToBe(event));
    return event;
  }
}

function eventOf({ actor, action, time, alias, object, before, after }: AuditEntry, now: Date): AuditEvent {
  return Object.assign(new AuditEvent(), {
    id: randomUUID(),
    time: time ?? now,
    actorType: actor.type,
    actorId: actor.auditId,
    action,
    alias: alias ?? null,
    objectType: object.type,
    objectId: object.id,
    before: before ?? null,
    after: after ?? null,
    address: actor.address,
    userAgent: actor.userAgent,
    requestId: actor.requestId,
  });
}
