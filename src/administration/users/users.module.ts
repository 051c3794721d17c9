import { Module } from '@nestjs/common';
import { AccountsModule } from '../../accounts/accounts.module.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { UsersController } from './users.controller.js';
import { UserAdministrationService } from './users.service.js';

/** `/patois/v1/users`. */
@Module({
  imports: [AccountsModule, JobsModule, TokensModule],
  controllers: [UsersController],
  providers: [UserAdministrationService],
})
export class UsersModule {}
