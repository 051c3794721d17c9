import { Body, Controller, HttpCode, Post, Req, UsePipes } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiExtraModels, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Public } from '../../auth/require-scopes.decorator.js';
import { FORM } from '../../http/body/form.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { Introspection, IntrospectionAnswer } from '../introspection/introspection.dto.js';
import { OAuthError, Revocation } from './oauth.dto.js';
import { RevocationService } from './revocation.service.js';

/** Revocation by the holder. Parameters that it does not know are ignored, as RFC 6749 wants it. */
@ApiTags('verification')
// Introspection is no route of Nest's: its schemas have nowhere else to stand.
@ApiExtraModels(Introspection, IntrospectionAnswer)
@ApiConsumes(FORM)
@Controller('oauth2')
@UsePipes(validationPipe('dropped'))
export class OAuthController {
  constructor(private readonly revocation: RevocationService) {}

  @Post('revoke')
  @HttpCode(200)
  @Public()
  @ApiOperation({
    operationId: 'revokeHeldToken',
    summary: 'Revokes the token that the caller holds (RFC 7009)',
    description:
      'The token itself is the credential: whoever holds it may revoke it. An unknown token is answered with 200 as well (RFC 7009, section 2.2).',
  })
  @ApiBody({ type: Revocation })
  @ApiRefusals(OAuthError, { 400: 'invalid_request, or unsupported_token_type for a JWT' })
  async revoke(@Body() { token }: Revocation, @Req() request: FastifyRequest): Promise<void> {
    await this.revocation.revoke(token, request.patois.origin);
  }
}
