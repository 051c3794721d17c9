import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { basic, bearer, type Received, send } from '../support/http.js';
import { type Reached, settingsOf } from '../support/pooler.js';
import { PrivatePostgres } from '../support/postgres.js';
import { buildOnce, PatoisProcess } from '../support/process.js';
import { eventually } from '../support/replicas.js';

const ADMIN_PASSWORD = 'correct horse battery';
const asAdmin = basic('admin', ADMIN_PASSWORD);

let primary: PrivatePostgres;
let standby: PrivatePostgres;
let patois: PatoisProcess;
let url: string;

beforeEach(async () => {
  buildOnce();
  primary = await PrivatePostgres.make();
  standby = await primary.standby();
  patois = new PatoisProcess({
    // The standby first: it answers, and is not believed.
    ...settingsOf(reachedBoth(standby.reached, primary.reached)),
    TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ADMIN_PASSWORD,
    BCRYPT_COST: '4',
    PORT: '0',
    VERIFICATION_MAX_STALENESS: '2',
  });
  url = await patois.listening();
}, 120_000);
afterEach(async () => {
  await patois.stop('SIGKILL');
  await standby.remove();
  await primary.remove();
});

/** The addresses of two servers as one. */
function reachedBoth(one: Reached, other: Reached): Reached {
  const both = (...urls: string[]): string =>
    `postgres://postgres@${urls.map((each) => new URL(each).host).join(',')}/postgres`;
  const { listenUrl } = one;
  return {
    url: both(one.url, other.url),
    listenUrl: listenUrl === undefined ? undefined : both(listenUrl, other.listenUrl ?? ''),
  };
}

function issue(): Promise<Received> {
  const body = { dialect: 'patois', owner: 'admin', name: 'kept', scopes: ['patois:*'] };
  return send(url, 'POST', '/patois/v1/tokens', { headers: asAdmin, body });
}

async function verdict(value: string): Promise<number> {
  return (await send(url, 'GET', '/verify', { headers: bearer(value) })).status;
}

/** A token that a server is known to have. */
async function issued(): Promise<{ token: string; tokenId: string }> {
  let made = await issue();
  await eventually(async () => made.status === 201 || (made = await issue()).status === 201, 60_000);
  return made.json;
}

async function query<Row extends object>(server: PrivatePostgres, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Waits until the standby has all that the primary has committed. */
async function caughtUp(): Promise<void> {
  const [row] = await query<{ lsn: string }>(primary, 'SELECT pg_current_wal_lsn() AS lsn');
  await eventually(async () => {
    const [has] = await query<{ all: boolean }>(
      standby,
      `SELECT pg_last_wal_replay_lsn() >= '${row?.lsn}' AS all`,
    );
    return has?.all === true;
  }, 30_000);
}

describe('of two servers in DATABASE_URL', () => {
  test('the one that can be written to is used, and its successor once it is gone; a former primary is not believed', async () => {
    const before = await issued();
    expect(await standby.connectionsOfPatois()).toBe(0);
    await caughtUp();
    await primary.killHard();
    standby.promote();
    const after = await issued();
    expect(await verdict(before.token)).toBe(204);
    expect(await verdict(after.token)).toBe(204);
    // It can be written to again, and knows nothing of what came after it.
    await primary.start();
    const revoked = await send(url, 'DELETE', `/patois/v1/tokens/${before.tokenId}`, { headers: asAdmin });
    expect(revoked.status).toBe(204);
    for (let round = 0; round < 50; round += 1) {
      expect([await verdict((await issued()).token), await verdict(before.token)]).toEqual([204, 401]);
    }
    expect(await primary.connectionsOfPatois()).toBe(0);
  }, 180_000);

  test('one that was frozen, and wakes up as a former primary, has lost its connections', async () => {
    const before = await issued();
    expect(await verdict(before.token)).toBe(204);
    await caughtUp();
    primary.freeze('SIGSTOP');
    try {
      standby.promote();
      const after = await issued();
      expect(await verdict(after.token)).toBe(204);
      await patois.printed(/The database has a new primary \(timeline 2\)/);
      const path = `/patois/v1/tokens/${before.tokenId}`;
      expect((await send(url, 'DELETE', path, { headers: asAdmin })).status).toBe(204);
    } finally {
      primary.freeze('SIGCONT');
    }
    await eventually(async () => (await primary.connectionsOfPatois()) === 0, 60_000);
    for (let round = 0; round < 50; round += 1) {
      expect([await verdict((await issued()).token), await verdict(before.token)]).toEqual([204, 401]);
    }
    expect(await primary.connectionsOfPatois()).toBe(0);
  }, 180_000);
});
