import { Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { AuthModule } from '../../auth/auth.module.js';
import { DecisionsModule } from '../../decisions/decisions.module.js';
import { SigningModule } from '../../signing/signing.module.js';
import { OAuthModule } from '../oauth/oauth.module.js';
import { ExchangeEvents } from './exchange-events.js';
import { ExchangeController } from './exchange.controller.js';
import { ExchangeService } from './exchange.service.js';
import { SubjectTokens } from './subject-tokens.js';

/** `/oauth2/token`: a token for a JWT. */
@Module({
  imports: [AuditModule, AuthModule, DecisionsModule, OAuthModule, SigningModule],
  controllers: [ExchangeController],
  providers: [ExchangeEvents, ExchangeService, SubjectTokens],
})
export class ExchangeModule {}
