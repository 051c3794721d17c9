import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditWriter } from '../../audit/audit.writer.js';
import { type Transaction, Transactions } from '../../database/transactions.js';
import type { Job } from '../../jobs/job.entity.js';
import { Jobs } from '../../jobs/jobs.js';
import { Refusal } from '../../refusal.js';
import { Semaphore } from '../../semaphore.js';
import { Admission } from '../authority/admission.js';
import { type Authority, keptCredential } from '../authority/authority.js';
import type { TokenFilter } from '../inventory/token-filter.js';
import { type Reach, reaches, revocation } from './revocation.job.js';
import { meaning, RevocationTargets } from './revocation-targets.js';

/** Each reads all tokens at worst: one at a time, and few that wait. */
const MAX_WAITING = 20;
const MAX_WAIT_MS = 10_000;

/** Which tokens are to be ended, and on whose word. */
export interface RevocationSpec {
  /** Within the reach; undefined: it can mean none. */
  filter: TokenFilter | undefined;
  /** As far as the actor could see when the filter was made. */
  reach: Reach;
  /** The filter as it was written, for the audit trail. */
  written: Record<string, unknown>;
}

export interface StartOptions {
  /** Kept with each token. */
  reason: string;
  /** How many tokens the actor means to end. */
  expectedCount?: number | undefined;
  /** Of the token that the actor calls with. */
  scopes: readonly string[];
  /** Whose administrators see the job; null: administrators of everything alone. */
  organizationId: string | null;
}

/**
 * Ends many tokens at once. Meant are those that a filter names and that are not revoked: expired and inactive ones too, as
 * they could be brought back. Which these are is settled when it begins, in one statement; a job then ends them, and no
 * other.
 */
@Injectable()
export class Revocations {
  private readonly turns = new Semaphore(1, MAX_WAITING, tooMany, MAX_WAIT_MS);

  constructor(
    private readonly transactions: Transactions,
    private readonly admission: Admission,
    private readonly audit: AuditWriter,
    private readonly jobs: Jobs,
    private readonly targets: RevocationTargets,
  ) {}

  /**
   * Settles which tokens are meant, and begins the job that ends them.
   *
   * @throws {Refusal} conflict where they are not as many as expected; unauthenticated and forbidden when the actor is not
   *   what it was; unavailable where many ask at once.
   */
  async start(spec: RevocationSpec, by: Authority, options: StartOptions): Promise<Job> {
    const { actor, credential } = by;
    const line = credential.kind === 'none' ? actor.type : credential.userId;
    const job = await this.turns.run(line, () =>
      this.transactions.run(line, (transaction) => this.begin(transaction, spec, by, options)),
    );
    this.jobs.runSoon();
    return job;
  }

  private async begin(
    transaction: Transaction,
    { filter, reach, written }: RevocationSpec,
    by: Authority,
    { reason, expectedCount, scopes, organizationId }: StartOptions,
  ): Promise<Job> {
    const id = randomUUID();
    const total = await this.targets.stage(transaction, id, meaning(filter));
    if (expectedCount !== undefined && expectedCount !== total) {
      const message = `The filter means ${total} tokens now, not ${expectedCount}: nothing was revoked`;
      const fields = [{ path: ['expectedCount'], rule: 'count', message: `${total} tokens are meant` }];
      throw new Refusal('conflict', { message, fields });
    }
    // After what may take long: who acts is locked no longer than it takes to begin the job.
    const { powers } = await this.admission.admit(transaction, by);
    if (!reaches(powers, reach)) {
      throw new Refusal('forbidden', { reason: 'role', message: 'You administer less than a moment ago' });
    }
    const kept = keptCredential(by.credential, scopes);
    const spec = revocation({ filter: filter ?? null, reach, reason, by: kept }, by.actor, {
      organizationId,
      total,
    });
    await this.audit.write(transaction, {
      actor: by.actor,
      action: 'revocation.start',
      object: { type: 'job', id },
      after: { filter: written, reason, total },
    });
    return this.jobs.start(transaction, { ...spec, id });
  }
}

function tooMany(): Refusal {
  const message = 'Too many revocations begin at once; try again';
  return new Refusal('unavailable', { reason: 'busy', message, retryAfterSeconds: 1 });
}
