import { Module } from '@nestjs/common';
import { DialectRegistry } from '../../access/dialect.js';
import { Directory } from './directory.js';
import { PersonalAccessTokensController } from './foreman.controller.js';
import { ForemanDialect } from './foreman.dialect.js';

@Module({
  controllers: [PersonalAccessTokensController],
  providers: [Directory, { provide: ForemanDialect, useValue: new ForemanDialect('') }],
})
export class ForemanModule {
  constructor(registry: DialectRegistry, dialect: ForemanDialect) {
    registry.registerDialect(dialect);
  }
}
