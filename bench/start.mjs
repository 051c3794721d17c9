// How long a start on an existing store takes, beside what importing the framework and the drivers alone takes.
//
//   npm run build && BENCH_DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres node bench/start.mjs [rounds]
//
// Without BENCH_DATABASE_URL only the embedded store is measured.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ROUNDS = Number(process.argv[2] ?? 9);
const IMPORTS = ['@nestjs/core', '@nestjs/platform-fastify', 'typeorm', 'pg'];
const IMPORTING = `${IMPORTS.map((name) => `import '${name}';`).join(' ')} console.log('Patois listens on nothing');`;

/** Milliseconds until a program prints its line; then it is ended. */
async function timed(args, env) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let printed = '';
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      printed += chunk;
      if (printed.includes('Patois listens on')) resolve();
    });
    child.once('exit', () => reject(new Error(`It ended too soon: ${printed}`)));
  });
  const took = performance.now() - startedAt;
  child.kill('SIGTERM');
  await exited;
  return took;
}

function median(numbers) {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1];
}

const folder = mkdtempSync(join(tmpdir(), 'patois-start-'));
const shared = { PORT: '0', BCRYPT_COST: '4', ADMIN_PASSWORD: randomBytes(12).toString('hex') };
const contenders = {
  'the imports alone': () => timed(['--input-type=module', '--eval', IMPORTING], {}),
  'the embedded store': () => timed(['dist/server/main.js'], { ...shared, DATA_DIR: join(folder, 'data') }),
};
const server = process.env.BENCH_DATABASE_URL;
const database = `patois_start_${randomBytes(4).toString('hex')}`;
async function onServer(statement) {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(statement);
  await client.end();
}
if (server) {
  await onServer(`CREATE DATABASE ${database}`);
  const url = new URL(server);
  url.pathname = `/${database}`;
  const keys = { TOKEN_KEYS: `bench:${randomBytes(32).toString('base64')}`, DATABASE_URL: url.href };
  contenders['PostgreSQL'] = () => timed(['dist/server/main.js'], { ...shared, ...keys });
}
try {
  // The first start makes the store.
  for (const run of Object.values(contenders)) await run();
  const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, run] of Object.entries(contenders)) times[name].push(await run());
  }
  const alone = times['the imports alone'];
  for (const [name, took] of Object.entries(times)) {
    const ratios = took.map((one, round) => one / alone[round]);
    console.log(`${name}: ${Math.round(median(took))} ms, ${median(ratios).toFixed(2)} of the imports alone`);
  }
} finally {
  rmSync(folder, { recursive: true });
  if (server) await onServer(`DROP DATABASE ${database} WITH (FORCE)`);
}
