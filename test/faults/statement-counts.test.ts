import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { User } from '../../src/accounts/user.entity.js';
import { SealEventsTask } from '../../src/administration/audit/seal-events.task.js';
import { PasswordAuthenticator } from '../../src/auth/password-authenticator.js';
import { Sessions } from '../../src/auth/sessions/sessions.js';
import { UsageRecorder } from '../../src/decisions/usage-recorder.js';
import { DialectRegistry } from '../../src/protocol/dialect-registry.js';
import { basic, bearer, type Sent } from '../support/http.js';
import { hasPooler } from '../support/pooler.js';
import { TestServer, type TestUser } from '../support/server.js';
import { openTestStore, SERVER_URL } from '../support/store.js';
import { until } from '../support/until.js';

/** Locked and decided, written with its audit event; with BEGIN and COMMIT. */
const A_CHANGE = 4;
const A_READ = 1;
/** Of a browser, which is read at every request. */
const A_SESSION = 1;

/** What else a server sends: the look-ups of verification, last uses, heartbeats. */
const OTHERS = [
  '%t.token_id = ANY%',
  '%INSERT INTO last_uses (token_uuid, used_at%',
  'SELECT pg_notify($1, $2)',
  '%pg_stat_statements%',
  '%FROM jobs%',
  '%notice_%',
  '%idempotency_records WHERE created_at%',
  '%idempotency_records SET sealed_outcome = %',
  '%retired_values WHERE retired_at <%',
  // Behind a pooler: what it says itself over a connection that it lends, its `select 1` over one that was idle, and the
  // limits that go out with BEGIN in one message.
  ...(hasPooler ? ['SET application_name=%', 'SELECT $1', 'select $1', 'SET LOCAL %_timeout = %'] : []),
];

async function counts(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ libraries: string }>(
    `SELECT current_setting('shared_preload_libraries') AS libraries`,
  );
  await client.end();
  return rows[0]?.libraries.includes('pg_stat_statements') ?? false;
}

const isCounting = SERVER_URL !== undefined && (await counts(SERVER_URL));
if (!isCounting) {
  process.stdout.write(
    'Statements are not counted: it takes a server with shared_preload_libraries=pg_stat_statements\n',
  );
}

(isCounting ? describe : describe.skip)('statements a call', () => {
  let server: TestServer;
  let client: pg.Client;
  let admin: User;
  let member: TestUser;
  let value: string;
  let session: string;
  beforeAll(async () => {
    let url = '';
    server = await TestServer.start({}, async () => {
      const store = await openTestStore();
      url = store.url ?? '';
      return store;
    });
    // Seals are begun and committed as changes are.
    server.app.nest.get(SealEventsTask, { strict: false }).run = async () => {};
    client = new pg.Client({ connectionString: url });
    // The database is dropped under it.
    client.on('error', () => {});
    await client.connect();
    await client.query('CREATE EXTENSION pg_stat_statements');
    admin = await server.admin();
    member = await server.makeUser();
    ({ value } = await server.issue({ dialect: 'patois', ownerId: admin.id, scopes: ['*'] }));
    const origin = { address: undefined, userAgent: undefined, requestId: 'r' };
    const sessions = server.app.nest.get(Sessions, { strict: false });
    ({ value: session } = await sessions.begin(admin, { provider: null, origin }));
    // The scheduled tasks of a start have run.
    const verifying = { headers: bearer(value) };
    await until(async () => (await statementsOf('GET', '/verify', verifying)).size === 0);
  });
  afterAll(async () => {
    await client.end();
    await server.close();
  });

  /** The statements that a call sends, by their text, how often. */
  async function statementsOf(method: string, path: string, sent: Sent): Promise<Map<string, number>> {
    await server.send('GET', '/verify', { headers: bearer(value) });
    await server.app.nest.get(UsageRecorder, { strict: false }).flush();
    await server.app.nest.get(PasswordAuthenticator, { strict: false }).flush();
    await client.query(
      'SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)',
    );
    const { status, text } = await server.send(method, path, sent);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    const { rows } = await client.query<{ query: string; calls: string }>(
      `SELECT query, calls FROM pg_stat_statements
       WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND NOT query LIKE ANY ($1)`,
      [OTHERS],
    );
    return new Map(rows.map(({ query, calls }) => [query, Number(calls)]));
  }

  async function expectCalls(bound: number, method: string, path: string, sent: Sent): Promise<void> {
    const statements = await statementsOf(method, path, sent);
    const list = [...statements].flatMap(([text, calls]) => Array.from({ length: calls }, () => text));
    // The statements are part of what is compared so that a failure shows them.
    expect([list.length, list]).toEqual([bound, list]);
  }

  async function made(dialect: string, ownerId = admin.id): Promise<string> {
    const spec = { dialect, ownerId, uniqueName: dialect === 'foreman' ? randomUUID() : null };
    const { token } = await server.issue(spec);
    return server.app.nest.get(DialectRegistry, { strict: false }).of(token).externalId(token);
  }

  const asBasic = (): Record<string, string> => basic('admin', value);
  const asBearer = (): Record<string, string> => bearer(value);
  const asBrowser = (): Record<string, string> => ({
    cookie: `patois_session=${session}`,
    'x-requested-with': 'patois-console',
    'sec-fetch-site': 'same-origin',
  });
  const asKey = (): Record<string, string> => ({ 'x-api-key': value });
  const asYunxiao = (): Record<string, string> => ({ 'x-yunxiao-token': value });
  const foreman = (id = ''): string => `/api/users/${member.user.numericId}/personal_access_tokens${id}`;
  const YUNXIAO = '/oapi/v1/platform/users/admin/personalAccessTokens';
  const NATIVE = { dialect: 'patois', name: 'x', scopes: ['patois:tokens.read'] };
  const PANTHER = { name: 'x', permissions: ['AlertRead'] };

  test.each<[string, number, string, () => Promise<string>, () => Record<string, string>, (() => object)?]>([
    [
      'own API: create',
      A_CHANGE,
      'POST',
      async () => '/patois/v1/tokens',
      asBearer,
      () => ({ ...NATIVE, owner: member.user.login }),
    ],
    [
      'own API: create many',
      A_CHANGE,
      'POST',
      async () => '/patois/v1/tokens:batch',
      asBearer,
      () => ({ tokens: Array.from({ length: 50 }, () => ({ ...NATIVE, owner: member.user.id })) }),
    ],
    [
      'own API: update',
      A_CHANGE,
      'PATCH',
      async () => `/patois/v1/tokens/${await made('patois')}`,
      asBearer,
      () => ({ name: 'y' }),
    ],
    [
      'own API: rotate',
      A_CHANGE,
      'POST',
      async () => `/patois/v1/tokens/${await made('patois')}/rotate`,
      asBearer,
    ],
    [
      'own API: revoke',
      A_CHANGE,
      'DELETE',
      async () => `/patois/v1/tokens/${await made('patois')}`,
      asBearer,
    ],
    ['own API: get', A_READ, 'GET', async () => `/patois/v1/tokens/${await made('patois')}`, asBearer],
    ['own API: me', A_READ, 'GET', async () => '/patois/v1/me', asBearer],
    ['own API: me, by session', A_READ + A_SESSION, 'GET', async () => '/patois/v1/me', asBrowser],
    [
      'own API: create, by session',
      A_CHANGE + A_SESSION,
      'POST',
      async () => '/patois/v1/tokens',
      asBrowser,
      () => ({ ...NATIVE, owner: member.user.login }),
    ],
    ['Foreman: create', A_CHANGE, 'POST', async () => foreman(), asBasic, () => ({ name: 'x' })],
    [
      'Foreman: revoke',
      A_CHANGE,
      'DELETE',
      async () => foreman(`/${await made('foreman', member.user.id)}`),
      asBasic,
    ],
    [
      'Foreman: show',
      A_READ,
      'GET',
      async () => foreman(`/${await made('foreman', member.user.id)}`),
      asBasic,
    ],
    [
      'Yunxiao: create',
      A_CHANGE,
      'POST',
      async () => YUNXIAO,
      asYunxiao,
      () => ({
        userId: member.user.id,
        name: 'x',
        permissions: ['base_user_read'],
        expiredAt: '2031-01-01T00:00:00.000Z',
      }),
    ],
    ['Yunxiao: delete', A_CHANGE, 'DELETE', async () => `${YUNXIAO}/${await made('yunxiao')}`, asYunxiao],
    ['Panther: create', A_CHANGE, 'POST', async () => '/api-tokens', asKey, () => PANTHER],
    [
      'Panther: update',
      A_CHANGE,
      'POST',
      async () => `/api-tokens/${await made('panther')}`,
      asKey,
      () => PANTHER,
    ],
    ['Panther: rotate', A_CHANGE, 'POST', async () => `/api-tokens/${await made('panther')}/rotate`, asKey],
    ['Panther: delete', A_CHANGE, 'DELETE', async () => `/api-tokens/${await made('panther')}`, asKey],
    ['Panther: get', A_READ, 'GET', async () => `/api-tokens/${await made('panther')}`, asKey],
    ['Quay: create', A_CHANGE, 'POST', async () => '/api/v1/user/apptoken', asBearer, () => ({ title: 'x' })],
    ['Quay: revoke', A_CHANGE, 'DELETE', async () => `/api/v1/user/apptoken/${await made('quay')}`, asBearer],
    ['Quay: get', A_READ, 'GET', async () => `/api/v1/user/apptoken/${await made('quay')}`, asBearer],
    [
      'Losant: create',
      A_CHANGE,
      'POST',
      async () => '/me/tokens',
      asBearer,
      () => ({ name: 'x', scope: ['all.User'] }),
    ],
    [
      'Losant: patch',
      A_CHANGE,
      'PATCH',
      async () => `/me/tokens/${await made('losant')}`,
      asBearer,
      () => ({ name: 'y' }),
    ],
    ['Losant: delete', A_CHANGE, 'DELETE', async () => `/me/tokens/${await made('losant')}`, asBearer],
    ['Losant: get', A_READ, 'GET', async () => `/me/tokens/${await made('losant')}`, asBearer],
  ])('%s: %i', async (_, bound, method, path, headers, ...[body]) => {
    await expectCalls(bound, method, await path(), { headers: headers(), ...(body && { body: body() }) });
  });

  test('own API: create, where the number of tokens is limited: the lock and the count besides', async () => {
    const policy = '/patois/v1/organizations/Default/policy';
    const limit = { headers: server.asAdmin, body: { maxTokensPerUser: 1_000 } };
    expect((await server.send('PUT', policy, limit)).status).toBe(200);
    const body = { ...NATIVE, owner: member.user.login };
    await expectCalls(A_CHANGE + 2, 'POST', '/patois/v1/tokens', { headers: asBearer(), body });
    expect((await server.send('PUT', policy, { headers: server.asAdmin, body: {} })).status).toBe(200);
  });

  test('a warm verification: none', async () => {
    await expectCalls(0, 'GET', '/verify', { headers: bearer(value) });
  });
});
