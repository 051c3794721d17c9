import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ScrubbingLogger } from '../../src/operations/logging/logger.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { NO_TRACING } from '../../src/tracing.js';

let written: string;
beforeEach(() => {
  written = '';
  const keep = (chunk: unknown): boolean => {
    written += String(chunk);
    return true;
  };
  jest.spyOn(process.stdout, 'write').mockImplementation(keep);
  jest.spyOn(process.stderr, 'write').mockImplementation(keep);
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('the log', () => {
  test('an error without a stack is written like any other', () => {
    new ScrubbingLogger('info').error('the database went away', 'Database');
    new ScrubbingLogger('info').error('the database went away');
    expect(written.match(/the database went away/g)).toHaveLength(2);
  });

  test('a token loses its secret in messages, objects and stacks', () => {
    const { tokenId, value } = makeToken();
    const logger = new ScrubbingLogger('debug');
    logger.log(`presented ${value}`);
    logger.warn({ presented: value });
    logger.error('failed', new Error(`no ${value}`).stack);
    logger.debug(value, 'Context');
    expect(written).not.toContain(value.slice(16));
    expect(written.match(new RegExp(`${tokenId}_…`, 'g'))?.length).toBeGreaterThanOrEqual(4);
  });

  test('a level writes itself and what is more severe', () => {
    const logger = new ScrubbingLogger('warn');
    logger.fatal('fatal text');
    logger.error('error text');
    logger.warn('warn text');
    logger.log('info text');
    logger.debug('debug text');
    expect(written.match(/\w+ text/g)).toEqual(['fatal text', 'error text', 'warn text']);
  });

  test('what belongs to a request is written with its id, and an error with where it comes from and why', () => {
    const error = new Error('it failed', { cause: new Error('the disk is full') });
    new ScrubbingLogger('info').error(
      'GET /x: internal: Error: it failed',
      { requestId: 'r-1', error },
      'Filter',
    );
    const [first, frame, ...rest] = written.split('\n');
    expect(first).toMatch(/\[Filter\] r-1 GET \/x: internal: Error: it failed$/);
    expect(frame).toMatch(/^ {4}at /);
    expect(rest.join('\n')).toContain('Caused by: Error: the disk is full\n    at ');
  });
});

describe('the log in JSON', () => {
  function lines(): Record<string, unknown>[] {
    return written
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  test('is one object a line, whatever a message holds', () => {
    const logger = new ScrubbingLogger('debug', 'json');
    logger.log('listens', 'Patois');
    logger.warn('two\nlines "quoted" \u0000 \ud800');
    logger.debug({ count: 1n }, 'Context');
    expect(lines()).toEqual([
      { time: expect.stringMatching(/^\d{4}-.*Z$/), level: 'info', context: 'Patois', message: 'listens' },
      expect.objectContaining({ level: 'warn', message: 'two\nlines "quoted" \u0000 \ud800' }),
      expect.objectContaining({ level: 'debug', context: 'Context', message: '{ count: 1n }' }),
    ]);
  });

  test('has the stack of an error, what caused it and the request beside the message', () => {
    const error = new Error('it failed', { cause: new Error('the disk is full') });
    const logger = new ScrubbingLogger('info', 'json');
    logger.error('GET /x: internal: Error: it failed', { requestId: 'r-1', error }, 'Filter');
    logger.error('failed', error.stack, 'Context');
    logger.error(`Jobs stopped: ${error.stack}`, 'Context');
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 'error',
        context: 'Filter',
        message: 'GET /x: internal: Error: it failed',
        requestId: 'r-1',
        stack: error.stack,
        cause: expect.stringMatching(/^Error: the disk is full\n {4}at /),
      }),
      expect.objectContaining({ message: 'failed', stack: error.stack }),
      expect.objectContaining({
        message: 'Jobs stopped: Error: it failed',
        stack: expect.stringContaining(error.stack ?? '?'),
      }),
    ]);
  });

  test('has no secret of a token, wherever it stands', () => {
    const { tokenId, value } = makeToken();
    const error = new Error(`no ${value}`, { cause: new Error(value) });
    const logger = new ScrubbingLogger('debug', 'json');
    logger.error(`presented\n${value}\n`, { requestId: value, error }, value);
    logger.warn({ presented: value });
    expect(lines()).toHaveLength(2);
    expect(written).not.toContain(value.slice(16));
    expect(written.match(new RegExp(`${tokenId}_…`, 'g'))?.length).toBeGreaterThanOrEqual(6);
  });

  test('names the trace that it is written in', async () => {
    const current = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    const logger = new ScrubbingLogger('info', 'json');
    logger.log('before');
    logger.showTracesOf({ ...NO_TRACING, current: () => current });
    logger.log('within');
    const [before, within] = lines();
    expect(before).not.toHaveProperty('traceId');
    expect(within).toMatchObject(current);
  });
});
