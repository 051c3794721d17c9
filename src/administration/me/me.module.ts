import { Module } from '@nestjs/common';
import { AccountsModule } from '../../accounts/accounts.module.js';
import { AuthModule } from '../../auth/auth.module.js';
import { MeController } from './me.controller.js';
import { MeService } from './me.service.js';

/** `/patois/v1/me`. */
@Module({
  imports: [AccountsModule, AuthModule],
  controllers: [MeController],
  providers: [MeService],
})
export class MeModule {}
