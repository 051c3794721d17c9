import { Injectable } from '@nestjs/common';
import passport from 'passport';
import type { Decision } from '../../decisions/decision.js';
import { DecisionService } from '../../decisions/decision.service.js';
import { andThen, type MaybePromise, settle } from '../../maybe-promise.js';
import type { BasicCredentials } from '../../protocol/credentials.js';
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
    const asked = request as AuthenticationRequest;
    const { credentials } = asked;
    const { basic } = credentials;
    const [value] = credentials.tokens;
    if (value === undefined) {
      if (basic && this.decisions.mayBeImported(basic.secret)) this.tryImported(basic, asked);
      else this.fail();
      return;
    }
    // A Basic name beside a token is a claim that must be true; beside a password it is what the password is for.
    const claimedLogin = basic?.secret === value ? basic.login : undefined;
    settle(
      () =>
        andThen(this.decide(asked, value, claimedLogin), (decision) => this.callerOf(asked, value, decision)),
      (principal) => this.success(principal),
      (error) => this.error(error),
    );
  }

  /** Who calls with a value for which a decision was asked; where it is that of a call to be repeated, late. */
  private callerOf(
    request: AuthenticationRequest,
    value: string,
    decision: Decision,
  ): MaybePromise<Principal> {
    const { credentials, origin, idempotentCall } = request;
    const { basic } = credentials;
    const login = basic?.secret === value ? shownLoginOf(credentials) : {};
    const retired = idempotentCall && !decision.isActive ? decision.justRetired : undefined;
    if (retired) return this.repeating(retired, request, decision, login);
    const token = tokenOf(decision, login);
    return new Principal(token.owner, token, value, origin, this.registry);
  }

  /**
   * Who calls with an imported token as the secret beside a login.
   *
   * @throws {Refusal} as for every token that is not let in.
   */
  async importedCallerOf(
    { login, secret }: BasicCredentials,
    request: AuthenticationRequest,
  ): Promise<Principal> {
    return this.callerOf(request, secret, await this.decide(request, secret, login, 'passwordNext'));
  }

  /** A secret beside a login that may be the value of an imported token, else the password. */
  private tryImported({ login, secret }: BasicCredentials, request: AuthenticationRequest): void {
    settle(
      () =>
        andThen(this.decide(request, secret, login, 'passwordNext'), (decision) => {
          const isToken = decision.isActive || decision.cached !== undefined || decision.justRetired;
          return isToken ? this.callerOf(request, secret, decision) : undefined;
        }),
      (principal) => (principal ? this.success(principal) : this.fail()),
      (error) => this.error(error),
    );
  }

  private decide(
    { origin: { address, userAgent, requestId } }: AuthenticationRequest,
    value: string,
    claimedLogin: string | undefined,
    basicSecret?: 'passwordNext',
  ): MaybePromise<Decision> {
    const asked = { value, claimedLogin, address, userAgent, requestId, scopes: NONE };
    return this.decisions.admit(basicSecret ? { ...asked, basicSecret } : asked);
  }

  /** @throws {Refusal} as for any value that is not let in, where the call was not made before. */
  private async repeating(
    token: Token,
    { credentials: { tokens, basic }, origin, idempotentCall }: AuthenticationRequest,
    decision: Decision,
    login: { login?: string },
  ): Promise<Principal> {
    const value = tokens[0] ?? basic?.secret ?? null;
    const caller = new Principal(token.owner, token, value, origin, this.registry, true);
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
