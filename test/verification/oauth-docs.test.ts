import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { exchange } from '../support/exchange.js';
import { freePort } from '../support/free-port.js';
import { basic, bearer, send } from '../support/http.js';
import { linesToTry, pasteInto } from '../support/paste.js';
import { Program, temporaryFolder } from '../support/programs.js';
import { TestServer } from '../support/server.js';

const AUDIENCE = 'https://orders.example';

const folder = temporaryFolder('oauth');
let server: TestServer;
let service: Program;
let url: string;
let value: string;

beforeAll(async () => {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  server = await TestServer.start({ port, publicUrl: issuer });
  const { user } = await server.makeUser({ login: 'ada' });
  ({ value } = await server.issue({ dialect: 'quay', ownerId: user.id, scopes: ['repo:write'] }));
  const at = await freePort();
  url = `http://127.0.0.1:${at}`;
  const settings = { ISSUER: issuer, AUDIENCE, PORT: String(at) };
  service = await Program.start(process.execPath, ['docs/oauth/service.mjs'], at, { env: settings });
});
afterAll(async () => {
  await service.stop();
  await server.close();
  folder.remove();
});

const exchanged = (form: Record<string, string>): Promise<string> =>
  exchange(server, value, { audience: AUDIENCE, ...form });

async function statusWith(jwt: string): Promise<number> {
  return (await send(url, 'GET', '/', { headers: bearer(jwt) })).status;
}

test('a client pastes the lines of docs/oauth.md, and the example of a service takes the JWT', async () => {
  const variables = { URL: server.url, TOKEN: value };
  const shown = await pasteInto(folder.path, linesToTry('docs/oauth.md'), variables);
  const [, answer = ''] = /\}(\{"access_token".*\})/.exec(shown) ?? [];
  const { access_token: jwt, scope } = JSON.parse(answer) as { access_token: string; scope: string };
  expect(scope).toBe('repo:read');
  expect(Object.keys(decodeJwt(jwt)).sort()).toEqual(
    'aud client_id dialect exp iat iss jti organization scope sub username'.split(' '),
  );
  const { status, text } = await send(url, 'GET', '/', { headers: bearer(jwt) });
  expect({ status, text }).toEqual({ status: 200, text: `Hello ada, by ${value.slice(0, 15)}\n` });
});

test('the example of a service refuses whatever else it is shown', async () => {
  const registry = await server.send('GET', '/v2/token?service=orders', { headers: basic('ada', value) });
  const toOrders = await exchanged({ scope: 'repo:read' });
  expect(await statusWith(toOrders)).toBe(200);
  expect(await statusWith(await exchanged({ scope: 'repo:write' }))).toBe(403);
  expect(await statusWith(await exchanged({ audience: 'https://bills.example' }))).toBe(401);
  for (const jwt of [registry.json.token, value, 'nonsense', `${toOrders}A`])
    expect(await statusWith(jwt)).toBe(401);
  expect((await send(url, 'GET', '/')).status).toBe(401);
});
