import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AccountsService } from './accounts.service.js';
import { UserRows } from './user-rows.js';

@Module({
  imports: [AuditModule],
  providers: [AccountsService, UserRows],
  exports: [AccountsService, UserRows],
})
export class AccountsModule {}
