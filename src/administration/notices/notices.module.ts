import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { NoticesModule } from '../../notices/notices.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { NoticesController } from './notices.controller.js';
import { NoticeAdministrationService } from './notices.service.js';

/** `/patois/v1/notice-channels`. */
@Module({
  imports: [AuditModule, NoticesModule, TokensModule],
  controllers: [NoticesController],
  providers: [NoticeAdministrationService],
})
export class NoticeAdministrationModule {}
