import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import type { Principal } from '../../auth/principal.js';
import { Transactions } from '../../database/transactions.js';
import type { Job } from '../../jobs/job.entity.js';
import { Jobs } from '../../jobs/jobs.js';
import { Admission } from '../../tokens/authority/admission.js';
import { Refusal } from '../../refusal.js';
import { AUDIT_VERIFICATION, auditVerification } from './audit-verification.job.js';

/** Has the audit trail verified, for administrators of everything. */
@Injectable()
export class AuditVerificationService {
  constructor(
    private readonly transactions: Transactions,
    private readonly admission: Admission,
    private readonly jobs: Jobs,
  ) {}

  /**
   * The job that verifies the trail: the one that is under way, or a new one.
   *
   * @throws {Refusal} forbidden for who does not administer everything; unauthenticated when the caller is not what it was.
   */
  async start(caller: Principal): Promise<Job> {
    caller.assertAdministersAll();
    const running = await this.jobs
      .query()
      .where({ kind: AUDIT_VERIFICATION, endedAt: IsNull() })
      .orderBy('job.createdAt', 'DESC')
      .getOne();
    if (running) return running;
    const job = await this.transactions.run(caller.user.id, async (transaction) => {
      const { powers } = await this.admission.admit(transaction, caller);
      if (!powers.isAdministrator) {
        throw new Refusal('forbidden', { reason: 'role', message: 'Administrators of everything only' });
      }
      return this.jobs.start(transaction, auditVerification(caller.actor));
    });
    this.jobs.runSoon();
    return job;
  }
}
