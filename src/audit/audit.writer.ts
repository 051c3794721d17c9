import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
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
 * Writes audit events, through the manager of the transaction that makes the change. Secrets of tokens are removed from
 * all texts: clients put them into user agents, names and reasons.
 */
@Injectable()
export class AuditWriter {
  async write(manager: EntityManager, entries: AuditEntry | AuditEntry[]): Promise<void> {
    const now = new Date();
    const rows = [entries].flat().map(({ actor, action, time = now, alias, object, before, after }) =>
      scrubbed({
        id: randomUUID(),
        time,
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
      }),
    );
    await manager.insert(AuditEvent, rows as never);
  }
}

/** The row without secrets of tokens, at any depth. JSON never escapes the characters of a token. */
function scrubbed(row: object): object {
  return JSON.parse(withoutSecrets(JSON.stringify(row))) as object;
}
