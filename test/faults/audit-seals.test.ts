import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { AuditWriter, SYSTEM } from '../../src/audit/audit.writer.js';
import { GenuineEvents } from '../../src/audit/chain/genuine-events.js';
import { unpackLeaves } from '../../src/audit/chain/leaves.js';
import { SealKeys } from '../../src/audit/chain/seal-keys.js';
import { Sealer } from '../../src/audit/chain/sealer.js';
import { Verifier, type VerifierStep } from '../../src/audit/chain/verifier.js';
import { createDataSource } from '../../src/data-source.js';
import { ChangeFeed } from '../../src/database/changes/change-feed.js';
import type { Database } from '../../src/database/database.js';
import { type Statement, StatementCounts } from '../../src/database/statements.js';
import { Transactions } from '../../src/database/transactions.js';
import { AuditKeyRing } from '../../src/hashing/audit-key-ring.js';
import { send } from '../support/http.js';
import { asAdmin, Replicas } from '../support/replicas.js';
import { openTestStore } from '../support/store.js';

const WRITERS = 16;
const SECONDS = 12;

/** What of a replica seals. */
interface SealingReplica {
  sealer: Sealer;
  verifier: Verifier;
  transactions: Transactions;
  dataSource: DataSource;
}

const keys = new AuditKeyRing([{ name: 'test', secret: randomBytes(32) }]);

async function replicaOn(store: Database): Promise<SealingReplica> {
  const dataSource = await createDataSource(store).initialize();
  const feed = new ChangeFeed(dataSource, store.isEmbedded);
  const transactions = Transactions.of(store, dataSource, feed, new StatementCounts());
  const sealKeys = new SealKeys(keys);
  const genuine = new GenuineEvents(keys, sealKeys);
  return {
    sealer: new Sealer(transactions, genuine, sealKeys, keys),
    verifier: new Verifier(sealKeys, genuine),
    transactions,
    dataSource,
  };
}

async function verify({ verifier, transactions }: SealingReplica): Promise<VerifierStep> {
  for (let step: VerifierStep | undefined; ;) {
    const state = step?.state ?? null;
    step = await transactions.run('test', (transaction) => verifier.step(transaction, state));
    if (step.isOver) return step;
  }
}

/** Writes events in transactions short and long, of which some are rolled back, until told otherwise. Gives the uuids. */
async function write(url: string, audit: AuditWriter, isOver: () => boolean): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const run = async <Row extends object>({ text }: Statement, values: readonly unknown[]): Promise<Row[]> =>
    (await client.query<Row>(text, [...values])).rows;
  let committed = 0;
  while (!isOver()) {
    await client.query('BEGIN');
    const count = randomInt(1, 4);
    const object = { type: 'user', id: randomUUID() };
    const entry = { actor: SYSTEM, action: 'user.update' as const, object, after: { some: 'change', count } };
    await audit.write(
      { run },
      Array.from({ length: count }, () => entry),
    );
    const isLong = randomInt(60) === 0;
    await sleep(isLong ? randomInt(1_000, 4_000) : randomInt(0, 30));
    const isKept = randomInt(10) > 0;
    await client.query(isKept ? 'COMMIT' : 'ROLLBACK');
    if (isKept) committed += count;
  }
  await client.end();
  return committed;
}

describe('sealing by several replicas beside sixteen writers', () => {
  let store: Database;
  const replicas: SealingReplica[] = [];
  beforeAll(async () => {
    store = await openTestStore();
    for (let count = 0; count < 3; count += 1) replicas.push(await replicaOn(store));
  });
  afterAll(async () => {
    for (const { transactions, dataSource } of replicas) {
      await transactions.onApplicationShutdown();
      await dataSource.destroy();
    }
    await store.close();
  });

  test('leaves no event out and seals none twice, though their connections die at any moment', async () => {
    const [first] = replicas;
    if (!first) throw new Error('There are replicas');
    const { dataSource } = first;
    const audit = new AuditWriter(dataSource, keys);
    let isOver = false;
    const failures: unknown[] = [];
    const writers = Array.from({ length: WRITERS }, () => write(store.url ?? '', audit, () => isOver));
    const sealers = replicas.map(async ({ sealer }) => {
      while (!isOver) {
        await sealer.seal().catch((error: unknown) => failures.push(error));
        await sleep(randomInt(0, 50));
      }
    });
    const killer = (async (): Promise<void> => {
      while (!isOver) {
        await sleep(300);
        await dataSource.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'patois-changes' AND datname = current_database() AND state <> 'idle' LIMIT 1`,
        );
      }
    })();
    await sleep(SECONDS * 1000);
    isOver = true;
    const counts = await Promise.all(writers);
    await Promise.all([...sealers, killer]);
    const committed = counts.reduce((sum, count) => sum + count, 0);
    expect(committed).toBeGreaterThan(1_000);
    // Connections did die.
    expect(failures.length).toBeGreaterThan(0);
    for (const { sealer } of replicas) {
      for (let isMore = true; isMore;) isMore = await sealer.seal().catch(() => true);
    }
    const seals = await dataSource.query<{ sequence: number; leaves: Buffer; late_from: string | null }[]>(
      'SELECT sequence, leaves, late_from FROM audit_seals ORDER BY sequence',
    );
    const sealed = seals.flatMap(({ leaves }) => unpackLeaves(leaves)).map(({ event }) => event);
    const written = await dataSource.query<{ id: string }[]>('SELECT id FROM audit_events');
    expect(written).toHaveLength(committed);
    expect(sealed.toSorted()).toEqual(written.map(({ id }) => id).sort());
    expect(seals.map(({ sequence }) => sequence)).toEqual(seals.map((_, index) => index + 1));
    // Long transactions were sealed after later events, and nobody waited for them.
    expect(seals.some((seal) => seal.late_from !== null)).toBe(true);
    const { problem, state } = await verify(first);
    expect([problem, state.events]).toEqual([undefined, committed]);
  }, 120_000);

  test('waits for no writer, and no writer for it', async () => {
    const [first] = replicas;
    if (!first) throw new Error('There are replicas');
    const { dataSource, sealer } = first;
    const audit = new AuditWriter(dataSource, keys);
    const client = new pg.Client({ connectionString: store.url });
    await client.connect();
    const run = async <Row extends object>({ text }: Statement, values: readonly unknown[]): Promise<Row[]> =>
      (await client.query<Row>(text, [...values])).rows;
    const entry = { actor: SYSTEM, action: 'user.update' as const, object: { type: 'user', id: 'x' } };
    await client.query('BEGIN');
    await audit.write({ run }, entry);
    // Its transaction is open: others are sealed all the same.
    const other = { run: runOf(dataSource) };
    await audit.write(other, entry);
    while (await sealer.seal());
    const unsealed = async (): Promise<number> => {
      const [row] = await dataSource.query<{ count: number }[]>(
        `SELECT count(*)::int AS count FROM audit_events e
         WHERE NOT EXISTS (SELECT 1 FROM audit_seals s WHERE position(uuid_send(e.id) IN s.leaves) > 0)`,
      );
      return row?.count ?? -1;
    };
    expect(await unsealed()).toBe(0);
    // Another seal is under way, and holds its lock.
    const sealing = new pg.Client({ connectionString: store.url });
    await sealing.connect();
    await sealing.query('BEGIN');
    await sealing.query('SELECT * FROM audit_sealing FOR UPDATE');
    await audit.write(other, entry);
    await client.query('COMMIT');
    await sealing.query('ROLLBACK');
    expect(await unsealed()).toBe(2);
    while (await sealer.seal());
    expect(await unsealed()).toBe(0);
    await Promise.all([client.end(), sealing.end()]);
  });
});

function runOf(dataSource: DataSource) {
  return <Row extends object>({ text }: Statement, values: readonly unknown[]): Promise<Row[]> =>
    dataSource.query<Row[]>(text, [...values]);
}

describe('the replica that seals', () => {
  let processes: Replicas;
  beforeAll(async () => {
    processes = await Replicas.make();
  }, 600_000);
  afterAll(() => processes.close(), 60_000);

  test('is followed by another when it is killed, which goes on with the same chain', async () => {
    const first = await processes.start();
    const second = await processes.start();
    const newest = async (): Promise<{ sequence: number; lastEvent: string } | undefined> =>
      (await send(second.url, 'GET', '/patois/v1/audit-seals?limit=1', { headers: asAdmin })).json.items[0];
    /** Makes a user, and waits until all that there was then is sealed. */
    const sealedAnew = async (): Promise<void> => {
      const before = (await newest())?.sequence ?? 0;
      const body = { login: `u${randomBytes(4).toString('hex')}` };
      expect((await send(second.url, 'POST', '/patois/v1/users', { headers: asAdmin, body })).status).toBe(
        201,
      );
      for (const endsAt = Date.now() + 60_000; ((await newest())?.sequence ?? 0) <= before;) {
        if (Date.now() > endsAt) throw new Error('It was never sealed');
        await sleep(100);
      }
    };
    await sealedAnew();
    await first.replica.stop('SIGKILL');
    await sealedAnew();
    const { json } = await send(second.url, 'POST', '/patois/v1/audit-seals/verification', {
      headers: asAdmin,
    });
    let job = json;
    while (job.endedAt === null) {
      await sleep(100);
      job = (await send(second.url, 'GET', `/patois/v1/jobs/${json.id}`, { headers: asAdmin })).json;
    }
    expect(job.result).toMatchObject({ verifiedTo: expect.any(Number) });
    expect(job.result).not.toHaveProperty('problem');
  }, 180_000);
});
