import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createHash, createPublicKey, randomUUID, verify } from 'node:crypto';
import { SealEventsTask } from '../../src/administration/audit/seal-events.task.js';
import { PasswordAuthenticator } from '../../src/auth/password-authenticator.js';
import { RefusedCalls } from '../../src/http/refusals/refused-calls.js';
import { Sealer } from '../../src/audit/chain/sealer.js';
import { moveClock } from '../support/clock.js';
import { basic, bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let head: TestUser;
let member: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  // Sealing is each test's own here.
  server.app.nest.get(SealEventsTask, { strict: false }).run = async () => {};
  head = await server.makeUser({ login: 'head', role: 'organizationAdministrator' });
  member = await server.makeUser({ login: 'member' });
  await seal();
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => server.close());

function call(method: string, path: string, headers = server.asAdmin): Promise<Received> {
  return server.send(method, `/patois/v1${path}`, { headers });
}

/** Seals all that is committed, as the task does every few seconds. */
async function seal(): Promise<void> {
  while (await server.app.nest.get(Sealer, { strict: false }).seal());
}

async function verification(): Promise<{ result: Record<string, unknown>; [key: string]: unknown }> {
  const started = await call('GET', '/audit-seals/verification');
  expect([started.status, started.headers['location']]).toEqual([202, `/patois/v1/jobs/${started.json.id}`]);
  let job = started.json;
  await until(async () => {
    job = (await call('GET', `/jobs/${started.json.id}`)).json;
    return job.endedAt !== null;
  });
  expect(job.problem).toBe(null);
  return job;
}

interface Seal {
  sequence: number;
  events: number;
  root: string;
  previousRoot: string | null;
  firstEvent: string;
  lastEvent: string;
  key: string;
  signature: string;
}

async function newest(): Promise<Seal> {
  return (await call('GET', '/audit-seals?limit=1')).json.items[0];
}

/** Makes so many events, and seals them. Gives their uuids, in the order of the leaves. */
async function sealed(count: number): Promise<{ ids: string[]; seal: Seal }> {
  // What is gathered and written later, in one go.
  for (const gathered of [PasswordAuthenticator, RefusedCalls]) {
    await server.app.nest.get(gathered, { strict: false }).flush();
  }
  await seal();
  for (let made = 0; made < count; made += 1) await server.makeUser();
  await seal();
  const last = await newest();
  expect(last.events).toBe(count);
  return { ids: await leavesOf(last), seal: last };
}

async function leavesOf({ sequence }: Seal): Promise<string[]> {
  const { json } = await call('GET', `/audit-seals/${sequence}`);
  return (json.leaves as { event: string }[]).map(({ event }) => event);
}

function sql(text: string, values: unknown[] = []): Promise<unknown> {
  return server.app.dataSource.query(text, values);
}

async function holds(): Promise<void> {
  expect((await verification()).result).not.toHaveProperty('problem');
}

const TABLES = ['audit_events', 'audit_seals', 'audit_sealing', 'audit_keys'];

/** What verification finds after a change behind the server's back, which is undone then. */
async function findingOf(change: () => Promise<unknown>): Promise<Record<string, unknown>> {
  for (const table of TABLES) await sql(`CREATE TABLE kept_${table} AS SELECT * FROM ${table}`);
  try {
    await change();
    return (await verification()).result;
  } finally {
    // What was written since, of jobs, stays.
    await sql(
      `DELETE FROM audit_events WHERE action NOT LIKE 'job.%' OR id IN (SELECT id FROM kept_audit_events)`,
    );
    for (const table of TABLES.slice(1)) await sql(`DELETE FROM ${table}`);
    for (const table of TABLES) {
      await sql(`INSERT INTO ${table} SELECT * FROM kept_${table}`);
      await sql(`DROP TABLE kept_${table}`);
    }
    await holds();
  }
}

function swap(column: string, one: string | undefined, other: string | undefined): Promise<unknown> {
  return sql(
    `UPDATE audit_events e SET "${column}" = o."${column}" FROM audit_events o
     WHERE (e.id = $1 AND o.id = $2) OR (e.id = $2 AND o.id = $1)`,
    [one, other],
  );
}

function insertEvent(columns: Record<string, unknown>): Promise<unknown> {
  const row = {
    id: randomUUID(),
    time: new Date(),
    actor_type: 'system',
    action: 'user.create',
    object_type: 'user',
  };
  const all = { ...row, ...columns };
  const places = Object.keys(all).map((_, index) => `$${index + 1}`);
  return sql(
    `INSERT INTO audit_events (${Object.keys(all).join(', ')}) VALUES (${places.join(', ')})`,
    Object.values(all),
  );
}

describe('GET /patois/v1/audit-seals', () => {
  test('lists seals, newest first, each chained to the one before', async () => {
    for (let count = 0; count < 3; count += 1) await sealed(1);
    const seen: Seal[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { json }: Received = await call('GET', `/audit-seals?limit=2${cursor && `&cursor=${cursor}`}`);
      expect(json.items.length).toBeLessThanOrEqual(2);
      seen.push(...(json.items as Seal[]));
      cursor = json.nextCursor as string | null;
    }
    const ascending = seen.toReversed();
    expect(ascending.map(({ sequence }) => sequence)).toEqual(ascending.map((_, index) => index + 1));
    expect(ascending.map(({ previousRoot }) => previousRoot)).toEqual([
      null,
      ...ascending.slice(0, -1).map(({ root }) => root),
    ]);
    expect(Object.keys(seen[0] ?? {})).toEqual([
      'sequence',
      'firstEvent',
      'lastEvent',
      'events',
      'root',
      'previousRoot',
      'sealedAt',
      'key',
      'signature',
    ]);
  });

  test.each(['limit=0', 'cursor=x', 'cursor=c2VhbHMgOTk5OTk5OTk5OQ', 'colour=red'])(
    'refuses ?%s',
    async (query) => {
      expectProblem(await call('GET', `/audit-seals?${query}`), 400, `/${query.split('=')[0]}`);
    },
  );
});

describe('GET /patois/v1/audit-seals/{sequence}', () => {
  test('shows a seal whose root and signature anybody can compute from what the API shows', async () => {
    const { ids, seal: one } = await sealed(5);
    const { json } = await call('GET', `/audit-seals/${one.sequence}`);
    const { items } = (await call('GET', '/audit-events?limit=1000')).json;
    const hashes = ids.map((id) => {
      const event = (items as { id: string }[]).find((item) => item.id === id);
      return sha256(Buffer.from([0]), Buffer.from(sortedJson(event)));
    });
    expect(json.leaves).toEqual(ids.map((event, index) => ({ event, hash: hashes[index]?.toString('hex') })));
    expect(treeHash(hashes).toString('hex')).toBe(one.root);
    expect([ids[0], ids.at(-1), ids.length]).toEqual([one.firstEvent, one.lastEvent, one.events]);
    const { keys } = (await server.send('GET', '/patois/v1/audit-seals/keys')).json;
    const jwk = (keys as { kid: string }[]).find(({ kid }) => kid === one.key);
    const { signature, ...signed } = one;
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
    const isRight = (text: string): boolean =>
      verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
    expect(isRight(sortedJson(signed))).toBe(true);
    expect(isRight(sortedJson({ ...signed, events: 6 }))).toBe(false);
  });

  test.each(['0', '999999', '99999999999', 'x', '-1'])('finds no seal %s', async (sequence) => {
    expectProblem(await call('GET', `/audit-seals/${sequence}`), 404);
  });
});

/** RFC 9162, 2.1.1, as it is written there. */
function treeHash(hashes: Buffer[]): Buffer {
  const [first] = hashes;
  if (!first) return sha256();
  if (hashes.length === 1) return first;
  let half = 1;
  while (half * 2 < hashes.length) half *= 2;
  return sha256(Buffer.from([1]), treeHash(hashes.slice(0, half)), treeHash(hashes.slice(half)));
}

function sha256(...parts: Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

/** RFC 8785, for what JSON.parse gives. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}

describe('GET /patois/v1/audit-seals/keys', () => {
  test('tells everybody the public keys, and nothing else', async () => {
    const { status, json } = await server.send('GET', '/patois/v1/audit-seals/keys');
    expect([status, json]).toEqual([
      200,
      {
        keys: [
          {
            kty: 'OKP',
            crv: 'Ed25519',
            x: expect.stringMatching(/^[\w-]{43}$/),
            kid: expect.stringMatching(/^test-[\w-]{11}$/),
            use: 'sig',
            alg: 'EdDSA',
          },
        ],
      },
    ]);
  });
});

describe('verification of the trail', () => {
  test('goes through all seals and events, with progress', async () => {
    const { seal: last } = await sealed(3);
    const job = await verification();
    const { result } = job;
    expect(result).toEqual({
      seals: last.sequence,
      events: expect.any(Number),
      verifiedTo: last.sequence,
      root: last.root,
      prunedTo: null,
    });
    expect(job).toMatchObject({
      kind: 'audit-verification',
      status: 'done',
      done: result['events'],
      total: result['events'],
    });
  });

  test('holds though the clock went back between events, and between seals', async () => {
    const first = await sealed(2);
    moveClock(-7_200_000);
    const second = await sealed(2);
    jest.useRealTimers();
    const third = await sealed(1);
    const times = await Promise.all(
      [first, second, third].map(async ({ ids }) => {
        const [row] = (await sql('SELECT time FROM audit_events WHERE id = $1', [ids[0]])) as {
          time: Date;
        }[];
        return row?.time.getTime() ?? 0;
      }),
    );
    expect(times[1]).toBeLessThan((times[0] ?? 0) - 7_000_000);
    expect(times[2]).toBeGreaterThanOrEqual(times[0] ?? Infinity);
    expect(second.seal.sequence).toBeGreaterThan(first.seal.sequence);
    expect(third.seal.sequence).toBeGreaterThan(second.seal.sequence);
    await holds();
    // And what was done in the hour that came twice is missed as any other.
    const found = await findingOf(() => sql('DELETE FROM audit_events WHERE id = $1', [second.ids[0]]));
    expect(found).toMatchObject({ problem: { kind: 'missing', event: second.ids[0] } });
  });

  test('by POST is the same', async () => {
    const started = await call('POST', '/audit-seals/verification');
    expect([started.status, started.headers['location']]).toEqual([
      202,
      `/patois/v1/jobs/${started.json.id}`,
    ]);
    await until(async () => (await call('GET', `/jobs/${started.json.id}`)).json.endedAt !== null);
  });

  test.each([
    ['action', `'token.revoke'`],
    ['time', `time + interval '1 millisecond'`],
    ['actor_id', `'somebody'`],
    ['address', `'203.0.113.9'`],
    ['user_agent', `''`],
    ['alias', `''`],
    ['after', `jsonb_set("after", '{role}', '"administrator"')`],
    ['before', `'{}'`],
    ['request_id', `coalesce(request_id, '') || 'x'`],
  ])('names an event whose column %s was changed', async (column, value) => {
    const { ids, seal: at } = await sealed(3);
    const found = await findingOf(() =>
      sql(`UPDATE audit_events SET "${column}" = ${value} WHERE id = $1`, [ids[1]]),
    );
    expect(found).toMatchObject({
      problem: { kind: 'changed', event: ids[1], seal: at.sequence },
      verifiedTo: at.sequence - 1,
    });
  });

  test('names an event whose uuid was changed, by the old one', async () => {
    const { ids, seal: at } = await sealed(3);
    const found = await findingOf(() =>
      sql(`UPDATE audit_events SET id = gen_random_uuid() WHERE id = $1`, [ids[1]]),
    );
    expect(found).toMatchObject({ problem: { kind: 'changed', event: ids[1], seal: at.sequence } });
  });

  test('names an event that was deleted', async () => {
    const { ids, seal: at } = await sealed(3);
    const found = await findingOf(() => sql('DELETE FROM audit_events WHERE id = $1', [ids[2]]));
    expect(found).toMatchObject({ problem: { kind: 'missing', event: ids[2], seal: at.sequence } });
  });

  test('names an event that was inserted among sealed ones, at whatever place', async () => {
    const { ids, seal: at } = await sealed(3);
    await sealed(1);
    const id = randomUUID();
    const [{ ordinal }] = (await sql('SELECT ordinal FROM audit_events WHERE id = $1', [ids[1]])) as [
      { ordinal: string },
    ];
    const found = await findingOf(() => insertEvent({ id, ordinal }));
    expect(found).toMatchObject({ problem: { kind: 'foreign', event: id, seal: at.sequence } });
    for (const other of [null, -5, 0]) {
      expect(await findingOf(() => insertEvent({ id, ordinal: other }))).toMatchObject({
        problem: { kind: 'foreign', event: id, seal: null },
      });
    }
  });

  test('names an event that was inserted as new ones are, also once later ones are sealed', async () => {
    const id = randomUUID();
    const after = JSON.stringify({ login: 'x' });
    const insert = (): Promise<unknown> => insertEvent({ id, after, time: new Date(Date.now() - 60_000) });
    expect(await findingOf(insert)).toMatchObject({ problem: { kind: 'foreign', event: id, seal: null } });
    const found = await findingOf(async () => {
      await insert();
      await sealed(2);
    });
    expect(found).toMatchObject({ problem: { kind: 'foreign', event: id, seal: expect.any(Number) } });
  });

  test('names a copy of a genuine event', async () => {
    const { ids } = await sealed(1);
    const id = randomUUID();
    const columns = `time, actor_type, actor_id, action, alias, object_type, object_id, before, after, address, user_agent,
      request_id, mac`;
    const found = await findingOf(() =>
      sql(`INSERT INTO audit_events (id, ${columns}) SELECT $2, ${columns} FROM audit_events WHERE id = $1`, [
        ids[0],
        id,
      ]),
    );
    expect(found).toMatchObject({ problem: { kind: 'foreign', event: id } });
  });

  test.each(['ordinal', 'time', 'object_id'])(
    'names the first of two events whose %s was swapped',
    async (column) => {
      const { ids, seal: at } = await sealed(4);
      const found = await findingOf(() => swap(column, ids[1], ids[3]));
      const kind = column === 'ordinal' ? 'reordered' : 'changed';
      expect(found).toMatchObject({ problem: { kind, event: ids[1], seal: at.sequence } });
    },
  );

  test('names the first of several', async () => {
    const { ids, seal: at } = await sealed(3);
    await sealed(2);
    const found = await findingOf(async () => {
      await sql('DELETE FROM audit_events WHERE id = $1', [ids[1]]);
      await sql(
        `UPDATE audit_events SET action = 'x' WHERE ordinal > (SELECT max(ordinal) - 3 FROM audit_events)`,
      );
    });
    expect(found).toMatchObject({ problem: { kind: 'missing', event: ids[1], seal: at.sequence } });
  });

  test('names a seal that was deleted, in the middle and at the end', async () => {
    const { seal: middle } = await sealed(1);
    const { seal: last } = await sealed(1);
    const remove = (one: Seal): Promise<unknown> =>
      sql('DELETE FROM audit_seals WHERE sequence = $1', [one.sequence]);
    expect(await findingOf(() => remove(middle))).toMatchObject({
      problem: { kind: 'seal', event: null, seal: middle.sequence },
    });
    expect(await findingOf(() => remove(last))).toMatchObject({
      problem: { kind: 'seal', event: null, seal: last.sequence },
    });
    // Also once sealing has gone on.
    const found = await findingOf(async () => {
      await remove(last);
      await server.makeUser();
      await seal();
    });
    expect(found).toMatchObject({ problem: { kind: 'seal', event: null, seal: last.sequence } });
  });

  test.each([
    ['events', 'events + 1'],
    ['root', `repeat('0', 64)`],
    ['previous_root', `repeat('0', 64)`],
    ['sealed_at', `sealed_at - interval '1 day'`],
    ['first_event', 'gen_random_uuid()'],
    ['signature', `reverse(signature)`],
    ['key', `'k1-unknown'`],
    ['leaves', `set_byte(leaves, 30, (get_byte(leaves, 30) + 1) % 256)`],
    ['leaves', 'NULL'],
  ])('names a seal whose column %s was changed', async (column, value) => {
    const { seal: one } = await sealed(2);
    await sealed(1);
    const found = await findingOf(() =>
      sql(`UPDATE audit_seals SET ${column} = ${value} WHERE sequence = $1`, [one.sequence]),
    );
    expect(found).toMatchObject({
      problem: { kind: 'seal', seal: one.sequence },
      verifiedTo: one.sequence - 1,
    });
  });

  test('does not take events for pruned that somebody else deleted', async () => {
    const { ids, seal: one } = await sealed(2);
    const found = await findingOf(async () => {
      await sql('DELETE FROM audit_events WHERE id = ANY ($1)', [ids]);
      await sql('UPDATE audit_seals SET leaves = NULL WHERE sequence = $1', [one.sequence]);
      const pruned = { ...one, prunedAt: new Date().toISOString() };
      await sql('UPDATE audit_sealing SET pruned = $1', [JSON.stringify(pruned)]);
    });
    expect(found).toMatchObject({ problem: { kind: 'seal', seal: one.sequence }, verifiedTo: null });
  });

  test('does not trust a key that somebody else wrote', async () => {
    const { seal: one } = await sealed(1);
    const found = await findingOf(async () => {
      await sql(
        `INSERT INTO audit_keys SELECT 'mine', x, endorsed_by, endorsement, created_at FROM audit_keys`,
      );
      await sql(`UPDATE audit_seals SET key = 'mine' WHERE sequence = $1`, [one.sequence]);
    });
    expect(found).toMatchObject({ problem: { kind: 'seal', seal: one.sequence } });
  });

  test('is one at a time', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => call('GET', '/audit-seals/verification')));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    await until(
      async () => (await call('GET', '/jobs?kind=audit-verification&status=running')).json.items.length === 0,
    );
    await until(
      async () => (await call('GET', '/jobs?kind=audit-verification&status=waiting')).json.items.length === 0,
    );
  });
});

describe.each([
  ['GET', '/audit-seals'],
  ['GET', '/audit-seals/1'],
  ['GET', '/audit-seals/verification'],
  ['POST', '/audit-seals/verification'],
])('%s /patois/v1%s', (method, path) => {
  test('is for administrators of everything, with the scope to read accounts', async () => {
    expectProblem(await call(method, path, {}), 401);
    expectProblem(await call(method, path, basic('admin', 'wrong password')), 401);
    expectProblem(await call(method, path, head.byPassword), 403);
    expectProblem(await call(method, path, member.byPassword), 403);
    const { id: ownerId } = await server.admin();
    const statuses = [];
    for (const scope of ['patois:users.read', '*', 'patois:users.write', 'patois:tokens.read']) {
      const { value } = await server.issue({ dialect: 'patois', ownerId, scopes: [scope] });
      statuses.push((await call(method, path, bearer(value))).status);
    }
    const good = path.endsWith('verification') ? 202 : 200;
    expect(statuses).toEqual([good, good, 403, 403]);
    await until(async () => (await call('GET', '/jobs?status=running')).json.items.length === 0);
  });
});
