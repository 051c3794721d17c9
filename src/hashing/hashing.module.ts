import { type DynamicModule, Module } from '@nestjs/common';
import { HashingService } from './hashing.service.js';
import { SlowChecks } from './slow-checks.js';

@Module({})
export class HashingModule {
  static forRoot(hashing: HashingService): DynamicModule {
    return {
      module: HashingModule,
      global: true,
      providers: [{ provide: HashingService, useValue: hashing }, SlowChecks],
      exports: [HashingService, SlowChecks],
    };
  }
}
