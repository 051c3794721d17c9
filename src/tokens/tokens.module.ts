import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditModule } from '../audit/audit.module.js';
import type { Database } from '../database/database.js';
import { DATABASE } from '../database/database.module.js';
import { hotQuery } from '../database/hot-query.js';
import { HashingService } from '../hashing/hashing.service.js';
import { LOOKUP_SQL, TokenLookup } from './token-lookup.js';
import { TokenService } from './token.service.js';

@Module({
  imports: [AuditModule],
  providers: [
    TokenService,
    {
      provide: TokenLookup,
      inject: [DATABASE, DataSource, HashingService],
      useFactory: (database: Database, dataSource: DataSource, hashing: HashingService) =>
        new TokenLookup(hotQuery(database, dataSource, 'verify', LOOKUP_SQL), hashing, dataSource),
    },
  ],
  exports: [TokenService, TokenLookup],
})
export class TokensModule {}
