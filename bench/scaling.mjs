// What replicas cost each other: changes and verifications a second of 1, 2 and 10 replicas on one PostgreSQL, and what a
// change costs those that only hear of it. See docs/SCALING.md. Ratios alone mean something: all of it shares one machine.
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { number, numbers, readOptions } from './support/options.mjs';
import { makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres } from './support/postgres.mjs';
import { bearer, issue, send, withJson } from './support/requests.mjs';
import { keep, run, say } from './support/run.mjs';

const HELP = `node scaling.mjs [options]
  --replicas LIST   how many, in turn (1,2,10)
  --seconds N       of load, each measure (4)
  --connections N   (8)`;

const ADMIN_PASSWORD = randomBytes(18).toString('base64url');
const options = readOptions(HELP, {
  replicas: numbers('1,2,10'),
  seconds: number(4),
  connections: number(8),
});
await run(main);

async function main() {
  const postgres = await keep(Postgres.start());
  const store = { url: await postgres.database('scaling'), tokenKeys: makeTokenKeys() };
  const replicas = [];
  let token;
  for (const count of options.replicas) {
    while (replicas.length < count)
      replicas.push(await keep(startPatois('Patois', store, { ADMIN_PASSWORD })));
    token ??= await makeToken(replicas[0].url);
    // New processes are slow at first.
    await load(replicas, () => issue('admin', token), 6);
    say(`${count} replicas`);
    await measure('  changes, over all', postgres, replicas, replicas, () => issue('admin', token));
    if (count > 1) {
      await measure('  changes, of one', postgres, replicas.slice(0, 1), replicas, () =>
        issue('admin', token),
      );
    }
    const verify = { method: 'GET', path: '/verify', headers: bearer(token) };
    await measure('  verifications, over all', postgres, replicas, replicas, () => verify);
    await pause(1_000);
  }
}

async function makeToken(url) {
  const credentials = { authorization: `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}` };
  const body = { dialect: 'patois', owner: 'admin', name: 'bench', scopes: ['*'] };
  return JSON.parse((await send(url, withJson('POST', '/patois/v1/tokens', credentials, body))).text).token;
}

/** Loads some replicas, and says what a request cost the database, those that got it, and each of those that did not. */
async function measure(label, postgres, loaded, all, make) {
  const idle = all.filter((replica) => !loaded.includes(replica));
  const cpu = (servers) => servers.reduce((sum, server) => sum + server.cpuSeconds(), 0);
  const before = [postgres.cpuSeconds(), cpu(loaded), cpu(idle)];
  const { good, failed } = await load(loaded, make, options.seconds);
  const after = [postgres.cpuSeconds(), cpu(loaded), cpu(idle)];
  const [database, own, others] = after.map((seconds, index) => ((seconds - before[index]) / good) * 1e6);
  const micros = (value) => `${value.toFixed(0)} µs`;
  const ofOthers = idle.length > 0 ? `, each of the others ${micros(others / idle.length)}` : '';
  say(
    `${label}: ${(good / options.seconds).toFixed(0)} a second, ${failed} failed; database ${micros(database)}, ` +
      `those asked ${micros(own)}${ofOthers}`,
  );
}

/** Closed: each connection sends its next request when it has its answer; the replicas in turn. */
async function load(replicas, make, seconds) {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const endsAt = performance.now() + seconds * 1_000;
  const counts = { good: 0, failed: 0 };
  const connection = async (place) => {
    const { url } = replicas[place % replicas.length];
    while (performance.now() < endsAt) counts[(await ask(url, make(), agent)) < 300 ? 'good' : 'failed'] += 1;
  };
  const width = Math.max(options.connections, replicas.length);
  await Promise.all(Array.from({ length: width }, (_, place) => connection(place)));
  agent.destroy();
  return counts;
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
