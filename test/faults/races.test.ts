import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Database } from '../../src/database/database.js';
import { HashingService } from '../../src/hashing/hashing.service.js';
import { Token } from '../../src/tokens/token.entity.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';
import { openTestStore } from '../support/store.js';

const OLD_KEY = { name: 'old', secret: randomBytes(32) };
const NEW_KEY = { name: 'new', secret: randomBytes(32) };

let store: Database;
let server: TestServer;
/** Holds a lock for as long as a test wants: whoever runs into it stands still. */
let holder: pg.Client;
/** Sees who waits for a lock. */
let watcher: pg.Client;

beforeAll(async () => {
  store = await openTestStore();
  const settings = { tokenKeys: [NEW_KEY, OLD_KEY] };
  server = await TestServer.start(settings, () => Promise.resolve({ ...store, close: async () => {} }));
  holder = new pg.Client({ connectionString: store.url });
  watcher = new pg.Client({ connectionString: store.url });
  await holder.connect();
  await watcher.connect();
});
afterAll(async () => {
  await holder.end();
  await watcher.end();
  await server.close();
  await store.close();
});

/** Waits until so many statements of the server stand still before a lock, or the work is done without waiting. */
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

function asAdmin(method: string, path: string, body?: object): Promise<Received> {
  return server.send(method, `/patois/v1${path}`, { headers: server.asAdmin, ...(body && { body }) });
}

function createFor({ user }: TestUser): Promise<Received> {
  const body = { dialect: 'patois', owner: user.login, name: 'in between', scopes: ['patois:tokens.read'] };
  return asAdmin('POST', '/tokens', body);
}

function tokensOf({ user }: TestUser): Promise<Token[]> {
  return server.app.dataSource.manager.findBy(Token, { ownerId: user.id });
}

async function statusOf(value: string): Promise<number> {
  return (await server.send('GET', '/verify', { headers: bearer(value) })).status;
}

describe('A token that is made while its owner', () => {
  let owner: TestUser;
  beforeEach(async () => {
    owner = await server.makeUser();
    await holder.query('BEGIN');
  });
  afterEach(() => holder.query('ROLLBACK'));

  /** Stops what changes all tokens of the owner, when the owner is locked already. */
  async function holdTokenOfOwner(): Promise<void> {
    const { token } = await server.issue({ dialect: 'patois', ownerId: owner.user.id });
    await holder.query('SELECT 1 FROM tokens WHERE id = $1 FOR UPDATE', [token.id]);
  }

  test('is being deleted is not made', async () => {
    await holdTokenOfOwner();
    const deleting = asAdmin('DELETE', `/users/${owner.user.id}`);
    await standingStill(1, deleting);
    const creating = createFor(owner);
    await standingStill(2, creating);
    await holder.query('COMMIT');
    expect((await deleting).status).toBe(204);
    expect((await creating).status).toBe(404);
    const tokens = await tokensOf(owner);
    expect(tokens.map((token) => token.isRevoked())).toEqual([true]);
  });

  test('is about to be deleted is revoked with the owner', async () => {
    // No token can be written: the create has looked at its owner then, and the deletion has nothing to revoke yet.
    await holder.query('LOCK TABLE tokens IN SHARE MODE');
    const creating = createFor(owner);
    await standingStill(1, creating);
    const deleting = asAdmin('DELETE', `/users/${owner.user.id}`);
    await standingStill(2, deleting);
    await holder.query('COMMIT');
    const [created, deleted] = await Promise.all([creating, deleting]);
    expect([created.status, deleted.status]).toEqual([201, 204]);
    const tokens = await tokensOf(owner);
    expect(tokens.map((token) => token.isRevoked())).toEqual([true]);
    expect(await statusOf(created.json.token as string)).toBe(401);
  });

  test('is being moved to another organization is made there', async () => {
    const elsewhere = await server.organization('Elsewhere');
    await holdTokenOfOwner();
    const moving = asAdmin('PATCH', `/users/${owner.user.id}`, { organization: elsewhere.id });
    await standingStill(1, moving);
    const creating = createFor(owner);
    await standingStill(2, creating);
    await holder.query('COMMIT');
    expect([(await moving).status, (await creating).status]).toEqual([200, 201]);
    const organizations = (await tokensOf(owner)).map(({ organizationId }) => organizationId);
    expect(organizations).toEqual([elsewhere.id, elsewhere.id]);
  });
});

describe('A token of an old key that is used', () => {
  test('while it is rotated keeps its new value: the old one is not digested anew over it', async () => {
    const owner = await server.makeUser();
    const { token, value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id });
    const { digest } = new HashingService([OLD_KEY], 4).digestToken(value);
    await server.app.dataSource.query(`UPDATE tokens SET digest = $2, digest_key = 'old' WHERE id = $1`, [
      token.id,
      digest,
    ]);
    // The rotation has written the new value, and cannot commit before its audit event is written.
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE audit_events IN SHARE MODE');
    const rotating = asAdmin('POST', `/tokens/${token.tokenId}/rotate`, {});
    await standingStill(1, rotating);
    const using = statusOf(value);
    await standingStill(2, using);
    await holder.query('COMMIT');
    const rotated = await rotating;
    expect(rotated.status).toBe(200);
    // It was asked while the old value was the right one.
    expect(await using).toBe(204);
    expect([await statusOf(rotated.json.token as string), await statusOf(value)]).toEqual([204, 401]);
  });
});
