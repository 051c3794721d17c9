import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { DecisionsModule } from '../../decisions/decisions.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { IssuedJwts } from './issued-jwts.js';
import { JwksController } from './jwks.controller.js';
import { RegistryAccess } from './registry-access.js';
import { RegistryLogin } from './registry-login.js';
import { RegistryTokens } from './registry-tokens.js';
import { RegistryController } from './registry.controller.js';
import { RegistryOwner } from './registry.owner.js';
import { SigningKeysTask } from './signing-keys.task.js';
import { SigningKeys } from './signing-keys.js';

/** For registries that accept Patois' tokens: the endpoint their clients are sent to, and the keys they trust. */
@Module({
  imports: [AuditModule, DecisionsModule, JobsModule],
  controllers: [RegistryController, JwksController],
  providers: [
    IssuedJwts,
    RegistryLogin,
    RegistryAccess,
    RegistryOwner,
    RegistryTokens,
    SigningKeys,
    SigningKeysTask,
  ],
})
export class RegistryModule {
  constructor(registry: DialectRegistry, owner: RegistryOwner) {
    registry.registerOwner(owner);
  }
}
