import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { HashingService } from '../../src/hashing/hashing.service.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { basic, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const PATH = '/patois/v1/me';

let server: TestServer;
/** How often bcrypt was asked, and how many checks ran at one moment at most. */
const bcrypt = { calls: 0, running: 0, mostAtOnce: 0 };
beforeAll(async () => {
  server = await TestServer.start({ trustedProxies: ['127.0.0.0/8'] });
  // Observed, not replaced: the real check runs.
  const hashing = server.app.nest.get(HashingService, { strict: false });
  const check = hashing.matchesPassword.bind(hashing);
  hashing.matchesPassword = async (password, kept) => {
    bcrypt.calls += 1;
    bcrypt.running += 1;
    bcrypt.mostAtOnce = Math.max(bcrypt.mostAtOnce, bcrypt.running);
    try {
      return await check(password, kept);
    } finally {
      bcrypt.running -= 1;
    }
  };
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => server.close());

let lastAddress = 0;
/** An address that no test has used yet. */
function freshAddress(): string {
  lastAddress += 1;
  return `198.18.${lastAddress >> 8}.${lastAddress & 255}`;
}

function login(address: string, name: string, secret: string): Promise<Received> {
  return server.send('GET', PATH, { headers: { ...basic(name, secret), 'x-forwarded-for': address } });
}

/** Moves the clock of this process on. */
function after(seconds: number): void {
  const now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now + seconds * 1000);
}

/** How many times bcrypt is asked while the work runs. */
async function checksOf(work: () => Promise<unknown>): Promise<number> {
  const before = bcrypt.calls;
  await work();
  return bcrypt.calls - before;
}

describe('failed logins', () => {
  test('after 30 from one address it must wait, with the right password too; others need not', async () => {
    const [address, other] = [freshAddress(), freshAddress()];
    const { user, password } = await server.makeUser();
    for (let count = 0; count < 30; count += 1)
      expect((await login(address, `nobody${count}`, 'wrong password')).status).toBe(401);
    const refused = await login(address, user.login, password);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(300);
    expect((await login(other, user.login, password)).status).toBe(200);
    after(301);
    expect((await login(address, user.login, password)).status).toBe(200);
  });

  test('the 429 comes in the words of the dialect', async () => {
    const address = freshAddress();
    const headers = { ...basic('nobody', 'wrong password'), 'x-forwarded-for': address };
    for (let count = 0; count < 30; count += 1) await server.send('GET', '/api-tokens', { headers });
    const refused = await server.send('GET', '/api-tokens', { headers });
    expect([refused.status, refused.json.error]).toEqual([429, 'too_many_requests']);
  });

  test('a crowd of guesses at one moment is counted as well', async () => {
    const address = freshAddress();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, count) => login(address, `nobody${count}`, 'wrong password')),
    );
    const statuses = answers.map(({ status }) => status);
    // Two more may be under way when the thirtieth fails.
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(32);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
  });

  test('after 100 for one login, in any case and from anywhere, it must wait; other logins need not', async () => {
    const { user, password } = await server.makeUser();
    for (let block = 0; block < 5; block += 1) {
      const address = freshAddress();
      for (let count = 0; count < 20; count += 1) {
        const name = count % 2 ? user.login : user.login.toUpperCase();
        expect((await login(address, name, 'wrong password')).status).toBe(401);
      }
    }
    expect((await login(freshAddress(), user.login, password)).status).toBe(429);
    const other = await server.makeUser();
    expect((await login(freshAddress(), other.user.login, other.password)).status).toBe(200);
    after(301);
    expect((await login(freshAddress(), user.login, password)).status).toBe(200);
  });

  test('of a new window are counted from one again, and make wait again', async () => {
    const address = freshAddress();
    const { user, password } = await server.makeUser();
    const fail = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index += 1)
        expect((await login(address, 'nobody', 'wrong password')).status).toBe(401);
    };
    await fail(30);
    after(301);
    await fail(29);
    expect((await login(address, user.login, password)).status).toBe(200);
    await fail(1);
    expect((await login(address, user.login, password)).status).toBe(429);
    after(301);
    expect((await login(address, user.login, password)).status).toBe(200);
  });

  test('from any address of one IPv6 /64 are counted together, those of the next are not', async () => {
    const { user, password } = await server.makeUser();
    for (let count = 1; count <= 30; count += 1)
      expect((await login(`2001:db8:64:1::${count}`, 'nobody', 'wrong password')).status).toBe(401);
    expect((await login('2001:db8:64:1:ffff::1', user.login, password)).status).toBe(429);
    expect((await login('2001:db8:64:2::1', user.login, password)).status).toBe(200);
  });

  test('a right password is not counted', async () => {
    const address = freshAddress();
    const { user, password } = await server.makeUser();
    for (let count = 0; count < 40; count += 1)
      expect((await login(address, user.login, password)).status).toBe(200);
  });

  test('a password that looks like a token is checked as one, and never counted', async () => {
    const address = freshAddress();
    const { user, password } = await server.makeUser();
    const where = { action: 'login.fail' as const, address };
    const checks = await checksOf(async () => {
      for (let count = 0; count < 40; count += 1) {
        const { value } = makeToken();
        expect((await login(address, user.login, count % 2 ? value : value.slice(0, -1))).status).toBe(401);
      }
    });
    expect(checks).toBe(0);
    expect(await server.app.dataSource.manager.countBy(AuditEvent, where)).toBe(0);
    expect((await login(address, user.login, password)).status).toBe(200);
  });

  test('an address that must wait is an event, once a window', async () => {
    const address = freshAddress();
    const blocks = (): Promise<AuditEvent[]> =>
      server.app.dataSource.manager.findBy(AuditEvent, { action: 'login.block', address });
    for (let count = 0; count < 29; count += 1) await login(address, `nobody${count}`, 'wrong password');
    expect(await blocks()).toEqual([]);
    for (let count = 0; count < 5; count += 1) await login(address, `nobody${count}`, 'wrong password');
    const promised = {
      objectType: 'address',
      objectId: address,
      actorType: 'system',
      after: { failures: 30, windowSeconds: 300 },
    };
    expect(await blocks()).toMatchObject([promised]);
    after(301);
    for (let count = 0; count < 31; count += 1) await login(address, `nobody${count}`, 'wrong password');
    expect(await blocks()).toMatchObject([promised, promised]);
  });

  test('a login that must wait is an event, once a window, with the user who it is', async () => {
    const { user } = await server.makeUser();
    for (let count = 0; count < 105; count += 1) {
      await login(`198.19.${count}.1`, user.login.toUpperCase(), 'wrong password');
    }
    const where = { action: 'login.block' as const, actorId: user.id };
    expect(await server.app.dataSource.manager.findBy(AuditEvent, where)).toMatchObject([
      {
        objectType: 'login',
        objectId: user.login,
        actorType: 'user',
        after: { failures: 100, windowSeconds: 300 },
      },
    ]);
  });

  test('leave an event with login and address, never the password, nor a token typed as the login', async () => {
    const address = freshAddress();
    const { user } = await server.makeUser();
    const { value } = makeToken();
    server.secrets.add(value);
    await login(address, user.login, 'my secret guess');
    await login(address, value, 'my secret guess');
    const rows = await server.app.dataSource.manager.findBy(AuditEvent, { action: 'login.fail', address });
    expect(new Set(rows.map(({ objectId }) => objectId))).toEqual(new Set(['', user.login]));
    expect(rows.map(({ actorId }) => actorId)).toContain(user.id);
    expect(JSON.stringify(rows)).not.toContain('secret guess');
  });
});

describe('the cost of passwords', () => {
  test('two checks run at once at most', async () => {
    const users = await Promise.all(Array.from({ length: 12 }, () => server.makeUser()));
    bcrypt.mostAtOnce = 0;
    const answers = await Promise.all(
      users.map(({ user, password }) => login(freshAddress(), user.login, password)),
    );
    expect(answers.map(({ status }) => status)).toEqual(users.map(() => 200));
    expect(bcrypt.mostAtOnce).toBe(2);
  });

  test('a wrong login costs what a wrong password does', async () => {
    const { user } = await server.makeUser();
    expect(await checksOf(() => login(freshAddress(), user.login, 'wrong password'))).toBe(1);
    expect(await checksOf(() => login(freshAddress(), 'nobody at all', 'wrong password'))).toBe(1);
  });

  test('a right password is remembered for 60 s at most, however often it comes', async () => {
    const { user, password } = await server.makeUser();
    const once = (): Promise<Received> => login(freshAddress(), user.login, password);
    expect(await checksOf(once)).toBe(1);
    expect(await checksOf(once)).toBe(0);
    after(59);
    expect(await checksOf(once)).toBe(0);
    after(2);
    expect(await checksOf(once)).toBe(1);
  });

  test('a wrong one is not remembered', async () => {
    const { user } = await server.makeUser();
    const once = (): Promise<Received> => login(freshAddress(), user.login, 'wrong password');
    expect([await checksOf(once), await checksOf(once)]).toEqual([1, 1]);
  });
});

describe('what is remembered ends with what it was true of', () => {
  let someone: TestUser;
  beforeAll(async () => {
    someone = await server.makeUser();
  });

  function change(body: object): Promise<Received> {
    const path = `/patois/v1/users/${someone.user.id}`;
    return server.send('PATCH', path, { headers: server.asAdmin, body });
  }

  test('a changed password: the old one is refused at once, the new one works', async () => {
    const { user, password } = someone;
    expect((await login(freshAddress(), user.login, password)).status).toBe(200);
    expect((await change({ password: 'another password' })).status).toBe(200);
    expect((await login(freshAddress(), user.login, password)).status).toBe(401);
    expect((await login(freshAddress(), user.login, 'another password')).status).toBe(200);
  });

  test('a disabled user: the right password is refused at once, and works again with the user', async () => {
    const { user } = someone;
    await change({ disabled: true });
    expect((await login(freshAddress(), user.login, 'another password')).status).toBe(401);
    await change({ disabled: false });
    expect((await login(freshAddress(), user.login, 'another password')).status).toBe(200);
  });

  test('a deleted user: the right password is refused at once', async () => {
    const { user } = someone;
    const gone = await server.send('DELETE', `/patois/v1/users/${user.id}`, { headers: server.asAdmin });
    expect(gone.status).toBe(204);
    expect((await login(freshAddress(), user.login, 'another password')).status).toBe(401);
  });
});
