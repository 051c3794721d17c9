import { Module } from '@nestjs/common';
import { TokenImportsModule } from '../../tokens/imports/token-imports.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { TokenAdministrationModule } from '../tokens/tokens.module.js';
import { ImportsController } from './imports.controller.js';
import { ImportAdministrationService } from './imports.service.js';

/** `/patois/v1/imports`. */
@Module({
  imports: [TokenImportsModule, TokensModule, TokenAdministrationModule],
  controllers: [ImportsController],
  providers: [ImportAdministrationService],
})
export class ImportsModule {}
