import type { Decision, DenyReason } from '../../decisions/decision.js';
import { IntrospectionAnswer } from '../introspection/introspection.dto.js';

/** One answer of a batch, with the reason where the token is not active: this caller is trusted. */
export class VerificationAnswer extends IntrospectionAnswer {
  reason?: DenyReason;

  constructor(decision: Decision, issuer: string) {
    super(decision.isActive ? decision.cached.token : undefined, issuer);
    if (!decision.isActive) this.reason = decision.reason;
  }
}

/** One question of a batch. */
export class Verification {
  /** @example 'pt-4fK2mZq81LxT_…' */
  token!: string;

  /** @example '203.0.113.7' */
  clientIp?: string;

  /**
   * Required scopes, separated by spaces; all must be covered.
   * @example 'repo:read'
   */
  scope?: string;
}

/** 1 to 1000 questions. */
export class VerificationBatch {
  verifications!: Verification[];
}

/** The answers of a batch, in the order of its questions. */
export class VerificationBatchAnswer {
  verifications!: VerificationAnswer[];
}
