import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { NoticesModule } from '../../notices/notices.module.js';
import { TokensModule } from '../tokens.module.js';
import { LeakedTokens } from './leaked-tokens.js';

/** Tokens whose values were found where they should not be. */
@Module({
  imports: [AuditModule, NoticesModule, TokensModule],
  providers: [LeakedTokens],
  exports: [LeakedTokens],
})
export class TokenLeaksModule {}
