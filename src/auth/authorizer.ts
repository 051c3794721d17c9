import { Injectable } from '@nestjs/common';
import { andThen, type MaybePromise } from '../maybe-promise.js';
import { lacksScope } from '../tokens/authority/admission.js';
import type { RequiredScopes } from '../tokens/authority/authority.js';
import type { AuthenticationRequest } from './authentication-request.js';
import { Authenticator } from './authenticator.js';
import type { Principal } from './principal.js';

/** Who may call: first the credential, then the scope. The same for routes and for fast paths. */
@Injectable()
export class Authorizer {
  constructor(private readonly authenticator: Authenticator) {}

  /**
   * The caller of a request. At once where the decision on a token is at hand.
   *
   * @param required of which the caller must hold one scope; with none named, any valid credential will do.
   * @param isExempt says of a caller that no scope is needed.
   * @throws {Refusal} what {@link Authenticator.authenticate} throws; forbidden.
   */
  authorize(
    request: AuthenticationRequest,
    required: RequiredScopes,
    isExempt?: (caller: Principal) => boolean,
  ): MaybePromise<Principal> {
    return andThen(this.authenticator.authenticate(request), (caller) => {
      if (required.scopes.length === 0 || isExempt?.(caller)) return caller;
      caller.required = required;
      if (!caller.covers(required.dialect, required.scopes)) throw lacksScope(required.scopes);
      return caller;
    });
  }
}
