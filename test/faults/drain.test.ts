import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { bearer, send } from '../support/http.js';
import { settingsOf } from '../support/pooler.js';
import { asAdmin, eventually, type Replica, Replicas } from '../support/replicas.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const TOKENS = 5_000;

/** A whole answer, without a connection that another request would use. */
const alone = { connection: 'close' };

async function makeToken(url: string): Promise<string> {
  const body = { dialect: 'patois', owner: 'admin', name: 'a service', scopes: ['patois:*'] };
  const headers = { ...asAdmin, ...alone };
  return (await send(url, 'POST', '/patois/v1/tokens', { headers, body })).json.token as string;
}

/** Begins an export and reads nothing of it yet. */
async function beginExport(url: string): Promise<IncomingMessage> {
  const begun = get(`${url}/patois/v1/tokens/export`, { headers: asAdmin, agent: false });
  const [answer] = (await once(begun, 'response')) as [IncomingMessage];
  return answer;
}

/** Reads to the end, be it a broken one. */
async function rest(answer: IncomingMessage): Promise<string[]> {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {});
  await new Promise((resolve) => answer.once('close', resolve));
  return Buffer.concat(chunks).toString().trimEnd().split('\n');
}

/**
 * Whether nothing answers any more. Node's cluster can take a connection at the very moment at which the last worker closes,
 * and then gives it to nobody: it hangs until the first process ends.
 */
async function isGone(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`, { headers: alone, signal: AbortSignal.timeout(1_000) }).then(
    () => false,
    () => true,
  );
}

describe.each(['1', '2'])('SIGTERM with WORKERS=%s', (workers) => {
  let replicas: Replicas;
  beforeAll(async () => {
    replicas = await Replicas.make({ WORKERS: workers, DRAIN_DELAY: '2', SHUTDOWN_TIMEOUT: '20' });
  }, 600_000);
  afterAll(() => replicas.close());

  async function start(): Promise<Replica> {
    const started = await replicas.start();
    if (workers !== '1') await started.replica.printed(/2 workers listen/);
    return started;
  }

  test('no worker is ready, all of them verify for DRAIN_DELAY, and the exit code is 0', async () => {
    const { replica, url } = await start();
    const headers = { ...bearer(await makeToken(url)), ...alone };
    replica.kill('SIGTERM');
    const toldAt = Date.now();
    await eventually(() => replica.output.match(/SIGTERM: /g)?.length === Number(workers), 1_500);
    for (let count = 0; count < 6; count += 1) {
      expect((await send(url, 'GET', '/readyz', { headers: alone })).status).toBe(503);
      expect((await send(url, 'GET', '/verify', { headers })).status).toBe(204);
    }
    expect(await replica.ended).toBe(0);
    expect(Date.now() - toldAt).toBeGreaterThan(1_900);
    expect(Date.now() - toldAt).toBeLessThan(20_000);
  });

  test('an export under way comes whole, and a job goes on elsewhere with exact counts', async () => {
    const { replica, url } = await start();
    await replicas.query(`DELETE FROM tokens`);
    await replicas.makeTokens(TOKENS);
    await replicas.query(`UPDATE tokens SET description = repeat('x', 8000)`);
    const body = { everything: true, filter: {}, reason: 'a test' };
    const headers = { ...asAdmin, ...alone };
    const answer = await beginExport(url);
    const { json: job } = await send(url, 'POST', '/patois/v1/revocations', { headers, body });
    await eventually(async () => (await replicas.jobOf(job.id)).done > 0, 20_000);
    replica.kill('SIGTERM');
    await eventually(() => isGone(url), 10_000);
    const lines = await rest(answer);
    expect(lines.length).toBe(TOKENS + 1);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ end: { rows: TOKENS } });
    expect(await replica.ended).toBe(0);
    const left = await replicas.jobOf(job.id);
    // Given back, not left to its lease, unless it was through by then.
    expect(['waiting', 'done']).toContain(left.status);
    const next = await start();
    await eventually(async () => (await replicas.jobOf(job.id)).status === 'done', 60_000);
    expect(await replicas.jobOf(job.id)).toMatchObject({ done: TOKENS, failed: 0 });
    expect(await next.replica.stop()).toBe(0);
  });
});

describe('an end that takes too long', () => {
  let replicas: Replicas;
  let proxy: TcpProxy;
  beforeAll(async () => {
    replicas = await Replicas.make({ SHUTDOWN_TIMEOUT: '4' });
    proxy = await TcpProxy.before(replicas.postgres.reached);
  }, 600_000);
  afterEach(() => proxy.decide(() => 'passed'));
  afterAll(async () => {
    await proxy.close();
    await replicas.close();
  });

  test('is over after SHUTDOWN_TIMEOUT, with exit code 1, although the database answers nothing', async () => {
    const { replica, url } = await replicas.start(settingsOf(proxy.reached));
    const headers = bearer(await makeToken(url));
    proxy.decide(() => 'swallowed');
    // What is pending when it ends: the use of this token.
    void send(url, 'GET', '/verify', { headers }).catch(() => {});
    await pause(200);
    const toldAt = Date.now();
    expect(await replica.stop('SIGTERM')).toBe(1);
    expect(Date.now() - toldAt).toBeGreaterThan(3_500);
    expect(Date.now() - toldAt).toBeLessThan(5_000);
    expect(replica.stderr).toMatch(/did not end in time: what was pending is lost/);
  });

  test('of one worker that is frozen ends with it killed, and exit code 1', async () => {
    const { replica } = await replicas.start({ WORKERS: '2' });
    await replica.printed(/2 workers listen/);
    const pids = [...replica.output.matchAll(/\[Nest\] (\d+)/g)].map(([, pid]) => Number(pid));
    const worker = pids.find((pid) => pid !== replica.pid) ?? 0;
    process.kill(worker, 'SIGSTOP');
    const toldAt = Date.now();
    expect(await replica.stop('SIGTERM')).toBe(1);
    expect(Date.now() - toldAt).toBeGreaterThan(3_900);
    expect(Date.now() - toldAt).toBeLessThan(8_000);
  });
});
