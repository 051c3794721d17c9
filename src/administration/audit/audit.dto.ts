import { IntersectionType } from '@nestjs/swagger';
import type { AuditAction, AuditEvent as AuditRow } from '../../audit/audit-event.entity.js';
import { Instant, IsAddress, IsInstant, IsText, Optional } from '../../http/validation/fields.js';
import { ListQuery } from '../../native/list.dto.js';
import { ExportQuery } from '../exports/export.dto.js';

const REFERENCE = 100;
const REQUEST_ID = 255;

/** Which audit events are meant; all that is given must hold. */
export class AuditEventFilter {
  /**
   * A user's uuid or login, or a token id.
   * @example 'admin'
   */
  @Optional()
  @IsText(REFERENCE)
  actor?: string;

  /**
   * An action, or a dialect's own name for it.
   * @example 'token.revoke'
   */
  @Optional()
  @IsText(REFERENCE)
  action?: string;

  /**
   * A token id, the uuid of a user, organization or location, a user's login, an address, or the `jti` of a JWT.
   * @example 'pt-4fK2mZq81LxT'
   */
  @Optional()
  @IsText(REFERENCE)
  object?: string;

  /**
   * A user's uuid or login: what was done to the account, to its log-ins and to every token that the user has.
   * @example 'ada'
   */
  @Optional()
  @IsText(REFERENCE)
  owner?: string;

  /**
   * An organization's uuid or name: what was done to it, to its users as with `owner`, and to its notice channels.
   * @example 'Research'
   */
  @Optional()
  @IsText(REFERENCE)
  organization?: string;

  /**
   * The address of the request, compared as an address.
   * @example '203.0.113.7'
   */
  @Optional()
  @IsAddress()
  address?: string;

  /**
   * The `X-Request-Id` header of the response.
   * @example '5d9e4b0e-9a55-4a1d-9c0c-6f3b3f0e2a36'
   */
  @Optional()
  @IsText(REQUEST_ID)
  requestId?: string;

  /** Inclusive lower bound. */
  @Optional()
  @Instant()
  @IsInstant()
  since?: Date;

  /** Exclusive upper bound. */
  @Optional()
  @Instant()
  @IsInstant()
  until?: Date;
}

/** The query of the audit trail. */
export class ListAuditEventsQuery extends IntersectionType(AuditEventFilter, ListQuery) {}

/** The query of an export of the audit trail. */
export class ExportAuditEventsQuery extends IntersectionType(AuditEventFilter, ExportQuery) {}

/** Who did it. */
export class AuditActor {
  /** @example 'user' */
  type: 'user' | 'token' | 'system';

  /**
   * A user's uuid or a token id; null for the server itself and for unknown callers.
   * @example '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b'
   */
  id: string | null;

  constructor({ actorType, actorId }: AuditRow) {
    this.type = actorType;
    this.id = actorId;
  }
}

/** What it was done to. */
export class AuditObject {
  /** @example 'token' */
  type: string;

  /**
   * A token id, a uuid, the id of a JWT, or the login or address of a failed login.
   * @example 'pt-4fK2mZq81LxT'
   */
  id: string | null;

  constructor({ objectType, objectId }: AuditRow) {
    this.type = objectType;
    this.id = objectId;
  }
}

/**
 * One change, written in the transaction that made it; or a failed login, a token that was refused though its secret was
 * right, a change that a policy refused, a secret that was shown again, a JWT that was issued. Holds no secret.
 */
export class AuditEvent {
  /** @example '0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10' */
  id: string;

  time: Date;

  actor: AuditActor;

  /** @example 'token.create' */
  action: AuditAction;

  /**
   * The dialect's own name for the action, if it has one.
   * @example 'create_app_specific_token'
   */
  alias?: string;

  object: AuditObject;

  /** The state before; null for a creation. */
  before: Record<string, unknown> | null;

  /** The state after; null for a deletion. */
  after: Record<string, unknown> | null;

  /** @example '203.0.113.7' */
  address: string | null;

  /** @example 'curl/8.5.0' */
  userAgent: string | null;

  /**
   * The `X-Request-Id` header of the response.
   * @example '5d9e4b0e-9a55-4a1d-9c0c-6f3b3f0e2a36'
   */
  requestId: string | null;

  constructor(row: AuditRow) {
    this.id = row.id;
    this.time = row.time;
    this.actor = new AuditActor(row);
    this.action = row.action;
    if (row.alias !== null) this.alias = row.alias;
    this.object = new AuditObject(row);
    this.before = row.before;
    this.after = row.after;
    this.address = row.address;
    this.userAgent = row.userAgent;
    this.requestId = row.requestId;
  }
}

/** One page of the audit trail, newest first. */
export class AuditEventPage {
  items: AuditEvent[];

  /**
   * The cursor of the next page; null on the last page.
   * @example 'MjAzMS0wNS0wNlQwNzowODowOS4wMDBa'
   */
  nextCursor: string | null;

  constructor(rows: AuditRow[], nextCursor: string | undefined) {
    this.items = rows.map((row) => new AuditEvent(row));
    this.nextCursor = nextCursor ?? null;
  }
}
