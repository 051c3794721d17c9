import { Injectable } from '@nestjs/common';
import passport from 'passport';
import { settle } from '../../maybe-promise.js';
import type { PresentedCookie } from '../../protocol/credentials.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import type { Origin } from '../../protocol/origin.js';
import { Refusal } from '../../refusal.js';
import type { AuthenticationRequest } from '../authentication-request.js';
import { Principal } from '../principal.js';
import { Sessions } from '../sessions/sessions.js';

/** A session of a browser, by its cookie. */
@Injectable()
export class CookieStrategy extends passport.Strategy {
  override readonly name = 'cookie';

  constructor(
    private readonly sessions: Sessions,
    private readonly registry: DialectRegistry,
  ) {
    super();
  }

  /** Errors are refusals: unauthenticated; forbidden for what another site's page may have sent. */
  override authenticate(request: unknown): void {
    const { credentials, origin } = request as AuthenticationRequest;
    const { cookie } = credentials;
    if (!cookie) {
      this.fail();
      return;
    }
    settle(
      () => this.callerOf(cookie, origin),
      (principal) => this.success(principal),
      (error) => this.error(error),
    );
  }

  private async callerOf({ value, isForgeable }: PresentedCookie, origin: Origin): Promise<Principal> {
    if (isForgeable) {
      const message =
        'A session changes something only with the headers X-Requested-With, and Origin or Sec-Fetch-Site';
      throw new Refusal('forbidden', { reason: 'crossSite', message });
    }
    const found = await this.sessions.find(value);
    if (!found) throw new Refusal('unauthenticated', { reason: 'session' });
    return new Principal(found.user, null, null, origin, this.registry, false, found.session);
  }
}
