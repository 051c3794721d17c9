import { Injectable } from '@nestjs/common';
import passport from 'passport';
import { settle } from '../../maybe-promise.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import type { AuthenticationRequest } from '../authentication-request.js';
import { PasswordAuthenticator } from '../password-authenticator.js';
import { Principal } from '../principal.js';

/** Login and password, as HTTP Basic carries them (RFC 7617). */
@Injectable()
export class PasswordStrategy extends passport.Strategy {
  override readonly name = 'password';

  constructor(
    private readonly passwords: PasswordAuthenticator,
    private readonly registry: DialectRegistry,
  ) {
    super();
  }

  /** Errors are refusals: unauthenticated; tooMany. */
  override authenticate(request: unknown): void {
    const { credentials, origin } = request as AuthenticationRequest;
    const { basic } = credentials;
    if (!basic) {
      this.fail();
      return;
    }
    settle(
      () => this.passwords.check(basic, origin),
      (user) => this.success(new Principal(user, null, null, origin, this.registry)),
      (error) => this.error(error),
    );
  }
}
