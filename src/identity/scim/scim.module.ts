import { Module } from '@nestjs/common';
import { AccountsModule } from '../../accounts/accounts.module.js';
import { AuditModule } from '../../audit/audit.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { DiscoveryController } from './discovery.controller.js';
import { RoleGroups } from './groups/role-groups.js';
import { ScimGroupsController } from './groups/scim-groups.controller.js';
import { ScimGroupsService } from './groups/scim-groups.service.js';
import { ScimOwner } from './scim.owner.js';
import { ScimUsersController } from './users/scim-users.controller.js';
import { ScimUsersService } from './users/scim-users.service.js';

/** `/scim/v2`: users and groups of an organization, as its identity provider keeps them (RFC 7643, 7644). */
@Module({
  imports: [AccountsModule, AuditModule, JobsModule, TokensModule],
  controllers: [DiscoveryController, ScimUsersController, ScimGroupsController],
  providers: [RoleGroups, ScimGroupsService, ScimOwner, ScimUsersService],
})
export class ScimModule {
  constructor(registry: DialectRegistry, owner: ScimOwner) {
    registry.registerOwner(owner);
  }
}
