import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { createDataSource } from '../../src/data-source.js';
import { CachedToken } from '../../src/decisions/cached-token.js';
import type { NewAddresses } from '../../src/decisions/new-addresses.js';
import { UsageRecorder } from '../../src/decisions/usage-recorder.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { LastUse, slotOf, Token } from '../../src/tokens/token.entity.js';
import { stopTimeouts } from '../support/clock.js';
import { basic, send } from '../support/http.js';
import { TestServer } from '../support/server.js';
import { onceFree, openTestStore } from '../support/store.js';

/** Nobody wants to know of new addresses. */
const UNWATCHED = { isWatched: false } as NewAddresses;

const SELF = '/api-tokens/self';

interface WrittenUse {
  at: Date | null;
  address: string | null;
  agent: string | null;
}

let server: TestServer;
let recorder: UsageRecorder;
let ownerId: string;
beforeAll(async () => {
  server = await TestServer.start({ trustedProxies: ['127.0.0.0/8'] });
  recorder = server.app.nest.get(UsageRecorder, { strict: false });
  ownerId = (await server.admin()).id;
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => server.close());

function issue(): Promise<{ token: Token; value: string }> {
  return server.issue({ dialect: 'panther', ownerId, scopes: ['OrganizationAPITokenRead'] });
}

/** A token of its own that is in memory. */
function cached(id: string): CachedToken {
  return new CachedToken(Object.assign(new Token(), { id }), null);
}

/** What the database itself holds, past everything in memory. */
async function written(token: Token): Promise<WrittenUse> {
  const [row] = await server.app.dataSource.query<WrittenUse[]>(
    'SELECT used_at AS at, address, user_agent AS agent FROM last_uses WHERE token_uuid = $1',
    [token.id],
  );
  if (!row) throw new Error('No such token');
  return row;
}

async function lastUsedAt(value: string, headers: Record<string, string> = {}): Promise<Date> {
  const { json } = await server.send('GET', SELF, { headers: { 'x-api-key': value, ...headers } });
  return new Date(json.lastUsedAt as string);
}

describe('the last use of a token', () => {
  test('shows in the answer to that very request and in others', async () => {
    const before = Date.now();
    const { token, value } = await issue();
    expect((await lastUsedAt(value)).getTime()).toBeGreaterThanOrEqual(before);
    const second = await lastUsedAt(value);
    const { json } = await server.send('GET', '/api-tokens', { headers: server.asAdmin });
    const listed = (json.results as { name: string; lastUsedAt: string }[]).find(
      ({ name }) => name === token.name,
    );
    expect(new Date(listed?.lastUsedAt ?? 0)).toEqual(second);
  });

  test('is written two seconds later, with address and user agent', async () => {
    await recorder.flush();
    const { token, value } = await issue();
    stopTimeouts();
    const used = await lastUsedAt(value, { 'x-forwarded-for': '203.0.113.77', 'user-agent': 'test/1.0' });
    jest.advanceTimersByTime(1_999);
    expect((await written(token)).at).toBeNull();
    jest.advanceTimersByTime(1);
    let row = await written(token);
    while (row.at === null) row = await written(token);
    expect(row).toEqual({ at: used, address: '203.0.113.77', agent: 'test/1.0' });
  });

  test('a refused use counts for nothing', async () => {
    const { token, value } = await server.issue({
      dialect: 'panther',
      ownerId,
      scopes: ['OrganizationAPITokenRead'],
      allowedCidrs: ['192.0.2.0/24'],
    });
    expect((await server.send('GET', SELF, { headers: { 'x-api-key': value } })).status).toBe(403);
    await recorder.flush();
    expect((await written(token)).at).toBeNull();
  });

  test('a user agent is cut, and loses the secret of a token', async () => {
    const { token, value } = await issue();
    const other = makeToken();
    server.secrets.add(other.value);
    await lastUsedAt(value, { 'user-agent': `agent ${other.value} ${'x'.repeat(1000)}` });
    await recorder.flush();
    const { agent } = await written(token);
    expect(agent).toContain(`agent ${other.tokenId}_…`);
    expect(agent?.length).toBeLessThanOrEqual(512);
  });

  test('never goes back: a later use that another replica wrote stays', async () => {
    const { token, value } = await issue();
    const later = new Date(Date.now() + 3_600_000);
    await lastUsedAt(value);
    await server.app.dataSource.query(
      `UPDATE last_uses SET used_at = $2, address = '192.0.2.1' WHERE token_uuid = $1`,
      [token.id, later],
    );
    await recorder.flush();
    expect(await written(token)).toMatchObject({ at: later, address: '192.0.2.1' });
  });

  test('what could not be written is written the next time, and shows in between', async () => {
    const { token, value } = await issue();
    const used = await lastUsedAt(value);
    await server.app.dataSource.query(
      'ALTER TABLE last_uses ADD CONSTRAINT broken CHECK (used_at IS NULL) NOT VALID',
    );
    await recorder.flush();
    expect((await written(token)).at).toBeNull();
    const { json } = await server.send('GET', '/api-tokens', { headers: server.asAdmin });
    expect(JSON.stringify(json)).toContain(used.toISOString());
    await server.app.dataSource.query('ALTER TABLE last_uses DROP CONSTRAINT broken');
    await recorder.flush();
    expect((await written(token)).at).toEqual(used);
  });
});

describe('a token that stays in memory', () => {
  test('is written again when it is used after so long that its last use was forgotten', async () => {
    jest.useFakeTimers();
    const writes: string[][] = [];
    const query = async (_: string, [ids = []]: string[][]): Promise<void> => void writes.push(ids);
    const own = new UsageRecorder({ subscribers: [], query } as unknown as DataSource, UNWATCHED);
    const token = cached('one');
    const use = { address: '192.0.2.1', userAgent: undefined };
    own.record(token, use);
    own.record(token, use);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(writes).toEqual([['one']]);
    await jest.advanceTimersByTimeAsync(120_000);
    own.record(token, use);
    expect(own.backlog.tokens).toBe(1);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(writes).toEqual([['one'], ['one']]);
  });

  /** A recorder of its own, and what it writes: ids, moments, addresses, agents and slots of each statement. */
  function recording(): { own: UsageRecorder; writes: string[][][] } {
    const writes: string[][][] = [];
    const query = async (_: string, values: string[][]): Promise<void> => void writes.push(values);
    return { own: new UsageRecorder({ subscribers: [], query } as unknown as DataSource, UNWATCHED), writes };
  }

  test('is written again a minute after it was written, with where and by what it was used meanwhile', async () => {
    jest.useFakeTimers();
    const { own, writes } = recording();
    const token = cached('one');
    own.record(token, { address: '192.0.2.1', userAgent: 'first' });
    await jest.advanceTimersByTimeAsync(2_000);
    own.record(token, { address: '192.0.2.2', userAgent: 'second' });
    const usedAt = new Date().toISOString();
    await jest.advanceTimersByTimeAsync(58_000);
    expect(writes).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(4_000);
    const slots = [slotOf(Date.parse(usedAt))];
    expect(writes.slice(1)).toEqual([[['one'], [usedAt], ['192.0.2.2'], ['second'], slots]]);
    await jest.advanceTimersByTimeAsync(600_000);
    expect(writes).toHaveLength(2);
  });

  test('is written by a flush though it was written just now, where it was used since', async () => {
    jest.useFakeTimers();
    const { own, writes } = recording();
    const [used, unused] = ['used', 'unused'].map(cached);
    const use = { address: undefined, userAgent: undefined };
    for (const token of [used, unused]) if (token) own.record(token, use);
    await jest.advanceTimersByTimeAsync(2_000);
    if (used) own.record(used, use);
    await own.flush();
    expect(writes.map(([ids]) => ids)).toEqual([['unused', 'used'], ['used']]);
    expect(own.backlog.tokens).toBe(0);
  });

  test('shows its last use when that is loaded, unless what is loaded is later', () => {
    jest.useFakeTimers();
    const { own } = recording();
    const loaded = (usedAt: Date | null, tokenUuid = 'one'): LastUse =>
      Object.assign(new LastUse(), { tokenUuid, usedAt });
    own.record(cached('one'), { address: '192.0.2.1', userAgent: 'here' });
    const now = new Date();
    const [before, later] = [new Date(now.getTime() - 1), new Date(now.getTime() + 1)];
    const shown = [null, before, later].map((at) => {
      const lastUse = loaded(at);
      own.afterLoad(lastUse);
      return [lastUse.usedAt, lastUse.address, lastUse.userAgent];
    });
    expect(shown).toEqual([
      [now, '192.0.2.1', 'here'],
      [now, '192.0.2.1', 'here'],
      [later, undefined, undefined],
    ]);
    const other = loaded(null, 'another');
    own.afterLoad(other);
    expect(other.usedAt).toBeNull();
  });

  test('is written again only when the write before has ended: a later one must not overtake it', async () => {
    jest.useFakeTimers();
    const ends: (() => void)[] = [];
    const query = (): Promise<void> => new Promise((end) => ends.push(end));
    const own = new UsageRecorder({ subscribers: [], query } as unknown as DataSource, UNWATCHED);
    const use = { address: undefined, userAgent: undefined };
    own.record(cached('one'), use);
    await jest.advanceTimersByTimeAsync(2_000);
    own.record(cached('other'), use);
    const flushed = own.flush();
    await jest.advanceTimersByTimeAsync(0);
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await jest.advanceTimersByTimeAsync(0);
    expect(ends).toHaveLength(2);
    ends[1]?.();
    await flushed;
  });

  test('has waited to be written since its first use, however often it is loaded and used again', async () => {
    jest.useFakeTimers();
    const { own } = recording();
    for (let count = 0; count < 2; count += 1) {
      own.record(cached('one'), { address: undefined, userAgent: undefined });
      jest.advanceTimersByTime(900);
    }
    expect(own.backlog).toEqual({ tokens: 1, oldestSeconds: 1.8 });
    await own.flush();
    expect(own.backlog).toEqual({ tokens: 0, oldestSeconds: 0 });
  });

  test('is written one statement after the other, a thousand tokens each, in the order of their ids', async () => {
    jest.useFakeTimers();
    const { own, writes } = recording();
    const ids = Array.from({ length: 2_500 }, (_, index) => `${9_999 - index}`);
    for (const id of ids) own.record(cached(id), { address: '::1', userAgent: 'x' });
    await jest.advanceTimersByTimeAsync(2_000);
    expect(writes.map(([written = []]) => written.length)).toEqual([1_000, 1_000, 500]);
    for (const [written = []] of writes) expect(written).toEqual(written.toSorted());
    expect(writes.flatMap(([written = []]) => written).toSorted()).toEqual(ids.toSorted());
  });

  test('has one last use, however often it is loaded', async () => {
    jest.useFakeTimers();
    const agents: string[][] = [];
    const query = async (_: string, values: string[][]): Promise<void> => void agents.push(values[3] ?? []);
    const own = new UsageRecorder({ subscribers: [], query } as unknown as DataSource, UNWATCHED);
    for (const userAgent of ['first', 'second']) {
      own.record(cached('one'), { address: undefined, userAgent });
    }
    await jest.advanceTimersByTimeAsync(3_000);
    expect(agents).toEqual([['second']]);
    await own.flush();
  });
});

describe('at shutdown', () => {
  test('what is pending is written', async () => {
    const store = await openTestStore();
    const kept = { ...store, close: async () => {} };
    const adminPassword = 'a password of eight';
    const config = { ...readConfig({}), port: 0, bcryptCost: 4, adminPassword };
    const tokenKeys = [{ name: 'k1', secret: Buffer.alloc(32, 7) }];
    const app = await createApp({ ...config, tokenKeys }, false, async () => kept);
    const url = await app.listen();
    const body = { name: 'used', permissions: ['OrganizationAPITokenRead'] };
    const made = await send(url, 'POST', '/api-tokens', { headers: basic('admin', adminPassword), body });
    const self = await send(url, 'GET', SELF, { headers: { 'x-api-key': made.json.value as string } });
    await app.close();
    const dataSource = await onceFree(() => createDataSource(kept).initialize());
    const rows = await dataSource.query<{ used_at: Date }[]>('SELECT used_at FROM last_uses');
    expect(rows.map(({ used_at: at }) => at.toISOString())).toEqual([self.json.lastUsedAt]);
    await dataSource.destroy();
    await store.close();
  });
});
