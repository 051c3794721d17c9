import { beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { patois } from '../support/cli.js';
import { buildOnce } from '../support/process.js';
import { describeWith } from '../support/programs.js';

beforeAll(() => buildOnce(), 600_000);

/** What bash offers behind a line that is being typed. */
function offered(script: string, line: string): string[] {
  const ask = `${script}
COMP_WORDS=(${line.replace(/ $/, " ''")})
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_patois
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-euo', 'pipefail', '-c', ask], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`bash: ${status}\n${stderr}`);
  return stdout.split('\n').filter(Boolean);
}

describe('completion in bash', () => {
  let script: string;
  beforeAll(async () => {
    const ran = await patois(['completion', 'bash']);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    script = ran.stdout;
  });

  test('is registered for patois', () => {
    const shown = spawnSync('bash', ['-c', `${script}\ncomplete -p patois`], { encoding: 'utf8' }).stdout;
    expect(shown.trim()).toBe('complete -F _patois patois');
  });

  test('offers commands, and those below them', () => {
    expect(offered(script, 'patois ')).toEqual(expect.arrayContaining(['serve', 'tokens', 'users', '--url']));
    expect(offered(script, 'patois to')).toEqual(['tokens']);
    expect(offered(script, 'patois tokens re')).toEqual(['revoke']);
    expect(offered(script, 'patois --json tokens cr')).toEqual(['create']);
  });

  test('offers the options of a command and those of all', () => {
    expect(offered(script, 'patois tokens list --s').sort()).toEqual(['--scope', '--sort', '--status']);
    expect(offered(script, 'patois users update ada --dis')).toEqual(['--disable']);
    expect(offered(script, 'patois users list --to')).toEqual(['--token-file']);
  });

  test('offers what an option can be, a file where it is one, and nothing where nobody knows', () => {
    expect(offered(script, 'patois tokens list --status re')).toEqual(['revoked']);
    expect(offered(script, 'patois --token-file package.j')).toEqual(['package.json']);
    expect(offered(script, 'patois tokens list --owner ')).toEqual([]);
  });
});

test('a shell that is not known is told, with those that are', async () => {
  expect(await patois(['completion', 'ksh'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('bash, zsh, fish'),
  });
});

const SHELLS: [name: string, program: string][] = [
  ['zsh', '/usr/bin/zsh'],
  ['fish', '/usr/bin/fish'],
];
describe.each(SHELLS)('completion in %s', (shell, program) => {
  test('names every command', async () => {
    const { stdout } = await patois(['completion', shell]);
    for (const words of ['tokens', 'revoke', 'set-password', 'status']) expect(stdout).toContain(words);
  });

  describeWith([program], shell, () => {
    test('is read without a complaint', async () => {
      const { stdout } = await patois(['completion', shell]);
      expect(spawnSync(program, ['-n'], { input: stdout, encoding: 'utf8' })).toMatchObject({
        status: 0,
        stderr: '',
      });
    });
  });
});
