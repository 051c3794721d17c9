import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../src/data-source.js';
import type { Database } from '../../src/database/database.js';
import { type SnapshotSelect, type Snapshot, Snapshots } from '../../src/database/snapshots.js';
import { openTestStore } from '../support/store.js';

interface Row {
  id: string;
  time: Date;
}

const ROWS = 1_200;
const BEGIN = Date.UTC(2030, 0, 1);
const SELECT: SnapshotSelect<Row> = {
  text: (place) => `SELECT m.id, m.time FROM made m WHERE m.kind = ${place('right')}`,
  order: { time: 'm.time', id: 'm.id' },
  positionOf: (row) => row,
};

let store: Database;
let dataSource: DataSource;
let snapshots: Snapshots;
beforeAll(async () => {
  store = await openTestStore();
  dataSource = await createDataSource(store).initialize();
  snapshots = Snapshots.of(store, dataSource);
  await dataSource.query(
    'CREATE TABLE made (id uuid PRIMARY KEY, time timestamptz(3) NOT NULL, kind text NOT NULL)',
  );
});
afterAll(async () => {
  await snapshots.onApplicationShutdown();
  await dataSource.destroy();
  await store.close();
});
beforeEach(async () => {
  await dataSource.query('TRUNCATE made');
  // Several at every moment, so that portions end between rows of one.
  await dataSource.query(
    `INSERT INTO made SELECT gen_random_uuid(), $1::timestamptz + n / 7 * interval '1 second', 'right'
     FROM generate_series(1, ${ROWS}) n`,
    [new Date(BEGIN)],
  );
  await dataSource.query(
    `INSERT INTO made SELECT gen_random_uuid(), now(), 'wrong' FROM generate_series(1, 10)`,
  );
});

function make(time: Date): Promise<unknown> {
  return dataSource.query(`INSERT INTO made VALUES ($1, $2, 'right')`, [randomUUID(), time]);
}

async function rest(snapshot: Snapshot<Row>): Promise<Row[]> {
  const all: Row[] = [];
  for (let rows = await snapshot.next(); rows.length > 0; rows = await snapshot.next()) all.push(...rows);
  return all;
}

describe('a snapshot', () => {
  test('has every row once, newest first, and then none', async () => {
    const snapshot = await snapshots.open(SELECT, new Date(BEGIN + 1e9));
    const all = await rest(snapshot);
    expect(new Set(all.map(({ id }) => id)).size).toBe(ROWS);
    const times = all.map(({ time }) => time.getTime());
    expect(times).toEqual(times.toSorted((one, other) => other - one));
    expect(await snapshot.next()).toEqual([]);
    await snapshot.close();
  });

  test('leaves out what is made after it began', async () => {
    const asOf = new Date(BEGIN + 1e9);
    const snapshot = await snapshots.open(SELECT, asOf);
    const first = await snapshot.next();
    await make(new Date(asOf.getTime() + 1));
    expect(first.length + (await rest(snapshot)).length).toBe(ROWS);
    await snapshot.close();
  });

  test('gives nothing once it is closed, and may be closed again', async () => {
    const snapshot = await snapshots.open(SELECT, new Date(BEGIN + 1e9));
    await snapshot.close();
    await snapshot.close();
    await expect(snapshot.next()).rejects.toThrow('closed');
    expect(snapshots.openCount).toBe(0);
  });

  test('has its place again where it cannot begin, or cannot go on', async () => {
    const failing = ['nothing', '1 / (length(m.kind) - 5)'].map((column) => ({
      ...SELECT,
      text: () => `SELECT m.id, m.time, ${column} FROM made m WHERE TRUE`,
    }));
    const readFirst = async (select: SnapshotSelect<Row>): Promise<void> => {
      const snapshot = await snapshots.open(select, new Date(BEGIN + 1e9));
      try {
        await snapshot.next();
      } finally {
        await snapshot.close();
      }
    };
    for (const select of failing) await expect(readFirst(select)).rejects.toThrow(/nothing|division by zero/);
    expect(snapshots.openCount).toBe(0);
    const open = await snapshots.open(SELECT, new Date(BEGIN + 1e9));
    expect(await rest(open)).toHaveLength(ROWS);
    await open.close();
  });

  test('is refused beside four others', async () => {
    const opened = await Promise.all([1, 2, 3, 4].map(() => snapshots.open(SELECT, new Date(BEGIN + 1e9))));
    await expect(snapshots.open(SELECT, new Date())).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'busy',
    });
    for (const snapshot of opened) await snapshot.close();
    expect(snapshots.openCount).toBe(0);
  });
});
