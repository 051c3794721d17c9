import { type DynamicModule, Module } from '@nestjs/common';
import { DialectRegistry } from './dialect-registry.js';

/** The registry in which each dialect enters itself. */
@Module({})
export class ProtocolModule {
  /** @param registry made outside: the server answers some requests before Nest sees them. */
  static forRoot(registry: DialectRegistry): DynamicModule {
    return {
      module: ProtocolModule,
      global: true,
      providers: [{ provide: DialectRegistry, useValue: registry }],
      exports: [DialectRegistry],
    };
  }
}
