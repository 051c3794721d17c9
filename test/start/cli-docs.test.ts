import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLI, patois } from '../support/cli.js';
import { linesToTry, pasteInto } from '../support/paste.js';
import { buildOnce } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { makeEmptyDatabase } from '../support/store.js';

const PAGE = 'docs/cli.md';

let folder: string;
let path: string;
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-cli-docs-'));
  // As npm installs it.
  await symlink(CLI, join(folder, 'patois'));
  path = `${folder}:${process.env['PATH'] ?? ''}`;
}, 600_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

function paste(block: number, variables: Record<string, string>): Promise<string> {
  return pasteInto(folder, `cd "$HOME"\n${linesToTry(PAGE, block)}`, {
    PATH: path,
    BCRYPT_COST: '4',
    ...variables,
  });
}

describe('an operator pastes the lines of docs/cli.md', () => {
  test('without a server: the schema, the first administrator and a new password', async () => {
    const database = await makeEmptyDatabase();
    try {
      const store: Record<string, string> = database
        ? { ...database.settings, TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}` }
        : { DATA_DIR: join(folder, 'data') };
      const shown = await paste(0, store);
      expect(shown).toMatch(/^CreateAccounts\d+\n/);
      const file = join(folder, 'password');
      expect(await readFile(file, 'utf8')).toMatch(/^[\w-]{24}\n$/);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    } finally {
      await database?.drop();
    }
  }, 300_000);

  test('on a server: every command works, and no secret is shown', async () => {
    const server = await TestServer.start();
    try {
      const ownerId = (await server.admin()).id;
      const { value } = await server.issue({ dialect: 'patois', ownerId, scopes: ['*'] });
      const shown = await paste(1, { PATOIS_URL: server.url, PATOIS_TOKEN: value });
      expect(shown).not.toMatch(/pt-\w{12}_\w/);
      server.secrets.add((await readFile(join(folder, 'token'), 'utf8')).trim());
      for (const text of ['Ada Lovelace', 'nightly report', 'policy-conformance', 'token.revoke']) {
        expect(shown).toContain(text);
      }
    } finally {
      await server.close();
    }
    // Some thirty processes, one after the other.
  }, 300_000);
});

test('docs/cli.md names every command, and every exit code', async () => {
  const page = await readFile(PAGE, 'utf8');
  const { stdout } = await patois(['--help']);
  const names = [...stdout.matchAll(/^ {2}(\w+)(?: \S+)*? {2,}\S/gm)].map(([, name = '']) => name);
  expect(names).toContain('serve');
  const commands = names.filter((name) => /^[a-z]/.test(name));
  expect(commands.filter((name) => !page.includes(`patois ${name}`))).toEqual([]);
  for (const code of [0, 1, 2, 3, 4, 130]) expect(page).toMatch(new RegExp(`^\\| ${code} +\\|`, 'm'));
});
