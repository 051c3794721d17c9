import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

interface Diagnostic {
  filename: string;
  /** The reason, as the rule's message gives it. */
  help?: string;
}

/**
 * The order of the design, written once more by hand: a room may import those of later lines. Rooms of one line do not
 * know each other.
 */
const DESIGN = [
  ['cli'],
  ['administration', 'identity', 'console', 'verification', 'dialects', 'operations', 'openapi'],
  ['native'],
  ['auth'],
  ['http', 'decisions'],
  ['protocol'],
  ['tokens'],
  ['notices'],
  ['accounts', 'signing'],
  ['jobs'],
  ['audit', 'hashing'],
  ['database'],
  ['network'],
];
const ROOMS = DESIGN.flat();
const floorOf = (room: string): number => DESIGN.findIndex((rooms) => rooms.includes(room));

/** One offence a file: where it stands, what it says, and what the linter must answer. */
const OFFENCES: [path: string, code: string, reason: RegExp][] = [
  ...ROOMS.flatMap((room) =>
    ROOMS.filter((other) => mayNot(room, other)).map((other): [string, string, RegExp] => [
      placeOf(room, `to-${other}`),
      imports(`${room === 'dialects' ? '../../' : '../'}${other}/some.js`),
      other === 'dialects' ? /but app\.module\.ts/ : new RegExp(`^${room}/ may not import`),
    ]),
  ),
  ['src/operations/deep/a.ts', imports('../../dialects/quay/quay.dialect.js'), /but app\.module\.ts/],
  ['src/database/deep/a.ts', imports('../../audit/audit.writer.js'), /database\/ may not .* knows no entity/],
  ['src/database/c.ts', imports('../data-source.js'), /do not know how they are put together/],
  ['src/http/c.ts', imports('../app.module.js'), /do not know how they are put together/],
  ['src/tokens/d.ts', imports('fastify'), /nobody knows HTTP/],
  ['src/tokens/e.ts', imports('@nestjs/swagger'), /nobody knows HTTP/],
  ['src/decisions/e.ts', imports('node:http'), /nobody knows HTTP/],
  ['src/refusal.ts', imports('./tokens/token.entity.js'), /The ground knows no room above network/],
  ['src/secrets.ts', imports('fastify'), /nobody knows HTTP/],
  ['src/app.ts', imports('./dialects/quay/quay.module.js'), /but app\.module\.ts/],
  ['src/main.ts', imports('./dialects/quay/quay.module.js'), /but app\.module\.ts/],
  ['src/dialects/losant/a.ts', imports('../quay/quay.dto.js'), /No dialect imports another/],
  ['src/dialects/losant/deep/a.ts', imports('../../quay/quay.dto.js'), /No dialect imports another/],
  [
    'src/dialects/losant/deep/b.ts',
    imports('../../../openapi/documents.js'),
    /stands beside the other edges/,
  ],
  ['src/dialects/losant/c.ts', imports('../../native/problem.dto.js'), /no part of a dialect/],
  ['src/tokens/f.ts', 'export const home = process.env.HOME;\n', /Only config\.ts reads the environment/],
  ['src/main2.ts', 'const { env } = process;\nexport { env };\n', /Only config\.ts reads the environment/],
  [
    'src/cli/commands/a.ts',
    'export const home = process.env.HOME;\n',
    /Only config\.ts reads the environment.*cli\/environment\.ts/,
  ],
  ['src/http/d.ts', imports('node:process'), /Only config\.ts reads the environment/],
  ['migrations/1-a.ts', imports('../src/tokens/token.entity.js'), /imports typeorm and the steps/],
  ['migrations/2-b.ts', imports('node:fs'), /imports typeorm and the steps/],
];

/** What the same rules must let pass, so that they are known to forbid no more than they mean. */
const ALLOWED: [path: string, code: string][] = [
  ...ROOMS.flatMap((room) =>
    ROOMS.filter((other) => other !== room && !mayNot(room, other)).map((other): [string, string] => [
      placeOf(room, `from-${other}`),
      imports(`${room === 'dialects' ? '../../' : '../'}${other}/some.js`),
    ]),
  ),
  ...['config', 'refusal', 'secrets', 'maybe-promise'].map((ground): [string, string] => [
    `src/network/${ground}.ts`,
    imports(`../${ground}.js`),
  ]),
  ['src/app.module.ts', imports('./dialects/quay/quay.module.js')],
  ['src/config.ts', `${imports('./network/cidr.js')}export const home = process.env.HOME;\n`],
  ['src/cli/environment.ts', 'export const home = process.env.HOME;\n'],
  ['src/cli/store/a.ts', imports('../../data-source.js') + imports('../../main.js')],
  ['src/dialects/quay/a.ts', imports('./quay.dialect.js') + imports('../../refusal.js')],
  [
    'src/dialects/quay/deep/a.ts',
    imports('../quay.dialect.js') + imports('./b.js') + imports('../../../auth/caller.decorator.js'),
  ],
  ['src/administration/b.ts', imports('fastify')],
  ['src/administration/users/b.ts', imports('../tokens/tokens.dto.js')],
  ['migrations/3-c.ts', imports('typeorm') + imports('./online.js')],
  ['test/a.ts', imports('../src/dialects/quay/quay.dialect.js') + 'export const home = process.env.HOME;\n'],
];

function mayNot(room: string, other: string): boolean {
  if (room === 'dialects' && other === 'native') return true;
  // Nothing does, however high it stands.
  if (other === 'dialects' && room !== 'dialects') return true;
  return room !== other && floorOf(other) <= floorOf(room);
}

function placeOf(room: string, name: string): string {
  return room === 'dialects' ? `src/dialects/losant/${name}.ts` : `src/${room}/${name}.ts`;
}

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

test('every room has its place in the order', () => {
  const rooms = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(rooms.map(({ name }) => name).filter((name) => !ROOMS.includes(name))).toEqual([]);
});

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
