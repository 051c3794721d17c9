import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { AuditWriter } from '../../src/audit/audit.writer.js';
import type { Config } from '../../src/config.js';
import type { Database } from '../../src/database/database.js';
import { SealedCopiesTask } from '../../src/dialects/quay/sealed-copies.task.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';
import { onceFree, openTestStore } from '../support/store.js';
import { until } from '../support/until.js';

const TOKENS = '/api/v1/user/apptoken';
const KEYS = ['uuid', 'title', 'last_accessed', 'created', 'expiration'];
const HOUR = 3_600_000;
const WEEK_SECONDS = 7 * 86_400;

const SETTINGS: Partial<Config> = {
  quayFidelity: 'deployed',
  quayTokenLifetimeSeconds: 10 * WEEK_SECONDS,
  publicUrl: 'https://tokens.example.com/patois',
  tokenKeys: [{ name: 'test', secret: randomBytes(32) }],
};

/** One store, kept over several starts. */
let store: Database;
let server: TestServer;
let owner: TestUser;

beforeAll(async () => {
  store = await openTestStore();
  server = await start(SETTINGS);
  owner = await server.makeUser();
});
afterAll(async () => {
  await server.close();
  await store.close();
});

function start(settings: Partial<Config>): Promise<TestServer> {
  return TestServer.start(settings, () => Promise.resolve({ ...store, close: async () => {} }));
}

/** Ends the server and starts another on the same store. */
async function restart(settings: Partial<Config>): Promise<void> {
  await server.close();
  server = await onceFree(() => start(settings));
}

function create(body: object = { title: 'laptop' }, headers = owner.byPassword): Promise<Received> {
  return server.send('POST', TOKENS, { headers, body });
}

function get(uuid: string, headers = owner.byPassword): Promise<Received> {
  return server.send('GET', `${TOKENS}/${uuid}`, { headers });
}

async function sealed(uuid: string): Promise<string | null> {
  const [row] = await server.app.dataSource.query('SELECT sealed_value FROM tokens WHERE id = $1', [uuid]);
  return row.sealed_value;
}

describe('a secret that is shown again', () => {
  const reveals = (uuid: string): Promise<AuditEvent[]> =>
    server.app.dataSource.manager.query(
      `SELECT * FROM audit_events e JOIN tokens t ON t.token_id = e.object_id
       WHERE t.id = $1 AND e.action = 'token.reveal' ORDER BY e.time`,
      [uuid],
    ) as Promise<AuditEvent[]>;

  test('is an event each time, and none where it is not shown', async () => {
    const { uuid, token_code } = (await create()).json.token;
    expect(await reveals(uuid)).toEqual([]);
    await server.send('GET', TOKENS, { headers: owner.byPassword });
    expect(await reveals(uuid)).toEqual([]);
    for (const count of [1, 2]) {
      expect((await get(uuid)).json.token.token_code).toBe(token_code);
      const events = await reveals(uuid);
      expect(events).toHaveLength(count);
      expect(events[0]).toMatchObject({ actor_type: 'user', actor_id: owner.user.id, object_type: 'token' });
    }
    const lesser = await server.issue({
      dialect: 'quay',
      ownerId: owner.user.id,
      scopes: ['user:admin'],
      allowedCidrs: ['127.0.0.1/32'],
    });
    expect((await get(uuid, bearer(lesser.value))).json.token.token_code).toBeNull();
    expect(await reveals(uuid)).toHaveLength(2);
  });

  test('is not shown where the event cannot be written', async () => {
    const { uuid, token_code } = (await create()).json.token;
    const writer = server.app.nest.get(AuditWriter, { strict: false });
    const write = jest.spyOn(writer, 'write').mockRejectedValue(new Error('full'));
    const { status, text } = await get(uuid);
    write.mockRestore();
    expect(status).toBe(500);
    expect(text).not.toContain(token_code);
  });
});

describe('POST /api/v1/user/apptoken', () => {
  test('answers 200 with the same body as 201 elsewhere', async () => {
    const { status, json } = await create();
    expect(status).toBe(200);
    expect(Object.keys(json.token)).toEqual([...KEYS, 'token_code']);
  });

  test('keeps the code sealed, never as it is', async () => {
    const { json } = await create();
    const kept = await sealed(json.token.uuid);
    expect(kept).toMatch(/^test:/);
    const bytes = Buffer.from(kept?.split(':')[1] ?? '', 'base64').toString('latin1');
    expect(bytes).not.toContain(json.token.token_code.slice(16));
    const rows = await server.app.dataSource.query('SELECT tokens::text AS row FROM tokens');
    expect(JSON.stringify(rows)).not.toContain(json.token.token_code.slice(16));
  });

  test('gives the token its lifetime, unless the body says when it expires', async () => {
    const { json } = await create();
    const lifetime = Date.parse(json.token.expiration) - Date.parse(json.token.created);
    expect(lifetime / 1000).toBeCloseTo(10 * WEEK_SECONDS, -1);
    const { json: other } = await create({ title: 'x', expiration: '2099-01-01T00:00:00Z' });
    expect(other.token.expiration).toBe('Thu, 01 Jan 2099 00:00:00 -0000');
  });
});

describe('GET /api/v1/user/apptoken/{token_uuid}', () => {
  test('shows the code of an own token again', async () => {
    const { json: made } = await create();
    const { status, json } = await get(made.token.uuid);
    expect(status).toBe(200);
    expect(Object.keys(json.token)).toEqual([...KEYS, 'token_code']);
    expect(json).toEqual(made);
    expect((await server.send('GET', TOKENS, { headers: bearer(json.token.token_code) })).status).toBe(200);
  });

  test('shows the code to a sibling that holds as much', async () => {
    const [{ json: one }, { json: other }] = [await create(), await create()];
    const { json } = await get(one.token.uuid, bearer(other.token.token_code));
    expect(json.token.token_code).toBe(one.token.token_code);
  });

  test('shows nobody a code that does more than their own', async () => {
    const ownerId = owner.user.id;
    const spec = { dialect: 'quay', ownerId, scopes: ['user:admin'], keepsSealedValue: true };
    const wide = await server.issue({ ...spec, scopes: ['user:admin', 'super:user'] });
    const free = await server.issue(spec);
    const confined = await server.issue({ ...spec, allowedCidrs: ['127.0.0.0/8'] });
    for (const [target, caller] of [
      [wide, free],
      [free, confined],
    ] as const) {
      const { status, json } = await get(target.token.id, bearer(caller.value));
      expect({ status, code: json.token.token_code }).toEqual({ status: 200, code: null });
    }
    expect((await get(confined.token.id, bearer(free.value))).json.token.token_code).toBe(confined.value);
    expect((await get(wide.token.id)).json.token.token_code).toBe(wide.value);
  });

  test('has null where no copy is kept', async () => {
    const { token } = await server.issue({ dialect: 'quay', ownerId: owner.user.id, scopes: ['user:admin'] });
    const { json } = await get(token.id);
    expect(Object.keys(json.token)).toEqual([...KEYS, 'token_code']);
    expect(json.token.token_code).toBeNull();
  });

  test("an administrator never sees another user's code", async () => {
    const { json: made } = await create();
    const one = await get(made.token.uuid, server.asAdmin);
    expect(one.status).toBe(404);
    const all = await server.send('GET', '/api/v1/superuser/apptokens', { headers: server.asAdmin });
    expect(all.text).toContain(made.token.uuid);
    expect(all.text).not.toContain('token_code');
  });
});

describe('GET /api/v1/user/apptoken', () => {
  test('shows no code', async () => {
    await create();
    const { json } = await server.send('GET', TOKENS, { headers: owner.byPassword });
    for (const token of json.tokens) expect(Object.keys(token)).toEqual(KEYS);
  });

  test('`expiring` leaves what expires within a tenth of the lifetime', async () => {
    const user = await server.makeUser();
    const expiringIn = async (seconds: number): Promise<string> => {
      const expiresAt = new Date(Date.now() + seconds * 1000);
      const spec = { dialect: 'quay', ownerId: user.user.id, scopes: ['user:admin'], expiresAt };
      return (await server.issue(spec)).token.id;
    };
    const soon = await expiringIn(WEEK_SECONDS - 10);
    await expiringIn(WEEK_SECONDS + 10);
    const { json } = await server.send('GET', `${TOKENS}?expiring=true`, { headers: user.byPassword });
    expect(json.only_expiring).toBe(true);
    expect(json.tokens.map(({ uuid }: { uuid: string }) => uuid)).toEqual([soon]);
  });
});

describe('DELETE /api/v1/user/apptoken/{token_uuid}', () => {
  test('deletes the sealed copy with the token', async () => {
    const { json } = await create();
    const headers = owner.byPassword;
    expect((await server.send('DELETE', `${TOKENS}/${json.token.uuid}`, { headers })).status).toBe(204);
    expect(await sealed(json.token.uuid)).toBeNull();
    expect((await get(json.token.uuid)).status).toBe(404);
  });
});

describe('addresses', () => {
  test('the `type` of an error is below PUBLIC_URL, whatever Host says', async () => {
    const { json } = await server.send('GET', TOKENS, { headers: { host: 'elsewhere.example' } });
    expect(json.type).toBe('https://tokens.example.com/patois/api/v1/error/invalid_token');
  });

  test('the discovery document names PUBLIC_URL and the 200 of create', async () => {
    const { json } = await server.send('GET', '/api/v1/discovery');
    const { host, basePath, schemes } = json;
    expect({ host, basePath, schemes }).toEqual({
      host: 'tokens.example.com',
      basePath: '/patois',
      schemes: ['https'],
    });
    const { responses } = json.paths[TOKENS].post;
    expect(Object.keys(responses)).toContain('200');
    expect(Object.keys(responses)).not.toContain('201');
  });
});

test('no code enters the audit trail, shown again or not', async () => {
  const { json } = await create();
  await get(json.token.uuid);
  const events = await server.app.dataSource.manager.find(AuditEvent);
  expect(JSON.stringify(events)).not.toContain(json.token.token_code.slice(16));
});

test('sealed copies of expired tokens are deleted, those of others kept', async () => {
  const spec = { dialect: 'quay', ownerId: owner.user.id, scopes: ['user:admin'], keepsSealedValue: true };
  const expired = await server.issue({ ...spec, expiresAt: new Date(Date.now() - HOUR) });
  const { json: live } = await create();
  expect(await sealed(expired.token.id)).not.toBeNull();
  await server.app.nest.get(SealedCopiesTask, { strict: false }).run();
  expect(await sealed(expired.token.id)).toBeNull();
  expect(await sealed(live.token.uuid)).not.toBeNull();
});

test('the next start with the setting off deletes every sealed copy, and the tokens work on', async () => {
  const { json: made } = await create();
  await restart({ ...SETTINGS, quayFidelity: 'documented' });
  const kept = (): Promise<object[]> =>
    server.app.dataSource.query('SELECT id FROM tokens WHERE sealed_value IS NOT NULL');
  // The start does not wait for the job.
  await until(async () => (await kept()).length === 0);
  const { status, json } = await get(made.token.uuid, bearer(made.token.token_code));
  expect(status).toBe(200);
  expect(Object.keys(json.token)).toEqual(KEYS);
  expect((await create()).status).toBe(201);
  // What is gone does not come back with the setting.
  await restart(SETTINGS);
  expect((await get(made.token.uuid)).json.token.token_code).toBeNull();
});
