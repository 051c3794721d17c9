import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { CONFIG, type Config } from '../../config.js';
import type { CachedToken } from '../../decisions/cached-token.js';
import { publicUrlOf } from '../../http/public-url.js';
import { networkOf } from '../../network/cidr.js';
import { Refusal } from '../../refusal.js';
import { JwtSigner } from '../../signing/jwt-signer.js';
import { neededScopesOf } from '../needed-scopes.js';
import { audiencesOf } from './audiences.js';
import { ExchangeEvents } from './exchange-events.js';
import { ACCESS_TOKEN, ExchangedToken, JWT, TOKEN_EXCHANGE, type TokenExchange } from './exchange.dto.js';
import { SubjectTokens } from './subject-tokens.js';

/** RFC 9068, section 2.1: by it a JWT is taken for nothing else. */
const TYP = 'at+jwt';
/** RFC 6749, 3.3. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** A JWT travels in a header, of which servers read 8 KiB or so. */
const MAX_SCOPE_LENGTH = 4_096;

/** Changes a token of Patois for a JWT that services verify without asking (RFC 8693, RFC 9068). */
@Injectable()
export class ExchangeService {
  constructor(
    private readonly subjects: SubjectTokens,
    private readonly signer: JwtSigner,
    private readonly events: ExchangeEvents,
    @Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl' | 'exchangeTokenLifetimeSeconds'>,
  ) {}

  /** @throws {Refusal} what {@link SubjectTokens.admit} throws; invalid; unavailable, where too many are signed. */
  async exchange(form: TokenExchange, request: FastifyRequest): Promise<ExchangedToken> {
    assertSupported(form);
    const requested = requestedScopesOf(form);
    const audiences = audiencesOf(form);
    const cached = await this.subjects.admit(form, requested, request);
    const { token } = cached;
    const scope = scopeOf(requested.length > 0 ? requested : token.scopes);
    const iss = this.issuerOf(request);
    // RFC 9068, section 3: without a name, the JWT is for a default one.
    const audience = audiences.length > 0 ? audiences : [iss];
    const { iat, exp } = this.lifetimeOf(cached);
    const { origin } = request.patois;
    const claims = {
      iss,
      sub: token.ownerId,
      aud: audience.length === 1 ? audience[0] : audience,
      exp,
      iat,
      jti: randomUUID(),
      client_id: token.tokenId,
      ...(scope === '' ? {} : { scope }),
      username: token.owner.login,
      organization: token.owner.organization.name,
      dialect: token.dialect,
    };
    const jwt = await this.signer.sign('exchange', TYP, claims, networkOf(origin.address));
    this.events.record(token, { audience, scope }, origin);
    return {
      access_token: jwt,
      issued_token_type: form.requested_token_type ?? ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: exp - iat,
      scope,
    };
  }

  /** @throws {Refusal} invalid, without `PUBLIC_URL` and with a Host that is none: no service could know the issuer. */
  private issuerOf(request: FastifyRequest): string {
    const issuer = publicUrlOf(request, this.config);
    if (issuer === '') throw new Refusal('invalid', { message: 'Host is not the address of a server' });
    return issuer;
  }

  /**
   * From when until when a JWT counts, in seconds since 1970: never longer than the value that it is issued for, which may
   * be one that a rotation has left valid for a while.
   */
  private lifetimeOf({ token: { expiresAt }, validUntil }: CachedToken): { iat: number; exp: number } {
    const iat = Math.floor(Date.now() / 1000);
    const ends = [expiresAt, validUntil].map((end) => Math.floor((end?.getTime() ?? Infinity) / 1000));
    const exp = Math.min(iat + this.config.exchangeTokenLifetimeSeconds, ...ends);
    if (exp <= iat) throw new Refusal('invalid', { message: 'subject_token is about to end' });
    return { iat, exp };
  }
}

/** @throws {Refusal} for what is understood, and not served. */
function assertSupported(form: TokenExchange): void {
  if (form.client_secret !== undefined || form.client_assertion !== undefined) {
    throw new Refusal('unauthenticated', { reason: 'malformed' });
  }
  if (form.grant_type !== TOKEN_EXCHANGE) {
    const message = `The grant type is not supported; supported: ${TOKEN_EXCHANGE}`;
    throw new Refusal('invalid', { reason: 'grantType', message });
  }
  assertIs('subject_token_type', form.subject_token_type, [ACCESS_TOKEN]);
  assertIs('requested_token_type', form.requested_token_type ?? ACCESS_TOKEN, [ACCESS_TOKEN, JWT]);
  if (form.actor_token !== undefined) throw unsupported('actor_token', 'is not supported');
}

function assertIs(name: string, value: string, supported: readonly string[]): void {
  if (!supported.includes(value)) throw unsupported(name, `must be ${supported.join(' or ')}`);
}

function unsupported(name: string, why: string): Refusal {
  return Refusal.ofField([name], 'isIn', `${name} ${why}`);
}

/** @throws {Refusal} invalid, targetScope, for what is no scope. */
function requestedScopesOf({ scope }: TokenExchange): string[] {
  const scopes = [...new Set(neededScopesOf(scope, ['scope']))];
  if (scopes.every((one) => SCOPE_TOKEN.test(one))) return scopes;
  throw new Refusal('invalid', {
    reason: 'targetScope',
    message: 'scope holds characters that no scope has',
  });
}

/** @throws {Refusal} invalid, targetScope, for more than a JWT can carry. */
function scopeOf(scopes: readonly string[]): string {
  const scope = scopes.join(' ');
  if (scope.length <= MAX_SCOPE_LENGTH) return scope;
  const message = `The scopes are longer than ${MAX_SCOPE_LENGTH} characters: name those that are needed in scope`;
  throw new Refusal('invalid', { reason: 'targetScope', message });
}
