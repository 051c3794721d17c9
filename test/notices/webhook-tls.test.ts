import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { basic, type Received, send } from '../support/http.js';
import { NoticeReceiver, verified } from '../support/notice-receiver.js';
import { buildOnce, PatoisProcess } from '../support/process.js';
import { TlsFront } from '../support/tls.js';

const ADMIN_PASSWORD = 'correct horse battery';
const CHANNELS = '/patois/v1/notice-channels';

let folder: string;
let receiver: NoticeReceiver;
/** Two receivers behind TLS, of which the server knows who vouches for the first. */
let trusted: TlsFront;
let stranger: TlsFront;
let patois: PatoisProcess;
let url: string;
beforeAll(async () => {
  buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'patois-webhook-tls-'));
  receiver = await NoticeReceiver.start();
  [trusted, stranger] = [await TlsFront.start(receiver.port), await TlsFront.start(receiver.port)];
  const authorities = join(folder, 'authorities.pem');
  await writeFile(authorities, trusted.certificate);
  patois = new PatoisProcess({
    DATA_DIR: join(folder, 'data'),
    ADMIN_PASSWORD,
    BCRYPT_COST: '4',
    PORT: '0',
    NODE_EXTRA_CA_CERTS: authorities,
    WEBHOOK_PRIVATE_NETWORKS: '127.0.0.0/8',
  });
  url = await patois.listening();
}, 600_000);
afterAll(async () => {
  await patois.stop();
  trusted.close();
  stranger.close();
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

function call(method: string, path: string, body?: object): Promise<Received> {
  const headers = basic('admin', ADMIN_PASSWORD);
  return send(url, method, `${CHANNELS}${path}`, { headers, ...(body && { body }) });
}

/** Sends a test notice to a receiver, and says what came of its first attempt. */
async function tried(port: number, path: string): Promise<{ secret: string; delivery: Received['json'] }> {
  const address = `https://127.0.0.1:${port}${path}`;
  const made = await call('POST', '', { kind: 'webhook', url: address, events: ['policy.changed'] });
  expect([made.status, made.text]).toEqual([201, expect.any(String)]);
  const { id, secret } = made.json;
  expect((await call('POST', `/${id}/test`)).status).toBe(202);
  for (;;) {
    const [delivery] = (await call('GET', `/${id}/deliveries`)).json.items;
    if (delivery.attempts > 0) return { secret, delivery };
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

test('a webhook goes over TLS to a receiver whose certificate is vouched for', async () => {
  const { secret, delivery } = await tried(trusted.port, '/trusted');
  expect(delivery).toMatchObject({ status: 'delivered', attempts: 1, responseStatus: 204, error: null });
  const [notice, ...others] = receiver.at('/trusted');
  expect(others).toEqual([]);
  if (!notice) throw new Error('Nothing came');
  expect(verified(notice, secret)).toMatchObject({ type: 'channel.test' });
});

test('nothing of it reaches one whose certificate is not', async () => {
  const { delivery } = await tried(stranger.port, '/stranger');
  expect(delivery).toMatchObject({
    status: 'waiting',
    attempts: 1,
    responseStatus: null,
    error: 'The connection failed (DEPTH_ZERO_SELF_SIGNED_CERT)',
  });
  expect(receiver.at('/stranger')).toEqual([]);
});
