import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { User } from '../../src/accounts/user.entity.js';
import { Transactions } from '../../src/database/transactions.js';
import { HashingService } from '../../src/hashing/hashing.service.js';
import { Token } from '../../src/tokens/token.entity.js';
import type { TokenSpec } from '../../src/tokens/token.service.js';
import { basic, bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

/** What was true of a caller when the request came in, and is no more when it changes something. */

let server: TestServer;
let head: TestUser;
beforeAll(async () => {
  server = await TestServer.start();
  const { id: organizationId } = await server.organization('Research');
  head = await server.makeUser({ login: 'head', role: 'organizationAdministrator', organizationId });
});
afterAll(() => server.close());

/** Holds a method back before it does anything, once, until it is let go. */
class Hold {
  private static readonly all: (() => void)[] = [];
  readonly reached: Promise<void>;
  letGo!: () => void;

  constructor(target: object, method: string, applies: (...args: never[]) => boolean = () => true) {
    const original = Reflect.get(target, method) as (...args: never[]) => unknown;
    const gone = new Promise<void>((resolve) => (this.letGo = resolve));
    let tellReached!: () => void;
    this.reached = new Promise((resolve) => (tellReached = resolve));
    let isUsed = false;
    Reflect.set(target, method, async (...args: never[]) => {
      if (!isUsed && applies(...args)) {
        isUsed = true;
        tellReached();
        await gone;
      }
      return Reflect.apply(original, target, args);
    });
    Hold.all.push(() => Reflect.set(target, method, original));
  }

  static restoreAll(): void {
    for (const restore of Hold.all.splice(0)) restore();
  }
}
afterEach(() => Hold.restoreAll());

function call(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<Received> {
  return server.send(method, path, { headers, ...(body === undefined ? {} : { body }) });
}

/** Sends a request, and changes something between its admission at the door and its transaction. */
async function meanwhile(
  sending: () => Promise<Received>,
  change: () => Promise<unknown>,
): Promise<Received> {
  const hold = new Hold(server.app.nest.get(Transactions, { strict: false }), 'inTurn');
  const answer = sending();
  await hold.reached;
  await change();
  hold.letGo();
  return answer;
}

const set = (token: Token, changes: Partial<Token>): Promise<unknown> =>
  server.app.dataSource.manager.update(Token, { id: token.id }, changes as object);
const setUser = (user: User, changes: Partial<User>): Promise<unknown> =>
  server.app.dataSource.manager.update(User, { id: user.id }, changes as object);

/** A call of each API that issues a token, by a token of the own API that holds everything. */
const ISSUES: [api: string, path: string, header: 'authorization' | 'x-api-key', body: () => object][] = [
  ['patois', '/patois/v1/tokens', 'authorization', () => ({ dialect: 'quay', owner: 'head', name: 'late' })],
  ['foreman', '/api/users/head/personal_access_tokens', 'authorization', () => ({ name: 'late' })],
  [
    'yunxiao',
    '/oapi/v1/platform/users/admin/personalAccessTokens',
    'authorization',
    () => ({
      userId: head.user.id,
      name: 'late',
      permissions: ['base_user_read'],
      expiredAt: '2099-01-01T00:00:00Z',
    }),
  ],
  ['panther', '/api-tokens', 'x-api-key', () => ({ name: 'late', permissions: ['RuleRead'] })],
  ['quay', '/api/v1/user/apptoken', 'authorization', () => ({ title: 'late' })],
  ['losant', '/me/tokens', 'authorization', () => ({ name: 'late' })],
];

async function caller(more: Partial<TokenSpec> = {}): Promise<{ token: Token; value: string }> {
  return server.issue({ dialect: 'patois', ownerId: head.user.id, scopes: ['*'], ...more });
}

describe.each(ISSUES)('issuing in %s', (_, path, header, body) => {
  const send = (value: string): Promise<Received> =>
    call('POST', path, header === 'authorization' ? bearer(value) : { [header]: value }, body());
  const countLate = (): Promise<number> => server.app.dataSource.manager.countBy(Token, { name: 'late' });

  test.each([
    ['revoked', 401, (token: Token) => set(token, { revokedAt: new Date() })],
    ['expired', 401, (token: Token) => set(token, { expiresAt: new Date() })],
    ['set inactive', 401, (token: Token) => set(token, { inactive: true })],
    ['confined elsewhere', 403, (token: Token) => set(token, { allowedCidrs: ['10.0.0.0/8'] })],
    ['left with other scopes', 403, (token: Token) => set(token, { scopes: ['patois:users.read'] })],
  ])(
    'by a token that was %s meanwhile is refused with %i, and makes nothing',
    async (_state, status, change) => {
      const { token, value } = await caller();
      const before = await countLate();
      expect(
        (
          await meanwhile(
            () => send(value),
            () => change(token),
          )
        ).status,
      ).toBe(status);
      expect(await countLate()).toBe(before);
    },
  );

  test('by a value that was rotated away meanwhile is refused with 401, and makes nothing', async () => {
    const { token, value } = await caller();
    const before = await countLate();
    const rotated = await meanwhile(
      () => send(value),
      async () => {
        Hold.restoreAll();
        await call('POST', `/patois/v1/tokens/${token.tokenId}/rotate`, head.byPassword);
      },
    );
    expect(rotated.status).toBe(401);
    expect(await countLate()).toBe(before);
  });

  test('by a user who was disabled meanwhile is refused with 401, and makes nothing', async () => {
    const before = await countLate();
    const { value } = await caller();
    for (const sending of [() => send(value), () => call('POST', path, head.byPassword, body())]) {
      const answer = await meanwhile(sending, () => setUser(head.user, { disabled: true }));
      await setUser(head.user, { disabled: false });
      expect(answer.status).toBe(401);
    }
    expect(await countLate()).toBe(before);
  });

  test('by a password that was changed meanwhile is refused with 401, and makes nothing', async () => {
    const before = await countLate();
    const answer = await meanwhile(
      () => call('POST', path, head.byPassword, body()),
      async () => {
        Hold.restoreAll();
        const changed = { password: head.password };
        expect((await call('PATCH', '/patois/v1/users/head', server.asAdmin, changed)).status).toBe(200);
      },
    );
    expect(answer.status).toBe(401);
    expect(await countLate()).toBe(before);
  });
});

test.each<[string, number, Partial<Token>]>([
  ['was confined elsewhere', 403, { allowedCidrs: ['10.0.0.0/8'] }],
  ['lost the scope', 403, { scopes: ['patois:tokens.read'] }],
  ['was revoked', 401, { revokedAt: new Date() }],
])('a token that %s meanwhile ends no other: %i', async (_, status, changes) => {
  const { token, value } = await caller({ scopes: ['patois:tokens.write'] });
  const other = await caller();
  const path = `/patois/v1/tokens/${other.token.tokenId}`;
  const answer = await meanwhile(
    () => call('DELETE', path, bearer(value)),
    () => set(token, changes),
  );
  expect(answer.status).toBe(status);
  const after = await server.app.dataSource.manager.findOneByOrFail(Token, { id: other.token.id });
  expect(after.revokedAt).toBeNull();
});

test('a user who was deleted meanwhile makes nothing, by password or token', async () => {
  for (const way of ['password', 'token']) {
    const { user, byPassword } = await server.makeUser();
    const { value } = await server.issue({ dialect: 'losant', ownerId: user.id, scopes: ['all.User'] });
    const headers = way === 'password' ? byPassword : bearer(value);
    const answer = await meanwhile(
      () => call('POST', '/me/tokens', headers, { name: 'late' }),
      () => setUser(user, { deletedAt: new Date() }),
    );
    expect([way, answer.status]).toEqual([way, 401]);
    const made = { ownerId: user.id, name: 'late' };
    expect(await server.app.dataSource.manager.countBy(Token, made)).toBe(0);
  }
});

describe('an administrator who was demoted meanwhile', () => {
  async function demotedBefore(method: string, path: string, body?: unknown): Promise<number> {
    const boss = await server.makeUser({ role: 'administrator' });
    const answer = await meanwhile(
      () => call(method, `/patois/v1${path}`, boss.byPassword, body),
      () => setUser(boss.user, { role: 'member' }),
    );
    return answer.status;
  }

  test('makes no user, organization or location, and changes and deletes no user', async () => {
    const other = await server.makeUser();
    expect([
      await demotedBefore('POST', '/users', { login: 'made-late', role: 'administrator' }),
      await demotedBefore('POST', '/organizations', { name: 'Made late' }),
      await demotedBefore('POST', '/locations', { name: 'Made late' }),
    ]).toEqual([403, 403, 403]);
    expect([
      await demotedBefore('PATCH', `/users/${other.user.id}`, { role: 'administrator' }),
      await demotedBefore('DELETE', `/users/${other.user.id}`),
    ]).toEqual([404, 404]);
    const { manager } = server.app.dataSource;
    expect(await manager.countBy(User, { login: 'made-late' })).toBe(0);
    expect((await manager.findOneByOrFail(User, { id: other.user.id })).role).toBe('member');
  });

  test('neither changes, rotates nor ends the token of another', async () => {
    const { token } = await caller();
    const path = `/tokens/${token.tokenId}`;
    expect([
      await demotedBefore('PATCH', path, { name: 'late' }),
      await demotedBefore('POST', `${path}/rotate`),
      await demotedBefore('DELETE', path),
    ]).toEqual([403, 403, 403]);
    const after = await server.app.dataSource.manager.findOneByOrFail(Token, { id: token.id });
    expect([after.name, after.rotatedAt, after.revokedAt]).toEqual([token.name, null, null]);
  });
});

describe('a password check that waits for its turn', () => {
  async function afterCheck(change: (user: TestUser) => Promise<unknown>): Promise<Received> {
    const someone = await server.makeUser({ role: 'administrator' });
    const hashing = server.app.nest.get(HashingService, { strict: false });
    const hold = new Hold(hashing, 'matchesPassword', (secret) => secret === someone.password);
    const answer = call('POST', '/patois/v1/organizations', someone.byPassword, {
      name: `Late ${someone.user.login}`,
    });
    await hold.reached;
    await change(someone);
    hold.letGo();
    return answer;
  }

  test.each<[string, Partial<User>, number]>([
    ['disabled', { disabled: true }, 401],
    ['deleted', { deletedAt: new Date(), passwordDigest: null }, 401],
    ['given another password', { passwordVersion: 1 }, 401],
    ['demoted', { role: 'member' }, 403],
  ])('lets nobody in as what they were before: %s', async (_, changes, status) => {
    expect((await afterCheck(({ user }) => setUser(user, changes))).status).toBe(status);
  });

  test('shows to a reader who the caller is now, not before', async () => {
    const someone = await server.makeUser({ role: 'administrator' });
    const hashing = server.app.nest.get(HashingService, { strict: false });
    const hold = new Hold(hashing, 'matchesPassword', (secret) => secret === someone.password);
    const listed = call('GET', '/patois/v1/users', someone.byPassword);
    await hold.reached;
    await setUser(someone.user, { role: 'member' });
    hold.letGo();
    expect((await listed).status).toBe(403);
  });
});

test('introspection whose caller is revoked while the body is held back is refused', async () => {
  const { token, value } = await caller();
  const subject = await caller();
  const form = `token=${subject.value}`;
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    `POST /oauth2/introspect HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${value}\r\nconnection: close\r\n` +
      `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${form.length}\r\n\r\n${form.slice(0, 5)}`,
  );
  // Another request on the way shows that the server has taken up the first.
  expect((await call('GET', '/patois/v1/me', bearer(value))).status).toBe(200);
  await server.revoke(token);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.write(form.slice(5));
  await once(socket, 'close');
  expect(text).toMatch(/^HTTP\/1\.1 401 /);
  expect(text).not.toContain('"active"');
});

describe('a hash of a password', () => {
  /** The work of each check, in rounds of bcrypt, that a login by password costs. */
  async function workOf(login: string, password: string, on: TestServer): Promise<number> {
    const hashing = on.app.nest.get(HashingService, { strict: false });
    let rounds = 0;
    const original = hashing.matchesPassword.bind(hashing);
    hashing.matchesPassword = (secret, kept) => {
      rounds += 2 ** Number(kept.slice(4, 6));
      return original(secret, kept);
    };
    await on.send('GET', '/patois/v1/me', { headers: basic(login, password) });
    hashing.matchesPassword = original;
    return rounds;
  }

  const hashedAt = (cost: number, password: string): Promise<string> =>
    new HashingService([{ name: 'any', secret: Buffer.alloc(32) }], cost).hashPassword(password);
  const digestOf = async (user: User): Promise<string> => {
    const select = { id: true, passwordDigest: true };
    const row = await server.app.dataSource.manager.findOneOrFail(User, { where: { id: user.id }, select });
    return row.passwordDigest ?? '';
  };

  test('that was made at another cost is made anew at the next login, and the password stays', async () => {
    for (const cost of [5, 6]) {
      const { user, password, byPassword } = await server.makeUser();
      await setUser(user, { passwordDigest: await hashedAt(cost, password) });
      expect((await call('GET', '/patois/v1/me', byPassword)).status).toBe(200);
      const renewed = await digestOf(user);
      expect(renewed).toMatch(/^\$2b\$04\$/);
      expect((await call('GET', '/patois/v1/me', basic(user.login, 'wrong password'))).status).toBe(401);
      expect(await digestOf(user)).toBe(renewed);
      expect((await call('GET', '/patois/v1/me', byPassword)).status).toBe(200);
    }
  });

  test('costs a wrong password as much as an unknown login, whatever cost it was made at', async () => {
    const fresh = await TestServer.start();
    const [cheap, dear] = [await fresh.makeUser(), await fresh.makeUser()];
    const passwordDigest = await hashedAt(7, dear.password);
    await fresh.app.dataSource.manager.update(User, { id: dear.user.id }, { passwordDigest });
    const work = [];
    for (const login of ['nobody', cheap.user.login, dear.user.login, 'nobody-else'])
      work.push(await workOf(login, 'wrong password', fresh));
    expect(work).toEqual([128, 128, 128, 128]);
    await fresh.close();
  });
});
