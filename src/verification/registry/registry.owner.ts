import type { FastifyRequest } from 'fastify';
import { type Presented, readCredentials } from '../../access/credentials.js';
import type { Answer, PathOwner } from '../../access/dialect.js';
import { statusOf } from '../../access/status.js';
import type { Refusal } from '../../tokens/refusal.js';

/** `/v2`: what a registry and its clients ask. Errors read as the Distribution specification words them. */
export const registryOwner: PathOwner = {
  name: 'registry',
  mounts: ['/v2'],
  presented,
  answer,
};

/** HTTP Basic alone: this is where a client changes it for a bearer token. */
function presented(request: FastifyRequest): Presented {
  return readCredentials(request, { bearer: false });
}

function answer(refusal: Refusal): Answer {
  const status = statusOf(refusal);
  const { code, message } = wordsOf(refusal);
  return {
    status,
    body: { errors: [{ code, message, detail: null }] },
  };
}

function wordsOf(refusal: Refusal): { code: string; message: string } {
  const { message } = refusal;
  switch (refusal.kind) {
    case 'unauthenticated':
      return {
        code: 'UNAUTHORIZED',
        message: 'A login, or $app, and a valid token as the password are needed',
      };
    case 'forbidden':
      return { code: 'DENIED', message };
    case 'tooMany':
      return { code: 'TOOMANYREQUESTS', message };
    case 'unavailable':
      return { code: 'UNAVAILABLE', message: 'The database does not answer; try again' };
    case 'invalid':
      return { code: 'UNSUPPORTED', message };
    case 'notFound':
      return { code: refusal.reason === 'method' ? 'UNSUPPORTED' : 'UNKNOWN', message };
    default:
      return { code: 'UNKNOWN', message: 'The server failed' };
  }
}
