import { Inject, Injectable } from '@nestjs/common';
import { presentedCredentials } from '../auth/credentials.js';
import { presentedSession } from '../auth/sessions/session-cookie.js';
import { CONFIG, type Config } from '../config.js';
import { readsJson } from '../http/body/read-body.js';
import { statusOf } from '../http/refusals/status.js';
import type { PresentedCredentials } from '../protocol/credentials.js';
import { DialectRegistry } from '../protocol/dialect-registry.js';
import type { WithRaw } from '../protocol/dialect.js';
import type {
  ApiDescription,
  Dialect,
  RefusedRequest,
  RenderedRefusal,
  ScopeRules,
} from '../protocol/dialect.js';
import type { Refusal, RefusalReason } from '../refusal.js';
import { withoutSecrets } from '../secrets.js';
import type { Token } from '../tokens/token.entity.js';
import { PATOIS, patoisScopes } from './patois.scopes.js';

/** Standard titles of the statuses this API answers with (RFC 9110). */
const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

const DESCRIPTION: ApiDescription = {
  title: 'Patois',
  description:
    'Accounts, the tokens of every dialect, verification and operations. Errors are problem details (RFC 9457), except for ' +
    '`/oauth2`, whose errors are those of OAuth 2.0 (RFC 6749), `/v2`, whose errors are those of a registry, and `/scim/v2`, whose errors and lists are those of SCIM 2.0 (RFC 7644). Lists are paginated: `cursor` takes the `nextCursor` ' +
    'of the previous page, which is null on the last page.',
  credentials: {
    bearer: { type: 'http', scheme: 'bearer', description: 'The value of a token of any dialect.' },
    basic: { type: 'http', scheme: 'basic', description: 'Login and password, or login and a token.' },
    session: {
      type: 'apiKey',
      in: 'cookie',
      name: '__Host-patois_session',
      description:
        'The cookie of `createSession` (`patois_session` where the server is reached without TLS), below `/patois/v1` alone and ' +
        'beside `X-Requested-With`, without which no request counts as signed in. Any `Authorization` takes precedence.',
    },
  },
  tags: {
    accounts: 'Organizations, locations and users.',
    provisioning: 'Users and groups as an identity provider keeps them: SCIM 2.0.',
    sessions: 'Sign-ins of browsers.',
    tokens: 'Tokens of every dialect.',
    imports: 'Tokens that other systems have issued, brought along by the hashes of their values.',
    policies: 'What an organization wants of the tokens of its users.',
    verification: 'May this token, from this address, do this?',
    registry: 'Tokens that a Docker registry takes, and the keys that sign them.',
    notices: 'Who is told of what happens to tokens and policies, and whether it arrived.',
    audit: 'Who changed what, and when.',
    jobs: 'Long work: how far it is, what came of it, and its end on request.',
    leaks: 'Values of tokens that were found where they should not be.',
    operations: 'Health, metrics and these documents.',
  },
};

/** Where a session of a browser counts: neither at the doors of verification nor in another API. */
const SESSION_PATHS = '/patois/v1/';

/**
 * For the scripts of a page, which say that they are with `X-Requested-With`: at Basic a browser would ask for a password by
 * a prompt of its own, over the page.
 */
const NO_PROMPT = 'Bearer realm="Patois"';

/** What is understood, and not done: by a policy, or as the draft of Idempotency-Key has it. */
const UNPROCESSABLE = new Set<RefusalReason | undefined>(['policy', 'idempotencyKeyReused']);

/** Patois' own API: every path that no other dialect owns. Errors are RFC 9457 problem details. */
@Injectable()
export class PatoisDialect implements Dialect {
  readonly name = PATOIS;
  readonly mounts = ['/'];
  readonly description = DESCRIPTION;
  readonly scopes: ScopeRules;

  constructor(
    registry: DialectRegistry,
    @Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl' | 'trustedProxies'>,
  ) {
    this.scopes = patoisScopes(registry);
  }

  readCredentials(request: WithRaw): PresentedCredentials {
    const presented = presentedCredentials(request, { bearer: true });
    const { url = '', headers } = request.raw;
    // Whatever else is said of who calls takes precedence, also where it cannot be read.
    if (!url.startsWith(SESSION_PATHS) || headers.authorization !== undefined) return presented;
    const cookie = presentedSession(request, this.config);
    return cookie ? { ...presented, cookie } : presented;
  }

  /** A page can send a body without a content type, unasked, as no program does. */
  readsMediaType(mediaType: string | undefined, isEmpty: boolean): boolean {
    return isEmpty || (mediaType !== undefined && readsJson(mediaType));
  }

  renderRefusal(refusal: Refusal, { headers }: Pick<RefusedRequest, 'headers'>): RenderedRefusal {
    const status = UNPROCESSABLE.has(refusal.reason) ? 422 : statusOf(refusal);
    const errors = complaintsOf(refusal);
    return {
      status,
      headers: {
        'content-type': 'application/problem+json',
        ...(status === 401 && headers['x-requested-with'] ? { 'www-authenticate': NO_PROMPT } : {}),
      },
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

/** What is wrong with the parts of the input, as answers name it. */
export function complaintsOf(refusal: Refusal): { pointer: string; detail: string }[] {
  return refusal.fields.map(({ path, message }) => ({
    pointer: withoutSecrets(pointerOf(path)),
    detail: withoutSecrets(message),
  }));
}

function detailOf(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'unauthenticated':
      return refusal.reason === 'session'
        ? 'The session has ended; sign in again'
        : 'A valid token or login and password is needed';
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
