import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Database } from '../../src/database/database.js';
import { Policy, type PolicySettings } from '../../src/tokens/policy/policy.entity.js';
import { Token } from '../../src/tokens/token.entity.js';
import type { Received } from '../support/http.js';
import { setPolicy as givePolicy } from '../support/policy.js';
import { TestServer, type TestUser } from '../support/server.js';
import { openTestStore } from '../support/store.js';

let store: Database;
let replicas: [TestServer, TestServer];
let owner: TestUser;
/** Holds a lock for as long as a test wants. */
let holder: pg.Client;
/** Sees who waits for a lock. */
let watcher: pg.Client;

beforeAll(async () => {
  store = await openTestStore();
  const open = (): Promise<Database> => Promise.resolve({ ...store, close: async () => {} });
  replicas = [await TestServer.start({}, open), await TestServer.start({}, open)];
  holder = new pg.Client({ connectionString: store.url });
  watcher = new pg.Client({ connectionString: store.url });
  await holder.connect();
  await watcher.connect();
});
beforeEach(async () => {
  owner = await replicas[0].makeUser({ role: 'organizationAdministrator' });
});
afterAll(async () => {
  await holder.end();
  await watcher.end();
  for (const replica of replicas) await replica.close();
  await store.close();
});

const POLICY = '/patois/v1/organizations/Default/policy';

function setPolicy(settings: Partial<PolicySettings>): Promise<void> {
  return givePolicy(replicas[0], settings);
}

/** A token, through one of the replicas and, in turn, one of the APIs. Who is told to come again does so. */
async function create(index: number): Promise<Received> {
  const bodies: [path: string, body: object][] = [
    ['/api-tokens', { name: 'x', permissions: ['BulkUpload'] }],
    ['/api/v1/user/apptoken', { title: 'x' }],
    ['/me/tokens', { name: 'x' }],
    [`/api/users/${owner.user.login}/personal_access_tokens`, { name: `x${index}` }],
    ['/patois/v1/tokens', { dialect: 'quay', owner: owner.user.login, name: 'x' }],
  ];
  const [path, body] = bodies[index % bodies.length] as [string, object];
  const replica = replicas[index % 2] as TestServer;
  const answer = await replica.send('POST', path, { headers: owner.byPassword, body });
  return answer.status === 503 ? create(index) : answer;
}

function countTokens(): Promise<number> {
  return replicas[0].app.dataSource.manager.countBy(Token, { ownerId: owner.user.id });
}

/** Waits until so many statements of the servers stand still before a lock, or the work is done without waiting. */
async function standingStill(count: number, work: Promise<unknown>): Promise<void> {
  let isDone = false;
  const done = (): void => void (isDone = true);
  work.then(done, done);
  for (;;) {
    const { rows } = await watcher.query<{ count: number }>(
      `SELECT count(*)::int FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name LIKE 'patois%'`,
    );
    if (isDone || (rows[0]?.count ?? 0) >= count) return;
  }
}

describe('maxTokensPerUser', () => {
  test.each([1, 10])(
    'of fifty tokens at once, through two replicas and five APIs, %i are made where there is room for so many',
    async (room) => {
      await setPolicy({ maxTokensPerUser: room });
      const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => create(index)));
      expect(answers.filter(({ status }) => status < 300)).toHaveLength(room);
      for (const { status, text } of answers.filter((answer) => answer.status >= 300)) {
        expect([400, 422]).toContain(status);
        expect(text).toContain('(maxTokensPerUser)');
      }
      expect(await countTokens()).toBe(room);
    },
  );

  test('batches for many owners at once are made whole or not at all, and none waits for ever', async () => {
    await setPolicy({ maxTokensPerUser: 5 });
    const owners = await Promise.all(Array.from({ length: 10 }, () => replicas[0].makeUser()));
    const batch = async (index: number): Promise<Received> => {
      // Some begin with those whom others end with.
      const inOrder = index % 2 === 0 ? owners : [...owners].reverse();
      const tokens = inOrder.map(({ user }) => ({ dialect: 'quay', owner: user.login, name: 'x' }));
      const sent = { headers: replicas[0].asAdmin, body: { tokens } };
      const replica = replicas[(index >> 1) % 2] as TestServer;
      const answer = await replica.send('POST', '/patois/v1/tokens:batch', sent);
      return answer.status === 503 ? batch(index) : answer;
    };
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => batch(index)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(15);
    for (const { user } of owners) {
      expect(await replicas[0].app.dataSource.manager.countBy(Token, { ownerId: user.id })).toBe(5);
    }
  });

  test('a revived token and a new one do not both get the last place', async () => {
    for (let round = 0; round < 10; round += 1) {
      await setPolicy({});
      owner = await replicas[0].makeUser({ role: 'organizationAdministrator' });
      const { token } = await replicas[0].issue({
        dialect: 'patois',
        ownerId: owner.user.id,
        expiresAt: new Date(Date.now() - 1_000),
      });
      await setPolicy({ maxTokensPerUser: 1 });
      const sent = { headers: owner.byPassword, body: { expiresAt: '2099-01-01T00:00:00Z' } };
      const revived = replicas[1].send('PATCH', `/patois/v1/tokens/${token.tokenId}`, sent);
      const statuses = (await Promise.all([revived, create(4)])).map(({ status }) => status);
      expect(statuses.filter((status) => status === 422)).toHaveLength(1);
    }
  });
});

describe('A change of the policy', () => {
  const replace = (body: object): Promise<Received> =>
    replicas[1].send('PUT', POLICY, { headers: owner.byPassword, body });

  test('that is not committed yet is waited for, and then kept', async () => {
    await setPolicy({});
    await holder.query('BEGIN');
    await holder.query('UPDATE policies SET require_cidrs = true');
    const answer = create(4);
    await standingStill(1, answer);
    await holder.query('COMMIT');
    expect((await answer).status).toBe(422);
  });

  test('waits for the tokens that are being made under the one before', async () => {
    await setPolicy({});
    // The owner is locked already, the write stands still.
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE last_uses IN ACCESS EXCLUSIVE MODE');
    const made = create(4);
    await standingStill(1, made);
    let isAnswered = false;
    const changed = replace({ requireCidrs: true }).finally(() => (isAnswered = true));
    await standingStill(2, changed);
    expect(isAnswered).toBe(false);
    await holder.query('COMMIT');
    expect([(await made).status, (await changed).status]).toEqual([201, 200]);
    expect((await create(4)).status).toBe(422);
  });

  test('holds for one who is moved into the organization while the token is made', async () => {
    await setPolicy({});
    const elsewhere = await replicas[0].organization('Elsewhere');
    const { manager } = replicas[0].app.dataSource;
    await manager.update(Policy, { organizationId: elsewhere.id }, { requireCidrs: true });
    const moved = await replicas[0].makeUser();
    await holder.query('BEGIN');
    await holder.query('UPDATE users SET organization_id = $1 WHERE id = $2', [elsewhere.id, moved.user.id]);
    const body = { dialect: 'quay', owner: moved.user.login, name: 'x' };
    const answer = replicas[0].send('POST', '/patois/v1/tokens', { headers: replicas[0].asAdmin, body });
    await standingStill(1, answer);
    await holder.query('COMMIT');
    expect((await answer).json.errors).toMatchObject([{ pointer: '/requireCidrs' }]);
  });

  test('holds for one who is moved into an organization that is made meanwhile', async () => {
    await setPolicy({});
    const moved = await replicas[0].makeUser();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [moved.user.id]);
    const body = { dialect: 'quay', owner: moved.user.login, name: 'x' };
    const answer = replicas[0].send('POST', '/patois/v1/tokens', { headers: replicas[0].asAdmin, body });
    await standingStill(1, answer);
    const late = await replicas[1].organization('Late');
    await holder.query('UPDATE policies SET require_cidrs = true WHERE organization_id = $1', [late.id]);
    await holder.query('UPDATE users SET organization_id = $1 WHERE id = $2', [late.id, moved.user.id]);
    await holder.query('COMMIT');
    expect((await answer).json.errors).toMatchObject([{ pointer: '/requireCidrs' }]);
  });

  test('gets its turn, however many tokens are being made', async () => {
    await setPolicy({});
    let isOver = false;
    const making = Array.from({ length: 24 }, async (_, index) => {
      while (!isOver) await create(index);
    });
    const statuses: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const sent = { headers: replicas[1].asAdmin, body: { maxTokensPerUser: 100_000 + round } };
      statuses.push((await replicas[1].send('PUT', POLICY, sent)).status);
    }
    isOver = true;
    await Promise.all(making);
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
  });

  test('and tokens that are made at the same time: none is made against it after its answer', async () => {
    for (let round = 0; round < 5; round += 1) {
      await setPolicy({});
      let isAnswered = false;
      const changed = replace({ requireCidrs: true }).then((answer) => {
        isAnswered = true;
        return answer;
      });
      const later: Promise<Received>[] = [];
      for (let index = 0; !isAnswered; index += 1) await create(index);
      for (let index = 0; index < 10; index += 1) later.push(create(index));
      expect((await changed).status).toBe(200);
      for (const { status } of await Promise.all(later)) expect([400, 422]).toContain(status);
    }
  });
});
