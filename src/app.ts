import { type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { lookup } from 'node:dns/promises';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { type FirstStart, makeFirstAdministrator } from './accounts/first-start.js';
import { AppModule } from './app.module.js';
import { AuditWriter } from './audit/audit.writer.js';
import { PasswordAuthenticator } from './auth/password-authenticator.js';
import type { Config } from './config.js';
import { FailedSignIns } from './console/sign-in/failed-sign-ins.js';
import { ExchangeEvents } from './verification/exchange/exchange-events.js';
import { readSignInProviders } from './console/sign-in/read-providers.js';
import { createDataSource } from './data-source.js';
import { type Database, openDatabase } from './database/database.js';
import { migrateAlone } from './database/migrate.js';
import { Statements } from './database/statements.js';
import { RefusedTokens } from './decisions/refused-tokens.js';
import { UsageRecorder } from './decisions/usage-recorder.js';
import { AuditKeyRing } from './hashing/audit-key-ring.js';
import { HashingService } from './hashing/hashing.service.js';
import { loadKeyRing } from './hashing/key-ring.js';
import { createHttpAdapter } from './http/http-adapter.js';
import { HttpServers } from './http/http-servers.js';
import { ListenError } from './http/listen-error.js';
import { RefusedCalls } from './http/refusals/refused-calls.js';
import { RouteTable } from './http/route-table.js';
import { fastPathTracer } from './operations/tracing/fast-path-spans.js';
import { openTracing } from './operations/tracing/open-tracing.js';
import { DialectRegistry } from './protocol/dialect-registry.js';
import { PolicyEnforcement } from './tokens/policy/policy-enforcement.js';
import { makeFirstPolicy } from './tokens/policy/policy.entity.js';
import type { Tracing } from './tracing.js';

const IDLE_SWEEP_MS = 50;
/** Of the time that an end may take, what is kept for writing after the last request; of less than twice that, half. */
const MAX_WRITING_MS = 2_000;

/** A Patois that is ready to listen. */
export interface App {
  nest: NestFastifyApplication;
  dataSource: DataSource;
  tracing: Tracing;
  /** What this start made, if there were no users before. */
  firstStart: FirstStart | undefined;
  /** Listens, and gives the address clients reach it by. */
  listen(): Promise<string>;
  /**
   * For `DRAIN_DELAY` it goes on serving, but is not ready, and each answer ends its connection: load balancers send new
   * requests elsewhere.
   */
  drain(): Promise<void>;
  /**
   * Ends it: requests in flight finish, or are given up; what is pending is written, then the database
   * closes.
   */
  close(): Promise<void>;
}

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
  const tracing = await openTracing(config);
  try {
    const keyRing = await loadKeyRing(config);
    const signInProviders = await readSignInProviders(config);
    const hashing = new HashingService(keyRing, config.bcryptCost);
    const auditKeys = new AuditKeyRing(keyRing);
    await dataSource.initialize();
    const audit = new AuditWriter(dataSource, auditKeys);
    const firstStart = await migrateAlone(dataSource, database.isEmbedded, () =>
      makeFirstAdministrator(dataSource, hashing, audit, config.adminPassword, makeFirstPolicy),
    );
    const registry = new DialectRegistry();
    const routes = new RouteTable();
    const servers = new HttpServers(config, fastPathTracer(tracing, config));
    const nest = await NestFactory.create<NestFastifyApplication>(
      AppModule.forRoot({
        config,
        database,
        dataSource,
        hashing,
        auditKeys,
        registry,
        routes,
        servers,
        signInProviders,
        tracing,
      }),
      createHttpAdapter(config, registry, routes, servers),
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
      tracing,
      firstStart,
      listen: () => listen(nest, servers, config),
      drain: async () => {
        servers.drain();
        await pause(config.drainDelaySeconds * 1000);
      },
      close: async () => {
        servers.drain();
        await closeServers(nest, servers, requestsDeadlineMs(config));
        await nest.get(UsageRecorder, { strict: false }).flush();
        await nest.get(RefusedTokens, { strict: false }).flush();
        await nest.get(PolicyEnforcement, { strict: false }).flush();
        await nest.get(PasswordAuthenticator, { strict: false }).flush();
        await nest.get(RefusedCalls, { strict: false }).flush();
        await nest.get(FailedSignIns, { strict: false }).flush();
        await nest.get(ExchangeEvents, { strict: false }).flush();
        await nest.get(Statements, { strict: false }).close();
        await dataSource.destroy();
        await database.close();
        await tracing.close();
      },
    };
  } catch (error) {
    if (dataSource.isInitialized) await dataSource.destroy();
    await database.close();
    await tracing.close();
    throw error;
  }
}

/**
 * Listens on `HOST`; where that is `localhost`, on each address that the name stands for.
 *
 * @returns the address of the first.
 * @throws {ListenError} for the first; one that cannot be listened on beside it is left out.
 */
async function listen(
  nest: NestFastifyApplication,
  servers: HttpServers,
  { host, port }: Config,
): Promise<string> {
  const [first = host, ...others] = await addressesOf(host);
  await nest.listen(port, first).catch((error: NodeJS.ErrnoException) => {
    throw new ListenError(`Cannot listen on ${host}:${port}: ${error.code}`);
  });
  await Promise.all(others.map((address) => servers.listenAlso(address).catch(() => undefined)));
  return addressOf(nest);
}

async function addressesOf(host: string): Promise<string[]> {
  if (host !== 'localhost') return [host];
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** How long requests may go on once the servers close: until what is pending has to be written. */
function requestsDeadlineMs({ shutdownTimeoutSeconds, drainDelaySeconds }: Config): number {
  const leftMs = (shutdownTimeoutSeconds - drainDelaySeconds) * 1000;
  return leftMs - Math.min(MAX_WRITING_MS, leftMs / 2);
}

/**
 * Closes the servers. A connection that is busy at that moment would otherwise stay open as long as its
 * client keeps it, and one with an incomplete request for ever: a closing server no longer enforces its
 * time-outs.
 */
async function closeServers(
  nest: NestFastifyApplication,
  servers: HttpServers,
  deadlineMs: number,
): Promise<void> {
  const sweep = setInterval(() => servers.closeIdleConnections(), IDLE_SWEEP_MS);
  const deadline = setTimeout(() => servers.closeAllConnections(), deadlineMs);
  try {
    await Promise.all([servers.closeFurther(), nest.close()]);
  } finally {
    clearInterval(sweep);
    clearTimeout(deadline);
  }
}

function addressOf(nest: NestFastifyApplication): string {
  const { address, family, port } = nest.getHttpServer().address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
