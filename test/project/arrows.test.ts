import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

interface Diagnostic {
  filename: string;
  /** The reason, as the rule's message gives it. */
  help?: string;
}

/** One offence a file: where it stands, what it says, and what the linter must answer. */
const OFFENCES: [path: string, code: string, reason: RegExp][] = [
  ['src/database/a.ts', imports('../audit/audit.writer.js'), /database\/ knows no entity/],
  ['src/database/b.ts', imports('../tokens/token.entity.js'), /database\/ knows no entity/],
  ['src/database/c.ts', imports('../data-source.js'), /do not know how they are put together/],
  ['src/hashing/a.ts', imports('../accounts/user.entity.js'), /hashing\/ knows neither entities/],
  ['src/hashing/b.ts', imports('../audit/audit.writer.js'), /hashing\/ knows neither entities/],
  ['src/audit/a.ts', imports('../accounts/user.entity.js'), /audit\/ knows no entity of accounts/],
  ['src/audit/b.ts', imports('../hashing/hashing.service.js'), /audit\/ knows no entity of accounts/],
  ['src/accounts/a.ts', imports('../tokens/token.entity.js'), /accounts\/ knows no room above/],
  ['src/accounts/b.ts', imports('../access/principal.js'), /accounts\/ knows no room above/],
  ['src/tokens/a.ts', imports('../access/principal.js'), /tokens\/ is the core/],
  ['src/tokens/b.ts', imports('../dialects/quay/quay.dialect.js'), /tokens\/ is the core/],
  ['src/tokens/c.ts', imports('../administration/patois.dialect.js'), /tokens\/ is the core/],
  ['src/tokens/d.ts', imports('fastify'), /nobody knows HTTP/],
  ['src/tokens/e.ts', imports('@nestjs/swagger'), /nobody knows HTTP/],
  ['src/access/a.ts', imports('../dialects/quay/quay.dialect.js'), /knows dialects only by its registry/],
  ['src/access/b.ts', imports('../verification/doors.js'), /knows dialects only by its registry/],
  ['src/access/c.ts', imports('../app.module.js'), /do not know how they are put together/],
  ['src/administration/a.ts', imports('../dialects/quay/quay.dialect.js'), /but app\.module\.ts/],
  ['src/verification/a.ts', imports('../dialects/quay/quay.dialect.js'), /but app\.module\.ts/],
  ['src/operations/deep/a.ts', imports('../../dialects/quay/quay.dialect.js'), /but app\.module\.ts/],
  ['src/app.ts', imports('./dialects/quay/quay.module.js'), /but app\.module\.ts/],
  ['src/main.ts', imports('./dialects/quay/quay.module.js'), /but app\.module\.ts/],
  ['src/dialects/losant/a.ts', imports('../quay/quay.dto.js'), /No dialect imports another/],
  ['src/dialects/losant/deep/a.ts', imports('../../quay/quay.dto.js'), /No dialect imports another/],
  ['src/dialects/losant/b.ts', imports('../../operations/logger.js'), /stands beside these rooms/],
  ['src/tokens/f.ts', 'export const home = process.env.HOME;\n', /Only config\.ts reads the environment/],
  ['src/main2.ts', 'const { env } = process;\nexport { env };\n', /Only config\.ts reads the environment/],
  ['src/access/d.ts', imports('node:process'), /Only config\.ts reads the environment/],
  ['migrations/1-a.ts', imports('../src/tokens/token.entity.js'), /imports typeorm alone/],
  ['migrations/2-b.ts', imports('node:fs'), /imports typeorm alone/],
];

/** What the same rules must let pass, so that they are known to forbid no more than they mean. */
const ALLOWED: [path: string, code: string][] = [
  ['src/app.module.ts', imports('./dialects/quay/quay.module.js')],
  ['src/config.ts', 'export const home = process.env.HOME;\n'],
  ['src/dialects/quay/a.ts', imports('./quay.dialect.js') + imports('../../tokens/refusal.js')],
  [
    'src/dialects/quay/deep/a.ts',
    imports('../quay.dialect.js') + imports('./b.js') + imports('../../../access/needs.js'),
  ],
  ['src/tokens/g.ts', imports('../accounts/user.entity.js') + imports('../hashing/hashing.service.js')],
  ['src/administration/b.ts', imports('../access/needs.js') + imports('fastify')],
  ['src/database/d.ts', imports('../config.js')],
  ['src/audit/c.ts', imports('../secrets.js')],
  ['migrations/3-c.ts', imports('typeorm')],
  ['test/a.ts', imports('../src/dialects/quay/quay.dialect.js') + 'export const home = process.env.HOME;\n'],
];

function imports(source: string): string {
  const name = `from${source.replace(/\W/g, '')}`;
  return `import type { Some as ${name} } from '${source}';\nexport type { ${name} };\n`;
}

let folder: string;
let found: Diagnostic[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'patois-arrows-'));
  copyFileSync('.oxlintrc.json', join(folder, '.oxlintrc.json'));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  for (const [path, code] of [...OFFENCES, ...ALLOWED]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), code);
  }
  const oxlint = resolve('node_modules/oxlint/bin/oxlint');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [oxlint, '--format', 'json', 'src', 'migrations', 'test'],
    { cwd: folder, encoding: 'utf8' },
  );
  if (!stdout.startsWith('{')) throw new Error(`The linter gave no JSON: ${stdout}${stderr}`);
  found = (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the linter enforces the arrows of the design, with the reason', () => {
  test.each(OFFENCES)('%s may not say %j', (path, _code, reason) => {
    const told = found.filter(({ filename }) => filename === path);
    // The linter may name one offence twice; what counts is that it names nothing else.
    expect([...new Set(told.map(({ help }) => help))]).toEqual([expect.stringMatching(reason)]);
  });

  test.each(ALLOWED)('%s may say %j', (path) => {
    expect(found.filter(({ filename }) => filename === path)).toEqual([]);
  });
});
