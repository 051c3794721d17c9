import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { DecisionsModule } from '../../decisions/decisions.module.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { SigningModule } from '../../signing/signing.module.js';
import { IssuedJwts } from './issued-jwts.js';
import { RegistryAccess } from './registry-access.js';
import { RegistryLogin } from './registry-login.js';
import { RegistryTokens } from './registry-tokens.js';
import { RegistryController } from './registry.controller.js';
import { RegistryOwner } from './registry.owner.js';

/** For registries that accept Patois' tokens: the endpoint their clients are sent to, and the certificates they trust. */
@Module({
  imports: [AuditModule, DecisionsModule, SigningModule],
  controllers: [RegistryController],
  providers: [IssuedJwts, RegistryLogin, RegistryAccess, RegistryOwner, RegistryTokens],
})
export class RegistryModule {
  constructor(registry: DialectRegistry, owner: RegistryOwner) {
    registry.registerOwner(owner);
  }
}
