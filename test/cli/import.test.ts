import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CliRunner } from '../support/cli-runner.js';
import { patois, type Ran } from '../support/cli.js';
import { bearer } from '../support/http.js';
import { HMAC_KEY, hmac, sha256 } from '../support/imports.js';
import { buildOnce } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
let cli: CliRunner;
let folder: string;
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-cli-import-'));
  server = await TestServer.start();
  cli = await CliRunner.ofAdministrator(server);
  await server.makeUser({ login: 'grace' });
}, 600_000);
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function fileOf(name: string, content: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content, { mode: 0o600 });
  return file;
}

const token = (name: string, changes: object = {}): object => ({
  dialect: 'quay',
  owner: 'grace',
  name,
  hash: sha256().row.hash,
  ...changes,
});

const linesOf = (...rows: object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

async function count(source: string): Promise<number> {
  return (await cli.json('import', 'list', '--source', source, '--all')).items.length;
}

/** Of the source `killed`, as the store has them. */
async function importedRows(): Promise<number> {
  const [row] = await server.app.dataSource.query<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM imported_values WHERE source = 'killed'`,
  );
  return row?.count ?? 0;
}

describe('import tokens', () => {
  test('of ndjson: a dry run writes nothing, then they are there, and a second run knows them', async () => {
    const { value, row } = sha256();
    const file = await fileOf('some.ndjson', `${linesOf(token('one', row))}\n${linesOf(token('two'))}`);
    const run = ['import', 'tokens', file, '--source', 'some'];
    const report = { source: 'some', existing: 0, failed: 0, errors: [] };
    expect(await cli.json(...run, '--dry-run')).toEqual({ ...report, dryRun: true, imported: 2 });
    expect(await count('some')).toBe(0);
    expect(await cli.json(...run)).toEqual({ ...report, dryRun: false, imported: 2 });
    expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBeLessThan(300);
    expect(await cli.json(...run)).toEqual({ ...report, dryRun: false, imported: 0, existing: 2 });
    expect(await cli.succeed('import', 'list', '--source', 'some', '--status', 'used')).toMatch(
      /^TOKEN ID .*\npt-\w{12} +grace +some +- +used +20\S+ \S+ +20/,
    );
    expect(await cli.succeed('import', 'summary')).toMatch(/^some +2 +1 +1 +0$/m);
    expect(await cli.json('import', 'summary')).toMatchObject({ total: 2, used: 1 });
  });

  test('that is killed half way is run again from its beginning, and every token is there once', async () => {
    const ROWS = 6_000;
    const rows = Array.from({ length: ROWS }, (_, n) => token(`moved ${n}`, { foreignId: `m${n}` }));
    const run = ['import', 'tokens', await fileOf('killed.ndjson', linesOf(...rows)), '--source', 'killed'];
    const there = async (): Promise<number> => {
      const { bySource } = await cli.json('import', 'summary');
      return bySource.find(({ source }: { source: string }) => source === 'killed')?.total ?? 0;
    };
    const isBegun = until(async () => (await importedRows()) > 0);
    const killed = await cli.runWith({ env: cli.env, killedAfter: isBegun }, ...run);
    expect(killed.code).toBe('SIGKILL');
    const before = await there();
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(ROWS);
    const { imported, existing, failed } = await cli.json(...run);
    expect([imported + existing, failed]).toEqual([ROWS, 0]);
    expect(existing).toBeGreaterThanOrEqual(before);
    expect(await there()).toBe(ROWS);
  });

  test('of csv, with every column, texts over several lines, and a key of an HMAC', async () => {
    const { value, row } = hmac();
    const header =
      'dialect,owner,name,hash,description,scopes,allowed_cidrs,expires_at,created_at,last_used_at,foreign_id,visible_prefix,visible_suffix';
    const cells = [
      'quay',
      'grace',
      '"in ""csv"""',
      row.hash,
      '"two\r\nlines"',
      'repo:read org:admin',
      '203.0.113.0/24',
      '2099-01-01T00:00:00Z',
      '2024-01-01T00:00:00Z',
      '2024-02-01T00:00:00Z',
      '4711',
      '',
      '',
    ];
    const file = await fileOf('whole.csv', `\ufeff${header}\r\n${cells.join(',')}\r\n`);
    const key = await fileOf('main.key', `${HMAC_KEY.toString('base64')}\n`);
    const run = ['import', 'tokens', file, '--source', 'whole', '--hmac-key', `main=@${key}`];
    expect(await cli.json(...run)).toMatchObject({ imported: 1, failed: 0 });
    const { items } = await cli.json('tokens', 'list', '--query', 'in "csv"');
    expect(items).toMatchObject([
      {
        name: 'in "csv"',
        description: 'two\r\nlines',
        scopes: expect.arrayContaining(['repo:read', 'org:admin']),
        allowedCidrs: ['203.0.113.0/24'],
        expiresAt: '2099-01-01T00:00:00.000Z',
        createdAt: '2024-01-01T00:00:00.000Z',
      },
    ]);
    expect(value.length).toBeGreaterThan(0);
  });

  test('what is refused is told by its line, and all others are imported', async () => {
    const secret = 'no-hash-but-perhaps-a-secret';
    const file = await fileOf(
      'mixed.ndjson',
      `${linesOf(token('good one'), token('bad', { hash: secret }))}\n{"dialect": "${secret}\n` +
        linesOf(token('of nobody', { owner: 'nobody' }), token('good two')),
    );
    const run = ['import', 'tokens', file, '--source', 'mixed'];
    for (const dry of [['--dry-run'], []]) {
      const ran = await cli.run(...run, ...dry);
      expect(ran).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^imported +2\nthere already +0\nfailed +3$/m),
      });
      expect(ran.stderr).toMatch(/^line 4: it is not an object of JSON$/m);
      expect(ran.stderr).toMatch(/^line 2: hash must be a hash in one of the forms/m);
      expect(ran.stderr).toMatch(/^line 5: .+$/m);
      expect(ran.stdout + ran.stderr).not.toContain(secret);
    }
    expect(await count('mixed')).toBe(2);
    const { errors } = JSON.parse((await cli.run(...run, '--json')).stdout);
    expect(errors.map(({ line }: { line: number }) => line).sort()).toEqual([2, 4, 5]);
  });

  test('lines of csv are those of the file, also behind cells of several lines', async () => {
    const hash = sha256().row.hash;
    const file = await fileOf(
      'lines.csv',
      `dialect,owner,name,hash,description\nquay,grace,a,${hash},"x\ny\nz"\n\nquay,grace,b\nquay,grace,c,nonsense,\n`,
    );
    const ran = await cli.run('import', 'tokens', file, '--source', 'lines', '--dry-run');
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/^line 6: it has 3 cells, and the header 5$/m);
    expect(ran.stderr).toMatch(/^line 7: hash must be/m);
  });

  test('ends at --max-errors, and says how far it came', async () => {
    const bad = Array.from({ length: 5 }, (_, index) => token(`bad ${index}`, { owner: 'nobody' }));
    const file = await fileOf('bad.ndjson', linesOf(...bad));
    const ran = await cli.run('import', 'tokens', file, '--source', 'bad', '--max-errors', '2');
    expect(ran).toMatchObject({ code: 1, stdout: expect.stringMatching(/^failed +2$/m) });
  });

  test.each([
    ['an unknown column', 'a.csv', 'dialect,owner,name,hash,colour\n', /^patois: Column 5 has no name/],
    ['a missing column', 'a.csv', 'dialect,owner,name\n', /^patois: The column hash is missing/],
    ['an empty file', 'a.csv', '', /^patois: The file is empty/],
    [
      'quotes in the middle',
      'a.csv',
      'dialect,owner,name,hash\n"a"b,c,d,e\n',
      /^patois: Near line 2: not [^\n]+\n$/,
    ],
    ['what is not UTF-8', 'a.ndjson', '', /^patois: \S+ is not UTF-8/],
  ])('2 for %s', async (what, name, content, message) => {
    const file = await fileOf(name, content);
    if (what === 'what is not UTF-8') await writeFile(file, Buffer.of(0x7b, 0xff, 0x7d, 0x0a));
    const ran = await cli.run('import', 'tokens', file, '--source', 'x');
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
  });

  test.each([
    ['import', 'tokens', '/nowhere/tokens.ndjson', '--source', 'x'],
    ['import', 'tokens', '/dev/null'],
    ['import', 'tokens', '/dev/null', '--source', 'x', '--hmac-key', 'a-key-on-the-command-line'],
    ['import', 'list', '--status', 'lost'],
  ])('2 for %s %s %s', async (...args) => {
    const ran = await cli.run(...args);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).not.toContain('a-key-on-the-command-line');
  });

  test('2 for the file of a key that others can read', async () => {
    const key = await fileOf('open.key', HMAC_KEY.toString('base64'));
    await chmod(key, 0o644);
    const ran = await cli.run('import', 'tokens', '/dev/null', '--source', 'x', '--hmac-key', `main=@${key}`);
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringMatching(/can be read or written by others/) });
  });

  test('4 for a member, and for no credential', async () => {
    const { user } = await server.makeUser();
    const { value } = await server.issue({ dialect: 'patois', ownerId: user.id, scopes: ['*'] });
    const file = await fileOf('one.ndjson', linesOf(token('refused')));
    for (const credential of [value, 'not-a-token']) {
      expect((await cli.runAs(credential, 'import', 'tokens', file, '--source', 'x')).code).toBe(4);
      for (const verb of ['list', 'summary']) {
        expect(await cli.runAs(credential, 'import', verb)).toMatchObject({ code: 4, stdout: '' });
      }
    }
  });
});

describe('import tokens, page by page', () => {
  let other: Server;
  let pages: { tokens: object[]; bytes: number }[];
  let answer: (page: { tokens: object[] }, response: ServerResponse) => void;
  beforeAll(async () => {
    other = createServer((request, response) => {
      void text(request).then((body) => {
        const page = JSON.parse(body) as { tokens: object[] };
        pages.push({ ...page, bytes: Buffer.byteLength(body) });
        answer(page, response);
      });
    });
    other.listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
  });
  beforeEach(() => {
    pages = [];
  });
  afterAll(() => new Promise((resolve) => other.close(resolve)));

  const done = ({ tokens }: { tokens: object[] }, response: ServerResponse): void => {
    response.end(
      JSON.stringify({ dryRun: false, imported: tokens.length, existing: 0, tokens: [], errors: [] }),
    );
  };

  function run(file: string): Promise<Ran> {
    const { port } = other.address() as AddressInfo;
    const env = { PATOIS_URL: `http://127.0.0.1:${port}`, PATOIS_TOKEN: 'some-token' };
    return patois(['import', 'tokens', file, '--source', 'many', '--json'], { env });
  }

  test('of at most 1,000 tokens and 512 KiB, in the order of the file', async () => {
    answer = done;
    const many = Array.from({ length: 2_500 }, (_, index) => token(`short ${index}`));
    const long = Array.from({ length: 40 }, (_, index) =>
      token(`long ${index}`, { description: 'ü'.repeat(15_000) }),
    );
    const ran = await run(await fileOf('many.ndjson', linesOf(...many, ...long)));
    expect(JSON.parse(ran.stdout)).toMatchObject({ imported: 2_540, failed: 0 });
    expect(Math.max(...pages.map(({ tokens }) => tokens.length))).toBe(1_000);
    expect(Math.max(...pages.map(({ bytes }) => bytes))).toBeLessThanOrEqual(524_288);
    expect(pages.length).toBeLessThanOrEqual(6);
    expect(pages.flatMap(({ tokens }) => tokens)).toEqual([...many, ...long]);
  });

  test('a page whose answer is lost, or that is told to come again, is sent again', async () => {
    answer = (page, response) => {
      if (pages.length === 1) return void response.destroy();
      if (pages.length === 2) return void response.writeHead(503, { 'retry-after': '0' }).end();
      return done(page, response);
    };
    const ran = await run(await fileOf('again.ndjson', linesOf(token('one'))));
    expect(ran.code).toBe(0);
    expect(pages).toHaveLength(3);
    expect(pages[2]).toEqual(pages[0]);
  });
});
