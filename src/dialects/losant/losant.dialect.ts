/**
 * Losant's API tokens of a user. It follows the REST reference, and the vendor's JavaScript client, whose
 * repository holds the JSON schemas and a page for each operation (read at v4.2.0):
 * https://docs.losant.com/rest-api/user-api-token
 * https://github.com/Losant/losant-rest-js/blob/v4.2.0/docs/userApiTokens.md
 * https://github.com/Losant/losant-rest-js/blob/v4.2.0/docs/userApiToken.md
 *
 * The tests run the client's 2.8.1 from npm. What these leave open was decided here and is listed in
 * docs/dialects/losant.md.
 */
import { Injectable } from '@nestjs/common';
import { encodeObjectId } from '../../accounts/object-id.js';
import { presentedCredentials } from '../../auth/credentials.js';
import { statusOf } from '../../http/refusals/status.js';
import type { PresentedCredentials } from '../../protocol/credentials.js';
import type {
  ApiDescription,
  Dialect,
  RefusedRequest,
  RenderedRefusal,
  ScopeRules,
  WithRaw,
} from '../../protocol/dialect.js';
import { isOfPath, type Refusal } from '../../refusal.js';
import type { Token } from '../../tokens/token.entity.js';
import { covers, SCOPES } from './losant.scopes.js';

export const LOSANT = 'losant';

const SCOPE_RULES: ScopeRules = {
  vocabulary: [...SCOPES],
  isKnown: (scope) => SCOPES.has(scope),
  covers,
  // The schema requires no `scope` and names no default: docs/dialects/losant.md.
  defaults: ['all.User'],
};

const DESCRIPTION: ApiDescription = {
  title: 'Patois: Losant user API tokens',
  description:
    "API tokens of a user, as Losant's `/me/tokens` serves them: each holds published scopes, may expire, and can be set " +
    'inactive for a while. Query parameters that are not listed, such as `_actions` and `_embedded`, are ignored.',
  credentials: {
    bearer: { type: 'http', scheme: 'bearer', description: 'The value of a token.' },
    basic: { type: 'http', scheme: 'basic', description: 'Login and password, for a first token.' },
  },
  tags: { userApiTokens: 'Tokens of the user who calls.' },
};

/** Losant's API tokens of a user; the sources are named at the head of this file. */
@Injectable()
export class LosantDialect implements Dialect {
  readonly name = LOSANT;
  readonly mounts = ['/me'];
  readonly scopes = SCOPE_RULES;
  readonly description = DESCRIPTION;

  readCredentials(request: WithRaw): PresentedCredentials {
    return presentedCredentials(request, { bearer: true });
  }

  renderRefusal(refusal: Refusal, request: RefusedRequest): RenderedRefusal {
    // Always JSON with these two keys (lib/schemas/error.json): the client reads `data.message` without a
    // check and copies every other key onto its error object, `internals.request` in
    // https://github.com/Losant/losant-rest-js/blob/v2.8.1/lib/api/index.js
    const status = statusOf(refusal);
    return { status, body: { type: TYPES[status] ?? 'Internal', message: messageOf(refusal, request) } };
  }

  // 24 hexadecimal digits, the pattern of every id in lib/schemas/apiToken.json. Which ones: decided here.
  externalId({ createdAt, id }: Token): string {
    return encodeObjectId(createdAt, id);
  }
}

// `NotFound` is in https://github.com/Losant/losant-rest-js/blob/v4.2.0/test/promise_spec.js; no source lists
// the others: docs/dialects/losant.md.
const TYPES: Record<number, string> = {
  400: 'Validation',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  408: 'Validation',
  409: 'Conflict',
  413: 'PayloadTooLarge',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  431: 'Validation',
  500: 'Internal',
  503: 'ServiceUnavailable',
};

/**
 * Keys of a token that POST takes or answers with, and PATCH does not: they are missing in
 * https://github.com/Losant/losant-rest-js/blob/v4.2.0/lib/schemas/apiTokenPatch.json
 * which allows no other keys. That the refusal names the key was decided here.
 */
const FIXED_KEYS = ['scope', 'expirationDate', 'token'];

/**
 * Every 401 has the same text, and so has every use from an address outside the CIDR blocks: neither tells
 * anything about the token. One text also serves for a token that was deleted, that is another user's or that
 * never existed. That one follows "Application was not found" of test/promise_spec.js; the others were
 * decided here.
 */
function messageOf(refusal: Refusal, request: RefusedRequest): string {
  switch (refusal.kind) {
    case 'unauthenticated':
      return 'Invalid or missing authentication token';
    case 'notFound':
      return isOfPath(refusal) ? refusal.message : 'API Token was not found';
    case 'internal':
      return 'Internal server error';
    case 'unavailable':
      return 'The service is unavailable, please try again';
    case 'invalid':
      return fixedKeyMessage(refusal, request) ?? refusal.message;
    default:
      return refusal.message;
  }
}

function fixedKeyMessage({ fields }: Refusal, request: RefusedRequest): string | undefined {
  if (request.method !== 'PATCH') return undefined;
  const fixed = fields.find(
    ({ path, rule }) =>
      rule === 'whitelistValidation' && path.length === 1 && FIXED_KEYS.includes(path[0] ?? ''),
  );
  return fixed && `${fixed.path[0]} cannot be changed`;
}
