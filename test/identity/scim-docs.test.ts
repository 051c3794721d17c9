import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { linesToTry, pasteInto } from '../support/paste.js';
import { temporaryFolder } from '../support/programs.js';
import { ADMIN_PASSWORD, TestServer } from '../support/server.js';

const folder = temporaryFolder('scim');
let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

test('the lines of docs/scim.md make a token for a provider, which makes a user and finds it', async () => {
  const variables = { URL: server.url, ADMIN: `admin:${ADMIN_PASSWORD}` };
  const shown = await pasteInto(folder.path, linesToTry('docs/scim.md'), variables);
  expect(shown.match(/"userName":"ada@example.org"/g)).toHaveLength(2);
  expect(shown).toContain('"totalResults":1');
});
