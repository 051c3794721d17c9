import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppModule } from './app.module.js';
import { readConfig } from './config.js';
import { createDataSource } from './data-source.js';
import { postgresServer } from './database/database.js';
import { AuditKeyRing } from './hashing/audit-key-ring.js';
import { HashingService } from './hashing/hashing.service.js';
import { HttpServers } from './http/http-servers.js';
import { RouteTable } from './http/route-table.js';
import { packageVersion } from './openapi/documents.js';
import { createDocuments } from './openapi/generate.js';
import { DOCUMENTS_FOLDER } from './package-root.js';
import { DialectRegistry } from './protocol/dialect-registry.js';
import { NO_TRACING } from './tracing.js';

/** The text of each document's file, by file name. */
async function generate(): Promise<Map<string, string>> {
  const config = readConfig({});
  const registry = new DialectRegistry();
  const keyRing = [{ name: 'none', secret: randomBytes(32) }];
  // Never connected: modules are put together, and nothing of them is started.
  const database = postgresServer('postgres://nowhere.invalid/patois');
  const dependencies = {
    config,
    database,
    dataSource: createDataSource(database),
    hashing: new HashingService(keyRing, 4),
    auditKeys: new AuditKeyRing(keyRing),
    registry,
    routes: new RouteTable(),
    servers: new HttpServers(config),
    signInProviders: [],
    tracing: NO_TRACING,
  };
  const nest = await NestFactory.create(AppModule.forRoot(dependencies), new FastifyAdapter(), {
    logger: ['error'],
  });
  const documents = createDocuments(nest, registry, packageVersion());
  return new Map(
    [...documents].map(([name, document]) => [`${name}.json`, `${JSON.stringify(document, null, 2)}\n`]),
  );
}

function write(files: Map<string, string>): void {
  mkdirSync(DOCUMENTS_FOLDER, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(DOCUMENTS_FOLDER, name), text);
}

/** @returns what is wrong, one line a file. */
function check(files: Map<string, string>): string[] {
  const strangers = readdirSync(DOCUMENTS_FOLDER).filter((name) => !files.has(name));
  const stale = [...files].filter(([name, text]) => {
    const path = join(DOCUMENTS_FOLDER, name);
    return !existsSync(path) || readFileSync(path, 'utf8') !== text;
  });
  return [
    ...strangers.map((name) => `openapi/${name} is not generated from anything`),
    ...stale.map(([name]) => `openapi/${name} is not what is generated: run npm run openapi`),
  ];
}

const files = await generate();
if (process.argv.includes('--check')) {
  const problems = check(files);
  process.stderr.write(problems.map((problem) => `${problem}\n`).join(''));
  process.exitCode = problems.length > 0 ? 1 : 0;
} else {
  write(files);
}
