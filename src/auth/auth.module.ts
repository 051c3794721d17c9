import { Module } from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { AuditModule } from '../audit/audit.module.js';
import { DecisionsModule } from '../decisions/decisions.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { Authenticator } from './authenticator.js';
import { Authorizer } from './authorizer.js';
import { PasswordAuthenticator } from './password-authenticator.js';
import { ScopeGuard } from './scope.guard.js';
import { PasswordStrategy } from './strategies/password.strategy.js';
import { SessionStrategy } from './strategies/session.strategy.js';
import { TokenStrategy } from './strategies/token.strategy.js';

/** Who is calling, and whether they may: asked before every route. */
@Module({
  imports: [AuditModule, DecisionsModule, TokensModule],
  providers: [
    TokenStrategy,
    PasswordStrategy,
    SessionStrategy,
    Authenticator,
    Authorizer,
    PasswordAuthenticator,
    { provide: APP_GUARD, useClass: ScopeGuard },
  ],
  exports: [Authorizer, PasswordAuthenticator],
})
export class AuthModule {
  constructor({ httpAdapter }: HttpAdapterHost) {
    httpAdapter.getInstance<FastifyInstance>().decorateRequest('user', null);
  }
}
