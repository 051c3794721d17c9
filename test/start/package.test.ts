import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { send } from '../support/http.js';
import { buildOnce } from '../support/process.js';

let folder: string;
let installed: string;
beforeAll(() => {
  buildOnce();
  folder = mkdtempSync(join(tmpdir(), 'patois-package-'));
  run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], process.cwd());
  const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  // Where npm would put it, with what it depends on beside it: a registry is not always there.
  const modules = join(folder, 'app', 'node_modules');
  installed = join(modules, 'patois');
  mkdirSync(installed, { recursive: true });
  run('tar', ['-xzf', join(folder, archive), '-C', installed, '--strip-components=1'], folder);
  for (const name of productionModules()) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(resolve('node_modules', name), join(modules, name));
  }
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** What npm installs with the package, beside it. */
function productionModules(): string[] {
  interface Locked {
    dev?: boolean;
    optional?: boolean;
  }
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, Locked>;
  };
  return Object.entries(packages).flatMap(([path, { dev, optional }]) => {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? [];
    return name === undefined || dev || optional ? [] : [name];
  });
}

function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1));
}

describe('the package', () => {
  test('holds what a start reads, and nothing else', () => {
    const others = filesOf(installed).filter((file) => !/^(dist\/(console|server)|openapi)\//.test(file));
    expect(others.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    expect(filesOf(installed)).toContain('dist/console/index.html');
    expect(statSync(join(installed, 'dist/server/cli.js')).mode & 0o111).not.toBe(0);
  });

  test('serves from an empty folder: APIs, documents and their pages', async () => {
    const cwd = join(folder, 'empty');
    mkdirSync(cwd);
    const { PATH = '' } = process.env;
    const env = { PATH, HOME: folder, PORT: '0', BCRYPT_COST: '4', ADMIN_PASSWORD: 'chosen by a test' };
    const server = spawn(join(installed, 'dist/server/cli.js'), ['serve'], { cwd, env });
    let output = '';
    server.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    server.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = once(server, 'close');
    try {
      let url: string | undefined;
      while (url === undefined) {
        [, url] = /Patois listens on (http:\S+)/.exec(output) ?? [];
        if (server.exitCode !== null) throw new Error(`It ended:\n${output}`);
        await new Promise((resume) => setTimeout(resume, 20));
      }
      for (const path of [
        '/healthz',
        '/docs',
        '/docs/patois',
        '/docs/openapi.json',
        '/docs/quay/openapi.json',
        '/docs/assets/swagger-ui-bundle.js',
      ]) {
        expect([path, (await send(url, 'GET', path)).status]).toEqual([path, 200]);
      }
      server.kill('SIGINT');
      expect(await ended).toEqual([0, null]);
    } finally {
      server.kill('SIGKILL');
      await ended;
    }
  });

  test('says its version', () => {
    const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      version: string;
    };
    const cli = join(installed, 'dist/server/cli.js');
    const { stdout, status } = spawnSync(cli, ['--version'], { cwd: folder, encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: `${version}\n`, status: 0 });
  });
});

test('CHANGELOG.md has an entry of this version', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const versions = [...readFileSync('CHANGELOG.md', 'utf8').matchAll(/^## \[([^\]]+)\]/gm)].map(
    ([, one]) => one,
  );
  expect(versions).toContain(version);
});
