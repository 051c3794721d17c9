import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Authenticator } from '../access/authenticator.js';
import { collectBody, readForm } from '../access/body.js';
import { clientAddress } from '../access/client-address.js';
import { readCredentials } from '../access/credentials.js';
import { refusalOfCrossSite } from '../access/cross-site.js';
import type { DirectAnswer, DirectHandler } from '../access/direct.js';
import { publicUrlOf } from '../access/public-url.js';
import { refusalOfFault } from '../access/refusal.filter.js';
import { withCommonHeaders } from '../access/request-state.js';
import { after, rescue, type Soon } from '../access/soon.js';
import type { Config } from '../config.js';
import { lacksScope } from '../tokens/authority/admission.js';
import { parseCallerAddress } from '../tokens/cidr.js';
import { Refusal } from '../tokens/refusal.js';
import type { Token } from '../tokens/token.entity.js';
import type { Judge } from './judge.js';
import type { Question } from './judgement.js';
import { oauthOwner } from './oauth.owner.js';
import { neededScopesOf } from './scopes.js';
import { IntrospectionAnswer } from './verification.dto.js';

export const INTROSPECTION_PATH = '/oauth2/introspect';

const NEEDED = ['patois:introspect'];
/** What is read of the form; the rest, a hint of the kind of token too, does not matter. */
const PARAMETERS = ['token', 'client_ip', 'scope', 'token_type_hint'];

/** Whether a request is one: what else comes to that path is refused where all refusals are worded. */
export function isIntrospection(method: string, url: string): boolean {
  if (method !== 'POST' || !url.startsWith(INTROSPECTION_PATH)) return false;
  const end =
    url[INTROSPECTION_PATH.length] === '/' ? INTROSPECTION_PATH.length + 1 : INTROSPECTION_PATH.length;
  return end === url.length || url[end] === '?';
}

/** Whom introspection asks. */
export interface Introspectors {
  authenticator: Authenticator;
  judge: Judge;
  config: Pick<Config, 'publicUrl' | 'trustedProxies'>;
  logFault: (problem: unknown) => void;
}

/**
 * Token introspection (RFC 7662), as a plain handler of POST: services ask it about every request of theirs. Credential,
 * scope, body, in this order; refusals are those of the path's owner.
 */
export function introspectionHandler(asked: Introspectors): DirectHandler {
  return function handle(raw): Soon<DirectAnswer> {
    const requestId = randomUUID();
    return rescue(
      () => {
        const crossSite = refusalOfCrossSite(raw, asked.config);
        if (crossSite) throw crossSite;
        // Who asks is looked at when all has come: a body may be held back until its caller is let in no more.
        return after(collectBody(raw), (rawBody) =>
          after(admit(raw, requestId, asked), () => introspect(raw, rawBody, requestId, asked)),
        );
      },
      (problem) => {
        const refusal = problem instanceof Refusal ? problem : refusalOfFault(problem);
        // A connection that broke is no fault of this server.
        if (refusal.kind === 'internal' && !raw.errored) asked.logFault(problem);
        // What the client is still sending is read and dropped.
        raw.resume();
        const { status, headers, body } = withCommonHeaders(oauthOwner.answer(refusal), refusal);
        return answerOf(status, JSON.stringify(body), requestId, Object.entries(headers).flat());
      },
    );
  };
}

/** @throws {Refusal} of who may not introspect, now or later. */
function admit(
  raw: IncomingMessage,
  requestId: string,
  { authenticator, config }: Introspectors,
): Soon<void> {
  const request = { raw };
  const address = clientAddress(request, config.trustedProxies);
  const origin = { address, userAgent: raw.headers['user-agent'], requestId };
  return after(authenticator.authenticate(readCredentials(request, { bearer: true }), origin), (caller) => {
    if (!caller.covers('patois', NEEDED)) throw lacksScope(NEEDED);
  });
}

/** Of a token that is not active the answer does not say why: RFC 7662, section 2.2. */
function introspect(
  raw: IncomingMessage,
  rawBody: Buffer | Refusal,
  requestId: string,
  { judge, config }: Introspectors,
): Soon<DirectAnswer> {
  return after(judge.judge(questionOf(raw, rawBody)), (judgement) => {
    const text = judgement.isActive ? textOf(judgement.token, raw, config) : INACTIVE;
    return answerOf(200, text, requestId);
  });
}

const INACTIVE = JSON.stringify({ active: false });

/** What is said of a token, noted for the next time: it depends on the address that the caller knows this server by. */
function textOf(token: Token, { headers }: IncomingMessage, config: Pick<Config, 'publicUrl'>): string {
  const { introspection } = token.notes;
  if (introspection && introspection.host === headers.host) return introspection.text;
  const issuer = publicUrlOf({ headers, protocol: 'http' }, config);
  const text = JSON.stringify(new IntrospectionAnswer(token, issuer));
  token.notes.introspection = { host: headers.host, text };
  return text;
}

declare module '../tokens/token.entity.js' {
  interface TokenNotes {
    introspection?: { host: string | undefined; text: string };
  }
}

/** @throws {Refusal} invalid: a parameter that stands there twice (RFC 6749, section 3.1), or no token. */
function questionOf({ headers }: IncomingMessage, rawBody: Buffer | Refusal): Question {
  const values: (string | undefined)[] = PARAMETERS.map(() => undefined);
  const source = { method: 'POST', contentType: headers['content-type'], owner: oauthOwner, rawBody };
  for (const { name, value } of readForm(source)) {
    const at = PARAMETERS.indexOf(name);
    if (at < 0) continue;
    if (values[at] !== undefined) throw Refusal.ofField([name], 'isString', `${name} must be there once`);
    values[at] = value;
  }
  const [token, clientIp, scope] = values;
  if (token === undefined) throw Refusal.ofField(['token'], 'isString', 'token must be there once');
  return {
    value: token,
    address: clientIp === undefined ? undefined : parseCallerAddress(clientIp),
    scopes: neededScopesOf(scope, ['scope']),
  };
}

/** @param more headers, names and values in turn. */
function answerOf(
  status: number,
  text: string,
  requestId: string,
  more: readonly string[] = [],
): DirectAnswer {
  const headers = [
    'content-type',
    'application/json; charset=utf-8',
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
