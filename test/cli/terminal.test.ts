import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OnTerminal, patois } from '../support/cli.js';
import { buildOnce } from '../support/process.js';
import { describeWith } from '../support/programs.js';
import { ADMIN_PASSWORD, TestServer } from '../support/server.js';

const BOLD = '\u001b[1m';
const GREEN = '\u001b[32m';
// oxlint-disable-next-line no-control-regex -- what colours a terminal
const STYLES = /\u001b\[\d+m/g;

let server: TestServer;
let env: Record<string, string>;
beforeAll(async () => {
  buildOnce();
  server = await TestServer.start();
  const ownerId = (await server.admin()).id;
  const { value } = await server.issue({
    dialect: 'patois',
    ownerId,
    scopes: ['*'],
    name: 'of the command line',
  });
  env = { PATOIS_URL: server.url, PATOIS_TOKEN: value };
}, 600_000);
afterAll(() => server.close());

async function shown(args: string[], more: Record<string, string> = {}, columns = 80): Promise<string> {
  const { stdout, code } = await new OnTerminal(args, { env: { ...env, ...more } }, columns).end();
  expect(code).toBe(0);
  return stdout;
}

describe('without a terminal', () => {
  test('nothing is coloured, cut, asked or drawn', async () => {
    const { stdout, stderr } = await patois(['tokens', 'list'], { env: { ...env, FORCE_COLOR: '1' } });
    expect(stdout).toContain('of the command line');
    expect(stdout + stderr).not.toContain('\u001b');
  });
});

describeWith(['/usr/bin/script'], 'on a terminal', () => {
  test('tables have colours and end at its edge', async () => {
    const text = await shown(['tokens', 'list'], {}, 60);
    expect(text).toContain(`${BOLD}TOKEN ID`);
    expect(text).toContain(`${GREEN}active`);
    const lines = text.replace(STYLES, '').split('\r\n');
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(60);
    expect(text).toMatch(/\r\npt-\w{12} .*…/);
  });

  test.each<Record<string, string>>([{ NO_COLOR: '1' }, { TERM: 'dumb' }])(
    'with %j there are no colours',
    async (setting) => {
      expect(await shown(['tokens', 'list'], setting, 200)).not.toContain('\u001b');
    },
  );

  test('a password is typed in, is not shown, and works', async () => {
    const { PATOIS_URL = '' } = env;
    const terminal = new OnTerminal(['whoami', '--login', 'admin'], { env: { PATOIS_URL } });
    await terminal.type(`wrong\u007f\u007f\u007f\u007f\u007f${ADMIN_PASSWORD}\r`, /Password of admin: /);
    const { stdout, code } = await terminal.end();
    expect(code).toBe(0);
    expect(stdout).toMatch(/by +password/);
    expect(stdout).not.toContain('wrong');
    expect(stdout).not.toContain(ADMIN_PASSWORD);
  });

  test('Ctrl-C at the question ends it with 130', async () => {
    const terminal = new OnTerminal(['whoami', '--login', 'admin'], { env });
    await terminal.type('secr\u0003', /Password of admin: /);
    expect(await terminal.end()).toMatchObject({
      code: 130,
      stdout: expect.stringContaining('Nothing was done'),
    });
  });

  test('a new password is typed twice, and two that differ change nothing', async () => {
    const type = async (first: string, second: string): Promise<number | NodeJS.Signals> => {
      const terminal = new OnTerminal(['users', 'create', 'pat', '--password'], { env });
      await terminal.type(`${first}\r`, /New password of pat: /);
      await terminal.type(`${second}\r`, /Once more: /);
      const { stdout, code } = await terminal.end();
      expect(stdout).not.toContain(first);
      return code;
    };
    expect(await type('typed in secret', 'typed in otherwise')).toBe(2);
    expect((await patois(['users', 'show', 'pat'], { env })).code).toBe(3);
    expect(await type('typed in secret', 'typed in secret')).toBe(0);
    const { status } = await server.send('GET', '/patois/v1/me', {
      headers: { authorization: `Basic ${Buffer.from('pat:typed in secret').toString('base64')}` },
    });
    expect(status).toBe(200);
  });

  test('what destroys is asked first, and only yes does it', async () => {
    for (const [login, answer, code, left] of [
      ['nora', 'n\r', 1, 0],
      ['nils', '\r', 1, 0],
      ['yuri', 'y\r', 0, 3],
    ] as const) {
      await server.makeUser({ login });
      const terminal = new OnTerminal(['users', 'delete', login], { env });
      await terminal.type(answer, new RegExp(`Delete the user ${login} and revoke all tokens\\? \\[y/N\\] `));
      expect((await terminal.end()).code).toBe(code);
      expect((await patois(['users', 'show', login], { env })).code).toBe(left);
    }
  });

  test('the secret of a new token is shown with a word of warning', async () => {
    const text = await shown(['tokens', 'create', 'shown', '--dialect', 'quay']);
    const [value = ''] = /pt-\w{12}_\w{49}/.exec(text) ?? [];
    server.secrets.add(value);
    expect(text).toMatch(/The secret, shown this once:\r\npt-\w{12}_\w{49}\r\n$/);
  });

  describe('a job', () => {
    let jobs: Server;
    let job: { id: string; status: string; done: number; total: number };
    beforeAll(async () => {
      jobs = createServer((_request, response) => {
        const rest = {
          kind: 'test',
          failed: 0,
          createdAt: '2031-05-06T07:08:09.000Z',
          createdBy: { type: 'system', id: null },
          result: null,
          problem: null,
        };
        response.end(JSON.stringify({ ...rest, ...job }));
      });
      jobs.listen(0, '127.0.0.1');
      await new Promise((resolve) => jobs.once('listening', resolve));
    });
    afterAll(() => new Promise((resolve) => jobs.close(resolve)));

    function wait(): OnTerminal {
      job = { id: 'job-1', status: 'running', done: 1_000, total: 4_000 };
      const { port } = jobs.address() as AddressInfo;
      return new OnTerminal(['jobs', 'wait', 'job-1'], {
        env: { ...env, PATOIS_URL: `http://127.0.0.1:${port}` },
      });
    }

    test('shows how far it is until it ends', async () => {
      const terminal = wait();
      await terminal.shows(/\[#{6}-{18}\] 25 % \(1,000 of 4,000\)/);
      job = { ...job, done: 2_000 };
      await terminal.shows(/ 50 % /);
      job = { ...job, status: 'done', done: 4_000 };
      expect(await terminal.end()).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/status +\S*done/),
      });
    });

    test('goes on when Ctrl-C ends the waiting, which says how to end the job', async () => {
      const terminal = wait();
      await terminal.type('\u0003', / 25 % /);
      const { code, stdout } = await terminal.end();
      expect(code).toBe(130);
      expect(stdout).toMatch(
        /The job goes on\r\n.*patois jobs wait job-1\r\n.*patois jobs cancel job-1\r\n$/,
      );
    });

    test('that fails is a failure', async () => {
      const terminal = wait();
      job = { ...job, status: 'failed' };
      expect((await terminal.end()).code).toBe(1);
    });
  });
});
