import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import type { Database } from '../../src/database/database.js';
import { Job } from '../../src/jobs/job.entity.js';
import { UnusedTokensTask } from '../../src/tokens/policy/unused-tokens.task.js';
import { Token } from '../../src/tokens/token.entity.js';
import { moveClock } from '../support/clock.js';
import { bearer } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';
import { openTestStore } from '../support/store.js';

const DAY_MS = 86_400_000;

let first: TestServer;
let second: TestServer;
let member: TestUser;
beforeAll(async () => {
  const tokenKeys = [{ name: 'k1', secret: randomBytes(32) }];
  const store = await openTestStore();
  const kept = async (): Promise<Database> => ({ ...store, close: async () => {} });
  first = await TestServer.start({ tokenKeys }, async () => store);
  second = await TestServer.start({ tokenKeys }, kept);
  member = await first.makeUser();
  await first.send('PUT', '/patois/v1/organizations/Default/policy', {
    headers: first.asAdmin,
    body: { maxUnusedSeconds: (30 * DAY_MS) / 1000 },
  });
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(async () => {
  await second.close();
  await first.close();
});

function issue(): Promise<{ token: Token; value: string }> {
  return first.issue({ dialect: 'patois', ownerId: member.user.id, scopes: ['patois:*'] });
}

test('a token that was used a second before on another replica is not ended, and those that were not are, once', async () => {
  const used = await issue();
  const unused = [await issue(), await issue(), await issue()];
  moveClock(31 * DAY_MS);
  expect((await second.send('GET', '/verify', { headers: bearer(used.value) })).status).toBe(204);
  moveClock(1_000);
  const { manager } = first.app.dataSource;
  // Each of them has a clock of its own; the job is one.
  for (const { app } of [first, second]) await app.nest.get(UnusedTokensTask, { strict: false }).run();
  const jobs = (): Promise<Job[]> => manager.findBy(Job, { kind: 'unused-tokens' });
  while ((await jobs()).some(({ endedAt }) => endedAt === null)) await sleep(50);
  expect(await jobs()).toMatchObject([{ status: 'done', done: 3, failed: 0, result: { revoked: 3 } }]);
  const statusOf = async ({ id }: Token): Promise<string> =>
    (await manager.findOneByOrFail(Token, { id })).status();
  expect(await statusOf(used.token)).toBe('active');
  for (const { token } of unused) {
    expect(await statusOf(token)).toBe('revoked');
    expect(await manager.countBy(AuditEvent, { action: 'token.revoke', objectId: token.tokenId })).toBe(1);
  }
}, 60_000);
