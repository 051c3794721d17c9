import { Module } from '@nestjs/common';
import { DialectRegistry } from '../../access/dialect.js';
import { ApidocController } from './apidoc.controller.js';
import { Apipie } from './apipie.js';
import { DatabasePing } from './database-ping.js';
import { Directory } from './directory.js';
import { PersonalAccessTokensController } from './foreman.controller.js';
import { ForemanDialect } from './foreman.dialect.js';
import { HomeController } from './home.controller.js';
import { PingController } from './ping.controller.js';
import { UsersController } from './users.controller.js';

@Module({
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
