// Whether verification goes on undisturbed while tokens are made: `/verify` at half of its peak rate, alone and beside
// writers that go as fast as they are answered. See docs/PERFORMANCE.md.
import { recordPeace, renderPeace, summarizePeace } from './report.mjs';
import { Seeder } from './seed.mjs';
import { load, loadAtRate, loadInTurn, LOADERS } from './support/load.mjs';
import { machine } from './support/machine.mjs';
import { flag, loader, number, readOptions } from './support/options.mjs';
import { fromPatois, makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres } from './support/postgres.mjs';
import { bearer, get, issue } from './support/requests.mjs';
import { inRounds, keep, run, say, show } from './support/run.mjs';
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

const options = readOptions(HELP, {
  rounds: number(3),
  seconds: number(6),
  workers: number(1),
  writers: number(8),
  connections: number(64),
  rate: number(),
  tokens: number(100_000),
  loader: loader(),
  record: flag(),
});
await run(main);

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
    requests: tokens.map((token) => get('/verify', bearer(token))),
  };
  const write = { url, connections: writers, requests: [issue(writer.login, writer.value)] };

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
  const measures = [
    async () => alone.push(await loadAtRate({ ...verify, seconds, rate })),
    async () => beside.push(await both({ ...verify, seconds, rate }, write)),
  ];
  await inRounds(options.rounds, measures, (measure) => measure());

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
  show('peace', results, renderPeace(summary));
  if (options.record) recordPeace(summary);
  if (summary.failures > 0) process.exitCode = 1;
}

async function seed(seeder) {
  const { tokens } = await seeder.addTokensOfUsers(options.tokens, VERIFIED);
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
