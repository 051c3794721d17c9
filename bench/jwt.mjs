// What it costs to verify a JWT by itself, beside asking /verify, and to exchange a token for one. See docs/oauth.md.
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { Seeder } from './seed.mjs';
import { isInstalled, load, loadAtRate, LOADERS } from './support/load.mjs';
import { machine } from './support/machine.mjs';
import { number, readOptions } from './support/options.mjs';
import { makeTokenKeys, startPatois } from './support/patois.mjs';
import { Postgres } from './support/postgres.mjs';
import { bearer, get, send } from './support/requests.mjs';
import { fail, inRounds, keep, run, show } from './support/run.mjs';
import { median } from './support/statistics.mjs';

const HELP = `node jwt.mjs [options]
  --rounds N       interleaved rounds (3)
  --seconds N      of each contender and round (2)
  --connections N  clients (16)`;

const AUDIENCE = 'https://orders.example';
/** Of `/verify`, beside exchanges: what a small machine answers without effort. */
const VERIFY_RATE = 500;
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

const options = readOptions(HELP, { rounds: number(3), seconds: number(2), connections: number(16) });
await run(main);

async function main() {
  const postgres = await keep(Postgres.start());
  const store = { url: await postgres.database('jwt'), tokenKeys: makeTokenKeys() };
  const { url } = await keep(startPatois('patois', store));
  const value = await Seeder.use(store, (seeder) => seeder.addToken(seeder.administrator));
  const exchange = exchangeOf(value);
  const contenders = [
    { label: 'a JWT verified by jose, in one process', measure: await verifyingOf(url, exchange), runs: [] },
    { label: '`/verify` asked', measure: () => ask(url, get('/verify', bearer(value))), runs: [] },
    { label: '`/oauth2/token` asked for a JWT', measure: () => ask(url, exchange), runs: [] },
  ];
  for (const one of contenders) await one.measure();
  await inRounds(options.rounds, contenders, async (one) => one.runs.push(await one.measure()));
  const waits = await inPeace(url, get('/verify', bearer(value)), exchange);
  const text = [render(contenders), '', renderWaits(waits)].join('\n');
  const about = machine(await postgres.version());
  show('jwt', { at: new Date().toISOString(), machine: about, options, contenders, waits }, text);
  fail(contenders.flatMap(({ runs }) => runs).reduce((sum, { failures }) => sum + failures, 0));
}

function exchangeOf(value) {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: value,
    subject_token_type: ACCESS_TOKEN,
    audience: AUDIENCE,
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', path: '/oauth2/token', headers, body: form.toString() };
}

async function ask(url, request) {
  const loader = LOADERS.find(isInstalled) ?? 'autocannon';
  const { connections, seconds } = options;
  const {
    requests,
    seconds: took,
    p50Ms,
    failures,
  } = await load(loader, {
    url,
    requests: [request],
    connections,
    seconds,
  });
  return { rate: requests / took, p50Ms, failures };
}

/** Verifies one JWT again and again, as a service does: with keys that it has fetched, all its checks, and no memory of it. */
async function verifyingOf(url, exchange) {
  const { text } = await send(url, exchange);
  const { access_token: jwt } = JSON.parse(text);
  const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
  const verify = () => jwtVerify(jwt, keys, { issuer: url, audience: AUDIENCE, typ: 'at+jwt' });
  return async () => {
    const began = performance.now();
    const endsAt = began + options.seconds * 1000;
    let count = 0;
    const clients = Array.from({ length: options.connections }, async () => {
      for (; performance.now() < endsAt; count += 1) await verify();
    });
    await Promise.all(clients);
    const seconds = (performance.now() - began) / 1000;
    return { rate: count / seconds, p50Ms: (seconds / count) * 1000 * options.connections, failures: 0 };
  };
}

/** How long `/verify` takes at a steady rate, alone and while tokens are exchanged as fast as they can be. */
async function inPeace(url, verify, exchange) {
  const { seconds, connections } = options;
  const job = { url, requests: [verify], connections, seconds, rate: VERIFY_RATE };
  const alone = await loadAtRate(job);
  const [beside] = await Promise.all([loadAtRate(job), ask(url, exchange)]);
  return { alone, beside };
}

function renderWaits({ alone, beside }) {
  const line = (label, { p50Ms, p99Ms }) => `| ${label} | ${p50Ms.toFixed(2)} | ${p99Ms.toFixed(2)} |`;
  const lines = [line('alone', alone), line('beside exchanges', beside)];
  const head = `| \`/verify\`, ${VERIFY_RATE} a second | median ms | p99 ms |`;
  return [head, '| --- | ---: | ---: |', ...lines].join('\n');
}

function render(contenders) {
  const rates = contenders.map(({ runs }) => median(runs.map(({ rate }) => rate)));
  const [jose] = rates;
  const lines = contenders.map(({ label, runs }, index) => {
    const p50 = median(runs.map(({ p50Ms }) => p50Ms));
    return `| ${label} | ${Math.round(rates[index])} | ${(rates[index] / jose).toFixed(2)} | ${p50.toFixed(2)} |`;
  });
  return ['| | a second | ratio | median ms |', '| --- | ---: | ---: | ---: |', ...lines].join('\n');
}
