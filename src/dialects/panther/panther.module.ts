import { Module } from '@nestjs/common';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { PantherController } from './panther.controller.js';
import { PantherDialect } from './panther.dialect.js';

@Module({ imports: [TokensModule], controllers: [PantherController], providers: [PantherDialect] })
export class PantherModule {
  constructor(registry: DialectRegistry, dialect: PantherDialect) {
    registry.registerDialect(dialect);
  }
}
