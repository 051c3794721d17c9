import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SigningKey } from '../../src/signing/signing-key.entity.js';
import { PUBLISHED_AHEAD_MS, SigningKeys, SIGNS_FOR_MS } from '../../src/signing/signing-keys.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { moveClock } from '../support/clock.js';
import { basic, bearer, send } from '../support/http.js';
import { writeOciImage } from '../support/oci-image.js';
import { describeWith, example, Program, temporaryFolder } from '../support/programs.js';
import { TestServer, type TestUser } from '../support/server.js';
import { freePort } from '../support/free-port.js';

const REGISTRY = '/usr/bin/docker-registry';
const SKOPEO = '/usr/bin/skopeo';
const SERVICE = 'registry.example.com';

interface Outcome {
  code: number;
  output: string;
}

describeWith([REGISTRY, SKOPEO], "Debian's docker-registry and skopeo", () => {
  const folder = temporaryFolder('registry');
  const image = join(folder.path, 'image');
  let server: TestServer;
  let ada: TestUser;
  let digest: string;
  let registry: Program;
  let at: string;

  const issue = (spec: object = {}): Promise<{ token: Token; value: string }> =>
    server.issue({ dialect: 'quay', ownerId: ada.user.id, scopes: ['user:admin'], ...spec });

  /** Runs skopeo; its logins are kept in a file of the folder. */
  const skopeo = async (args: string[], input = ''): Promise<Outcome> => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder.path, XDG_RUNTIME_DIR: folder.path };
    const child = spawn(SKOPEO, ['--insecure-policy', ...args], { env });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number];
    return { code, output };
  };
  const logIn = (user: string, password: string): Promise<Outcome> =>
    skopeo(
      [
        'login',
        '--tls-verify=false',
        '--authfile',
        join(folder.path, 'auth.json'),
        '-u',
        user,
        '--password-stdin',
        at,
      ],
      password,
    );
  const push = (name: string, credentials: string): Promise<Outcome> =>
    skopeo([
      'copy',
      '--dest-tls-verify=false',
      '--dest-creds',
      credentials,
      `oci:${image}`,
      `docker://${at}/${name}`,
    ]);
  const pull = (name: string, credentials: string, to: string): Promise<Outcome> =>
    skopeo([
      'copy',
      '--src-tls-verify=false',
      '--src-creds',
      credentials,
      `docker://${at}/${name}`,
      `oci:${to}:1`,
    ]);
  const inspect = (name: string, credentials: string): Promise<Outcome> =>
    skopeo(['inspect', '--tls-verify=false', '--creds', credentials, `docker://${at}/${name}`]);

  afterEach(() => {
    jest.useRealTimers();
  });

  /** Makes all signing keys older. */
  const pass = async (ms: number): Promise<void> => {
    const { manager } = server.app.dataSource;
    for (const { generation, signsFrom } of await manager.find(SigningKey)) {
      await manager.update(SigningKey, { generation }, { signsFrom: new Date(signsFrom.getTime() - ms) });
    }
    await server.app.nest.get(SigningKeys, { strict: false }).rotate();
  };

  const startRegistry = async (): Promise<void> => {
    const port = await freePort();
    at = `127.0.0.1:${port}`;
    const bundle = join(folder.path, 'patois.pem');
    writeFileSync(bundle, (await server.send('GET', '/v2/token/certs.pem')).text);
    const storage = join(folder.path, 'storage');
    mkdirSync(storage, { recursive: true });
    const config = example('registry/config.yml', {
      'realm: https://patois.example': `realm: ${server.url}`,
      '127.0.0.1:5000': at,
      '/var/lib/docker-registry': storage,
      '/etc/docker/registry/patois.pem': bundle,
    });
    writeFileSync(join(folder.path, 'config.yml'), config);
    registry = await Program.start(REGISTRY, ['serve', join(folder.path, 'config.yml')], port);
  };

  beforeAll(async () => {
    server = await TestServer.start({ publicUrl: 'https://patois.example', registryServices: [SERVICE] });
    ada = await server.makeUser({ login: 'ada' });
    digest = writeOciImage(image, 'made by hand');
    await startRegistry();
  });
  afterAll(async () => {
    await registry.stop();
    await server.close();
    folder.remove();
  });

  test('log in as $app, and by the login, with a token as the password', async () => {
    const { value } = await issue();
    for (const user of ['$app', 'ada']) {
      const { code, output } = await logIn(user, value);
      expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Login Succeeded!') });
    }
    expect(readFileSync(join(folder.path, 'auth.json'), 'utf8')).toContain(at);
  });

  test("refuse an account's password, another's login, and what is no token", async () => {
    const { value } = await issue();
    for (const [user, password] of [
      ['ada', ada.password],
      ['bob', value],
      ['$app', 'nonsense'],
    ] as const) {
      const { code, output } = await logIn(user, password);
      expect(code).not.toBe(0);
      expect(output).toMatch(/unauthorized|invalid username\/password/);
    }
  });

  test('push, and pull the same image', async () => {
    const { value } = await issue();
    expect(await push('ada/app:1', `$app:${value}`)).toMatchObject({ code: 0 });
    const copy = join(folder.path, 'copy');
    expect(await pull('ada/app:1', `ada:${value}`, copy)).toMatchObject({ code: 0 });
    expect(readFileSync(join(copy, 'index.json'), 'utf8')).toContain(digest);
  });

  test("push to an organization's repository as its member, and not to a stranger's", async () => {
    const { value } = await issue();
    expect(await push('default/app:1', `$app:${value}`)).toMatchObject({ code: 0 });
    const { code, output } = await push('bob/app:1', `$app:${value}`);
    expect(code).not.toBe(0);
    expect(output).toMatch(/denied|unauthorized|authentication required/);
  });

  test('a token that is narrowed to pulling pulls, and does not push', async () => {
    const { value } = await issue({ scopes: ['repo:read'] });
    expect(await inspect('ada/app:1', `$app:${value}`)).toMatchObject({ code: 0 });
    expect((await push('ada/app:2', `$app:${value}`)).code).not.toBe(0);
  });

  test('deleting takes a token that may do everything', async () => {
    const remove = (value: string): Promise<Outcome> =>
      skopeo(['delete', '--tls-verify=false', '--creds', `$app:${value}`, `docker://${at}/ada/passing:1`]);
    const { value } = await issue();
    expect(await push('ada/passing:1', `$app:${value}`)).toMatchObject({ code: 0 });
    const writer = await issue({ scopes: ['repo:write'] });
    expect((await remove(writer.value)).code).not.toBe(0);
    expect(await inspect('ada/passing:1', `$app:${value}`)).toMatchObject({ code: 0 });
    const administrator = await issue({ scopes: ['repo:admin'] });
    expect(await remove(administrator.value)).toMatchObject({ code: 0 });
    expect((await inspect('ada/passing:1', `$app:${value}`)).code).not.toBe(0);
  });

  test('a token that is revoked, expired, or of a disabled owner is refused', async () => {
    const guest = await server.makeUser({ login: 'guest' });
    const { token, value: revoked } = await issue();
    const { value: expiring } = await issue({ expiresAt: new Date(Date.now() + 60_000) });
    const { value: disabled } = await issue({ ownerId: guest.user.id });
    const values = [revoked, expiring, disabled];
    for (const value of values)
      expect(await inspect('default/app:1', `$app:${value}`)).toMatchObject({ code: 0 });
    await server.revoke(token);
    const admin = { headers: server.asAdmin, body: { disabled: true } };
    expect((await server.send('PATCH', '/patois/v1/users/guest', admin)).status).toBe(200);
    moveClock(60_000);
    for (const value of values) {
      expect((await logIn('$app', value)).code).not.toBe(0);
      expect((await inspect('default/app:1', `$app:${value}`)).code).not.toBe(0);
      expect((await push('default/app:2', `$app:${value}`)).code).not.toBe(0);
    }
  });

  test('what the registry was given before a revocation lasts, for 300 seconds at most', async () => {
    const { token, value } = await issue();
    const query = `service=${SERVICE}&scope=repository:ada/app:pull`;
    const { json } = await server.send('GET', `/v2/token?${query}`, { headers: basic('$app', value) });
    expect(json.expires_in).toBe(300);
    await server.revoke(token);
    const list = await send(`http://${at}`, 'GET', '/v2/ada/app/tags/list', { headers: bearer(json.token) });
    expect(list.status).toBe(200);
    expect(list.json).toEqual({ name: 'ada/app', tags: ['1'] });
  });

  test('a registry that has read the certificates goes through a rotation without a restart', async () => {
    await pass(SIGNS_FOR_MS - PUBLISHED_AHEAD_MS);
    await registry.stop();
    await startRegistry();
    const { value } = await issue();
    const keyIds: string[] = [];
    const check = async (): Promise<void> => {
      const { keyId } = await server.app.nest.get(SigningKeys, { strict: false }).signer();
      keyIds.push(keyId);
      expect(await inspect('ada/app:1', `$app:${value}`)).toMatchObject({ code: 0 });
    };
    await check();
    await pass(PUBLISHED_AHEAD_MS);
    await check();
    expect(new Set(keyIds).size).toBe(2);
  });
});
