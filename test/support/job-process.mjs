// A replica of the built Patois that does nothing but jobs, in a process of its own, which a test may kill and freeze.
// argv: the address of the database, and the timing as JSON. It prints `ready`, and a line for each portion that it begins.
import { randomBytes } from 'node:crypto';
import { AuditWriter } from '../../dist/src/audit/audit.writer.js';
import { createDataSource } from '../../dist/src/data-source.js';
import { ChangeFeed } from '../../dist/src/database/changes/change-feed.js';
import { postgresServer } from '../../dist/src/database/database.js';
import { StatementCounts, Statements } from '../../dist/src/database/statements.js';
import { Transactions } from '../../dist/src/database/transactions.js';
import { AuditKeyRing } from '../../dist/src/hashing/audit-key-ring.js';
import { JobRunner } from '../../dist/src/jobs/job-runner.js';
import { JobStore } from '../../dist/src/jobs/job-store.js';

const [, , url, timing] = process.argv;
const database = postgresServer(url);
const dataSource = await createDataSource(database).initialize();
const counts = new StatementCounts();
const transactions = Transactions.of(database, dataSource, new ChangeFeed(dataSource, false), counts);
const store = new JobStore(dataSource, Statements.of(database, dataSource, counts));
const audit = new AuditWriter(dataSource, new AuditKeyRing([{ name: 'test', secret: randomBytes(32) }]));
const runner = new JobRunner(store, transactions, audit, database, JSON.parse(timing));

const run = (transaction, name, text, values) => transaction.run({ kind: 'test', name, text }, values);

/** Writes rows 1 to `rows`, `each` in a portion, slowly: each of them takes some milliseconds of the database. */
runner.register({
  kind: 'rows',
  async portion({ id, input, state }, transaction) {
    const first = (state?.last ?? 0) + 1;
    const last = Math.min(first + input.each - 1, input.rows);
    process.stdout.write(`portion ${first}\n`);
    const insert = 'INSERT INTO job_rows (job, number) SELECT $1, n FROM generate_series($2::int, $3::int) n';
    await run(transaction, 'rows', insert, [id, first, last]);
    await run(transaction, 'sleep', 'SELECT pg_sleep($1::float8 / 1000)', [input.sleepMs]);
    const done = last - first + 1;
    if (last === input.rows) return { done, total: input.rows, result: { last } };
    return { done, total: input.rows, state: { last } };
  },
});
process.on('SIGTERM', () => void runner.onApplicationShutdown().then(() => process.exit(0)));
// As a server that listens does: alive also while the database is away.
setInterval(() => {}, 60_000);
await runner.onApplicationBootstrap();
process.stdout.write('ready\n');
