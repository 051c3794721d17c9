// Patois and its peers, side by side in one run on one machine. See docs/PERFORMANCE.md.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordBench, renderBench, summarize } from './report.mjs';
import { batches, CONTENDERS, GROUPS, PACED } from './scenarios.mjs';
import { Seeder } from './seed.mjs';
import { isInstalled, load, loadAtRate, LOADERS } from './support/load.mjs';
import { machine } from './support/machine.mjs';
import { Nginx } from './support/nginx.mjs';
import { flag, loader, number, readOptions, words } from './support/options.mjs';
import { fromPatois, makeTokenKeys, startPatois } from './support/patois.mjs';
import { startBetterAuth, startOidcOnPostgres, startOneSelect, startPeer } from './support/peers.mjs';
import { Postgres } from './support/postgres.mjs';
import { send } from './support/requests.mjs';
import { fail, inRounds, keep, run, say, show, temporaryFolder } from './support/run.mjs';
import { median } from './support/statistics.mjs';

const HELP = `node bench.mjs [options]
  --only LIST       groups or contenders, separated by commas: ${GROUPS.join(', ')}, …
  --rounds N        interleaved rounds (5)
  --seconds N       of load, each contender and round (6)
  --warm-up N       seconds of load before the first round, each contender (3)
  --connections N   (64)
  --tokens N        in the store (100000)
  --loader NAME     ${LOADERS.join(' or ')}; by default the first that is installed
  --record          also writes RESULTS.md and the tables of docs/PERFORMANCE.md`;

const options = readOptions(HELP, {
  only: words(),
  rounds: number(5),
  seconds: number(6),
  warmUpSeconds: number(3, 'warm-up'),
  connections: number(64),
  tokens: number(100_000),
  loader: loader(),
  record: flag(),
});
const folder = temporaryFolder();
await run(main);

async function main() {
  const contenders = CONTENDERS.filter(({ id, group }) => isChosen(id) || isChosen(group));
  const postgres = await keep(Postgres.start());
  const store = { url: await postgres.database('patois'), tokenKeys: makeTokenKeys() };
  say('Starting Patois, seeding its store');
  const patois = await keep(startPatois('Patois', store));
  const known = await seed(store);
  const servers = await startServers({ contenders, postgres, store, patois, known });
  const loaded = contenders
    .filter(({ id, server }) => {
      if (!servers[server]) say(`Skipped: ${id} (${server} is not there)`);
      return servers[server];
    })
    .map((contender) => ({
      ...contender,
      server: servers[contender.server],
      requests: contender.requests(known),
      runs: [],
    }));

  for (const { id, server, requests, isPrewarmed } of loaded) {
    await assertAnswers(id, server.url, requests[0]);
    if (isPrewarmed) await prewarm(server.url, batches(known.tokens, known.introspector));
    await measure({ server, requests, connections: options.connections }, options.warmUpSeconds);
  }
  await inRounds(options.rounds, loaded, async (contender) => {
    contender.runs.push(await measure(contender, options.seconds));
  });
  const paced = isChosen('latency') ? await atHalfOfPeak(loaded) : [];

  const results = {
    at: new Date().toISOString(),
    machine: machine(await postgres.version()),
    options,
    contenders: loaded.map(({ id, label, answers = 1, runs }) => ({ id, label, answers, runs })),
    paced,
  };
  const summary = summarize(results);
  show('bench', results, renderBench(summary));
  if (options.record) recordBench(summary);
  fail(summary.failures);
}

/** Tokens of 1,000 users, and the few that stand out. */
async function seed(store) {
  return Seeder.use(store, async (seeder) => {
    const { owners, tokens } = await seeder.addTokensOfUsers(options.tokens);
    const [owner] = owners;
    return {
      tokens: shuffled(tokens),
      token: await seeder.addToken(owner, { dialect: 'quay' }),
      confined: await seeder.addToken(owner, {
        dialect: 'panther',
        allowedCidrs: ['2001:db8::/32', '10.0.0.0/8', '127.0.0.0/8'],
      }),
      introspector: await seeder.addToken(owner, { scopes: ['patois:introspect'] }),
      oidcSecret: randomBytes(24).toString('base64url'),
    };
  });
}

/** Starts whoever a chosen contender needs; adds to `known` what they know. */
async function startServers({ contenders, postgres, store, patois, known }) {
  const { SETTINGS } = await fromPatois('config.js');
  const file = (name) => join(folder, name);
  const tokensOf = (name) => readFileSync(file(name), 'utf8').split('\n');
  const servers = { patois };
  const starts = {
    bare: () => startPeer('bare', 'bare.mjs'),
    bareTogether: () => startPeer('bareTogether', 'bare-together.mjs'),
    oneSelect: () => startOneSelect(store),
    patoisCold: () => startPatois('Patois, cold', store, { VERIFICATION_MAX_STALENESS: '0' }),
    patoisTwoWorkers: () =>
      SETTINGS.workers && startPatois('Patois, two workers', store, { [SETTINGS.workers.variable]: '2' }),
    expressMemory: () => {
      writeFileSync(file('tokens'), [known.token, ...known.tokens].join('\n'));
      return startPeer('express', 'express-bearer.mjs', { TOKENS_FILE: file('tokens') });
    },
    expressSelect: () => startPeer('express, select', 'express-bearer.mjs', { DATABASE_URL: store.url }),
    betterAuth: async () => {
      const server = await startBetterAuth(postgres, file('better-auth'));
      known.betterAuthKeys = tokensOf('better-auth');
      return server;
    },
    oidcMemory: async () => {
      const environment = { TOKENS_FILE: file('oidc-memory'), CLIENT_SECRET: known.oidcSecret };
      const server = await startPeer('oidc-provider', 'oidc-provider.mjs', environment);
      known.oidcMemoryTokens = tokensOf('oidc-memory');
      return server;
    },
    oidcPostgres: async () => {
      const server = await startOidcOnPostgres(postgres, file('oidc-postgres'), known.oidcSecret, {
        TOKENS: '1000',
      });
      known.oidcPostgresTokens = tokensOf('oidc-postgres');
      return server;
    },
    nginxBare: async () => {
      if (!isInstalled('nginx')) return undefined;
      servers.bare ??= await keep(starts.bare());
      return Nginx.start('nginx', servers.bare, '/');
    },
    nginxPatois: () => (isInstalled('nginx') ? Nginx.start('nginx', patois, '/verify') : undefined),
  };
  for (const name of new Set(contenders.map(({ server }) => server))) {
    if (!servers[name]) servers[name] = await keep(starts[name]());
  }
  return servers;
}

/** One load of one contender, with the processor time that its server took. */
async function measure({ server, requests, connections = options.connections }, seconds) {
  const lookupsBefore = await lookupsOf(server);
  const cpuBefore = server.cpuSeconds();
  const result = await load(options.loader, { url: server.url, requests, connections, seconds });
  const cpuSeconds = server.cpuSeconds() - cpuBefore;
  return { ...result, cpuSeconds, lookups: (await lookupsOf(server)) - lookupsBefore };
}

/** How often a Patois has asked its database so far: a warm one must not. */
async function lookupsOf({ name, url }) {
  if (!name.startsWith('Patois')) return 0;
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^patois_lookups_total (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

/** The latency of some contenders at half of the rate that they reached. */
async function atHalfOfPeak(loaded) {
  const chosen = loaded
    .filter(({ id }) => PACED.includes(id))
    .map(({ id, label, server, requests, answers = 1, runs }) => {
      const rate = Math.round(median(runs.map((each) => each.requests / each.seconds)) / 2);
      return { id, label, answers, rate, runs: [], job: { url: server.url, requests, rate } };
    });
  const { connections, rounds, seconds } = options;
  const atRate = async ({ job, runs }) => runs.push(await loadAtRate({ ...job, connections, seconds }));
  await inRounds(rounds, chosen, atRate, { title: 'Half of the peak rate, round' });
  return chosen.map(({ id, label, rate, runs }) => ({ id, label, rate, runs }));
}

/** Has every token looked up once. A store that cannot keep up is asked again: what it has told is remembered. */
async function prewarm(url, requests) {
  for (const request of requests) {
    for (let attempt = 1; ; attempt += 1) {
      const { status, isGood, text } = await send(url, request);
      if (isGood && !text.includes('"active":false')) break;
      if (attempt === 20) throw new Error(`The warm-up is answered ${status}: ${text.slice(0, 200)}`);
    }
  }
}

async function assertAnswers(id, url, request) {
  const { status, isGood, text } = await send(url, request);
  if (!isGood || text.includes('"active":false')) {
    throw new Error(`${id} answers ${status}: ${text.slice(0, 200)}`);
  }
}

function shuffled(list) {
  return list
    .map((value) => ({ value, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ value }) => value);
}

function isChosen(name) {
  return options.only === undefined || options.only.includes(name);
}
