import { Injectable } from '@nestjs/common';
import { presentedCredentials } from '../../auth/credentials.js';
import { FORM } from '../../http/body/form.js';
import { statusOf } from '../../http/refusals/status.js';
import type { PresentedCredentials } from '../../protocol/credentials.js';
import type { PathOwner, RefusedRequest, RenderedRefusal, WithRaw } from '../../protocol/dialect.js';
import type { Refusal, RefusalReason } from '../../refusal.js';
import { withoutSecrets } from '../../secrets.js';

export const TOKEN_PATH = '/oauth2/token';

/** `/oauth2`: endpoints of OAuth 2.0, which take forms and answer as RFC 6749 does. */
@Injectable()
export class OAuthOwner implements PathOwner {
  readonly name = 'oauth2';
  readonly mounts = ['/oauth2'];

  readCredentials(request: WithRaw): PresentedCredentials {
    return presentedCredentials(request, { bearer: true, formEncoded: true });
  }

  readsMediaType(mediaType: string | undefined): boolean {
    return mediaType === FORM;
  }

  renderRefusal(refusal: Refusal, { url }: Pick<RefusedRequest, 'url'>): RenderedRefusal {
    const error_description = withoutSecrets(descriptionOf(refusal));
    if (isOfClient(refusal) && url.startsWith(TOKEN_PATH)) {
      return { status: 400, body: { error: 'unauthorized_client', error_description } };
    }
    return { status: statusOf(refusal), body: { error: errorOf(refusal), error_description } };
  }
}

/** Whether a client who is known may not do this: RFC 6749, 5.2, has a word and a status of its own for that. */
function isOfClient({ kind, reason }: Refusal): boolean {
  return kind === 'forbidden' && reason !== 'crossSite';
}

/** Of what is invalid. */
const ERRORS: Partial<Record<RefusalReason, string>> = {
  grantType: 'unsupported_grant_type',
  targetScope: 'invalid_scope',
  target: 'invalid_target',
  tokenType: 'unsupported_token_type',
};

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
      return (reason && ERRORS[reason]) ?? 'invalid_request';
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
