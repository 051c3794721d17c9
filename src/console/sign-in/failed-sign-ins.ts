import { Injectable, Logger } from '@nestjs/common';
import { type AuditEntry, AuditWriter, SYSTEM } from '../../audit/audit.writer.js';
import { ThrottledEvents } from '../../audit/throttled-events.js';
import { isDatabaseUnavailable } from '../../database/errors.js';
import { Statements } from '../../database/statements.js';
import { networkOf } from '../../network/cidr.js';
import { keptUserAgent, type Origin } from '../../protocol/origin.js';
import { Refusal } from '../../refusal.js';
import { type SignInError, SignInFailure } from './sign-in-failure.js';

/**
 * What becomes of a sign-in that fails: the log says why; the audit trail has those that a provider denied and those of a
 * user who is known, of what is alike one a minute. What anybody can send is in neither.
 */
@Injectable()
export class FailedSignIns {
  private readonly logger = new Logger(FailedSignIns.name);
  private readonly events: ThrottledEvents;
  /** A discovery that failed is told of once, however many ask for it until the next. */
  private readonly told = new WeakSet<SignInFailure>();

  constructor(statements: Statements, audit: AuditWriter) {
    this.events = new ThrottledEvents('failed sign-ins', statements, audit);
  }

  /** @returns what the page of the console is told. */
  record(reason: unknown, provider: string, origin: Origin): SignInError {
    const failure = failureOf(reason);
    const { error, message } = failure;
    const text = `Sign-in by ${provider}, request ${origin.requestId}: ${error}: ${message}`;
    if (error === 'expired' || this.told.has(failure)) this.logger.debug(text);
    else if (failure.error !== 'failed' || failure === reason) this.logger.warn(text);
    else this.logger.error(text, reason instanceof Error ? reason.stack : undefined);
    this.told.add(failure);
    if (failure.user || error === 'denied') this.write(failure, provider, origin);
    return error;
  }

  /** Writes what is recorded. What could not be written is kept for the next time. */
  flush(): Promise<void> {
    return this.events.flush();
  }

  private write({ error, user }: SignInFailure, provider: string, origin: Origin): void {
    const key = `${provider} ${error} ${user?.id ?? ''} ${networkOf(origin.address)}`;
    const who = user && { type: 'user' as const, id: user.id, auditId: user.id, name: user.login };
    this.events.record(key, (time): AuditEntry => ({
      time,
      actor: {
        ...SYSTEM,
        ...who,
        createdAt: user?.createdAt ?? null,
        address: origin.address ?? null,
        userAgent: keptUserAgent(origin.userAgent),
        requestId: origin.requestId,
      },
      action: 'login.fail',
      object: { type: 'login', id: user?.login ?? null },
      after: { via: 'provider', provider, error },
    }));
  }
}

function failureOf(reason: unknown): SignInFailure {
  if (reason instanceof SignInFailure) return reason;
  const isBusy = reason instanceof Refusal && reason.kind === 'unavailable';
  if (isBusy || isDatabaseUnavailable(reason)) {
    return new SignInFailure('unavailable', 'The database cannot be asked now');
  }
  // Between the proof and the session.
  if (reason instanceof Refusal && reason.kind === 'unauthenticated') {
    return new SignInFailure('disabled', 'The user was disabled, deleted or changed meanwhile');
  }
  return new SignInFailure('failed', String(reason));
}
