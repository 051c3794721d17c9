import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linesToTry, pasteInto } from '../support/paste.js';
import { buildOnce, PatoisProcess } from '../support/process.js';

let folder: string;
let patois: PatoisProcess;
let url: string;
let password: string;
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-readme-'));
  patois = new PatoisProcess({ PORT: '0', BCRYPT_COST: '4', DATA_DIR: join(folder, 'data') });
  url = await patois.listening();
  [, password = ''] = await patois.printed(/The password, shown this once: (\S+)/);
}, 600_000);
afterAll(async () => {
  await patois.stop();
  await rm(folder, { recursive: true, force: true });
});

const paste = (script: string, variables: Record<string, string> = {}): Promise<string> =>
  pasteInto(folder, script, { PASSWORD: password, URL: url, ...variables });

describe('a newcomer', () => {
  test('tries the line that the first start printed', async () => {
    const [, line = ''] = /^ {2}(curl .*)$/m.exec(patois.stdout) ?? [];
    expect(JSON.parse(await paste(line))).toMatchObject({ user: { login: 'admin' }, token: null });
  });

  test('tries the line that a first start with ADMIN_PASSWORD printed', async () => {
    const chosen = `a 'b' "c" $HOME \\ \`d\` !e`;
    const other = new PatoisProcess({
      PORT: '0',
      BCRYPT_COST: '4',
      DATA_DIR: join(folder, 'other'),
      ADMIN_PASSWORD: chosen,
    });
    try {
      await other.listening();
      const [, line = ''] = await other.printed(/^ {2}(curl .*)$/m);
      expect(other.output).not.toContain(chosen);
      const shown = await paste(line, { ADMIN_PASSWORD: chosen });
      expect(JSON.parse(shown)).toMatchObject({ user: { login: 'admin' }, token: null });
    } finally {
      await other.stop();
    }
  }, 60_000);

  test("pastes the README's lines for each dialect, and every one works", async () => {
    const output = await paste(linesToTry('README.md'));
    // One token a dialect, each shown once, and the last line says that Patois' own one is active.
    expect(output.match(/pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}/g)).toHaveLength(5);
    for (const dialect of ['foreman', 'quay', 'panther', 'losant', 'yunxiao', 'patois'])
      expect(output).toContain(`"dialect":"${dialect}"`);
    expect(output).toContain('"active":true');
  });
});
