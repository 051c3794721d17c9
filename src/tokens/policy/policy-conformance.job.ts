import { Injectable } from '@nestjs/common';
import type { Actor } from '../../audit/audit.writer.js';
import type { JobKind, JobProgress, JobSpec, Portion, PortionTransaction } from '../../jobs/job-kind.js';
import { JobRunner } from '../../jobs/job-runner.js';
import { inTurns } from '../../turnstile.js';
import { type Settlement, type SettlementOptions, TokenService } from '../token.service.js';
import { conforming } from './conformance.js';
import { countLive } from './live-tokens.js';
import { PolicyBreaches, USES_WRITTEN_MS } from './policy-breaches.js';
import { PolicyRows } from './policy-rows.js';
import type { Policy } from './policy.entity.js';

const KIND = 'policy-conformance';
/** As many as other replicas are told of by name: more would have them forget all that they remember. */
const TOKENS_A_PORTION = 500;

interface Input {
  organizationId: string;
  /** Of the policy: another one ends the job. */
  version: number;
  /** How many tokens broke the policy when it was made. */
  affected: number;
}

/** What was done so far. A token that was shortened and confined counts in both. */
interface Counts {
  shortened: number;
  confined: number;
  revoked: number;
}

/** First the tokens by what they are, then the owners of too many; `after` is the last one that is done. */
interface State extends Counts {
  /** The moment that uses are counted up to. */
  usedUntil: string;
  phase: 'tokens' | 'owners';
  after: string | null;
}

const NOTHING = { phase: 'tokens', after: null, shortened: 0, confined: 0, revoked: 0 } as const;

/** The job that makes the tokens which an organization has keep its policy. */
export function policyConformance(
  { organizationId, version }: Policy,
  affected: number,
  createdBy: Actor,
): JobSpec {
  const input: Input = { organizationId, version, affected };
  return { kind: KIND, input, createdBy, organizationId, total: affected };
}

/**
 * Makes the tokens of an organization keep its policy: shortens lives, confines to blocks, and revokes what cannot conform,
 * was unused for too long, or is beyond the number that an owner may have. Its result says how many of each; `appeared` and
 * `gone` are how many more, or fewer, than broke the policy when it was made.
 */
@Injectable()
export class PolicyConformanceJob implements JobKind<Input, State> {
  readonly kind = KIND;

  constructor(
    private readonly policies: PolicyRows,
    private readonly breaches: PolicyBreaches,
    private readonly tokens: TokenService,
    runner: JobRunner,
  ) {
    runner.register(this);
  }

  async portion(job: JobProgress<Input, State>, transaction: PortionTransaction): Promise<Portion<State>> {
    const { organizationId, version, affected } = job.input;
    const state = job.state ?? { ...NOTHING, usedUntil: new Date().toISOString() };
    const [policy] = await this.policies.lockLate(transaction, [organizationId]);
    const end = (
      done: number,
      { shortened, confined, revoked }: Counts,
      isSuperseded: boolean,
    ): Portion<State> => {
      const all = job.done + done;
      const [appeared, gone] = [Math.max(0, all - affected), Math.max(0, affected - all)];
      return { done, result: { shortened, confined, revoked, appeared, gone, isSuperseded } };
    };
    if (policy?.version !== version) return end(0, state, true);
    if (!job.state && policy.maxUnusedSeconds !== null) return { done: 0, state, restMs: USES_WRITTEN_MS };
    const step =
      state.phase === 'tokens'
        ? await this.conformTokens(policy, state, transaction)
        : await this.thinOut(policy, state, transaction);
    return step.state ? { done: step.done, state: step.state } : end(step.done, step.counts, false);
  }

  private async conformTokens(policy: Policy, state: State, transaction: PortionTransaction): Promise<Step> {
    const now = new Date();
    const limit = TOKENS_A_PORTION;
    const found = await this.breaches.lockBroken(transaction, policy, { after: state.after, limit, now });
    const usedUntil = new Date(state.usedUntil);
    const settled = await inTurns(found, (token): Settlement | undefined => {
      const needed = conforming(policy, token, { now, usedUntil });
      return needed && { token, changes: needed === 'revoke' ? needed : needed.changes };
    });
    const settlements = settled.filter((one) => one !== undefined);
    await this.tokens.settle(transaction, settlements, endingBy(policy));
    const counts = counted(state, settlements);
    const last = found.at(-1);
    const next: State =
      last && found.length === limit
        ? { ...state, ...counts, after: last.id }
        : { ...state, ...counts, phase: 'owners', after: null };
    return { done: settlements.length, counts, state: next };
  }

  /** Revokes what one owner has too many of. */
  private async thinOut(policy: Policy, state: State, transaction: PortionTransaction): Promise<Step> {
    const { maxTokensPerUser: most } = policy;
    const ownerId =
      most === null ? undefined : await this.breaches.findCrowded(transaction, policy, state.after);
    if (most === null || ownerId === undefined) return { done: 0, counts: state, state: undefined };
    const limit = TOKENS_A_PORTION;
    const excess = await this.breaches.lockExcess(transaction, ownerId, { most, limit });
    // Some may have ended while the others were waited for.
    const count = (await countLive(transaction, [ownerId])).get(ownerId) ?? 0;
    const settlements = excess
      .slice(0, Math.max(0, count - most))
      .map((token): Settlement => ({ token, changes: 'revoke' }));
    await this.tokens.settle(transaction, settlements, endingBy(policy));
    const counts = counted(state, settlements);
    const isMore = count - settlements.length > most && settlements.length > 0;
    const after = isMore ? state.after : ownerId;
    return { done: settlements.length, counts, state: { ...state, ...counts, after } };
  }
}

/** What a portion comes to; without a state nothing is left to do. */
interface Step {
  done: number;
  counts: Counts;
  state: State | undefined;
}

function counted(before: Counts, settlements: readonly Settlement[]): Counts {
  const count = (isMeant: (changes: Settlement['changes']) => boolean): number =>
    settlements.filter(({ changes }) => isMeant(changes)).length;
  return {
    shortened: before.shortened + count((changes) => changes !== 'revoke' && 'expiresAt' in changes),
    confined: before.confined + count((changes) => changes !== 'revoke' && 'allowedCidrs' in changes),
    revoked: before.revoked + count((changes) => changes === 'revoke'),
  };
}

function endingBy({ version }: Policy): SettlementOptions {
  return { reason: `policy version ${version}`, event: 'token.revokedByPolicy' };
}
