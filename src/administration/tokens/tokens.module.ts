import { Module } from '@nestjs/common';
import { DecisionsModule } from '../../decisions/decisions.module.js';
import { TokenInventoryModule } from '../../tokens/inventory/token-inventory.module.js';
import { TokenRevocationsModule } from '../../tokens/revocations/token-revocations.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { ExportsModule } from '../exports/exports.module.js';
import { TokenBatchController } from './token-batch.controller.js';
import { TokenExportController } from './token-export.controller.js';
import { TokenExport } from './token-export.service.js';
import { TokensController } from './tokens.controller.js';
import { TokenAdministrationService } from './tokens.service.js';

/** `/patois/v1/tokens`. */
@Module({
  imports: [TokenRevocationsModule, TokenInventoryModule, DecisionsModule, TokensModule, ExportsModule],
  controllers: [TokenBatchController, TokenExportController, TokensController],
  providers: [TokenExport, TokenAdministrationService],
  exports: [TokenAdministrationService],
})
export class TokenAdministrationModule {}
