import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { patois, type Ran } from '../support/cli.js';
import { buildOnce } from '../support/process.js';
import { TestServer, type TestUser } from '../support/server.js';

const VALUE = /^pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\n$/;
// oxlint-disable-next-line no-control-regex -- what a terminal would obey must not be there
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

let server: TestServer;
let folder: string;
let token: string;
let ada: TestUser;
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-cli-'));
  server = await TestServer.start();
  ada = await server.makeUser({ login: 'ada', name: 'Ada Lovelace' });
  const admin = await server.admin();
  token = (await server.issue({ dialect: 'patois', ownerId: admin.id, scopes: ['*'] })).value;
}, 600_000);
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** As an administrator. */
async function run(...args: string[]): Promise<Ran> {
  const ran = await patois(args, { env: { PATOIS_URL: server.url, PATOIS_TOKEN: token } });
  for (const value of ran.stdout.match(/pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}/g) ?? []) {
    server.secrets.add(value);
    expect(ran.stderr).not.toContain(value.slice(16));
  }
  expect(ran.stdout + ran.stderr).not.toMatch(OBEYED);
  return ran;
}

/** What a command that succeeds writes. */
async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${code}\n${stderr}`);
  return stdout;
}

// oxlint-disable-next-line no-explicit-any -- tests look into answers of every shape
async function json(...args: string[]): Promise<any> {
  return JSON.parse(await succeed(...args, '--json'));
}

async function issue(name: string, ...more: string[]): Promise<string> {
  const value = await succeed(
    'tokens',
    'create',
    name,
    '--owner',
    'ada',
    '--scope',
    'patois:tokens.read',
    ...more,
  );
  expect(value).toMatch(VALUE);
  return value.slice(0, 15);
}

describe('who calls', () => {
  test('is shown, with the token of the call', async () => {
    expect(await succeed('whoami')).toMatch(/^login +admin$[^]*^by +token pt-\w{12} \(patois\)$/m);
    expect(await json('whoami')).toMatchObject({ user: { login: 'admin' }, token: { scopes: ['*'] } });
  });
});

describe('users', () => {
  test('are made, shown, listed, changed and deleted', async () => {
    const made = await json(
      'users',
      'create',
      'grace',
      '--name',
      'Grace',
      '--role',
      'organizationAdministrator',
      '--permission',
      'view_users',
      '--permission',
      'edit_users',
    );
    expect(made).toMatchObject({
      login: 'grace',
      role: 'organizationAdministrator',
      permissions: ['view_users', 'edit_users'],
    });
    expect(await succeed('users', 'show', 'grace')).toMatch(/^permissions +view_users, edit_users$/m);
    expect(await succeed('users', 'list', '--query', 'grac')).toMatch(
      /^LOGIN +NAME +ROLE .*\ngrace +Grace +organizationAdministrator/,
    );
    expect(await json('users', 'update', 'grace', '--disable')).toMatchObject({ disabled: true });
    expect(
      (await json('users', 'list', '--disabled')).items.map(({ login }: { login: string }) => login),
    ).toEqual(['grace']);
    expect(await json('users', 'update', 'grace', '--enable', '--name', 'G. Hopper')).toMatchObject({
      disabled: false,
      name: 'G. Hopper',
    });
    expect(await run('users', 'delete', 'grace', '--yes')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'The user grace is deleted\n',
    });
    expect((await run('users', 'show', 'grace')).code).toBe(3);
  });

  test('are given a password from standard input, and have it taken away', async () => {
    const env = { PATOIS_URL: server.url, PATOIS_TOKEN: token };
    const password = 'a password from standard input';
    expect(
      (await patois(['users', 'create', 'pam', '--password'], { env, input: `${password}\n` })).code,
    ).toBe(0);
    const me = (secret: string): Promise<{ status: number }> =>
      server.send('GET', '/patois/v1/me', {
        headers: { authorization: `Basic ${Buffer.from(`pam:${secret}`).toString('base64')}` },
      });
    expect((await me(password)).status).toBe(200);
    const changed = await patois(['users', 'update', 'pam', '--password'], {
      env,
      input: 'another password',
    });
    expect(changed.code).toBe(0);
    expect(changed.stdout + changed.stderr).not.toContain('another password');
    expect([(await me(password)).status, (await me('another password')).status]).toEqual([401, 200]);
    expect((await patois(['users', 'update', 'pam', '--no-password'], { env })).code).toBe(0);
    expect((await me('another password')).status).toBe(401);
  });
});

describe('organizations and locations', () => {
  test.each(['organizations', 'locations'])('%s are made and listed', async (noun) => {
    expect(await json(noun, 'create', 'Oslo')).toMatchObject({ name: 'Oslo' });
    expect(await succeed(noun, 'list')).toMatch(/^NAME +ID +NUMERIC ID +CREATED\nOslo +[0-9a-f-]{36} /);
    expect((await run(noun, 'create', 'oslo')).code).toBe(4);
  });
});

describe('tokens', () => {
  test('the secret of a new one is all that standard output gets, and it works', async () => {
    const ran = await run('tokens', 'create', 'alone', '--dialect', 'quay', '--expires', '2d');
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(VALUE), stderr: '' });
    const verified = await patois(['verify', '--scope', 'user:admin', '--json'], {
      env: { PATOIS_URL: server.url, PATOIS_TOKEN: token },
      input: ran.stdout,
    });
    expect(JSON.parse(verified.stdout)).toMatchObject({ active: true, username: 'admin', dialect: 'quay' });
    expect(verified.code).toBe(0);
  });

  test('are shown, changed, rotated and revoked', async () => {
    const tokenId = await issue('a whole life', '--cidr', '203.0.113.0/24', '--description', 'for a test');
    expect(await succeed('tokens', 'show', tokenId)).toMatch(/^addresses +203\.0\.113\.0\/24$/m);
    const changed = await json(
      'tokens',
      'update',
      tokenId,
      '--any-address',
      '--expires',
      '30d',
      '--deactivate',
    );
    expect(changed).toMatchObject({ allowedCidrs: [], status: 'inactive', description: 'for a test' });
    expect(Date.parse(changed.expiresAt) - Date.now()).toBeGreaterThan(29 * 86_400_000);
    expect(await json('tokens', 'update', tokenId, '--activate', '--expires', 'never')).toMatchObject({
      status: 'active',
      expiresAt: null,
    });
    const rotated = await succeed('tokens', 'rotate', tokenId, '--grace', '1h');
    expect(rotated).toMatch(VALUE);
    expect(rotated.slice(0, 15)).toBe(tokenId);
    expect((await json('tokens', 'show', tokenId)).previousValidUntil).not.toBeNull();
    expect((await run('tokens', 'revoke', tokenId, '--reason', 'a test', '--yes')).code).toBe(0);
    expect(await json('tokens', 'show', tokenId)).toMatchObject({
      status: 'revoked',
      revokeReason: 'a test',
    });
    const verified = await patois(['verify'], {
      env: { PATOIS_URL: server.url, PATOIS_TOKEN: token },
      input: rotated,
    });
    expect(verified).toMatchObject({
      code: 4,
      stdout: expect.stringMatching(/^active +no\nreason +revoked\n/),
    });
  });

  test('a list ends with its limit and says so, and all of it follows the cursor', async () => {
    for (const name of ['one', 'two', 'three']) await issue(`page ${name}`);
    const names = (page: { items: { name: string }[] }): string[] => page.items.map(({ name }) => name);
    const filter = ['tokens', 'list', '--query', 'page ', '--sort', 'name'];
    const part = await json(...filter, '--limit', '2');
    expect(names(part)).toEqual(['page one', 'page three']);
    expect(part.nextCursor).toEqual(expect.any(String));
    const all = await json(...filter, '--all');
    expect(names(all)).toEqual(['page one', 'page three', 'page two']);
    expect(all.nextCursor).toBeNull();
    expect((await json('tokens', 'list', '--query', 'no such token')).items).toEqual([]);
    const shown = await run(...filter, '--limit', '2');
    expect(shown.stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(shown.stderr).toBe('2 are shown and there are more: --limit, or --all\n');
    expect((await run(...filter, '--all')).stderr).toBe('');
  });

  test('are filtered by times, which may be durations', async () => {
    const tokenId = await issue('soon', '--expires', '5d');
    const ids = async (...filter: string[]): Promise<string[]> =>
      (await json('tokens', 'list', '--owner', 'ada', '--all', ...filter)).items.map(
        (one: { tokenId: string }) => one.tokenId,
      );
    expect(await ids('--expires-before', '6d', '--never-used')).toEqual([tokenId]);
    expect(await ids('--expires-before', '4d')).toEqual([]);
    expect(await ids('--created-before', '1d')).toEqual([]);
    expect(await ids('--created-before', '2099-01-01T00:00:00Z')).toContain(tokenId);
  });

  test('more than a page of the API are followed to the end', async () => {
    const body = {
      tokens: Array.from({ length: 1_000 }, (_, index) => ({
        dialect: 'quay',
        owner: 'ada',
        name: `many ${index}`,
      })),
    };
    const made = await server.send('POST', '/patois/v1/tokens:batch', { headers: server.asAdmin, body });
    expect(made.status).toBe(201);
    await issue('many and one');
    expect((await json('tokens', 'list', '--query', 'many ', '--all')).items).toHaveLength(1_001);
    expect(
      (await succeed('tokens', 'list', '--query', 'many ', '--limit', '1001')).trimEnd().split('\n'),
    ).toHaveLength(1_002);
  });

  test('a name that would drive a terminal is shown and does nothing', async () => {
    const name = 'red \u001b[31m \u009b2J \u202e gnp';
    await server.issue({ dialect: 'quay', ownerId: ada.user.id, name });
    const query = ['tokens', 'list', '--query', 'red '];
    // run() fails for what a terminal would obey.
    expect(await succeed(...query)).toContain('red \\u{1b}[31m \\u{9b}2J \\u{202e} gnp');
    expect((await json(...query)).items[0].name).toBe(name);
  });
});

describe('policies', () => {
  test('are previewed and changed rule by rule, or replaced by a file', async () => {
    await succeed('organizations', 'create', 'Strict');
    await succeed('policy', 'set', 'Strict', '--max-lifetime', '90d', '--max-tokens', '5');
    await succeed(
      'policy',
      'set',
      'Strict',
      '--default-lifetime',
      '30d',
      '--max-tokens',
      'none',
      '--cidr',
      '203.0.113.0/24',
    );
    const policy = await json('policy', 'show', 'Strict');
    expect(policy).toMatchObject({
      maxLifetimeSeconds: 7_776_000,
      defaultLifetimeSeconds: 2_592_000,
      maxTokensPerUser: null,
      allowedCidrs: ['203.0.113.0/24'],
    });
    expect(await succeed('policy', 'show', 'Strict')).toMatch(/^longest life +90d$/m);
    const file = join(folder, 'policy.json');
    await writeFile(
      file,
      JSON.stringify({ ...policy, maxLifetimeSeconds: 86_400, defaultLifetimeSeconds: null }),
    );
    expect(await json('policy', 'set', 'Strict', '--file', file)).toMatchObject({
      maxLifetimeSeconds: 86_400,
    });
    await issue('breaks it', '--expires', '9d');
    const preview = await succeed('policy', 'preview', 'Default', '--max-lifetime', '8d');
    expect(preview).toMatch(/^by rule +.*maxLifetimeSeconds \d+[^]*breaks it +ada/m);
  });

  test('tokens are made to conform by a job, which is waited for', async () => {
    await succeed('organizations', 'create', 'Conforming');
    await succeed('users', 'create', 'carl', '--organization', 'Conforming');
    await succeed('tokens', 'create', 'long', '--dialect', 'quay', '--owner', 'carl', '--expires', '300d');
    const set = ['policy', 'set', 'Conforming', '--max-lifetime', '10d', '--existing', 'conform'];
    expect((await run(...set)).code).toBe(2);
    const job = await json(...set, '--yes');
    expect(job).toMatchObject({ kind: 'policy-conformance', status: 'done', result: { shortened: 1 } });
    expect(await json('jobs', 'show', job.id)).toEqual(job);
    expect(await json('jobs', 'wait', job.id)).toEqual(job);
    expect((await json('jobs', 'list', '--kind', 'policy-conformance')).items[0].id).toBe(job.id);
    expect(await succeed('jobs', 'list')).toMatch(/^ID +KIND +STATUS +DONE +OF +FAILED +CREATED\n/);
    // One that is done has nothing left to cancel.
    expect((await run('jobs', 'cancel', job.id)).code).toBe(4);
  });
});

describe('the audit trail', () => {
  test('is listed by what, who and when', async () => {
    await succeed('users', 'create', 'audited');
    const { items } = await json('audit', 'list', '--action', 'user.create', '--since', '1h', '--limit', '1');
    expect(items).toMatchObject([
      {
        action: 'user.create',
        after: { login: 'audited' },
        userAgent: expect.stringMatching(/^patois-cli\/\d/),
      },
    ]);
    expect(await succeed('audit', 'list', '--action', 'user.create')).toMatch(
      /^TIME +ACTION +ACTOR +OBJECT .*\n.* user\.create +token pt-/,
    );
  });
});

describe('exit codes', () => {
  test.each([
    [2, ['nonsense']],
    [2, ['tokens', 'list', '--nonsense']],
    [2, ['tokens', 'show']],
    [2, ['tokens', 'list', '--limit', '0']],
    [2, ['tokens', 'list', '--status', 'lost']],
    [2, ['tokens', 'list', '--created-before', 'yesterday']],
    [2, ['tokens', 'update', 'pt-000000000000']],
    [2, ['users', 'create', 'not a login']],
    [2, ['users', 'delete', '..', '--yes']],
    [2, ['policy', 'set', 'Default', '--file', '/nowhere/policy.json']],
    [3, ['users', 'show', 'nobody']],
    [3, ['tokens', 'show', 'pt-000000000000']],
    [3, ['jobs', 'show', '0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10']],
    [3, ['policy', 'show', 'Nowhere']],
    [4, ['users', 'create', 'ada']],
  ])('%d: patois %j, with words on standard error alone', async (code, args) => {
    const ran = await run(...args);
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^patois: ./) });
  });

  test('4 for what a credential or a policy does not allow', async () => {
    await succeed('organizations', 'create', 'Confined');
    await succeed('users', 'create', 'conny', '--organization', 'Confined');
    await succeed('policy', 'set', 'Confined', '--max-lifetime', '1d');
    const broken = await run(
      'tokens',
      'create',
      'x',
      '--dialect',
      'quay',
      '--owner',
      'conny',
      '--expires',
      '2d',
    );
    expect(broken).toMatchObject({ code: 4, stdout: '' });
    expect(broken.stderr).toMatch(/^patois: Unprocessable Content \(422\): .*\n {2}\/maxLifetimeSeconds/);
    const weak = (
      await server.issue({ dialect: 'patois', ownerId: ada.user.id, scopes: ['patois:tokens.read'] })
    ).value;
    for (const PATOIS_TOKEN of [weak, 'not-a-token']) {
      const ran = await patois(['users', 'list'], { env: { PATOIS_URL: server.url, PATOIS_TOKEN } });
      expect(ran).toMatchObject({ code: 4, stdout: '' });
      expect(ran.stderr).not.toContain(PATOIS_TOKEN);
    }
  });

  test('2 where a destructive command can ask nobody, and nothing is done', async () => {
    const tokenId = await issue('kept');
    const ran = await run('tokens', 'revoke', tokenId);
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringMatching(/say --yes\n$/) });
    expect(await json('tokens', 'show', tokenId)).toMatchObject({ status: 'active' });
  });
});

describe('a server that does not answer as it should', () => {
  let other: Server;
  let seen: { method: string; key: string | undefined }[];
  let answer: (
    attempt: number,
  ) => { status: number; headers?: Record<string, string>; text?: string } | undefined;
  beforeAll(async () => {
    other = createServer((request, response) => {
      const { 'idempotency-key': key } = request.headers;
      seen.push({ method: request.method ?? '', key: key as string | undefined });
      const said = answer(seen.length);
      if (!said) return void request.socket.destroy();
      response.writeHead(said.status, said.headers).end(said.text);
    });
    other.listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
  });
  afterAll(() => new Promise((resolve) => other.close(resolve)));

  function ask(...args: string[]): Promise<Ran> {
    seen = [];
    const { port } = other.address() as AddressInfo;
    return patois(args, {
      env: { PATOIS_URL: `http://127.0.0.1:${port}/base/`, PATOIS_TOKEN: 'some-token' },
    });
  }

  test('1 where nobody listens', async () => {
    const ran = await patois(['whoami'], {
      env: { PATOIS_URL: 'http://127.0.0.1:1', PATOIS_TOKEN: 'some-token' },
    });
    expect(ran).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^patois: http:\/\/127\.0\.0\.1:1 cannot be reached: /),
    });
  });

  test('1 for a failure, with when to come again, and for what is no answer of the API', async () => {
    answer = () => ({
      status: 503,
      headers: { 'content-type': 'application/problem+json', 'retry-after': '7' },
      text: JSON.stringify({ title: 'Service Unavailable', status: 503, detail: 'Too many \u001b[31m' }),
    });
    expect(await ask('whoami')).toMatchObject({
      code: 1,
      stderr: 'patois: Service Unavailable (503): Too many \\u{1b}[31m\n  Try again in 7 s\n',
    });
    answer = () => ({ status: 502, text: '<html>' });
    expect(await ask('whoami')).toMatchObject({ code: 1, stderr: 'patois: Unexpected answer (502)\n' });
  });

  test('1 for a redirect, which does not get the credential', async () => {
    answer = () => ({ status: 302, headers: { location: '/elsewhere' } });
    expect((await ask('whoami')).code).toBe(1);
    expect(seen).toHaveLength(1);
  });

  test('an answer that got lost on the way is asked for again, with the same Idempotency-Key', async () => {
    answer = (attempt) =>
      attempt === 1 ? undefined : { status: 201, text: JSON.stringify({ token: 'the value' }) };
    expect(await ask('tokens', 'create', 'x', '--owner', 'ada')).toMatchObject({
      code: 0,
      stdout: 'the value\n',
    });
    expect(seen).toHaveLength(2);
    expect(seen[0]?.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(seen[1]).toEqual(seen[0]);
    answer = () => undefined;
    expect((await ask('users', 'create', 'x')).code).toBe(1);
    expect(seen).toHaveLength(1);
  });
});
