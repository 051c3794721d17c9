import { Injectable } from '@nestjs/common';
import passport from 'passport';
import { fromCallback, type MaybePromise } from '../maybe-promise.js';
import { Refusal } from '../refusal.js';
import { type AuthenticationRequest, shownLoginOf } from './authentication-request.js';
import type { Principal } from './principal.js';
import { PasswordStrategy } from './strategies/password.strategy.js';
import { SessionStrategy } from './strategies/session.strategy.js';
import { TokenStrategy } from './strategies/token.strategy.js';

/** In the order in which they are asked: each passes on what it finds no credential of its kind in. */
const STRATEGIES = ['token', 'password', 'session'];

/** Asks the passport strategies who is calling. */
@Injectable()
export class Authenticator {
  /** Not passport's process-wide instance: two apps in one process must not share strategies. */
  private readonly passport = new passport.Authenticator();

  constructor(token: TokenStrategy, password: PasswordStrategy, session: SessionStrategy) {
    for (const strategy of [token, password, session]) this.passport.use(strategy);
  }

  /**
   * At once where the decision on a token is at hand.
   *
   * @throws {Refusal} unauthenticated, with the reason; forbidden for an address outside the token's blocks; tooMany.
   */
  authenticate(request: AuthenticationRequest): MaybePromise<Principal> {
    const { credentials } = request;
    const refuse = (reason: 'ambiguous' | 'malformed' | 'missing'): Refusal =>
      new Refusal('unauthenticated', { reason, ...shownLoginOf(credentials) });
    if (credentials.tokens.length > 1) throw refuse('ambiguous');
    if (credentials.isMalformed) throw refuse('malformed');
    return fromCallback<Principal>((done) => {
      const settled = (error: unknown, principal?: Principal | false): void =>
        principal ? done(null, principal) : done(error ?? refuse('missing'));
      this.passport.authenticate(STRATEGIES, { session: false }, settled)(request, undefined, settled);
    });
  }
}
