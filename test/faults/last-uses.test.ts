import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { UsageRecorder } from '../../src/decisions/usage-recorder.js';
import { bearer } from '../support/http.js';
import { TestServer } from '../support/server.js';
import { openTestStore } from '../support/store.js';
import { until } from '../support/until.js';

let server: TestServer;
let url: string;
beforeAll(async () => {
  server = await TestServer.start({}, async () => {
    const store = await openTestStore();
    url = store.url ?? '';
    return store;
  });
});
afterAll(() => server.close());

async function client(): Promise<pg.Client> {
  const made = new pg.Client({ connectionString: url });
  await made.connect();
  return made;
}

test('the write of last uses and a change of the same tokens never wait for each other in a circle', async () => {
  const ownerId = (await server.admin()).id;
  const tokens = [];
  // Ids are random: the order of the rows in the table, which an UPDATE follows by itself, is another one.
  for (let count = 0; count < 20; count += 1) tokens.push(await server.issue({ dialect: 'patois', ownerId }));
  const inOrder = tokens.toSorted((one, other) => (one.token.id < other.token.id ? -1 : 1));
  const [least] = inOrder;
  const rest = inOrder.slice(1).map(({ token }) => token.id);
  const change = await client();
  await change.query('BEGIN');
  await change.query('SELECT id FROM tokens WHERE id = $1 FOR SHARE', [least?.token.id]);
  for (const { value } of tokens) await server.send('GET', '/verify', { headers: bearer(value) });
  const written = server.app.nest.get(UsageRecorder, { strict: false }).flush();
  const watcher = await client();
  await until(async () => {
    const waiting = `SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%last_used_at%'`;
    return (await watcher.query(waiting)).rowCount === 1;
  });
  const locking = 'SELECT id FROM tokens WHERE id = ANY ($1) ORDER BY id FOR UPDATE NOWAIT';
  expect((await change.query(locking, [rest])).rowCount).toBe(19);
  await change.query('COMMIT');
  await written;
  const { rows } = await watcher.query('SELECT 1 FROM tokens WHERE last_used_at IS NOT NULL');
  expect(rows).toHaveLength(20);
  await change.end();
  await watcher.end();
});
