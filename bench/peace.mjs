// Whether verification goes on undisturbed while tokens are made: `/verify` at half of its peak rate, alone and beside
// writers that go as fast as they are answered. See docs/PERFORMANCE.md.
import { parseArgs } from 'node:util';
import { recordPeace, renderPeace, summarizePeace } from './report.mjs';
import { Seeder } from './seed.mjs';
import { isInstalled, load, loadAtRate, loadInTurn, LOADERS } from './support/load.mjs';
import { machine } from './support/machine.mjs';
import { fromPatois, makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres } from './support/postgres.mjs';
import { keepRaw } from './support/results.mjs';
import { median } from './support/statistics.mjs';

const HELP = `node peace.mjs [options]
  --rounds N        alone and beside in turn (3)
  --seconds N       of load, each (6)
  --workers N       processes of Patois (1)
  --writers N       connections that make tokens (8)
  --connections N   that verify (64)
  --rate N          verifications a second; by default half of the peak, which is measured
  --tokens N        in the store (100000)
  --loader NAME     what measures the peak, ${LOADERS.join(' or ')}; by default the first that is installed
  --record          also writes RESULTS.md and the tables of docs/PERFORMANCE.md`;

const VERIFIED = 1000;
/** The writers begin so long before, and end so long after, what they are measured beside. */
const MARGIN_SECONDS = 0.5;

const options = readOptions();
const running = [];
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void end().then(() => process.exit(130)));
try {
  await main();
} finally {
  await end();
}

async function main() {
  const { connections, seconds, writers } = options;
  const { SETTINGS } = await fromPatois('config.js');
  const postgres = await keep(Postgres.start());
  const store = { url: await postgres.database('patois'), tokenKeys: makeTokenKeys() };
  const settings = { [SETTINGS.workers.variable]: String(options.workers) };
  const { url } = await keep(startPatois('Patois', store, settings));
  say('Seeding the store');
  const { tokens, writer } = await Seeder.use(store, seed);
  const verify = {
    url,
    connections,
    requests: tokens.map((token) => ({ method: 'GET', path: '/verify', headers: bearer(token) })),
  };
  const write = { url, connections: writers, requests: [issue(writer)] };

  say('Warming up');
  const peak = [];
  await load(options.loader, { ...verify, seconds });
  await loadInTurn({ ...write, seconds });
  for (let round = 0; round < options.rounds && options.rate === undefined; round += 1)
    peak.push(await load(options.loader, { ...verify, seconds }));
  const peakRate = peak.length > 0 ? median(peak.map((run) => run.requests / run.seconds)) : undefined;
  const rate = options.rate ?? Math.round(peakRate / 2);

  const alone = [];
  const beside = [];
  for (let round = 0; round < options.rounds; round += 1) {
    say(`Round ${round + 1} of ${options.rounds}`);
    const measures = [
      async () => alone.push(await loadAtRate({ ...verify, seconds, rate })),
      async () => beside.push(await both({ ...verify, seconds, rate }, write)),
    ];
    for (const measure of round % 2 === 0 ? measures : measures.toReversed()) await measure();
  }

  const results = {
    at: new Date().toISOString(),
    machine: machine(await postgres.version()),
    options,
    peakRate,
    rate,
    alone,
    beside: beside.map(({ verified }) => verified),
    writers: beside.map(({ written }) => written),
  };
  const summary = summarizePeace(results);
  process.stdout.write(`\n${renderPeace(summary)}\n`);
  keepRaw('peace', results);
  if (options.record) recordPeace(summary);
  if (summary.failures > 0) process.exitCode = 1;
}

async function seed(seeder) {
  const owners = await seeder.addUsers(1000);
  const tokens = await seeder.addTokens(options.tokens, owners, VERIFIED);
  const [id] = await seeder.addUsers(1, 'writer');
  const writer = { login: 'writer-1', value: await seeder.addToken(id) };
  await seeder.settle();
  return { tokens, writer };
}

/** Verifies at a steady rate while tokens are made. */
async function both(verify, write) {
  const writing = loadInTurn({ ...write, seconds: verify.seconds + 2 * MARGIN_SECONDS });
  await new Promise((resume) => setTimeout(resume, MARGIN_SECONDS * 1000));
  const verified = await loadAtRate(verify);
  return { verified, written: await writing };
}

function issue({ login, value }) {
  return {
    method: 'POST',
    path: '/patois/v1/tokens',
    headers: { ...bearer(value), 'content-type': 'application/json' },
    body: JSON.stringify({
      dialect: 'patois',
      owner: login,
      name: 'issued',
      scopes: ['patois:introspect'],
    }),
  };
}

function bearer(token) {
  return { authorization: `Bearer ${token}` };
}

async function keep(starting) {
  const started = await starting;
  running.unshift(started);
  return started;
}

async function end() {
  for (const server of running.splice(0)) await server.stop();
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '6' },
      workers: { type: 'string', default: '1' },
      writers: { type: 'string', default: '8' },
      connections: { type: 'string', default: '64' },
      rate: { type: 'string' },
      tokens: { type: 'string', default: '100000' },
      loader: { type: 'string', default: LOADERS.find((name) => name === 'autocannon' || isInstalled(name)) },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || !LOADERS.includes(values.loader)) {
    process.stdout.write(`${HELP}\n`);
    process.exit(values.help ? 0 : 2);
  }
  return {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    workers: Number(values.workers),
    writers: Number(values.writers),
    connections: Number(values.connections),
    rate: values.rate === undefined ? undefined : Number(values.rate),
    tokens: Number(values.tokens),
    loader: values.loader,
    record: values.record,
  };
}
