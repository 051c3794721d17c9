import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public } from '../../auth/require-scopes.decorator.js';
import { jwkOf } from '../../signing/key-pair.js';
import { SigningKeys } from '../../signing/signing-keys.js';
import { JwkSet } from './jwks.dto.js';

/** The public keys of what this server signs. */
@ApiTags('verification')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly keys: SigningKeys) {}

  @Get('jwks.json')
  @Header('cache-control', 'public, max-age=300')
  @Public()
  @ApiOperation({
    operationId: 'getSigningKeys',
    summary: 'Returns the public keys of the JWTs that are issued here (RFC 7517)',
    description: 'The keys that sign now, signed until recently, or will sign soon.',
  })
  async list(): Promise<JwkSet> {
    return { keys: (await this.keys.certificates()).map(jwkOf) };
  }
}
