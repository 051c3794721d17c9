import type { FastifyRequest } from 'fastify';
import { readCredentials } from '../../access/credentials.js';
import type { Answer, ApiDescription, Dialect, ScopeRules } from '../../access/dialect.js';
import { statusOf } from '../../access/status.js';
import { isOfPath, type Refusal } from '../../tokens/refusal.js';

export const YUNXIAO = 'yunxiao';

/** The form of a permission's name; the set is open, and unknown names are kept. */
export const PERMISSION = /^[a-zA-Z]+_[a-zA-Z]+(_[a-zA-Z]+)*_(read|read_write)$/;

const SCOPES: ScopeRules = {
  isKnown: (scope) => PERMISSION.test(scope),
  covers: (held, needed) => needed.endsWith('_read') && held === `${needed}_write`,
};

const DESCRIPTION: ApiDescription = {
  title: 'Patois: Yunxiao personal access tokens',
  description:
    'Personal access tokens under enterprise administration, as the platform API of Yunxiao (Alibaba Cloud DevOps) serves ' +
    'them. The list alone answers in snake_case.',
  credentials: {
    token: {
      type: 'apiKey',
      in: 'header',
      name: 'x-yunxiao-token',
      description: 'The value of a token.',
    },
    bearer: { type: 'http', scheme: 'bearer', description: 'The value of a token.' },
    basic: { type: 'http', scheme: 'basic', description: 'Login and password, for a first token.' },
  },
  tags: { PersonalAccessTokens: 'Tokens of the users of an organization.' },
};

/** Personal access tokens of Yunxiao (Alibaba Cloud DevOps) under enterprise administration. */
export const yunxiao: Dialect = {
  name: YUNXIAO,
  mounts: ['/oapi/v1/platform'],
  scopes: SCOPES,
  presented: (request) => readCredentials(request, { bearer: true, tokenHeaders: ['x-yunxiao-token'] }),
  answer,
  externalId: (token) => token.tokenId,
  description: DESCRIPTION,
};

function answer(refusal: Refusal, request: FastifyRequest): Answer {
  const status = statusOf(refusal);
  return {
    status,
    body: { errorCode: codeOf(refusal, status), errorMessage: messageOf(refusal), requestId: request.id },
  };
}

const CODES: Record<number, string> = {
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  408: 'BadRequest',
  409: 'Conflict',
  413: 'PayloadTooLarge',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  431: 'BadRequest',
  500: 'InternalServerError',
  503: 'ServiceUnavailable',
};

function codeOf({ kind, reason }: Refusal, status: number): string {
  if (reason === 'outsideOrganization') return 'Forbidden.InvalidUser.UserNotInCurrentOrganization';
  if (kind !== 'unauthenticated') return CODES[status] ?? 'InternalServerError';
  if (reason === 'missing' || reason === 'password') return 'Unauthorized';
  // The core says so only of a token whose secret was right.
  return reason === 'expired' ? 'ExpiredTokenError' : 'InvalidTokenError';
}

function messageOf(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'unauthenticated':
      if (refusal.reason === 'missing') return 'No access token was sent';
      if (refusal.reason === 'password') return 'Wrong login or password';
      return refusal.reason === 'expired' ? 'The access token has expired' : 'The access token is not valid';
    case 'notFound':
      // One text for a token that was deleted, is a stranger's or never was.
      return isOfPath(refusal) ? refusal.message : 'There is no such personal access token';
    case 'internal':
      return 'Internal server error';
    case 'unavailable':
      return 'The service is unavailable, please try again';
    default:
      return refusal.message;
  }
}
