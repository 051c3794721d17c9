import { type DynamicModule, Module } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { AdministrationModule } from './administration/administration.module.js';
import { AUDIT_KEYS, type AuditKeys } from './audit/audit-keys.js';
import { AuthModule } from './auth/auth.module.js';
import { CONFIG, type Config } from './config.js';
import { ConsoleModule } from './console/console.module.js';
import { SIGN_IN_PROVIDERS, type SignInProvider } from './console/sign-in/sign-in-provider.js';
import type { Database } from './database/database.js';
import { DatabaseModule } from './database/database.module.js';
import { ForemanModule } from './dialects/foreman/foreman.module.js';
import { LosantModule } from './dialects/losant/losant.module.js';
import { PantherModule } from './dialects/panther/panther.module.js';
import { QuayModule } from './dialects/quay/quay.module.js';
import { YunxiaoModule } from './dialects/yunxiao/yunxiao.module.js';
import { ScimModule } from './identity/scim/scim.module.js';
import { HashingModule } from './hashing/hashing.module.js';
import type { HashingService } from './hashing/hashing.service.js';
import type { HttpServers } from './http/http-servers.js';
import { HttpModule } from './http/http.module.js';
import type { RouteTable } from './http/route-table.js';
import { DocsModule } from './openapi/docs.module.js';
import { OperationsModule } from './operations/operations.module.js';
import type { DialectRegistry } from './protocol/dialect-registry.js';
import { ProtocolModule } from './protocol/protocol.module.js';
import { TRACING, type Tracing } from './tracing.js';
import { BatchModule } from './verification/batch/batch.module.js';
import { ExchangeModule } from './verification/exchange/exchange.module.js';
import { GatewayModule } from './verification/gateway/gateway.module.js';
import { IntrospectionModule } from './verification/introspection/introspection.module.js';
import { OAuthModule } from './verification/oauth/oauth.module.js';
import { RegistryModule } from './verification/registry/registry.module.js';

/** What is made before Nest and handed to its modules. */
export interface AppDependencies {
  config: Config;
  database: Database;
  dataSource: DataSource;
  hashing: HashingService;
  auditKeys: AuditKeys;
  registry: DialectRegistry;
  routes: RouteTable;
  servers: HttpServers;
  signInProviders: SignInProvider[];
  tracing: Tracing;
}

@Module({})
export class AppModule {
  static forRoot(dependencies: AppDependencies): DynamicModule {
    const { config, database, dataSource, hashing, auditKeys, registry, routes, servers } = dependencies;
    const { signInProviders, tracing } = dependencies;
    return {
      module: AppModule,
      global: true,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: AUDIT_KEYS, useValue: auditKeys },
        { provide: SIGN_IN_PROVIDERS, useValue: signInProviders },
        { provide: TRACING, useValue: tracing },
      ],
      exports: [CONFIG, AUDIT_KEYS, SIGN_IN_PROVIDERS, TRACING],
      imports: [
        DatabaseModule.forRoot(database, dataSource, tracing),
        HashingModule.forRoot(hashing),
        ProtocolModule.forRoot(registry),
        HttpModule.forRoot(routes, servers),
        AuthModule,
        OAuthModule,
        ExchangeModule,
        BatchModule,
        IntrospectionModule,
        GatewayModule,
        RegistryModule,
        AdministrationModule,
        ConsoleModule,
        DocsModule,
        OperationsModule,
        ScimModule,
        LosantModule,
        ForemanModule,
        PantherModule,
        QuayModule,
        YunxiaoModule,
      ],
    };
  }
}
