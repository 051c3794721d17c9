import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linesToTry, pasteInto } from '../support/paste.js';
import { ADMIN_PASSWORD, TestServer } from '../support/server.js';

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await TestServer.start();
  folder = await mkdtemp(join(tmpdir(), 'patois-lifecycle-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

test('a service owner pastes the lines of docs/lifecycle.md, and rotates without an outage', async () => {
  const variables = { PASSWORD: ADMIN_PASSWORD, URL: server.url };
  const shown = await pasteInto(folder, linesToTry('docs/lifecycle.md'), variables);
  const { previousValidUntil } = JSON.parse(shown) as { previousValidUntil: string };
  const leftMs = Date.parse(previousValidUntil) - Date.now();
  expect(leftMs).toBeGreaterThan(0);
  expect(leftMs).toBeLessThanOrEqual(60_000);
});
