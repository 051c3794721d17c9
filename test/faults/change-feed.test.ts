import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { createDataSource } from '../../src/data-source.js';
import { ChangeFeed, EVERYTHING } from '../../src/database/changes/change-feed.js';
import { ChangeListener } from '../../src/database/changes/change-listener.js';
import type { Database } from '../../src/database/database.js';
import { HashingService } from '../../src/hashing/hashing.service.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { bearer } from '../support/http.js';
import { TestServer } from '../support/server.js';
import { openTestStore } from '../support/store.js';
import { until } from '../support/until.js';

/** So long that within a test nothing is forgotten by its age. */
const BOUND_SECONDS = 60;

let store: Database;
let secret: Buffer;
/** The one that makes the changes, and one that must hear of them. */
let first: TestServer;
let second: TestServer;
let feed: ChangeFeed;

beforeAll(async () => {
  store = await openTestStore();
  secret = randomBytes(32);
  const settings = {
    verificationMaxStalenessSeconds: BOUND_SECONDS,
    tokenKeys: [{ name: 'test', secret }],
  };
  const kept = (): Promise<Database> => Promise.resolve({ ...store, close: async () => {} });
  first = await TestServer.start(settings, kept);
  second = await TestServer.start(settings, kept);
  feed = first.app.nest.get(ChangeFeed, { strict: false });
  await until(() => listenerOf(second).secondsBehind < BOUND_SECONDS);
});
afterAll(async () => {
  await first.close();
  await second.close();
  await store.close();
});

function listenerOf({ app }: TestServer): ChangeListener {
  return app.nest.get(ChangeListener, { strict: false });
}

/** What a server's feed passes on of what the work changes: between a change before it and one after it. */
async function heardBy(server: TestServer, work: () => Promise<unknown>): Promise<string[]> {
  const heard: string[] = [];
  const [begin, end] = [randomUUID(), randomUUID()];
  server.app.nest.get(ChangeFeed, { strict: false }).onChange((keys) => heard.push(...keys));
  // What others did before is still under way.
  await change(first.app.dataSource, [begin]);
  await until(() => heard.includes(begin));
  heard.length = 0;
  await work();
  await change(first.app.dataSource, [end]);
  await until(() => heard.includes(end));
  heard.pop();
  return heard;
}

function change(
  dataSource: DataSource,
  keys: string[],
  work: (manager: EntityManager) => Promise<unknown> = async () => {},
): Promise<void> {
  return dataSource.transaction(async (manager) => {
    for (const key of keys) feed.changed(manager, key);
    await work(manager);
  });
}

/** Tokens of the administrator, written past the service: many, quickly. */
async function seed(count: number): Promise<{ tokenId: string; value: string }[]> {
  const hashing = new HashingService([{ name: 'test', secret }], 4);
  const tokens = Array.from({ length: count }, makeToken);
  const admin = await first.admin();
  await first.app.dataSource.query(
    `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
       inactive, created_at, dialect_fields)
     SELECT gen_random_uuid(), token_id, decode(digest, 'hex'), 'test', 'patois', $3, $4, 'seeded', '{*}', '{}', false,
       now(), '{}'
     FROM unnest($1::text[], $2::text[]) AS seed (token_id, digest)`,
    [
      tokens.map(({ tokenId }) => tokenId),
      tokens.map(({ value }) => hashing.digestToken(value).digest.toString('hex')),
      admin.id,
      admin.organizationId,
    ],
  );
  return tokens;
}

describe('the keys that one transaction changes', () => {
  test.each([1, 150, 151, 300, 301, 500])('%i of them reach another replica one by one', async (count) => {
    const keys = Array.from({ length: count }, () => randomUUID());
    const heard = await heardBy(second, () => change(first.app.dataSource, keys));
    expect(heard.toSorted()).toEqual(keys.toSorted());
  });

  test('more than 500 are everything to another replica', async () => {
    const keys = Array.from({ length: 501 }, () => randomUUID());
    expect(await heardBy(second, () => change(first.app.dataSource, keys))).toEqual([EVERYTHING]);
  });

  test('a key named twice is passed on once', async () => {
    const key = randomUUID();
    expect(await heardBy(second, () => change(first.app.dataSource, [key, key]))).toEqual([key]);
  });

  test('are known here before the commit returns, and not before it is made', async () => {
    // One that does not listen: it could hear of its own change from the database too.
    const dataSource = await createDataSource(store).initialize();
    const own = new ChangeFeed(dataSource, false);
    const heard: string[] = [];
    own.onChange((keys) => heard.push(...keys));
    const key = randomUUID();
    await dataSource.transaction(async (manager) => {
      own.changed(manager, key);
      expect(heard).toEqual([]);
    });
    expect(heard).toEqual([key]);
    await dataSource.destroy();
  });

  test('are passed on once, and with the next transaction of the connection not again', async () => {
    const key = randomUUID();
    const runner = first.app.dataSource.createQueryRunner();
    const heard = await heardBy(second, async () => {
      await runner.startTransaction();
      feed.changed(runner.manager, key);
      await runner.commitTransaction();
      await runner.startTransaction();
      await runner.commitTransaction();
    });
    await runner.release();
    expect(heard).toEqual([key]);
  });

  test('are passed on to nobody where the transaction fails, with the next one on its connection neither', async () => {
    const failing = change(first.app.dataSource, [randomUUID()], () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    const { dataSource } = first.app;
    const runner = dataSource.createQueryRunner();
    const heard = await heardBy(second, async () => {
      await runner.startTransaction();
      feed.changed(runner.manager, randomUUID());
      await runner.rollbackTransaction();
      await runner.startTransaction();
      await runner.commitTransaction();
    });
    await runner.release();
    expect(heard).toEqual([]);
  });

  test('cannot be named outside of a transaction', () => {
    expect(() => feed.changed(first.app.dataSource.manager, randomUUID())).toThrow('inside its transaction');
  });
});

describe('a second replica', () => {
  test.each([160, 510])('forgets all of %i tokens that one transaction revokes', async (count) => {
    const tokens = await seed(count);
    // 503 is no verdict: many look-ups at once may take longer on a busy machine than a caller is made to wait.
    const verify = async (value: string): Promise<number> => {
      const { status } = await second.send('GET', '/verify', { headers: bearer(value) });
      return status === 503 ? verify(value) : status;
    };
    const statuses = async (): Promise<Set<number>> =>
      new Set(await Promise.all(tokens.map(({ value }) => verify(value))));
    expect(await statuses()).toEqual(new Set([204]));
    const tokenIds = tokens.map(({ tokenId }) => tokenId);
    await heardBy(second, () =>
      change(first.app.dataSource, tokenIds, (manager) =>
        manager.query('UPDATE tokens SET revoked_at = now() WHERE token_id = ANY ($1)', [tokenIds]),
      ),
    );
    expect(await statuses()).toEqual(new Set([401]));
  });
});
