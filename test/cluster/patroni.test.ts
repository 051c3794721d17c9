import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeToken } from '../../src/tokens/token-format.js';
import { FailoverLoad } from '../support/failover-load.js';
import { basic, bearer, type Received, send } from '../support/http.js';
import { introduction, PATRONI_PROGRAMS, PatroniCluster, type PatroniNode } from '../support/patroni.js';
import { buildOnce, PatoisProcess } from '../support/process.js';
import { describeWith } from '../support/programs.js';
import { eventually } from '../support/replicas.js';

/** Seconds; what the replicas are started with. */
const BOUND = 2;
/** What is promised: verdicts and writes are back so long after the new primary is there. */
const BACK_WITHIN_MS = 3_000;
/** How long the load goes on after the new primary is there: whatever fails until then counts. */
const WATCHED_MS = 5_000;
const LOADED_MS = 2_000;
/** Longer than anything is taken from memory. */
const ASTRAY_MS = BOUND * 1000 + 1_000;
const ADMIN_PASSWORD = 'correct horse battery';
const asAdmin = basic('admin', ADMIN_PASSWORD);

function issue(url: string): Promise<Received> {
  const body = { dialect: 'patois', owner: 'admin', name: 'kept', scopes: ['patois:*'] };
  return send(url, 'POST', '/patois/v1/tokens', { headers: asAdmin, body });
}

/** Of a value that nobody has asked for before: only the database knows that there is no such token. */
async function verdictOnUnknown(url: string): Promise<number> {
  return (await send(url, 'GET', '/verify', { headers: bearer(makeToken().value) })).status;
}

describeWith(PATRONI_PROGRAMS, 'on Patroni', () => {
  let cluster: PatroniCluster;
  const replicas: { name: string; process: PatoisProcess; url: string }[] = [];

  beforeAll(async () => {
    buildOnce();
    cluster = await PatroniCluster.make();
    const keys = `k1:${randomBytes(32).toString('base64')}`;
    // Two behind HAProxy, and one that is told of both servers and finds the primary by itself.
    const addresses = { one: cluster.url, other: cluster.url, direct: cluster.directUrl };
    for (const [name, address] of Object.entries(addresses)) {
      const process = new PatoisProcess({
        DATABASE_URL: address,
        TOKEN_KEYS: keys,
        ADMIN_PASSWORD,
        BCRYPT_COST: '4',
        PORT: '0',
        VERIFICATION_MAX_STALENESS: String(BOUND),
      });
      replicas.push({ name, process, url: '' });
      Object.assign(replicas.at(-1) ?? {}, { url: await process.listening() });
    }
  }, 240_000);
  // A test that fails leaves nothing frozen to the next.
  afterEach(() => cluster.restore());
  afterAll(async () => {
    await Promise.all(replicas.map(({ process }) => process.stop('SIGKILL')));
    await cluster.close();
  });

  /**
   * Waits until the server has said of itself, over a new connection through HAProxy, that it can be written to.
   *
   * @returns when the question that was answered so was asked (ms of `performance.now()`): the one before it had failed.
   */
  async function reachableAt({ port }: PatroniNode): Promise<number> {
    for (const endsAt = performance.now() + 60_000; performance.now() < endsAt; await sleep(10)) {
      const askedAt = performance.now();
      const said = await introduction(cluster.url);
      if (said?.port === port && said.isWritable) return askedAt;
    }
    throw new Error(`There is no new primary:\n${cluster.output}`);
  }

  /** Changes the primary while the replicas are at work, and looks whether they keep what is promised. */
  async function fail(
    how: string,
    leaderFails: (leader: PatroniNode) => Promise<void> | void,
  ): Promise<PatroniNode> {
    const { leader, other } = await cluster.roles();
    const load = new FailoverLoad(replicas, BOUND * 1000, asAdmin);
    load.start();
    try {
      await sleep(LOADED_MS);
      await leaderFails(leader);
      const newPrimaryAt = await reachableAt(other);
      await sleep(WATCHED_MS);
      await load.stop();
      const back = load.back(newPrimaryAt);
      process.stderr.write(`${how}: ${JSON.stringify(back)}\n`);
      expect(load.broken).toEqual([]);
      const late = Object.entries(back).filter(
        ([work, ms]) => ms > (work.endsWith('direct') ? WATCHED_MS : BACK_WITHIN_MS),
      );
      expect(late).toEqual([]);
    } finally {
      await load.stop();
    }
    // By now nothing is taken from memory: what was acknowledged is there, what was revoked stays so.
    await sleep(BOUND * 1000);
    expect(await load.lost()).toEqual([]);
    // More at once than there are connections: none of a pool is dead.
    await eventually(async () => (await load.burst()).length === 0, 30_000);
    for (const replica of replicas) {
      expect(replica.process.output.match(/Patois listens on/g)).toHaveLength(1);
    }
    return leader;
  }

  /** Leads HAProxy to a server that is not the primary, and answers: no verdict and no change rests on it. */
  async function expectNoBelief(server: PatroniNode): Promise<void> {
    await cluster.lead(server);
    try {
      expect(await introduction(cluster.url)).toMatchObject({ port: server.port });
      for (const endsAt = performance.now() + ASTRAY_MS; performance.now() < endsAt; await sleep(50)) {
        for (const { url } of replicas.slice(0, 2)) {
          expect([await verdictOnUnknown(url), (await issue(url)).status]).toEqual([503, 503]);
        }
      }
    } finally {
      await cluster.lead();
    }
    for (const { url } of replicas) {
      await eventually(
        async () => (await verdictOnUnknown(url)) === 401 && (await issue(url)).status === 201,
        30_000,
      );
    }
  }

  test('the primary is killed', async () => {
    const former = await fail('killed', (leader) => leader.kill());
    await cluster.restore();
    expect(await former.connections()).toBe(0);
  });

  test('the primary is frozen, and what wakes up is not believed although it can be written to', async () => {
    const former = await fail('frozen', (leader) => leader.freeze());
    former.thawServer();
    await eventually(() => former.isWritable(), 10_000);
    await expectNoBelief(former);
    await eventually(async () => (await former.connections()) === 0, 10_000);
    await cluster.restore();
    expect(await former.connections()).toBe(0);
  });

  test('the primary hands over, and what is a standby now is not believed', async () => {
    const former = await fail('handed over', () => cluster.switchover());
    await cluster.settled();
    expect(await former.isWritable()).toBe(false);
    await expectNoBelief(former);
    expect(await former.connections()).toBe(0);
  });
});
