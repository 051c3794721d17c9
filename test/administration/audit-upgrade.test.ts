import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { AuditSeals1795300000019 } from '../../migrations/1795300000019-audit-seals.js';
import { SealEventsTask } from '../../src/administration/audit/seal-events.task.js';
import { Sealer } from '../../src/audit/chain/sealer.js';
import type { TokenKey } from '../../src/config.js';
import type { Database } from '../../src/database/database.js';
import { moveClock } from '../support/clock.js';
import { TestServer } from '../support/server.js';
import { onceFree, openTestStore } from '../support/store.js';
import { until } from '../support/until.js';

afterEach(() => {
  jest.useRealTimers();
});

function quiet(server: TestServer): TestServer {
  // Sealing is each test's own here.
  server.app.nest.get(SealEventsTask, { strict: false }).run = async () => {};
  return server;
}

async function seal(server: TestServer): Promise<void> {
  while (await server.app.nest.get(Sealer, { strict: false }).seal());
}

interface Result {
  seals: number;
  events: number;
  verifiedTo: number | null;
  problem?: { kind: string; event: string | null; seal: number | null; message: string };
}

async function verification(server: TestServer): Promise<Result> {
  const headers = server.asAdmin;
  const { json } = await server.send('POST', '/patois/v1/audit-seals/verification', { headers });
  let job = json;
  await until(async () => {
    job = (await server.send('GET', `/patois/v1/jobs/${json.id}`, { headers })).json;
    return job.endedAt !== null;
  });
  return job.result as Result;
}

describe('a store with events that are older than seals', () => {
  let server: TestServer;
  let old: string[];
  beforeAll(async () => {
    server = quiet(await TestServer.start());
    for (let count = 0; count < 12; count += 1) await server.makeUser();
    // As it was before the migration.
    const queryRunner = server.app.dataSource.createQueryRunner();
    const migration = new AuditSeals1795300000019();
    await migration.down(queryRunner);
    await migration.up(queryRunner);
    await queryRunner.release();
    old = (await sql<{ id: string }>('SELECT id FROM audit_events ORDER BY time, id')).map(({ id }) => id);
    await server.makeUser();
  });
  afterAll(() => server.close());

  async function sql<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    return server.app.dataSource.query<Row[]>(text, values);
  }

  function insert(columns: string, values: string): Promise<{ id: string }[]> {
    return sql<{ id: string }>(
      `INSERT INTO audit_events (id, actor_type, action, object_type, ${columns})
       VALUES (gen_random_uuid(), 'system', 'user.create', 'user', ${values}) RETURNING id`,
    );
  }

  test('seals them first, in the order of time', async () => {
    await seal(server);
    const headers = server.asAdmin;
    const { json } = await server.send('GET', '/patois/v1/audit-seals/1', { headers });
    expect((json.leaves as { event: string }[]).map(({ event }) => event)).toEqual(old);
    expect(await verification(server)).toMatchObject({ seals: 2, events: old.length + 1 });
    expect(await verification(server)).not.toHaveProperty('problem');
  });

  test('takes what replicas of the older version still write for an hour, and not longer', async () => {
    await insert('time', 'now()');
    await seal(server);
    expect(await verification(server)).not.toHaveProperty('problem');
    moveClock(2 * 3_600_000);
    const [late] = await insert('time', 'now()');
    await server.makeUser();
    await seal(server);
    expect(await verification(server)).toMatchObject({ problem: { kind: 'foreign', event: late?.id } });
    await sql('DELETE FROM audit_events WHERE id = $1', [late?.id]);
    expect(await verification(server)).not.toHaveProperty('problem');
  });

  test('names what happened to them', async () => {
    const [row] = await sql<{ time: Date }>('SELECT time FROM audit_events WHERE id = $1', [old[5]]);
    await sql(`UPDATE audit_events SET action = 'x' WHERE id = $1`, [old[5]]);
    expect(await verification(server)).toMatchObject({
      problem: { kind: 'changed', event: old[5], seal: 1 },
    });
    await sql(`UPDATE audit_events SET action = 'user.create' WHERE id = $1`, [old[5]]);
    await sql('CREATE TABLE kept AS SELECT * FROM audit_events WHERE id = $1', [old[5]]);
    await sql('DELETE FROM audit_events WHERE id = $1', [old[5]]);
    expect(await verification(server)).toMatchObject({
      problem: { kind: 'missing', event: old[5], seal: 1 },
    });
    await sql('INSERT INTO audit_events SELECT * FROM kept');
    await sql('DROP TABLE kept');
    for (const [time, at] of [
      [row?.time.toISOString(), 1],
      [new Date(0).toISOString(), 1],
      [new Date().toISOString(), null],
    ] as const) {
      const [made] = await insert('time, ordinal', `'${time}', NULL`);
      expect(await verification(server)).toMatchObject({
        problem: { kind: 'foreign', event: made?.id, seal: at },
      });
      await sql('DELETE FROM audit_events WHERE id = $1', [made?.id]);
    }
    await sql('UPDATE audit_events SET ordinal = 999999 WHERE id = $1', [old[2]]);
    expect(await verification(server)).toMatchObject({
      problem: { kind: 'reordered', event: old[2], seal: 1 },
    });
    await sql('UPDATE audit_events SET ordinal = NULL WHERE id = $1', [old[2]]);
    expect(await verification(server)).not.toHaveProperty('problem');
  });
});

describe('keys that change', () => {
  const [first, second, third] = ['a', 'b', 'c'].map((name) => ({ name, secret: randomBytes(32) }));
  let store: Database;
  beforeAll(async () => {
    store = await openTestStore();
  });
  afterAll(() => store.close());

  /** A start with a ring, which makes and seals an event. */
  async function start(...tokenKeys: (TokenKey | undefined)[]): Promise<TestServer> {
    const ring = tokenKeys.filter((key) => key !== undefined);
    const open = (): Promise<Database> => Promise.resolve({ ...store, close: async () => {} });
    const server = quiet(await onceFree(() => TestServer.start({ tokenKeys: ring }, open)));
    await server.makeUser({ login: `u${randomUUID().slice(0, 8)}` });
    await seal(server);
    return server;
  }

  async function keyIds(server: TestServer): Promise<string[]> {
    const { json } = await server.send('GET', '/patois/v1/audit-seals/keys');
    return (json.keys as { kid: string }[]).map(({ kid }) => kid.slice(0, 1)).sort();
  }

  test('leave seals verifiable when they have left the ring, if their successors were in it with them', async () => {
    for (const ring of [[first], [second, first], [second], [third, second]]) {
      const server = await start(...ring);
      expect(await verification(server)).not.toHaveProperty('problem');
      await server.close();
    }
    const server = await start(third);
    expect(await keyIds(server)).toEqual(['a', 'b', 'c']);
    expect(await verification(server)).not.toHaveProperty('problem');
    await server.close();
  });

  test('are not trusted where no key of the ring has vouched for them', async () => {
    const server = await start({ name: 'd', secret: randomBytes(32) });
    expect(await keyIds(server)).toEqual(['d']);
    const found = await verification(server);
    expect(found).toMatchObject({ verifiedTo: null, problem: { kind: 'seal', seal: 1 } });
    expect(found.problem?.message).toMatch(/^No key that this server trusts is called a-/);
    await server.close();
  });
});
