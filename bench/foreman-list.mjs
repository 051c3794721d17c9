// How long a page, a search and a sorted page of one user's 100,000 tokens take while other users' tokens grow.
//
//   npm run build && BENCH_DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres node bench/foreman-list.mjs
//
// Makes a database for each size on that server, starts the built Patois on it, and drops the database at the end.
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import pg from 'pg';
import { makeTokenKeys, startPatois } from './support/patois.mjs';
import { withClient } from './support/postgres.mjs';
import { keep, run } from './support/run.mjs';

const SERVER = process.env.BENCH_DATABASE_URL;
if (!SERVER)
  throw new Error('BENCH_DATABASE_URL must name a PostgreSQL server, postgres://user@host:port/postgres');

const OWN_TOKENS = 100_000;
const OTHERS_TOKENS = (process.env.BENCH_OTHERS ?? '10000,100000,1000000').split(',').map(Number);
const TOKENS_OF_ANOTHER = 100;
const RUNS = 60;
const WARM_UPS = 5;
const PASSWORD = 'a password of the bench';

const LISTS = {
  'first page': '',
  'page 2500': 'page=2500',
  'name = x': `search=${encodeURIComponent('name = "token 054321"')}`,
  'name ~ x': `search=${encodeURIComponent('name ~ "054321"')}`,
  'order=name DESC': 'order=name%20DESC',
  'order=name, page 2500': 'order=name&page=2500',
  'order=expires_at': 'order=expires_at',
};

const columns = `id, token_id, dialect, owner_id, organization_id, name, unique_name, scopes, allowed_cidrs, inactive,
  expires_at, created_at, digest, digest_key, dialect_fields`;
/** Rows as Patois itself would store them, but for digests that match nothing. */
const values = `gen_random_uuid(), 'pt-' || substr(md5(n::text || owner.id::text), 1, 12), 'foreman', owner.id,
  owner.organization_id, 'token ' || lpad(n::text, 6, '0'), 'token ' || lpad(n::text, 6, '0'), '{foreman:*}', '{}', false,
  CASE WHEN n % 3 = 0 THEN now() + n * interval '1 minute' END, now(), sha256(n::text::bytea), 'none', '{}'`;

async function seed(client, others) {
  const { rows } = await client.query(`SELECT id FROM organizations WHERE name = 'Default'`);
  const users = others / TOKENS_OF_ANOTHER;
  await client.query(
    `INSERT INTO users (id, login, role, permissions, organization_id, disabled, created_at, updated_at)
     SELECT gen_random_uuid(), 'user' || n, 'member', '{}', $1, false, now(), now() FROM generate_series(1, $2::int) n`,
    [rows[0].id, users],
  );
  await client.query(
    `INSERT INTO tokens (${columns}) SELECT ${values} FROM users owner, generate_series(1, $1::int) n WHERE owner.login = 'admin'`,
    [OWN_TOKENS],
  );
  await client.query(
    `INSERT INTO tokens (${columns}) SELECT ${values} FROM users owner, generate_series(1, $1::int) n WHERE owner.login <> 'admin'`,
    [TOKENS_OF_ANOTHER],
  );
  await client.query('VACUUM ANALYZE');
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function ask(url, method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { agent, method, headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode >= 300) reject(new Error(`${path}: ${response.statusCode} ${text}`));
        else resolve(JSON.parse(text));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Milliseconds: the median and the slowest but few of a list's answers. */
async function measure(url, query, headers) {
  const times = [];
  for (let run = -WARM_UPS; run < RUNS; run += 1) {
    const begin = performance.now();
    await ask(url, 'GET', `/api/users/admin/personal_access_tokens?${query}`, headers);
    if (run >= 0) times.push(performance.now() - begin);
  }
  times.sort((one, other) => one - other);
  const at = (share) => times[Math.floor(share * (times.length - 1))].toFixed(1);
  return { median: at(0.5), p95: at(0.95) };
}

async function measureLists(admin, others) {
  const name = `patois_foreman_bench_${randomBytes(4).toString('hex')}`;
  await admin.query(`CREATE DATABASE ${name}`);
  const database = await keep({ stop: () => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) });
  const store = {
    url: Object.assign(new URL(SERVER), { pathname: `/${name}` }).href,
    tokenKeys: makeTokenKeys(),
  };
  const patois = await keep(startPatois('Patois', store, { ADMIN_PASSWORD: PASSWORD }));
  const { url } = patois;
  await withClient(store.url, (client) => seed(client, others));
  const basic = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`;
  const body = JSON.stringify({ name: 'the caller' });
  const json = { authorization: basic, 'content-type': 'application/json' };
  const created = await ask(url, 'POST', '/api/users/admin/personal_access_tokens', json, body);
  const headers = { authorization: `Bearer ${created.token_value}` };
  const { total } = await ask(url, 'GET', '/api/users/admin/personal_access_tokens', headers);
  const result = { others, total };
  for (const [list, query] of Object.entries(LISTS)) {
    const { median, p95 } = await measure(url, query, headers);
    result[list] = `${median} / ${p95}`;
  }
  await patois.stop();
  await database.stop();
  return result;
}

await run(async () => {
  const admin = new pg.Client({ connectionString: SERVER });
  await admin.connect();
  await keep({ stop: () => admin.end() });
  await keep({ stop: () => agent.destroy() });
  const results = [];
  for (const others of OTHERS_TOKENS) results.push(await measureLists(admin, others));
  const head = [
    "others' tokens",
    "the user's",
    ...Object.keys(LISTS).map((list) => `${list} (ms, median / p95)`),
  ];
  console.log(`| ${head.join(' | ')} |`);
  console.log(`|${head.map(() => '---').join('|')}|`);
  for (const { others, total, ...lists } of results) {
    console.log(`| ${[others, total, ...Object.values(lists)].join(' | ')} |`);
  }
});
