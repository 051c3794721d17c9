// What lists and counts of very many tokens cost: each filter, each order, the first page and one deep inside, for who sees
// everything and for who sees one organization. See docs/PERFORMANCE.md.
import { recordInventory, renderInventory } from './report.mjs';
import { DIALECTS, fillInventory, PASSWORD } from './support/inventory-store.mjs';
import { machine } from './support/machine.mjs';
import { flag, number, readOptions } from './support/options.mjs';
import { fromPatois, makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres, withClient } from './support/postgres.mjs';
import { bearer, get, send, withJson } from './support/requests.mjs';
import { fail, inRounds, keep, run, say, show } from './support/run.mjs';

const HELP = `node inventory.mjs [options]
  --tokens N          in the store (1000000)
  --owners N          of these tokens (20000)
  --organizations N   of these owners (50)
  --events N          of the audit trail (2000000)
  --rounds N          requests of each kind (30)
  --only TEXT         what has this in its name
  --server URL        keeps the store there, in the database patois_inventory, and finds it again in the next run;
                      by default a server of the run's own
  --record            also writes RESULTS.md and the table of docs/PERFORMANCE.md`;

const SORTS = ['createdAt', 'name', 'lastUsedAt', 'expiresAt'].flatMap((field) => [field, `-${field}`]);
const DATABASE = 'patois_inventory';

const options = readOptions(HELP, {
  tokens: number(1_000_000),
  owners: number(20_000),
  organizations: number(50),
  events: number(2_000_000),
  rounds: number(30),
  only: { read: (text) => text },
  server: { read: (text) => text },
  record: flag(),
});
await run(main);

async function main() {
  const { url, version } = await openStore();
  const patois = await keep(startPatois('Patois', { url, tokenKeys: makeTokenKeys() }));
  await withClient(url, async (client) => {
    const measures = (await measuresOf(patois.url, client)).filter(
      ({ label }) => options.only === undefined || label.includes(options.only),
    );
    for (const measure of measures) await prepare(patois.url, client, measure);
    await inRounds(options.rounds, measures, (measure) => measureOnce(patois.url, client, measure), {
      step: 7,
    });
    const results = {
      at: new Date().toISOString(),
      machine: machine(version),
      options,
      measures: measures.map(({ label, caller, rows, aim, times, plain }) => ({
        label,
        caller,
        rows,
        aim,
        times,
        plain,
      })),
    };
    show('inventory', results, renderInventory(results));
    if (options.record) recordInventory(results);
    fail(measures.reduce((sum, { failures }) => sum + failures, 0));
  });
}

/** The store, filled if it is not there yet. */
async function openStore() {
  const server = options.server ?? (await keepServer());
  const url = new URL(server);
  url.pathname = `/${DATABASE}`;
  const { isThere, version } = await withClient(server, async (client) => {
    const { rows } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rows.length === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    const { rows: shown } = await client.query('SHOW server_version');
    return { isThere: rows.length > 0, version: shown[0].server_version.split(/[. ]/)[0] };
  });
  if (!isThere) {
    const first = await startPatois('Patois, for its tables', { url: url.href, tokenKeys: makeTokenKeys() });
    await first.stop();
    const began = Date.now();
    await fillInventory(url.href, options, say);
    say(`${options.tokens} tokens in ${Math.round((Date.now() - began) / 1000)} s`);
  }
  return { url: url.href, version };
}

async function keepServer() {
  const postgres = await keep(Postgres.start());
  return postgres.url();
}

async function measuresOf(url, client) {
  const callers = {
    administrator: await callerOf(url, 'admin'),
    head: await callerOf(url, 'head'),
  };
  const { rows: roots } = await client.query(
    `SELECT u.id, u.login, u.organization_id FROM users u WHERE login IN ('head', 'most', 'list-quay')`,
  );
  const user = Object.fromEntries(roots.map((row) => [row.login, row]));
  const { rows: others } = await client.query(
    `SELECT login FROM users WHERE login LIKE 'owner-%' AND organization_id <> $1 LIMIT 1`,
    [user.head.organization_id],
  );
  const { rows: samples } = await client.query(
    `SELECT token_id, name FROM tokens WHERE organization_id = $1 ORDER BY id LIMIT 1`,
    [user.head.organization_id],
  );
  const rare = samples[0].name.slice(-7);
  const days = (count) => encodeURIComponent(new Date(Date.now() + count * 86_400_000).toISOString());
  const filters = {
    'no filter': '',
    'owner of few': `owner=${others[0].login}`,
    'owner of 5,000': 'owner=list-quay',
    'owner of 50,000': 'owner=most',
    organization: `organization=Team%203`,
    dialect: 'dialect=quay',
    'dialect of nobody': 'dialect=patois&scope=nothing',
    'status active': 'status=active',
    'status inactive': 'status=inactive',
    'status expired': 'status=expired',
    'status revoked': 'status=revoked',
    'scope of many': 'scope=user%3Aadmin',
    'scope of nobody': 'scope=nothing',
    'q of many': 'q=deploy',
    'q of few': `q=${rare}`,
    'q of nobody': 'q=zzzzzz',
    'q a token id': `q=${samples[0].token_id}`,
    'createdBefore, few': `createdBefore=${days(-1099)}`,
    createdBefore: `createdBefore=${days(-300)}`,
    createdAfter: `createdAfter=${days(-10)}`,
    'createdAfter, nobody': `createdAfter=${days(1)}`,
    'lastUsedBefore, few': `lastUsedBefore=${days(-399.9)}`,
    'lastUsedBefore, nobody': `lastUsedBefore=${days(-4000)}`,
    'lastUsedBefore, many': `lastUsedBefore=${days(-90)}`,
    neverUsed: 'neverUsed=true',
    'neverUsed=false': 'neverUsed=false',
    'expiresBefore, few': `expiresBefore=${days(-359)}`,
    expiresBefore: `expiresBefore=${days(30)}`,
    'expiresAfter, few': `expiresAfter=${days(539)}`,
    'expiresAfter, nobody': `expiresAfter=${days(4000)}`,
    withoutExpiry: 'withoutExpiry=true',
    withoutCidrs: 'withoutCidrs=true',
    'withoutCidrs=false': 'withoutCidrs=false',
    allowsAddress: 'allowsAddress=10.7.1.1',
    'createdBy of 50,000': 'createdBy=most',
    'createdBy of nobody': 'createdBy=admin',
    violatesPolicy: 'violatesPolicy=true',
  };
  const measures = [];
  for (const [caller, headers] of Object.entries(callers)) {
    const list = (label, query) =>
      measures.push({ label, caller, aim: 100, request: get(`/patois/v1/tokens?${query}`, headers) });
    for (const [label, query] of Object.entries(filters)) list(label, query);
    list('limit=1000', 'limit=1000');
    for (const sort of SORTS) {
      list(`sort=${sort}`, `sort=${sort}`);
      const cursor = await deepCursor(
        client,
        sort,
        caller === 'head' ? user.head.organization_id : undefined,
      );
      list(`sort=${sort}, deep inside`, `sort=${sort}&cursor=${cursor}`);
    }
    for (const sort of ['name', 'lastUsedAt', '-expiresAt']) {
      list(`owner of 50,000, sort=${sort}`, `owner=most&sort=${sort}`);
      list(
        `owner of few, sort=${sort}`,
        `owner=${caller === 'head' ? 'head' : others[0].login}&sort=${sort}`,
      );
    }
    measures.push({
      label: 'summary',
      caller,
      aim: 300,
      request: get('/patois/v1/tokens/summary', headers),
    });
    measures.push({
      label: 'summary of an owner of 50,000',
      caller,
      aim: 300,
      request: get('/patois/v1/tokens/summary?owner=most', headers),
    });
  }
  const { administrator } = callers;
  const audit = (label, query) =>
    measures.push({
      label: `audit: ${label}`,
      caller: 'administrator',
      aim: 100,
      request: get(`/patois/v1/audit-events?${query}`, administrator),
    });
  audit('no filter', '');
  audit('action', 'action=token.update');
  audit('action that never was', 'action=user.delete');
  audit('address', 'address=203.0.113.7');
  audit('address that never was', 'address=192.0.2.1');
  const { rows: events } = await client.query('SELECT request_id FROM audit_events LIMIT 1');
  audit('requestId', `requestId=${events[0].request_id}`);
  audit('owner of few', 'owner=owner-7000');
  audit('owner of 50,000', 'owner=most');
  audit('owner of nothing', 'owner=head');
  audit('organization', 'organization=Team%203');
  for (const dialect of DIALECTS) {
    const lister = await callerOf(url, `list-${dialect}`);
    const { value } = lister;
    const path = {
      foreman: `/api/users/list-foreman/personal_access_tokens`,
      yunxiao: `/oapi/v1/platform/users/admin/personalAccessTokens?userId=${(await userOf(url, administrator, 'list-yunxiao')).id}`,
      panther: '/api-tokens',
      quay: '/api/v1/user/apptoken',
      losant: '/me/tokens',
    }[dialect];
    const headers = {
      yunxiao: { 'x-yunxiao-token': administrator.value },
      panther: { 'x-api-key': value },
    }[dialect];
    measures.push({
      label: `${dialect}, owner of 5,000`,
      caller: dialect === 'yunxiao' ? 'administrator' : 'owner',
      aim: 100,
      request: get(path, headers ?? lister),
    });
  }
  const mostId = user.most.id;
  measures.push({
    label: 'yunxiao, owner of 50,000, whole',
    caller: 'administrator',
    request: get(`/oapi/v1/platform/users/admin/personalAccessTokens?userId=${mostId}`, {
      'x-yunxiao-token': administrator.value,
    }),
  });
  measures.push({
    label: 'quay, all of the store, whole',
    caller: 'administrator',
    request: get('/api/v1/superuser/apptokens', administrator),
  });
  return measures.map((measure) => ({ ...measure, times: [], plain: [], failures: 0 }));
}

/** A token of a user's own, as headers; its value besides. */
async function callerOf(url, login) {
  const basic = { authorization: `Basic ${Buffer.from(`${login}:${PASSWORD}`).toString('base64')}` };
  const made = await send(
    url,
    withJson('POST', '/patois/v1/tokens', basic, {
      dialect: 'patois',
      owner: login,
      name: 'lister',
      scopes: ['*'],
    }),
  );
  if (!made.isGood) throw new Error(`${login} gets no token: ${made.status} ${made.text}`);
  const { token } = JSON.parse(made.text);
  return Object.defineProperty(bearer(token), 'value', { value: token });
}

async function userOf(url, headers, login) {
  const { text } = await send(url, get(`/patois/v1/users/${login}`, headers));
  return JSON.parse(text);
}

/** The cursor of a page in the middle of an order. */
async function deepCursor(client, sort, organizationId) {
  const { encodeCursor, pickedInOrder } = await fromPatois('tokens/inventory/token-order.js');
  const values = [];
  const place = (value) => `$${values.push(value)}`;
  const condition =
    organizationId === undefined ? 'TRUE' : `token.organization_id = ${place(organizationId)}`;
  const count = organizationId === undefined ? options.tokens : options.tokens / options.organizations;
  const picked = pickedInOrder(sort, condition, { after: undefined, limit: Math.floor(count / 2), place });
  const { rows } = await client.query(
    `SELECT part, keys, id FROM (${picked}) AS all_of_them ORDER BY place DESC LIMIT 1`,
    values,
  );
  return encodeCursor(sort, rows[0]);
}

/** Asks once, so that it is known which rows it shows. */
async function prepare(url, client, measure) {
  const { status, isGood, text } = await send(url, measure.request);
  if (!isGood) throw new Error(`${measure.label}: ${status} ${text.slice(0, 300)}`);
  const answer = JSON.parse(text);
  const items = Array.isArray(answer) ? answer : (answer.items ?? answer.tokens ?? answer.results ?? []);
  measure.rows = items.length;
  const isAudit = measure.label.startsWith('audit');
  const ids = items.map((item) => (isAudit ? item.id : (item.uuid ?? item.token_uuid))).filter(Boolean);
  if (measure.label.startsWith('summary')) {
    measure.sql = ['SELECT count(*) FROM tokens', []];
  } else if (isAudit) {
    measure.sql = ['SELECT * FROM audit_events WHERE id = ANY ($1::uuid[]) ORDER BY time LIMIT 1000', [ids]];
  } else if (ids.length > 0 && ids.length <= 1000) {
    measure.sql = [
      `SELECT t.*, l.*, u.login, o.name FROM tokens t JOIN last_uses l ON l.token_uuid = t.id
         JOIN users u ON u.id = t.owner_id JOIN organizations o ON o.id = u.organization_id
       WHERE t.id = ANY ($1::uuid[]) ORDER BY t.created_at LIMIT 1000`,
      [ids],
    ];
  }
}

async function measureOnce(url, client, measure) {
  const began = performance.now();
  const { isGood } = await send(url, measure.request);
  measure.times.push(performance.now() - began);
  if (!isGood) measure.failures += 1;
  if (!measure.sql) return;
  const beganPlain = performance.now();
  await client.query(...measure.sql);
  measure.plain.push(performance.now() - beganPlain);
}
