import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { CONFIG, type Config } from '../../config.js';
import { publicUrlOf } from '../../http/public-url.js';
import { isGoodText } from '../../http/validation/text.js';
import { networkOf } from '../../network/cidr.js';
import { Refusal } from '../../refusal.js';
import { JwtSigner } from '../../signing/jwt-signer.js';
import type { Token } from '../../tokens/token.entity.js';
import { readAccess } from './grants.js';
import { IssuedJwts } from './issued-jwts.js';
import { RegistryAccess } from './registry-access.js';
import { RegistryToken } from './registry.dto.js';

/** A registry asks nobody while such a token lives: this is how long it goes on after a revocation. */
export const LIFETIME_SECONDS = 300;
const MAX_SERVICE_LENGTH = 256;

/** Changes a token of Patois for one that a registry understands. */
@Injectable()
export class RegistryTokens {
  constructor(
    private readonly access: RegistryAccess,
    private readonly signer: JwtSigner,
    private readonly issued: IssuedJwts,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * A JWT with what is granted of what the request's query asks for; nothing, for a mere login.
   *
   * @throws {Refusal} invalid for a service that is missing or not served.
   */
  async issue(token: Token, request: FastifyRequest): Promise<RegistryToken> {
    const query = request.query as Record<string, string | string[] | undefined>;
    const service = this.serviceOf(query['service']);
    const access = await this.access.grant(token, readAccess([query['scope'] ?? []].flat()));
    const issuedAt = new Date();
    const iat = Math.floor(issuedAt.getTime() / 1000);
    const exp = Math.min(iat + LIFETIME_SECONDS, Math.ceil((token.expiresAt?.getTime() ?? Infinity) / 1000));
    const jti = randomUUID();
    const claims = {
      iss: publicUrlOf(request, this.config),
      sub: token.owner.login,
      aud: service,
      exp,
      nbf: iat,
      iat,
      jti,
      access,
    };
    const { origin } = request.patois;
    const jwt = await this.signer.sign('registry', 'JWT', claims, networkOf(origin.address));
    const expiresAt = new Date(exp * 1000);
    await this.issued.record(token, origin, { jti, service, access, expiresAt });
    return new RegistryToken(jwt, exp - iat, issuedAt);
  }

  private serviceOf(service: string | string[] | undefined): string {
    if (typeof service !== 'string' || service === '') {
      throw Refusal.ofField(['service'], 'isString', 'service is required, once');
    }
    const { registryServices } = this.config;
    // A JWT for a URI would be one for a service that takes access tokens (RFC 8707), which a registry's is not.
    const isServed = registryServices?.includes(service) ?? !service.includes('://');
    if (!isServed || service.length > MAX_SERVICE_LENGTH || !isGoodText(service)) {
      throw Refusal.ofField(['service'], 'isIn', 'The service is not one that this server issues tokens for');
    }
    return service;
  }
}
