// Bundles what was built in dist/src into dist/server: a start then reads a few files instead of 2,000.
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode, encode } from '@jridgewell/sourcemap-codec';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const OUT = join(ROOT, 'dist/server');

/**
 * What stays in node_modules: native code, files that are read by their path, what others load by its name and must find
 * to be the same module, and what a start does not load.
 */
const OUTSIDE = [
  'bcrypt',
  '@electric-sql/*',
  'swagger-ui-dist',
  'class-transformer',
  'class-transformer/*',
  'class-validator',
  '@peculiar/x509',
  'jose',
  'openid-client',
];
/** What dependencies ask for in case it is there; it is not. */
const ABSENT = [
  '@nestjs/microservices',
  '@nestjs/microservices/*',
  '@nestjs/platform-express',
  '@nestjs/websockets',
  '@nestjs/websockets/*',
  '@fastify/middie',
  '@fastify/multipart',
  '@fastify/static',
  '@fastify/view',
  '@google-cloud/spanner',
  '@sap/hana-client',
  'better-sqlite3',
  'expo-sqlite',
  'ioredis',
  'mongodb',
  'mssql',
  'mysql',
  'mysql2',
  'oracledb',
  'pg-native',
  'pg-query-stream',
  'react-native-sqlite-storage',
  'redis',
  'sql.js',
  'sqlite3',
  'typeorm-aurora-data-api-driver',
];

/** How esbuild gives classes and functions the names that they had before they were bundled. */
const NAMING = 'var __name = (target, value) => __defProp(target, "name", { value, configurable: true });';

/** CommonJS packages in the bundle ask for these. */
const BANNER = `import { createRequire as bundledRequire } from 'node:module';
import { fileURLToPath as bundledPath } from 'node:url';
const require = bundledRequire(import.meta.url);
const __filename = bundledPath(import.meta.url);
const __dirname = bundledPath(new URL('.', import.meta.url));`;

/** Leaves dependencies out of a map: it is read at every start, and of them a stack trace names the bundle. */
async function mapOursAlone(path) {
  const map = JSON.parse(await readFile(path, 'utf8'));
  const isOurs = map.sources.map((source) => !source.includes('node_modules/'));
  const places = isOurs.map((_, index) => isOurs.slice(0, index).filter(Boolean).length);
  let isBehindOurs = false;
  const lines = decode(map.mappings).map((segments) => {
    const ours = segments
      .filter(([, source]) => isOurs[source])
      .map(([column, source, ...rest]) => [column, places[source], ...rest]);
    // What follows a line of ours would else be taken for a part of it.
    const end = isBehindOurs && ours.length === 0 ? [[0]] : [];
    isBehindOurs = ours.length > 0;
    return [...ours, ...end];
  });
  const sources = map.sources.filter((_, index) => isOurs[index]);
  await writeFile(path, JSON.stringify({ version: 3, sources, names: map.names, mappings: encode(lines) }));
}

/**
 * Lets classes alone keep their names. esbuild names every function as well, the inner ones anew with each call of the
 * outer, which costs what runs for each request more than many a step of it.
 */
async function nameClassesAlone(path) {
  const text = await readFile(path, 'utf8');
  const named = text
    .replaceAll(
      /__name\(this, ("[^"]+")\)/g,
      'Object.defineProperty(this, "name", { value: $1, configurable: true })',
    )
    .replace(NAMING, 'var __name = (target) => target;');
  await writeFile(path, named);
}

await rm(OUT, { recursive: true, force: true });
await build({
  absWorkingDir: ROOT,
  // The command line loads what it shares with the server only where a command needs it.
  entryPoints: { patois: 'dist/src/main.js', cli: 'dist/src/cli/cli.js' },
  outdir: OUT,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: [...OUTSIDE, ...ABSENT],
  banner: { js: BANNER },
  // Class names stand in the log.
  keepNames: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'error',
});
for (const name of await readdir(OUT)) {
  if (name.endsWith('.map')) await mapOursAlone(join(OUT, name));
  else await nameClassesAlone(join(OUT, name));
}
// Maps are read as their modules are: so before the first of them is.
await writeFile(join(OUT, 'main.js'), `process.setSourceMapsEnabled(true);\nawait import('./patois.js');\n`);
// npm makes it executable where it installs the package; here and in the image nobody else does.
await chmod(join(OUT, 'cli.js'), 0o755);
