import { Module } from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { AccountsModule } from '../accounts/accounts.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { DecisionsModule } from '../decisions/decisions.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { Authenticator } from './authenticator.js';
import { Authorizer } from './authorizer.js';
import { PasswordAuthenticator } from './password-authenticator.js';
import { ScopeGuard } from './scope.guard.js';
import { PurgeSessionsTask } from './sessions/purge-sessions.task.js';
import { Sessions } from './sessions/sessions.js';
import { CookieStrategy } from './strategies/cookie.strategy.js';
import { PasswordStrategy } from './strategies/password.strategy.js';
import { SessionStrategy } from './strategies/session.strategy.js';
import { TokenStrategy } from './strategies/token.strategy.js';

/** Who is calling, and whether they may: asked before every route. */
@Module({
  imports: [AccountsModule, AuditModule, DecisionsModule, JobsModule, TokensModule],
  providers: [
    TokenStrategy,
    PasswordStrategy,
    SessionStrategy,
    CookieStrategy,
    Authenticator,
    Authorizer,
    PasswordAuthenticator,
    Sessions,
    PurgeSessionsTask,
    { provide: APP_GUARD, useClass: ScopeGuard },
  ],
  exports: [Authorizer, PasswordAuthenticator, Sessions],
})
export class AuthModule {
  constructor({ httpAdapter }: HttpAdapterHost) {
    httpAdapter.getInstance<FastifyInstance>().decorateRequest('user', null);
  }
}
