import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Authenticator } from '../access/authenticator.js';
import { collectBody, readBody } from '../access/body.js';
import { clientAddress } from '../access/client-address.js';
import { readCredentials } from '../access/credentials.js';
import type { DialectRegistry } from '../access/dialect.js';
import { publicUrlOf } from '../access/public-url.js';
import { refusalOfFault } from '../access/refusal.filter.js';
import { withCommonHeaders } from '../access/request-state.js';
import type { Config } from '../config.js';
import { parseCallerAddress } from '../tokens/cidr.js';
import { Refusal } from '../tokens/refusal.js';
import type { Token } from '../tokens/token.entity.js';
import type { Judge } from './judge.js';
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
const PARAMETERS = ['token', 'token_type_hint', 'client_ip', 'scope'] as const;

/** The form of an introspection, each parameter at most once. */
type Form = { token: string } & Partial<Record<(typeof PARAMETERS)[number], string>>;

/** Whether a request is one: what else comes to that path is refused where all refusals are worded. */
export function isIntrospection(method: string, url: string): boolean {
  return (
    method === 'POST' &&
    url.startsWith(INTROSPECTION_PATH) &&
    /^\/?(\?|$)/.test(url.slice(INTROSPECTION_PATH.length))
  );
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
  return (raw, response) => {
    introspect(raw, response, asked).catch((problem: unknown) => {
      const refusal = problem instanceof Refusal ? problem : refusalOfFault(problem);
      if (refusal.kind === 'internal') asked.logFault(problem);
      refuse(raw, response, refusal);
    });
  };
}

async function introspect(
  raw: IncomingMessage,
  response: ServerResponse,
  asked: Introspectors,
): Promise<void> {
  const { authenticator, judge, registry, config } = asked;
  // Begun before anything is awaited: bytes that come while nobody listens would be lost.
  const collecting = collectBody(raw);
  // Where a refusal comes first, nobody waits for the body: that it breaks off then is no fault.
  collecting.catch(() => {});
  const request = { raw, headers: raw.headers, protocol: 'http' as const };
  const origin = {
    address: clientAddress(request, config.trustedProxies),
    userAgent: raw.headers['user-agent'],
    requestId: randomUUID(),
  };
  const caller = await authenticator.authenticate(readCredentials(request, { bearer: true }), origin);
  const rules = registry.find('patois')?.scopes;
  if (!rules || !caller.covers(rules, [NEEDED])) {
    const message = `The token lacks the scope ${NEEDED}`;
    throw new Refusal('forbidden', { reason: 'scope', message, missing: [NEEDED] });
  }
  const form = readForm(raw, await collecting);
  const judging = judge.judge({
    value: form.token,
    address: form.client_ip === undefined ? undefined : parseCallerAddress(form.client_ip),
    scopes: scopesOf(form.scope),
  });
  const judgement = judging instanceof Promise ? await judging : judging;
  // Why not is nobody's business: RFC 7662, section 2.2.
  const text = judgement.isActive ? textOf(judgement.token, publicUrlOf(request, config)) : INACTIVE;
  write(response, 200, text, ['x-request-id', origin.requestId]);
}

const INACTIVE = JSON.stringify({ active: false });

/** What was said of a token, for as long as the token is remembered, and under which address. */
const texts = new WeakMap<Token, { issuer: string; text: string }>();

function textOf(token: Token, issuer: string): string {
  const said = texts.get(token);
  if (said?.issuer === issuer) return said.text;
  const text = JSON.stringify(new IntrospectionAnswer(token, issuer));
  texts.set(token, { issuer, text });
  return text;
}

function readForm({ headers }: IncomingMessage, rawBody: Buffer | Refusal): Form {
  const contentType = headers['content-type'];
  const body = readBody({ method: 'POST', contentType, owner: oauthOwner, rawBody }) ?? {};
  const form = body as Record<string, unknown>;
  for (const name of PARAMETERS) {
    // RFC 6749, section 3.1: parameters must not be included more than once.
    const isGood = typeof form[name] === 'string' || (form[name] === undefined && name !== 'token');
    if (!isGood)
      throw Refusal.ofField(
        [name],
        'isString',
        `${name} must be there ${name === 'token' ? '' : 'at most '}once`,
      );
  }
  return form as Form;
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
