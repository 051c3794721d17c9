import { Injectable } from '@nestjs/common';
import passport from 'passport';
import { settle } from '../../maybe-promise.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import type { AuthenticationRequest } from '../authentication-request.js';
import { PasswordAuthenticator } from '../password-authenticator.js';
import { Principal } from '../principal.js';

/** A login by password that the owner of the path has seen before, and vouches for. */
@Injectable()
export class SessionStrategy extends passport.Strategy {
  override readonly name = 'session';

  constructor(
    private readonly passwords: PasswordAuthenticator,
    private readonly registry: DialectRegistry,
  ) {
    super();
  }

  /** Errors are refusals: unauthenticated. */
  override authenticate(request: unknown): void {
    const { credentials, origin } = request as AuthenticationRequest;
    const { session } = credentials;
    if (!session) {
      this.fail();
      return;
    }
    settle(
      () => this.passwords.resume(session),
      (user) => this.success(new Principal(user, null, null, origin, this.registry)),
      (error) => this.error(error),
    );
  }
}
