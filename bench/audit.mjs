// What the seals over the audit trail cost: issuing beside sealing and without it, the verification of many events, and
// bytes. See docs/PERFORMANCE.md.
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Seeder } from './seed.mjs';
import { loadInTurn } from './support/load.mjs';
import { machine } from './support/machine.mjs';
import { number, readOptions, words } from './support/options.mjs';
import { fromPatois, makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres, withClient } from './support/postgres.mjs';
import { freePort, ServerProcess } from './support/processes.mjs';
import { issue } from './support/requests.mjs';
import { fail, inRounds, keep, run, say, show } from './support/run.mjs';
import { median } from './support/statistics.mjs';

const HELP = `node audit.mjs [options]
  --rounds N       interleaved rounds (5)
  --seconds N      of load, each contender and round (8)
  --connections N  writers (16)
  --events N       to verify (1000000)
  --base FOLDER    another version of Patois, built: a contender as well`;

/** That of `LOCKS.schedule`: who holds it keeps a server from all scheduled work, sealing too. */
const SCHEDULE_LOCK = 7_245_114;
const EVENTS_A_STATEMENT = 1_000;

const options = readOptions(HELP, {
  rounds: number(5),
  seconds: number(8),
  connections: number(16),
  events: number(1_000_000),
  base: words(),
});
await run(main);

async function main() {
  const postgres = await keep(Postgres.start());
  const issuing = await measureIssuing(postgres);
  const verifying = options.events > 0 ? await measureVerification(postgres) : undefined;
  const text = [...renderIssuing(issuing), '', ...(verifying ? renderVerification(verifying) : [])].join(
    '\n',
  );
  const about = machine(await postgres.version());
  show('audit', { at: new Date().toISOString(), machine: about, options, issuing, verifying }, text);
  fail(issuing.flatMap(({ runs }) => runs).reduce((sum, { failures }) => sum + failures, 0));
}

async function measureIssuing(postgres) {
  const contenders = [
    await contender(postgres, 'sealed', 'sealed', startPatois),
    await contender(postgres, 'unsealed', 'not sealed, without ordinals', startPatois, withoutSealing),
  ];
  const [base] = options.base ?? [];
  if (base) contenders.push(await contender(postgres, 'base', 'the version before seals', startOf(base)));
  for (const one of contenders) await load(one, 3);
  await inRounds(options.rounds, contenders, async (one) => {
    // Both count: on a machine that does other work beside, processor time says more than the rate.
    const cpuSeconds = () => one.server.cpuSeconds() + postgres.cpuSeconds();
    const before = cpuSeconds();
    const run = await load(one, options.seconds);
    one.runs.push({ ...run, cpuMs: ((cpuSeconds() - before) * 1000) / run.sent });
  });
  return contenders.map(({ label, runs }) => ({ label, runs }));
}

async function contender(postgres, name, label, start, prepare = async () => {}) {
  const store = { url: await postgres.database(name), tokenKeys: makeTokenKeys() };
  // For its tables.
  const first = await start(label, store);
  await first.stop();
  await prepare(store);
  const server = await keep(start(label, store));
  const value = await Seeder.use(store, (seeder) => seeder.addToken(seeder.administrator));
  return { label, server, url: server.url, requests: [issue('admin', value)], runs: [] };
}

/** Keeps a server on this store from sealing, and events from having ordinals. */
async function withoutSealing({ url }) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`SELECT pg_advisory_lock(${SCHEDULE_LOCK})`);
  await client.query('ALTER TABLE audit_events ALTER ordinal DROP DEFAULT');
  await client.query('DROP INDEX audit_events_ordinal');
  await keep({ stop: () => client.end() });
}

/** Starts another version. */
function startOf(folder) {
  return async (name, { url, tokenKeys }) =>
    ServerProcess.start(name, join(folder, 'dist/server/main.js'), {
      NODE_ENV: 'production',
      PORT: String(await freePort()),
      DATABASE_URL: url,
      TOKEN_KEYS: tokenKeys,
      ADMIN_PASSWORD: randomBytes(18).toString('base64url'),
      BCRYPT_COST: '4',
    });
}

function load({ url, requests }, seconds) {
  return loadInTurn({ url, requests, connections: options.connections, seconds });
}

function renderIssuing(contenders) {
  const rates = (runs) => runs.map(({ requests, seconds }) => requests / seconds);
  const [sealed] = contenders;
  return [
    `| ${options.connections} writers issue tokens | a second | p99 ms | max ms | CPU ms each, with PostgreSQL | rate: sealed is of it | CPU: it is of sealed |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...contenders.map(({ label, runs }) => {
      const ratios = rates(sealed.runs).map((rate, round) => rate / rates(runs)[round]);
      const cpuRatios = runs.map(({ cpuMs }, round) => cpuMs / sealed.runs[round].cpuMs);
      const cpu = median(runs.map((one) => one.cpuMs)).toFixed(2);
      const p99 = median(runs.map((one) => one.p99Ms)).toFixed(1);
      const longest = Math.max(...runs.map((one) => one.maxMs)).toFixed(0);
      return `| ${label} | ${median(rates(runs)).toFixed(0)} | ${p99} | ${longest} | ${cpu} | ${median(ratios).toFixed(2)} | ${median(cpuRatios).toFixed(2)} |`;
    }),
  ];
}

async function measureVerification(postgres) {
  const store = { url: await postgres.database('verified'), tokenKeys: makeTokenKeys() };
  const first = await startPatois('Patois, for its tables', store);
  await first.stop();
  const value = await Seeder.use(store, (seeder) => seeder.addToken(seeder.administrator));
  say(`Writing ${options.events} events`);
  await writeEvents(store);
  const server = await keep(startPatois('Patois', store));
  const begun = performance.now();
  const question =
    'SELECT count(*)::int AS count FROM audit_events WHERE ordinal > (SELECT through FROM audit_sealing)';
  for (let left = 1; left > 0;) {
    await new Promise((resume) => setTimeout(resume, 500));
    left = await withClient(store.url, async (client) => (await client.query(question)).rows[0].count);
  }
  const sealSeconds = (performance.now() - begun) / 1000;
  const bytes = await withClient(store.url, async (client) => {
    const text = `
      SELECT pg_total_relation_size('audit_seals')::float8 / $1 AS seals,
        pg_relation_size('audit_events_ordinal')::float8 / $1 AS index,
        (SELECT avg(pg_column_size(ordinal) + pg_column_size(mac))::float8 FROM audit_events) AS columns,
        pg_total_relation_size('audit_events')::float8 / $1 AS all`;
    return (await client.query(text, [options.events])).rows[0];
  });
  const headers = { authorization: `Bearer ${value}` };
  const ask = async (path, method = 'GET') => (await fetch(server.url + path, { method, headers })).json();
  const startedAt = performance.now();
  const { id } = await ask('/patois/v1/audit-seals/verification', 'POST');
  let job = await ask(`/patois/v1/jobs/${id}`);
  while (job.endedAt === null) {
    await new Promise((resume) => setTimeout(resume, 200));
    job = await ask(`/patois/v1/jobs/${id}`);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  if (job.status !== 'done' || job.result.problem) throw new Error(`It did not hold: ${JSON.stringify(job)}`);
  return { sealSeconds, seconds, bytes, result: job.result };
}

/** Writes events as a server does, many in a statement. */
async function writeEvents({ url, tokenKeys }) {
  const { AuditWriter, SYSTEM } = await fromPatois('audit/audit.writer.js');
  const { AuditKeyRing } = await fromPatois('hashing/audit-key-ring.js');
  const { parseTokenKeys } = await fromPatois('config.js');
  const { createDataSource } = await fromPatois('data-source.js');
  const { postgresServer } = await fromPatois('database/database.js');
  const dataSource = await createDataSource(postgresServer(url)).initialize();
  const audit = new AuditWriter(dataSource, new AuditKeyRing(parseTokenKeys(tokenKeys)));
  const runner = { run: ({ text }, values) => dataSource.query(text, values) };
  const actor = { ...SYSTEM, address: '203.0.113.7', userAgent: 'curl/8.5.0' };
  for (let written = 0; written < options.events; written += EVENTS_A_STATEMENT) {
    const entries = Array.from({ length: EVENTS_A_STATEMENT }, () => ({
      actor: { ...actor, requestId: randomUUID() },
      action: 'token.create',
      object: { type: 'token', id: 'pt-4fK2mZq81LxT' },
      after: {
        dialect: 'patois',
        owner: randomUUID(),
        name: 'issued',
        description: null,
        scopes: ['patois:introspect'],
        allowedCidrs: [],
        status: 'active',
        expiresAt: null,
      },
    }));
    await audit.write(runner, entries);
  }
  await dataSource.destroy();
}

function renderVerification({ sealSeconds, seconds, bytes, result }) {
  const whole = (figure) => figure.toFixed(0);
  return [
    `| ${options.events.toLocaleString('en')} events | |`,
    '| --- | --- |',
    `| to seal them, all at once | ${whole(sealSeconds)} s |`,
    `| to verify them, under ${result.seals.toLocaleString('en')} seals | ${whole(seconds)} s |`,
    `| bytes an event: the event with its indexes | ${whole(bytes.all)} |`,
    `| of these ordinal, code and the index of the ordinal | ${whole(bytes.columns + bytes.index)} |`,
    `| the seals | ${whole(bytes.seals)} |`,
  ];
}
