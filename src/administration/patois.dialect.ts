import type { FastifyRequest } from 'fastify';
import { readsJson } from '../access/body.js';
import { readCredentials, type Presented } from '../access/credentials.js';
import type { Answer, ApiDescription, Dialect, DialectRegistry, ScopeRules } from '../access/dialect.js';
import { statusOf } from '../access/status.js';
import { withoutSecrets } from '../secrets.js';
import type { Refusal } from '../tokens/refusal.js';
import type { Token } from '../tokens/token.entity.js';

export const PATOIS = 'patois';

/** The scopes of the own API, in the words that its routes ask for. */
export const PATOIS_SCOPES = [
  'patois:tokens.read',
  'patois:tokens.write',
  'patois:users.read',
  'patois:users.write',
  'patois:introspect',
] as const;

/** Standard titles of the statuses this API answers with (RFC 9110). */
const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

const DESCRIPTION: ApiDescription = {
  title: 'Patois',
  description:
    'Accounts, the tokens of every dialect, verification and operations. Errors are problem details (RFC 9457), but for ' +
    '`/oauth2`, whose errors are those of OAuth 2.0 (RFC 6749), and `/v2`, whose errors are those of a registry. Lists are read page by page: `cursor` takes the `nextCursor` ' +
    'of the page before, which is null on the last.',
  credentials: {
    bearer: { type: 'http', scheme: 'bearer', description: 'The value of a token of any dialect.' },
    basic: { type: 'http', scheme: 'basic', description: 'Login and password, or login and a token.' },
  },
  tags: {
    accounts: 'Organizations, locations and users.',
    tokens: 'Tokens of every dialect.',
    verification: 'May this token, from this address, do this?',
    registry: 'Tokens that a Docker registry takes, and the keys that sign them.',
    audit: 'Who changed what, and when.',
    operations: 'Health, metrics and these documents.',
  },
};

/** Patois' own API: every path that no other dialect owns. Errors are RFC 9457 problem details. */
export class PatoisDialect implements Dialect {
  readonly name = PATOIS;
  readonly mounts = ['/'];
  readonly description = DESCRIPTION;
  readonly scopes: ScopeRules;

  /** Whoever asks about a scope asks for each of the hundreds that a token may hold. */
  private lastAsked: { scope: string; rules: ScopeRules[] } | undefined;

  constructor(private readonly registry: DialectRegistry) {
    this.scopes = {
      // A token of the own API may act in any dialect for which it holds a scope, in that dialect's words.
      isKnown: (scope) =>
        ['*', 'patois:*', ...PATOIS_SCOPES].includes(scope) ||
        registry.all().some(({ name, scopes }) => name !== PATOIS && scopes.isKnown(scope)),
      covers: (held, needed) => {
        if (needed.startsWith('patois:')) return held === 'patois:*';
        return this.rulesKnowing(needed).some((rules) => rules.covers(held, needed));
      },
    };
  }

  /** The rules of the other dialects that know a scope. */
  private rulesKnowing(scope: string): ScopeRules[] {
    if (this.lastAsked?.scope !== scope) {
      const known = this.registry
        .all()
        .filter(({ name, scopes }) => name !== PATOIS && scopes.isKnown(scope));
      this.lastAsked = { scope, rules: known.map(({ scopes }) => scopes) };
    }
    return this.lastAsked.rules;
  }

  presented(request: FastifyRequest): Presented {
    return readCredentials(request, { bearer: true });
  }

  /** A page can send a body without a content type, unasked, as no program does. */
  readsMediaType(mediaType: string | undefined, isEmpty: boolean): boolean {
    return isEmpty || (mediaType !== undefined && readsJson(mediaType));
  }

  answer(refusal: Refusal, _request: FastifyRequest): Answer {
    const status = statusOf(refusal);
    const errors = refusal.fields.map(({ path, message }) => ({
      pointer: withoutSecrets(pointerOf(path)),
      detail: withoutSecrets(message),
    }));
    return {
      status,
      headers: { 'content-type': 'application/problem+json' },
      body: {
        type: 'about:blank',
        title: TITLES[status] ?? 'Error',
        status,
        // What a client put in the wrong place may be a token.
        detail: withoutSecrets(detailOf(refusal)),
        ...(errors.length > 0 ? { errors } : {}),
      },
    };
  }

  externalId(token: Token): string {
    return token.tokenId;
  }
}

function detailOf(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'unauthenticated':
      return 'A valid token or login and password is needed';
    case 'internal':
      return 'The server failed; its log says why';
    case 'unavailable':
      // Only who checks readiness says more than the kind of refusal.
      return refusal.message === refusal.kind ? 'The database does not answer; try again' : refusal.message;
    default:
      return refusal.message;
  }
}

/** RFC 6901. */
function pointerOf(path: string[]): string {
  return path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
