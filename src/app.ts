import { type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AddressInfo } from 'node:net';
import type { DataSource } from 'typeorm';
import { DialectRegistry } from './access/dialect.js';
import { createHttpAdapter } from './access/http-server.js';
import { RefusedTokens } from './access/refused-tokens.js';
import { RouteTable } from './access/route-table.js';
import { UsageRecorder } from './access/usage-recorder.js';
import { type FirstStart, makeFirstAdministrator } from './accounts/first-start.js';
import { AppModule } from './app.module.js';
import type { Config } from './config.js';
import { createDataSource } from './data-source.js';
import { type Database, openDatabase } from './database/database.js';
import { migrateAlone } from './database/migrate.js';
import { HashingService } from './hashing/hashing.service.js';
import { loadKeyRing } from './hashing/key-ring.js';

const IDLE_SWEEP_MS = 50;

/** A Patois that is ready to listen. */
export interface App {
  nest: NestFastifyApplication;
  dataSource: DataSource;
  /** What this start made, if there were no users before. */
  firstStart: FirstStart | undefined;
  /** Listens, and gives the address clients reach it by. */
  listen(): Promise<string>;
  /** Ends it: requests in flight finish, or are given up; what is pending is written, then the database closes. */
  close(): Promise<void>;
}

/** The address cannot be listened on: taken, not this machine's, or not allowed. */
export class ListenError extends Error {}

/**
 * Everything that main and the tests share: store, schema, first administrator, server.
 *
 * @param openStore what `config` names, unless a test brings its own.
 */
export async function createApp(
  config: Config,
  logger: LoggerService | false,
  openStore: (config: Config) => Promise<Database> = openDatabase,
): Promise<App> {
  const database = await openStore(config);
  const dataSource = createDataSource(database);
  try {
    const keyRing = await loadKeyRing(config);
    const hashing = new HashingService(keyRing, config.bcryptCost);
    await dataSource.initialize();
    const firstStart = await migrateAlone(dataSource, database.isEmbedded, () =>
      makeFirstAdministrator(dataSource, hashing, config.adminPassword),
    );
    const registry = new DialectRegistry();
    const routes = new RouteTable();
    const nest = await NestFactory.create<NestFastifyApplication>(
      AppModule.with({ config, database, dataSource, hashing, registry, routes }),
      createHttpAdapter(config, registry, routes),
      {
        logger,
        bodyParser: false,
        abortOnError: false,
        routeConflictPolicy: { duplicate: 'error' },
        routeResolutionStrategy: 'specificity',
      },
    );
    await nest.init();
    return {
      nest,
      dataSource,
      firstStart,
      listen: async () => {
        await nest.listen(config.port, config.host).catch((problem: NodeJS.ErrnoException) => {
          throw new ListenError(`Cannot listen on ${config.host}:${config.port}: ${problem.code}`);
        });
        return addressOf(nest);
      },
      close: async () => {
        await closeServer(nest, config.shutdownTimeoutSeconds * 1000);
        await nest.get(UsageRecorder).flush();
        await nest.get(RefusedTokens).flush();
        await dataSource.destroy();
        await database.close();
      },
    };
  } catch (problem) {
    if (dataSource.isInitialized) await dataSource.destroy();
    await database.close();
    throw problem;
  }
}

/**
 * Ends the server. A connection that was busy when the end began would else stay for as long as its client keeps it, and
 * one whose request never arrives whole for ever: a server that closes no longer looks at how long they take.
 */
async function closeServer(nest: NestFastifyApplication, deadlineMs: number): Promise<void> {
  const sweep = setInterval(() => nest.getHttpServer().closeIdleConnections(), IDLE_SWEEP_MS);
  const deadline = setTimeout(() => nest.getHttpServer().closeAllConnections(), deadlineMs);
  try {
    await nest.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(deadline);
  }
}

function addressOf(nest: NestFastifyApplication): string {
  const { address, family, port } = nest.getHttpServer().address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
