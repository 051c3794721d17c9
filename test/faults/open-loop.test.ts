import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Transactions } from '../../src/database/transactions.js';
import { Token } from '../../src/tokens/token.entity.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const CHANGES_A_SECOND = 170;
const SECONDS = 5;
const VERIFIERS = 8;

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

test('changes that come whether or not they are answered: each is made or told to come again, and verification goes on', async () => {
  const { user } = await server.makeUser();
  const { value } = await server.issue({ dialect: 'patois', ownerId: user.id, scopes: ['*'] });
  const headers = bearer(value);
  let isOver = false;
  const verified = new Map<number, number>();
  const verifiers = Array.from({ length: VERIFIERS }, async () => {
    while (!isOver) {
      const { status } = await server.send('GET', '/verify', { headers });
      verified.set(status, (verified.get(status) ?? 0) + 1);
    }
  });
  const body = { dialect: 'patois', owner: user.login, name: 'open loop', scopes: ['patois:tokens.read'] };
  const beganAt = performance.now();
  const changes: Promise<Received>[] = [];
  while (changes.length < CHANGES_A_SECOND * SECONDS) {
    const due = ((performance.now() - beganAt) / 1000) * CHANGES_A_SECOND;
    while (changes.length < due) changes.push(server.send('POST', '/patois/v1/tokens', { headers, body }));
    await sleep(2);
  }
  const answers = await Promise.all(changes);
  isOver = true;
  await Promise.all(verifiers);
  const made = answers.filter(({ status }) => status === 201);
  const busy = answers.filter(({ status }) => status === 503);
  expect(made.length + busy.length).toBe(answers.length);
  for (const { json, headers: received } of busy) {
    expect([json.detail, received['retry-after']]).toEqual(['Too many changes at once; try again', '1']);
  }
  expect([...verified.keys()]).toEqual([204]);
  const kept = await server.app.dataSource.manager.countBy(Token, { ownerId: user.id, name: 'open loop' });
  expect(kept).toBe(made.length);
  expect(kept).toBeGreaterThan(0);
  // None is left behind; the server itself may be at one now and then.
  const transactions = server.app.nest.get(Transactions, { strict: false });
  await until(() => transactions.load.running + transactions.load.waiting === 0);
});
