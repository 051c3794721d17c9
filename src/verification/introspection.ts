import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Authenticator } from '../access/authenticator.js';
import { readForm, receiveBody } from '../access/body.js';
import { clientAddress } from '../access/client-address.js';
import { readCredentials } from '../access/credentials.js';
import type { DialectRegistry } from '../access/dialect.js';
import { publicUrlOf } from '../access/public-url.js';
import { refusalOfFault } from '../access/refusal.filter.js';
import { withCommonHeaders } from '../access/request-state.js';
import { after, settle, type Soon } from '../access/soon.js';
import type { Config } from '../config.js';
import { parseCallerAddress } from '../tokens/cidr.js';
import { Refusal } from '../tokens/refusal.js';
import type { Token } from '../tokens/token.entity.js';
import type { Judge } from './judge.js';
import type { Question } from './judgement.js';
import { oauthOwner } from './oauth.owner.js';
import { scopesOf } from './scopes.js';
import { IntrospectionAnswer } from './verification.dto.js';

export const INTROSPECTION_PATH = '/oauth2/introspect';

const NEEDED = 'patois:introspect';
const FIXED_HEADERS = Object.entries({
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
}).flat();
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
  registry: DialectRegistry;
  config: Pick<Config, 'publicUrl' | 'trustedProxies'>;
  logFault: (problem: unknown) => void;
}

/**
 * Token introspection (RFC 7662), as a plain handler of POST: services ask it about every request of theirs. Credential,
 * scope, body, in this order; refusals are those of the path's owner.
 */
export function introspectionHandler(asked: Introspectors): RequestListener {
  return function handle(raw, response): void {
    const requestId = randomUUID();
    const fail = (problem: unknown): void => {
      // Said already: a caller who is refused is not asked for a body.
      if (response.headersSent) return;
      const refusal = problem instanceof Refusal ? problem : refusalOfFault(problem);
      if (refusal.kind === 'internal') asked.logFault(problem);
      refuse(raw, response, refusal);
    };
    let admission: Soon<void>;
    try {
      admission = admit(raw, requestId, asked);
    } catch (problem) {
      fail(problem);
      return;
    }
    if (admission instanceof Promise) admission.catch(fail);
    // Begun before anything is awaited: bytes that come while nobody listens would be lost.
    receiveBody(
      raw,
      (rawBody) =>
        settle(
          () => after(admission, () => introspect(raw, rawBody, asked)),
          (text) => write(response, 200, text, ['x-request-id', requestId]),
          fail,
        ),
      // The connection broke: nobody is left to be answered.
      () => response.destroy(),
    );
  };
}

/** @throws {Refusal} of who may not introspect, now or later. */
function admit(
  raw: IncomingMessage,
  requestId: string,
  { authenticator, registry, config }: Introspectors,
): Soon<void> {
  const request = { raw };
  const address = clientAddress(request, config.trustedProxies);
  const origin = { address, userAgent: raw.headers['user-agent'], requestId };
  return after(authenticator.authenticate(readCredentials(request, { bearer: true }), origin), (caller) => {
    const rules = registry.find('patois')?.scopes;
    if (rules && caller.covers(rules, [NEEDED])) return;
    const message = `The token lacks the scope ${NEEDED}`;
    throw new Refusal('forbidden', { reason: 'scope', message, missing: [NEEDED] });
  });
}

/** The text of the answer; of a token that is not active it does not say why: RFC 7662, section 2.2. */
function introspect(
  raw: IncomingMessage,
  rawBody: Buffer | Refusal,
  { judge, config }: Introspectors,
): Soon<string> {
  const judging = judge.judge(questionOf(raw, rawBody));
  return after(judging, (judgement) => {
    if (!judgement.isActive) return INACTIVE;
    return textOf(judgement.token, raw, config);
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
    scopes: scopesOf(scope),
  };
}

function refuse(raw: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent || response.destroyed) return;
  // What the client is still sending is read and dropped.
  raw.resume();
  const { status, headers, body } = withCommonHeaders(oauthOwner.answer(refusal), refusal);
  write(response, status, JSON.stringify(body), Object.entries(headers).flat());
}

/** @param headers names and values in turn, as Node writes them. */
function write(response: ServerResponse, status: number, text: string, headers: string[]): void {
  const length = String(Buffer.byteLength(text));
  response.writeHead(status, [...FIXED_HEADERS, 'content-length', length, ...headers]).end(text);
}
