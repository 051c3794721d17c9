import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { Exports } from './exports.js';

/** What exports share. */
@Module({
  imports: [AuditModule, TokensModule],
  providers: [Exports],
  exports: [Exports],
})
export class ExportsModule {}
