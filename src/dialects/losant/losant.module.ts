import { Module } from '@nestjs/common';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { LosantController } from './losant.controller.js';
import { LosantDialect } from './losant.dialect.js';

@Module({ imports: [TokensModule], controllers: [LosantController], providers: [LosantDialect] })
export class LosantModule {
  constructor(registry: DialectRegistry, dialect: LosantDialect) {
    registry.registerDialect(dialect);
  }
}
