import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { DialectRegistry } from '../access/dialect.js';
import { PatoisDialect } from './patois.dialect.js';

@Module({ imports: [AccountsModule], exports: [AccountsModule] })
export class AdministrationModule {
  constructor(registry: DialectRegistry) {
    registry.registerDialect(new PatoisDialect(registry));
  }
}
