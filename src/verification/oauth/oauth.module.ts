import { Module } from '@nestjs/common';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { SigningModule } from '../../signing/signing.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { JwksController } from './jwks.controller.js';
import { MetadataController } from './metadata.controller.js';
import { OAuthController } from './oauth.controller.js';
import { OAuthOwner } from './oauth.owner.js';
import { RevocationService } from './revocation.service.js';

/** What all of `/oauth2` shares, and revocation by the holder. */
@Module({
  imports: [SigningModule, TokensModule],
  controllers: [JwksController, MetadataController, OAuthController],
  providers: [OAuthOwner, RevocationService],
  exports: [OAuthOwner],
})
export class OAuthModule {
  constructor(registry: DialectRegistry, owner: OAuthOwner) {
    registry.registerOwner(owner);
  }
}
