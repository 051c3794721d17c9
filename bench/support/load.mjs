import { fork, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WRK_SCRIPT = fileURLToPath(new URL('wrk.lua', import.meta.url));
const AUTOCANNON = fileURLToPath(new URL('autocannon-load.mjs', import.meta.url));
const CLOSED = fileURLToPath(new URL('closed-load.mjs', import.meta.url));
const PACED = fileURLToPath(new URL('paced-load.mjs', import.meta.url));

/** What can load a server: wrk, where it is installed, costs so little that the server is what is measured. */
export const LOADERS = ['wrk', 'autocannon'];

export function isInstalled(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}

/**
 * Loads a server from a process of its own, as fast as it answers.
 *
 * @param loader one of {@link LOADERS}.
 * @param job `{ url, requests: [{ method, path, headers, body? }], connections, seconds }`; every connection goes through
 *   the requests, each beginning elsewhere.
 * @returns `{ requests, seconds, p50Ms, p99Ms, failures }`: failures are answers that are not 2xx, and lost connections.
 */
export function load(loader, job) {
  return loader === 'wrk' ? loadWithWrk(job) : inChild(AUTOCANNON, job);
}

/** Loads a server at a steady rate (`job.rate`, requests a second); time counts from when a request was due. */
export function loadAtRate(job) {
  return inRawChild(PACED, job);
}

/**
 * Loads a server as fast as it answers; all connections take the next request of the one list.
 *
 * @param job as of {@link load}, and `isOnce`: no request is sent again, and at the end of the list the load ends.
 * @returns as {@link load}, and `sent`, all requests; `failuresByStatus`.
 */
export function loadInTurn(job) {
  return inRawChild(CLOSED, job);
}

function inRawChild(file, { requests, ...job }) {
  return inChild(file, { ...job, rawRequests: requests.map((request) => rawRequest(job.url, request)) });
}

async function inChild(file, job) {
  const child = fork(file, { serialization: 'advanced' });
  const answer = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
    child.send(job);
  });
  child.disconnect();
  return answer;
}

/** wrk walks a shuffled list of ready-made requests: a script that builds each would be what is measured. */
async function loadWithWrk({ url, requests, connections, seconds }) {
  const folder = mkdtempSync(join(tmpdir(), 'patois-bench-wrk-'));
  const file = join(folder, 'requests');
  const raw = requests.map((request) => rawRequest(url, request));
  writeFileSync(
    file,
    Buffer.concat(raw.flatMap((bytes) => [Buffer.from(`${bytes.length}\n`), bytes, Buffer.from('\n')])),
  );
  try {
    const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', WRK_SCRIPT, url];
    const output = await outputOf('wrk', [...options, file]);
    const [, json] = /^RESULT (.*)$/m.exec(output) ?? [];
    if (!json) throw new Error(`wrk said:\n${output}`);
    return JSON.parse(json);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function outputOf(program, options) {
  const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}

/** The bytes of a request. */
function rawRequest(url, { method, path, headers, body }) {
  const all = {
    host: new URL(url).host,
    ...headers,
    ...(body && { 'content-length': Buffer.byteLength(body) }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
}
