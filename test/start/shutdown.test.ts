import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { basic, bearer, send } from '../support/http.js';
import { buildOnce, PatoisProcess } from '../support/process.js';

const ADMIN_PASSWORD = 'correct horse battery';
const asAdmin = basic('admin', ADMIN_PASSWORD);

let folder: string;
let patois: PatoisProcess;
const sockets: Socket[] = [];
beforeAll(() => buildOnce(), 600_000);
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  patois.kill('SIGKILL');
  await patois.ended;
  rmSync(folder, { recursive: true, force: true });
});

function start(settings: Record<string, string>): Promise<string> {
  folder = mkdtempSync(join(tmpdir(), 'patois-end-'));
  const secret = randomBytes(32).toString('base64');
  const always = {
    PORT: '0',
    DATA_DIR: folder,
    TOKEN_KEYS: `k1:${secret}`,
    ADMIN_PASSWORD,
    BCRYPT_COST: '4',
  };
  patois = new PatoisProcess({ ...always, ...settings });
  return patois.listening();
}

async function makeToken(url: string): Promise<string> {
  const body = { dialect: 'patois', owner: 'admin', name: 'a service', scopes: ['patois:*'] };
  return (await send(url, 'POST', '/patois/v1/tokens', { headers: asAdmin, body })).json.token as string;
}

/** Opens a connection, sends these bytes and no more, and keeps its side open. */
async function hang(url: string, text: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  await new Promise((written) => socket.write(text, written));
}

describe('SIGTERM', () => {
  test('ends the process although 300 requests never come whole', async () => {
    const url = await start({ REQUEST_TIMEOUT: '600', SHUTDOWN_TIMEOUT: '4' });
    const begun = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na`;
    const texts = [begun('/oauth2/revoke'), begun('/oauth2/introspect'), 'GET /healthz HTTP/1.1\r\nHost: '];
    for (let count = 0; count < 300; count += 1) await hang(url, texts[count % 3] ?? '');
    const toldAt = Date.now();
    expect(await patois.stop('SIGTERM')).toBe(0);
    // Half of the time is theirs, the other is kept for what is to be written.
    expect(Date.now() - toldAt).toBeGreaterThan(1_500);
    expect(Date.now() - toldAt).toBeLessThan(4_500);
    expect(patois.stderr).toBe('');
  });

  test('fails /readyz at once, and everything else is served until DRAIN_DELAY is over', async () => {
    const url = await start({ DRAIN_DELAY: '3', SHUTDOWN_TIMEOUT: '10' });
    const headers = bearer(await makeToken(url));
    const before = await send(url, 'GET', '/verify', { headers });
    expect(before.status).toBe(204);
    expect(before.headers.connection).not.toBe('close');
    expect((await send(url, 'GET', '/readyz')).status).toBe(200);

    patois.kill('SIGTERM');
    const toldAt = Date.now();
    await patois.printed(/SIGTERM: /);
    const ready = await send(url, 'GET', '/readyz');
    expect(ready.status).toBe(503);
    expect(ready.json).toMatchObject({ status: 503, detail: 'The server is about to end' });
    expect(ready.headers['retry-after']).toBeDefined();
    expect((await send(url, 'GET', '/healthz')).status).toBe(200);
    let verified = 0;
    while (Date.now() - toldAt < 2_000) {
      const answer = await send(url, 'GET', '/verify', { headers });
      expect(answer.status).toBe(204);
      // The client's next request goes to another server, if there is one.
      expect(answer.headers.connection).toBe('close');
      verified += 1;
      await pause(50);
    }
    expect(verified).toBeGreaterThan(3);
    const issued = await makeToken(url);
    expect((await send(url, 'GET', '/verify', { headers: bearer(issued) })).status).toBe(204);

    expect(await patois.ended).toBe(0);
    expect(Date.now() - toldAt).toBeGreaterThan(2_900);
    expect(Date.now() - toldAt).toBeLessThan(10_000);
    await expect(send(url, 'GET', '/healthz')).rejects.toThrow(/ECONNREFUSED/);
  });

  test('a request under way is answered, although nothing listens any more', async () => {
    const url = await start({ SHUTDOWN_TIMEOUT: '20' });
    const body = JSON.stringify({ dialect: 'patois', owner: 'admin', name: 'slow', scopes: ['patois:*'] });
    const { hostname, port } = new URL(url);
    const headers = { ...asAdmin, 'content-type': 'application/json', 'content-length': body.length };
    const slow = request({ hostname, port, method: 'POST', path: '/patois/v1/tokens', headers });
    const answered = once(slow, 'response') as Promise<[{ statusCode: number }]>;
    slow.write(body.slice(0, 10));
    // Its head has arrived when a later request on another connection is answered.
    expect((await send(url, 'GET', '/healthz')).status).toBe(200);
    patois.kill('SIGTERM');
    for (let isListening = true; isListening;) {
      isListening = await send(url, 'GET', '/healthz', { headers: { connection: 'close' } }).then(
        () => true,
        () => false,
      );
    }
    slow.end(body.slice(10));
    const [{ statusCode }] = await answered;
    expect(statusCode).toBe(201);
    expect(await patois.ended).toBe(0);
  });
});
