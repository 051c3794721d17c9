import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

function get(path: string): Promise<Received> {
  return server.send('GET', path);
}

describe('GET /healthz', () => {
  test('says that the process is alive, to anybody', async () => {
    const answer = await get('/healthz');
    expect([answer.status, answer.text]).toEqual([200, '{"status":"ok"}']);
    expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await server.send('HEAD', '/healthz')).status).toBe(200);
  });

  test('takes no other method', async () => {
    const answer = await server.send('POST', '/healthz');
    expectProblem(answer, 405);
    expect(answer.headers['allow']).toBe('GET, HEAD');
  });
});

describe('GET /readyz', () => {
  test('is 200 while the database answers and its schema is current', async () => {
    const answer = await get('/readyz');
    expect([answer.status, answer.text]).toEqual([200, '{"status":"ok"}']);
  });

  test('is 503 while a migration is missing, and says which', async () => {
    const { dataSource } = server.app;
    const rename = (from: string, to: string): Promise<unknown> =>
      dataSource.query('UPDATE migrations SET name = $2 WHERE name = $1', [from, to]);
    const name = 'CreateTokens1795300000001';
    await rename(name, 'Other');
    const answer = await get('/readyz');
    await rename('Other', name);
    expectProblem(answer, 503);
    expect(answer.json.detail).toContain(name);
    expect((await get('/readyz')).status).toBe(200);
  });

  test('is 503 within some two seconds while the database does not answer, for many at once', async () => {
    const holder = server.app.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('LOCK TABLE migrations IN ACCESS EXCLUSIVE MODE');
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 30 }, () => get('/readyz')));
    const seconds = (performance.now() - began) / 1000;
    const alive = await get('/healthz');
    await holder.rollbackTransaction();
    await holder.release();
    for (const answer of answers) expectProblem(answer, 503);
    expect(seconds).toBeGreaterThan(1.9);
    expect(seconds).toBeLessThan(6);
    expect(alive.status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
  });
});

describe('GET /metrics', () => {
  /** The value of a metric with exactly these labels. */
  async function valueOf(name: string, labels: string): Promise<number> {
    const { text } = await get('/metrics');
    const line = text.split('\n').find((one) => one.startsWith(`${name}{${labels}} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  test('is text for Prometheus, of the process and of requests', async () => {
    const answer = await get('/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const name of [
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_seconds',
      'patois_http_requests_total',
    ])
      expect(answer.text).toContain(`# TYPE ${name}`);
  });

  test('says how long turns of the event loop take, and what changes wait for', async () => {
    const { text } = await get('/metrics');
    for (const name of ['nodejs_eventloop_lag_p50_seconds', 'nodejs_eventloop_lag_p99_seconds']) {
      expect(text).toMatch(new RegExp(`^${name} [0-9.e-]+$`, 'm'));
    }
    expect(text).toMatch(/^nodejs_eventloop_lag_max_seconds [0-9.e-]+$/m);
    // Once the work of the background is done, of which some may be under way.
    for (const name of ['changes_running', 'changes_waiting', 'changes_busy_total', 'reads_waiting']) {
      await until(async () => new RegExp(`^patois_${name} 0$`, 'm').test((await get('/metrics')).text));
    }
  });

  test('counts statements by kind, and changes', async () => {
    const changes = async (): Promise<number> =>
      Number(/^patois_changes_total (\d+)$/m.exec((await get('/metrics')).text)?.[1]);
    const ofKind = (kind: string): Promise<number> => valueOf('patois_statements_total', `kind="${kind}"`);
    const before = [await changes(), await ofKind('lock'), await ofKind('insert-tokens')];
    await server.issue({ dialect: 'patois', ownerId: (await server.admin()).id });
    const after = [await changes(), await ofKind('lock'), await ofKind('insert-tokens')];
    expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([1, 1, 1]);
    expect(await ofKind('typeorm')).toBeGreaterThan(0);
  });

  test('counts requests by method, pattern of the route, owner of the path and status', async () => {
    const of = (method: string, route: string, dialect: string, status: number): string =>
      `method="${method}",route="${route}",dialect="${dialect}",status="${status}"`;
    const user = of('GET', '/patois/v1/users/:user', 'patois', 200);
    const before = await valueOf('patois_http_requests_total', user);
    await server.send('GET', '/patois/v1/users/admin', { headers: server.asAdmin });
    await server.send('GET', '/patois/v1/users/admin', { headers: server.asAdmin });
    expect(await valueOf('patois_http_requests_total', user)).toBe(before + 2);
    expect(await valueOf('patois_http_request_duration_seconds_count', user)).toBe(before + 2);
    expect(await valueOf('patois_http_request_duration_seconds_sum', user)).toBeGreaterThan(0);
    await get('/api-tokens/po_0000000000000000000000');
    const panther = of('GET', '/api-tokens/:id', 'panther', 401);
    expect(await valueOf('patois_http_requests_total', panther)).toBe(1);
    await get('/nothing/here');
    expect(await valueOf('patois_http_requests_total', of('GET', '(none)', 'patois', 404))).toBeGreaterThan(
      0,
    );
  });

  test('counts verdicts by outcome and dialect', async () => {
    const owner = await server.admin();
    const { value } = await server.issue({ dialect: 'panther', ownerId: owner.id, scopes: ['AlertRead'] });
    const active = 'outcome="active",dialect="panther"';
    const before = await valueOf('patois_verdicts_total', active);
    await server.send('GET', '/verify', { headers: bearer(value) });
    expect(await valueOf('patois_verdicts_total', active)).toBe(before + 1);
  });

  test('shows no token, token id, login, uuid or path that a client chose', async () => {
    const owner = await server.makeUser({ login: 'veryspecial' });
    const { token, value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] });
    const headers = bearer(value);
    const paths = [
      '/patois/v1/me',
      `/patois/v1/tokens/${token.tokenId}`,
      `/patois/v1/tokens/${value}`,
      `/patois/v1/tokens?owner=veryspecial&q=${token.tokenId}`,
      `/patois/v1/users/veryspecial`,
      `/verify/veryspecial/${value}`,
      `/${value}`,
      `/api-tokens/${token.id}`,
      `/%zz/${token.tokenId}`,
    ];
    for (const path of paths) await server.send('GET', path, { headers });
    const { text } = await get('/metrics');
    for (const secret of [value, value.slice(16), token.tokenId, token.id, owner.user.id, 'veryspecial'])
      expect(text).not.toContain(secret);
  });

  test('two servers in one process count for themselves', async () => {
    const other = await TestServer.start();
    await other.send('GET', '/patois/v1/locations', { headers: other.asAdmin });
    const { text } = await other.send('GET', '/metrics');
    await other.close();
    expect(text).toContain('route="/patois/v1/locations"');
    expect((await get('/metrics')).text).not.toContain('route="/patois/v1/locations"');
  });
});
