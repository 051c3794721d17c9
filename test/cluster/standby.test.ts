import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { PostgresServer } from '../../src/database/postgres-server.js';
import { Standby } from '../../src/database/standby.js';
import { basic, type Received, send } from '../support/http.js';
import { PrivatePostgres } from '../support/postgres.js';
import { buildOnce, PatoisProcess } from '../support/process.js';
import { eventually } from '../support/replicas.js';

const ADMIN_PASSWORD = 'correct horse battery';
const asAdmin = basic('admin', ADMIN_PASSWORD);
const EXPIRES_AT = new Date(Date.now() + 3 * 86_400_000).toISOString();

let primary: PrivatePostgres;
let standby: PrivatePostgres;
let patois: PatoisProcess;
let url: string;

/** Patois as a user of the database without any privilege, as a company has it. */
async function start(database: PrivatePostgres, readUrl: string): Promise<void> {
  patois = new PatoisProcess({
    DATABASE_URL: addressOf(database),
    DATABASE_READ_URL: readUrl,
    TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ADMIN_PASSWORD,
    BCRYPT_COST: '4',
    PORT: '0',
  });
  url = await patois.listening();
}

function addressOf(...servers: PrivatePostgres[]): string {
  return `postgres://patois@${servers.map((server) => new URL(server.url).host).join(',')}/patois`;
}

async function query<Row extends object>(server: PrivatePostgres, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A server, and one that follows it a moment behind: what is read there without waiting lacks what was just committed. */
async function makePair(): Promise<{ primary: PrivatePostgres; standby: PrivatePostgres }> {
  const made = await PrivatePostgres.make();
  await query(made, 'CREATE ROLE patois LOGIN');
  await query(made, 'CREATE DATABASE patois OWNER patois');
  const follower = await made.standby();
  await query(follower, `ALTER SYSTEM SET recovery_min_apply_delay = '40ms'`);
  await query(follower, 'SELECT pg_reload_conf()');
  return { primary: made, standby: follower };
}

async function issue(): Promise<string> {
  const body = {
    dialect: 'patois',
    owner: 'admin',
    name: 'listed',
    scopes: ['patois:*'],
    expiresAt: EXPIRES_AT,
  };
  const { status, json } = await send(url, 'POST', '/patois/v1/tokens', { headers: asAdmin, body });
  expect(status).toBe(201);
  return json.tokenId;
}

async function list(path: string): Promise<Received> {
  const answer = await send(url, 'GET', path, { headers: asAdmin });
  expect([path, answer.status]).toEqual([path, 200]);
  return answer;
}

/** How many lists the standby has answered, and how many the primary had to. */
async function reads(): Promise<{ there: number; passedOver: number }> {
  const { text } = await send(url, 'GET', '/metrics', {});
  const metric = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    there: metric('patois_standby_reads_total'),
    passedOver: metric('patois_standby_passed_over_total'),
  };
}

/** Issues a token, and expects it in a list. */
async function issuedIsListed(): Promise<void> {
  const tokenId = await issue();
  expect((await list('/patois/v1/tokens?limit=1')).json.items[0].tokenId).toBe(tokenId);
}

async function isExported(what: string, tokenId: string): Promise<boolean> {
  return (await list(`/patois/v1/${what}/export`)).text.includes(tokenId);
}

/** Waits until lists come from the standby again. */
function isReadAgain(): Promise<void> {
  return eventually(async () => {
    const before = await reads();
    await issuedIsListed();
    return (await reads()).there > before.there;
  }, 30_000);
}

describe('with a standby in DATABASE_READ_URL', () => {
  beforeAll(async () => {
    buildOnce();
    ({ primary, standby } = await makePair());
    // The primary is named as well: it is not taken for a standby.
    await start(primary, addressOf(primary, standby));
  }, 120_000);
  afterAll(async () => {
    await patois.stop('SIGKILL');
    await standby.remove();
    await primary.remove();
  });
  beforeEach(isReadAgain);

  let issued = 0;
  const lists: [string, (tokenId: string) => Promise<void>][] = [
    [
      'a page of tokens',
      async (tokenId) => {
        expect((await list('/patois/v1/tokens?limit=1')).json.items[0].tokenId).toBe(tokenId);
      },
    ],
    [
      'the count of tokens',
      async () => {
        const { total } = (await list('/patois/v1/tokens/summary')).json;
        expect(total).toBeGreaterThan(issued);
        issued = total;
      },
    ],
    [
      'the tokens that expire, by day',
      async () => {
        const { days } = (await list('/patois/v1/tokens/summary/expirations')).json;
        const sum = days.reduce((total: number, { count }: { count: number }) => total + count, 0);
        expect(sum).toBeGreaterThan(issued);
        issued = sum;
      },
    ],
    [
      'owners with what they hold',
      async () => {
        const [{ tokens }] = (await list('/patois/v1/owners')).json.items;
        expect(tokens.total).toBeGreaterThan(issued);
        issued = tokens.total;
      },
    ],
    [
      'the audit trail',
      async (tokenId) => {
        const { items } = (await list('/patois/v1/audit-events?limit=1&action=token.create')).json;
        expect(items[0].object.id).toBe(tokenId);
      },
    ],
    [
      'what was done to a token',
      async (tokenId) => {
        const { items } = (await list(`/patois/v1/tokens/${tokenId}/audit-events`)).json;
        expect(items).toHaveLength(1);
      },
    ],
    [
      'the seals of the audit trail',
      async () => {
        expect((await list('/patois/v1/audit-seals')).json.items).toBeInstanceOf(Array);
      },
    ],
    ['an export of tokens', async (tokenId) => expect(await isExported('tokens', tokenId)).toBe(true)],
    [
      'an export of the audit trail',
      async (tokenId) => expect(await isExported('audit-events', tokenId)).toBe(true),
    ],
  ];
  test.each(lists)('%s comes from there, with what was just acknowledged', async (_name, isListed) => {
    issued = 0;
    const before = await reads();
    for (let round = 0; round < 5; round += 1) await isListed(await issue());
    expect(await reads()).toEqual({ there: before.there + 5, passedOver: before.passedOver });
  });

  test('nothing but lists is read there', async () => {
    const names = await query<{ name: string }>(
      standby,
      `SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE usename = 'patois' ORDER BY 1`,
    );
    expect(names.map(({ name }) => name)).toEqual(['patois-lists', 'patois-snapshots']);
  });

  test('who asks for what is wrong is told so once, and neither the standby nor its connection is blamed', async () => {
    const connection = (): Promise<{ pid: number }[]> =>
      query(
        standby,
        `SELECT pid FROM pg_stat_activity WHERE application_name = 'patois-lists' ORDER BY state_change DESC LIMIT 1`,
      );
    await issuedIsListed();
    const used = await connection();
    const before = await reads();
    for (const path of ['tokens?cursor=none', 'audit-events?cursor=none', 'audit-seals?cursor=none']) {
      expect((await send(url, 'GET', `/patois/v1/${path}`, { headers: asAdmin })).status).toBe(400);
    }
    expect((await reads()).passedOver).toBe(before.passedOver);
    await issuedIsListed();
    expect((await reads()).there).toBeGreaterThan(before.there);
    expect(await connection()).toEqual(used);
  });

  test('one that replays nothing is passed over, and nothing is missing meanwhile', async () => {
    await query(standby, 'SELECT pg_wal_replay_pause()');
    const before = await reads();
    try {
      for (let round = 0; round < 5; round += 1) await issuedIsListed();
      expect(await isExported('tokens', await issue())).toBe(true);
      expect(await reads()).toEqual({ there: before.there, passedOver: before.passedOver + 6 });
    } finally {
      await query(standby, 'SELECT pg_wal_replay_resume()');
    }
    expect(patois.output).toContain(
      'Lists are read from the primary: the standby is more than 300 ms behind',
    );
    await isReadAgain();
    expect(patois.output).toContain('Lists are read from the standby again');
  });

  test('one that is frozen is passed over', async () => {
    standby.freeze('SIGSTOP');
    const before = await reads();
    try {
      for (let round = 0; round < 5; round += 1) await issuedIsListed();
      expect((await reads()).there).toBe(before.there);
    } finally {
      standby.freeze('SIGCONT');
    }
  });

  test('one that is gone is passed over', async () => {
    await standby.killHard();
    const before = await reads();
    for (let round = 0; round < 5; round += 1) await issuedIsListed();
    expect((await reads()).there).toBe(before.there);
    await standby.start();
  });

  test('one that ends a read for the sake of replication is passed over', async () => {
    await query(standby, 'ALTER SYSTEM SET max_standby_streaming_delay = 0');
    await query(standby, 'SELECT pg_reload_conf()');
    await query(primary, 'CREATE TABLE seen AS SELECT 1 AS n');
    const server = new PostgresServer(standby.url, undefined, 'standby');
    const pool = server.pool({ max: 1 });
    const read = new Standby(server, { run: ({ text }) => query(primary, text) });
    const onStandby = async (client: pg.PoolClient): Promise<string> => {
      try {
        await client.query('DECLARE rows CURSOR FOR SELECT n FROM seen');
        await query(primary, 'DELETE FROM seen');
        await query(primary, 'VACUUM seen');
        // Until the standby has come to what was cleaned away, which this still sees.
        for (;;) await client.query('FETCH ABSOLUTE 1 FROM rows; SELECT pg_sleep(0.01)');
      } finally {
        client.release(true);
      }
    };
    try {
      expect(await read.read(pool, onStandby, async () => 'from the primary')).toBe('from the primary');
      expect(read.total).toEqual({ read: 0, passedOver: 1 });
    } finally {
      await pool.end();
    }
  });

  test('one that takes too long for a read is not passed over: the primary would as well', async () => {
    const server = new PostgresServer(standby.url, undefined, 'standby');
    const pool = server.pool({ max: 1 });
    const read = new Standby(server, { run: ({ text }) => query(primary, text) });
    const onStandby = async (client: pg.PoolClient): Promise<string> => {
      try {
        await client.query('SET LOCAL statement_timeout = 10');
        await client.query('SELECT pg_sleep(10)');
        return 'from the standby';
      } finally {
        client.release(true);
      }
    };
    try {
      const reading = read.read(pool, onStandby, async () => 'from the primary');
      await expect(reading).rejects.toMatchObject({ code: '57014' });
    } finally {
      await pool.end();
    }
  });
});

describe('a server in DATABASE_READ_URL that follows another history', () => {
  test('is passed over: the standby of a former primary, and the former primary itself', async () => {
    buildOnce();
    const { primary: former, standby: successor } = await makePair();
    const left = await former.standby();
    try {
      successor.promote();
      // Further than the successor, but not on its way.
      await query(former, 'CREATE TABLE more AS SELECT generate_series(1, 1000000) AS n');
      for (const server of [left, former]) {
        await start(successor, addressOf(server));
        for (let round = 0; round < 3; round += 1) await issuedIsListed();
        expect(await reads()).toEqual({ there: 0, passedOver: 3 });
        await patois.stop('SIGKILL');
      }
    } finally {
      await patois.stop('SIGKILL');
      for (const server of [left, successor, former]) await server.remove();
    }
  }, 240_000);

  test.each([true, false])(
    'is used once it follows the new primary: with its next checkpoint at the latest; where its role may read statistics (%s), before',
    async (mayReadStatistics) => {
      buildOnce();
      const { primary: former, standby: successor } = await makePair();
      const follower = await successor.standby();
      try {
        if (mayReadStatistics) await query(former, 'GRANT pg_read_all_stats TO patois');
        await hasAllOf(former, successor);
        await former.killHard();
        successor.promote();
        await query(successor, 'CREATE TABLE later AS SELECT 1');
        await hasAllOf(successor, follower);
        await start(successor, addressOf(follower));
        if (!mayReadStatistics) {
          await query(successor, 'CHECKPOINT');
          await hasAllOf(successor, follower);
          await query(follower, 'CHECKPOINT');
        }
        await isReadAgain();
      } finally {
        await patois.stop('SIGKILL');
        for (const server of [follower, successor, former]) await server.remove();
      }
    },
    240_000,
  );
});

async function hasAllOf(source: PrivatePostgres, follower: PrivatePostgres): Promise<void> {
  const [at] = await query<{ lsn: string }>(source, 'SELECT pg_current_wal_flush_lsn()::text AS lsn');
  await eventually(async () => {
    const [row] = await query<{ hasAll: boolean }>(
      follower,
      `SELECT pg_last_wal_replay_lsn() >= '${at?.lsn}' AS "hasAll"`,
    );
    return row?.hasAll === true;
  }, 60_000);
}
