import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AdvisoryLock, LOCKS } from '../../src/database/advisory-lock.js';
import type { Database } from '../../src/database/database.js';
import { PostgresServer } from '../../src/database/postgres-server.js';
import { Schedule } from '../../src/jobs/schedule.js';
import { reachedAt } from '../support/pooler.js';
import { openTestStore } from '../support/store.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

let store: Database;
let proxy: TcpProxy;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  proxy = await TcpProxy.before(reachedAt(store.url ?? '').url);
});
afterEach(() => proxy.close());

/** A replica with one task, begun; `server` is how it reaches the database. */
function replica(server = store.server): { schedule: Schedule; runs: () => number } {
  const schedule = new Schedule({ ...store, listenServer: server });
  let runs = 0;
  schedule.add({
    name: 'counted',
    intervalMs: 20,
    run: async () => {
      runs += 1;
    },
  });
  schedule.onApplicationBootstrap();
  return { schedule, runs: () => runs };
}

describe('scheduled tasks of several replicas', () => {
  test('run in one of them, and in another once that one has ended', async () => {
    const first = replica();
    await until(() => first.runs() > 0);
    const others = [replica(), replica()];
    const before = first.runs();
    await until(() => first.runs() > before + 10);
    expect(others.map(({ runs }) => runs())).toEqual([0, 0]);
    await first.schedule.onApplicationShutdown();
    await until(() => others.some(({ runs }) => runs() > 10));
    expect(others.filter(({ runs }) => runs() > 0)).toHaveLength(1);
    for (const { schedule } of others) await schedule.onApplicationShutdown();
  });

  test('run in another once the connection of the first is gone', async () => {
    const first = replica(new PostgresServer(proxy.url));
    await until(() => first.runs() > 0);
    const second = replica();
    proxy.cut(() => true);
    proxy.decide(() => 'swallowed');
    await until(() => second.runs() > 10);
    const late = first.runs();
    await until(() => second.runs() > 20);
    expect(first.runs()).toBe(late);
    for (const { schedule } of [first, second]) await schedule.onApplicationShutdown();
  });
});

describe('an advisory lock', () => {
  test('is held by one, who may ask for it again, until it is given back', async () => {
    const [one, other] = [
      new AdvisoryLock(store.server, LOCKS.schedule),
      new AdvisoryLock(store.server, LOCKS.schedule),
    ];
    expect(await one.take()).toBe(true);
    expect(await one.take()).toBe(true);
    expect(await other.take()).toBe(false);
    await one.release();
    expect(await other.take()).toBe(true);
    expect(await one.take()).toBe(false);
    await other.release();
  });

  test('fails within some two seconds where the database does not answer', async () => {
    proxy.decide(() => 'swallowed');
    const lock = new AdvisoryLock(new PostgresServer(proxy.url), LOCKS.schedule);
    await expect(lock.take()).rejects.toThrow(/timeout/i);
  });
});
