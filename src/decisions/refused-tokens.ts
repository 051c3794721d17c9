import { Injectable } from '@nestjs/common';
import { type Actor, type AuditEntry, AuditWriter } from '../audit/audit.writer.js';
import { ThrottledEvents } from '../audit/throttled-events.js';
import { Statements } from '../database/statements.js';
import { keptUserAgent, type Origin } from '../protocol/origin.js';
import type { Token } from '../tokens/token.entity.js';
import type { DenyReason } from './decision.js';

/** Why a token was refused whose secret was right. */
export type RefusedTokenReason = Exclude<DenyReason, 'malformed' | 'unknown' | 'scope'>;

/** What is known of where it came from. */
export type RefusedOrigin = { [Key in keyof Origin]?: Origin[Key] | undefined };

/**
 * Records refused tokens whose secret was right, and writes them to the audit trail after the answer: somebody still has
 * such a token, although it should no longer be in use, or not from there. At most one event per token and reason a
 * minute, in each process.
 */
@Injectable()
export class RefusedTokens {
  private readonly events: ThrottledEvents;

  constructor(statements: Statements, audit: AuditWriter) {
    this.events = new ThrottledEvents('refusals of tokens', statements, audit);
  }

  /** Runs no query and allocates no promise: such a token may be presented at any rate. */
  record(token: Token, reason: RefusedTokenReason, origin: RefusedOrigin): void {
    this.events.record(`${token.tokenId} ${reason}`, (time) => entryOf(token, reason, origin, time));
  }

  /** Writes everything recorded. What could not be written is kept for the next time. */
  flush(): Promise<void> {
    return this.events.flush();
  }
}

function entryOf(token: Token, reason: RefusedTokenReason, origin: RefusedOrigin, time: Date): AuditEntry {
  return {
    time,
    actor: bearerOf(token, origin),
    action: 'token.refuse',
    object: { type: 'token', id: token.tokenId },
    after: { reason },
  };
}

/** Whoever holds a value of a token, or has held one. */
export function bearerOf(token: Token, origin: RefusedOrigin): Actor {
  return {
    type: 'token',
    id: token.id,
    auditId: token.tokenId,
    name: token.name,
    createdAt: token.createdAt,
    address: origin.address ?? null,
    userAgent: keptUserAgent(origin.userAgent),
    requestId: origin.requestId ?? null,
  };
}
