import { type DynamicModule, Module } from '@nestjs/common';
import { HashingService } from './hashing.service.js';

@Module({})
export class HashingModule {
  static forRoot(hashing: HashingService): DynamicModule {
    return {
      module: HashingModule,
      global: true,
      providers: [{ provide: HashingService, useValue: hashing }],
      exports: [HashingService],
    };
  }
}
