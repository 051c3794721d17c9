import { Inject, Injectable } from '@nestjs/common';
import { andThen, type MaybePromise } from '../maybe-promise.js';
import { DialectRegistry } from '../protocol/dialect-registry.js';
import { type Span, type Step, TRACING, type Tracing } from '../tracing.js';
import { CachedLookup } from './cached-lookup.js';
import { DecisionService } from './decision.service.js';
import type { Decision, DecisionRequest } from './decision.js';
import { RefusedTokens } from './refused-tokens.js';
import { RotatedTokens } from './rotated-tokens.js';
import { UsageRecorder } from './usage-recorder.js';

const STEP: Step = { name: 'decision', kind: 'internal' };

/** The same, each decision a step of the trace that is under way. */
@Injectable()
export class TracedDecisionService extends DecisionService {
  constructor(
    lookup: CachedLookup,
    registry: DialectRegistry,
    usage: UsageRecorder,
    refused: RefusedTokens,
    rotated: RotatedTokens,
    @Inject(TRACING) private readonly tracing: Tracing,
  ) {
    super(lookup, registry, usage, refused, rotated);
  }

  override decide(request: DecisionRequest): MaybePromise<Decision> {
    return this.traced(() => super.decide(request));
  }

  override admit(request: DecisionRequest): MaybePromise<Decision> {
    return this.traced(() => super.admit(request));
  }

  private traced(decide: () => MaybePromise<Decision>): MaybePromise<Decision> {
    return this.tracing.step(STEP, (span): MaybePromise<Decision> => {
      const decision = decide();
      span.set({ 'patois.decision.from_memory': !(decision instanceof Promise) });
      return andThen(decision, (made) => noted(span, made));
    });
  }
}

/** What was decided: of the token no more than who has issued it. */
function noted(span: Span, decision: Decision): Decision {
  span.set({ 'patois.decision': decision.isActive ? 'active' : decision.reason });
  if (decision.cached) span.set({ 'patois.token.dialect': decision.cached.token.dialect });
  return decision;
}
