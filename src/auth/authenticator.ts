import { Injectable } from '@nestjs/common';
import passport from 'passport';
import { andThen, type MaybePromise } from '../maybe-promise.js';
import type { PresentedCredentials } from '../protocol/credentials.js';
import { Refusal } from '../refusal.js';
import { type AuthenticationRequest, shownLoginOf } from './authentication-request.js';
import { type Authenticate, passportFramework } from './passport-framework.js';
import type { Principal } from './principal.js';
import { CookieStrategy } from './strategies/cookie.strategy.js';
import { PasswordStrategy } from './strategies/password.strategy.js';
import { SessionStrategy } from './strategies/session.strategy.js';
import { TokenStrategy } from './strategies/token.strategy.js';

/** In the order in which they are tried: a strategy passes on a request without a credential of its kind. */
const STRATEGIES = ['token', 'password', 'session', 'cookie'];

/** Asks the passport strategies who is calling. */
@Injectable()
export class Authenticator {
  private readonly ask: Authenticate;

  constructor(
    token: TokenStrategy,
    password: PasswordStrategy,
    session: SessionStrategy,
    cookie: CookieStrategy,
  ) {
    // Not passport's process-wide instance: two apps in one process must not share strategies.
    const instance = new passport.Authenticator().framework(passportFramework);
    for (const strategy of [token, password, session, cookie]) instance.use(strategy);
    // passport's types take what the framework returns for what that returns when it is called.
    this.ask = instance.authenticate(STRATEGIES) as unknown as Authenticate;
  }

  /**
   * Synchronous if the token is in memory.
   *
   * @throws {Refusal} unauthenticated, with the reason; forbidden for an address outside the token's blocks, and for a cookie
   *   that another site's page may have had sent; tooMany.
   */
  authenticate(request: AuthenticationRequest): MaybePromise<Principal> {
    const { credentials } = request;
    if (credentials.tokens.length > 1) throw refusal('ambiguous', credentials);
    if (credentials.isMalformed) throw refusal('malformed', credentials);
    return andThen(this.ask(request), (principal) => {
      if (!principal) throw refusal('missing', credentials);
      return principal;
    });
  }
}

function refusal(reason: 'ambiguous' | 'malformed' | 'missing', credentials: PresentedCredentials): Refusal {
  return new Refusal('unauthenticated', { reason, ...shownLoginOf(credentials) });
}
