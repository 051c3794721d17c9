// Records what a version asks of the database, for test/database/previous-release.test.ts of the next one:
//   TEST_DATABASE_URL=postgres://… npm run record-statements [-- FOLDER [TEST…]]
// runs the tests of the checkout in FOLDER (this one; installed and built) on that server, through a proxy that reads
// along what connections of Patois prepare, and writes the statements with the types of their parameters, and the schema
// that they meet, to test/database/release-<version>.json here. Values are never read.
import { spawnSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { join, resolve } from 'node:path';
import pg from 'pg';

/** Rooms whose tests go through HTTP and jobs; what drives gateways, clients and browsers asks nothing that these do not. */
const TESTS = [
  'accounts',
  'administration',
  'audit',
  'auth',
  'cli',
  'console/[^/]+.test',
  'decisions',
  'dialects',
  'jobs',
  'notices',
  'operations',
  'registry',
  'tokens',
  'verification',
].map((room) => `test/${room}`);
const SKIPPED = ['policy-conformance', 'foreman-clients', 'many-tokens'];
/** Startup messages begin with these numbers (PostgreSQL, Message Formats). */
const PROTOCOL_3 = 196_608;

const serverUrl = process.env.TEST_DATABASE_URL;
if (!serverUrl) throw new Error('TEST_DATABASE_URL must name a PostgreSQL server');
const [folder = '.', ...tests] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const [major, minor] = version.split('.');
const target = resolve(`test/database/release-${major}.${minor}.json`);

/** Texts of statements, and whether they came without parameters. */
const heard = new Map();
const proxy = createServer((client) => {
  const { hostname, port } = new URL(serverUrl);
  const server = connect(Number(port || 5432), hostname);
  const listen = listener();
  client.on('data', listen).pipe(server).pipe(client);
  for (const [one, other] of [
    [client, server],
    [server, client],
  ]) {
    one.on('error', () => other.destroy()).on('close', () => other.destroy());
  }
}).listen(0, '127.0.0.1');
await new Promise((listening) => proxy.once('listening', listening));

const sources = { src: textOf('src'), test: textOf('test') };
const status = await runTests();
proxy.close();
if (status !== 0) process.stderr.write('Some tests failed: what they asked until then is recorded\n');
const statements = shortestOfEachShape([...heard].filter(isOfTheProgram).map(([text]) => text));
const release = await described(statements);
writeFileSync(target, `${JSON.stringify({ version, ...release })}\n`);
spawnSync(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--write', target]);
process.stdout.write(`${release.statements.length} of ${heard.size} statements: ${target}\n`);

/** @returns what reads along the messages of one client, and keeps the statements of those that call themselves Patois. */
function listener() {
  let rest = Buffer.alloc(0);
  let isStarted = false;
  let isMeant = false;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = isStarted ? 1 : 0;
      if (rest.length < head + 4) return;
      const length = head + rest.readInt32BE(head);
      if (rest.length < length) return;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      if (isStarted) {
        if (isMeant) read(message);
      } else if (message.readInt32BE(4) === PROTOCOL_3) {
        isStarted = true;
        isMeant = /\0application_name\0patois/.test(message.toString('latin1'));
      }
    }
  };
}

function read(message) {
  const type = String.fromCharCode(message[0]);
  if (type !== 'P' && type !== 'Q') return;
  const strings = message.toString('utf8', 5).split('\0');
  const text = oneLine(type === 'P' ? strings[1] : strings[0]);
  if (/^(select|insert|update|delete|with)\b/i.test(text)) heard.set(text, type);
}

function oneLine(text) {
  return text
    .replace(/--[^\n]*\n/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

async function runTests() {
  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = String(proxy.address().port);
  const env = { ...process.env, TEST_DATABASE_URL: url.href, WITHOUT_BROWSER: '1' };
  // Last: jest takes what follows such an option for more of it.
  const skipped = SKIPPED.map((name) => `--testPathIgnorePatterns=${name}`);
  const chosen = tests.length > 0 ? tests : TESTS;
  const args = ['scripts/test.mjs', ...chosen, '--silent', '--maxWorkers=2', ...skipped];
  const running = spawn(process.execPath, args, { cwd: folder, env, stdio: 'inherit' });
  return new Promise((ended) => running.once('exit', ended));
}

/**
 * Tests ask the database themselves: what stands in one of them word for word is not the program's. A text without
 * parameters may hold values, unless it is the program's word for word.
 */
function isOfTheProgram([text, type]) {
  if (sources.src.includes(text)) return true;
  if (
    /\bpg_(stat_|proc|class|backend|locks)/i.test(text) ||
    /\b(typeorm_metadata|information_schema)\b/.test(text)
  )
    return false;
  return !sources.test.includes(text) && (type === 'P' || !text.includes("'"));
}

function textOf(room) {
  const names = readdirSync(join(folder, room), { recursive: true }).filter((name) => name.endsWith('.ts'));
  return oneLine(names.map((name) => readFileSync(join(folder, room, name), 'utf8')).join('\n'));
}

/**
 * Of statements that differ by how many rows or values they have, the shortest; of those of one kind the ones that name
 * something that no longer one does.
 */
function shortestOfEachShape(texts) {
  const kept = [];
  const seen = new Set();
  for (const text of texts.sort((one, other) => other.length - one.length)) {
    const kind = text.split(' ', 1)[0].toUpperCase();
    const words = text.match(/"[^"]+"(\."[^"]+")?|[a-z_][a-z_0-9.]*/gi).map((word) => `${kind} ${word}`);
    const isNew = words.filter((word) => !seen.has(word)).length > 0;
    if (isNew) kept.push(text);
    for (const word of words) seen.add(word);
  }
  return kept.sort((one, other) => (one < other ? -1 : 1));
}

/** On a database with the schema of that version. */
async function described(texts) {
  const name = `patois_record_${process.pid}`;
  const admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  try {
    const typeorm = ['node_modules/typeorm/cli.js', 'migration:run', '-d', 'dist/src/data-source.js'];
    const env = { ...process.env, DATABASE_URL: url.href };
    const { status: migrated, stderr } = spawnSync(process.execPath, typeorm, {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    if (migrated !== 0) throw new Error(`The schema could not be made: ${stderr}`);
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    const statements = [];
    for (const text of texts) {
      const parameters = await parametersOf(client, text);
      if (parameters) statements.push({ text, parameters });
    }
    const { rows } = await client.query(readFileSync('test/database/schema.sql', 'utf8'));
    await client.end();
    return { statements, schema: rows[0].schema };
  } finally {
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  }
}

/** The types of a statement's parameters; undefined where it does not fit the schema: it met one that a test had changed. */
async function parametersOf(client, text) {
  try {
    await client.query(`PREPARE heard AS ${text}`);
  } catch {
    return undefined;
  }
  const { rows } = await client.query(
    "SELECT array_to_string(parameter_types, ', ') AS types FROM pg_prepared_statements WHERE name = 'heard'",
  );
  await client.query('DEALLOCATE heard');
  return rows[0].types;
}
