import { type DynamicModule, Module } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { AccessModule } from './access/access.module.js';
import type { DialectRegistry } from './access/dialect.js';
import type { RouteTable } from './access/route-table.js';
import { AdministrationModule } from './administration/administration.module.js';
import { CONFIG, type Config } from './config.js';
import type { Database } from './database/database.js';
import { DatabaseModule } from './database/database.module.js';
import { LosantModule } from './dialects/losant/losant.module.js';
import { ForemanModule } from './dialects/foreman/foreman.module.js';
import { PantherModule } from './dialects/panther/panther.module.js';
import { QuayModule } from './dialects/quay/quay.module.js';
import { YunxiaoModule } from './dialects/yunxiao/yunxiao.module.js';
import { HashingModule } from './hashing/hashing.module.js';
import type { HashingService } from './hashing/hashing.service.js';
import { DocsModule } from './operations/docs.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { RegistryModule } from './verification/registry/registry.module.js';
import { VerificationModule } from './verification/verification.module.js';

/** What is made before Nest and handed to its modules. */
export interface Foundations {
  config: Config;
  database: Database;
  dataSource: DataSource;
  hashing: HashingService;
  registry: DialectRegistry;
  routes: RouteTable;
}

@Module({})
export class AppModule {
  static with({ config, database, dataSource, hashing, registry, routes }: Foundations): DynamicModule {
    return {
      module: AppModule,
      global: true,
      providers: [{ provide: CONFIG, useValue: config }],
      exports: [CONFIG],
      imports: [
        DatabaseModule.with(database, dataSource),
        HashingModule.with(hashing),
        AccessModule.with(registry, routes),
        VerificationModule,
        RegistryModule,
        AdministrationModule,
        DocsModule,
        OperationsModule,
        LosantModule,
        ForemanModule,
        PantherModule,
        QuayModule,
        YunxiaoModule,
      ],
    };
  }
}
