import { Injectable } from '@nestjs/common';
import passport from 'passport';
import type { Decision } from '../../decisions/decision.js';
import { DecisionService } from '../../decisions/decision.service.js';
import { settle } from '../../maybe-promise.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { Refusal } from '../../refusal.js';
import type { Token } from '../../tokens/token.entity.js';
import { type AuthenticationRequest, shownLoginOf } from '../authentication-request.js';
import { Principal } from '../principal.js';

const NONE: readonly string[] = [];

/** A token, wherever the owner of the path reads one from: as a bearer, in a header of its own, as a Basic password. */
@Injectable()
export class TokenStrategy extends passport.Strategy {
  override readonly name = 'token';

  constructor(
    private readonly decisions: DecisionService,
    private readonly registry: DialectRegistry,
  ) {
    super();
  }

  /** Errors are refusals: unauthenticated, with the reason; forbidden for an address outside the token's blocks. */
  override authenticate(request: unknown): void {
    const { credentials, origin, isRepeatable = false } = request as AuthenticationRequest;
    const { basic } = credentials;
    const [value] = credentials.tokens;
    if (value === undefined) {
      this.fail();
      return;
    }
    // A Basic name beside a token is a claim that must be true; beside a password it is what the password is for.
    const claimedLogin = basic?.secret === value ? basic.login : undefined;
    const { address, userAgent, requestId } = origin;
    const asked = { value, claimedLogin, address, userAgent, requestId, scopes: NONE };
    settle(
      () => this.decisions.admit(asked),
      (decision) => {
        const retired = isRepeatable && !decision.isActive ? decision.justRetired : undefined;
        const token =
          retired ?? tokenOf(decision, claimedLogin === undefined ? {} : shownLoginOf(credentials));
        this.success(new Principal(token.owner, token, value, origin, this.registry, retired !== undefined));
      },
      (error) => this.error(error),
    );
  }
}

/** @throws {Refusal} for a token that is not let in. */
function tokenOf(decision: Decision, login: { login?: string }): Token {
  if (decision.isActive) return decision.cached.token;
  switch (decision.reason) {
    case 'address':
      throw new Refusal('forbidden', { reason: 'address', message: 'Access denied' });
    case 'owner_disabled':
      throw new Refusal('unauthenticated', { reason: 'ownerDisabled', ...login });
    default:
      throw new Refusal('unauthenticated', { reason: decision.reason, ...login });
  }
}
