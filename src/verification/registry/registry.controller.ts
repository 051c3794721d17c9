import { applyDecorators, Controller, Get, Header, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiQuery, ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Public } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { SigningKeys } from '../../signing/signing-keys.js';
import { RegistryLogin } from './registry-login.js';
import { RegistryTokens } from './registry-tokens.js';
import { RegistryErrors, RegistryToken } from './registry.dto.js';

/** An endpoint that exchanges HTTP Basic with a token for a registry's token. */
function TokenDoor(operation: {
  operationId: string;
  summary: string;
  description: string;
}): MethodDecorator {
  return applyDecorators(
    Public(),
    ApiOperation(operation),
    ApiSecurity('basic'),
    ApiQuery({
      name: 'service',
      type: String,
      description: 'The name of the registry, as configured there.',
      example: 'registry.example.com',
    }),
    ApiQuery({
      name: 'scope',
      required: false,
      isArray: true,
      type: String,
      description:
        'Requested access, such as `repository:login/name:pull,push`. May be repeated, or hold several separated by spaces.',
    }),
    ApiRefusals(RegistryErrors, {
      400: '`service` is missing or not served here',
      401: 'The password is not a valid token',
      403: 'The request comes from outside the CIDR blocks of the token',
    }),
  );
}

/**
 * Where a registry sends its clients for a token
 * (https://distribution.github.io/distribution/spec/auth/token/). Asked by Quay's path and by the usual one.
 */
@ApiTags('registry')
@Controller('v2')
export class RegistryController {
  constructor(
    private readonly login: RegistryLogin,
    private readonly tokens: RegistryTokens,
    private readonly keys: SigningKeys,
  ) {}

  @Get('auth')
  @TokenDoor({
    operationId: 'authorizeRegistryClient',
    summary: "Issues a registry's token, at Quay's path",
    description: 'The same as `/v2/token`, for clients that know only this path.',
  })
  async authorize(@Req() request: FastifyRequest): Promise<RegistryToken> {
    return this.tokens.issue(await this.login.check(request), request);
  }

  @Get('token')
  @TokenDoor({
    operationId: 'issueRegistryToken',
    summary: "Issues a registry's token",
    description:
      'A registry sends its clients here: HTTP Basic with a login and a token is exchanged for a JWT that is valid for at most 300 seconds and holds the granted part of the requested access.',
  })
  async issue(@Req() request: FastifyRequest): Promise<RegistryToken> {
    return this.tokens.issue(await this.login.check(request), request);
  }

  @Get('token/certs.pem')
  @Header('content-type', 'application/x-pem-file')
  @Header('cache-control', 'public, max-age=300')
  @Public()
  @ApiOperation({
    operationId: 'getRegistryCertificates',
    summary: 'Returns the certificates that a registry trusts, as one PEM bundle',
    description:
      "For `auth.token.rootcertbundle` of a registry's configuration. A new key is published 14 days before it signs.",
  })
  @ApiProduces('application/x-pem-file')
  @ApiOkResponse({
    schema: {
      type: 'string',
      example: '-----BEGIN CERTIFICATE-----\nMIIBJjCBzaADAgECAhABDMI=\n-----END CERTIFICATE-----\n',
    },
  })
  async certificates(): Promise<string> {
    return (await this.keys.certificates()).join('');
  }
}
