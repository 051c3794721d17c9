import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CliRunner } from '../support/cli-runner.js';
import { OnTerminal } from '../support/cli.js';
import { buildOnce } from '../support/process.js';
import { describeWith } from '../support/programs.js';
import { TestServer, type TestUser } from '../support/server.js';

const REASON = ['--reason', 'for a test'];

let server: TestServer;
let cli: CliRunner;
beforeAll(async () => {
  buildOnce();
  server = await TestServer.start();
  cli = await CliRunner.ofAdministrator(server);
}, 600_000);
afterAll(() => server.close());

/** Somebody with so many tokens. */
async function owner(count: number): Promise<TestUser> {
  const made = await server.makeUser();
  for (let index = 0; index < count; index += 1) {
    await server.issue({ dialect: 'quay', ownerId: made.user.id });
  }
  return made;
}

async function active({ user }: TestUser): Promise<number> {
  return (await cli.json('tokens', 'summary', '--owner', user.login)).byStatus.active;
}

function create(login: string, ...more: string[]): string[] {
  return ['revocations', 'create', '--owner', login, ...more];
}

describe('revocations create', () => {
  test('--dry-run counts and shows some, and changes nothing', async () => {
    const one = await owner(2);
    expect(await cli.json(...create(one.user.login, '--dry-run'))).toMatchObject({
      count: 2,
      sample: [{ owner: { login: one.user.login } }, {}],
    });
    expect(await cli.succeed(...create(one.user.login, '--dry-run'))).toMatch(/^tokens +2\n\nTOKEN ID /);
    expect(await active(one)).toBe(2);
  });

  test('ends what the filter means, and waits for the job', async () => {
    const [one, other] = [await owner(3), await owner(1)];
    const job = await cli.json(...create(one.user.login, ...REASON, '--yes'));
    expect(job).toMatchObject({
      kind: 'revocation',
      status: 'done',
      total: 3,
      result: { revoked: 3, alreadyRevoked: 0, appeared: 0 },
    });
    expect([await active(one), await active(other)]).toEqual([0, 1]);
    const { items } = await cli.json('tokens', 'list', '--owner', one.user.login);
    expect(items[0]).toMatchObject({ status: 'revoked', revokeReason: 'for a test' });
    // All of them have ended: there is nothing left to be asked about.
    expect(await cli.json(...create(one.user.login, ...REASON))).toMatchObject({ status: 'done', total: 0 });
  });

  test('does not wait with --no-wait', async () => {
    const one = await owner(1);
    const job = await cli.json(...create(one.user.login, ...REASON, '--yes', '--no-wait'));
    expect(await cli.json('jobs', 'wait', job.id)).toMatchObject({ status: 'done', result: { revoked: 1 } });
  });

  test('4 where it is another number than expected, and nothing is done', async () => {
    const one = await owner(2);
    for (const yes of [['--yes'], []]) {
      const ran = await cli.run(...create(one.user.login, ...REASON, '--expected-count', '3', ...yes));
      expect(ran).toMatchObject({ code: 4, stdout: '' });
    }
    expect(await active(one)).toBe(2);
    await cli.succeed(...create(one.user.login, ...REASON, '--expected-count', '2', '--yes'));
    expect(await active(one)).toBe(0);
  });

  test('with --yes and the number a token that cannot read is enough; else it is not', async () => {
    const one = await owner(1);
    const { id: ownerId } = await server.admin();
    const { value } = await server.issue({
      dialect: 'patois',
      ownerId,
      scopes: ['patois:tokens.write', 'quay:*'],
    });
    const more = [...REASON, '--yes', '--no-wait'];
    expect((await cli.runAs(value, ...create(one.user.login, ...more))).code).toBe(4);
    expect((await cli.runAs(value, ...create(one.user.login, ...more, '--expected-count', '1'))).code).toBe(
      0,
    );
  });

  test('2 where nobody can be asked, and nothing is done', async () => {
    const one = await owner(1);
    expect(await cli.run(...create(one.user.login, ...REASON))).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'patois: Revoke this token for good? Nobody can be asked here: say --yes\n',
    });
    expect(await active(one)).toBe(1);
  });

  test.each([
    ['Which tokens', ['--yes', ...REASON]],
    ['Either --everything or a filter', ['--everything', '--never-used', '--yes', ...REASON]],
    ['Why', ['--everything', '--yes']],
    ['Bad Request', ['--allows-address', 'nowhere', '--dry-run']],
    ['error', ['--expected-count', 'many', '--everything']],
  ])('2, %s: %j', async (_, args) => {
    expect(await cli.run('revocations', 'create', ...args)).toMatchObject({ code: 2, stdout: '' });
  });

  test('4 without a credential that works', async () => {
    expect(await cli.runAs('not-a-token', ...create('ada', '--dry-run'))).toMatchObject({
      code: 4,
      stdout: '',
    });
  });
});

describeWith(['/usr/bin/script'], 'on a terminal', () => {
  test('the number and some of the tokens are shown, and only yes ends them', async () => {
    for (const [answer, code, left] of [
      ['n\r', 1, 12],
      ['y\r', 0, 0],
    ] as const) {
      const one = await owner(12);
      const terminal = new OnTerminal(create(one.user.login, ...REASON), { env: cli.env }, 100);
      await terminal.type(answer, /TOKEN ID[^]*and 2 more\r\n[^]*Revoke 12 tokens for good\? \[y\/N\] /);
      expect((await terminal.end()).code).toBe(code);
      expect(await active(one)).toBe(left);
    }
  }, 120_000);
});
