import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliRunner } from '../support/cli-runner.js';
import { patois, type Ran } from '../support/cli.js';
import { buildOnce } from '../support/process.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let cli: CliRunner;
let ada: TestUser;
let folder: string;
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-cli-inventory-'));
  server = await TestServer.start();
  cli = await CliRunner.ofAdministrator(server);
  ada = await server.makeUser({ login: 'ada', name: 'Ada Lovelace' });
  const ownerId = ada.user.id;
  await server.issue({ dialect: 'quay', ownerId, name: 'in quay', scopes: ['repo:admin'] });
  await server.issue({ dialect: 'foreman', ownerId, name: 'in foreman', allowedCidrs: ['203.0.113.0/24'] });
  const expiresAt = new Date(Date.now() + 10 * 86_400_000);
  await server.issue({ dialect: 'losant', ownerId, name: 'a "quoted",\nbroken\r\nname', expiresAt });
}, 600_000);
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function names(...filter: string[]): Promise<string[]> {
  const { items } = await cli.json('tokens', 'list', '--owner', 'ada', '--all', ...filter);
  return (items as { name: string }[]).map(({ name }) => name.split(' ').at(1) ?? name).sort();
}

describe('the filters of the inventory', () => {
  test.each([
    [['--without-expiry'], ['foreman', 'quay']],
    [['--with-expiry'], ['"quoted",\nbroken\r\nname']],
    [['--with-cidrs'], ['foreman']],
    [['--without-cidrs', '--dialect', 'quay'], ['quay']],
    [['--expires-after', '9d'], ['"quoted",\nbroken\r\nname']],
    [['--expires-after', '11d'], []],
    [['--created-after', '1h', '--with-cidrs'], ['foreman']],
    [['--created-after', '2099-01-01'], []],
    [['--created-by', 'admin'], []],
    [['--used'], []],
    [['--never-used', '--dialect', 'quay'], ['quay']],
    [['--unused-since', '1h'], []],
    [['--unused-since', '2099-01-01', '--dialect', 'quay'], ['quay']],
    [['--live', '--dialect', 'quay'], ['quay']],
    [['--ended'], []],
    [['--violates-policy'], []],
    [['--keeps-policy', '--with-cidrs'], ['foreman']],
  ])('%j', async (filter, expected) => {
    expect(await names(...filter)).toEqual(expected);
  });

  test.each([
    ['--never-used', '--used'],
    ['--live', '--ended'],
    ['--without-expiry', '--with-expiry'],
    ['--without-cidrs', '--with-cidrs'],
    ['--violates-policy', '--keeps-policy'],
  ])('%s and %s are not given together', async (one, other) => {
    expect(await cli.run('tokens', 'list', one, other)).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('tokens summary', () => {
  test('counts what a filter means, for people and for programs', async () => {
    expect(await cli.json('tokens', 'summary', '--owner', 'ada')).toMatchObject({
      total: 3,
      byDialect: { quay: 1, foreman: 1, losant: 1 },
      withoutExpiry: 2,
      expiring: { within7Days: 0, within30Days: 1 },
    });
    const shown = await cli.succeed('tokens', 'summary', '--owner', 'ada', '--without-cidrs');
    expect(shown).toMatch(/^tokens +2\nby dialect +\w+ 1, \w+ 1\nactive +2\n/);
  });

  test.each([
    [2, ['tokens', 'summary', '--status', 'lost']],
    [2, ['tokens', 'summary', '--allows-address', 'nowhere']],
  ])('%d: patois %j', async (code, args) => {
    expect(await cli.run(...args)).toMatchObject({ code, stdout: '' });
  });
});

describe('owners list', () => {
  test('says what owners hold, over all dialects', async () => {
    const { items } = await cli.json('owners', 'list', '--owner', 'ada');
    expect(items).toMatchObject([{ login: 'ada', tokens: { total: 3 } }]);
    expect(await cli.succeed('owners', 'list', '--dialect', 'quay', '--owner', 'ada')).toMatch(
      /^LOGIN +NAME +ORGANIZATION .*\nada +Ada Lovelace +Default +active +1 +quay 1 +never +repo:admin \(quay\)\n$/,
    );
  });

  test('4 for a member, who administers nobody', async () => {
    const { value } = await server.issue({ dialect: 'patois', ownerId: ada.user.id, scopes: ['*'] });
    expect(await cli.runAs(value, 'owners', 'list')).toMatchObject({ code: 4, stdout: '' });
  });
});

describe.each(['ndjson', 'csv'])('tokens export as %s', (format) => {
  test('goes whole to a file, or to standard output', async () => {
    const file = join(folder, `tokens.${format}`);
    const ran = await cli.run('tokens', 'export', '--owner', 'ada', '--dialect', 'losant', '-o', file);
    expect(ran).toMatchObject({ code: 0, stdout: '' });
    expect(ran.stderr).toMatch(new RegExp(`^${file} holds 1 rows, as of 20\\S+Z\\n$`));
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(
      format === 'csv' ? /\r\n#end,1,20[^,]+,+\r\n$/ : /\n\{"end":\{"rows":1,"asOf":"[^"]+"\}\}\n$/,
    );
    const direct = await cli.succeed(
      'tokens',
      'export',
      '--owner',
      'ada',
      '--dialect',
      'losant',
      '--format',
      format,
    );
    const withoutMoment = (whole: string): string => whole.replace(/20[^,"]+Z[^\n]*\n$/, '');
    expect(withoutMoment(direct)).toBe(withoutMoment(text));
    const report = await cli.json(
      'tokens',
      'export',
      '--owner',
      'ada',
      '--without-expiry',
      '--never-used',
      '--scope',
      'repo:admin',
      '-o',
      file,
    );
    expect(report).toMatchObject({ file, rows: 1 });
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  describe('from a server that breaks off', () => {
    let other: Server;
    let answer: (response: ServerResponse) => unknown;
    beforeAll(async () => {
      other = createServer((_request, response) => answer(response));
      other.listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
    });
    afterAll(() => new Promise((resolve) => other.close(resolve)));

    const head = format === 'csv' ? 'tokenId,name\r\n' : '';
    const row =
      format === 'csv' ? 'pt-000000000000,"#end,1\r\n#end,1,x\r\n"\r\n' : '{"tokenId":"pt-000000000000"}\n';
    const end = (rows: number): string =>
      format === 'csv'
        ? `#end,${rows},2031-05-06T07:08:09.000Z\r\n`
        : `{"end":{"rows":${rows},"asOf":"2031-05-06T07:08:09.000Z"}}\n`;

    function ask(...args: string[]): Promise<Ran> {
      const { port } = other.address() as AddressInfo;
      const env = { PATOIS_URL: `http://127.0.0.1:${port}`, PATOIS_TOKEN: 'some-token' };
      return patois(['tokens', 'export', '--format', format, ...args], { env });
    }

    test.each([
      ['without its last line', head + row, /^patois: The export is not whole: its last line is missing\n$/],
      ['in the middle of its last line', head + row + end(1).slice(0, -1), /last line is missing\n$/],
      [
        'with fewer rows than it says',
        head + row + end(2),
        /^patois: The export is not whole: 1 rows came of 2\n$/,
      ],
      ['with nothing', '', /last line is missing\n$/],
    ])('an export that ends %s is a failure, and leaves the file as it was', async (_, text, message) => {
      answer = (response) => void response.end(text);
      expect(await ask()).toMatchObject({ code: 1, stdout: text, stderr: expect.stringMatching(message) });
      const file = join(folder, `before.${format}`);
      await writeFile(file, 'as it was');
      expect(await ask('-o', file)).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
      expect(await readFile(file, 'utf8')).toBe('as it was');
      expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
    });

    test('one that comes in single bytes is whole', async () => {
      const bytes = Buffer.from(head + row + row + end(2));
      answer = async (response) => {
        for (const byte of bytes) {
          await new Promise((resolve) => response.write(Buffer.of(byte), resolve));
        }
        response.end();
      };
      expect(await ask()).toMatchObject({ code: 0, stdout: bytes.toString(), stderr: '' });
    });

    test('a connection that breaks off is a failure', async () => {
      answer = (response) => void response.write(head + row, () => response.destroy());
      const ran = await ask();
      expect(ran).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^patois: The answer broke off: /),
      });
    });
  });
});

test.each([
  [2, ['tokens', 'export', '--format', 'xml']],
  [2, ['tokens', 'export', '--status', 'lost']],
  [2, ['tokens', 'export', '-o', '/nowhere/tokens.csv']],
  [2, ['tokens', 'export', '-o', '/dev/null']],
])('%d: patois %j, with nothing on standard output', async (code, args) => {
  expect(await cli.run(...args)).toMatchObject({
    code,
    stdout: '',
    stderr: expect.stringMatching(/^patois: ./),
  });
});

test.each([
  ['tokens', 'export'],
  ['tokens', 'summary'],
  ['owners', 'list'],
  ['audit', 'export'],
])('4 for patois %s %s where the credential does not allow it, or is none', async (...args) => {
  const { value } = await server.issue({
    dialect: 'patois',
    ownerId: ada.user.id,
    scopes: ['patois:introspect'],
  });
  for (const token of [value, 'not-a-token']) {
    const ran = await cli.runAs(token, ...args);
    expect(ran).toMatchObject({ code: 4, stdout: '' });
    expect(ran.stderr).not.toContain(token);
  }
});
