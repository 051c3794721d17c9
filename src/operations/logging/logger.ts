import { ConsoleLogger, type LogLevel as NestLevel } from '@nestjs/common';
import type { LogFormat, LogLevel } from '../../config.js';
import { withoutSecrets } from '../../secrets.js';
import { NO_TRACING, type Tracing } from '../../tracing.js';
import { jsonLine, type LogLine, shownOrigin } from './json-line.js';

/** Nest's levels, most severe first, as far as each of our levels goes. */
const LEVELS: Record<LogLevel, NestLevel[]> = {
  fatal: ['fatal'],
  error: ['fatal', 'error'],
  warn: ['fatal', 'error', 'warn'],
  info: ['fatal', 'error', 'warn', 'log'],
  debug: ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'],
};

/** The same the other way round. */
const LEVEL_OF: Record<NestLevel, LogLevel> = {
  fatal: 'fatal',
  error: 'error',
  warn: 'warn',
  log: 'info',
  debug: 'debug',
  verbose: 'debug',
};

const START_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** What who logs may give beside a message, as an object. */
type Details = Pick<LogLine, 'requestId' | 'error'>;

/** Writes one line a message, or one JSON object a line; should a token ever reach it, its secret does not leave. */
export class ScrubbingLogger extends ConsoleLogger {
  private tracing: Tracing = NO_TRACING;

  constructor(
    level: LogLevel,
    private readonly format: LogFormat = 'text',
  ) {
    super({ logLevels: LEVELS[level], colors: format === 'text' && process.stdout.isTTY === true });
  }

  /** From now on a line of JSON names the trace that it was written in. */
  showTracesOf(tracing: Tracing): void {
    this.tracing = tracing;
  }

  /** Nest names every module and route at a start: that is for who looks for a fault. */
  override log(message: unknown, ...rest: unknown[]): void {
    const context = rest.at(-1);
    if (typeof context === 'string' && START_CONTEXTS.has(context)) super.debug(message, context);
    else super.log(message, ...rest);
  }

  protected override printMessages(...parts: Parameters<ConsoleLogger['printMessages']>): void {
    if (this.format === 'text') return super.printMessages(...parts);
    const [messages, context, level = 'log', stream = 'stdout', errorStack, details] = parts;
    const stack = errorStack as string | undefined;
    for (const message of messages) {
      const line = { level: LEVEL_OF[level], context, message, stack, ...this.tracing.current() };
      process[stream].write(jsonLine({ ...line, ...(details as Details | undefined) }));
    }
  }

  protected override formatMessage(...parts: Parameters<ConsoleLogger['formatMessage']>): string {
    const [level, message, pid, shownLevel, context, ago, details] = parts;
    const { requestId, error } = (details ?? {}) as Details;
    const named = requestId === undefined ? message : `${requestId} ${String(message)}`;
    const line = super.formatMessage(level, named, pid, shownLevel, context, ago);
    return withoutSecrets(error === undefined ? line : `${line}${shownOrigin(error)}`);
  }

  /** Nest calls it for errors without a stack as well, whatever the type says. */
  protected override printStackTrace(stack: string | undefined): void {
    if (stack !== undefined && this.format === 'text') super.printStackTrace(withoutSecrets(stack));
  }
}
