import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { HashingService } from '../../src/hashing/hashing.service.js';
import { makeToken } from '../../src/tokens/token-format.js';
import { basic, bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

const PATH = '/patois/v1/me/password';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ trustedProxies: ['127.0.0.1/32'] });
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => server.close());

let lastAddress = 0;
/** An address that no test has used yet: failures are counted by it. */
function freshAddress(): string {
  lastAddress += 1;
  return `198.18.1.${lastAddress}`;
}

function change(headers: Record<string, string>, body: unknown, address = freshAddress()): Promise<Received> {
  return server.send('PUT', PATH, { headers: { ...headers, 'x-forwarded-for': address }, body });
}

async function statusOf(headers: Record<string, string>): Promise<number> {
  const sent = { ...headers, 'x-forwarded-for': freshAddress() };
  return (await server.send('GET', '/patois/v1/me', { headers: sent })).status;
}

function fresh(): string {
  return `new-${randomBytes(8).toString('hex')}`;
}

function eventsOf({ user }: TestUser): Promise<AuditEvent[]> {
  return server.app.dataSource.manager.find(AuditEvent, {
    where: [{ objectId: user.id }, { objectId: user.login }],
    order: { time: 'ASC' },
  });
}

describe('PUT /patois/v1/me/password', () => {
  test('puts the new password in the place of the old one, at once, and leaves tokens alone', async () => {
    const own = await server.makeUser();
    const { value } = await server.issue({ dialect: 'patois', ownerId: own.user.id, scopes: ['*'] });
    const [newPassword, wasRight] = [fresh(), await statusOf(own.byPassword)];
    const { status, text } = await change(own.byPassword, { oldPassword: own.password, newPassword });
    expect({ wasRight, status, text }).toEqual({ wasRight: 200, status: 204, text: '' });
    // The old one was right a moment ago, and remembered.
    expect(await statusOf(own.byPassword)).toBe(401);
    expect(await statusOf(basic(own.user.login, newPassword))).toBe(200);
    expect(await statusOf(bearer(value))).toBe(200);
  });

  test('is in the trail as a change of the user by the user, without either password', async () => {
    const own = await server.makeUser();
    const newPassword = fresh();
    await change({ ...own.byPassword, 'user-agent': 'forms/1' }, { oldPassword: own.password, newPassword });
    const trail = await eventsOf(own);
    expect(trail.at(-1)).toMatchObject({
      action: 'user.update',
      actorType: 'user',
      actorId: own.user.id,
      userAgent: 'forms/1',
      before: { login: own.user.login },
      after: { login: own.user.login, passwordChanged: true },
    });
    for (const secret of [own.password, newPassword]) expect(JSON.stringify(trail)).not.toContain(secret);
  });

  test('is not for tokens, whatever they may do', async () => {
    const own = await server.makeUser({ role: 'administrator' });
    const { value } = await server.issue({ dialect: 'patois', ownerId: own.user.id, scopes: ['*'] });
    const body = { oldPassword: own.password, newPassword: fresh() };
    for (const headers of [bearer(value), basic(own.user.login, value)]) {
      expectProblem(await change(headers, body), 403);
    }
    expect(await statusOf(own.byPassword)).toBe(200);
  });

  test('needs a credential, and no scope', async () => {
    const own = await server.makeUser();
    const body = { oldPassword: own.password, newPassword: fresh() };
    expectProblem(await change({}, body), 401);
    expectProblem(await change(basic(own.user.login, 'wrong password'), body), 401);
    expectProblem(await server.send('POST', PATH, { headers: own.byPassword, body }), 405);
  });

  test('a wrong old password is 403 and points at it: the credential of the call was right', async () => {
    const own = await server.makeUser();
    for (const oldPassword of [
      'wrong password',
      own.password.toUpperCase(),
      `${own.password} `,
      'x'.repeat(73),
    ]) {
      const answer = await change(own.byPassword, { oldPassword, newPassword: fresh() });
      expectProblem(answer, 403, '/oldPassword');
      expect(answer.headers['www-authenticate']).toBeUndefined();
    }
    expect(await statusOf(own.byPassword)).toBe(200);
    const failures = (await eventsOf(own)).filter(({ action }) => action === 'login.fail');
    expect(failures).toHaveLength(4);
    expect(failures[0]).toMatchObject({ actorType: 'user', actorId: own.user.id, objectId: own.user.login });
  });

  test('wrong ones count as failed logins: from one address the 31st is 429, the right one too', async () => {
    const own = await server.makeUser();
    const address = freshAddress();
    const wrong = { oldPassword: 'wrong password', newPassword: fresh() };
    for (let count = 0; count < 30; count += 1) {
      expect((await change(own.byPassword, wrong, address)).status).toBe(403);
    }
    const right = { oldPassword: own.password, newPassword: fresh() };
    const blocked = await change(own.byPassword, right, address);
    expectProblem(blocked, 429);
    expect(Number(blocked.headers['retry-after'])).toBeGreaterThan(0);
    const now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now + 301_000);
    expect((await change(own.byPassword, right, address)).status).toBe(204);
  });

  test.each([
    [{}, '/oldPassword'],
    [{ oldPassword: '' }, '/oldPassword'],
    [{ oldPassword: 5 }, '/oldPassword'],
    [{ oldPassword: null }, '/oldPassword'],
    [{ newPassword: 'seven77' }, '/newPassword'],
    [{ newPassword: 'x'.repeat(73) }, '/newPassword'],
    [{ newPassword: 'ä'.repeat(37) }, '/newPassword'],
    [{ newPassword: 'with\u0007a bell' }, '/newPassword'],
    [{ newPassword: null }, '/newPassword'],
    [{ password: 'correct horse' }, '/password'],
  ])('refuses %j', async (wrong, pointer) => {
    const own = await server.makeUser();
    const good = Object.keys(wrong).length === 0 ? {} : { oldPassword: own.password, newPassword: fresh() };
    const answer = await change(own.byPassword, { ...good, ...wrong });
    expect(answer.status).toBe(400);
    expect(answer.json.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
    expect(await statusOf(own.byPassword)).toBe(200);
  });

  test('a token is no password', async () => {
    const own = await server.makeUser();
    const body = { oldPassword: own.password, newPassword: makeToken().value };
    expectProblem(await change(own.byPassword, body), 400, '/newPassword');
  });

  test('of two changes at once one wins, and the other is told so', async () => {
    const own = await server.makeUser();
    const passwords = [fresh(), fresh()];
    // Both have matched the old password before either may put its own in place.
    const hashing = server.app.nest.get(HashingService, { strict: false });
    const hash = hashing.hashPassword.bind(hashing);
    let waiting = 0;
    let open: () => void = () => undefined;
    const bothAreThere = new Promise<void>((resolve) => (open = resolve));
    jest.spyOn(hashing, 'hashPassword').mockImplementation(async (password) => {
      waiting += 1;
      if (waiting === 2) open();
      await bothAreThere;
      return hash(password);
    });
    const answers = await Promise.all(
      passwords.map((newPassword) => change(own.byPassword, { oldPassword: own.password, newPassword })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.toSorted((one, other) => one - other)).toEqual([204, 409]);
    const rights = await Promise.all(passwords.map((password) => statusOf(basic(own.user.login, password))));
    expect(rights.map((status) => status === 200)).toEqual(statuses.map((status) => status === 204));
  });

  test.each([
    ['changed by an administrator', { password: 'set by somebody else' }],
    ['taken away', { password: null }],
    ['disabled', { disabled: true }],
  ])('an account that was %s after its password matched stays so: 409', async (_, changes) => {
    const own = await server.makeUser();
    const newPassword = fresh();
    const hashing = server.app.nest.get(HashingService, { strict: false });
    const hash = hashing.hashPassword.bind(hashing);
    let meanwhile: number | undefined;
    jest.spyOn(hashing, 'hashPassword').mockImplementation(async (password) => {
      if (password === newPassword) {
        const path = `/patois/v1/users/${own.user.id}`;
        meanwhile = (await server.send('PATCH', path, { headers: server.asAdmin, body: changes })).status;
      }
      return hash(password);
    });
    const answer = await change(own.byPassword, { oldPassword: own.password, newPassword });
    expect(meanwhile).toBe(200);
    expectProblem(answer, 409);
    expect(await statusOf(basic(own.user.login, newPassword))).toBe(401);
  });
});
