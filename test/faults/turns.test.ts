import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Transactions } from '../../src/database/transactions.js';
import { bearer } from '../support/http.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

/** Longer than a connection may take to be made, and one for each connection that reads have. */
const SLOW_SECONDS = 2.5;
const READS = 12;

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

test('a read waits for its turn for longer than a connection may take to be made, and holds up no change', async () => {
  const admin = await server.admin();
  const { value } = await server.issue({ dialect: 'patois', ownerId: admin.id, scopes: ['*'] });
  const headers = bearer(value);
  const ended: string[] = [];
  const slow = Array.from({ length: READS }, () =>
    server.app.dataSource.query('SELECT pg_sleep($1)', [SLOW_SECONDS]).then(() => ended.push('slow')),
  );
  const read = server.send('GET', '/patois/v1/tokens', { headers }).then(({ status }) => {
    ended.push('read');
    return status;
  });
  const body = { dialect: 'patois', owner: 'admin', name: 'x', scopes: ['patois:tokens.read'] };
  const change = await server.send('POST', '/patois/v1/tokens', { headers, body });
  ended.push('change');
  expect([change.status, await read]).toEqual([201, 200]);
  await Promise.all(slow);
  expect([ended[0], ended.indexOf('read') > ended.indexOf('slow')]).toEqual(['change', true]);
});

test('a change waits for the turn of its caller: who sends many does not hold up who sends one', async () => {
  const transactions = server.app.nest.get(Transactions, { strict: false });
  const order: string[] = [];
  let end = (): void => {};
  const gate = new Promise<void>((resolve) => (end = resolve));
  const many = Array.from({ length: 30 }, () =>
    transactions.inTurn('one who sends many', async () => {
      await gate;
      order.push('many');
    }),
  );
  const one = transactions.inTurn('one who sends one', () => Promise.resolve(order.push('one')));
  await until(() => transactions.load.waiting === 30 + 1 - transactions.load.running);
  end();
  await Promise.all([...many, one]);
  expect(order).toHaveLength(31);
  // After those that ran already, and one more of the line that had waited longer.
  expect(order.indexOf('one')).toBeLessThanOrEqual(order.length / 2);
});
