// What a change costs: issue, rotate and revoke, Patois and its peers side by side in one run. See docs/PERFORMANCE.md.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { recordWrites, renderWrites, summarizeWrites } from './report.mjs';
import { Seeder } from './seed.mjs';
import { loadInTurn } from './support/load.mjs';
import { machine } from './support/machine.mjs';
import { flag, number, readOptions, words } from './support/options.mjs';
import { makeTokenKeys, startPatois } from './support/patois.mjs';
import { startBetterAuth, startOidcOnPostgres, startOneSelect, startPeer } from './support/peers.mjs';
import { Postgres } from './support/postgres.mjs';
import { send } from './support/requests.mjs';
import { fail, inRounds, keep, run, say, show, temporaryFolder } from './support/run.mjs';
import { CONTENDERS, GROUPS, TARGETS_IN_TURN } from './write-scenarios.mjs';

const HELP = `node writes.mjs [options]
  --only LIST       groups or contenders, separated by commas: ${GROUPS.join(', ')}, …
  --rounds N        interleaved rounds (3)
  --seconds N       of load, each contender and round (4)
  --warm-up N       seconds of load before the first round, each contender (3)
  --connections N   (8)
  --tokens N        in the stores (100000)
  --record          also writes RESULTS.md and the tables of docs/PERFORMANCE.md`;

/** Requests a second that nobody exceeds while warming up, where none may be sent twice. */
const WARM_UP_RATE = 4000;
/** In the rounds there are so many times more requests than were answered while warming up. */
const RESERVE = 3;

const options = readOptions(HELP, {
  only: words(),
  rounds: number(3),
  seconds: number(4),
  warmUpSeconds: number(3, 'warm-up'),
  connections: number(8),
  tokens: number(100_000),
  record: flag(),
});
const folder = temporaryFolder();
await run(main);

async function main() {
  const chosen = CONTENDERS.filter(({ id, group }) => isChosen(id) || isChosen(group));
  const postgres = await keep(Postgres.start());
  const tokenKeys = makeTokenKeys();
  const stores = {
    patois: { url: await postgres.database('patois'), tokenKeys },
    bare: { url: await postgres.database('bare'), tokenKeys },
  };
  say('Starting the servers');
  const known = { oidcSecret: randomBytes(24).toString('base64url') };
  const servers = await startServers({ chosen, postgres, stores, known });
  say('Seeding the stores');
  for (const store of Object.values(stores)) await fill(store);

  const loaded = [];
  for (const contender of chosen) {
    const one = { ...contender, server: servers[contender.server], runs: [] };
    one.store = stores[contender.server === 'bare' ? 'bare' : 'patois'];
    one.known = { ...known, ...(await Seeder.use(one.store, (seeder) => makeCaller(seeder, contender.id))) };
    if (await warmUp(one, postgres)) loaded.push(one);
  }
  say('Seeding what is to be changed');
  for (const contender of loaded) await prepareRounds(contender);
  for (const store of Object.values(stores)) await Seeder.use(store, (seeder) => seeder.settle());

  const measureRound = async (contender, round) => {
    const requests = contender.isOnce ? contender.lists[round] : contender.requestsInTurn;
    contender.runs.push(await measure(contender, postgres, requests, options.seconds));
  };
  await inRounds(options.rounds, loaded, measureRound, { step: 5 });

  const results = {
    at: new Date().toISOString(),
    machine: machine(await postgres.version()),
    options,
    contenders: loaded.map(({ id, label, answers = 1, runs }) => ({ id, label, answers, runs })),
  };
  const summary = summarizeWrites(results);
  show('writes', results, renderWrites(summary));
  if (options.record) recordWrites(summary);
  fail(summary.failures);
}

/** Starts whoever a chosen contender needs. Both stores get their tables from Patois. */
async function startServers({ chosen, postgres, stores, known }) {
  const starts = {
    bare: () => {
      const { url, tokenKeys } = stores.bare;
      return startPeer('by hand', 'writes.mjs', { DATABASE_URL: url, TOKEN_KEYS: tokenKeys });
    },
    oneSelect: () => startOneSelect(stores.patois),
    betterAuth: () => startBetterAuth(postgres, join(folder, 'better-auth'), { KEYS: '1' }),
    oidcPostgres: () => startOidcOnPostgres(postgres, join(folder, 'oidc'), known.oidcSecret),
  };
  const servers = { patois: await keep(startPatois('Patois', stores.patois)) };
  const forItsTables = await startPatois('Patois, for its tables', stores.bare);
  await forItsTables.stop();
  for (const name of new Set(chosen.map(({ server }) => server)))
    servers[name] ??= await keep(starts[name]());
  return servers;
}

/** Other users' tokens, whose values nobody knows. */
async function fill(store) {
  await Seeder.use(store, async (seeder) => {
    await seeder.addTokensOfUsers(options.tokens, 0, 'other');
  });
}

/** A user of one contender's own, so that no two contenders lock the same rows. */
async function makeCaller(seeder, id) {
  const [userId] = await seeder.addUsers(1, id);
  return {
    caller: { id: userId, login: `${id}-1`, value: await seeder.addToken(userId) },
    administrator: await seeder.addToken(seeder.administrator),
  };
}

/** Makes a contender's requests; `tag` makes those unique that must be. */
async function requestsOf({ store, targets: dialect, requests, known }, count, tag) {
  const targets =
    dialect && (await Seeder.use(store, (seeder) => seeder.addTargets(count, known.caller.id, dialect)));
  return requests({ ...known, targets, count, tag });
}

/** Asks once, then for some seconds. Gives whether there is such a route. */
async function warmUp(contender, postgres) {
  const { id, isOnce, isOptional, server } = contender;
  const seconds = options.warmUpSeconds;
  const count = isOnce ? 1 + Math.ceil(seconds * WARM_UP_RATE) : TARGETS_IN_TURN;
  const requests = await requestsOf(contender, count, 'warm-up');
  const [first] = isOnce ? requests.splice(0, 1) : requests;
  const { status, isGood, text } = await send(server.url, first);
  if (isOptional && (status === 404 || status === 405)) {
    say(`Skipped: ${id} (no such route)`);
    return false;
  }
  if (!isGood) throw new Error(`${id} answers ${status}: ${text.slice(0, 300)}`);
  const warm = await measure(contender, postgres, requests, seconds);
  contender.warmRate = warm.requests / warm.seconds || WARM_UP_RATE;
  if (!isOnce) contender.requestsInTurn = requests;
  return true;
}

/** Makes, before the first round, all requests that may not be sent twice. */
async function prepareRounds(contender) {
  if (!contender.isOnce) return;
  const count = 100 + Math.ceil(contender.warmRate * options.seconds * RESERVE);
  contender.lists = [];
  for (let round = 0; round < options.rounds; round += 1)
    contender.lists.push(await requestsOf(contender, count, `round ${round}`));
}

/** One load of one contender, with the processor time that its server and PostgreSQL took. */
async function measure(
  { server, isOnce = false, connections = options.connections },
  postgres,
  requests,
  seconds,
) {
  const [cpuBefore, postgresBefore] = [server.cpuSeconds(), postgres.cpuSeconds()];
  const result = await loadInTurn({ url: server.url, requests, connections, seconds, isOnce });
  return {
    ...result,
    cpuSeconds: server.cpuSeconds() - cpuBefore,
    postgresCpuSeconds: postgres.cpuSeconds() - postgresBefore,
  };
}

function isChosen(name) {
  return options.only === undefined || options.only.includes(name);
}
