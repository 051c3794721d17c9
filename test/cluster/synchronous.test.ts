import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bearer, type Received, send } from '../support/http.js';
import { asAdmin, eventually, Replicas } from '../support/replicas.js';

let replicas: Replicas;
let url: string;

beforeEach(async () => {
  replicas = await Replicas.make();
  ({ url } = await replicas.start());
}, 120_000);
afterEach(() => replicas.close());

function call(method: string, path: string, body?: object): Promise<Received> {
  return send(url, method, path, { headers: asAdmin, ...(body && { body }) });
}

function issue(): Promise<Received> {
  return call('POST', '/patois/v1/tokens', {
    dialect: 'patois',
    owner: 'admin',
    name: 'kept',
    scopes: ['patois:*'],
  });
}

/** Has commits wait for a standby of this name; none is there. */
async function waitFor(standby: string): Promise<void> {
  await replicas.query(`ALTER SYSTEM SET synchronous_standby_names = '${standby}'`);
  await replicas.query('SELECT pg_reload_conf()');
  await eventually(async () => {
    const [row] = await replicas.query<{ synchronous_standby_names: string }>(
      'SHOW synchronous_standby_names',
    );
    return row?.synchronous_standby_names === standby;
  }, 10_000);
}

/** Has every commit that waits for the standby go on without it, as an administrator may. */
async function cancelWaits(): Promise<number> {
  return (
    await replicas.query(
      `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name LIKE 'patois%'`,
    )
  ).length;
}

describe('on a server whose commits wait for a standby that is gone', () => {
  test('a change whose wait was cancelled is not acknowledged', async () => {
    const { token, tokenId } = (await issue()).json;
    await waitFor('nobody');
    for (const change of [issue, () => call('DELETE', `/patois/v1/tokens/${tokenId}`)]) {
      const answered = change();
      await eventually(async () => (await cancelWaits()) > 0, 9_000);
      expect((await answered).status).toBe(503);
    }
    await waitFor('');
    expect((await issue()).status).toBe(201);
    // What stands nevertheless is known here.
    expect((await send(url, 'GET', '/verify', { headers: bearer(token) })).status).toBe(401);
  });

  test('a change that waits is given up, not acknowledged, and changes go on when the standby is back', async () => {
    await waitFor('nobody');
    expect((await issue()).status).toBe(503);
    await waitFor('');
    expect((await issue()).status).toBe(201);
  });
});
