import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, type Socket } from 'node:net';
import { TestServer } from '../support/server.js';

const FORM = 'application/x-www-form-urlencoded';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ requestTimeoutSeconds: 1 });
});
afterAll(() => server.close());

/** A connection that has sent these bytes and sends no more; it ends its own side with the server's. */
function opened(text: string, allowHalfOpen = false): Socket {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen });
  socket.on('error', () => {});
  socket.write(text);
  return socket;
}

/** All that comes before the connection is closed. */
async function answerOn(socket: Socket): Promise<{ head: string; json: unknown }> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => socket.once('close', resolve));
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  return { head, json: JSON.parse(body) as unknown };
}

function begun(path: string, type: string, more = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Type: ${type}\r\nContent-Length: 100\r\n\r\n{"name":`;
}

function openConnections(): Promise<number> {
  return new Promise((resolve, reject) =>
    server.app.nest
      .getHttpServer()
      .getConnections((error: Error | null, count: number) => (error ? reject(error) : resolve(count))),
  );
}

const SAID = 'The request did not arrive in time';

describe('a body that does not come in time', () => {
  test.each<[string, string, string, object]>([
    ['panther', '/api-tokens', 'application/json', { message: SAID, error: 'bad_request' }],
    ['losant', '/me/tokens', 'application/json', { type: 'Validation', message: SAID }],
    [
      'foreman',
      '/api/v2/users/1/personal_access_tokens.json',
      'application/json',
      { error: { message: SAID } },
    ],
    [
      'quay',
      '/api/v1/user/apptoken',
      'application/json',
      expect.objectContaining({ detail: SAID, status: 408 }),
    ],
    [
      'yunxiao',
      '/oapi/v1/platform/users/x/personalAccessTokens',
      'application/json',
      { errorCode: 'BadRequest', errorMessage: SAID, requestId: expect.any(String) },
    ],
    [
      'patois',
      '/patois/v1/tokens?x=y',
      'application/json',
      { type: 'about:blank', title: 'Request Timeout', status: 408, detail: SAID },
    ],
    ['a revocation', '/oauth2/revoke', FORM, { error: 'invalid_request', error_description: SAID }],
  ])('is refused in the words of %s, and the connection ends', async (_, path, type, body) => {
    const { head, json } = await answerOn(opened(begun(path, type)));
    expect(head).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(head).toMatch(/\r\nconnection: close(\r\n|$)/);
    expect(json).toEqual(body);
  });

  test('is refused at an introspection whose caller may ask as well', async () => {
    const { id: ownerId } = await server.admin();
    const { value } = await server.issue({ dialect: 'patois', ownerId, scopes: ['patois:introspect'] });
    const socket = opened(begun('/oauth2/introspect', FORM, `Authorization: Bearer ${value}\r\n`));
    const { head, json } = await answerOn(socket);
    expect(head).toMatch(/^HTTP\/1\.1 408 /);
    expect(json).toEqual({ error: 'invalid_request', error_description: SAID });
  });

  test('leaves no word in the log, and no connection of 300 that keep their side open', async () => {
    const { length: before } = server.logged;
    const paths = ['/oauth2/introspect', '/oauth2/revoke', '/api-tokens'];
    const sockets = Array.from({ length: 300 }, (_, index) =>
      opened(begun(paths[index % 3] ?? '', index % 3 === 2 ? 'application/json' : FORM), true),
    );
    while ((await openConnections()) < 300) await new Promise((resume) => setTimeout(resume, 20));
    for (const socket of sockets) socket.resume();
    while ((await openConnections()) > 0) await new Promise((resume) => setTimeout(resume, 100));
    for (const socket of sockets) socket.destroy();
    expect(server.logged.slice(before)).toEqual([]);
  });
});

test('headers that do not come in time are refused, and the connection ends', async () => {
  const { head, json } = await answerOn(opened('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: '));
  expect(head).toMatch(/^HTTP\/1\.1 408 /);
  expect(json).toMatchObject({ status: 408, detail: SAID });
});
