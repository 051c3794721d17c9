import { Controller, Get, Header, Inject, Req } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Public } from '../../auth/require-scopes.decorator.js';
import { CONFIG, type Config } from '../../config.js';
import { publicUrlOf } from '../../http/public-url.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { Problem } from '../../native/problem.dto.js';
import { Refusal } from '../../refusal.js';
import { ALGORITHM } from '../../signing/key-pair.js';
import { TOKEN_EXCHANGE } from '../exchange/exchange.dto.js';
import { ServerMetadata } from './metadata.dto.js';
import { TOKEN_PATH } from './oauth.owner.js';

const CACHED = 'public, max-age=300';

/** Where clients of OAuth look what this server can do. */
@ApiTags('verification')
@Controller('.well-known/oauth-authorization-server')
export class MetadataController {
  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl'>) {}

  @Get()
  @Header('cache-control', CACHED)
  @Public()
  @ApiOperation({
    operationId: 'getServerMetadata',
    summary: 'Returns the metadata of the authorization server (RFC 8414)',
    description: 'The issuer is `PUBLIC_URL`; unset, the address of the request.',
  })
  read(@Req() request: FastifyRequest): ServerMetadata {
    return metadataOf(publicUrlOf(request, this.config));
  }

  /** RFC 8414, 3.1: where the issuer has a path, it stands behind the well-known one. */
  @Get('*')
  @Header('cache-control', CACHED)
  @Public()
  @ApiOperation({
    operationId: 'getServerMetadataOfPath',
    summary: 'Returns the metadata of an authorization server whose issuer has a path (RFC 8414, 3.1)',
    description: 'Where `PUBLIC_URL` has a path; for any other it is not found.',
  })
  @ApiParam({
    name: 'path',
    type: String,
    description: 'The path of the issuer, of any depth.',
    example: 'patois',
  })
  @ApiRefusals(Problem, { 404: 'The issuer has another path' })
  readBelow(@Req() request: FastifyRequest): ServerMetadata {
    const { '*': path } = request.params as Record<'*', string>;
    const issuer = publicUrlOf(request, this.config);
    if (URL.canParse(issuer) && new URL(issuer).pathname === `/${path}`) return metadataOf(issuer);
    throw new Refusal('notFound', { reason: 'route', message: 'No such resource' });
  }
}

/** Nothing stands here that is not so: clients choose by it. */
function metadataOf(issuer: string): ServerMetadata {
  return {
    issuer,
    token_endpoint: `${issuer}${TOKEN_PATH}`,
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
    grant_types_supported: [TOKEN_EXCHANGE],
    // Section 3.2 has empty lists left out, section 2 requires this one, and so do clients.
    response_types_supported: [],
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    introspection_endpoint: `${issuer}/oauth2/introspect`,
    // A bearer token is no method of RFC 7591; section 2 allows types of access tokens here.
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'Bearer'],
    introspection_signing_alg_values_supported: [ALGORITHM],
    revocation_endpoint: `${issuer}/oauth2/revoke`,
    revocation_endpoint_auth_methods_supported: ['none'],
    service_documentation: `${issuer}/docs/patois`,
  };
}
