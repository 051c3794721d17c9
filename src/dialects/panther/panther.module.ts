import { Module } from '@nestjs/common';
import { DialectRegistry } from '../../access/dialect.js';
import { PantherController } from './panther.controller.js';
import { panther } from './panther.dialect.js';

@Module({ controllers: [PantherController] })
export class PantherModule {
  constructor(registry: DialectRegistry) {
    registry.registerDialect(panther);
  }
}
