import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ScrubbingLogger } from '../../src/operations/logging/logger.js';
import { makeToken } from '../../src/tokens/token-format.js';

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
});
