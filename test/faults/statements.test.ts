import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { statementOf, Statements } from '../../src/database/statements.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let statements: Statements;
beforeAll(async () => {
  server = await TestServer.start();
  statements = server.app.nest.get(Statements, { strict: false });
});
afterAll(() => server.close());

function run(text: string, ...values: unknown[]): Promise<object[]> {
  return statements.run(statementOf('test', text), values);
}

test('of the statements that go out together one that fails fails alone', async () => {
  const outcomes = await Promise.allSettled([
    run('SELECT $1::int AS n', 1),
    run('SELECT 1 / $1::int AS n', 0),
    run('SELECT no_such_column'),
    run('SELECT $1::int AS n', 2),
  ]);
  const shown = outcomes.map((one) =>
    one.status === 'fulfilled' ? one.value : (one.reason as { code: string }).code,
  );
  expect(shown).toEqual([[{ n: 1 }], '22012', '42703', [{ n: 2 }]]);
  expect(await run('SELECT 1 / $1::int AS n', 1)).toEqual([{ n: 1 }]);
});

test('a connection that is cut fails what was asked over it, and nothing after it', async () => {
  const sleeping = run('SELECT pg_sleep($1)', 30).catch((error: unknown) => error);
  const { dataSource } = server.app;
  const ofReads = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'patois-reads'`;
  await until(
    async () =>
      (await dataSource.query<object[]>(`SELECT 1 ${ofReads} AND query LIKE '%pg_sleep%'`)).length > 0,
  );
  await dataSource.query(`SELECT pg_terminate_backend(pid) ${ofReads}`);
  expect(await sleeping).toBeInstanceOf(Error);
  expect(await run('SELECT $1::int AS n', 3)).toEqual([{ n: 3 }]);
  // The server looks for work by itself now and then.
  await until(() => statements.waitingCount === 0);
});
