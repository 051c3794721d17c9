import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLI } from '../support/cli.js';
import { bearer } from '../support/http.js';
import { foreman } from '../support/imports.js';
import { NoticeReceiver } from '../support/notice-receiver.js';
import { linesToTry, pasteInto } from '../support/paste.js';
import { buildOnce } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let receiver: NoticeReceiver;
let folder: string;
let token: string;
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-administration-'));
  // As npm installs it.
  await symlink(CLI, join(folder, 'patois'));
  receiver = await NoticeReceiver.start();
  server = await TestServer.start({ webhookAllowsHttp: true, webhookPrivateNetworks: ['127.0.0.0/8'] });
  const { id: ownerId } = await server.admin();
  token = (await server.issue({ dialect: 'patois', ownerId, scopes: ['*'] })).value;
}, 600_000);
afterAll(async () => {
  await server.close();
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

/** What the lines of a section write; no value of a token is in it. */
async function paste(block: number): Promise<string> {
  const lines = `cd "$HOME"\n${linesToTry('docs/administration.md', block)}`;
  const PATH = `${folder}:${process.env['PATH'] ?? ''}`;
  const shown = await pasteInto(folder, lines, { PATH, PATOIS_URL: server.url, PATOIS_TOKEN: token });
  expect(shown).not.toMatch(/pt-\w{12}_\w/);
  return shown;
}

async function isAccepted(value: string): Promise<boolean> {
  return (await server.send('GET', '/verify', { headers: bearer(value) })).status < 300;
}

describe('an administrator pastes the lines of docs/administration.md', () => {
  test('a person leaves: nothing that she holds works, in no API, and the trail has it', async () => {
    const { user } = await server.makeUser({ login: 'ada', name: 'Ada Lovelace' });
    const dialects = ['foreman', 'quay', 'yunxiao', 'panther', 'losant', 'patois'];
    const values: string[] = [];
    for (const dialect of dialects) {
      const scopes = dialect === 'patois' ? ['patois:tokens.read'] : [];
      values.push((await server.issue({ dialect, ownerId: user.id, scopes })).value);
    }
    expect(await Promise.all(values.map(isAccepted))).toEqual(values.map(() => true));
    const shown = await paste(0);
    expect(shown).toMatch(/^ada +Ada Lovelace +Default +active +6 /m);
    expect(shown).toMatch(/^result +\{.*"revoked":6/m);
    expect(shown).toMatch(/^the trail +is whole$/m);
    expect(await Promise.all(values.map(isAccepted))).toEqual(values.map(() => false));
    const [before, after, revoked] = await Promise.all(
      ['before.csv', 'after.csv', 'revoked.ndjson'].map((name) => readFile(join(folder, name), 'utf8')),
    );
    expect(before?.match(/,active,/g)).toHaveLength(6);
    expect(after?.match(/,revoked,/g)).toHaveLength(6);
    for (const value of values) expect(revoked).toContain(value.slice(0, 15));
  }, 300_000);

  test('a leak: the value has ended, and the webhook was told', async () => {
    const { user } = await server.makeUser({ login: 'lea' });
    const { value } = await server.issue({ dialect: 'quay', ownerId: user.id, name: 'in the log' });
    await writeFile(join(folder, 'hook'), `${receiver.url}/hook\n`);
    await writeFile(join(folder, 'found'), `${value}\n`);
    const shown = await paste(1);
    expect(shown).toMatch(/^reason +leaked$/m);
    expect(shown).toContain('token.leak');
    expect(await isAccepted(value)).toBe(false);
    await until(async () => receiver.at('/hook').length >= 2);
    const told = receiver.at('/hook').find(({ json }) => json.type === 'token.leaked');
    expect(told?.json.data).toMatchObject({
      token: { tokenId: value.slice(0, 15), name: 'in the log' },
      source: 'the public log of build 4711',
    });
  }, 300_000);

  test('a tightened policy: what breaks it is shortened, and nothing breaks it', async () => {
    const { id: organizationId } = await server.organization('Research');
    const { user } = await server.makeUser({ login: 'rosa', organizationId });
    const { value } = await server.issue({ dialect: 'quay', ownerId: user.id, name: 'for ever' });
    const shown = await paste(2);
    expect(shown).toMatch(/^tokens that break it +1$/m);
    expect(shown).toMatch(/^result +\{.*"shortened":1/m);
    const { json } = await server.send('GET', `/patois/v1/tokens/${value.slice(0, 15)}`, {
      headers: server.asAdmin,
    });
    expect(Date.parse(json.expiresAt) - Date.now()).toBeLessThanOrEqual(90 * 86_400_000);
  }, 300_000);

  test('a move from Foreman: the old value works, and who still waits is told', async () => {
    const values = [foreman(7), foreman(8)];
    const lines = values.map(({ row }, index) =>
      JSON.stringify({
        dialect: 'foreman',
        owner: 'grace',
        name: `from Foreman ${index}`,
        foreignId: String(index + 1),
        hash: row.hash,
      }),
    );
    await writeFile(join(folder, 'foreman.ndjson'), `${lines.join('\n')}\n`);
    await writeFile(join(folder, 'old-value'), values[0]?.value ?? '');
    const shown = await paste(3);
    expect(shown).toMatch(/^source +foreman \(dry run\)\nimported +2\nthere already +0\nfailed +0$/m);
    expect(shown).toMatch(/^source +foreman\nimported +2\nthere already +0\nfailed +0$/m);
    expect(shown).toMatch(/^source +foreman\nimported +0\nthere already +2\nfailed +0$/m);
    expect(shown).toMatch(/^foreman +2 +1 +1 +0$/m);
    expect(shown).toMatch(/^pt-\w{12} +grace +foreman +2 +waiting/m);
    for (const { value } of values) {
      expect(shown).not.toContain(value);
      server.secrets.add(`${' '.repeat(16)}${value}`);
    }
  }, 300_000);
});
