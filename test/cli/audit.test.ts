import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sealer } from '../../src/audit/chain/sealer.js';
import { CliRunner } from '../support/cli-runner.js';
import { buildOnce } from '../support/process.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
let cli: CliRunner;
let folder: string;
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-cli-audit-'));
  server = await TestServer.start();
  cli = await CliRunner.ofAdministrator(server);
}, 600_000);
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Seals all that is committed, as the server does every few seconds. */
async function seal(): Promise<void> {
  while (await server.app.nest.get(Sealer, { strict: false }).seal());
}

describe('audit seals and audit export', () => {
  test('list the seals, newest first', async () => {
    await server.makeUser();
    await seal();
    const { items } = await cli.json('audit', 'seals', '--limit', '1');
    expect(items).toMatchObject([{ root: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(await cli.succeed('audit', 'seals')).toMatch(/^SEAL +SEALED +EVENTS +ROOT +KEY\n\d+ +20/);
  });

  test('export what a filter leaves', async () => {
    await server.makeUser({ login: 'exported' });
    const file = join(folder, 'trail.csv');
    const filter = ['--action', 'user.create', '--object', 'exported', '--since', '1h'];
    expect(await cli.json('audit', 'export', ...filter, '-o', file)).toMatchObject({ rows: 1 });
    expect(await readFile(file, 'utf8')).toMatch(/^id,time,.*\r\n.*,user\.create,[^]*\r\n#end,1,/);
    expect((await cli.json('audit', 'list', ...filter)).items).toHaveLength(1);
    expect((await cli.json('audit', 'list', '--address', '203.0.113.99')).items).toEqual([]);
    expect((await cli.json('audit', 'list', '--request-id', 'none')).items).toEqual([]);
  });
});

describe('audit verify', () => {
  test('0 for a trail that is whole, with what holds', async () => {
    await seal();
    const shown = await cli.succeed('audit', 'verify');
    expect(shown).toMatch(/^the trail +is whole\nseals that hold +\d+\nevents that hold +\d+\n/);
    const job = await cli.json('audit', 'verify');
    expect(job).toMatchObject({ kind: 'audit-verification', status: 'done' });
    expect(job.result).not.toHaveProperty('problem');
    const begun = await cli.json('audit', 'verify', '--no-wait');
    expect(await cli.json('jobs', 'wait', begun.id)).toMatchObject({ status: 'done' });
  });

  test.each(['list', 'seals', 'export', 'verify'])('4 for who may not: audit %s', async (verb) => {
    const { user } = await server.makeUser();
    const { value } = await server.issue({ dialect: 'patois', ownerId: user.id, scopes: ['*'] });
    for (const token of [value, 'not-a-token']) {
      expect(await cli.runAs(token, 'audit', verb)).toMatchObject({ code: 4, stdout: '' });
    }
  });

  test.each([
    ['audit', 'seals', '--limit', '0'],
    ['audit', 'export', '--since', 'yesterday'],
    ['audit', 'list', '--address', 'nowhere'],
    ['audit', 'verify', 'now'],
  ])('2 for bad input: %s %s %s', async (...args) => {
    expect(await cli.run(...args)).toMatchObject({ code: 2, stdout: '' });
  });

  // The last one: the trail stays as it is.
  test('1 for one that is not, and says first what is wrong', async () => {
    const { user } = await server.makeUser({ login: 'mallory' });
    await seal();
    await server.app.dataSource.query(
      `UPDATE audit_events SET after = '{"login": "innocent"}' WHERE action = 'user.create' AND object_id = $1`,
      [user.id],
    );
    const ran = await cli.run('audit', 'verify');
    expect(ran).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /^the trail +is not whole\nproblem +changed\nevent +[0-9a-f-]{36}\nseal +\d+\nwhat +.+\nseals that hold +\d+\n/,
      ),
      stderr: expect.stringMatching(/^patois: The audit trail is not whole: .+\n$/),
    });
    const asJson = await cli.run('audit', 'verify', '--json');
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.stdout).result.problem).toMatchObject({ kind: 'changed' });
  });
});
