import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLI } from '../support/cli.js';
import { linesToTry, pasteInto } from '../support/paste.js';
import { buildOnce } from '../support/process.js';
import { makeEmptyDatabase } from '../support/store.js';

let folder: string;
let store: Awaited<ReturnType<typeof makeEmptyDatabase>>;
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-upgrading-'));
  // As npm installs it.
  await symlink(CLI, join(folder, 'patois'));
  store = await makeEmptyDatabase();
}, 600_000);
afterAll(async () => {
  await store?.drop();
  await rm(folder, { recursive: true, force: true });
});

test('an operator pastes the lines of docs/upgrading.md, and the schema is up to date', async () => {
  const settings = {
    PATH: `${folder}:${process.env['PATH'] ?? ''}`,
    TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ...(store?.settings ?? { DATA_DIR: join(folder, 'data') }),
  };
  const lines = linesToTry('docs/upgrading.md');
  expect(await pasteInto(folder, lines, settings)).toMatch(/^CreateTokens1795300000001$/m);
  // The second time there is nothing to name.
  expect(await pasteInto(folder, lines, settings)).not.toContain('1795300000001');
});
