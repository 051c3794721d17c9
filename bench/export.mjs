// What an export of a large store costs, and what verification beside it feels of it. See docs/PERFORMANCE.md.
import { readFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { recordExport, renderExport, summarizeExport } from './report.mjs';
import { Seeder } from './seed.mjs';
import { loadAtRate } from './support/load.mjs';
import { machine } from './support/machine.mjs';
import { flag, number, readOptions } from './support/options.mjs';
import { makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres } from './support/postgres.mjs';
import { bearer, get, send } from './support/requests.mjs';
import { inRounds, keep, run, say, show } from './support/run.mjs';

const HELP = `node export.mjs [options]
  --tokens N        in the store (1000000)
  --users N         that own them (20000)
  --rounds N        verification alone and beside an export in turn (3)
  --seconds N       of load, each (6)
  --connections N   that verify (64)
  --rate N          verifications a second (4000)
  --record          also writes RESULTS.md and the tables of docs/PERFORMANCE.md`;

const VERIFIED = 1000;
const FORMATS = ['ndjson', 'csv'];
const SAMPLE_MS = 50;
const OWNER_PAGES = 20;

const options = readOptions(HELP, {
  tokens: number(1_000_000),
  users: number(20_000),
  rounds: number(3),
  seconds: number(6),
  connections: number(64),
  rate: number(4000),
  record: flag(),
});
await run(main);

async function main() {
  const { connections, seconds, rate } = options;
  const postgres = await keep(Postgres.start());
  const store = { url: await postgres.database('patois'), tokenKeys: makeTokenKeys() };
  const patois = await keep(startPatois('Patois', store));
  say('Seeding the store');
  const { tokens, reader } = await Seeder.use(store, seed);
  const verify = {
    url: patois.url,
    connections,
    seconds,
    rate,
    requests: tokens.map((token) => get('/verify', bearer(token))),
  };

  say('Warming up');
  await loadAtRate(verify);
  for (const format of FORMATS) await exportAll(patois, reader, format);

  const exports = [];
  for (const format of FORMATS) {
    say(`Exporting ${format}`);
    exports.push({ format, ...(await exportAll(patois, reader, format)) });
  }

  const alone = [];
  const beside = [];
  const measures = [
    async () => alone.push(await loadAtRate(verify)),
    async () => beside.push(await besideExports(patois, reader, verify)),
  ];
  await inRounds(options.rounds, measures, (measure) => measure());

  const owners = [];
  for (let page = 0; page < OWNER_PAGES; page += 1) {
    const began = performance.now();
    const { isGood } = await send(patois.url, get('/patois/v1/owners', bearer(reader)));
    if (!isGood) throw new Error('A page of owners failed');
    owners.push(performance.now() - began);
  }

  const results = {
    at: new Date().toISOString(),
    machine: machine(await postgres.version()),
    options,
    exports,
    alone,
    beside,
    owners,
  };
  const summary = summarizeExport(results);
  show('export', results, renderExport(summary));
  if (options.record) recordExport(summary);
  if (summary.failures > 0) process.exitCode = 1;
}

async function seed(seeder) {
  const owners = await seeder.addUsers(options.users, 'owner');
  const tokens = await seeder.addTokens(options.tokens, owners, VERIFIED);
  const reader = await seeder.addToken(seeder.administrator);
  await seeder.settle();
  return { tokens, reader };
}

/** Verifies at a steady rate while one export runs after the other. */
async function besideExports(patois, reader, verify) {
  const ended = new AbortController();
  const exporting = (async () => {
    while (!ended.signal.aborted) await exportAll(patois, reader, 'csv', ended.signal);
  })();
  const verified = await loadAtRate(verify);
  ended.abort();
  await exporting;
  return verified;
}

/** @returns rows, bytes, seconds, and by how many bytes the server grew at most. */
async function exportAll(patois, reader, format, signal) {
  const before = residentBytes(patois.pid);
  let most = before;
  const sampling = setInterval(() => (most = Math.max(most, residentBytes(patois.pid))), SAMPLE_MS);
  const began = performance.now();
  try {
    const { bytes, end } = await download(
      `${patois.url}/patois/v1/tokens/export?format=${format}`,
      reader,
      signal,
    );
    const [, rows] = /(?:#end,|"rows":)(\d+)/.exec(end) ?? [];
    if (rows === undefined && !signal?.aborted)
      throw new Error(`The export is not whole: ${end.slice(-200)}`);
    const seconds = (performance.now() - began) / 1000;
    return { rows: Number(rows), bytes, seconds, grownBytes: most - before };
  } finally {
    clearInterval(sampling);
  }
}

/** Reads an answer, and keeps no more of it than its end. */
function download(url, reader, signal) {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let end = '';
    const onError = (error) => (signal?.aborted ? resolve({ bytes, end: '' }) : reject(error));
    const request = httpGet(url, { headers: bearer(reader), agent: false, signal }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`The export answered ${response.statusCode}`));
      response.on('error', onError);
      response.on('data', (chunk) => {
        bytes += chunk.length;
        end = (end + chunk.subarray(-200).toString('latin1')).slice(-200);
      });
      response.on('end', () => resolve({ bytes, end }));
    });
    request.on('error', onError);
  });
}

function residentBytes(pid) {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}
