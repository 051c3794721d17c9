import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditWriter } from '../../audit/audit.writer.js';
import { statementOf, Values } from '../../database/statements.js';
import { Transactions } from '../../database/transactions.js';
import type { Job } from '../../jobs/job.entity.js';
import { Jobs } from '../../jobs/jobs.js';
import { Outbox } from '../../notices/outbox.js';
import { Refusal } from '../../refusal.js';
import { Admission } from '../authority/admission.js';
import type { Authority } from '../authority/authority.js';
import { loosens } from './policy.js';
import { policyConformance } from './policy-conformance.job.js';
import { PolicyRows } from './policy-rows.js';
import { DEFAULT_POLICY, Policy, policyOf, type PolicySettings, settingsOf } from './policy.entity.js';

export interface ReplaceOptions {
  /** Whether the policy may be replaced that is found under the lock. */
  isExpected: (policy: Policy) => boolean;
  /** How many tokens break the new one: a job makes them keep it. Undefined: they live on as they are. */
  affected?: number | undefined;
}

/** The policies of organizations. A change and its audit event commit together. */
@Injectable()
export class PolicyService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly admission: Admission,
    private readonly rows: PolicyRows,
    private readonly audit: AuditWriter,
    private readonly jobs: Jobs,
    private readonly outbox: Outbox,
  ) {}

  async find(organizationId: string): Promise<Policy> {
    const found = await this.dataSource.manager.findOneBy(Policy, { organizationId });
    return found ?? policyOf(organizationId, DEFAULT_POLICY, 0);
  }

  /**
   * Replaces a policy. It holds from the answer on: what is issued, updated or rotated at the same time comes before it and
   * is done, or keeps it.
   *
   * @throws {Refusal} conflict, with the reason `stale`, for another one; forbidden for who does not administer the
   *   organization, and for more than the caller may allow; unauthenticated when the caller is not what it was.
   */
  async replace(
    organizationId: string,
    settings: PolicySettings,
    by: Authority,
    { isExpected, affected }: ReplaceOptions,
  ): Promise<{ policy: Policy; job: Job | undefined }> {
    const { actor, credential } = by;
    const line = credential.kind === 'none' ? actor.type : credential.userId;
    const replaced = await this.transactions.run(line, async (transaction) => {
      const rows = { changesPolicyOf: organizationId };
      const { powers, policies } = await this.admission.admit(transaction, by, rows);
      const before = policies.get(organizationId) ?? policyOf(organizationId, DEFAULT_POLICY, 0);
      powers.assertMayChangePolicy(organizationId, loosens(settings, before));
      if (!isExpected(before)) {
        throw new Refusal('conflict', { reason: 'stale', message: 'The policy was changed by another call' });
      }
      const after = policyOf(organizationId, settings, before.version + 1);
      const entry = {
        actor,
        action: 'policy.update' as const,
        object: { type: 'organization', id: organizationId },
        before: { ...settingsOf(before) },
        after: { ...settingsOf(after) },
      };
      const values = [...this.rows.parametersOf(after), ...this.audit.valuesOf([entry])];
      const changed = changesOf(before, after);
      if (Object.keys(changed).length > 0) {
        const { type, auditId: id, name } = actor;
        const details = { version: after.version, changed, changedBy: { type, id, name } };
        await this.outbox.write(transaction, [{ event: 'policy.changed', organizationId, details }]);
      }
      const statement = statementOf('write-policy', this.writing());
      if (affected === undefined) {
        await transaction.last.run(statement, values);
        return { policy: after, job: undefined };
      }
      await transaction.run(statement, values);
      const job = await this.jobs.start(transaction, policyConformance(after, affected, actor));
      return { policy: after, job };
    });
    if (replaced.job) this.jobs.runSoon();
    return replaced;
  }

  private writing(): string {
    const { place } = new Values();
    const { names } = this.rows;
    return `WITH written AS (
        INSERT INTO policies (${names.join(', ')}) VALUES (${names.map(() => place(undefined)).join(', ')})
        ON CONFLICT (organization_id) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}),
      audited AS (${this.audit.insertion(1, place)})
      SELECT 1`;
  }
}

/** The rules that differ, with what they were and what they are. */
function changesOf(before: Policy, after: Policy): Record<string, { before: unknown; after: unknown }> {
  const [old, now] = [{ ...settingsOf(before) }, { ...settingsOf(after) }];
  return Object.fromEntries(
    Object.entries(now).flatMap(([rule, value]) => {
      const known = old[rule as keyof PolicySettings];
      return String(known) === String(value) ? [] : [[rule, { before: known, after: value }]];
    }),
  );
}
