import { inspect } from 'node:util';
import type { LogLevel } from '../../config.js';
import { withoutSecrets } from '../../secrets.js';

/** How deep causes are shown. */
const MAX_CAUSES = 5;
/** Where the frames of a stack begin. */
const FRAMES = /\n {4}at /;

/** What a line of the log says. */
export interface LogLine {
  level: LogLevel;
  context?: string | undefined;
  message: unknown;
  /** The stack of an error, where that is all there is of it. */
  stack?: string | undefined;
  error?: unknown;
  /** What the answer to the request has in `x-request-id`, and the audit trail as `requestId`. */
  requestId?: string | undefined;
  traceId?: string | undefined;
  spanId?: string | undefined;
}

/**
 * A line of the log as one JSON object: `time` (RFC 3339), `level`, `context`, `message`, and where there are such `stack`,
 * `cause`, `requestId`, `traceId` and `spanId`. A token in it has lost its secret.
 *
 * @param more fields that only this line has.
 */
export function jsonLine(line: LogLine, more: Readonly<Record<string, unknown>> = {}): string {
  const { level, context, requestId, traceId, spanId } = line;
  const { text, stack } = withoutStack(textOf(line.message));
  const fields = {
    time: new Date().toISOString(),
    level,
    context,
    message: text,
    requestId,
    traceId,
    spanId,
    stack: stackOf(line.error) ?? line.stack ?? stack,
    cause: causesOf(line.error).map(textOfError).join('\n') || undefined,
    ...more,
  };
  return `${withoutSecrets(JSON.stringify(fields))}\n`;
}

/** Where an error comes from and what it was caused by, as the log shows it in text below a message. */
export function shownOrigin(error: unknown): string {
  const { stack = '' } = withoutStack(textOfError(error));
  const frames = stack.slice(stack.search(FRAMES) + 1);
  const causes = causesOf(error).map((cause) => `Caused by: ${textOfError(cause)}`);
  return withoutSecrets([frames, ...causes].map((text) => `${text}\n`).join(''));
}

function textOf(message: unknown): string {
  if (message instanceof Error) return message.stack ?? message.message;
  return typeof message === 'string' ? message : inspect(message, { breakLength: Infinity });
}

/** Some who log have made one text of an error: its stack begins where its first frame stands. */
function withoutStack(text: string): { text: string; stack: string | undefined } {
  const frames = text.search(FRAMES);
  return frames < 0 ? { text, stack: undefined } : { text: text.slice(0, frames), stack: text };
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

function textOfError(error: unknown): string {
  return stackOf(error) ?? textOf(error);
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause !== undefined && causes.length < MAX_CAUSES) {
    causes.push(cause);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}
