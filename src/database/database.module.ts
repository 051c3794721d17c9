import { type DynamicModule, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ChangeFeed } from './change-feed.js';
import type { Database } from './database.js';

/** What modules inject the store by. */
export const DATABASE = Symbol('database');

@Module({})
export class DatabaseModule {
  /** Offers an initialized data source; who made it also closes it, after the last write of the shutdown. */
  static with(database: Database, dataSource: DataSource): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [
        { provide: DATABASE, useValue: database },
        { provide: DataSource, useValue: dataSource },
        { provide: ChangeFeed, useValue: new ChangeFeed(dataSource, database.isEmbedded) },
      ],
      exports: [DATABASE, DataSource, ChangeFeed],
    };
  }
}
