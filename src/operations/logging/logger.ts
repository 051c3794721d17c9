import { ConsoleLogger, type LogLevel as NestLevel } from '@nestjs/common';
import type { LogLevel } from '../../config.js';
import { withoutSecrets } from '../../secrets.js';

/** Nest's levels, most severe first, as far as each of our levels goes. */
const LEVELS: Record<LogLevel, NestLevel[]> = {
  fatal: ['fatal'],
  error: ['fatal', 'error'],
  warn: ['fatal', 'error', 'warn'],
  info: ['fatal', 'error', 'warn', 'log'],
  debug: ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'],
};

const START_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Writes one line a message; should a token ever reach it, its secret does not leave. */
export class ScrubbingLogger extends ConsoleLogger {
  constructor(level: LogLevel) {
    super({ logLevels: LEVELS[level], colors: process.stdout.isTTY === true });
  }

  /** Nest names every module and route at a start: that is for who looks for a fault. */
  override log(message: unknown, ...rest: unknown[]): void {
    const context = rest.at(-1);
    if (typeof context === 'string' && START_CONTEXTS.has(context)) super.debug(message, context);
    else super.log(message, ...rest);
  }

  protected override formatMessage(...parts: Parameters<ConsoleLogger['formatMessage']>): string {
    return withoutSecrets(super.formatMessage(...parts));
  }

  /** Nest calls it for errors without a stack as well, whatever the type says. */
  protected override printStackTrace(stack: string | undefined): void {
    if (stack !== undefined) super.printStackTrace(withoutSecrets(stack));
  }
}
