import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../audit/audit.writer.js';
import { ThrottledEvents } from '../../audit/throttled-events.js';
import { Statements } from '../../database/statements.js';
import { bearerOf } from '../../decisions/refused-tokens.js';
import { networkOf } from '../../network/cidr.js';
import type { Origin } from '../../protocol/origin.js';
import type { Token } from '../../tokens/token.entity.js';

/** A service exchanges a token every few minutes, for as long as it runs. */
const INTERVAL_MS = 3_600_000;

/** What was issued for a token. */
export interface Exchange {
  audience: readonly string[];
  scope: string;
}

/**
 * Writes to the audit trail which tokens are exchanged, and from where: of a token and a network the first in an hour, in
 * each process, after the answer. Every JWT names its token in its `client_id`.
 */
@Injectable()
export class ExchangeEvents {
  private readonly events: ThrottledEvents;

  constructor(statements: Statements, audit: AuditWriter) {
    this.events = new ThrottledEvents('exchanges', statements, audit, INTERVAL_MS);
  }

  record(token: Token, { audience, scope }: Exchange, origin: Origin): void {
    this.events.record(`${token.tokenId} ${networkOf(origin.address)}`, (time) => ({
      time,
      actor: bearerOf(token, origin),
      action: 'token.exchange',
      object: { type: 'token', id: token.tokenId },
      after: { audience, scope, owner: token.ownerId },
    }));
  }

  /** Writes everything recorded. What could not be written is kept for the next time. */
  flush(): Promise<void> {
    return this.events.flush();
  }
}
