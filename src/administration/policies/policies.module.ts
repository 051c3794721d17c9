import { Module } from '@nestjs/common';
import { DecisionsModule } from '../../decisions/decisions.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { MyPolicyController } from './my-policy.controller.js';
import { PoliciesController } from './policies.controller.js';
import { PolicyAdministrationService } from './policies.service.js';

/** `/patois/v1/organizations/{id}/policy`, and `/patois/v1/me/policy`. */
@Module({
  imports: [DecisionsModule, TokensModule],
  controllers: [MyPolicyController, PoliciesController],
  providers: [PolicyAdministrationService],
})
export class PoliciesModule {}
