import cluster from 'node:cluster';
import { ConfigurationError, loadConfig, logFormatOf } from './config.js';
import { openDatabase } from './database/database.js';
import { LockedError } from './database/folder-lock.js';
import { ListenError } from './http/listen-error.js';
import { jsonLine } from './operations/logging/json-line.js';

/** All of a start: configuration, store, migrations, first administrator, listen. */
async function main(): Promise<void> {
  const config = await loadConfig();
  if (config.workers > 1 && cluster.isPrimary) {
    const { serveByWorkers } = await import('./serve.js');
    return serveByWorkers(config);
  }
  // The store takes half a second to open, and so does the rest to load: both at once.
  const opening = openDatabase(config);
  opening.catch(() => undefined);
  const { serve } = await import('./serve.js');
  await serve(config, opening, fail);
}

function fail(error: unknown): never {
  const isExpected = [ConfigurationError, LockedError, ListenError].some((kind) => error instanceof kind);
  const text = isExpected ? (error as Error).message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(logFormatOf() === 'json' ? jsonLinesOf(error, isExpected) : `${text}\n`);
  process.exit(1);
}

/** A line for each setting that is wrong, or one for any other reason. */
function jsonLinesOf(error: unknown, isExpected: boolean): string {
  const level = 'fatal';
  const context = 'Patois';
  if (error instanceof ConfigurationError) {
    return error.problems.map((message) => jsonLine({ level, context, message })).join('');
  }
  const message = error instanceof Error ? error.message : error;
  return jsonLine({ level, context, message, error: isExpected ? undefined : error });
}

main().catch(fail);
