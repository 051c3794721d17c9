import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AuditWriter } from '../../audit/audit.writer.js';
import { ThrottledEvents } from '../../audit/throttled-events.js';
import { Statements } from '../../database/statements.js';
import type { Refusal } from '../../refusal.js';

const MAX_PARAMETER_LENGTH = 200;

/**
 * Writes to the audit trail what a caller who was known wanted to do and was not allowed to: of a caller, a route and a reason
 * once a minute, in each process.
 */
@Injectable()
export class RefusedCalls {
  private readonly events: ThrottledEvents;

  constructor(statements: Statements, audit: AuditWriter) {
    this.events = new ThrottledEvents('refused calls', statements, audit);
  }

  /** Runs no query: such calls may come at any rate. */
  record(request: FastifyRequest, { kind, reason }: Refusal): void {
    const actor = request.patois.caller?.actor;
    if (kind !== 'forbidden' || !actor) return;
    const route = `${request.method} ${request.routeOptions.url ?? '(none)'}`;
    this.events.record(`${actor.auditId} ${route} ${reason}`, (time) => ({
      time,
      actor,
      action: 'access.refuse',
      object: { type: 'route', id: route },
      after: { reason: reason ?? null, parameters: parametersOf(request) },
    }));
  }

  /** Writes everything recorded. What could not be written is kept for the next time. */
  flush(): Promise<void> {
    return this.events.flush();
  }
}

/** What the path names: a token id, a login. */
function parametersOf({ params }: FastifyRequest): Record<string, string> {
  const entries = Object.entries((params ?? {}) as Record<string, unknown>);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, String(value).slice(0, MAX_PARAMETER_LENGTH).toWellFormed()]),
  );
}
