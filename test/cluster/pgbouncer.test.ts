import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { patois } from '../support/cli.js';
import { basic, bearer, type Received, send } from '../support/http.js';
import { PGBOUNCER, PgBouncer } from '../support/pgbouncer.js';
import { buildOnce, PatoisProcess } from '../support/process.js';
import { describeWith } from '../support/programs.js';
import { eventually } from '../support/replicas.js';
import { makeEmptyDatabase } from '../support/store.js';

/** Seconds; what the replicas are started with. */
const BOUND = 2;
const ADMIN_PASSWORD = 'correct horse battery';
const KEYS = `k1:${randomBytes(32).toString('base64')}`;
const asAdmin = basic('admin', ADMIN_PASSWORD);

interface Started {
  process: PatoisProcess;
  url: string;
}

describeWith([PGBOUNCER], 'behind PgBouncer in transaction mode', () => {
  let database: { url: string; drop: () => Promise<void> };
  let pooler: PgBouncer;
  let started: Started[] = [];

  beforeAll(async () => {
    buildOnce();
    database = (await makeEmptyDatabase()) as typeof database;
    pooler = await PgBouncer.before(database.url);
  });
  afterEach(async () => {
    await Promise.all(started.map(({ process }) => process.stop('SIGKILL')));
    started = [];
  });
  afterAll(async () => {
    await pooler.close();
    await database.drop();
  });

  async function start(settings: Record<string, string> = {}): Promise<Started> {
    const process = new PatoisProcess({
      DATABASE_URL: pooler.url,
      TOKEN_KEYS: KEYS,
      ADMIN_PASSWORD,
      BCRYPT_COST: '4',
      PORT: '0',
      VERIFICATION_MAX_STALENESS: String(BOUND),
      ...settings,
    });
    const replica = { process, url: await process.listening() };
    started.push(replica);
    return replica;
  }

  function call({ url }: Started, method: string, path: string, body?: object): Promise<Received> {
    return send(url, method, path, { headers: asAdmin, ...(body && { body }) });
  }

  async function issue(replica: Started): Promise<{ tokenId: string; token: string }> {
    const body = { dialect: 'patois', owner: 'admin', name: 'pooled', scopes: ['patois:*'] };
    const { status, json } = await call(replica, 'POST', '/patois/v1/tokens', body);
    expect(status).toBe(201);
    return json;
  }

  async function verdict({ url }: Started, value: string): Promise<number> {
    return (await send(url, 'GET', '/verify', { headers: bearer(value) })).status;
  }

  /** The metric of a replica that says how far behind it is. */
  async function secondsBehind({ url }: Started): Promise<number> {
    const { text } = await send(url, 'GET', '/metrics', {});
    return Number(/^patois_changes_seconds_behind (\S+)$/m.exec(text)?.[1] ?? 'NaN');
  }

  test('two that start at once on an empty database make its schema once', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect((await call(one, 'GET', '/readyz')).status).toBe(200);
    const { token } = await issue(one);
    expect(await verdict(other, token)).toBe(204);
  });

  test('a command on the store writes its own words to standard output, and no line of a log', async () => {
    const env = { DATABASE_URL: pooler.url, TOKEN_KEYS: KEYS };
    expect(await patois(['migrate'], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^(\w+\n)*$/),
    });
  });

  test('without a way past it the start says that nothing is heard, and no revoked token outlives the bound', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    await other.process.printed(/a pooler lets no notifications through: DATABASE_LISTEN_URL/);
    for (let round = 0; round < 3; round += 1) {
      const { tokenId, token } = await issue(one);
      expect(await verdict(other, token)).toBe(204);
      expect((await call(one, 'DELETE', `/patois/v1/tokens/${tokenId}`)).status).toBe(204);
      const endedAt = performance.now();
      for (;;) {
        const askedAt = performance.now();
        const status = await verdict(other, token);
        expect([status, status === 204 && askedAt - endedAt > BOUND * 1000]).toEqual([status, false]);
        if (status === 401) break;
        await sleep(20);
      }
    }
    expect(await secondsBehind(other)).toBeGreaterThan(BOUND);
  });

  test('with a way past it changes elsewhere are heard at once', async () => {
    const settings = { DATABASE_LISTEN_URL: database.url, VERIFICATION_MAX_STALENESS: '30' };
    const [one, other] = await Promise.all([start(settings), start(settings)]);
    await eventually(async () => (await secondsBehind(other)) < 30, 30_000);
    const { tokenId, token } = await issue(one);
    expect(await verdict(other, token)).toBe(204);
    await call(one, 'DELETE', `/patois/v1/tokens/${tokenId}`);
    await eventually(async () => (await verdict(other, token)) === 401, 10_000);
  });

  test('statements of many callers do not get in each others way', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    const statuses = new Map<string, number>();
    const count = (name: string, status: number): void => {
      statuses.set(`${name} ${status}`, (statuses.get(`${name} ${status}`) ?? 0) + 1);
    };
    const body = { dialect: 'patois', owner: 'admin', name: 'pooled', scopes: ['patois:*'] };
    const caller = async (index: number): Promise<void> => {
      const here = index % 2 ? one : other;
      const there = index % 2 ? other : one;
      for (let round = 0; round < 10; round += 1) {
        const made = await call(here, 'POST', '/patois/v1/tokens', body);
        count('made', made.status);
        count('verified', await verdict(there, made.json.token));
        count('shown', (await call(there, 'GET', `/patois/v1/tokens/${made.json.tokenId}`)).status);
        count('listed', (await call(here, 'GET', '/patois/v1/tokens?limit=5&sort=-createdAt')).status);
        count('rotated', (await call(there, 'POST', `/patois/v1/tokens/${made.json.tokenId}/rotate`)).status);
        count('ended', (await call(here, 'DELETE', `/patois/v1/tokens/${made.json.tokenId}`)).status);
      }
    };
    await Promise.all(Array.from({ length: 30 }, (_, index) => caller(index)));
    expect(Object.fromEntries(statuses)).toEqual({
      'made 201': 300,
      'verified 204': 300,
      'shown 200': 300,
      'listed 200': 300,
      'rotated 200': 300,
      'ended 204': 300,
    });
  });

  test('an export comes whole, and a job is done', async () => {
    const replica = await start();
    for (let index = 0; index < 20; index += 1) await issue(replica);
    const exported = await call(replica, 'GET', '/patois/v1/tokens/export?format=ndjson');
    expect([exported.status, exported.text.trim().split('\n').length > 20]).toEqual([200, true]);
    const revocation = { filter: { owner: 'admin' }, reason: 'test' };
    const begun = await call(replica, 'POST', '/patois/v1/revocations', revocation);
    expect(begun.status).toBe(202);
    await eventually(async () => {
      const { json } = await call(replica, 'GET', `/patois/v1/jobs/${begun.json.id}`);
      return json.status === 'done';
    }, 30_000);
  });

  test('what must run once runs in one of two, and in the other when that one is gone', async () => {
    const holders = async (): Promise<number> => {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      try {
        const { rows } = await client.query<{ count: number }>(
          `SELECT count(*)::int AS count FROM pg_locks JOIN pg_database d ON d.oid = database
           WHERE locktype = 'advisory' AND objid = 7245114 AND granted AND d.datname = current_database()`,
        );
        return rows[0]?.count ?? 0;
      } finally {
        await client.end();
      }
    };
    await Promise.all([start(), start()]);
    await eventually(async () => (await holders()) === 1, 10_000);
    for (const { process } of started) await process.stop('SIGKILL');
    await eventually(async () => (await holders()) === 0, 10_000);
  });

  test('the time limits that a connection cannot have there, a change has, and a read is warned of', async () => {
    const replica = await start();
    await replica.process.printed(/A pooler stands before the database/);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query(`SELECT FROM users WHERE login = 'admin' FOR UPDATE`);
      const body = { dialect: 'patois', owner: 'admin', name: 'waits', scopes: ['patois:*'] };
      const waiting = call(replica, 'POST', '/patois/v1/tokens', body);
      await eventually(async () => {
        const { rows } = await client.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        );
        return rows.length > 0;
      }, 20_000);
      expect((await waiting).status).toBe(503);
      await eventually(async () => {
        const { rows } = await client.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        );
        return rows.length === 0;
      }, 20_000);
    } finally {
      await client.end();
    }
  }, 60_000);

  test('the time limits that docs/cluster.md sets for the role are there for all, and no read is warned of', async () => {
    const [, lines = ''] =
      /```sql\n(ALTER ROLE [^`]+)```/.exec(readFileSync('docs/cluster.md', 'utf8')) ?? [];
    const role = `limited_${randomBytes(4).toString('hex')}`;
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`CREATE ROLE ${role} SUPERUSER LOGIN; ${lines.replaceAll('patois', role)}`);
    const address = new URL(database.url);
    address.username = role;
    const limited = await PgBouncer.before(address.href);
    try {
      const replica = await start({ DATABASE_URL: limited.url });
      const { token } = await issue(replica);
      expect(await verdict(replica, token)).toBe(204);
      expect(replica.process.output).not.toContain('A pooler stands before the database');
      const through = new pg.Client({ connectionString: limited.url });
      await through.connect();
      const { rows } = await through.query(
        `SELECT current_setting('statement_timeout') AS timeout, current_setting('jit') AS jit`,
      );
      await through.end();
      expect(rows).toEqual([{ timeout: '10s', jit: 'off' }]);
    } finally {
      await Promise.all(started.map(({ process }) => process.stop('SIGKILL')));
      await limited.close();
      await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      await client.end();
    }
  }, 60_000);
});
