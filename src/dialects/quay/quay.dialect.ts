import { Inject, Injectable } from '@nestjs/common';
import { presentedCredentials } from '../../auth/credentials.js';
import { CONFIG, type Config } from '../../config.js';
import { readsJson } from '../../http/body/read-body.js';
import { headerLines } from '../../http/header-lines.js';
import { publicUrlOf } from '../../http/public-url.js';
import { statusOf } from '../../http/refusals/status.js';
import type { PresentedCredentials } from '../../protocol/credentials.js';
import type {
  ApiDescription,
  Dialect,
  RefusedRequest,
  RenderedRefusal,
  WithRaw,
} from '../../protocol/dialect.js';
import type { Refusal } from '../../refusal.js';
import { withoutSecrets } from '../../secrets.js';
import type { Token } from '../../tokens/token.entity.js';
import { SCOPE_RULES } from './quay.scopes.js';
import { QuaySessions } from './quay.sessions.js';

export const QUAY = 'quay';

/** Every `error_type`, with what its page says. */
export const ERROR_DESCRIPTIONS = {
  invalid_token: 'The credentials are missing, unknown, expired or revoked.',
  insufficient_scope:
    'The credentials are valid, but lack the scope of this operation or may not be used from this address.',
  not_found: 'There is no such resource, or the caller cannot see it.',
  invalid_request: 'The request or its body is malformed, or breaks a rule of the operation.',
  method_not_allowed: 'The path does not have this method; the Allow header lists those it has.',
  payload_too_large: 'The body is larger than this server reads.',
  unsupported_media_type: 'The content type of the body is not application/json.',
  too_many_requests: 'Too many failed logins; the Retry-After header says when to try again.',
  internal_error: 'The server failed; its log says why.',
  unavailable: 'The server cannot answer now; try again.',
} as const;
export type ErrorType = keyof typeof ERROR_DESCRIPTIONS;

/** Where the path of a page about an error begins. */
const ERROR_PAGES = '/api/v1/error/';

const DESCRIPTION: ApiDescription = {
  title: 'Patois in the words of Quay',
  description:
    'App-specific tokens of the current user, for tools that cannot log in as people do. Dates are RFC 2822. Other statuses ' +
    '(405, 413, 429, 500, 503) carry the same body as those that are listed.',
  credentials: {
    bearer: { type: 'http', scheme: 'bearer', description: 'The value of a token.' },
    basic: { type: 'http', scheme: 'basic', description: 'Login and password, for a first token.' },
  },
  tags: {
    appspecifictokens: 'Manages app specific tokens for the current user.',
    discovery: 'Describes this API and its errors, to anybody.',
    session: 'Login and password once, for clients that then show a cookie and a CSRF token.',
  },
};

/** Quay's app-specific tokens of the current user. */
@Injectable()
export class QuayDialect implements Dialect {
  readonly name = QUAY;
  readonly mounts = ['/api/v1', '/csrf_token'];
  readonly description = DESCRIPTION;
  readonly scopes = SCOPE_RULES;

  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl'>,
    private readonly sessions: QuaySessions,
  ) {}

  /**
   * `Bearer`, or a login and password for a first token, or, where the request has no `Authorization` at all, a cookie
   * with the CSRF token that it is bound to. The query string does not count.
   */
  readCredentials(request: WithRaw): PresentedCredentials {
    const presented = presentedCredentials(request, { bearer: true });
    if (headerLines(request, 'authorization').length > 0) return presented;
    const session = this.sessions.read(request)?.login;
    return session ? { ...presented, session } : presented;
  }

  renderRefusal(refusal: Refusal, request: RefusedRequest): RenderedRefusal {
    const status = statusOf(refusal);
    const type = errorTypeOf(status);
    // A part of the body may be repeated in it, and people paste tokens everywhere.
    const detail = withoutSecrets(detailOf(refusal));
    return {
      status,
      body: {
        detail,
        error_message: detail,
        error_type: type,
        title: type,
        type: errorPage(this.config, request, type),
        status,
      },
    };
  }

  externalId(token: Token): string {
    return token.id;
  }

  /** Unlike elsewhere, a body without a content type is not read. */
  readsMediaType(mediaType: string | undefined, isEmpty: boolean): boolean {
    return isEmpty || (mediaType !== undefined && readsJson(mediaType));
  }
}

/** The address of the page about a kind of error. */
export function errorPage(
  config: Pick<Config, 'publicUrl'>,
  request: Pick<RefusedRequest, 'headers' | 'protocol'>,
  type: ErrorType,
): string {
  return publicUrlOf(request, config) + ERROR_PAGES + type;
}

export function isErrorType(type: string): type is ErrorType {
  return Object.hasOwn(ERROR_DESCRIPTIONS, type);
}

const ERROR_TYPES: Record<number, ErrorType> = {
  400: 'invalid_request',
  401: 'invalid_token',
  403: 'insufficient_scope',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'invalid_request',
  409: 'invalid_request',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'too_many_requests',
  431: 'invalid_request',
  503: 'unavailable',
};

function errorTypeOf(status: number): ErrorType {
  return ERROR_TYPES[status] ?? 'internal_error';
}

function detailOf(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'unauthenticated':
      return 'Requires authentication';
    case 'forbidden':
      return 'Unauthorized';
    case 'notFound':
      return refusal.reason === 'method' ? refusal.message : 'Not Found';
    case 'internal':
      return 'Internal Server Error';
    case 'unavailable':
      return 'Service Unavailable';
    case 'invalid':
      // The parser's own words would repeat a piece of the body.
      return refusal.reason === 'malformedJson' ? 'Malformed JSON body' : refusal.message;
    default:
      return refusal.message;
  }
}
