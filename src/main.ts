import cluster from 'node:cluster';
import { type App, createApp, ListenError } from './app.js';
import { ConfigurationError, loadConfig } from './config.js';
import { LockedError } from './database/folder-lock.js';
import { ScrubbingLogger } from './operations/logging/logger.js';
import { runWorkers } from './workers.js';

/** For what follows the last request: a statement is given up after 10 s, see database.ts. */
const WRITING_SECONDS = 20;

/** All of a start: configuration, migrations, first administrator, listen. */
async function main(): Promise<void> {
  const config = await loadConfig();
  const logger = new ScrubbingLogger(config.logLevel);
  if (config.workers > 1 && cluster.isPrimary) return runWorkers(config.workers, logger);
  const app = await createApp(config, logger);
  endOnSignal(app, logger, config.shutdownTimeoutSeconds);
  const address = await app.listen().catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  logger.log(`Patois listens on ${address}`, 'Patois');
  if (app.firstStart) greet(app.firstStart, address);
}

/** The one place where a generated password is shown: the terminal of the first start, not the log. */
function greet({ login, generatedPassword }: NonNullable<App['firstStart']>, address: string): void {
  // Single quotes would keep the shell from filling in the operator's own password; double ones keep its characters.
  const credentials = generatedPassword ? `'${login}:${generatedPassword}'` : `"${login}:$ADMIN_PASSWORD"`;
  const lines = [
    '',
    `First start: the organization Default and the administrator ${login} are made.`,
    ...(generatedPassword ? [`The password, shown this once: ${generatedPassword}`] : []),
    generatedPassword ? 'Try it:' : 'Try it, in a shell that knows ADMIN_PASSWORD:',
    `  curl -u ${credentials} ${address}/patois/v1/me`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function endOnSignal(app: App, logger: ScrubbingLogger, shutdownTimeoutSeconds: number): void {
  let isEnding = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // npm forwards a signal that the terminal has sent us as well: once is enough.
      if (isEnding) return;
      isEnding = true;
      const giveUp = (): never =>
        fail(new Error('The process did not end in time: what was pending is lost'));
      setTimeout(giveUp, (shutdownTimeoutSeconds + WRITING_SECONDS) * 1000).unref();
      logger.log(`${signal}: finishing the requests in flight`, 'Patois');
      app.close().then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
    });
  }
}

function fail(error: unknown): never {
  const isExpected = [ConfigurationError, LockedError, ListenError].some((kind) => error instanceof kind);
  const text = isExpected ? (error as Error).message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

main().catch(fail);
