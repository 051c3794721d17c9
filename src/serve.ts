import type { LoggerService } from '@nestjs/common';
import { type App, createApp } from './app.js';
import type { Config, LogFormat } from './config.js';
import type { Database } from './database/database.js';
import { jsonLine } from './operations/logging/json-line.js';
import { ScrubbingLogger } from './operations/logging/logger.js';
import { runWorkers } from './workers.js';

/** Runs the workers that `WORKERS` asks for. */
export function serveByWorkers(config: Config): Promise<void> {
  const { workers, logLevel, logFormat, shutdownTimeoutSeconds } = config;
  return runWorkers(workers, shutdownTimeoutSeconds, new ScrubbingLogger(logLevel, logFormat));
}

/**
 * Makes the application on a store, and listens until a signal ends it.
 *
 * @param fail ends the process with an error.
 */
export async function serve(
  config: Config,
  opening: Promise<Database>,
  fail: (error: unknown) => never,
): Promise<void> {
  const logger = new ScrubbingLogger(config.logLevel, config.logFormat);
  const app = await createApp(config, logger, () => opening);
  logger.showTracesOf(app.tracing);
  endOnSignal(app, logger, config.shutdownTimeoutSeconds, fail);
  const address = await app.listen().catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  logger.log(`Patois listens on ${address}`, 'Patois');
  if (app.firstStart) greet(app.firstStart, address, config.logFormat);
}

/**
 * The one place where a generated password is shown: the terminal of the first start, not the log. Where every line is
 * JSON, it is one of its own; who collects the lines sets `ADMIN_PASSWORD`, and then there is none in it.
 */
function greet(
  { login, generatedPassword }: NonNullable<App['firstStart']>,
  address: string,
  format: LogFormat,
): void {
  const made = `First start: the organization Default and the administrator ${login} are made.`;
  if (format === 'json') {
    const line = { level: 'info' as const, context: 'Patois', message: made };
    process.stdout.write(jsonLine(line, { login, generatedPassword }));
    return;
  }
  // Single quotes would keep the shell from filling in the operator's own password; double ones keep its
  // characters.
  const credentials = generatedPassword ? `'${login}:${generatedPassword}'` : `"${login}:$ADMIN_PASSWORD"`;
  const lines = [
    '',
    made,
    ...(generatedPassword ? [`The password, shown this once: ${generatedPassword}`] : []),
    generatedPassword ? 'Try it:' : 'Try it, in a shell that knows ADMIN_PASSWORD:',
    `  curl -u ${credentials} ${address}/patois/v1/me`,
    `Or sign in to the console: ${address}/console`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function endOnSignal(
  app: App,
  logger: LoggerService,
  shutdownTimeoutSeconds: number,
  fail: (error: unknown) => never,
): void {
  let isEnding = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // npm forwards a signal that the terminal has sent us as well: once is enough.
      if (isEnding) return;
      isEnding = true;
      const giveUp = (): never =>
        fail(new Error('The process did not end in time: what was pending is lost'));
      setTimeout(giveUp, shutdownTimeoutSeconds * 1000).unref();
      logger.log(`${signal}: finishing the requests in flight`, 'Patois');
      const end = app.drain().then(() => app.close());
      end.then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
    });
  }
}
