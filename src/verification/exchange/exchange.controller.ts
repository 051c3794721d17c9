import { Body, Controller, Header, HttpCode, Post, Req, UsePipes } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Public } from '../../auth/require-scopes.decorator.js';
import { FORM } from '../../http/body/form.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { OAuthError } from '../oauth/oauth.dto.js';
import { ExchangedToken, TokenExchange } from './exchange.dto.js';
import { ExchangeService } from './exchange.service.js';

/** The token endpoint of OAuth 2.0, with one grant. Parameters that it does not know are ignored. */
@ApiTags('verification')
@ApiConsumes(FORM)
@Controller('oauth2')
@UsePipes(validationPipe('dropped'))
export class ExchangeController {
  constructor(private readonly exchanges: ExchangeService) {}

  @Post('token')
  @HttpCode(200)
  // RFC 6749, 5.1.
  @Header('pragma', 'no-cache')
  @Public()
  @ApiOperation({
    operationId: 'exchangeToken',
    summary: 'Exchanges a token for a JWT access token (RFC 8693, RFC 9068)',
    description:
      'The token itself is the credential, and its CIDR blocks are compared with the address of the caller. A caller who authenticates presents the token of somebody else, from `client_ip`, and needs a password or a token with `patois:introspect`. The JWT lives for at most 300 seconds, and never longer than the token: services verify it by the keys of `/.well-known/jwks.json` without asking, so it outlives a revocation for so long.',
    security: [{}, { bearer: [] }, { basic: [] }],
  })
  @ApiBody({ type: TokenExchange })
  @ApiOkResponse({ type: ExchangedToken })
  @ApiRefusals(OAuthError, {
    400: 'invalid_request (also for a token that is not valid), invalid_scope, invalid_target, unsupported_grant_type or unauthorized_client',
    401: 'invalid_client',
    503: 'temporarily_unavailable',
  })
  exchange(@Body() form: TokenExchange, @Req() request: FastifyRequest): Promise<ExchangedToken> {
    return this.exchanges.exchange(form, request);
  }
}
