import { Module } from '@nestjs/common';
import { AccountsModule } from '../../accounts/accounts.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { LocationsController } from './locations.controller.js';
import { LocationsService } from './locations.service.js';

/** `/patois/v1/locations`. */
@Module({
  imports: [AccountsModule, TokensModule],
  controllers: [LocationsController],
  providers: [LocationsService],
})
export class LocationsModule {}
