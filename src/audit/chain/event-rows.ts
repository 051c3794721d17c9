import type { AuditAction, AuditEvent } from '../audit-event.entity.js';
import type { SealedEvent } from './event-text.js';

/** An event as the driver gives its row. */
export interface EventRow {
  id: string;
  time: Date;
  actor_type: AuditEvent['actorType'];
  actor_id: string | null;
  action: AuditAction;
  alias: string | null;
  object_type: string;
  object_id: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  /** A bigint: text. */
  ordinal: string | null;
  mac: Buffer | null;
}

const NAMES = [
  'id',
  'time',
  'actor_type',
  'actor_id',
  'action',
  'alias',
  'object_type',
  'object_id',
  'before',
  'after',
  'address',
  'user_agent',
  'request_id',
  'ordinal',
  'mac',
];

/** The columns of a row, of a table with that alias. */
export function eventColumns(alias: string): string {
  return NAMES.map((name) => `${alias}."${name}"`).join(', ');
}

export function eventOf(row: EventRow): SealedEvent {
  return {
    id: row.id,
    time: row.time,
    actorType: row.actor_type,
    actorId: row.actor_id,
    action: row.action,
    alias: row.alias,
    objectType: row.object_type,
    objectId: row.object_id,
    before: row.before,
    after: row.after,
    address: row.address,
    userAgent: row.user_agent,
    requestId: row.request_id,
  };
}
