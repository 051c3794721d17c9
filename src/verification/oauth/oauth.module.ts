import { Module } from '@nestjs/common';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { OAuthController } from './oauth.controller.js';
import { OAuthOwner } from './oauth.owner.js';
import { RevocationService } from './revocation.service.js';

/** What all of `/oauth2` shares, and revocation by the holder. */
@Module({
  imports: [TokensModule],
  controllers: [OAuthController],
  providers: [OAuthOwner, RevocationService],
  exports: [OAuthOwner],
})
export class OAuthModule {
  constructor(registry: DialectRegistry, owner: OAuthOwner) {
    registry.registerOwner(owner);
  }
}
