import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { CHANNEL, ChangeFeed } from '../../src/database/changes/change-feed.js';
import { ChangeListener } from '../../src/database/changes/change-listener.js';
import type { Database } from '../../src/database/database.js';
import { PostgresServer } from '../../src/database/postgres-server.js';
import { reachedAt } from '../support/pooler.js';
import { openTestStore } from '../support/store.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const BOUND_MS = 2_000;
const HEARTBEAT_MS = BOUND_MS / 4;

let store: Database;
/** Between the listener and the database. */
let proxy: TcpProxy;
let feed: ChangeFeed;
let heard: string[];
let listeners: ChangeListener[];
let warned: jest.SpiedFunction<Logger['warn']>;
/** A connection of somebody else's to the same database. */
let other: pg.Client;
/** How heartbeats are sent. */
let sender: pg.Pool;

beforeEach(async () => {
  warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  store = await openTestStore();
  proxy = await TcpProxy.before(store.url ?? '');
  other = new pg.Client({ connectionString: store.url });
  await other.connect();
  sender = new pg.Pool({ connectionString: reachedAt(store.url ?? '').url, max: 2, idleTimeoutMillis: 0 });
  feed = new ChangeFeed({ subscribers: [] } as unknown as DataSource, false);
  heard = [];
  feed.onChange((keys) => heard.push(...keys));
  listeners = [];
  // The clock and the timers stand still until a test moves them; the network goes on by itself.
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date'] });
});
afterEach(async () => {
  for (const listener of listeners) await listener.onApplicationShutdown();
  await proxy.close();
  await sender.end();
  await other.end();
  await store.close();
  jest.useRealTimers();
  jest.restoreAllMocks();
});

function listen(url = proxy.url): ChangeListener {
  const listener = new ChangeListener(new PostgresServer(url), notify, feed, BOUND_MS);
  listeners.push(listener);
  listener.onModuleInit();
  return listener;
}

/** Listens, and waits for the first heartbeat to come back. */
async function connected(): Promise<
  ChangeListener & { replication: NonNullable<ChangeListener['replication']> }
> {
  const listener = listen();
  await until(() => listener.secondsBehind === 0);
  return listener as Awaited<ReturnType<typeof connected>>;
}

/** As long as a round trip to the database and back, twice. */
async function roundTrip(): Promise<void> {
  await other.query('SELECT 1');
  await other.query('SELECT 1');
}

function notify(channel: string, payload: string): Promise<unknown> {
  return sender.query('SELECT pg_notify($1, $2)', [channel, payload]);
}

async function tell(payload: string): Promise<void> {
  await notify(CHANNEL, payload);
}

describe('a listening connection', () => {
  test('passes on the keys that others change, and proves by its heartbeats that it misses none', async () => {
    const listener = await connected();
    expect(listener.isConnected).toBe(true);
    expect(listener.replication).toEqual({
      epoch: 1,
      caughtUpAt: performance.now(),
      previousCaughtUpAt: -Infinity,
    });
    await tell('pt-AAAAAAAAAAAA 11111111-1111-4111-8111-111111111111');
    await until(() => heard.length === 2);
    expect(heard).toEqual(['pt-AAAAAAAAAAAA', '11111111-1111-4111-8111-111111111111']);
    // Ten bounds long: each heartbeat keeps the connection for a bound more.
    for (let beat = 0; beat < 40; beat += 1) {
      jest.advanceTimersByTime(HEARTBEAT_MS);
      await until(() => listener.secondsBehind === 0);
    }
    expect(listener.isConnected).toBe(true);
    expect(listener.replication.epoch).toBe(1);
    expect(heard).toHaveLength(2);
  });

  test('counts what is heard from when a heartbeat was sent, not from when it came back', async () => {
    const listener = await connected();
    const timers = jest.getTimerCount();
    let chunks = 0;
    proxy.decide(() => ((chunks += 1) === 1 ? { delayedMs: 100 } : 'passed'));
    jest.advanceTimersByTime(HEARTBEAT_MS);
    const sentAt = performance.now();
    await until(() => jest.getTimerCount() > timers);
    jest.advanceTimersByTime(100);
    await until(() => listener.replication.caughtUpAt === sentAt);
    expect(listener.secondsBehind).toBe(0.1);
  });

  test('takes the heartbeats of other replicas neither for its own nor for a change', async () => {
    const listener = await connected();
    const before = { ...listener.replication };
    jest.advanceTimersByTime(HEARTBEAT_MS / 2);
    await tell(`heartbeat 22222222-2222-4222-8222-222222222222 ${performance.now()}`);
    await tell('last');
    await until(() => heard.includes('last'));
    expect(listener.replication).toEqual(before);
    expect(heard).toEqual(['last']);
  });

  test('half-open, with nothing but silence to say so: it is given up after the bound, and a new one made', async () => {
    const listener = await connected();
    const caughtUpAt = performance.now();
    proxy.decide(() => 'swallowed');
    jest.advanceTimersByTime(BOUND_MS);
    await roundTrip();
    expect([listener.isConnected, listener.secondsBehind]).toEqual([true, BOUND_MS / 1000]);
    proxy.decide(() => 'passed');
    jest.advanceTimersByTime(HEARTBEAT_MS);
    expect(listener.isConnected).toBe(false);
    expect(listener.replication).toMatchObject({ epoch: 1, caughtUpAt });
    // Destroyed on this side: it would else wait for ever for the peer's goodbye.
    await until(() => proxy.count(() => true) === 0);
    jest.advanceTimersByTime(99);
    await roundTrip();
    expect(proxy.count(() => true)).toBe(0);
    jest.advanceTimersByTime(1);
    await until(() => listener.isConnected);
    expect(listener.replication).toMatchObject({ epoch: 2, previousCaughtUpAt: caughtUpAt });
    await until(() => listener.secondsBehind === 0);
    await tell('pt-AAAAAAAAAAAA');
    await until(() => heard.length === 1);
  });

  test('over which only what others send is lost, as behind some poolers, is given up after the bound', async () => {
    const listener = await connected();
    const { rows } = await other.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'patois-listen' AND datname = current_database()`,
    );
    // A NotificationResponse has its sender behind its type and its length.
    const isOfOthers = (chunk: Buffer): boolean =>
      chunk[0] === 'A'.charCodeAt(0) && chunk.readInt32BE(5) !== rows[0]?.pid;
    proxy.decide((_, chunk) => (isOfOthers(chunk) ? 'swallowed' : 'passed'));
    const caughtUpAt = performance.now();
    for (let beat = 0; beat < 5; beat += 1) {
      jest.advanceTimersByTime(HEARTBEAT_MS);
      await roundTrip();
    }
    expect([listener.isConnected, listener.replication.caughtUpAt]).toEqual([false, caughtUpAt]);
  });

  test('proves nothing until its first heartbeat is back; what the one before had proved is kept', async () => {
    const listener = await connected();
    const { replication } = listener;
    const provenBefore = replication.caughtUpAt;
    jest.advanceTimersByTime(HEARTBEAT_MS - 1);
    proxy.cut(() => true);
    await until(() => !listener.isConnected);
    // The moment at which the new connection begins to count.
    const begun = new Promise<object>((resolve) =>
      Object.defineProperty(replication, 'epoch', {
        get: () => 1,
        set: (epoch) => {
          resolve({ ...replication, epoch });
        },
      }),
    );
    jest.advanceTimersByTime(100);
    expect(await begun).toEqual({ epoch: 2, caughtUpAt: -Infinity, previousCaughtUpAt: provenBefore });
    await until(() => listener.secondsBehind === 0);
  });
});

describe('a listening connection that is lost', () => {
  test('is made anew after 100 ms, then twice as long each time, two seconds at most', async () => {
    const listener = await connected();
    let attempts = 0;
    proxy.decide(() => {
      attempts += 1;
      return 'passed';
    });
    await proxy.close();
    await until(() => !listener.isConnected);
    expect(warned).toHaveBeenCalledTimes(1);
    for (const [index, ms] of [100, 200, 400, 800, 1_600, 2_000, 2_000].entries()) {
      jest.advanceTimersByTime(ms - 1);
      await roundTrip();
      expect(warned).toHaveBeenCalledTimes(index + 1);
      jest.advanceTimersByTime(1);
      await until(() => warned.mock.calls.length === index + 2);
    }
    expect([listener.replication.epoch, attempts]).toEqual([1, 0]);
  });

  test('begins with 100 ms again once one has been made', async () => {
    const listener = await connected();
    for (let round = 2; round <= 5; round += 1) {
      proxy.cut(() => true);
      await until(() => !listener.isConnected);
      jest.advanceTimersByTime(100);
      await until(() => listener.replication.epoch === round);
    }
    expect(listener.isConnected).toBe(true);
  });

  test('while it is made, by a silence after its first words, is given up too, and made anew', async () => {
    const listener = await connected();
    proxy.cut(() => true);
    await until(() => !listener.isConnected);
    let swallowed = 0;
    proxy.decide((_, chunk) => {
      if (swallowed === 0 && !chunk.includes('LISTEN')) return 'passed';
      swallowed += 1;
      return 'swallowed';
    });
    jest.advanceTimersByTime(100);
    await until(() => swallowed > 0);
    proxy.decide(() => 'passed');
    await roundTrip();
    expect([listener.isConnected, warned.mock.calls.length]).toEqual([false, 1]);
    jest.advanceTimersByTime(BOUND_MS);
    await until(() => warned.mock.calls.length === 2);
    jest.advanceTimersByTime(200);
    await until(() => listener.secondsBehind === 0);
    expect(listener.replication.epoch).toBe(2);
  });

  test.each(['heard', 'lost'])('is not made anew after a shutdown that finds it %s', async (state) => {
    const listener = await connected();
    if (state === 'lost') {
      proxy.cut(() => true);
      await until(() => !listener.isConnected);
    }
    warned.mockClear();
    await listener.onApplicationShutdown();
    expect(jest.getTimerCount()).toBe(0);
    await until(() => proxy.count(() => true) === 0);
    jest.advanceTimersByTime(10 * BOUND_MS);
    await roundTrip();
    expect([proxy.count(() => true), listener.replication.epoch]).toEqual([0, 1]);
    expect(warned).not.toHaveBeenCalled();
  });
});

describe('where nothing is to be heard', () => {
  test('no connection is made: on the embedded engine, and where nothing is remembered', async () => {
    const alone = new ChangeListener(undefined, notify, feed, BOUND_MS);
    const forgetful = new ChangeListener(new PostgresServer(proxy.url), notify, feed, 0);
    listeners.push(alone, forgetful);
    for (const listener of listeners) listener.onModuleInit();
    await roundTrip();
    expect(proxy.count(() => true)).toBe(0);
    expect([alone.replication, alone.secondsBehind]).toEqual([undefined, 0]);
    expect(forgetful.secondsBehind).toBe(Infinity);
  });
});
