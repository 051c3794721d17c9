import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { TokenService } from './token.service.js';

@Module({ imports: [AuditModule], providers: [TokenService], exports: [TokenService] })
export class TokensModule {}
