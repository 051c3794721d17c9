import { Injectable } from '@nestjs/common';
import { DialectRegistry } from '../access/dialect.js';
import { RefusedTokens } from '../access/refused-tokens.js';
import { after, type Soon } from '../access/soon.js';
import { UsageRecorder } from '../access/usage-recorder.js';
import { Verifier } from '../access/verifier.js';
import { allowsAddress } from '../tokens/cidr.js';
import { MAX_NEEDED_SCOPES } from '../tokens/scope-limits.js';
import type { Token } from '../tokens/token.entity.js';
import type { Verdict } from '../tokens/verdict.js';
import { isOwnedBy } from './claimed-login.js';
import type { Judgement, Question } from './judgement.js';
import { VerdictMeter } from './verdict-meter.js';

/** May this token, from this address, do this? The one place that decides, for every door. */
@Injectable()
export class Judge {
  constructor(
    private readonly verifier: Verifier,
    private readonly registry: DialectRegistry,
    private readonly usage: UsageRecorder,
    private readonly refused: RefusedTokens,
    private readonly meter: VerdictMeter,
  ) {}

  /** At once where the verdict is remembered, else when the database has answered. A token that may is used by this. */
  judge(question: Question): Soon<Judgement> {
    return after(this.verifier.verify(question.value), (verdict) => this.conclude(verdict, question));
  }

  private conclude(verdict: Verdict, question: Question): Judgement {
    const judgement = this.weigh(verdict, question);
    this.meter.count(judgement);
    if (judgement.isActive) {
      this.usage.record(judgement.token, { address: question.address, userAgent: question.userAgent });
    } else if (!verdict.isValid) {
      if (verdict.token) this.refused.record(verdict.token, verdict.reason, question);
    } else if (judgement.reason === 'address') {
      this.refused.record(verdict.token, 'address', question);
    }
    return judgement;
  }

  private weigh(verdict: Verdict, { address, scopes, claimedLogin }: Question): Judgement {
    if (!verdict.isValid) {
      const { reason, token } = verdict;
      return {
        isActive: false,
        reason: reason === 'ownerDisabled' ? 'owner_disabled' : reason,
        ...(token && { token }),
      };
    }
    const { token } = verdict;
    if (!isOwnedBy(token, claimedLogin)) return { isActive: false, reason: 'unknown' };
    if (!allowsAddress(token.allowedCidrs, address)) return { isActive: false, reason: 'address', token };
    if (!this.covers(token, scopes)) return { isActive: false, reason: 'scope', token };
    return { isActive: true, token };
  }

  /** Whether a token's scopes cover all that is needed, by the rules of the dialect that issued it. */
  private covers(token: Token, needed: readonly string[]): boolean {
    if (needed.length === 0) return true;
    if (needed.length > MAX_NEEDED_SCOPES) return false;
    const { scopes: rules } = this.registry.of(token);
    return needed.every(
      (scope) =>
        token.scopes.includes(scope) ||
        token.scopes.some((held) => held === '*' || rules.covers(held, scope)),
    );
  }
}
