import { Module } from '@nestjs/common';
import { DecisionsModule } from '../../decisions/decisions.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { RevocationsController } from './revocations.controller.js';
import { RevocationAdministrationService } from './revocations.service.js';

/** `/patois/v1/revocations`. */
@Module({
  imports: [DecisionsModule, TokensModule],
  controllers: [RevocationsController],
  providers: [RevocationAdministrationService],
})
export class RevocationsModule {}
