import { Module } from '@nestjs/common';
import { DialectRegistry } from '../protocol/dialect-registry.js';
import { PatoisDialect } from './patois.dialect.js';

/** What all of `/patois/v1` shares. */
@Module({ providers: [PatoisDialect] })
export class NativeModule {
  constructor(registry: DialectRegistry, dialect: PatoisDialect) {
    registry.registerDialect(dialect);
  }
}
