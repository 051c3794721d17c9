import { Injectable } from '@nestjs/common';
import { Refusal } from '../tokens/refusal.js';
import { allowsAddress } from '../tokens/cidr.js';
import { looksLikeToken } from '../tokens/token-format.js';
import type { Token } from '../tokens/token.entity.js';
import type { Verdict } from '../tokens/verdict.js';
import type { Presented } from './credentials.js';
import { DialectRegistry } from './dialect.js';
import { Passwords } from './passwords.js';
import { type Origin, Principal } from './principal.js';
import { RefusedTokens } from './refused-tokens.js';
import { after, type Soon } from './soon.js';
import { UsageRecorder } from './usage-recorder.js';
import { Verifier } from './verifier.js';

/** Turns what a request presents into who is calling. */
@Injectable()
export class Authenticator {
  constructor(
    private readonly verifier: Verifier,
    private readonly passwords: Passwords,
    private readonly usage: UsageRecorder,
    private readonly refused: RefusedTokens,
    private readonly registry: DialectRegistry,
  ) {}

  /**
   * At once where the verdict on a token is remembered.
   *
   * @throws {Refusal} unauthenticated, with the reason; forbidden for an address outside the token's blocks; tooMany.
   */
  authenticate(presented: Presented, origin: Origin): Soon<Principal> {
    const { tokens, basic, session, isMalformed } = presented;
    const login = basic && !looksLikeToken(basic.login) ? basic.login : undefined;
    const refuse = (reason: 'ambiguous' | 'malformed' | 'missing'): Refusal =>
      new Refusal('unauthenticated', { reason, ...(login === undefined ? {} : { login }) });
    if (tokens.length > 1) throw refuse('ambiguous');
    if (isMalformed) throw refuse('malformed');
    const [value] = tokens;
    if (value !== undefined) {
      // A Basic name beside a token is a claim that must be true; beside a password it is what the password is for.
      const claimed = basic?.secret === value ? basic.login : undefined;
      return after(this.verifier.verify(value), (verdict) => {
        const token = this.admitted(verdict, claimed, origin);
        return new Principal(token.owner, token, value, origin, this.registry);
      });
    }
    const checking = basic ? this.passwords.check(basic, origin) : session && this.passwords.resume(session);
    if (!checking) throw refuse('missing');
    return after(checking, (user) => new Principal(user, null, null, origin, this.registry));
  }

  /** The token of a verdict, if it lets this caller in. */
  private admitted(verdict: Verdict, claimedLogin: string | undefined, origin: Origin): Token {
    const login = claimedLogin === undefined || looksLikeToken(claimedLogin) ? {} : { login: claimedLogin };
    if (!verdict.isValid) {
      if (verdict.token) this.refused.record(verdict.token, verdict.reason, origin);
      throw new Refusal('unauthenticated', { reason: verdict.reason, ...login });
    }
    const { token } = verdict;
    if (claimedLogin !== undefined && claimedLogin.toLowerCase() !== token.owner.login.toLowerCase()) {
      throw new Refusal('unauthenticated', { reason: 'unknown', ...login });
    }
    if (!allowsAddress(token.allowedCidrs, origin.address)) {
      this.refused.record(token, 'address', origin);
      throw new Refusal('forbidden', { reason: 'address', message: 'Access denied' });
    }
    this.usage.record(token, origin);
    return token;
  }
}
