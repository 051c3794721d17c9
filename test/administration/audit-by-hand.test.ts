import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SealEventsTask } from '../../src/administration/audit/seal-events.task.js';
import { Sealer } from '../../src/audit/chain/sealer.js';
import { linesToTry, pasteInto } from '../support/paste.js';
import { ADMIN_PASSWORD, TestServer } from '../support/server.js';

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await TestServer.start();
  // The newest seal stays the one that is meant here.
  server.app.nest.get(SealEventsTask, { strict: false }).run = async () => {};
  folder = await mkdtemp(join(tmpdir(), 'patois-audit-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

test('an auditor pastes the lines of docs/audit.md, and sees a change that was made behind the server', async () => {
  for (let count = 0; count < 3; count += 1) await server.makeUser();
  while (await server.app.nest.get(Sealer, { strict: false }).seal());
  const variables = { PASSWORD: ADMIN_PASSWORD, URL: server.url };
  const verify = (): Promise<string> => pasteInto(folder, linesToTry('docs/audit.md'), variables);
  expect(await verify()).toBe('The root is right\nThe signature is right\n');
  const last = '(SELECT last_event FROM audit_seals ORDER BY sequence DESC LIMIT 1)';
  await server.app.dataSource.query(`UPDATE audit_events SET object_id = 'x' WHERE id = ${last}`);
  expect(await verify()).toBe('The root is WRONG\nThe signature is right\n');
});
