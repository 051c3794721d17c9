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
   * Returns the caller of a request; synchronously if the token is in memory.
   *
   * @param required scopes of which the caller must hold one; if empty, any valid credential is accepted.
   * @param isExempt whether a caller needs no scope.
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
