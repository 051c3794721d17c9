import { Injectable } from '@nestjs/common';
import { presentedCredentials } from '../../auth/credentials.js';
import { statusOf } from '../../http/refusals/status.js';
import type { PresentedCredentials } from '../../protocol/credentials.js';
import type { PathOwner, RenderedRefusal, WithRaw } from '../../protocol/dialect.js';
import type { Refusal } from '../../refusal.js';
import { withoutSecrets } from '../../secrets.js';
import { SCIM_TYPES } from './refusals.js';
import { ERROR_SCHEMA, MEDIA_TYPE } from './schemas.js';

const KNOWN_TYPES: ReadonlySet<string> = new Set(SCIM_TYPES);

/** `/scim/v2`: users and groups of an identity provider. Errors read as RFC 7644, 3.12, has them. */
@Injectable()
export class ScimOwner implements PathOwner {
  readonly name = 'scim';
  readonly mounts = ['/scim/v2'];

  readCredentials(request: WithRaw): PresentedCredentials {
    return presentedCredentials(request, { bearer: true });
  }

  renderRefusal(refusal: Refusal): RenderedRefusal {
    const status = statusOf(refusal);
    const scimType = scimTypeOf(refusal, status);
    return {
      status,
      headers: {
        'content-type': MEDIA_TYPE,
        ...(status === 401 ? { 'www-authenticate': 'Bearer realm="Patois"' } : {}),
      },
      body: {
        schemas: [ERROR_SCHEMA],
        ...(scimType === undefined ? {} : { scimType }),
        // What a client put in the wrong place may be a token.
        detail: withoutSecrets(detailOf(refusal)),
        status: String(status),
      },
    };
  }
}

/** With 400 and 409 alone, as the RFC's table has it. */
function scimTypeOf({ kind, reason, fields }: Refusal, status: number): string | undefined {
  if (status === 409) return reason === 'nameTaken' ? 'uniqueness' : undefined;
  if (kind !== 'invalid' || status !== 400) return undefined;
  const rule = fields[0]?.rule;
  if (rule !== undefined && KNOWN_TYPES.has(rule)) return rule;
  return reason === undefined || reason === 'badText' ? 'invalidValue' : 'invalidSyntax';
}

function detailOf(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'unauthenticated':
      return 'A valid token or login and password is needed';
    case 'internal':
      return 'The server failed; its log says why';
    case 'unavailable':
      return refusal.reason === 'busy' ? refusal.message : 'The database does not answer; try again';
    default:
      return refusal.message;
  }
}
