import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { DecisionService } from '../../decisions/decision.service.js';
import { Refusal } from '../../refusal.js';
import type { Token } from '../../tokens/token.entity.js';
import { claimedLoginOf } from '../claimed-login.js';

/** Who logs in to a registry: HTTP Basic with the owner's login, or `$app`, and a token as the password. */
@Injectable()
export class RegistryLogin {
  constructor(private readonly decisions: DecisionService) {}

  /** @throws {Refusal} unauthenticated, also for a user's password; forbidden for an address outside the token's blocks. */
  async check(request: FastifyRequest): Promise<Token> {
    const { owner, origin } = request.patois;
    const { tokens, basic, isMalformed } = owner.readCredentials(request);
    if (!basic) throw new Refusal('unauthenticated', { reason: isMalformed ? 'malformed' : 'missing' });
    const [token] = tokens;
    const isImported = token === undefined && this.decisions.mayBeImported(basic.secret);
    const value = isImported ? basic.secret : token;
    if (value === undefined || isMalformed) throw new Refusal('unauthenticated', { reason: 'unknown' });
    const { address, userAgent } = origin;
    const claimedLogin = claimedLoginOf(basic, value);
    const decision = await this.decisions.decide({
      value,
      claimedLogin,
      address,
      userAgent,
      scopes: [],
      ...(isImported ? { basicSecret: 'noPassword' } : {}),
    });
    if (decision.isActive) return decision.cached.token;
    if (decision.reason === 'address') {
      throw new Refusal('forbidden', { reason: 'address', message: 'Not from this address' });
    }
    throw new Refusal('unauthenticated', { reason: 'unknown' });
  }
}
