import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CliRunner } from '../support/cli-runner.js';
import { patois } from '../support/cli.js';
import { NoticeReceiver } from '../support/notice-receiver.js';
import { buildOnce } from '../support/process.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const NONE = '5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21';
const SECRET = /^whsec_[A-Za-z0-9+/]{43}=\n$/;

let server: TestServer;
let receiver: NoticeReceiver;
let cli: CliRunner;
beforeAll(async () => {
  buildOnce();
  receiver = await NoticeReceiver.start();
  server = await TestServer.start({
    webhookAllowsHttp: true,
    webhookPrivateNetworks: ['127.0.0.0/8'],
    smtpUrl: 'smtp://127.0.0.1:1',
    mailFrom: 'patois@example.com',
  });
  cli = await CliRunner.ofAdministrator(server);
}, 600_000);
afterAll(async () => {
  await server.close();
  await receiver.close();
});

describe('notices', () => {
  test('a webhook: its address comes from standard input, its secret goes to standard output alone', async () => {
    const input = `${receiver.url}/hook\n`;
    const create = ['notices', 'create', 'webhook', '--event', 'token.leaked'];
    const ran = await cli.runWith({ input }, ...create);
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(SECRET), stderr: '' });
    const { items } = await cli.json('notices', 'list');
    expect(items).toMatchObject([{ url: `${receiver.url}/hook`, organization: null, enabled: true }]);
    const { id } = items[0];

    expect(await cli.json('notices', 'test', id)).toMatchObject({ event: 'channel.test', status: 'waiting' });
    await until(async () => receiver.at('/hook').length === 1);
    const deliveries = async (): Promise<{ id: string; attempts: number }[]> =>
      (await cli.json('notices', 'deliveries', id, '--status', 'delivered')).items;
    await until(async () => (await deliveries()).length === 1);
    const [delivery] = await deliveries();
    expect(await cli.succeed('notices', 'deliveries', id)).toMatch(
      /^ID +EVENT +STATUS .*\n[0-9a-f-]{36} +channel\.test +delivered .* 1 +204 +-\n$/,
    );
    expect(await cli.json('notices', 'redeliver', id, delivery?.id ?? '')).toMatchObject({
      id: delivery?.id,
    });
    await until(async () => receiver.at('/hook').length === 2);

    const fresh = await cli.run('notices', 'secret', id, '--grace', '1h');
    expect(fresh).toMatchObject({ code: 0, stdout: expect.stringMatching(SECRET), stderr: '' });
    expect(fresh.stdout).not.toBe(ran.stdout);
    const shown = await cli.succeed('notices', 'show', id);
    expect(shown).toMatch(/^old secret until +20/m);
    expect(shown).not.toContain('whsec_');

    const moved = await cli.runWith({ input: `${receiver.url}/other` }, 'notices', 'update', id, '--address');
    expect(moved.stdout).toMatch(/^to +\S+\/other$/m);
    const changed = await cli.json('notices', 'update', id, '--event', 'policy.changed', '--disable');
    expect(changed).toMatchObject({ events: ['policy.changed'], enabled: false });
    expect((await cli.run('notices', 'test', id)).code).toBe(4);
    expect((await cli.run('notices', 'delete', id)).code).toBe(2);
    expect((await cli.run('notices', 'delete', id, '--yes')).code).toBe(0);
    expect((await cli.run('notices', 'show', id)).code).toBe(3);
  }, 60_000);

  test('a mailbox of one organization', async () => {
    await cli.succeed('organizations', 'create', 'Research');
    const create = ['notices', 'create', 'mail', '--to', 'security@example.com', '--event', 'token.expiring'];
    expect(await cli.json(...create, '--organization', 'Research')).toMatchObject({
      to: 'security@example.com',
      secret: null,
      organization: { name: 'Research' },
    });
  });

  test.each([
    [2, ['create', 'webhook']],
    [2, ['create', 'webhook', '--event', 'token.leaked']],
    [2, ['create', 'pigeon', '--event', 'token.leaked']],
    [2, ['create', 'mail', '--event', 'nonsense', '--to', 'security@example.com']],
    [2, ['update', NONE]],
    [2, ['update', NONE, '--enable', '--disable']],
    [2, ['deliveries', NONE, '--status', 'lost']],
    [3, ['show', NONE]],
    [3, ['test', NONE]],
    [3, ['secret', NONE]],
    [3, ['deliveries', NONE]],
    [3, ['redeliver', NONE, NONE]],
    [3, ['update', NONE, '--enable']],
    [3, ['delete', NONE, '--yes']],
  ])('%d: patois notices %j', async (code, args) => {
    const ran = await cli.run('notices', ...args);
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/^patois: ./) });
  });

  test('4 for a wrong scope, and for no credential', async () => {
    const { id: ownerId } = await server.admin();
    const { value } = await server.issue({ dialect: 'patois', ownerId, scopes: ['patois:tokens.write'] });
    for (const token of [value, 'not-a-token']) {
      expect(await cli.runAs(token, 'notices', 'list')).toMatchObject({ code: 4, stdout: '' });
      const given = { env: { ...cli.env, PATOIS_TOKEN: token }, input: `${receiver.url}/hook` };
      const ran = await cli.runWith(given, 'notices', 'create', 'webhook', '--event', 'token.leaked');
      expect(ran).toMatchObject({ code: 4, stdout: '' });
      expect(ran.stderr).not.toContain('/hook');
    }
  });
});

describe('leaks report', () => {
  test('ends what was found, of however many lines, without a credential', async () => {
    const { user } = await server.makeUser();
    const { value } = await server.issue({ dialect: 'quay', ownerId: user.id });
    const input = `${Array.from({ length: 150 }, (_, index) => `nothing ${index}`).join('\n')}\n\n ${value}\r\n`;
    const given = { env: { PATOIS_URL: server.url }, input };
    const ran = await patois(['leaks', 'report', '--source', 'a test'], given);
    expect(ran).toEqual({ code: 0, stdout: '', stderr: '151 values are reported\n' });
    expect(await cli.json('tokens', 'show', value.slice(0, 15))).toMatchObject({
      status: 'revoked',
      revokeReason: 'leaked',
    });
    const { items } = await cli.json('audit', 'list', '--action', 'token.leak', '--limit', '1');
    expect(items).toMatchObject([{ after: { source: 'a test' } }]);
    const again = await patois(['leaks', 'report', '--json'], { ...given, input: 'nothing' });
    expect(again).toEqual({ code: 0, stdout: '{"reported":1}\n', stderr: '' });
  });

  test.each([
    ['nothing', ''],
    ['a line that is too long', `${'x'.repeat(600)}\n`],
    ['a line without end', 'x'.repeat(200_000)],
  ])('2 for %s', async (_, input) => {
    const ran = await cli.runWith({ input }, 'leaks', 'report');
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).not.toContain('xx');
  });

  test.each([[['--file', '/nowhere/found']], [['a-value-as-argument']]])('2 for %j', async (args) => {
    expect(await cli.run('leaks', 'report', ...args)).toMatchObject({ code: 2, stdout: '' });
  });
});
