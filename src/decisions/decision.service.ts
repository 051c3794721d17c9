import { Injectable } from '@nestjs/common';
import type { MaybePromise } from '../maybe-promise.js';
import { allowsAddress } from '../network/cidr.js';
import { DialectRegistry } from '../protocol/dialect-registry.js';
import { MAX_NEEDED_SCOPES } from '../tokens/scope-limits.js';
import { isReuse } from '../tokens/rotation/retired-values.js';
import { stateOf } from '../tokens/token-state.js';
import type { Token } from '../tokens/token.entity.js';
import { RetiredLookup } from '../tokens/token-lookup.js';
import { CachedLookup, type LookedUp } from './cached-lookup.js';
import { CachedToken } from './cached-token.js';
import { DecisionCounter } from './decision-counter.js';
import type { Decision, DecisionRequest } from './decision.js';
import { RefusedTokens } from './refused-tokens.js';
import { RotatedTokens } from './rotated-tokens.js';
import { UsageRecorder } from './usage-recorder.js';

/** May this token, from this address, do this? The one place that decides, for every endpoint and every dialect. */
@Injectable()
export class DecisionService {
  /** What {@link decide} has decided so far. */
  readonly counter = new DecisionCounter();

  constructor(
    private readonly lookup: CachedLookup,
    private readonly registry: DialectRegistry,
    private readonly usage: UsageRecorder,
    private readonly refused: RefusedTokens,
    private readonly rotated: RotatedTokens,
  ) {}

  /** Whether a value that does not have our form may be a token's all the same: only where values were imported. */
  mayBeImported(value: string): boolean {
    return this.lookup.mayBeImported(value);
  }

  /** As {@link admit}, and counted: for callers that ask about the tokens of others. */
  decide(request: DecisionRequest): MaybePromise<Decision> {
    const found = this.find(request);
    if (found instanceof Promise) return found.then((late) => this.counted(this.conclude(late, request)));
    return this.counted(this.conclude(found, request));
  }

  /**
   * Synchronous if the token is in memory. An admitted token counts as used; one that is refused although its secret was
   * right is recorded for the audit trail.
   */
  admit(request: DecisionRequest): MaybePromise<Decision> {
    const found = this.find(request);
    if (found instanceof Promise) return found.then((late) => this.conclude(late, request));
    return this.conclude(found, request);
  }

  private find(request: DecisionRequest): MaybePromise<LookedUp> {
    const { value, address, claimedLogin, basicSecret } = request;
    // Of a token of ours nothing else counts, and there is nothing to be made for it.
    if (basicSecret === undefined) return this.lookup.find(value, request);
    const login = basicSecret === 'noPassword' ? claimedLogin : undefined;
    return this.lookup.find(value, { address, login, mayBePassword: true });
  }

  private counted(decision: Decision): Decision {
    this.counter.count(decision);
    return decision;
  }

  private conclude(found: LookedUp, request: DecisionRequest): Decision {
    if (!(found instanceof CachedToken)) return this.refuseUnknown(found, request);
    const { token } = found;
    const state = stateOf(found);
    if (state === 'unknown') return { isActive: false, reason: state };
    if (state !== 'active') {
      const reason = state === 'ownerDisabled' ? 'owner_disabled' : state;
      this.refused.record(token, reason, request);
      return { isActive: false, reason, cached: found };
    }
    if (!isClaimed(token, request.claimedLogin)) return { isActive: false, reason: 'unknown' };
    if (!allowsAddress(token.allowedCidrs, request.address)) {
      this.refused.record(token, 'address', request);
      return { isActive: false, reason: 'address', cached: found };
    }
    if (!this.covers(token, request.scopes)) return { isActive: false, reason: 'scope', cached: found };
    this.usage.record(found, request);
    if (found.retires !== null) this.rotated.recordFirstUse(found);
    return { isActive: true, cached: found };
  }

  private refuseUnknown(found: Exclude<LookedUp, CachedToken>, request: DecisionRequest): Decision {
    if (!(found instanceof RetiredLookup)) return { isActive: false, reason: found };
    this.rotated.recordReuse(found, request);
    const { token, retiredAt } = found;
    const isLetIn =
      !isReuse(retiredAt, Date.now()) &&
      stateOf({ token, validUntil: null }) === 'active' &&
      isClaimed(token, request.claimedLogin) &&
      allowsAddress(token.allowedCidrs, request.address);
    return { isActive: false, reason: 'unknown', ...(isLetIn ? { justRetired: token } : {}) };
  }

  private covers({ scopes, dialect }: Token, needed: readonly string[]): boolean {
    if (needed.length === 0) return true;
    if (needed.length > MAX_NEEDED_SCOPES) return false;
    return this.registry.uncovered(scopes, dialect, needed).length === 0;
  }
}

/** Whether a token is the claimed login's. */
function isClaimed({ owner }: Token, claimedLogin: string | undefined): boolean {
  return claimedLogin === undefined || owner.login.toLowerCase() === claimedLogin.toLowerCase();
}
