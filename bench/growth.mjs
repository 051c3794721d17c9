// What a call costs as the store grows: the same calls on stores of several sizes, side by side. See docs/PERFORMANCE.md.
import { recordGrowth, renderGrowth } from './report.mjs';
import { Seeder } from './seed.mjs';
import { load, LOADERS } from './support/load.mjs';
import { machine } from './support/machine.mjs';
import { flag, loader, number, numbers, readOptions } from './support/options.mjs';
import { makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres } from './support/postgres.mjs';
import { bearer, get, issue, send } from './support/requests.mjs';
import { fail, inRounds, keep, run, say, show } from './support/run.mjs';
import { median } from './support/statistics.mjs';

const HELP = `node growth.mjs [options]
  --sizes LIST    tokens in the stores (1000,100000,1000000,5000000)
  --rounds N      interleaved rounds (5)
  --seconds N     of each call, store and round (2)
  --loader NAME   ${LOADERS.join(' or ')}; by default the first that is installed
  --record        also writes RESULTS.md and the table of docs/PERFORMANCE.md`;

const DIALECTS = ['foreman', 'yunxiao', 'panther', 'quay', 'losant'];
/** Of each dialect, the tokens of the user whose lists are read: half of them older, half newer than all others. */
const LISTED_A_DIALECT = 20;
const TOKENS_A_USER = 50;
/** Of the largest store, the tokens that are verified; they are spread over all of it. */
const MAX_KNOWN = 20_000;

/** What is measured: `requests` of what is known of a store; `patois` or the one whose cache is off, `cold`. */
const MEASURES = [
  {
    label: '`/verify`, warm',
    server: 'patois',
    requests: ({ tokens }) => tokens.slice(0, 1000).map((token) => get('/verify', bearer(token))),
  },
  {
    label: '`/verify`, cold',
    atMost: 1.5,
    server: 'cold',
    requests: ({ tokens }) => tokens.map((token) => get('/verify', bearer(token))),
  },
  {
    label: 'issue (POST `/patois/v1/tokens`)',
    server: 'patois',
    requests: ({ administrator }) => [issue('admin', administrator)],
  },
  list('Foreman', ({ lister, listed }) =>
    get(`/api/users/${listed.login}/personal_access_tokens`, bearer(lister)),
  ),
  list('Yunxiao', ({ administrator, listed }) =>
    get(`/oapi/v1/platform/users/admin/personalAccessTokens?userId=${listed.id}`, {
      'x-yunxiao-token': administrator,
    }),
  ),
  list('Panther', ({ lister }) => get('/api-tokens', { 'x-api-key': lister })),
  list('Quay', ({ lister }) => get('/api/v1/user/apptoken', bearer(lister))),
  list('Losant', ({ lister }) => get('/me/tokens', bearer(lister))),
  list("Patois' own", ({ lister, listed }) => get(`/patois/v1/tokens?owner=${listed.login}`, bearer(lister))),
];

const options = readOptions(HELP, {
  sizes: numbers('1000,100000,1000000,5000000'),
  rounds: number(5),
  seconds: number(2),
  loader: loader(),
  record: flag(),
});
await run(main);

async function main() {
  const postgres = await keep(Postgres.start());
  const stores = [];
  for (const size of options.sizes) stores.push(await makeStore(postgres, size));
  const cells = MEASURES.flatMap((measure) =>
    stores.map((store) => ({
      measure,
      store,
      url: store[measure.server].url,
      requests: measure.requests(store.known),
      runs: [],
    })),
  );
  for (const cell of cells) {
    await assertAnswers(cell);
    await measureOnce(cell, 1);
  }
  const measure = async (cell) => cell.runs.push(await measureOnce(cell, options.seconds));
  await inRounds(options.rounds, cells, measure, { step: stores.length + 1 });
  const measures = MEASURES.map((measure) => ({
    label: measure.label,
    atMost: measure.atMost,
    medians: cells
      .filter((cell) => cell.measure === measure)
      .map(({ runs }) => median(runs.map(({ p50Ms }) => p50Ms))),
  }));
  const results = {
    at: new Date().toISOString(),
    machine: machine(await postgres.version()),
    options,
    sizes: options.sizes,
    measures,
    cells: cells.map(({ measure, store, runs }) => ({ label: measure.label, size: store.size, runs })),
  };
  show('growth', results, renderGrowth(results));
  if (options.record) recordGrowth(results);
  fail(cells.flatMap(({ runs }) => runs).reduce((sum, each) => sum + each.failures, 0));
}

/** A database of so many tokens, and two Patois on it: as it comes, and with its cache off. */
async function makeStore(postgres, size) {
  const store = { url: await postgres.database(`tokens_${size}`), tokenKeys: makeTokenKeys() };
  const patois = await keep(startPatois(`Patois, ${size}`, store));
  const began = Date.now();
  const known = await Seeder.use(store, async (seeder) => {
    const [listedId] = await seeder.addUsers(1, 'listed');
    const owners = await seeder.addUsers(Math.max(20, Math.ceil(size / TOKENS_A_USER)));
    const addListed = async () => {
      for (const dialect of DIALECTS)
        for (let made = 0; made < LISTED_A_DIALECT / 2; made += 1)
          await seeder.addToken(listedId, { dialect });
    };
    await addListed();
    const tokens = await seeder.addTokens(size, owners, Math.min(size, MAX_KNOWN));
    await addListed();
    return {
      tokens,
      listed: { id: listedId, login: 'listed-1' },
      lister: await seeder.addToken(listedId),
      administrator: await seeder.addToken(seeder.administrator),
    };
  });
  say(`${size} tokens in ${Math.round((Date.now() - began) / 1000)} s`);
  const cold = await keep(startPatois(`Patois, cold, ${size}`, store, { VERIFICATION_MAX_STALENESS: '0' }));
  return { size, patois, cold, known };
}

/** One request at a time: what is asked is what a call costs, not how many fit side by side. */
function measureOnce({ url, requests }, seconds) {
  return load(options.loader, { url, requests, connections: 1, seconds });
}

async function assertAnswers({ measure, url, requests: [request] }) {
  const { status, isGood, text } = await send(url, request);
  const listed = measure.isList ? countOf(JSON.parse(text)) : undefined;
  if (!isGood || (measure.isList && listed < LISTED_A_DIALECT)) {
    throw new Error(`${measure.label} answers ${status}: ${text.slice(0, 300)}`);
  }
}

/** How many entries the longest list of an answer has, wherever the API puts it. */
function countOf(answer) {
  if (Array.isArray(answer)) return answer.length;
  return Math.max(0, ...Object.values(answer).map((value) => (Array.isArray(value) ? value.length : 0)));
}

function list(name, request) {
  return {
    label: `one user's list, ${name}`,
    atMost: 1.5,
    isList: true,
    server: 'patois',
    requests: (known) => [request(known)],
  };
}
