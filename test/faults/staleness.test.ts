import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { User } from '../../src/accounts/user.entity.js';
import { createDataSource } from '../../src/data-source.js';
import { postgresServer } from '../../src/database/database.js';
import { HashingService } from '../../src/hashing/hashing.service.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { basic, bearer, type Received, send } from '../support/http.js';
import { hasPooler, type Reached, settingsOf } from '../support/pooler.js';
import { PrivatePostgres } from '../support/postgres.js';
import { buildOnce, PatoisProcess } from '../support/process.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** Seconds; what the replicas are started with. */
const BOUND = 2;
const ADMIN_PASSWORD = 'correct horse battery';
const KEY = randomBytes(32);
const asAdmin = basic('admin', ADMIN_PASSWORD);

const isListener = (application: string): boolean => application.includes('listen');

let postgres: PrivatePostgres;
/** Between the second replica and the database. */
let proxy: TcpProxy;
const replicas: PatoisProcess[] = [];
/** The addresses of the replicas: the first talks to the database, the second through the proxy. */
let first: string;
let second: string;

async function startReplica(reached: Reached): Promise<string> {
  const replica = new PatoisProcess({
    ...settingsOf(reached),
    TOKEN_KEYS: `k1:${KEY.toString('base64')}`,
    ADMIN_PASSWORD,
    BCRYPT_COST: '4',
    PORT: '0',
    LOG_LEVEL: 'info',
    VERIFICATION_MAX_STALENESS: String(BOUND),
  });
  replicas.push(replica);
  return replica.listening();
}

beforeAll(async () => {
  buildOnce();
  postgres = await PrivatePostgres.make();
  proxy = await TcpProxy.before(postgres.reached);
  first = await startReplica(postgres.reached);
  second = await startReplica(proxy.reached);
}, 120_000);

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop('SIGKILL')));
  await proxy.close();
  await postgres.remove();
}, 60_000);

interface Seeded {
  tokenId: string;
  uuid: string;
  value: string;
  ownerId: string;
}

/** Writes tokens of one user past the server: many, quickly. */
async function seed(count: number, ownerLogin: string): Promise<Seeded[]> {
  const hashing = new HashingService([{ name: 'k1', secret: KEY }], 4);
  const dataSource = await createDataSource(postgresServer(postgres.url)).initialize();
  const owner = await dataSource.manager.findOneByOrFail(User, { login: ownerLogin });
  const tokens = Array.from({ length: count }, () => ({
    ...makeToken(),
    uuid: randomUUID(),
    ownerId: owner.id,
  }));
  await dataSource.query(
    `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
       inactive, created_at, dialect_fields)
     SELECT id, token_id, decode(digest, 'hex'), 'k1', 'patois', $4, $5, 'seeded', '{patois:*}', '{}', false, now(), '{}'
     FROM unnest($1::uuid[], $2::text[], $3::text[]) AS seed (id, token_id, digest)`,
    [
      tokens.map(({ uuid }) => uuid),
      tokens.map(({ tokenId }) => tokenId),
      tokens.map(({ value }) => hashing.digestToken(value).digest.toString('hex')),
      owner.id,
      owner.organizationId,
    ],
  );
  await dataSource.destroy();
  return tokens;
}

async function makeUser(login: string): Promise<void> {
  const { status } = await send(first, 'POST', '/patois/v1/users', { headers: asAdmin, body: { login } });
  expect(status).toBe(201);
}

function verify(replica: string, value: string): Promise<Received> {
  return send(replica, 'GET', '/verify', { headers: bearer(value) });
}

async function statusOf(replica: string, value: string): Promise<number> {
  return (await verify(replica, value)).status;
}

function call(replica: string, method: string, path: string, body?: object): Promise<Received> {
  return send(replica, method, path, { headers: asAdmin, ...(body && { body }) });
}

/** Fails the test where it stands. */
function demand(actual: unknown, wanted: unknown): void {
  expect(actual).toEqual(wanted);
}

async function disable(login: string, disabled: boolean, replica: string): Promise<void> {
  demand((await call(replica, 'PATCH', `/patois/v1/users/${login}`, { disabled })).status, 200);
}

/** Asks until the answer is there; how many milliseconds that took. */
async function until(isThere: () => Promise<boolean>, mostMs: number): Promise<number> {
  const begin = performance.now();
  while (performance.now() - begin < mostMs) {
    if (await isThere()) return performance.now() - begin;
    await sleep(10);
  }
  throw new Error(`Not within ${mostMs} ms`);
}

async function settled(): Promise<void> {
  proxy.decide(() => 'passed');
  await until(async () => proxy.count(isListener) === 1, 10_000);
  const [token] = await seed(1, 'admin');
  await until(async () => (await statusOf(second, token?.value ?? '')) === 204, 10_000);
}

describe('Two replicas on one database', () => {
  test('10,000 random revocations, rotations and disablings while both verify: not one stale accept', async () => {
    const users = Array.from({ length: 20 }, (_, index) => `crowd${index}`);
    await Promise.all(users.map(makeUser));
    const crowds = await Promise.all(users.map((login) => seed(480, login)));
    /** Values that must not be accepted any more, and since when, by the replica that ended them and by the other. */
    let staleAccepts = 0;
    let slowestMs = 0;
    let changes = 0;

    const expectDead = async (values: string[], author: string): Promise<void> => {
      const endedAt = performance.now();
      const other = author === first ? second : first;
      for (const value of values) if ((await statusOf(author, value)) !== 401) staleAccepts += 1;
      for (const value of values) {
        // Asked until it is refused: an acceptance that was asked for after the bound had passed is a stale one.
        for (
          let askedAt = performance.now();
          (await statusOf(other, value)) !== 401;
          askedAt = performance.now()
        ) {
          if (askedAt - endedAt > BOUND * 1000) staleAccepts += 1;
          if (askedAt - endedAt > 10 * BOUND * 1000) throw new Error('never refused');
        }
        slowestMs = Math.max(slowestMs, performance.now() - endedAt);
      }
    };

    const work = async (login: string, tokens: Seeded[]): Promise<void> => {
      while (tokens.length > 0) {
        const author = Math.random() < 0.5 ? first : second;
        const dice = Math.random();
        const [token] = tokens.slice(-1);
        if (!token) return;
        // Both remember it before it changes.
        const warm = await Promise.all([statusOf(first, token.value), statusOf(second, token.value)]);
        demand(warm, [204, 204]);
        if (dice < 0.03) {
          await disable(login, true, author);
          await expectDead([token.value], author);
          await disable(login, false, author);
          await until(async () => (await statusOf(first, token.value)) === 204, BOUND * 1500);
          await until(async () => (await statusOf(second, token.value)) === 204, BOUND * 1500);
          changes += 2;
          continue;
        }
        tokens.pop();
        if (dice < 0.5) {
          demand((await call(author, 'DELETE', `/patois/v1/tokens/${token.tokenId}`)).status, 204);
          await expectDead([token.value], author);
        } else {
          const rotated = await call(author, 'POST', `/patois/v1/tokens/${token.tokenId}/rotate`, {});
          demand(rotated.status, 200);
          await expectDead([token.value], author);
          demand(await statusOf(first, rotated.json.token), 204);
          demand(await statusOf(second, rotated.json.token), 204);
        }
        changes += 1;
      }
    };
    await Promise.all(crowds.map((tokens, index) => work(users[index] ?? '', tokens)));
    process.stdout.write(
      `${changes} changes, ${staleAccepts} stale accepts, slowest elsewhere ${Math.round(slowestMs)} ms\n`,
    );
    expect(changes).toBeGreaterThanOrEqual(10_000);
    expect(staleAccepts).toBe(0);
  }, 600_000);

  test('a change elsewhere is heard without waiting for the bound', async () => {
    const tokens = await seed(20, 'admin');
    for (const { tokenId, value } of tokens) {
      expect(await statusOf(second, value)).toBe(204);
      await call(first, 'DELETE', `/patois/v1/tokens/${tokenId}`);
      await until(async () => (await statusOf(second, value)) === 401, (BOUND * 1000) / 2);
    }
  });
});

describe('The listening connection', () => {
  test('cut: the bound holds, and it listens again', async () => {
    const [token] = await seed(1, 'admin');
    const { tokenId = '', value = '' } = token ?? {};
    expect(await statusOf(second, value)).toBe(204);
    proxy.decide((application) => (isListener(application) ? 'swallowed' : 'passed'));
    proxy.cut(isListener);
    await call(first, 'DELETE', `/patois/v1/tokens/${tokenId}`);
    await until(async () => (await statusOf(second, value)) === 401, BOUND * 1000 + 100);
    await settled();
    const [next] = await seed(1, 'admin');
    expect(await statusOf(second, next?.value ?? '')).toBe(204);
    await call(first, 'DELETE', `/patois/v1/tokens/${next?.tokenId}`);
    await until(async () => (await statusOf(second, next?.value ?? '')) === 401, BOUND * 1000);
  }, 60_000);

  test('half-open, so that nothing says it is gone: the bound holds', async () => {
    await settled();
    const tokens = await seed(50, 'admin');
    for (const { value } of tokens) expect(await statusOf(second, value)).toBe(204);
    proxy.decide((application) => (isListener(application) ? 'swallowed' : 'passed'));
    await Promise.all(tokens.map(({ tokenId }) => call(first, 'DELETE', `/patois/v1/tokens/${tokenId}`)));
    const endedAt = performance.now();
    await sleep(BOUND * 1000 - (performance.now() - endedAt) + 50);
    const late = await Promise.all(tokens.map(({ value }) => statusOf(second, value)));
    expect(late).toEqual(tokens.map(() => 401));
    await settled();
  }, 60_000);
});

describe('The database', () => {
  test('frozen: verdicts younger than the bound are served, then 503 within two seconds, then all is back', async () => {
    await settled();
    const [token] = await seed(1, 'admin');
    const { value = '' } = token ?? {};
    expect(await statusOf(second, value)).toBe(204);
    proxy.decide(() => 'swallowed');
    const frozenAt = performance.now();
    expect(await statusOf(second, value)).toBe(204);
    let status = 204;
    while (status === 204) {
      const askedAt = performance.now();
      status = await statusOf(second, value);
      expect(performance.now() - askedAt).toBeLessThan(2_200);
      expect(status === 204 && askedAt - frozenAt > BOUND * 1000).toBe(false);
    }
    expect(status).toBe(503);
    const introspection = await send(second, 'POST', '/oauth2/introspect', {
      headers: { ...bearer(value), 'content-type': 'application/x-www-form-urlencoded' },
      body: `token=${value}`,
    });
    expect(introspection.status).toBe(503);
    proxy.decide(() => 'passed');
    await until(async () => (await statusOf(second, value)) === 204, 3_000);
    await settled();
  }, 60_000);

  test('slow: requests do not pile up, each is answered in bounded time', async () => {
    await settled();
    const tokens = await seed(300, 'admin');
    proxy.decide((application) => (application.includes('verify') ? { delayedMs: 3_000 } : 'passed'));
    const askedAt = performance.now();
    const answers = await Promise.all(tokens.map(({ value }) => statusOf(second, value)));
    expect(new Set(answers)).toEqual(new Set([503]));
    expect(performance.now() - askedAt).toBeLessThan(4_000);
    proxy.decide(() => 'passed');
    await until(async () => (await statusOf(second, tokens[0]?.value ?? '')) === 204, 3_000);
  }, 60_000);

  test('killed and started again: nothing acknowledged is lost, and verdicts are right within the bound', async () => {
    await settled();
    const [dead, live] = await seed(2, 'admin');
    const { value: deadValue = '', tokenId = '' } = dead ?? {};
    expect(await statusOf(second, deadValue)).toBe(204);
    expect(await statusOf(second, live?.value ?? '')).toBe(204);
    const acknowledged: string[] = [];
    const creating = Array.from({ length: 4 }, async () => {
      for (let count = 0; count < 50; count += 1) {
        const body = { dialect: 'patois', owner: 'admin', name: 'kept', scopes: ['patois:tokens.read'] };
        const { status, json } = await call(first, 'POST', '/patois/v1/tokens', body);
        if (status === 201) acknowledged.push(json.token);
        // A server that is gone refuses at once; before one that is gone a pooler keeps each waiting for seconds.
        else if (hasPooler) return;
      }
    });
    expect((await call(first, 'DELETE', `/patois/v1/tokens/${tokenId}`)).status).toBe(204);
    await sleep(150);
    await postgres.killHard();
    await Promise.all(creating);
    await postgres.start();
    const startedAt = performance.now();
    await until(async () => (await statusOf(first, live?.value ?? '')) === 204, 5_000);
    await until(async () => (await statusOf(second, live?.value ?? '')) === 204, 5_000);
    await sleep(Math.max(0, BOUND * 1000 - (performance.now() - startedAt)));
    expect(await statusOf(second, deadValue)).toBe(401);
    expect(await statusOf(first, deadValue)).toBe(401);
    expect(acknowledged.length).toBeGreaterThan(0);
    for (const value of acknowledged) expect(await statusOf(first, value)).toBe(204);
  }, 120_000);
});

describe('A replica', () => {
  test('killed in the middle of its work: what it acknowledged is there, the other is right', async () => {
    await settled();
    const third = await startReplica(postgres.reached);
    const tokens = await seed(100, 'admin');
    const ended: string[] = [];
    const revoking = tokens.map(async ({ tokenId, value }) => {
      const answer = await call(third, 'DELETE', `/patois/v1/tokens/${tokenId}`).catch(() => undefined);
      if (answer?.status === 204) ended.push(value);
    });
    await until(async () => ended.length >= 10, 10_000);
    replicas.at(-1)?.kill('SIGKILL');
    await Promise.all(revoking);
    await sleep(BOUND * 1000);
    for (const value of ended) expect(await statusOf(first, value)).toBe(401);
    const again = await startReplica(postgres.reached);
    for (const value of ended) expect(await statusOf(again, value)).toBe(401);
  }, 60_000);
});
