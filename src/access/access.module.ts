import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { AuditModule } from '../audit/audit.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { CONFIG, type Config } from '../config.js';
import { ChangeFeed } from '../database/change-feed.js';
import { ChangeListener } from '../database/change-listener.js';
import type { Database } from '../database/database.js';
import { DATABASE } from '../database/database.module.js';
import { Authenticator } from './authenticator.js';
import { CredentialCheck } from './credential-check.js';
import { DialectRegistry } from './dialect.js';
import { Passwords } from './passwords.js';
import { RefusedTokens } from './refused-tokens.js';
import { RefusalFilter } from './refusal.filter.js';
import { RouteTable } from './route-table.js';
import { ScopeGuard } from './scope.guard.js';
import { VerdictCache } from './verdict-cache.js';
import { Verifier } from './verifier.js';
import { UsageRecorder } from './usage-recorder.js';

@Module({})
export class AccessModule {
  /** @param registry and `routes` are made outside: the server answers some requests before Nest sees them. */
  static with(registry: DialectRegistry, routes: RouteTable): DynamicModule {
    return {
      module: AccessModule,
      global: true,
      imports: [AuditModule, TokensModule],
      providers: [
        { provide: DialectRegistry, useValue: registry },
        { provide: RouteTable, useValue: routes },
        {
          provide: ChangeListener,
          inject: [DATABASE, ChangeFeed, CONFIG],
          useFactory: ({ url }: Database, feed: ChangeFeed, config: Config) =>
            new ChangeListener(url, feed, config.verificationMaxStalenessSeconds * 1000),
        },
        {
          provide: VerdictCache,
          inject: [ChangeListener, ChangeFeed, CONFIG],
          useFactory: ({ hearing }: ChangeListener, feed: ChangeFeed, config: Config) => {
            const cache = new VerdictCache(config.verificationMaxStalenessSeconds * 1000, hearing);
            feed.onChange((keys) => cache.forget(keys));
            return cache;
          },
        },
        Verifier,
        Authenticator,
        CredentialCheck,
        Passwords,
        RefusedTokens,
        UsageRecorder,
        { provide: APP_GUARD, useClass: ScopeGuard },
        { provide: APP_FILTER, useClass: RefusalFilter },
      ],
      exports: [
        Verifier,
        VerdictCache,
        ChangeListener,
        DialectRegistry,
        RouteTable,
        RefusedTokens,
        UsageRecorder,
        Authenticator,
        Passwords,
        TokensModule,
      ],
    };
  }
}
