import type { OperationObject, PathItemObject, ResponseObject } from '@nestjs/swagger';
import { FORM } from '../../http/body/form.js';

/** Of the form of a token, and none: it has no checksum. */
const VALUE = 'pt-3f0e2a365d9e_…';
const JWT =
  'eyJhbGciOiJFUzI1NiIsInR5cCI6InRva2VuLWludHJvc3BlY3Rpb24rand0In0.eyJpc3MiOiJodHRwczovL3Rva2Vucy5leGFtcGxlIn0.c2ln';
const ACTIVE = {
  active: true,
  scope: 'repo:read',
  username: 'ada',
  sub: '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b',
  iss: 'https://tokens.example',
  jti: 'pt-3f0e2a365d9e',
  token_type: 'Bearer',
  iat: 1_795_300_000,
  dialect: 'quay',
  organization: 'Default',
};

/** Introspection, which no controller serves, as OpenAPI describes it. */
export const INTROSPECTION_PATHS: Record<string, PathItemObject> = {
  '/oauth2/introspect': {
    post: {
      operationId: 'introspectToken',
      summary: 'Introspects a token (RFC 7662)',
      description:
        'The caller needs a password or a token with `patois:introspect`. For an inactive token, only `active` is returned. To `Accept: application/token-introspection+jwt` the answer is a JWT (RFC 9701), signed with ES256: `iss`, `aud` (the login of HTTP Basic, else the token id of the caller), `iat`, `token_introspection`.',
      tags: ['verification'],
      'x-required-scopes': ['patois:introspect'],
      requestBody: {
        required: true,
        content: {
          [FORM]: { schema: schema('Introspection'), example: { token: VALUE, scope: 'repo:read' } },
        },
      },
      responses: {
        200: withJwt(json('The state of the token', 'IntrospectionAnswer', ACTIVE)),
        400: oauthError('invalid_request', 'token must be there once'),
        401: oauthError('invalid_client', 'A valid token or login and password is needed'),
        403: oauthError('insufficient_scope', 'The token lacks the scope patois:introspect'),
        503: oauthError('temporarily_unavailable', 'The database does not answer'),
        default: {
          ...oauthError('server_error', 'The server failed'),
          description: 'Any other error; 429 and 503 have a `Retry-After` header',
        },
      },
      security: [{ bearer: [] }, { basic: [] }],
    } as OperationObject,
  },
};

function schema(name: string): { $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

function json(description: string, name: string, example: unknown): ResponseObject {
  return { description, content: { 'application/json': { schema: schema(name), example } } };
}

/** Beside the content, not in it: who generates a client would have to tell two kinds of answers apart at every call. */
function withJwt(response: ResponseObject): ResponseObject {
  const jwt = { schema: { type: 'string' }, example: JWT };
  return Object.assign(response, { 'x-content-by-accept': { 'application/token-introspection+jwt': jwt } });
}

function oauthError(error: string, words: string): ResponseObject {
  return json(error, 'OAuthError', { error, error_description: words });
}
