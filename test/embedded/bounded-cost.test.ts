import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { basic, bearer, type Received, send } from '../support/http.js';
import { buildOnce, PatoisProcess } from '../support/process.js';
import { type Call, callsOf, type Worst, worstOf } from '../support/worst-requests.js';

const PASSWORD = 'chosen by the operator';
/** How long the event loop may be held, on a machine that does the fixed piece of work in its time. */
const MAX_HELD_MS = 100;
const WORK_MS = 40;
/** A held loop may be a garbage collection that was due anyway: cost comes back each time. */
const MAX_TRIES = 4;
const MAX_REFUSAL_BYTES = 128 * 1024;

let patois: PatoisProcess;
let url: string;
let folder: string;
beforeAll(async () => {
  buildOnce();
  folder = mkdtempSync(join(tmpdir(), 'patois-cost-'));
  patois = new PatoisProcess(
    {
      PORT: '0',
      BCRYPT_COST: '4',
      ADMIN_PASSWORD: PASSWORD,
      TRUSTED_PROXIES: '127.0.0.0/8,10.0.0.0/8',
      TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      // The harder case: what the engine does is done by the same thread.
      DATA_DIR: folder,
    },
    process.cwd(),
    'test/support/loop-meter.mjs',
  );
  url = await patois.listening();
  // What is compiled at the first call of its kind is no cost of a request.
  for (const call of callsOf()) await attempt(call, { what: 'nothing' }, asAdmin());
}, 600_000);
afterAll(async () => {
  await patois.stop();
  rmSync(folder, { recursive: true, force: true });
});

function asAdmin(): Record<string, string> {
  return basic('admin', PASSWORD);
}

function attempt(
  { method, path }: Call,
  worst: Worst,
  credential: Record<string, string>,
): Promise<Received> {
  const { body, contentType = 'application/json', headers = {}, query = '' } = worst;
  const target = (worst.path ?? path) + (query === '' ? '' : `?${query}`);
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': contentType };
  return send(url, method, target, { headers: { ...type, ...credential, ...headers }, body });
}

/** How much slower than the reference this machine is now, 1 at least. */
async function factor(): Promise<number> {
  return Math.max(1, Number(await patois.ask('work')) / WORK_MS);
}

/** What is wrong with the answer to one request, or with the time that it took; undefined for nothing. */
async function problemOf(
  call: Call,
  worst: Worst,
  credential: Record<string, string>,
): Promise<string | undefined> {
  const where = `${call.method} ${call.path}, ${worst.what}`;
  let heldMs = 0;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    await patois.ask('reset');
    const { status, text } = await attempt(call, worst, credential);
    heldMs = Number(await patois.ask('held'));
    if (status >= 500) return `${where}: ${status} ${text.slice(0, 200)}`;
    if (status >= 400 && text.length > MAX_REFUSAL_BYTES)
      return `${where}: a ${status} of ${text.length} bytes`;
    if (heldMs <= MAX_HELD_MS || heldMs <= MAX_HELD_MS * (await factor())) return undefined;
  }
  return `${where}: the event loop was held for ${Math.round(heldMs)} ms`;
}

describe('the worst request of its size', () => {
  const calls = callsOf();

  test('there are calls of every API', () => {
    expect(new Set(calls.map(({ api }) => api)).size).toBe(6);
    expect(calls.length).toBeGreaterThan(40);
  });

  test.each(calls)(
    'of $api holds the event loop no longer than 100 ms, and no refusal is long: $method $path',
    async (call) => {
      const problems: string[] = [];
      for (const worst of worstOf(call)) {
        for (const credential of worst.isForCallers ? [asAdmin()] : [{}, asAdmin()]) {
          const problem = await problemOf(call, worst, credential);
          if (problem !== undefined) problems.push(problem);
        }
      }
      expect(problems).toEqual([]);
    },
  );

  test('about a token with the most scopes that it may hold costs no more', async () => {
    const scopes = Array.from({ length: 500 }, (_, index) => `a_${words(index)}_read_write`);
    const body = {
      dialect: 'patois',
      owner: 'admin',
      name: 'broad',
      scopes: [...scopes.slice(1), 'patois:*'],
    };
    const made = await send(url, 'POST', '/patois/v1/tokens', { headers: asAdmin(), body });
    expect([made.status, made.text.slice(0, 200)]).toEqual([201, expect.any(String)]);
    const { token } = made.json as { token: string };
    const needed = scopes.slice(-100).map((scope) => scope.replace('_write', ''));
    const verifications = Array.from({ length: 1_000 }, () => ({
      token,
      scope: needed.slice(-20).join(' '),
    }));
    const form = `token=${token}&scope=${needed.join('+')}`;
    const grant = {
      ...body,
      name: 'as broad',
      scopes: body.scopes.map((scope) => scope.replace('_write', '')),
    };
    const asked: [Call, Worst][] = [
      [post('/patois/v1/verifications'), { what: 'a batch', body: JSON.stringify({ verifications }) }],
      [post('/oauth2/introspect'), { what: 'a form', body: form, contentType: FORM }],
      [post('/patois/v1/tokens'), { what: 'a grant', body: JSON.stringify(grant) }],
      [
        { api: 'patois', method: 'GET', path: '/verify' },
        { what: 'a need', query: `scope=${needed.join('+')}` },
      ],
    ];
    const problems: (string | undefined)[] = [];
    for (const [call, worst] of asked) problems.push(await problemOf(call, worst, bearer(token)));
    expect(problems).toEqual(asked.map(() => undefined));
  });
});

const FORM = 'application/x-www-form-urlencoded';

function post(path: string): Call {
  return { api: 'patois', method: 'POST', path };
}

/** A number in letters, all of one length. */
function words(index: number): string {
  return String(index)
    .padStart(3, '0')
    .replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');
}
