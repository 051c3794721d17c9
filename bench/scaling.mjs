// What a verification costs, cold and from memory, and what a remembered token takes; and what replicas cost each other:
// changes and verifications a second of 1, 2 and 10 replicas on one PostgreSQL, and what a change costs those that only hear
// of it. See docs/SCALING.md. Ratios alone mean something: all of it shares one machine.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Seeder } from './seed.mjs';
import { number, numbers, readOptions } from './support/options.mjs';
import { makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres } from './support/postgres.mjs';
import { bearer, issue, send, withJson } from './support/requests.mjs';
import { keep, run, say, temporaryFolder } from './support/run.mjs';

const HELP = `node scaling.mjs [options]
  --replicas LIST   how many, in turn (1,2,10)
  --tokens N        that are verified twice each, and remembered (100000)
  --seconds N       of load, each measure (4)
  --connections N   (8)`;

const ADMIN_PASSWORD = randomBytes(18).toString('base64url');
const options = readOptions(HELP, {
  replicas: numbers('1,2,10'),
  tokens: number(100_000),
  seconds: number(4),
  connections: number(8),
});
await run(main);

async function main() {
  const postgres = await keep(Postgres.start());
  await measureTokens(postgres);
  await measureReplicas(postgres);
}

/** Has a replica see many tokens for the first time, and then again. */
async function measureTokens(postgres) {
  const store = { url: await postgres.database('tokens'), tokenKeys: makeTokenKeys() };
  await (await startPatois('Patois, of the schema', store)).stop();
  const values = await Seeder.use(
    store,
    async (seeder) => (await seeder.addTokensOfUsers(options.tokens)).tokens,
  );
  const heapFile = join(temporaryFolder(), 'heap');
  const meter = fileURLToPath(new URL('support/heap-meter.mjs', import.meta.url));
  const settings = { HEAP_FILE: heapFile, VERIFICATION_MAX_STALENESS: '60' };
  const patois = await startPatois('Patois', store, settings, ['--expose-gc', '--import', meter]);
  const verifyAll = (some) => {
    let next = 0;
    const make = () => ({ method: 'GET', path: '/verify', headers: bearer(some[next++]) });
    return { make, isDone: () => next >= some.length };
  };
  // What the process needs in any case it has after the first few.
  const few = values.splice(0, Math.min(5_000, values.length / 10));
  for (let time = 0; time < 3; time += 1) await load([patois], verifyAll(few));
  const before = await heapOf(patois, heapFile);
  say(`${values.length} tokens`);
  for (const label of ['  seen first', '  seen again']) {
    await measure(label, postgres, [patois], [patois], verifyAll(values));
  }
  const grown = (await heapOf(patois, heapFile)) - before;
  say(`  remembered: ${(grown / values.length).toFixed(0)} bytes each`);
  await patois.stop();
}

async function heapOf(server, file) {
  rmSync(file, { force: true });
  server.signal('SIGUSR2');
  while (!existsSync(file)) await pause(20);
  return Number(readFileSync(file, 'utf8'));
}

async function measureReplicas(postgres) {
  const store = { url: await postgres.database('scaling'), tokenKeys: makeTokenKeys() };
  const replicas = [];
  let token;
  for (const count of options.replicas) {
    while (replicas.length < count)
      replicas.push(await keep(startPatois('Patois', store, { ADMIN_PASSWORD })));
    token ??= await makeToken(replicas[0].url);
    // New processes are slow at first.
    await load(
      replicas,
      during(6, () => issue('admin', token)),
    );
    say(`${count} replicas`);
    const changes = () => during(options.seconds, () => issue('admin', token));
    await measure('  changes, over all', postgres, replicas, replicas, changes());
    if (count > 1) await measure('  changes, of one', postgres, replicas.slice(0, 1), replicas, changes());
    const verify = { method: 'GET', path: '/verify', headers: bearer(token) };
    await measure(
      '  verifications, over all',
      postgres,
      replicas,
      replicas,
      during(options.seconds, () => verify),
    );
    await pause(1_000);
  }
}

async function makeToken(url) {
  const credentials = { authorization: `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}` };
  const body = { dialect: 'patois', owner: 'admin', name: 'bench', scopes: ['*'] };
  return JSON.parse((await send(url, withJson('POST', '/patois/v1/tokens', credentials, body))).text).token;
}

/** Loads some replicas, and says what a request cost the database, those that got it, and each of those that did not. */
async function measure(label, postgres, loaded, all, requests) {
  const idle = all.filter((replica) => !loaded.includes(replica));
  const cpu = (servers) => servers.reduce((sum, server) => sum + server.cpuSeconds(), 0);
  const before = [postgres.cpuSeconds(), cpu(loaded), cpu(idle)];
  const { good, failed, seconds: took } = await load(loaded, requests);
  const after = [postgres.cpuSeconds(), cpu(loaded), cpu(idle)];
  const [database, own, others] = after.map((seconds, index) => ((seconds - before[index]) / good) * 1e6);
  const micros = (value) => `${value.toFixed(0)} µs`;
  const ofOthers = idle.length > 0 ? `, each of the others ${micros(others / idle.length)}` : '';
  say(
    `${label}: ${(good / took).toFixed(0)} a second, ${failed} failed; database ${micros(database)}, ` +
      `those asked ${micros(own)}${ofOthers}`,
  );
}

/** Requests for so many seconds, from when the first is asked for. */
function during(seconds, make) {
  let endsAt;
  return { make, isDone: () => performance.now() > (endsAt ??= performance.now() + seconds * 1_000) };
}

/** Closed: each connection sends its next request when it has its answer; the replicas in turn. */
async function load(replicas, { make, isDone }) {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const beganAt = performance.now();
  const counts = { good: 0, failed: 0 };
  const connection = async (place) => {
    const { url } = replicas[place % replicas.length];
    while (!isDone()) counts[(await ask(url, make(), agent)) < 300 ? 'good' : 'failed'] += 1;
  };
  const width = Math.max(options.connections, replicas.length);
  await Promise.all(Array.from({ length: width }, (_, place) => connection(place)));
  agent.destroy();
  return { ...counts, seconds: (performance.now() - beganAt) / 1_000 };
}

function ask(url, { method, path, headers, body }, agent) {
  const { hostname, port } = new URL(url);
  const all = body === undefined ? headers : { ...headers, 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers: all, agent }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    });
    sent.once('error', reject).end(body);
  });
}
