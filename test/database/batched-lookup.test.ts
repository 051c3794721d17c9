import { beforeEach, describe, expect, test } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { BatchedLookup } from '../../src/database/batched-lookup.js';
import type { Database } from '../../src/database/database.js';
import { isDatabaseUnavailable } from '../../src/database/errors.js';

interface Row {
  key: string;
}

interface Statement {
  keys: string[];
  answer: (rows: Row[]) => void;
  fail: (error: Error) => void;
}

let statements: Statement[];
let query: BatchedLookup<Row>;
beforeEach(() => {
  statements = [];
  // The embedded engine runs one statement at a time.
  const database = { server: undefined } as Database;
  const dataSource = {
    query: (_: string, [keys]: [string[]]) =>
      new Promise<Row[]>((answer, fail) => statements.push({ keys, answer, fail })),
  };
  const options = { name: 'test', text: 'SELECT', keyOf: ({ key }: Row) => key };
  query = BatchedLookup.of<Row>(database, dataSource as unknown as DataSource, options);
});

const rowsOf = (...keys: string[]): Row[] => keys.map((key) => ({ key }));

describe('a query that is asked often', () => {
  test('asks at once, in one statement, what is asked at one moment, each key once', async () => {
    const rows = ['a', 'b', 'a', 'c'].map((key) => query.row(key));
    await setImmediate();
    expect(statements.map(({ keys }) => keys)).toEqual([['a', 'b', 'c']]);
    // In any order, and without what is not there.
    statements[0]?.answer(rowsOf('c', 'a'));
    expect(await Promise.all(rows)).toEqual([{ key: 'a' }, undefined, { key: 'a' }, { key: 'c' }]);
  });

  test('makes the next statement of what came while the one before ran', async () => {
    const first = query.row('a');
    await setImmediate();
    const others = [query.row('b'), query.row('c')];
    await setImmediate();
    expect(statements).toHaveLength(1);
    statements[0]?.answer(rowsOf('a'));
    expect(await first).toEqual({ key: 'a' });
    await setImmediate();
    expect(statements[1]?.keys).toEqual(['b', 'c']);
    statements[1]?.answer(rowsOf('b', 'c'));
    expect(await Promise.all(others)).toEqual(rowsOf('b', 'c'));
  });

  test('asks for 200 keys a statement at most', async () => {
    const keys = Array.from({ length: 450 }, (_, index) => `${index}`);
    const rows = keys.map((key) => query.row(key));
    for (let index = 0; index < 3; index += 1) {
      await setImmediate();
      statements[index]?.answer(rowsOf(...(statements[index]?.keys ?? [])));
    }
    expect(await Promise.all(rows)).toEqual(rowsOf(...keys));
    expect(statements.map((statement) => statement.keys.length)).toEqual([200, 200, 50]);
  });

  test('fails for all who wait behind a statement that fails, and asks anew after it', async () => {
    const rows = [query.row('a')];
    await setImmediate();
    rows.push(query.row('b'));
    await setImmediate();
    const outcomes = Promise.allSettled(rows);
    statements[0]?.fail(new Error('Query read timeout'));
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const again = query.row('a');
    await setImmediate();
    expect(statements).toHaveLength(2);
    statements[1]?.answer(rowsOf('a'));
    expect(await again).toEqual({ key: 'a' });
  });

  test('lets 10,000 wait: whoever comes then is told at once that the database cannot answer', async () => {
    const waiting = [query.row('running')];
    await setImmediate();
    for (let count = 0; count < 10_000; count += 1) waiting.push(query.row('a'));
    const error: unknown = await query.row('one more').catch((error: unknown) => error);
    expect(isDatabaseUnavailable(error)).toBe(true);
    const outcomes = Promise.allSettled(waiting);
    statements[0]?.fail(new Error('Query read timeout'));
    expect(new Set((await outcomes).map(({ status }) => status))).toEqual(new Set(['rejected']));
    const later = query.row('a');
    await setImmediate();
    statements.at(-1)?.answer(rowsOf('a'));
    expect(await later).toEqual({ key: 'a' });
  });
});
