import { Injectable } from '@nestjs/common';
import { presentedCredentials } from '../../auth/credentials.js';
import { statusOf } from '../../http/refusals/status.js';
import type { PresentedCredentials } from '../../protocol/credentials.js';
import type { PathOwner, RenderedRefusal, WithRaw } from '../../protocol/dialect.js';
import type { Refusal } from '../../refusal.js';

/** `/v2`: what a registry and its clients ask. Errors read as the Distribution specification words them. */
@Injectable()
export class RegistryOwner implements PathOwner {
  readonly name = 'registry';
  readonly mounts = ['/v2'];

  /** HTTP Basic alone: this is where a client changes it for a bearer token. */
  readCredentials(request: WithRaw): PresentedCredentials {
    return presentedCredentials(request, { bearer: false });
  }

  renderRefusal(refusal: Refusal): RenderedRefusal {
    const { code, message } = wordsOf(refusal);
    return { status: statusOf(refusal), body: { errors: [{ code, message, detail: null }] } };
  }
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
