import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { HashingService } from '../../src/hashing/hashing.service.js';
import { IdempotencyRecord } from '../../src/tokens/idempotency/idempotency-record.entity.js';
import { Idempotency } from '../../src/tokens/idempotency/idempotency.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { moveClock } from '../support/clock.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let owner: TestUser;
let idempotency: Idempotency;
const ring = [{ name: 'test', secret: randomBytes(32) }];
beforeAll(async () => {
  server = await TestServer.start({ trustedProxies: ['127.0.0.1/32'], tokenKeys: ring });
  owner = await server.makeUser({ role: 'organizationAdministrator' });
  idempotency = server.app.nest.get(Idempotency, { strict: false });
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => server.close());

function issue(spec: object = {}): Promise<{ token: Token; value: string }> {
  return server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'], ...spec });
}

function repeated({ headers }: Received): boolean {
  return headers['idempotency-replayed'] === 'true';
}

async function verify(value: string): Promise<number> {
  return (await server.send('GET', '/verify', { headers: bearer(value) })).status;
}

/** How the owner of a value rotates the token that it is of. */
type Rotate = (
  token: Token,
  value: string,
  key?: string,
  headers?: Record<string, string>,
) => Promise<Received>;

const ROTATIONS: [
  api: string,
  dialect: string,
  rotate: Rotate,
  valueOf: (json: Received['json']) => string,
][] = [
  [
    'the own API',
    'patois',
    ({ tokenId }, value, key, headers) =>
      server.send('POST', `/patois/v1/tokens/${tokenId}/rotate`, {
        headers: { ...bearer(value), ...(key === undefined ? {} : { 'idempotency-key': key }), ...headers },
      }),
    ({ token }) => token,
  ],
  [
    "Panther's API",
    'panther',
    (_, value, key, headers) =>
      server.send('POST', '/api-tokens/self/rotate', {
        headers: {
          'x-api-key': value,
          ...(key === undefined ? {} : { 'idempotency-key': key }),
          ...headers,
        },
      }),
    ({ value }) => value,
  ],
];

describe.each(ROTATIONS)('a token that rotates itself through %s', (_, dialect, rotate, valueOf) => {
  const scopes = dialect === 'panther' ? ['BulkUpload'] : ['*'];

  async function rotated(spec: object = {}): Promise<{
    token: Token;
    value: string;
    key: string;
    first: Received;
  }> {
    const { token, value } = await issue({ dialect, scopes, ...spec });
    const key = randomUUID();
    const first = await rotate(token, value, key);
    expect(first.status).toBe(200);
    return { token, value, key, first };
  }

  test('gets the new value again though the one it calls with is retired, and no third one', async () => {
    const { token, value, key, first } = await rotated();
    const again = await rotate(token, value, key);
    expect([again.status, again.text, repeated(again)]).toEqual([200, first.text, true]);
    expect([await verify(value), await verify(valueOf(first.json))]).toEqual([401, 204]);
    const events = await server.app.dataSource.manager.find(AuditEvent, {
      where: { objectId: token.tokenId },
      order: { time: 'ASC' },
    });
    expect(events.map(({ action }) => action)).toEqual(['token.create', 'token.rotate', 'token.replay']);
    expect(events.at(-1)).toMatchObject({ actorType: 'token', actorId: token.tokenId });
  });

  test.each([
    ['without the key', () => undefined],
    ['with another key', () => randomUUID()],
  ])('is unknown %s', async (_why, keyOf) => {
    const { token, value } = await rotated();
    expect((await rotate(token, value, keyOf())).status).toBe(401);
  });

  test('is unknown 120 seconds later', async () => {
    moveClock(0);
    const { token, value, key } = await rotated();
    moveClock(119_999);
    expect((await rotate(token, value, key)).status).toBe(200);
    moveClock(1);
    expect((await rotate(token, value, key)).status).toBe(401);
  });

  test('is unknown on another route', async () => {
    const { value, key } = await rotated();
    const other = dialect === 'panther' ? '/api-tokens' : '/patois/v1/tokens';
    const { status } = await server.send('POST', other, {
      headers: {
        ...(dialect === 'panther' ? { 'x-api-key': value } : bearer(value)),
        'idempotency-key': key,
      },
      body: {},
    });
    expect(status).toBe(401);
    const { status: seen } = await server.send('GET', other, {
      headers: {
        ...(dialect === 'panther' ? { 'x-api-key': value } : bearer(value)),
        'idempotency-key': key,
      },
    });
    expect(seen).toBe(401);
  });

  test('is unknown before anything else is said: of its scopes, and of the body', async () => {
    const { token, value } = await rotated(dialect === 'panther' ? {} : { scopes: ['patois:tokens.write'] });
    const other = dialect === 'panther' ? '/api-tokens' : `/patois/v1/tokens/${token.tokenId}/rotate`;
    const { status } = await server.send('POST', other, {
      headers: {
        ...(dialect === 'panther' ? { 'x-api-key': value } : bearer(value)),
        'idempotency-key': randomUUID(),
      },
      body: { nonsense: true },
    });
    expect(status).toBe(401);
  });

  test('is refused once it is revoked, its owner disabled, or from elsewhere', async () => {
    const revoked = await rotated();
    await server.revoke(revoked.token);
    expect((await rotate(revoked.token, revoked.value, revoked.key)).status).toBe(401);

    const sleeper = await server.makeUser();
    const disabled = await rotated({ ownerId: sleeper.user.id });
    await server.app.dataSource.query('UPDATE users SET disabled = true WHERE id = $1', [sleeper.user.id]);
    expect((await rotate(disabled.token, disabled.value, disabled.key)).status).toBe(401);

    const confined = await rotated({ allowedCidrs: ['127.0.0.0/8'] });
    const elsewhere = { 'x-forwarded-for': '203.0.113.9' };
    expect((await rotate(confined.token, confined.value, confined.key, elsewhere)).status).toBe(401);
    expect((await rotate(confined.token, confined.value, confined.key)).status).toBe(200);
  });
});

test('a rotation by somebody else is repeated as well', async () => {
  const { token } = await issue();
  const send = (body: object): Promise<Received> =>
    server.send('POST', `/patois/v1/tokens/${token.tokenId}/rotate`, {
      headers: { ...owner.byPassword, 'idempotency-key': 'once' },
      body,
    });
  const first = await send({ graceSeconds: 600 });
  await verify(first.json.token);
  const again = await send({ graceSeconds: 600 });
  expect([again.text, repeated(again)]).toEqual([first.text, true]);
  expect((await send({ graceSeconds: 60 })).status).toBe(422);
});

test('a batch is repeated whole', async () => {
  const send = (): Promise<Received> =>
    server.send('POST', '/patois/v1/tokens:batch', {
      headers: { ...owner.byPassword, 'idempotency-key': 'batch' },
      body: {
        tokens: Array.from({ length: 30 }, (_, index) => ({
          dialect: index % 2 ? 'patois' : 'foreman',
          owner: owner.user.login,
          name: `batch ${index}`,
          scopes: index % 2 ? ['patois:tokens.read'] : ['foreman:*'],
        })),
      },
    });
  const first = await send();
  expect([first.status, first.json.tokens.length]).toEqual([201, 30]);
  const again = await send();
  expect([again.text, repeated(again)]).toEqual([first.text, true]);
  expect(await verify(first.json.tokens[29].token)).toBe(204);
});

describe('what is kept', () => {
  async function created(key: string): Promise<string> {
    const { json } = await server.send('POST', '/patois/v1/tokens', {
      headers: { ...owner.byPassword, 'idempotency-key': key },
      body: { dialect: 'patois', owner: owner.user.login, name: 'kept', scopes: ['patois:tokens.read'] },
    });
    return json.token;
  }

  /** Every row of every table, every byte of it readable as text. */
  async function dump(): Promise<string> {
    const { dataSource } = server.app;
    const tables = await dataSource.query<{ name: string }[]>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    const rows = await Promise.all(
      tables.map(({ name }) => dataSource.query(`SELECT * FROM "${name}"`) as Promise<unknown[]>),
    );
    return JSON.stringify(rows.flat(), (_, value: unknown) => {
      const bytes = value as { type?: string; data?: number[] } | null;
      if (bytes?.type !== 'Buffer' || !bytes.data) return value;
      const buffer = Buffer.from(bytes.data);
      return [buffer.toString('latin1'), buffer.toString('base64'), buffer.toString('hex')];
    });
  }

  test('is in no table readable: neither the value nor the key', async () => {
    const key = `key ${randomUUID()}`;
    const value = await created(key);
    const text = await dump();
    expect(text).toContain('kept');
    const secrets = [value.slice(16), key];
    for (const secret of secrets) {
      const bytes = Buffer.from(secret);
      for (const form of [secret, bytes.toString('base64').slice(0, -4), bytes.toString('hex')]) {
        expect(text.includes(form)).toBe(false);
      }
    }
  });

  test('does not open by the ring alone, nor by the key alone', async () => {
    const key = randomUUID();
    const value = await created(key);
    const { manager } = server.app.dataSource;
    const record = await manager.findOneOrFail(IdempotencyRecord, {
      where: {},
      order: { createdAt: 'DESC' },
    });
    const binding = `idempotent ${record.id.toString('hex')}`;
    const sealed = record.sealedOutcome ?? '';
    const [own, other] = [
      new HashingService(ring, 4),
      new HashingService([{ name: 'test', secret: randomBytes(32) }], 4),
    ];
    expect(own.open(sealed, binding, key)).toContain(value);
    expect(own.open(sealed, binding)).toBeUndefined();
    expect(own.open(sealed, binding, randomUUID())).toBeUndefined();
    expect(other.open(sealed, binding, key)).toBeUndefined();
    expect(own.open(sealed, `${binding}00`, key)).toBeUndefined();
  });

  test('is gone after 120 seconds, and all of it after a day', async () => {
    const { manager } = server.app.dataSource;
    await manager.clear(IdempotencyRecord);
    moveClock(0);
    await created(randomUUID());
    moveClock(120_000);
    await idempotency.forget();
    expect(await manager.find(IdempotencyRecord)).toMatchObject([{ sealedOutcome: expect.any(String) }]);
    moveClock(1);
    await idempotency.forget();
    expect(await manager.find(IdempotencyRecord)).toMatchObject([{ sealedOutcome: null }]);
    moveClock(86_400_000);
    await idempotency.forget();
    expect(await manager.count(IdempotencyRecord)).toBe(0);
  });
});

test('a key means nothing where nothing is issued', async () => {
  const { token } = await issue();
  const send = (): Promise<Received> =>
    server.send('PATCH', `/patois/v1/tokens/${token.tokenId}`, {
      headers: { ...owner.byPassword, 'idempotency-key': '' },
      body: { name: 'x' },
    });
  const answers = [await send(), await send()];
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(answers.some(repeated)).toBe(false);
});
