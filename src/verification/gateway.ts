import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import { headerLines, readCredentials } from '../access/credentials.js';
import { isDatabaseUnavailable } from '../database/database.js';
import { isGoodText } from '../access/body.js';
import type { Token } from '../tokens/token.entity.js';
import { claimedLoginOf, isOwnedBy } from './claimed-login.js';
import type { Judge, Judgement } from './judge.js';
import { scopesOf } from './scopes.js';

const TOKEN_HEADERS = ['x-api-key', 'x-yunxiao-token'];
const NEEDED_SCOPE_HEADER = 'x-patois-required-scope';
/** Beyond this a header could be more than a gateway passes on. */
const MOST_SCOPE_BYTES = 2048;

/** The paths that gateways ask; below the second Envoy appends the path and query of its client. */
export const GATEWAY_PATH = '/verify';
export const GATEWAY_PATH_BELOW = '/verify/*';

/**
 * The door for gateways, as a plain handler: of all doors it is asked most often. 204 with who it is; 401, 403 with an
 * RFC 6750 challenge; 503 when it cannot tell.
 */
export function gatewayHandler(judge: Judge, logFault: (problem: unknown) => void): RouteHandlerMethod {
  return function handle(request: FastifyRequest, reply: FastifyReply): FastifyReply | Promise<FastifyReply> {
    const presented = presentedTo(request);
    if (typeof presented === 'string') return challenge(reply, presented);
    const { value, claimedLogin } = presented;
    const scopes = neededScopes(request);
    const { address, userAgent } = request.patois.origin;
    const judgement = judge.judge({ value, address, userAgent, scopes });
    if (!(judgement instanceof Promise)) return answer(reply, judgement, claimedLogin, scopes);
    return judgement.then(
      (late) => answer(reply, late, claimedLogin, scopes),
      (problem: unknown) => {
        if (!isDatabaseUnavailable(problem)) logFault(problem);
        return reply.code(503).header('retry-after', '1').send();
      },
    );
  };
}

/** The one token of the request, and the login it is claimed for; or what to say instead. */
function presentedTo(
  request: FastifyRequest,
): { value: string; claimedLogin: string | undefined } | 'none' | 'invalid' {
  const { authorization } = request.headers;
  const { tokens, basic, isMalformed } = readCredentials(request, {
    bearer: true,
    tokenHeaders: TOKEN_HEADERS,
  });
  const [value] = tokens;
  if (tokens.length > 1 || isMalformed) return 'invalid';
  // The password of an account is no token.
  if (value === undefined) return basic || authorization ? 'invalid' : 'none';
  return { value, claimedLogin: claimedLoginOf(basic, value) };
}

/** What the gateway says is needed: a header, or, on the very path that a gateway is configured with, the query. */
function neededScopes(request: FastifyRequest): string[] {
  const ofHeader = request.headers[NEEDED_SCOPE_HEADER];
  const scopes = ofHeader === undefined ? [] : headerLines(request, NEEDED_SCOPE_HEADER).flatMap(scopesOf);
  if (request.routeOptions.url !== GATEWAY_PATH) return scopes;
  const { scope } = request.query as { scope?: string | string[] };
  if (scope === undefined) return scopes;
  return [...scopes, ...[scope].flat().filter(isGoodText).flatMap(scopesOf)];
}

function answer(
  reply: FastifyReply,
  judgement: Judgement,
  claimedLogin: string | undefined,
  scopes: readonly string[],
): FastifyReply {
  const { token } = judgement;
  if (!isOwnedBy(token, claimedLogin)) return challenge(reply, 'invalid');
  if (judgement.isActive) return reply.code(204).headers(identityOf(judgement.token)).send();
  if (judgement.reason === 'address') return reply.code(403).send();
  if (judgement.reason === 'scope') {
    const needed = scopes.map(headerText).join(' ').replaceAll('"', '%22');
    const error = `Bearer realm="Patois", error="insufficient_scope", scope="${needed}"`;
    return reply.code(403).header('www-authenticate', error).send();
  }
  return challenge(reply, 'invalid');
}

/** RFC 6750, section 3: who presented nothing is told no error. */
function challenge(reply: FastifyReply, why: 'none' | 'invalid'): FastifyReply {
  const error = why === 'none' ? '' : ', error="invalid_token", error_description="The token is not valid"';
  return reply.code(401).header('www-authenticate', `Bearer realm="Patois"${error}`).send();
}

/** Who the bearer is, for the service behind the gateway. Remembered with the token, for as long as that is. */
const identities = new WeakMap<Token, Record<string, string>>();

function identityOf(token: Token): Record<string, string> {
  let identity = identities.get(token);
  if (!identity) {
    identity = makeIdentity(token);
    identities.set(token, identity);
  }
  return identity;
}

function makeIdentity(token: Token): Record<string, string> {
  const scopes = headerText(token.scopes.join(' '));
  return {
    'x-patois-user': headerText(token.owner.login),
    'x-patois-user-id': token.ownerId,
    'x-patois-organization': headerText(token.owner.organization.name),
    'x-patois-token-id': token.tokenId,
    'x-patois-dialect': token.dialect,
    ...(scopes.length > MOST_SCOPE_BYTES
      ? { 'x-patois-scopes-truncated': 'true' }
      : { 'x-patois-scopes': scopes }),
  };
}

/** A header value: what is not printable ASCII is percent-encoded, and so is the percent sign itself. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/g, (part) =>
    [...Buffer.from(part, 'utf8')]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
