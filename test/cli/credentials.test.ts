import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { patois, type Ran } from '../support/cli.js';
import { buildOnce } from '../support/process.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
let folder: string;
let value: string;
let other: string;
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-credentials-'));
  server = await TestServer.start();
  const { user } = await server.makeUser({ login: 'ada' });
  const issue = async (ownerId: string): Promise<string> =>
    (await server.issue({ dialect: 'patois', ownerId, scopes: ['patois:tokens.read'] })).value;
  value = await issue((await server.admin()).id);
  other = await issue(user.id);
}, 600_000);
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function keep(name: string, text: string, mode: number): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

/** Whose credential is taken. */
async function whoami(args: string[], env: Record<string, string> = {}): Promise<Ran & { login?: string }> {
  const ran = await patois(['whoami', '--json', ...args], { env: { PATOIS_URL: server.url, ...env } });
  for (const secret of [value, other]) expect(ran.stdout + ran.stderr).not.toContain(secret.slice(16));
  return ran.code === 0
    ? { ...ran, login: (JSON.parse(ran.stdout) as { user: { login: string } }).user.login }
    : ran;
}

describe('a token', () => {
  test('is taken from PATOIS_TOKEN, and from a file of mode 0600 or less', async () => {
    expect(await whoami([], { PATOIS_TOKEN: ` ${value}\n` })).toMatchObject({ login: 'admin' });
    for (const mode of [0o600, 0o400]) {
      const path = await keep(`mode-${mode}`, `${value}\n`, mode);
      expect(await whoami(['--token-file', path])).toMatchObject({ login: 'admin' });
    }
  });

  test.each([0o644, 0o640, 0o604, 0o620])('in a file of mode %o is refused, and not sent', async (mode) => {
    const path = await keep(`open-${mode}`, value, mode);
    const { code, stderr } = await whoami(['--token-file', path]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `patois: ${path} can be read or written by others: chmod 600 ${path}\n`,
    });
  });

  test('the file that is named goes before PATOIS_TOKEN, and that before the own file', async () => {
    const config = join(folder, 'config');
    await mkdir(join(config, 'patois'), { recursive: true });
    await keep('config/patois/token', other, 0o600);
    const named = await keep('named', other, 0o600);
    expect(await whoami([], { XDG_CONFIG_HOME: config })).toMatchObject({ login: 'ada' });
    expect(await whoami([], { XDG_CONFIG_HOME: config, PATOIS_TOKEN: value })).toMatchObject({
      login: 'admin',
    });
    expect(await whoami(['--token-file', named], { PATOIS_TOKEN: value })).toMatchObject({ login: 'ada' });
    await chmod(join(config, 'patois/token'), 0o644);
    expect((await whoami([], { XDG_CONFIG_HOME: config })).code).toBe(2);
  });

  test.each([
    ['a file that is not there', '/nowhere/token'],
    ['a folder', tmpdir()],
  ])('%s is told', async (_name, path) => {
    expect(await whoami(['--token-file', path])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(path),
    });
  });

  test('what cannot be one is not sent, and not repeated', async () => {
    const secret = 'two words\nof a secret';
    const ran = await whoami(['--token-file', await keep('no-token', secret, 0o600)]);
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringMatching(/ holds no token\n$/) });
    expect(ran.stderr).not.toContain('secret');
  });
});

describe('a call', () => {
  test('without a credential names the ways to give one', async () => {
    const { code, stderr } = await whoami([]);
    expect(code).toBe(2);
    for (const way of ['--login', 'PATOIS_TOKEN', '--token-file', '/nowhere/patois/token'])
      expect(stderr).toContain(way);
  });

  test('by password needs a terminal to type it on, and takes no second credential', async () => {
    const env = { PATOIS_TOKEN: value };
    expect(await whoami(['--login', 'admin'], env)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no terminal'),
    });
    const both = ['--login', 'admin', '--token-file', await keep('both', value, 0o600)];
    expect(await whoami(both)).toMatchObject({ code: 2, stderr: 'patois: Either --login or --token-file\n' });
  });

  test.each(['ftp://127.0.0.1', 'nonsense', 'http://user:secret@127.0.0.1', 'http://127.0.0.1/?a=b'])(
    'to %s is not made',
    async (url) => {
      const ran = await whoami(['--url', url], { PATOIS_TOKEN: value });
      expect(ran).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^patois: The address of the server must be /),
      });
      expect(ran.stderr).not.toContain('secret');
    },
  );

  test('over a network in the clear says so', async () => {
    const { stderr } = await whoami(['--url', 'http://nowhere.invalid'], { PATOIS_TOKEN: value });
    expect(stderr).toMatch(/^Warning: http:\/\/nowhere\.invalid is asked in the clear, credential and all\n/);
    expect((await whoami([], { PATOIS_TOKEN: value })).stderr).toBe('');
  });
});
