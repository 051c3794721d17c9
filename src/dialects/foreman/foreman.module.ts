import { Module } from '@nestjs/common';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { ApidocController } from './apidoc/apidoc.controller.js';
import { Apipie } from './apidoc/apipie.js';
import { DatabasePing } from './database-ping.js';
import { Directory } from './directory.js';
import { PersonalAccessTokensController } from './foreman.controller.js';
import { ForemanDialect } from './foreman.dialect.js';
import { HomeController } from './home.controller.js';
import { PingController } from './ping.controller.js';
import { UsersController } from './users.controller.js';

@Module({
  imports: [TokensModule],
  controllers: [
    PersonalAccessTokensController,
    UsersController,
    HomeController,
    PingController,
    ApidocController,
  ],
  providers: [Apipie, DatabasePing, Directory, ForemanDialect],
})
export class ForemanModule {
  constructor(registry: DialectRegistry, dialect: ForemanDialect) {
    registry.registerDialect(dialect);
  }
}
