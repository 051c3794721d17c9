import type { OperationObject, PathItemObject, ResponseObject } from '@nestjs/swagger';

const DESCRIPTION =
  'Any method will do: gateways pass on that of their client. The token comes as a bearer token, as the password of HTTP ' +
  'Basic (the user is the login of its owner, or `$app`), as `X-API-Key` or as `x-yunxiao-token`. Values of the answer that ' +
  'are not printable ASCII are percent-encoded.';

const IDENTITY = {
  'X-Patois-User': 'The login of the owner.',
  'X-Patois-User-Id': 'The uuid of the owner.',
  'X-Patois-Organization': 'The name of the organization of the owner.',
  'X-Patois-Token-Id': 'The token id.',
  'X-Patois-Dialect': 'Which API issued the token.',
  'X-Patois-Scopes': 'Separated by spaces; left out above 2 KiB.',
  'X-Patois-Scopes-Truncated': '`true` where the scopes are left out.',
};
const CHALLENGE = { 'WWW-Authenticate': 'A challenge with an error of RFC 6750.' };

const BY_HEADER = {
  name: 'X-Patois-Required-Scope',
  in: 'header' as const,
  required: false,
  description: 'Scopes that must all be covered, separated by spaces; set by the gateway.',
  schema: { type: 'string', example: 'repo:read' },
};
const BY_QUERY = {
  ...BY_HEADER,
  name: 'scope',
  in: 'query' as const,
  description:
    'Scopes that must all be covered, separated by spaces; may be repeated. A query with anything else in it, or with no ' +
    'scope, is refused.',
};
const CLIENT_PATH = {
  name: 'path',
  in: 'path' as const,
  required: true,
  description: "The path of the gateway's client, of any depth. The client's query does not count.",
  schema: { type: 'string', example: 'orders' },
};

/** What gateways ask, which no controller serves, as OpenAPI describes it. */
export const GATEWAY_PATHS: Record<string, PathItemObject> = {
  '/verify': {
    get: operation('verifyForGateway', 'Says to a gateway whether a request may pass', [BY_QUERY, BY_HEADER]),
  },
  '/verify/{path}': {
    get: operation(
      'verifyPathForGateway',
      'As `/verify`, for gateways that append the path of their client',
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
      204: response('The token may', IDENTITY),
      400: response('What is needed cannot be read: nothing passes', CHALLENGE),
      401: response('There is no token that is valid', CHALLENGE),
      403: response('The token may not do this, or not from this address', CHALLENGE),
      503: response('The database does not answer', { 'Retry-After': 'Seconds.' }),
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
