// Where Patois' processor time goes under the load of one contender: node profile.mjs verify-1 [--seconds 8] [--lines 45]
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { batches, CONTENDERS } from './scenarios.mjs';
import { Seeder } from './seed.mjs';
import { isInstalled, load } from './support/load.mjs';
import { makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres } from './support/postgres.mjs';
import { keep, run, temporaryFolder } from './support/run.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '8' }, lines: { type: 'string', default: '45' } },
});
const contender = CONTENDERS.find(({ id }) => id === positionals[0]);
if (!contender?.server.startsWith('patois')) throw new Error(`Name one of Patois' contenders`);
const isCold = contender.server === 'patoisCold';

const folder = temporaryFolder();
let loadedAfterMs;
await run(main);

async function main() {
  const postgres = await keep(Postgres.start());
  const store = { url: await postgres.database('patois'), tokenKeys: makeTokenKeys() };
  const startedAt = performance.now();
  const settings = isCold ? { VERIFICATION_MAX_STALENESS: '0' } : {};
  const profiling = ['--cpu-prof', '--cpu-prof-interval=500', `--cpu-prof-dir=${folder}`];
  const patois = await keep(startPatois('Patois', store, settings, profiling));
  const known = await Seeder.use(store, async (seeder) => {
    const { owners, tokens } = await seeder.addTokensOfUsers(20_000);
    return {
      tokens,
      token: tokens[0],
      confined: await seeder.addToken(owners[0], { dialect: 'panther', allowedCidrs: ['127.0.0.0/8'] }),
      introspector: await seeder.addToken(owners[0], { scopes: ['patois:introspect'] }),
    };
  });
  if (contender.isPrewarmed) {
    const portions = batches(known.tokens, known.introspector);
    await load('autocannon', { url: patois.url, requests: portions, connections: 1, seconds: 8 });
  }
  loadedAfterMs = performance.now() - startedAt;
  const cpuBefore = patois.cpuSeconds();
  const result = await load(isInstalled('wrk') ? 'wrk' : 'autocannon', {
    url: patois.url,
    requests: contender.requests(known),
    connections: contender.connections ?? 64,
    seconds: Number(options.seconds),
  });
  const micros = ((patois.cpuSeconds() - cpuBefore) * 1e6) / result.requests;
  process.stdout.write(`${JSON.stringify(result)} ${micros.toFixed(1)} µs of CPU each\n\n`);
  // The profile is written when it ends.
  await patois.stop();
  for (const file of readdirSync(folder)) report(JSON.parse(readFileSync(join(folder, file), 'utf8')));
}

/** Functions by the time spent in themselves, and by the time with all that they call; what came before the load is left out. */
function report({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, { ...node, micros: 0 }]));
  let sinceStart = 0;
  samples.forEach((id, index) => {
    sinceStart += timeDeltas[index];
    if (sinceStart > loadedAfterMs * 1000) byId.get(id).micros += timeDeltas[index];
  });
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const self = new Map();
  const whole = new Map();
  for (const { id, micros } of byId.values()) {
    const seen = new Set();
    for (let at = id; at !== undefined; at = parents.get(at)) {
      const name = nameOf(byId.get(at).callFrame);
      if (at === id) self.set(name, (self.get(name) ?? 0) + micros);
      if (!seen.has(name)) whole.set(name, (whole.get(name) ?? 0) + micros);
      seen.add(name);
    }
  }
  const busy = [...self]
    .filter(([name]) => !name.startsWith('(idle)'))
    .reduce((sum, [, each]) => sum + each, 0);
  print('self', self, busy);
  print('with callees', whole, busy);
}

/** @param times microseconds by function. */
function print(title, times, busy) {
  const lines = Array.from(times)
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, Number(options.lines));
  process.stdout.write(`${title}, % of busy time\n`);
  for (const [name, micros] of lines) {
    process.stdout.write(`  ${((micros / busy) * 100).toFixed(1).padStart(5)}  ${name}\n`);
  }
}

function nameOf({ functionName, url, lineNumber }) {
  const file = url.replace(/^file:\/\//, '').replace(/^.*\/(dist|node_modules)\//, '$1/');
  return `${functionName || '(anonymous)'}${file ? ` ${file}:${lineNumber + 1}` : ''}`;
}
