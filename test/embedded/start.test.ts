import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { basic, type Received, send } from '../support/http.js';
import { buildOnce, PatoisProcess } from '../support/process.js';

const PATH = '/api-tokens';
const FIRST_START = /The password, shown this once: (\S+)/;
const NEW_TOKEN = { name: 'made by a test', permissions: ['OrganizationAPITokenRead'] };

let folder: string;
const started: PatoisProcess[] = [];
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-start-'));
}, 600_000);
afterEach(async () => {
  for (const patois of started.splice(0)) {
    patois.kill('SIGKILL');
    await patois.ended;
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function start(settings: Record<string, string>): PatoisProcess {
  const patois = new PatoisProcess({ PORT: '0', BCRYPT_COST: '4', ...settings });
  started.push(patois);
  return patois;
}

function asKey(value: string): { headers: Record<string, string> } {
  return { headers: { 'x-api-key': value } };
}

function makeToken(url: string, password: string): Promise<Received> {
  return send(url, 'POST', PATH, { headers: basic('admin', password), body: NEW_TOKEN });
}

describe('one DATA_DIR from its first start on', () => {
  let dataDir: string;
  let password: string;
  let value: string;
  beforeAll(() => {
    dataDir = join(folder, 'one', 'data');
  });

  test('the first start makes its folder and keys, and prints a password that works', async () => {
    const patois = start({ DATA_DIR: dataDir });
    const url = await patois.listening();
    [, password = ''] = await patois.printed(FIRST_START);
    expect(password.length).toBeGreaterThanOrEqual(16);
    await patois.printed(new RegExp(`curl -u 'admin:${password}' ${url}/`));
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'token-keys'))).mode & 0o777).toBe(0o600);
    const made = await makeToken(url, password);
    expect(made.status).toBe(200);
    value = made.json.value;
    expect(await patois.stop('SIGTERM')).toBe(0);
    // Once as itself and once in the line to try; nothing else, and no other secret.
    expect(patois.output.split(password)).toHaveLength(3);
    expect(patois.output).not.toContain(value.slice(16));
  });

  test('a second start finds everything again and prints no password', async () => {
    const keys = await readFile(join(dataDir, 'token-keys'), 'utf8');
    const patois = start({ DATA_DIR: dataDir, ADMIN_PASSWORD: 'read at a first start only' });
    const url = await patois.listening();
    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect((await send(url, 'GET', `${PATH}/self`, asKey(value))).json.name).toBe(NEW_TOKEN.name);
    expect((await send(url, 'GET', PATH, { headers: basic('admin', password) })).status).toBe(200);
    expect(await readFile(join(dataDir, 'token-keys'), 'utf8')).toBe(keys);
    expect(await patois.stop('SIGINT')).toBe(0);
    expect(patois.output).not.toMatch(/password|First start|curl|InstanceLoader/i);
  });

  test('a second process on it refuses with the reason; the first goes on', async () => {
    const first = start({ DATA_DIR: dataDir });
    const url = await first.listening();
    const second = start({ DATA_DIR: dataDir });
    expect(await second.ended).toBe(1);
    expect(second.stderr).toMatch(/^DATA_DIR \S+ is in use by another Patois: [^\n]+\n$/);
    expect((await send(url, 'GET', `${PATH}/self`, asKey(value))).status).toBe(200);
    expect(await first.stop()).toBe(0);
  });

  test('what was acknowledged before kill -9 is there after it, and its lock does not block', async () => {
    const killed = start({ DATA_DIR: dataDir });
    const url = await killed.listening();
    const acknowledged: string[] = [];
    for (let count = 0; count < 10; count += 1)
      acknowledged.push((await makeToken(url, password)).json.value);
    killed.kill('SIGKILL');
    expect(await killed.ended).toBe('SIGKILL');
    expect(existsSync(join(dataDir, '.lock'))).toBe(true);
    const next = start({ DATA_DIR: dataDir });
    const nextUrl = await next.listening();
    for (const one of acknowledged)
      expect((await send(nextUrl, 'GET', `${PATH}/self`, asKey(one))).status).toBe(200);
    expect(await next.stop()).toBe(0);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s lets a request in flight finish', async (signal) => {
    const patois = start({ DATA_DIR: dataDir });
    const url = await patois.listening();
    const body = JSON.stringify(NEW_TOKEN);
    const half = Math.floor(body.length / 2);
    const headers = {
      ...basic('admin', password),
      'content-type': 'application/json',
      'content-length': body.length,
    };
    const agent = new Agent({ keepAlive: true });
    const answered = new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sending = request(`${url}${PATH}`, { agent, method: 'POST', headers }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      sending.on('error', reject);
      sending.write(body.slice(0, half), () => {
        setTimeout(() => {
          patois.kill(signal);
          void patois.printed(new RegExp(`${signal}: finishing`)).then(() => sending.end(body.slice(half)));
        }, 100);
      });
    });
    const { status, text } = await answered;
    const answeredAt = Date.now();
    expect(status).toBe(200);
    expect(await patois.ended).toBe(0);
    // The client would keep its connection for a minute and more; the end does not wait for that.
    expect(Date.now() - answeredAt).toBeLessThan(15_000);
    agent.destroy();
    const next = start({ DATA_DIR: dataDir });
    const nextUrl = await next.listening();
    const { value: made } = JSON.parse(text) as { value: string };
    const self = await send(nextUrl, 'GET', `${PATH}/self`, asKey(made));
    expect(self.status).toBe(200);
    expect(await next.stop()).toBe(0);
  });

  test('PORT=0 picks a free port on HOST, and the log says which; LOG_LEVEL=debug tells more', async () => {
    const patois = start({ DATA_DIR: dataDir, HOST: '0.0.0.0', LOG_LEVEL: 'debug' });
    const { hostname, port } = new URL(await patois.listening());
    expect(hostname).toBe('0.0.0.0');
    expect(Number(port)).toBeGreaterThan(0);
    const reached = await send(`http://127.0.0.1:${port}`, 'GET', `${PATH}/self`, asKey(value));
    expect(reached.status).toBe(200);
    expect(await patois.stop()).toBe(0);
    expect(patois.output).toContain('[InstanceLoader]');
  });

  test('a port that is taken ends the start with the reason', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const patois = start({ DATA_DIR: dataDir, PORT: String(port) });
    expect(await patois.ended).toBe(1);
    other.close();
    expect(patois.stderr.trimEnd().split('\n').at(-1)).toBe(`Cannot listen on 127.0.0.1:${port}: EADDRINUSE`);
    expect(patois.stderr).not.toContain(' at ');
  });
});

describe('a first start with ADMIN_PASSWORD', () => {
  test('takes it, and shows neither it nor, at LOG_LEVEL=warn, the log', async () => {
    const password = 'chosen by the operator';
    const patois = start({
      DATA_DIR: join(folder, 'chosen'),
      ADMIN_PASSWORD: password,
      LOG_LEVEL: 'warn',
    });
    const [, url = ''] = await patois.printed(/curl -u "admin:\$ADMIN_PASSWORD" (http:\/\/[^/]+)\//);
    expect((await send(url, 'GET', PATH, { headers: basic('admin', password) })).status).toBe(200);
    expect((await send(url, 'GET', PATH, { headers: basic('admin', 'another one') })).status).toBe(401);
    expect(await patois.stop()).toBe(0);
    expect(patois.output).not.toContain(password);
    expect(patois.output).not.toContain('listens on');
  });
});

describe('wrong settings', () => {
  test('every problem is listed at once, one a line, and nothing is made', async () => {
    const dataDir = join(folder, 'never');
    const patois = start({
      DATA_DIR: dataDir,
      PORT: '65536',
      ADMIN_PASSWORD: 'short',
      BCRYPT_COST: '3',
      TRUSTED_PROXIES: '10.0.0.0/33',
      QUAY_FIDELITY: 'both',
      QUAY_TOKEN_LIFETIME: 'soon',
      LOG_LEVEL: 'loud',
      PUBLIC_URL: 'ftp://example.com',
      TOKEN_KEYS: 'k1:c2hvcnQ=',
      DATABASE_URL: 'mysql://root:hunter2@localhost/x',
    });
    expect(await patois.ended).toBe(1);
    const lines = patois.stderr.trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0] ?? '').toSorted((a, b) => a.localeCompare(b))).toEqual([
      'ADMIN_PASSWORD',
      'BCRYPT_COST',
      'DATABASE_URL',
      'LOG_LEVEL',
      'PORT',
      'PUBLIC_URL',
      'QUAY_FIDELITY',
      'QUAY_TOKEN_LIFETIME',
      'TOKEN_KEYS',
      'TRUSTED_PROXIES',
    ]);
    expect(patois.stdout).toBe('');
    for (const secret of ['short\n', "'short'", 'hunter2', 'c2hvcnQ'])
      expect(patois.stderr).not.toContain(secret);
    expect(existsSync(dataDir)).toBe(false);
  });

  test('DATABASE_URL without TOKEN_KEYS refuses and says so', async () => {
    const patois = start({ DATABASE_URL: 'postgres://127.0.0.1:1/none' });
    expect(await patois.ended).toBe(1);
    expect(patois.stderr).toMatch(/^TOKEN_KEYS is required with DATABASE_URL: [^\n]+\n$/);
  });

  test('a file of keys that holds none ends the start without showing it', async () => {
    const dataDir = join(folder, 'keys');
    const { mkdir, writeFile } = await import('node:fs/promises');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'token-keys'), 'nothing of use\n');
    const patois = start({ DATA_DIR: dataDir });
    expect(await patois.ended).toBe(1);
    expect(patois.stderr).toMatch(/^\S+token-keys must be name:base64[^\n]+\n$/);
    expect(patois.stderr).not.toContain('nothing of use');
  });
});
