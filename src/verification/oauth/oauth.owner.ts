import { Injectable } from '@nestjs/common';
import { presentedCredentials } from '../../auth/credentials.js';
import { FORM } from '../../http/body/form.js';
import { statusOf } from '../../http/refusals/status.js';
import type { PresentedCredentials } from '../../protocol/credentials.js';
import type { PathOwner, RenderedRefusal, WithRaw } from '../../protocol/dialect.js';
import type { Refusal } from '../../refusal.js';

/** `/oauth2`: introspection (RFC 7662) and revocation (RFC 7009), which take forms and answer as RFC 6749 does. */
@Injectable()
export class OAuthOwner implements PathOwner {
  readonly name = 'oauth2';
  readonly mounts = ['/oauth2'];

  readCredentials(request: WithRaw): PresentedCredentials {
    return presentedCredentials(request, { bearer: true });
  }

  readsMediaType(mediaType: string | undefined): boolean {
    return mediaType === FORM;
  }

  renderRefusal(refusal: Refusal): RenderedRefusal {
    const body = { error: errorOf(refusal), error_description: descriptionOf(refusal) };
    return { status: statusOf(refusal), body };
  }
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
      return refusal.reason === 'busy' ? refusal.message : 'The database does not answer';
    default:
      return refusal.message;
  }
}
