import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { basic, bearer, send } from '../support/http.js';
import { PrivatePostgres } from '../support/postgres.js';
import { buildOnce, PatoisProcess } from '../support/process.js';

const ADMIN_PASSWORD = 'correct horse battery';
const asAdmin = basic('admin', ADMIN_PASSWORD);

let postgres: PrivatePostgres;
let patois: PatoisProcess;
let url: string;

beforeAll(async () => {
  buildOnce();
  postgres = await PrivatePostgres.make();
  patois = new PatoisProcess({
    ...postgres.settings,
    TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ADMIN_PASSWORD,
    BCRYPT_COST: '4',
    PORT: '0',
    WORKERS: '2',
  });
  url = await patois.listening();
  await patois.printed(/2 workers listen/);
}, 120_000);
afterAll(async () => {
  await patois.stop('SIGKILL');
  await postgres.remove();
});

describe('WORKERS=2', () => {
  test('two processes answer behind the one port, and one made the administrator', async () => {
    const addresses = new Set(
      [...patois.output.matchAll(/Patois listens on (\S+)/g)].map(([, address]) => address),
    );
    expect(addresses).toEqual(new Set([url]));
    expect(patois.output.match(/First start/g)).toHaveLength(1);
  });

  test('a revocation through one of them is true in all within the bound', async () => {
    for (let round = 0; round < 10; round += 1) {
      const body = { dialect: 'patois', owner: 'admin', name: 'shared', scopes: ['patois:*'] };
      const { json } = await send(url, 'POST', '/patois/v1/tokens', { headers: asAdmin, body });
      const verify = async (): Promise<number> =>
        (await send(url, 'GET', '/verify', { headers: { ...bearer(json.token), connection: 'close' } }))
          .status;
      for (let count = 0; count < 6; count += 1) expect(await verify()).toBe(204);
      await send(url, 'DELETE', `/patois/v1/tokens/${json.tokenId}`, { headers: asAdmin });
      const endedAt = Date.now();
      let refused = 0;
      while (refused < 6) {
        const askedAt = Date.now();
        const status = await verify();
        refused = status === 401 ? refused + 1 : 0;
        expect(status === 204 && askedAt - endedAt > 2_000).toBe(false);
      }
    }
  });

  test('a worker that dies is replaced, and SIGTERM ends all with exit code 0', async () => {
    const pids = [...patois.output.matchAll(/\[Nest\] (\d+)/g)].map(([, pid]) => Number(pid));
    const worker = pids.find((pid) => pid !== patois.pid);
    process.kill(worker ?? 0, 'SIGKILL');
    await patois.printed(/ended \(SIGKILL\), a new one begins/);
    expect((await send(url, 'GET', '/healthz', { headers: { connection: 'close' } })).status).toBe(200);
    expect(await patois.stop()).toBe(0);
  }, 60_000);
});
