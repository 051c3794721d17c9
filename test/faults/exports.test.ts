import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { ASKING } from '../../src/administration/exports/exports.js';
import { Sessions } from '../../src/auth/sessions/sessions.js';
import { bearer } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';
import { until } from '../support/until.js';

const TOKENS = 20_000;
const EXPORT = '/patois/v1/tokens/export';

let server: TestServer;
let owner: TestUser;
beforeAll(async () => {
  server = await TestServer.start();
  owner = await server.makeUser();
  // More than all buffers between server and reader hold.
  await server.app.dataSource.query(
    `INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, description, scopes, allowed_cidrs,
       inactive, created_at, digest, digest_key, dialect_fields)
     SELECT gen_random_uuid(), 'pt-' || lpad(n::text, 12, '0'), 'patois', $1, $2, 'token ' || n, repeat('x', 2000), '{}',
       '{}', false, timestamptz '2025-01-01' + n * interval '1 second', ''::bytea, 'none', '{}'
     FROM generate_series(1, ${TOKENS}) n`,
    [owner.user.id, owner.user.organizationId],
  );
});
afterAll(() => server.close());

/** An export that is under way and of which nothing is read yet. */
class Begun {
  private constructor(
    readonly request: ClientRequest,
    readonly answer: IncomingMessage,
  ) {}

  static begin(path = EXPORT, headers = server.asAdmin): Promise<Begun> {
    return new Promise((resolve, reject) => {
      const request = get(`${server.url}${path}`, { headers, agent: false });
      request.on('error', reject);
      request.on('response', (answer) => {
        request.off('error', reject).on('error', () => {});
        answer.on('error', () => {});
        resolve(new Begun(request, answer));
      });
    });
  }

  /** Reads to the end, be it a broken one. */
  async rest(): Promise<string> {
    const chunks: Buffer[] = [];
    this.answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => this.answer.once('close', resolve));
    return Buffer.concat(chunks).toString();
  }
}

/** The states of the connections that exports have to this database. */
async function connections(): Promise<string[]> {
  const rows: { state: string }[] = await server.app.dataSource.query(
    `SELECT state FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'patois-snapshots'`,
  );
  return rows.map(({ state }) => state);
}

/** The server has said what fits into all buffers, and waits for the reader. */
async function untilItWaits(): Promise<void> {
  await until(async () => (await connections()).includes('idle in transaction'));
}

async function untilNothingIsHeld(): Promise<void> {
  await until(async () => (await connections()).every((state) => state === 'idle'));
}

function endOf(text: string): unknown {
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');
}

describe('an export', () => {
  test('shows nothing of what happens after it began', async () => {
    const begun = await Begun.begin(`${EXPORT}?owner=${owner.user.login}`);
    const { token } = await server.issue({ dialect: 'patois', ownerId: owner.user.id });
    await server.app.dataSource.query(
      `UPDATE tokens SET name = 'renamed' WHERE token_id = 'pt-000000000001'`,
    );
    await server.app.dataSource.query(
      `UPDATE tokens SET revoked_at = now() WHERE token_id = 'pt-000000000002'`,
    );
    const text = await begun.rest();
    const [last, one] = text.trimEnd().split('\n').slice(-3).reverse().slice(1);
    expect(endOf(text)).toEqual({ end: { rows: TOKENS, asOf: expect.any(String) } });
    expect(JSON.parse(last ?? '')).toMatchObject({ tokenId: 'pt-000000000001', name: 'token 1' });
    expect(JSON.parse(one ?? '')).toMatchObject({ tokenId: 'pt-000000000002', status: 'active' });
    expect(text).not.toContain(token.tokenId);
    await untilNothingIsHeld();
  });

  test.each(['ndjson', 'csv'])('breaks off without an end where the database fails: %s', async (format) => {
    const begun = await Begun.begin(`${EXPORT}?format=${format}`);
    await untilItWaits();
    await server.app.dataSource.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'patois-snapshots'`,
    );
    const text = await begun.rest();
    expect(begun.answer.complete).toBe(false);
    expect(text.length).toBeGreaterThan(0);
    expect(text).not.toMatch(/#end|"end":/);
    expect(server.logged.join('\n')).toMatch(/token\.export: broken off: /);
  });

  describe('of a caller who is less than before', () => {
    const { intervalMs } = ASKING;
    afterEach(() => {
      ASKING.intervalMs = intervalMs;
    });

    async function brokenOff(caller: Record<string, string>, change: () => Promise<unknown>): Promise<void> {
      ASKING.intervalMs = 0;
      const begun = await Begun.begin(EXPORT, caller);
      await untilItWaits();
      await change();
      const text = await begun.rest();
      expect(begun.answer.complete).toBe(false);
      expect(text).not.toMatch(/"end":/);
      await untilNothingIsHeld();
    }

    test.each([
      ['whose token is revoked', 'DELETE', (tokenId: string) => `/patois/v1/tokens/${tokenId}`, undefined],
      [
        'whose token has a new value',
        'POST',
        (tokenId: string) => `/patois/v1/tokens/${tokenId}/rotate`,
        { graceSeconds: 0 },
      ],
    ])('%s is broken off', async (_what, method, path, body) => {
      const { token, value } = await server.issue({
        dialect: 'patois',
        ownerId: (await server.admin()).id,
        scopes: ['patois:*'],
      });
      await brokenOff(bearer(value), async () => {
        const sent = { headers: server.asAdmin, ...(body && { body }) };
        expect((await server.send(method, path(token.tokenId), sent)).status).toBeLessThan(300);
      });
    });

    test.each([
      ['who is disabled', { disabled: true }],
      ['who administers no longer', { role: 'member' }],
      ['who has a new password', { password: 'another-good-password' }],
    ])('%s is broken off', async (_what, change) => {
      const { user, byPassword } = await server.makeUser({ role: 'administrator' });
      await brokenOff(byPassword, async () => {
        const path = `/patois/v1/users/${user.login}`;
        const sent = { headers: server.asAdmin, body: change };
        expect((await server.send('PATCH', path, sent)).status).toBe(200);
      });
    });

    test('who has signed out breaks off', async () => {
      const { user } = await server.makeUser({ role: 'administrator' });
      const origin = { address: undefined, userAgent: undefined, requestId: 'r' };
      const sessions = server.app.nest.get(Sessions, { strict: false });
      const { value } = await sessions.begin(user, { provider: null, origin });
      server.secrets.add(value);
      const caller = { cookie: `patois_session=${value}`, 'x-requested-with': 'patois-console' };
      const headers = { ...caller, 'sec-fetch-site': 'same-origin' };
      await brokenOff(caller, async () => {
        const answer = await server.send('DELETE', '/patois/v1/sessions/current', { headers });
        expect(answer.status).toBe(204);
      });
    });

    test('but has changed nothing of what counts goes on to its end', async () => {
      ASKING.intervalMs = 0;
      const { user, byPassword } = await server.makeUser({ role: 'administrator' });
      const begun = await Begun.begin(EXPORT, byPassword);
      await untilItWaits();
      const sent = { headers: server.asAdmin, body: { name: 'Another name' } };
      expect((await server.send('PATCH', `/patois/v1/users/${user.login}`, sent)).status).toBe(200);
      expect(endOf(await begun.rest())).toHaveProperty('end');
    });
  });

  test('ends its query when the reader goes away', async () => {
    const begun = await Begun.begin();
    await untilItWaits();
    begun.request.destroy();
    await untilNothingIsHeld();
  });

  test('ends the query of a reader who goes away before the first row is found, whenever that is', async () => {
    const { user, byPassword } = await server.makeUser();
    // Before any row is looked at a minute passes.
    await server.app.dataSource.query(`
      ALTER TABLE tokens RENAME TO kept_tokens;
      CREATE VIEW tokens AS WITH slow AS MATERIALIZED (SELECT pg_sleep(60))
        SELECT * FROM kept_tokens WHERE (SELECT count(*) FROM slow) > 0`);
    try {
      for (let wait = 0; wait < 20; wait += 1) {
        const request = get(`${server.url}${EXPORT}?owner=${user.login}`, {
          headers: byPassword,
          agent: false,
        });
        request.on('error', () => {});
        await new Promise((resume) => request.once('finish', resume));
        await new Promise((resume) => setTimeout(resume, wait));
        if (wait === 19) await until(async () => (await connections()).includes('active'));
        request.destroy();
        await untilNothingIsHeld();
      }
    } finally {
      await server.app.dataSource.query('DROP VIEW tokens; ALTER TABLE kept_tokens RENAME TO tokens');
    }
  });

  test('is told to come again where too many are under way, of one user and of all', async () => {
    const begun = [await Begun.begin(), await Begun.begin()];
    const third = await server.send('GET', EXPORT, { headers: server.asAdmin });
    expectProblem(third, 429);
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
    begun.push(await Begun.begin(EXPORT, owner.byPassword), await Begun.begin(EXPORT, owner.byPassword));
    expect((await server.send('GET', '/metrics')).text).toMatch(/^patois_exports 4$/m);
    const stranger = await server.makeUser();
    const fifth = await server.send('GET', EXPORT, { headers: stranger.byPassword });
    expectProblem(fifth, 503);
    expect(Number(fifth.headers['retry-after'])).toBeGreaterThan(0);
    // Whatever else is asked has its answer meanwhile.
    const { value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id });
    expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(204);
    for (const { request } of begun) request.destroy();
    await untilNothingIsHeld();
    expect((await server.send('GET', '/metrics')).text).toMatch(/^patois_exports 0$/m);
    expect((await server.send('GET', EXPORT, { headers: stranger.byPassword })).status).toBe(200);
  });
});
