import { Injectable } from '@nestjs/common';
import { SYSTEM } from '../../audit/audit.writer.js';
import type { JobKind, JobProgress, JobSpec, Portion, PortionTransaction } from '../../jobs/job-kind.js';
import { JobRunner } from '../../jobs/job-runner.js';
import { type Settlement, TokenService } from '../token.service.js';
import { isUnusedTooLong } from './conformance.js';
import { PolicyBreaches, USES_WRITTEN_MS } from './policy-breaches.js';

const KIND = 'unused-tokens';
/** As many as other replicas are told of by name: more would have them forget all that they remember. */
const TOKENS_A_PORTION = 500;

interface State {
  /** The moment that uses are counted up to. */
  asOf: string;
  /** The last token that is done. */
  after: string | null;
}

/** The job that ends the tokens which were unused for longer than the policies of their organizations allow. */
export const UNUSED_TOKENS: JobSpec = { kind: KIND, input: {}, createdBy: SYSTEM, organizationId: null };

/**
 * Revokes tokens that were unused for too long when it began. A token that was used a second before is not ended, wherever
 * it was used: first all replicas have time to write the uses that they remember, and those of this process count anyway.
 */
@Injectable()
export class UnusedTokensJob implements JobKind<object, State> {
  readonly kind = KIND;

  constructor(
    private readonly breaches: PolicyBreaches,
    private readonly tokens: TokenService,
    runner: JobRunner,
  ) {
    runner.register(this);
  }

  async portion(job: JobProgress<object, State>, transaction: PortionTransaction): Promise<Portion<State>> {
    if (!job.state) {
      return { done: 0, state: { asOf: new Date().toISOString(), after: null }, restMs: USES_WRITTEN_MS };
    }
    const { asOf, after } = job.state;
    const limit = TOKENS_A_PORTION;
    const moment = new Date(asOf);
    const found = await this.breaches.lockUnused(transaction, { after, limit, asOf: moment });
    const limits = await this.breaches.unusedLimits(transaction);
    // The uses that this process remembers show on what was read, and were not asked for in the reading.
    const settlements = found
      .filter((token) => {
        const maxUnusedSeconds = limits.get(token.organizationId) ?? null;
        return isUnusedTooLong({ maxUnusedSeconds }, token, moment);
      })
      .map((token): Settlement => ({ token, changes: 'revoke' }));
    await this.tokens.settle(transaction, settlements, { reason: 'unused', event: 'token.revokedByPolicy' });
    const last = found.at(-1);
    const done = settlements.length;
    if (last && found.length === limit) return { done, state: { asOf, after: last.id } };
    return { done, result: { revoked: job.done + done } };
  }
}
