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

test('two replicas that write the last uses of the same tokens never wait for each other in a circle', async () => {
  const ownerId = (await server.admin()).id;
  const tokens = [];
  // Ids are random: the order in which the tokens are used is another one.
  for (let count = 0; count < 20; count += 1) tokens.push(await server.issue({ dialect: 'patois', ownerId }));
  const inOrder = tokens.toSorted((one, other) => (one.token.id < other.token.id ? -1 : 1));
  const [least] = inOrder;
  const rest = inOrder.slice(1).map(({ token }) => token.id);
  const other = await client();
  await other.query('BEGIN');
  await other.query('SELECT token_uuid FROM last_uses WHERE token_uuid = $1 FOR UPDATE', [least?.token.id]);
  for (const { value } of tokens) await server.send('GET', '/verify', { headers: bearer(value) });
  const written = server.app.nest.get(UsageRecorder, { strict: false }).flush();
  const watcher = await client();
  await until(async () => {
    const waiting = `SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO last_uses%'`;
    return (await watcher.query(waiting)).rowCount === 1;
  });
  const locking =
    'SELECT token_uuid FROM last_uses WHERE token_uuid = ANY ($1) ORDER BY token_uuid FOR UPDATE NOWAIT';
  expect((await other.query(locking, [rest])).rowCount).toBe(19);
  await other.query('COMMIT');
  await written;
  const { rows } = await watcher.query('SELECT 1 FROM last_uses WHERE used_at IS NOT NULL');
  expect(rows).toHaveLength(20);
  await other.end();
  await watcher.end();
});
