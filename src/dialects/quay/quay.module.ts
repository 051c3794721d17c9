import { Inject, Module } from '@nestjs/common';
import { DialectRegistry } from '../../access/dialect.js';
import { CONFIG, type Config } from '../../config.js';
import { QuayController } from './quay.controller.js';
import { QuayDescriptionController } from './quay.description.controller.js';
import { QuayDialect } from './quay.dialect.js';
import { SealedCopies } from './quay.sealed-copies.js';

@Module({ controllers: [QuayController, QuayDescriptionController], providers: [SealedCopies] })
export class QuayModule {
  constructor(registry: DialectRegistry, @Inject(CONFIG) config: Config) {
    registry.registerDialect(new QuayDialect(config));
  }
}
