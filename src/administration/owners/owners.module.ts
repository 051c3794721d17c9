import { Module } from '@nestjs/common';
import { DecisionsModule } from '../../decisions/decisions.module.js';
import { TokenInventoryModule } from '../../tokens/inventory/token-inventory.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { OwnersController } from './owners.controller.js';
import { OwnersService } from './owners.service.js';

/** `/patois/v1/owners`. */
@Module({
  imports: [TokenInventoryModule, DecisionsModule, TokensModule],
  controllers: [OwnersController],
  providers: [OwnersService],
})
export class OwnersModule {}
