import { beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
    script = (await patois(['completion', 'bash'])).stdout;
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

test('every shell gets every command', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await patois(['completion', shell]);
    for (const words of ['tokens', 'revoke', 'set-password', 'status']) expect(stdout).toContain(words);
  }
});

/** Runs what a shell reads before a script, in a home of its own. */
async function inShell(
  shell: string,
  line: string,
): Promise<{ stdout: string; stderr: string; status: number | null }> {
  const home = await mkdtemp(join(tmpdir(), 'patois-completion-'));
  const file = join(home, 'script');
  await writeFile(file, (await patois(['completion', shell])).stdout);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, TERM: 'dumb' };
  const ran = spawnSync(shell, ['-c', line.replace('FILE', file)], { env, encoding: 'utf8' });
  await rm(home, { recursive: true, force: true });
  return ran;
}

describeWith(['/usr/bin/zsh'], 'completion in zsh', () => {
  test('is loaded by the shell without a complaint', async () => {
    const ran = await inShell(
      'zsh',
      'autoload -U compinit && compinit -u && source FILE && print $_comps[patois]',
    );
    expect(ran).toMatchObject({ status: 0, stdout: '_patois\n', stderr: '' });
  });
});

describeWith(['/usr/bin/fish'], 'completion in fish', () => {
  test('offers commands, options and what they can be, with what they do', async () => {
    const offers = async (line: string): Promise<string> =>
      (await inShell('fish', `source FILE; complete -C '${line}'`)).stdout;
    expect(await offers('patois tokens re')).toBe('revoke\trevokes a token, for good\n');
    expect(await offers('patois tokens list --stat')).toBe('--status\twhat they are now\n');
    expect(await offers('patois tokens list --status re')).toMatch(/^revoked\t/);
    expect(await offers('patois users de')).toMatch(/^delete\t/);
  });
});
