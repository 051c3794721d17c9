import { Body, Controller, Header, HttpCode, Inject, Post, Req, UsePipes } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Needs, Public } from '../access/needs.js';
import { publicUrlOf } from '../access/public-url.js';
import { Refuses } from '../access/refuses.js';
import { validated } from '../access/validation.js';
import { FORM } from '../access/body.js';
import { CONFIG, type Config } from '../config.js';
import { parseCallerAddress } from '../tokens/cidr.js';
import { HolderRevocation } from './holder-revocation.js';
import { Judge } from './judge.js';
import { scopesOf } from './scopes.js';
import { Introspection, IntrospectionAnswer, OAuthError, Revocation } from './verification.dto.js';

/** The standard doors of OAuth 2.0. Parameters that they do not know are ignored, as RFC 6749 wants it. */
@ApiTags('verification')
@ApiConsumes(FORM)
@Controller('oauth2')
@UsePipes(validated('dropped'))
export class OAuthController {
  constructor(
    private readonly judge: Judge,
    private readonly revocation: HolderRevocation,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post('introspect')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @Needs('patois', 'patois:introspect')
  @ApiOperation({ operationId: 'introspectToken', summary: 'Says whether a token is active (RFC 7662)' })
  @ApiBody({ type: Introspection })
  @Refuses(OAuthError, { 400: 'invalid_request', 401: 'invalid_client', 403: 'insufficient_scope' })
  async introspect(
    @Body() body: Introspection,
    @Req() request: FastifyRequest,
  ): Promise<IntrospectionAnswer> {
    const judgement = await this.judge.judge({
      value: body.token,
      address: body.client_ip === undefined ? undefined : parseCallerAddress(body.client_ip),
      scopes: scopesOf(body.scope),
    });
    // Why not is nobody's business: RFC 7662, section 2.2.
    return new IntrospectionAnswer(
      judgement.isActive ? judgement.token : undefined,
      publicUrlOf(request, this.config),
    );
  }

  @Post('revoke')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @Public()
  @ApiOperation({
    operationId: 'revokeHeldToken',
    summary: 'Revokes the token that the caller holds (RFC 7009)',
  })
  @ApiBody({ type: Revocation })
  @Refuses(OAuthError, { 400: 'invalid_request' })
  async revoke(@Body() { token }: Revocation, @Req() request: FastifyRequest): Promise<void> {
    await this.revocation.revoke(token, request.patois.origin);
  }
}
