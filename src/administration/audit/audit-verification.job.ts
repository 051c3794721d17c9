import { Injectable, Logger } from '@nestjs/common';
import type { Actor } from '../../audit/audit.writer.js';
import { type TrailProblem, Verifier, type VerifierState } from '../../audit/chain/verifier.js';
import type { JobKind, JobProgress, JobSpec, Portion, PortionTransaction } from '../../jobs/job-kind.js';
import { JobRunner } from '../../jobs/job-runner.js';

export const AUDIT_VERIFICATION = 'audit-verification';

/** The job that verifies the audit trail. */
export function auditVerification(createdBy: Actor): JobSpec {
  return { kind: AUDIT_VERIFICATION, input: {}, createdBy, organizationId: null };
}

/**
 * Compares all events with the seals, and the seals with each other. Its result says how many seals and events hold, up to
 * which seal (`verifiedTo`), and from which on, where older events were pruned (`prunedTo`); `problem` names the first event
 * or seal that does not hold.
 */
@Injectable()
export class AuditVerificationJob implements JobKind<unknown, VerifierState> {
  readonly kind = AUDIT_VERIFICATION;
  /** How many verifications found something, in this process. */
  problems = 0;
  private readonly logger = new Logger('AuditSeals');

  constructor(
    private readonly verifier: Verifier,
    runner: JobRunner,
  ) {
    runner.register(this);
  }

  async portion(
    job: JobProgress<unknown, VerifierState>,
    transaction: PortionTransaction,
  ): Promise<Portion<VerifierState>> {
    const total = job.state ? {} : { total: await this.verifier.count(transaction) };
    const { state, events: done, isOver, problem } = await this.verifier.step(transaction, job.state);
    if (!isOver) return { done, ...total, state };
    if (problem) this.alarm(problem);
    const { seals, events, prunedTo, root } = state;
    const verifiedTo = state.sequence || null;
    return {
      done,
      ...total,
      result: { seals, events, verifiedTo, root, prunedTo, ...(problem && { problem }) },
    };
  }

  private alarm({ kind, event, seal, message }: TrailProblem): void {
    this.problems += 1;
    const what = event === null ? `seal ${seal}` : `event ${event}`;
    this.logger.error(`The audit trail does not hold: ${kind}, ${what}. ${message}`);
  }
}
