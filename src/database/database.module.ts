import { type DynamicModule, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { AfterQueryEvent } from 'typeorm/subscriber/event/QueryEvent.js';
import { CONFIG, type Config } from '../config.js';
import type { Tracing } from '../tracing.js';
import { ChangeFeed } from './changes/change-feed.js';
import { ChangeListener } from './changes/change-listener.js';
import type { Database } from './database.js';
import { Listings } from './listings.js';
import { Snapshots } from './snapshots.js';
import { Standby } from './standby.js';
import { StatementCounts, statementOf, Statements, stepOf } from './statements.js';
import { Transactions } from './transactions.js';

/** The kind of statements that TypeORM makes. */
const TYPEORM = 'typeorm';
const TYPEORM_STEP = stepOf(TYPEORM);

/** What modules inject the store by. */
export const DATABASE = Symbol('database');

const NOTIFY = statementOf('heartbeat', 'SELECT pg_notify($1, $2)');

@Module({})
export class DatabaseModule {
  /** Offers an initialized data source; who made it also closes it, after the last write of the shutdown. */
  static forRoot(database: Database, dataSource: DataSource, tracing: Tracing): DynamicModule {
    const feed = new ChangeFeed(dataSource, database.isEmbedded);
    const counts = new StatementCounts();
    dataSource.subscribers.push({
      beforeQuery: () => counts.count(TYPEORM),
      afterQuery: ({ executionTime = 0, error }: AfterQueryEvent) =>
        tracing.note(TYPEORM_STEP, executionTime, error),
    });
    const statements = Statements.of(database, dataSource, counts, tracing);
    const { standbyServer } = database;
    const standby = standbyServer && new Standby(standbyServer, statements);
    return {
      module: DatabaseModule,
      global: true,
      providers: [
        { provide: DATABASE, useValue: database },
        { provide: DataSource, useValue: dataSource },
        { provide: ChangeFeed, useValue: feed },
        { provide: StatementCounts, useValue: counts },
        { provide: Transactions, useValue: Transactions.of(database, dataSource, feed, counts, tracing) },
        { provide: Snapshots, useValue: Snapshots.of(database, dataSource, standby) },
        { provide: Listings, useValue: new Listings(dataSource, standby) },
        { provide: Statements, useValue: statements },
        {
          provide: ChangeListener,
          inject: [ChangeFeed, Statements, CONFIG],
          useFactory: (feed: ChangeFeed, statements: Statements, config: Config) =>
            new ChangeListener(
              database.listenServer,
              (channel, payload) => statements.run(NOTIFY, [channel, payload]),
              feed,
              config.verificationMaxStalenessSeconds * 1000,
            ),
        },
      ],
      exports: [
        DATABASE,
        DataSource,
        ChangeFeed,
        ChangeListener,
        Listings,
        Snapshots,
        StatementCounts,
        Statements,
        Transactions,
      ],
    };
  }
}
