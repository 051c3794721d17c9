import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Refusal } from '../../tokens/refusal.js';
import type { Token } from '../../tokens/token.entity.js';
import { claimedLoginOf } from '../claimed-login.js';
import { Judge } from '../judge.js';

/** Who logs in to a registry: HTTP Basic with the owner's login, or `$app`, and a token as the password. */
@Injectable()
export class RegistryLogin {
  constructor(private readonly judge: Judge) {}

  /** @throws {Refusal} unauthenticated, also for an account's password; forbidden for an address outside the token's blocks. */
  async check(request: FastifyRequest): Promise<Token> {
    const { owner, origin } = request.patois;
    const { tokens, basic, isMalformed } = owner.presented(request);
    const [value] = tokens;
    if (!basic) throw new Refusal('unauthenticated', { reason: isMalformed ? 'malformed' : 'missing' });
    if (value === undefined || isMalformed) throw new Refusal('unauthenticated', { reason: 'unknown' });
    const { address, userAgent } = origin;
    const claimedLogin = claimedLoginOf(basic, value);
    const judgement = await this.judge.judge({ value, claimedLogin, address, userAgent, scopes: [] });
    if (judgement.isActive) return judgement.token;
    if (judgement.reason === 'address') {
      throw new Refusal('forbidden', { reason: 'address', message: 'Not from this address' });
    }
    throw new Refusal('unauthenticated', { reason: 'unknown' });
  }
}
