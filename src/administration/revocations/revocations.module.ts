import { Module } from '@nestjs/common';
import { DecisionsModule } from '../../decisions/decisions.module.js';
import { TokenInventoryModule } from '../../tokens/inventory/token-inventory.module.js';
import { TokenRevocationsModule } from '../../tokens/revocations/token-revocations.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { RevocationsController } from './revocations.controller.js';
import { RevocationAdministrationService } from './revocations.service.js';

/** `/patois/v1/revocations`. */
@Module({
  imports: [TokenRevocationsModule, TokenInventoryModule, DecisionsModule, TokensModule],
  controllers: [RevocationsController],
  providers: [RevocationAdministrationService],
})
export class RevocationsModule {}
