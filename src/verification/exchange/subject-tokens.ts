import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Authorizer } from '../../auth/authorizer.js';
import type { CachedToken } from '../../decisions/cached-token.js';
import type { DenyReason } from '../../decisions/decision.js';
import { DecisionService } from '../../decisions/decision.service.js';
import { parseCallerAddress } from '../../network/addresses.js';
import type { PresentedCredentials } from '../../protocol/credentials.js';
import { Refusal } from '../../refusal.js';
import { claimedLoginOf } from '../claimed-login.js';
import type { TokenExchange } from './exchange.dto.js';

const REQUIRED = { dialect: 'patois', scopes: ['patois:introspect'] };

/** Who presents a token, and from where. */
interface Presenter {
  /** Undefined: not known; a token with CIDR blocks is then refused. */
  address: string | undefined;
  claimedLogin: string | undefined;
}

/** The tokens that are presented for an exchange: the value is the credential, whoever sends it. */
@Injectable()
export class SubjectTokens {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly decisions: DecisionService,
  ) {}

  /**
   * The token that is to be exchanged, checked as at every other endpoint.
   *
   * @param scopes of the exchange; the token must cover all of them.
   * @throws {Refusal} invalid, for a token that is not valid here (RFC 8693, 2.2.2), or does not cover a scope;
   *   unauthenticated or forbidden, for a caller who authenticates and is not who may present the tokens of others.
   */
  async admit(form: TokenExchange, scopes: readonly string[], request: FastifyRequest): Promise<CachedToken> {
    const { userAgent, requestId } = request.patois.origin;
    const presenter = await this.presenterOf(form, request);
    const asked = { ...presenter, value: form.subject_token, userAgent, requestId, scopes };
    const decision = await this.decisions.decide(asked);
    if (decision.isActive) return decision.cached;
    throw refusalOf(decision.reason);
  }

  /**
   * Whoever authenticates presents what somebody else has sent, whose address is `client_ip`; everybody else presents what
   * is their own.
   */
  private async presenterOf(form: TokenExchange, request: FastifyRequest): Promise<Presenter> {
    const { owner, origin } = request.patois;
    const { client_ip: clientIp, subject_token: value } = form;
    const credentials = owner.readCredentials(request);
    const isTrusted = !isNone(credentials) && !isToken(credentials, value);
    if (!isTrusted && clientIp === undefined) {
      return { address: origin.address, claimedLogin: claimedLoginOf(credentials.basic, value) };
    }
    // What a stranger says of an address counts for nothing.
    if (!isTrusted) throw new Refusal('unauthenticated', { reason: 'missing' });
    await this.authorizer.authorize({ credentials, origin }, REQUIRED, (caller) => {
      request.patois.caller = caller;
      return false;
    });
    const address = clientIp === undefined ? undefined : parseCallerAddress(clientIp);
    return { address, claimedLogin: undefined };
  }
}

function isNone({ tokens, basic, isMalformed }: PresentedCredentials): boolean {
  return tokens.length === 0 && !basic && !isMalformed;
}

/** Whether the one credential of a request is this value once more. */
function isToken({ tokens, basic, isMalformed }: PresentedCredentials, value: string): boolean {
  const [only, ...others] = tokens;
  return !isMalformed && others.length === 0 && (only ?? basic?.secret) === value;
}

function refusalOf(reason: DenyReason): Refusal {
  if (reason === 'scope') {
    const message = 'The token does not cover all of these scopes';
    return new Refusal('invalid', { reason: 'targetScope', message });
  }
  const why = reason === 'address' ? 'does not allow this address' : 'is not a valid token';
  return new Refusal('invalid', { message: `subject_token ${why}` });
}
