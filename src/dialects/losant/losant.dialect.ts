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
  isKnown: (scope) => SCOPES.has(scope),
  covers,
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

/** Losant's API tokens of a user. */
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
    const status = statusOf(refusal);
    return { status, body: { type: TYPES[status] ?? 'Internal', message: messageOf(refusal, request) } };
  }

  externalId({ createdAt, id }: Token): string {
    return encodeObjectId(createdAt, id);
  }
}

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

/** Keys of a token that POST takes, or answers with, and PATCH does not. */
const FIXED_KEYS = ['scope', 'expirationDate', 'token'];

/**
 * One text for every 401 and for every use from a wrong address: neither says anything about the token. One text as well
 * for a token that was deleted, is a stranger's or never was.
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
