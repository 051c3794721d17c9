import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OnTerminal, patois, type Ran } from '../support/cli.js';
import { basic, type Received, send } from '../support/http.js';
import { buildOnce, PatoisProcess } from '../support/process.js';
import { describeWith } from '../support/programs.js';
import { makeEmptyDatabase, SERVER_URL } from '../support/store.js';

const OLD = 'the old password';
const NEW = 'the new password';

let folder: string;
let settings: Record<string, string>;
let drop: (() => Promise<void>) | undefined;
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-store-'));
  const database = await makeEmptyDatabase();
  drop = database?.drop;
  settings = {
    BCRYPT_COST: '4',
    ...(database
      ? { ...database.settings, TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}` }
      : { DATA_DIR: join(folder, 'data') }),
  };
}, 600_000);
afterAll(async () => {
  await drop?.();
  await rm(folder, { recursive: true, force: true });
});

async function run(args: string[], input?: string, more: Record<string, string> = {}): Promise<Ran> {
  const ran = await patois(args, {
    env: { ...settings, ...more },
    ...(input === undefined ? {} : { input }),
  });
  for (const secret of [OLD, NEW]) expect(ran.stdout + ran.stderr).not.toContain(secret);
  return ran;
}

async function whileRunning<Result>(work: (url: string) => Promise<Result>): Promise<Result> {
  const server = new PatoisProcess({ PORT: '0', ...settings });
  try {
    return await work(await server.listening());
  } finally {
    await server.stop();
  }
}

async function statusOf(url: string, password: string): Promise<number> {
  return (await send(url, 'GET', '/patois/v1/me', { headers: basic('admin', password) })).status;
}

/** Signs in as Quay's pages do: the headers that stand for login and password from then on. */
async function quaySession(url: string, password: string): Promise<Record<string, string>> {
  const cookieOf = ({ headers }: Received): string =>
    (headers['set-cookie']?.[0] ?? '').split(';', 1)[0] ?? '';
  const begun = await send(url, 'GET', '/csrf_token');
  const headers = { cookie: cookieOf(begun), 'x-csrf-token': begun.json.csrf_token as string };
  const body = { username: 'admin', password };
  const signedIn = await send(url, 'POST', '/api/v1/signin', { headers, body });
  expect(signedIn.status).toBe(200);
  return { cookie: cookieOf(signedIn), 'x-csrf-token': String(signedIn.headers['x-next-csrf-token']) };
}

async function quayStatus(url: string, headers: Record<string, string>): Promise<number> {
  return (await send(url, 'GET', '/api/v1/user/apptoken', { headers })).status;
}

describe('an empty store', () => {
  test('has migrations to run, which migrate runs once', async () => {
    // Of an embedded one that is not there nobody knows whether it is the right folder.
    const before = await run(['migrate', '--check']);
    expect(before.code).toBe(SERVER_URL === undefined ? 2 : 1);
    const first = await run(['migrate']);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^CreateAccounts\d+\n(\w+\n)+$/) });
    expect(await run(['migrate'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'The schema is up to date\n',
    });
    expect((await run(['migrate', '--check'])).code).toBe(0);
  });

  test('gets its first administrator, whose password a server takes; a second time is refused', async () => {
    expect((await run(['users', 'first-administrator', '--password'], 'short\n')).code).toBe(2);
    expect((await run(['users', 'first-administrator', '--password'], `${OLD}\n`)).code).toBe(0);
    expect(await run(['users', 'first-administrator'])).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringContaining('patois users set-password'),
    });
    expect(await whileRunning((url) => statusOf(url, OLD))).toBe(200);
  });

  test('of its own gets a generated password, which standard output gets alone', async () => {
    // On the embedded engine, for this one has its administrator.
    const env = { BCRYPT_COST: '4', DATA_DIR: join(folder, 'other') };
    const { code, stdout, stderr } = await patois(['users', 'first-administrator'], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[\w-]{24}\n$/);
    expect(stderr).not.toContain(stdout.trim());
  });
});

describe('a lost password', () => {
  test('is set on the store, with its audit event, and the old one is gone', async () => {
    expect(await run(['users', 'set-password', 'admin'], `${NEW}\n`)).toMatchObject({ code: 0, stdout: '' });
    await whileRunning(async (url) => {
      expect([await statusOf(url, OLD), await statusOf(url, NEW)]).toEqual([401, 200]);
      const { json } = await send(url, 'GET', '/patois/v1/audit-events?action=user.update', {
        headers: basic('admin', NEW),
      });
      expect(json.items).toMatchObject([
        {
          actor: { type: 'system', id: null },
          after: { login: 'admin', passwordChanged: true },
          userAgent: expect.stringMatching(/^patois-cli\//),
        },
      ]);
      expect(JSON.stringify(json)).not.toContain(NEW);
    });
  });

  test.each([
    ['one that is too short', 'short', 2],
    ['one that is too long', 'x'.repeat(73), 2],
    ['one of two lines', 'first line\nsecond line', 2],
    ['a token', `pt-${'0'.repeat(12)}_${'0'.repeat(49)}`, 2],
    ['nothing', '', 2],
  ])('is not set to %s', async (_name, input, code) => {
    const ran = await run(['users', 'set-password', 'admin'], input);
    expect(ran.code).toBe(code);
    expect(ran.stderr).not.toContain(input || NEW);
  });

  test('of nobody is not found', async () => {
    for (const user of ['nobody', 'no login']) {
      expect(await run(['users', 'set-password', user], NEW)).toMatchObject({
        code: 3,
        stderr: 'patois: No such user\n',
      });
    }
  });

  test('in a folder without a store makes none', async () => {
    const env = { DATA_DIR: join(folder, 'nothing') };
    const ran = await patois(['users', 'set-password', 'admin'], { env, input: NEW });
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining(env.DATA_DIR) });
  });

  test('with settings that are wrong is told every one of them', async () => {
    const ran = await run(['users', 'set-password', 'admin'], NEW, { PORT: 'x', LOG_LEVEL: 'x' });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/^patois: The settings of the server are wrong\n {2}PORT .*\n {2}LOG_LEVEL /);
  });

  describeWith(['/usr/bin/script'], 'on a terminal', () => {
    test('is typed twice and not shown', async () => {
      const terminal = new OnTerminal(['users', 'set-password', 'admin'], { env: settings });
      await terminal.type(`${OLD}\r`, /New password of admin: /);
      await terminal.type(`${OLD}\r`, /Once more: /);
      const { code, stdout } = await terminal.end();
      expect(code).toBe(0);
      expect(stdout).not.toContain(OLD);
      expect(await whileRunning((url) => statusOf(url, OLD))).toBe(200);
    });
  });
});

if (SERVER_URL === undefined) {
  describe('while a server has the embedded store open', () => {
    test('nothing else touches it', async () => {
      await whileRunning(async () => {
        for (const args of [
          ['migrate'],
          ['users', 'set-password', 'admin'],
          ['users', 'first-administrator'],
        ]) {
          const ran = await run(args, NEW);
          expect(ran).toMatchObject({
            code: 1,
            stdout: '',
            stderr: expect.stringContaining('in use by another Patois'),
          });
        }
      });
    });
  });
} else {
  describe('while a server runs on PostgreSQL', () => {
    test('a password that is set on the database ends the old one there at once, remembered or not, and its sessions', async () => {
      await whileRunning(async (url) => {
        expect((await run(['users', 'set-password', 'admin'], OLD)).code).toBe(0);
        // Remembered for a minute from here on.
        expect(await statusOf(url, OLD)).toBe(200);
        const session = await quaySession(url, OLD);
        expect(await quayStatus(url, session)).toBe(200);
        expect((await run(['users', 'set-password', 'admin'], NEW)).code).toBe(0);
        expect([await statusOf(url, OLD), await statusOf(url, NEW)]).toEqual([401, 200]);
        expect(await quayStatus(url, session)).toBe(401);
      });
    });

    test('the schema is migrated beside it', async () => {
      await whileRunning(async () => expect((await run(['migrate'])).code).toBe(0));
    });
  });
}
