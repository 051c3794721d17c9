import { applyDecorators, Header } from '@nestjs/common';
import { ApiConsumes, ApiProduces, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import type { Config } from '../../config.js';
import { publicUrlOf } from '../../http/public-url.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { MAX_COUNT } from './list.js';
import { MEDIA_TYPE } from './schemas.js';
import { ScimError } from './scim.dto.js';

/** What every controller of `/scim/v2` has. */
export function ScimController(): ClassDecorator {
  return applyDecorators(
    ApiTags('provisioning'),
    ApiProduces(MEDIA_TYPE),
    ApiRefusals(ScimError, {
      400: 'Bad input',
      401: 'No valid credential',
      403: 'Not allowed to this caller',
    }),
  );
}

/** What every route has that answers with a body: the scope, and the media type. */
export function ScimRoute(): MethodDecorator {
  return applyDecorators(ProvisioningScope(), Header('content-type', MEDIA_TYPE));
}

export function ProvisioningScope(): MethodDecorator {
  return RequireScopes(PATOIS, 'patois:scim');
}

/** On a route that takes a body. */
export function TakesScim(): MethodDecorator {
  return ApiConsumes(MEDIA_TYPE, 'application/json');
}

const PROJECTION = [
  { name: 'attributes', description: 'Names, separated by commas: these are answered, and no others.' },
  { name: 'excludedAttributes', description: 'Names, separated by commas: these are not answered.' },
];
const PAGE = [
  { name: 'filter', description: 'A filter of RFC 7644, 3.4.2.2.', example: 'userName eq "ada@example.org"' },
  { name: 'startIndex', type: Number, description: 'From 1.' },
  { name: 'count', type: Number, description: `0 to ${MAX_COUNT}, the default; more are not answered.` },
];

/** On a route that answers a resource: what of it. */
export function ApiProjection(): MethodDecorator {
  return applyDecorators(...PROJECTION.map((one) => ApiQuery({ ...one, type: String, required: false })));
}

/** On a route that answers a list. */
export function ApiList(): MethodDecorator {
  const queries = PAGE.map((one) => ApiQuery({ type: String, ...one, required: false }));
  return applyDecorators(...queries, ApiProjection());
}

/** The address of `/scim/v2`, as clients know it. */
export function baseOf(request: FastifyRequest, config: Pick<Config, 'publicUrl'>): string {
  return `${publicUrlOf(request, config)}/scim/v2`;
}
