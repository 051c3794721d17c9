import type { OperationObject, PathItemObject, ResponseObject } from '@nestjs/swagger';
import { FORM } from '../../http/body/form.js';

/** Of the form of a token, and none: it has no checksum. */
const VALUE = 'pt-3f0e2a365d9e_…';
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
        'The caller needs a password or a token with `patois:introspect`. For an inactive token, only `active` is returned.',
      tags: ['verification'],
      'x-required-scopes': ['patois:introspect'],
      requestBody: {
        required: true,
        content: {
          [FORM]: { schema: schema('Introspection'), example: { token: VALUE, scope: 'repo:read' } },
        },
      },
      responses: {
        200: json('The state of the token', 'IntrospectionAnswer', ACTIVE),
        400: oauthError('invalid_request', 'token must be there once'),
        401: oauthError('invalid_client', 'A valid token or login and password is needed'),
        403: oauthError('insufficient_scope', 'The token lacks the scope patois:introspect'),
        default: oauthError('invalid_request', 'POST a form of less than 512 KiB'),
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

function oauthError(error: string, words: string): ResponseObject {
  return json(error, 'OAuthError', { error, error_description: words });
}
