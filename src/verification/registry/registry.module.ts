import { Module } from '@nestjs/common';
import { DialectRegistry } from '../../access/dialect.js';
import { AuditModule } from '../../audit/audit.module.js';
import { VerificationModule } from '../verification.module.js';
import { IssuedJwts } from './issued-jwts.js';
import { JwksController } from './jwks.controller.js';
import { RegistryAccess } from './registry-access.js';
import { RegistryController } from './registry.controller.js';
import { RegistryLogin } from './registry-login.js';
import { registryOwner } from './registry.owner.js';
import { RegistryTokens } from './registry-tokens.js';
import { SigningKeys } from './signing-keys.js';

/** A registry that takes Patois' tokens: the door its clients are sent to, and the keys it trusts. */
@Module({
  imports: [AuditModule, VerificationModule],
  controllers: [RegistryController, JwksController],
  providers: [IssuedJwts, RegistryLogin, RegistryAccess, RegistryTokens, SigningKeys],
})
export class RegistryModule {
  constructor(registry: DialectRegistry) {
    registry.registerOwner(registryOwner);
  }
}
