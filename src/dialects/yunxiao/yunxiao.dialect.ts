/**
 * Yunxiao's personal access tokens under enterprise administration. It follows the API reference, a page for
 * each operation; the comments of this folder name a page by its operation, and docs/dialects/yunxiao.md has
 * the links, which are too long for a line here:
 * https://help.aliyun.com/zh/lingma/developer-reference/getuserbytoken
 * https://help.aliyun.com/zh/lingma/developer-reference/error-code-center
 *
 * The client is the vendor's MCP server: https://github.com/aliyun/alibabacloud-devops-mcp-server
 */
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
    'them. Only the list of tokens is in snake_case.',
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

/** Yunxiao's personal access tokens; the sources are named at the head of this file. */
@Injectable()
export class YunxiaoDialect implements Dialect {
  readonly name = YUNXIAO;
  readonly mounts = ['/oapi/v1/platform'];
  readonly scopes = SCOPES;
  readonly description = DESCRIPTION;

  // The header of every page and of the client: `yunxiaoRequest` in
  // https://github.com/aliyun/alibabacloud-devops-mcp-server/blob/master/common/utils.ts
  // That Bearer and Basic count beside it was decided here.
  readCredentials(request: WithRaw): PresentedCredentials {
    return presentedCredentials(request, { bearer: true, tokenHeaders: ['x-yunxiao-token'] });
  }

  renderRefusal(refusal: Refusal, { id: requestId }: RefusedRequest): RenderedRefusal {
    // The client reads `errorMessage` (`extractErrorMessage`) and `errorCode` (index.ts):
    // https://github.com/aliyun/alibabacloud-devops-mcp-server/blob/master/common/errors.ts
    // `requestId`: docs/dialects/yunxiao.md.
    const status = statusOf(refusal);
    const body = { errorCode: codeOf(refusal, status), errorMessage: messageOf(refusal), requestId };
    return { status, body };
  }

  // `token_id` is the part of the token before its first `_` (the examples of CreateUserPersonalAccessToken).
  externalId({ tokenId }: Token): string {
    return tokenId;
  }
}

// 400, 403, 429 and 500 are those of the error code center; it has no others beside 401, so the rest was
// decided here: https://help.aliyun.com/zh/lingma/developer-reference/error-code-center
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
  // The error code center has it for a caller outside the organization; for a named user it was decided here.
  if (reason === 'outsideOrganization') return 'Forbidden.InvalidUser.UserNotInCurrentOrganization';
  if (kind !== 'unauthenticated') return CODES[status] ?? 'InternalServerError';
  // The three codes of a 401 in the error code center; which case has which was decided here.
  if (reason === 'missing' || reason === 'password') return 'Unauthorized';
  // The core gives the reason `expired` only for a token whose secret was right.
  return reason === 'expired' ? 'ExpiredTokenError' : 'InvalidTokenError';
}

/** The texts were decided here; the error code center has shorter ones, such as "Token has expired". */
function messageOf(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'unauthenticated':
      if (refusal.reason === 'missing') return 'No access token was sent';
      if (refusal.reason === 'password') return 'Wrong login or password';
      return refusal.reason === 'expired' ? 'The access token has expired' : 'The access token is not valid';
    case 'notFound':
      // One text for a token that was deleted, that is another organization's or that never existed.
      return isOfPath(refusal) ? refusal.message : 'There is no such personal access token';
    case 'internal':
      return 'Internal server error';
    case 'unavailable':
      return 'The service is unavailable, please try again';
    default:
      return refusal.message;
  }
}
