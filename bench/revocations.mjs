// How long it takes to revoke very many tokens, and whether verification goes on undisturbed meanwhile. See
// docs/PERFORMANCE.md.
import { recordRevocations, renderRevocations } from './report.mjs';
import { Seeder } from './seed.mjs';
import { loadAtRate } from './support/load.mjs';
import { machine } from './support/machine.mjs';
import { flag, number, readOptions } from './support/options.mjs';
import { makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres, withClient } from './support/postgres.mjs';
import { bearer, get, send, withJson } from './support/requests.mjs';
import { keep, run, say, show } from './support/run.mjs';

const HELP = `node revocations.mjs [options]
  --tokens N        that are revoked (100000)
  --owned N         of the owner who is deleted (50000)
  --rate N          verifications a second (2000)
  --connections N   that verify (64)
  --seconds N       of verification, alone and beside (15)
  --record          also writes RESULTS.md and the table of docs/PERFORMANCE.md`;

const VERIFIED = 1000;
const options = readOptions(HELP, {
  tokens: number(100_000),
  owned: number(50_000),
  rate: number(2000),
  connections: number(64),
  seconds: number(15),
  record: flag(),
});
await run(main);

async function main() {
  const postgres = await keep(Postgres.start());
  const store = { url: await postgres.database('patois'), tokenKeys: makeTokenKeys() };
  const { url } = await keep(startPatois('Patois', store));
  say('Seeding the store');
  const known = await Seeder.use(store, seed);
  const by = bearer(known.administrator);
  const requests = known.verified.map((value) => get('/verify', bearer(value)));
  const verify = {
    url,
    requests,
    connections: options.connections,
    rate: options.rate,
    seconds: options.seconds,
  };

  say('Verifying alone');
  await loadAtRate({ ...verify, seconds: 3 });
  const alone = await loadAtRate(verify);

  say(`Revoking ${options.tokens} tokens`);
  // Those that are verified, and the owner's, were made later: the seed makes one a second.
  const filter = {
    createdBefore: new Date(Date.UTC(2025, 0, 1) + (options.tokens + 0.5) * 1000).toISOString(),
  };
  const preview = await timed(() =>
    call(url, 'POST', '/patois/v1/revocations', by, { filter, dryRun: true }),
  );
  const expectedCount = preview.answer.count;
  const verifying = loadAtRate(verify);
  const begun = await timed(() =>
    call(url, 'POST', '/patois/v1/revocations', by, { filter, reason: 'measured', expectedCount }),
  );
  const revocation = await watch(store, url, by, begun.answer.id);
  const beside = await verifying;

  say(`Deleting an owner of ${options.owned} tokens`);
  const deletion = await timed(() => call(url, 'DELETE', `/patois/v1/users/${known.owner}`, by));
  const working = await countWorking(url, known.owned);
  const [{ id }] = (await call(url, 'GET', '/patois/v1/jobs?kind=owner-deletion', by)).items;
  const marking = await watch(store, url, by, id);

  const results = {
    at: new Date().toISOString(),
    machine: machine(await postgres.version()),
    options,
    alone,
    beside,
    previewMs: preview.ms,
    begunMs: begun.ms,
    revocation,
    deletionMs: deletion.ms,
    working,
    marking,
  };
  show('revocations', results, renderRevocations(results));
  if (options.record) recordRevocations(results);
  if (alone.failures + beside.failures + working > 0) process.exitCode = 1;
}

async function seed(seeder) {
  const owners = await seeder.addUsers(1000);
  await seeder.addTokens(options.tokens, owners, 0);
  const [keeper, owner] = await seeder.addUsers(2, 'keeper');
  const verified = await seeder.addTargets(VERIFIED, keeper, 'patois');
  const owned = await seeder.addTargets(options.owned, owner, 'quay');
  const administrator = await seeder.addToken(seeder.administrator);
  await seeder.settle();
  return {
    verified: verified.map(({ value }) => value),
    owner,
    owned: owned.slice(0, 100).map(({ value }) => value),
    administrator,
  };
}

/** Follows a job to its end, and the longest that a transaction which locks tokens takes: no token is locked longer. */
async function watch({ url: database }, url, by, id) {
  const began = performance.now();
  return withClient(database, async (client) => {
    let longestMs = 0;
    for (let asked = 0; ; asked += 1) {
      const { rows } = await client.query(
        `SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 * 1000 AS ms
         FROM pg_stat_activity a WHERE application_name = 'patois-changes' AND state <> 'idle' AND EXISTS (
           SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.relation = 'tokens'::regclass
             AND l.mode IN ('RowShareLock', 'RowExclusiveLock'))`,
      );
      longestMs = Math.max(longestMs, rows[0].ms);
      if (asked % 20 === 0) {
        const job = await call(url, 'GET', `/patois/v1/jobs/${id}`, by);
        if (job.endedAt !== null) return { ...job, seconds: (performance.now() - began) / 1000, longestMs };
      }
      await new Promise((resume) => setTimeout(resume, 5));
    }
  });
}

async function countWorking(url, values) {
  const answers = await Promise.all(values.map((value) => send(url, get('/verify', bearer(value)))));
  return answers.filter(({ status }) => status !== 401).length;
}

async function timed(work) {
  const began = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - began };
}

async function call(url, method, path, by, body) {
  const request = body ? withJson(method, path, by, body) : { method, path, headers: by };
  const { isGood, status, text } = await send(url, request);
  if (!isGood) throw new Error(`${method} ${path} answers ${status}: ${text.slice(0, 300)}`);
  return text === '' ? undefined : JSON.parse(text);
}
