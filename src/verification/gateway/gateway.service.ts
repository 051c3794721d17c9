import { Inject, Injectable, Logger } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { presentedCredentials } from '../../auth/credentials.js';
import { CONFIG, type Config } from '../../config.js';
import { isDatabaseUnavailable } from '../../database/errors.js';
import type { CachedToken } from '../../decisions/cached-token.js';
import type { Decision, DecisionRequest } from '../../decisions/decision.js';
import { DecisionService } from '../../decisions/decision.service.js';
import { clientAddress } from '../../http/client-address.js';
import type { FastPathAnswer } from '../../http/fast-paths.js';
import { headerLines } from '../../http/header-lines.js';
import { shownFault } from '../../http/refusals/faults.js';
import { isGoodText } from '../../http/validation/text.js';
import { andThen, rescue, type MaybePromise } from '../../maybe-promise.js';
import type { WithRaw } from '../../protocol/dialect.js';
import { Refusal } from '../../refusal.js';
import type { Token } from '../../tokens/token.entity.js';
import { claimedLoginOf } from '../claimed-login.js';
import { scopesOf } from '../needed-scopes.js';

const TOKEN_HEADERS = ['x-api-key', 'x-yunxiao-token'];
const NEEDED_SCOPE_HEADER = 'x-patois-required-scope';
/** Beyond this a header could be more than a gateway passes on. */
const MAX_SCOPE_BYTES = 2048;

const NOTHING: readonly string[] = [];
const SCOPE_PARAMETER = 'scope=';
/** Node joins header lines by commas: an empty line, or anything but printable ASCII, cannot be parsed. */
const UNREADABLE = /[^\x20-\x7e]|^ *(,|$)|, *(,|$)/;

/** The path that gateways ask; below it Envoy appends the path and query of its client. */
export const GATEWAY_PATH = '/verify';

/** Whether a URL is that path, or below it. */
export function isForGateway(_method: string, url: string): boolean {
  const next = url[GATEWAY_PATH.length];
  return url.startsWith(GATEWAY_PATH) && (next === undefined || next === '?' || next === '/');
}

/**
 * Answers gateways, as a fast path: no other endpoint is called as often. 204 with the identity of the bearer; 401 and
 * 403 with an RFC 6750 challenge; 400 when the required scopes cannot be parsed; 503 when the database does not answer.
 */
@Injectable()
export class GatewayService {
  private readonly logger = new Logger(GatewayService.name);

  constructor(
    private readonly decisions: DecisionService,
    @Inject(CONFIG) private readonly config: Pick<Config, 'trustedProxies'>,
  ) {}

  answer(raw: IncomingMessage): MaybePromise<FastPathAnswer> {
    const scopes = neededScopes({ raw });
    if (!scopes) return unreadableNeed();
    const request = this.decisionRequestOf({ raw }, scopes);
    if (typeof request === 'string') return challenge(request);
    return rescue(
      () => andThen(this.decisions.decide(request), (decision) => answerTo(request, decision)),
      (error) => {
        const isRefused = error instanceof Refusal;
        if (!isRefused && !isDatabaseUnavailable(error)) this.logger.error(shownFault(error));
        return refusal(503, 'retry-after', '1');
      },
    );
  }

  /** The decision request; or, if not exactly one token is presented, the challenge to answer with. */
  private decisionRequestOf(
    request: WithRaw,
    scopes: readonly string[],
  ): DecisionRequest | 'none' | 'invalid' {
    const presented = presentedCredentials(request, { bearer: true, tokenHeaders: TOKEN_HEADERS });
    const { tokens, basic, isMalformed } = presented;
    const [value] = tokens;
    if (tokens.length > 1 || isMalformed) return 'invalid';
    // Of a secret that is none of our tokens most are passwords: where values were imported, it may be one of those.
    const secret =
      value === undefined && basic && this.decisions.mayBeImported(basic.secret) ? basic.secret : undefined;
    const presentedValue = value ?? secret;
    if (presentedValue !== undefined) {
      const asked: DecisionRequest = {
        value: presentedValue,
        claimedLogin: claimedLoginOf(basic, presentedValue),
        address: clientAddress(request, this.config.trustedProxies),
        userAgent: request.raw.headers['user-agent'],
        requestId: undefined,
        scopes,
      };
      if (secret !== undefined) asked.basicSecret = 'noPassword';
      return asked;
    }
    // A user's password is no token, and neither is a credential of another scheme.
    return headerLines(request, 'authorization').length > 0 ? 'invalid' : 'none';
  }
}

/**
 * The scopes that the gateway requires, from a header or, on exactly the configured path, from the query. Undefined if
 * they cannot be parsed, which is different from none.
 */
function neededScopes(request: WithRaw): readonly string[] | undefined {
  const byHeader = scopesOfHeader(request);
  const { url = '' } = request.raw;
  if (url.length === GATEWAY_PATH.length || !byHeader) return byHeader;
  const end = url.indexOf('?');
  if (end < 0 || !isPathItself(url.slice(0, end))) return byHeader;
  const byQuery = scopesOfQuery(url.slice(end + 1));
  return byQuery && [...byHeader, ...byQuery];
}

/** Whether a path is the configured one, without a part that a gateway's client has chosen. */
function isPathItself(path: string): boolean {
  return path.slice(GATEWAY_PATH.length).replaceAll('/', '') === '';
}

function scopesOfHeader(request: WithRaw): readonly string[] | undefined {
  const text = request.raw.headers[NEEDED_SCOPE_HEADER];
  if (text === undefined) return NOTHING;
  if (UNREADABLE.test(String(text))) return undefined;
  return headerLines(request, NEEDED_SCOPE_HEADER).flatMap(scopesOf);
}

/** @param query what stands behind the question mark: nothing but `scope`, each time with words. */
function scopesOfQuery(query: string): readonly string[] | undefined {
  const scopes: string[] = [];
  for (const pair of query.split('&')) {
    const text = pair.startsWith(SCOPE_PARAMETER) ? decoded(pair.slice(SCOPE_PARAMETER.length)) : undefined;
    const words = scopesOf(text);
    if (words.length === 0) return undefined;
    scopes.push(...words);
  }
  return scopes;
}

/** The text of a parameter as forms write it; undefined where it is none. */
function decoded(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text.replaceAll('+', ' '));
    return isGoodText(plain) ? plain : undefined;
  } catch {
    return undefined;
  }
}

function answerTo({ scopes }: DecisionRequest, decision: Decision): FastPathAnswer {
  if (decision.isActive) return { status: 204, headers: identityOf(decision.cached) };
  if (decision.reason === 'address') return refusal(403);
  if (decision.reason === 'scope') {
    const needed = scopes.map(headerText).join(' ').replaceAll('"', '%22');
    return refusal(
      403,
      'www-authenticate',
      `Bearer realm="Patois", error="insufficient_scope", scope="${needed}"`,
    );
  }
  return challenge('invalid');
}

/** RFC 6750, section 3: who presented nothing is told no error. */
function challenge(why: 'none' | 'invalid'): FastPathAnswer {
  const error = why === 'none' ? '' : ', error="invalid_token", error_description="The token is not valid"';
  return refusal(401, 'www-authenticate', `Bearer realm="Patois"${error}`);
}

/** The gateway is misconfigured: no request is allowed. */
function unreadableNeed(): FastPathAnswer {
  const words = 'error="invalid_request", error_description="The needed scope cannot be read"';
  return refusal(400, 'www-authenticate', `Bearer realm="Patois", ${words}`);
}

/** An answer without a body: gateways read the status and pass on a header. */
function refusal(status: number, ...header: string[]): FastPathAnswer {
  return { status, headers: ['content-length', '0', ...header] };
}

/** The identity headers for the service behind the gateway: names and values, alternating, as Node writes them. */
function identityOf(cached: CachedToken): string[] {
  return (cached.identityHeaders ??= makeIdentity(cached.token));
}

function makeIdentity(token: Token): string[] {
  const scopes = headerText(token.scopes.join(' '));
  const isTooLong = scopes.length > MAX_SCOPE_BYTES;
  return Object.entries({
    'x-patois-user': headerText(token.owner.login),
    'x-patois-user-id': token.owner.id,
    'x-patois-organization': headerText(token.owner.organization.name),
    'x-patois-token-id': token.tokenId,
    'x-patois-dialect': token.dialect,
    ...(isTooLong ? { 'x-patois-scopes-truncated': 'true' } : { 'x-patois-scopes': scopes }),
  }).flat();
}

/** A header value: what is not printable ASCII is percent-encoded, and so is the percent sign itself. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/g, (part) =>
    [...Buffer.from(part, 'utf8')]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
