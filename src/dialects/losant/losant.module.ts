import { Module } from '@nestjs/common';
import { DialectRegistry } from '../../access/dialect.js';
import { LosantController } from './losant.controller.js';
import { losant } from './losant.dialect.js';

@Module({ controllers: [LosantController] })
export class LosantModule {
  constructor(registry: DialectRegistry) {
    registry.registerDialect(losant);
  }
}
