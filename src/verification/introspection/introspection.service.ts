import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AuthenticationRequest } from '../../auth/authentication-request.js';
import { Authorizer } from '../../auth/authorizer.js';
import { CONFIG, type Config } from '../../config.js';
import type { Principal } from '../../auth/principal.js';
import type { CachedToken } from '../../decisions/cached-token.js';
import type { Decision, DecisionRequest } from '../../decisions/decision.js';
import { DecisionService } from '../../decisions/decision.service.js';
import { collectBody } from '../../http/body/collect-body.js';
import { readForm } from '../../http/body/read-body.js';
import { refusalOfCrossSite } from '../../http/cross-site.js';
import type { FastPathAnswer } from '../../http/fast-paths.js';
import { publicUrlOf } from '../../http/public-url.js';
import { refusalOfFault, shownFault } from '../../http/refusals/faults.js';
import { renderRefusal } from '../../http/refusals/render-refusal.js';
import { originOf } from '../../http/request-context.js';
import { andThen, type MaybePromise, rescue } from '../../maybe-promise.js';
import { parseCallerAddress } from '../../network/addresses.js';
import { Refusal } from '../../refusal.js';
import { neededScopesOf } from '../needed-scopes.js';
import { OAuthOwner } from '../oauth/oauth.owner.js';
import { IntrospectionJwts, prefersJwt, TOKEN_INTROSPECTION_JWT } from './introspection-jwts.js';
import { IntrospectionAnswer } from './introspection.dto.js';

export const INTROSPECTION_PATH = '/oauth2/introspect';

const REQUIRED = { dialect: 'patois', scopes: ['patois:introspect'] };
const SCOPE_PATH = ['scope'];

/** What is read of the form; other parameters are ignored, and the hint of the kind of token has no effect. */
type Form = Record<'token' | 'client_ip' | 'scope' | 'token_type_hint', string | undefined>;

function isParameter(name: string): name is keyof Form {
  return name === 'token' || name === 'scope' || name === 'client_ip' || name === 'token_type_hint';
}

/** Whether a request is one: what else comes to that path is refused where all refusals are worded. */
export function isIntrospection(method: string, url: string): boolean {
  if (method !== 'POST' || !url.startsWith(INTROSPECTION_PATH)) return false;
  const end =
    url[INTROSPECTION_PATH.length] === '/' ? INTROSPECTION_PATH.length + 1 : INTROSPECTION_PATH.length;
  return end === url.length || url[end] === '?';
}

/**
 * Token introspection (RFC 7662), as a fast path of POST: services ask it about every request of theirs. Credential,
 * scope, body, in this order, as at every route; refusals are those of the path's owner.
 */
@Injectable()
export class IntrospectionService {
  private readonly logger = new Logger(IntrospectionService.name);

  constructor(
    private readonly authorizer: Authorizer,
    private readonly decisions: DecisionService,
    private readonly owner: OAuthOwner,
    private readonly jwts: IntrospectionJwts,
    @Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl' | 'trustedProxies'>,
  ) {}

  answer(raw: IncomingMessage): MaybePromise<FastPathAnswer> {
    const requestId = randomUUID();
    return rescue(
      () => {
        const crossSite = refusalOfCrossSite(raw, this.config);
        if (crossSite) throw crossSite;
        // Authenticates after the body has arrived: a slow body could otherwise outlast its caller's credential.
        return andThen(collectBody(raw), (rawBody) =>
          andThen(this.authorizer.authorize(this.authenticationOf(raw, requestId), REQUIRED), (caller) =>
            this.introspect(raw, rawBody, requestId, caller),
          ),
        );
      },
      (error) => this.refuse(raw, error, requestId),
    );
  }

  private authenticationOf(raw: IncomingMessage, requestId: string): AuthenticationRequest {
    const origin = originOf(raw, requestId, this.config.trustedProxies);
    return { credentials: this.owner.readCredentials({ raw }), origin };
  }

  /** Of a token that is not active the answer does not say why: RFC 7662, section 2.2. */
  private introspect(
    raw: IncomingMessage,
    rawBody: Buffer | Refusal,
    requestId: string,
    caller: Principal,
  ): MaybePromise<FastPathAnswer> {
    return andThen(this.decisions.decide(this.decisionRequestOf(raw, rawBody)), (decision) => {
      if (prefersJwt(raw.headers.accept)) return this.answerByJwt(raw, decision, requestId, caller);
      const text = decision.isActive ? this.textOf(decision.cached, raw) : INACTIVE;
      return answerOf(200, text, requestId);
    });
  }

  /** RFC 9701. */
  private async answerByJwt(
    raw: IncomingMessage,
    decision: Decision,
    requestId: string,
    caller: Principal,
  ): Promise<FastPathAnswer> {
    const issuer = this.issuerOf(raw);
    const token = decision.isActive ? decision.cached.token : undefined;
    const { basic } = this.owner.readCredentials({ raw });
    // How the caller names itself: a client compares it with its own name.
    const audience = basic?.login ?? caller.token?.tokenId ?? caller.user.login;
    const { address } = originOf(raw, requestId, this.config.trustedProxies);
    const text = await this.jwts.sign(new IntrospectionAnswer(token, issuer), issuer, audience, address);
    return answerOf(200, text, requestId, [], TOKEN_INTROSPECTION_JWT);
  }

  private issuerOf({ headers }: IncomingMessage): string {
    return publicUrlOf({ headers, protocol: 'http' }, this.config);
  }

  /** The answer for an active token, kept for the next request with the same Host. */
  private textOf(cached: CachedToken, raw: IncomingMessage): string {
    const { introspection } = cached;
    const { host } = raw.headers;
    if (introspection && introspection.host === host) return introspection.text;
    const text = JSON.stringify(new IntrospectionAnswer(cached.token, this.issuerOf(raw)));
    cached.introspection = { host, text };
    return text;
  }

  /** @throws {Refusal} invalid: a parameter that stands there twice (RFC 6749, section 3.1), or no token. */
  private decisionRequestOf({ headers }: IncomingMessage, rawBody: Buffer | Refusal): DecisionRequest {
    const source = { method: 'POST', contentType: headers['content-type'], owner: this.owner, rawBody };
    const form: Form = {
      token: undefined,
      client_ip: undefined,
      scope: undefined,
      token_type_hint: undefined,
    };
    for (const { name, value } of readForm(source)) {
      if (!isParameter(name)) continue;
      if (form[name] !== undefined) throw Refusal.ofField([name], 'isString', `${name} must be there once`);
      form[name] = value;
    }
    const { token, client_ip: clientIp, scope } = form;
    if (token === undefined) throw Refusal.ofField(['token'], 'isString', 'token must be there once');
    return {
      value: token,
      claimedLogin: undefined,
      address: clientIp === undefined ? undefined : parseCallerAddress(clientIp),
      userAgent: undefined,
      requestId: undefined,
      scopes: neededScopesOf(scope, SCOPE_PATH),
    };
  }

  private refuse(raw: IncomingMessage, error: unknown, requestId: string): FastPathAnswer {
    const refusal = error instanceof Refusal ? error : refusalOfFault(error);
    // A connection that broke is no fault of this server.
    if (refusal.kind === 'internal' && !raw.errored) this.logger.error(shownFault(error), { requestId });
    // What the client is still sending is read and dropped.
    raw.resume();
    const { method = 'POST', url = INTROSPECTION_PATH, headers: sent } = raw;
    const request = { method, url, headers: sent, protocol: 'http', id: requestId };
    const { status, headers, body } = renderRefusal(refusal, this.owner, request);
    return answerOf(status, JSON.stringify(body), requestId, Object.entries(headers).flat());
  }
}

const INACTIVE = JSON.stringify({ active: false });

/** @param more headers, names and values in turn. */
function answerOf(
  status: number,
  text: string,
  requestId: string,
  more: readonly string[] = [],
  mediaType = 'application/json; charset=utf-8',
): FastPathAnswer {
  const headers = [
    'content-type',
    mediaType,
    'cache-control',
    'no-store',
    'x-content-type-options',
    'nosniff',
    'x-request-id',
    requestId,
    'content-length',
    String(Buffer.byteLength(text)),
  ];
  headers.push(...more);
  return { status, headers, text };
}
