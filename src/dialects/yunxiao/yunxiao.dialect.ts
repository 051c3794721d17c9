import { Injectable } from '@nestjs/common';
import { presentedCredentials } from '../../auth/credentials.js';
import { statusOf } from '../../http/refusals/status.js';
import type { PresentedCredentials } from '../../protocol/credentials.js';
import type {
  ApiDescription,
  Dialect,
  RefusedRequest,
  RenderedRefusal,
  WithRaw,
} from '../../protocol/dialect.js';
import { isOfPath, type Refusal } from '../../refusal.js';
import type { Token } from '../../tokens/token.entity.js';
import { SCOPES } from './yunxiao.scopes.js';

export const YUNXIAO = 'yunxiao';

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
@Injectable()
export class YunxiaoDialect implements Dialect {
  readonly name = YUNXIAO;
  readonly mounts = ['/oapi/v1/platform'];
  readonly scopes = SCOPES;
  readonly description = DESCRIPTION;

  readCredentials(request: WithRaw): PresentedCredentials {
    return presentedCredentials(request, { bearer: true, tokenHeaders: ['x-yunxiao-token'] });
  }

  renderRefusal(refusal: Refusal, { id: requestId }: RefusedRequest): RenderedRefusal {
    const status = statusOf(refusal);
    const body = { errorCode: codeOf(refusal, status), errorMessage: messageOf(refusal), requestId };
    return { status, body };
  }

  externalId({ tokenId }: Token): string {
    return tokenId;
  }
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
