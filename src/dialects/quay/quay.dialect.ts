/**
 * Quay's app-specific tokens of the current user. With `QUAY_FIDELITY=documented` it follows the published
 * reference, with `deployed` the source, where the two differ; in all else the source:
 * https://docs.redhat.com/en/documentation/red_hat_quay/3/html/red_hat_quay_api_reference/appspecifictokens
 * https://github.com/quay/quay/blob/master/endpoints/api/appspecifictokens.py
 *
 * Paths such as `endpoints/exception.py` in the comments of this folder are those of that repository.
 */
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

/**
 * Every `error_type`, with the text of its page. The first four are those of `ApiErrorType` in
 * https://github.com/quay/quay/blob/master/endpoints/exception.py
 * The others, and all texts, were decided here.
 */
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

/** Where the pages about errors are: https://github.com/quay/quay/blob/master/endpoints/api/error.py */
const ERROR_PAGES = '/api/v1/error/';

const DESCRIPTION: ApiDescription = {
  title: 'Patois in the words of Quay',
  description:
    'App-specific tokens of the current user, for tools that cannot log in interactively. Dates are RFC 2822. Other statuses ' +
    '(405, 413, 429, 500, 503) have the same body as the listed ones.',
  credentials: {
    bearer: { type: 'http', scheme: 'bearer', description: 'The value of a token.' },
    basic: { type: 'http', scheme: 'basic', description: 'Login and password, for a first token.' },
  },
  tags: {
    appspecifictokens: 'Manages app specific tokens for the current user.',
    discovery: 'Describes this API and its errors; needs no credentials.',
    session: 'Signs in once by password, for clients that then send a cookie and a CSRF token.',
  },
};

/** Quay's app-specific tokens of the current user; the sources are named at the head of this file. */
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
   * `Bearer`, then a session cookie, is `process_oauth` in
   * https://github.com/quay/quay/blob/master/auth/decorators.py
   * Decided here: a login and password (Basic) for a first token; no cookie beside an `Authorization` header
   * of any kind; the cookie counts only together with its CSRF token, also for GET; no token in the query
   * string.
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
    // Keys and their order, with `error_message` and `error_type` as copies that Quay calls deprecated:
    // `ApiException.to_dict`, https://github.com/quay/quay/blob/master/endpoints/exception.py
    // The text may repeat a part of the body, and people paste tokens into every field.
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

  /**
   * A body without a content type is not read: 415, as `Request.get_json` answers, which Quay calls in
   * `validate_json_request`: https://github.com/pallets/werkzeug/blob/main/src/werkzeug/wrappers/request.py
   */
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

// 'Requires authentication', 'Unauthorized' and 'Not Found' are the texts of the classes `Unauthorized` and
// `NotFound` in https://github.com/quay/quay/blob/master/endpoints/exception.py
// The others were decided here.
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
      // The message of the JSON parser would repeat a part of the body.
      return refusal.reason === 'malformedJson' ? 'Malformed JSON body' : refusal.message;
    default:
      return refusal.message;
  }
}
