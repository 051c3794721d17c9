import type { FastifyRequest } from 'fastify';
import { FORM } from '../access/body.js';
import { type Presented, readCredentials } from '../access/credentials.js';
import type { Answer, PathOwner } from '../access/dialect.js';
import { statusOf } from '../access/status.js';
import type { Refusal } from '../tokens/refusal.js';

/** `/oauth2`: introspection (RFC 7662) and revocation (RFC 7009), which take forms and answer as RFC 6749 does. */
export const oauthOwner = {
  name: 'oauth2',
  mounts: ['/oauth2'],
  presented,
  answer,
  readsMediaType: (mediaType: string | undefined) => mediaType === FORM,
} satisfies PathOwner;

function presented(request: FastifyRequest): Presented {
  return readCredentials(request, { bearer: true });
}

function answer(refusal: Refusal): Answer {
  const status = statusOf(refusal);
  return {
    status,
    body: { error: errorOf(refusal), error_description: descriptionOf(refusal) },
  };
}

function errorOf({ kind, reason }: Refusal): string {
  switch (kind) {
    case 'unauthenticated':
      return 'invalid_client';
    case 'forbidden':
      return reason === 'crossSite' ? 'access_denied' : 'insufficient_scope';
    case 'internal':
      return 'server_error';
    case 'unavailable':
    case 'tooMany':
      return 'temporarily_unavailable';
    default:
      return 'invalid_request';
  }
}

function descriptionOf(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'unauthenticated':
      return 'A valid token or login and password is needed';
    case 'internal':
      return 'The server failed';
    case 'unavailable':
      return 'The database does not answer';
    default:
      return refusal.message;
  }
}
