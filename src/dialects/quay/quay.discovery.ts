import { SUPER_USER, USER_ADMIN } from './quay.scopes.js';

/** A Swagger 2.0 document. */
export interface SwaggerDocument {
  swagger: '2.0';
  paths: Record<string, Record<string, object>>;
  definitions: Record<string, object>;
  [key: string]: unknown;
}

const JSON_TYPE = 'application/json';

/**
 * Describes the API to generators of clients and to Swagger UI, in the form of `swagger_route_data` in
 * https://github.com/quay/quay/blob/master/endpoints/api/discovery.py
 *
 * Different from Quay: the schema of the body of create has `title`. There all schemas share one dictionary,
 * so that this one, `NewToken`, is replaced by the `NewToken` of
 * https://github.com/quay/quay/blob/master/endpoints/api/repotoken.py
 * which has `friendlyName`; generated clients then send a body that Quay refuses.
 *
 * @param address the URL that clients know this server by, `https://host[/path]`; empty when it is not known.
 * @param createStatus the status of create: 201, or 200 as a deployed Quay answers (it describes 201).
 */
export function describeApi(address: string, createStatus: 200 | 201): SwaggerDocument {
  return {
    swagger: '2.0',
    info: {
      title: 'Quay API of Patois',
      description: 'App-specific tokens of the current user.',
      version: 'v1',
    },
    ...locationOf(address),
    consumes: [JSON_TYPE],
    produces: [JSON_TYPE],
    tags: [{ name: 'appspecifictokens', description: 'Manages app specific tokens for the current user' }],
    securityDefinitions: {
      oauth2_implicit: {
        type: 'oauth2',
        flow: 'implicit',
        // Swagger 2.0 requires the URL, and Quay publishes this one. Here it is not served: tokens are made
        // with a login and password, or by this API.
        authorizationUrl: `${address}/oauth/authorize`,
        scopes: {
          [USER_ADMIN]: "Administer the user's own tokens",
          [SUPER_USER]: 'See the tokens of all users; for administrators',
        },
      },
    },
    paths: {
      '/api/v1/user/apptoken': {
        get: operation('listAppTokens', 'List the app specific tokens for the user.', USER_ADMIN, {
          parameters: [EXPIRING],
          responses: { 200: answer('Successful invocation', 'AppTokenList') },
        }),
        post: operation('createAppToken', 'Create a new app specific token for user.', USER_ADMIN, {
          parameters: [
            {
              name: 'body',
              in: 'body',
              description: 'What the token is to be',
              required: true,
              schema: ref('NewToken'),
            },
          ],
          responses: {
            [createStatus]: answer('Successful creation', 'CreatedAppTokenView'),
            400: answer('Bad Request', 'QuayError'),
            415: answer('The body is not JSON', 'QuayError'),
          },
        }),
      },
      '/api/v1/user/apptoken/{token_uuid}': {
        parameters: [
          {
            name: 'token_uuid',
            in: 'path',
            description: 'The uuid of the app specific token',
            required: true,
            type: 'string',
          },
        ],
        get: operation('getAppToken', 'Returns a specific app token for the user.', USER_ADMIN, {
          responses: {
            200: answer('Successful invocation', 'AppTokenView'),
            404: answer('Not found', 'QuayError'),
          },
        }),
        delete: operation('revokeAppToken', 'Revokes a specific app token for the user.', USER_ADMIN, {
          responses: { 204: { description: 'Deleted' }, 404: answer('Not found', 'QuayError') },
        }),
      },
      '/api/v1/superuser/apptokens': {
        get: operation('listAllAppTokens', 'List the app specific tokens of all users.', SUPER_USER, {
          parameters: [EXPIRING],
          responses: { 200: answer('Successful invocation', 'AppTokenList') },
        }),
      },
    },
    definitions: DEFINITIONS,
  };
}

const EXPIRING = {
  name: 'expiring',
  in: 'query',
  description: 'If true, only returns those tokens expiring soon',
  required: false,
  type: 'boolean',
};

/** Dates are RFC 2822. Swagger's `date-time` is RFC 3339: a client that parsed them as that would fail. */
const DATE = { type: 'string', example: 'Sat, 21 Nov 2026 20:53:54 -0000' };

/**
 * A property that may be null is not `required`, though it is always present: generators of clients take
 * `required` for "never null".
 */
const DEFINITIONS = {
  NewToken: {
    type: 'object',
    description: 'A new app specific token',
    required: ['title'],
    properties: {
      title: {
        type: 'string',
        minLength: 1,
        maxLength: 255,
        description: 'The friendly name, kept as it is sent',
      },
      expiration: {
        type: 'string',
        format: 'date-time',
        description: 'When the token is to expire, instead of after the configured lifetime',
      },
    },
  },
  AppToken: tokenSchema({}),
  CreatedAppToken: tokenSchema({ token_code: { type: 'string', description: 'The secret' } }),
  // The same in both modes: get has the key only where the server keeps what it needs to show it again.
  ReadAppToken: tokenSchema({
    token_code: {
      type: 'string',
      description: 'The secret, where the server shows it again',
      'x-nullable': true,
    },
  }),
  CreatedAppTokenView: view('CreatedAppToken'),
  AppTokenView: view('ReadAppToken'),
  AppTokenList: {
    type: 'object',
    required: ['tokens'],
    properties: {
      tokens: { type: 'array', items: ref('AppToken') },
      only_expiring: {
        type: 'boolean',
        description: 'The parameter `expiring` as it was understood; null when it was absent',
        'x-nullable': true,
      },
    },
  },
  // Quay calls it `ApiError` (endpoints/api/discovery.py); generated clients have a class of that name.
  QuayError: {
    type: 'object',
    required: ['detail', 'error_message', 'error_type', 'title', 'type', 'status'],
    properties: {
      detail: { type: 'string', description: 'What is wrong with this request' },
      error_message: { type: 'string', description: 'The same as detail' },
      error_type: { type: 'string', description: 'The kind of error' },
      title: { type: 'string', description: 'The same as error_type' },
      type: { type: 'string', description: 'The address of a page about this kind of error' },
      status: { type: 'integer', description: 'The HTTP status' },
    },
  },
};

function tokenSchema(code: Record<string, object>): object {
  return {
    type: 'object',
    required: ['uuid', 'title', 'created'],
    properties: {
      uuid: { type: 'string' },
      title: { type: 'string', description: 'The friendly name' },
      last_accessed: { ...DATE, description: 'RFC 2822; null before the first use', 'x-nullable': true },
      created: { ...DATE, description: 'RFC 2822' },
      expiration: { ...DATE, description: 'RFC 2822; null when the token never expires', 'x-nullable': true },
      ...code,
    },
  };
}

function operation(operationId: string, summary: string, scope: string, rest: OperationRest): object {
  const responses = {
    ...rest.responses,
    401: answer('Session required', 'QuayError'),
    403: answer('Unauthorized access', 'QuayError'),
  };
  const security = [{ oauth2_implicit: [scope] }];
  return { operationId, summary, tags: ['appspecifictokens'], security, ...rest, responses };
}

interface OperationRest {
  parameters?: object[];
  responses: Record<number, object>;
}

function answer(description: string, definition: string): object {
  return { description, schema: ref(definition) };
}

function view(definition: string): object {
  return { type: 'object', required: ['token'], properties: { token: ref(definition) } };
}

function ref(definition: string): object {
  return { $ref: `#/definitions/${definition}` };
}

/** Host, base path and scheme; without a URL a client uses those that it fetched the document from. */
function locationOf(address: string): object {
  if (!URL.canParse(address)) return { basePath: '/' };
  const { host, pathname, protocol } = new URL(address);
  return { host, basePath: pathname, schemes: [protocol.replace(':', '')] };
}
