import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildOnce, PatoisProcess } from '../support/process.js';

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
    folder = mkdtempSync(join(tmpdir(), 'patois-end-'));
    const secret = randomBytes(32).toString('base64');
    patois = new PatoisProcess({
      PORT: '0',
      DATA_DIR: folder,
      TOKEN_KEYS: `k1:${secret}`,
      BCRYPT_COST: '4',
      REQUEST_TIMEOUT: '600',
      SHUTDOWN_TIMEOUT: '1',
    });
    const url = await patois.listening();
    const begun = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na`;
    const texts = [begun('/oauth2/revoke'), begun('/oauth2/introspect'), 'GET /healthz HTTP/1.1\r\nHost: '];
    for (let count = 0; count < 300; count += 1) await hang(url, texts[count % 3] ?? '');
    expect(await patois.stop('SIGTERM')).toBe(0);
    expect(patois.stderr).toBe('');
  });
});
