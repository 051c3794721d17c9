import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { HttpServers } from '../../src/http/http-servers.js';
import { bearer, send } from '../support/http.js';
import { TestServer } from '../support/server.js';

/** All of 127.0.0.0/8 is this machine's. */
const FURTHER = '127.0.0.2';

let server: TestServer;
let further: string;
let token: string;
beforeAll(async () => {
  server = await TestServer.start({ requestTimeoutSeconds: 1 });
  await server.app.nest.get(HttpServers).listenAlso(FURTHER);
  further = server.url.replace('127.0.0.1', FURTHER);
  const spec = { dialect: 'patois', ownerId: (await server.admin()).id, scopes: ['*'] };
  token = (await server.issue(spec)).value;
});
afterAll(() => server.close());

/** All that the server says to some bytes, until it ends the connection. */
function spoken(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

describe('a further address', () => {
  test('has the fast paths', async () => {
    const verified = await send(further, 'GET', '/verify', { headers: bearer(token) });
    expect([verified.status, verified.headers['x-patois-user']]).toEqual([204, 'admin']);
    const form = { 'content-type': 'application/x-www-form-urlencoded', ...bearer(token) };
    const introspected = await send(further, 'POST', '/oauth2/introspect', {
      headers: form,
      body: `token=${token}`,
    });
    expect([introspected.status, introspected.json.active]).toEqual([200, true]);
  });

  test('has the routes of the framework', async () => {
    const { status, json } = await send(further, 'GET', '/patois/v1/me', { headers: bearer(token) });
    expect([status, json.user.login]).toEqual([200, 'admin']);
  });

  test("answers what cannot be read in the words of the path's owner", async () => {
    for (const url of [server.url, further]) {
      const text = await spoken(url, 'GET /api-tokens HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n');
      expect(text).toMatch(/^HTTP\/1\.1 400 /);
      expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toEqual({
        message: 'The request cannot be read',
        error: 'bad_request',
      });
    }
  });

  test('waits for a request no longer than the first does', async () => {
    for (const url of [server.url, further]) {
      const text = await spoken(url, 'POST /api-tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n');
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
    }
  });

  test('that cannot be listened on is told', async () => {
    await expect(server.app.nest.get(HttpServers).listenAlso('192.0.2.1')).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
    });
  });
});

describe('HOST=localhost', () => {
  test('is listened on at each address that the name stands for, with the fast paths', async () => {
    const local = await TestServer.start({ host: 'localhost' });
    const { port } = new URL(local.url);
    const addresses = await lookup('localhost', { all: true });
    expect(addresses.length).toBeGreaterThan(0);
    for (const { address, family } of addresses) {
      const url = `http://${family === 6 ? `[${address}]` : address}:${port}`;
      expect((await send(url, 'GET', '/verify')).status).toBe(401);
    }
    await local.close();
  });
});

describe('the end', () => {
  test('closes the further address too, and idle connections to it', async () => {
    const ending = await TestServer.start();
    await ending.app.nest.get(HttpServers).listenAlso(FURTHER);
    const url = ending.url.replace('127.0.0.1', FURTHER);
    expect((await send(url, 'GET', '/healthz')).status).toBe(200);
    await ending.close();
    await expect(send(url, 'GET', '/healthz', { headers: { connection: 'close' } })).rejects.toThrow(
      'ECONNREFUSED',
    );
  });
});
