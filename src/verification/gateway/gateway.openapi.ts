import type { OperationObject, PathItemObject, ResponseObject } from '@nestjs/swagger';

const DESCRIPTION =
  'Answers every method: gateways pass on that of their client. The token comes as a bearer token, as the password of HTTP ' +
  'Basic (the user is the login of its owner, or `$app`), as `X-API-Key` or as `x-yunxiao-token`. Characters of ' +
  'response headers that are not printable ASCII are percent-encoded.';

const IDENTITY = {
  'X-Patois-User': 'The login of the owner.',
  'X-Patois-User-Id': 'The uuid of the owner.',
  'X-Patois-Organization': 'The name of the organization of the owner.',
  'X-Patois-Token-Id': 'The token id.',
  'X-Patois-Dialect': 'The dialect (API) that issued the token.',
  'X-Patois-Scopes': 'Separated by spaces; omitted if longer than 2 KiB.',
  'X-Patois-Scopes-Truncated': '`true` if the scopes are omitted.',
};
const CHALLENGE = { 'WWW-Authenticate': 'A challenge with an error of RFC 6750.' };

const BY_HEADER = {
  name: 'X-Patois-Required-Scope',
  in: 'header' as const,
  required: false,
  description: 'Required scopes, separated by spaces, set by the gateway; all must be covered.',
  schema: { type: 'string', example: 'repo:read' },
};
const BY_QUERY = {
  ...BY_HEADER,
  name: 'scope',
  in: 'query' as const,
  description:
    'Required scopes, separated by spaces; all must be covered. May be repeated. A query with other parameters, or ' +
    'without a scope, is refused with 400.',
};
const CLIENT_PATH = {
  name: 'path',
  in: 'path' as const,
  required: true,
  description: "The path that the gateway's client requested, of any depth. The client's query is ignored.",
  schema: { type: 'string', example: 'orders' },
};

/** What gateways ask, which no controller serves, as OpenAPI describes it. */
export const GATEWAY_PATHS: Record<string, PathItemObject> = {
  '/verify': {
    get: operation('verifyForGateway', 'Verifies a request for a gateway', [BY_QUERY, BY_HEADER]),
  },
  '/verify/{path}': {
    get: operation(
      'verifyPathForGateway',
      'Verifies a request for a gateway that appends the path of its client',
      [CLIENT_PATH, BY_HEADER],
    ),
  },
};

function operation(
  operationId: string,
  summary: string,
  parameters: OperationObject['parameters'],
): OperationObject {
  return {
    operationId,
    summary,
    description: DESCRIPTION,
    tags: ['verification'],
    ...(parameters ? { parameters } : {}),
    responses: {
      204: response('The request is allowed', IDENTITY),
      400: response('The required scopes cannot be parsed; the request is not allowed', CHALLENGE),
      401: response('No valid token was presented', CHALLENGE),
      403: response('The token lacks a scope, or does not allow this address', CHALLENGE),
      503: response('The database does not answer, or the server failed: the request is not allowed', {
        'Retry-After': 'Seconds.',
      }),
    },
    security: [{ bearer: [] }, { basic: [] }],
  };
}

function response(description: string, headers: Record<string, string>): ResponseObject {
  const named = Object.entries(headers).map(([name, words]) => [
    name,
    { description: words, schema: { type: 'string' } },
  ]);
  return { description, headers: Object.fromEntries(named) as ResponseObject['headers'] & object };
}
