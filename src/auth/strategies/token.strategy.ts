import { Injectable } from '@nestjs/common';
import passport from 'passport';
import type { Decision } from '../../decisions/decision.js';
import { DecisionService } from '../../decisions/decision.service.js';
import { andThen, settle } from '../../maybe-promise.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { Refusal } from '../../refusal.js';
import { Idempotency } from '../../tokens/idempotency/idempotency.js';
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
    private readonly idempotency: Idempotency,
  ) {
    super();
  }

  /** Errors are refusals: unauthenticated, with the reason; forbidden for an address outside the token's blocks. */
  override authenticate(request: unknown): void {
    const { credentials, origin, idempotentCall } = request as AuthenticationRequest;
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
    const login = claimedLogin === undefined ? {} : shownLoginOf(credentials);
    settle(
      () =>
        andThen(this.decisions.admit(asked), (decision) => {
          const retired = idempotentCall && !decision.isActive ? decision.justRetired : undefined;
          if (retired) return this.repeating(retired, request as AuthenticationRequest, decision, login);
          const token = tokenOf(decision, login);
          return new Principal(token.owner, token, value, origin, this.registry);
        }),
      (principal) => this.success(principal),
      (error) => this.error(error),
    );
  }

  /** @throws {Refusal} as for any value that is not let in, where the call was not made before. */
  private async repeating(
    token: Token,
    { credentials: { tokens }, origin, idempotentCall }: AuthenticationRequest,
    decision: Decision,
    login: { login?: string },
  ): Promise<Principal> {
    const caller = new Principal(token.owner, token, tokens[0] ?? null, origin, this.registry, true);
    caller.idempotentCall = idempotentCall;
    if (!(await this.idempotency.isRepetition(caller))) tokenOf(decision, login);
    return caller;
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
