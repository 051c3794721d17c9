import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config.js';
import { Statements } from '../../src/database/statements.js';
import { makeToken as makeTokenOf } from '../../src/tokens/token-format.js';
import { freePort } from '../support/free-port.js';
import { Browser } from '../support/cookie-browser.js';
import { bearer, type Sent } from '../support/http.js';
import { IdentityProvider } from '../support/identity-provider.js';
import { NoticeReceiver } from '../support/notice-receiver.js';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { ADMIN_PASSWORD, TestServer } from '../support/server.js';
import { hasServer } from '../support/store.js';
import { until } from '../support/until.js';

const COLLECTOR_KEY = `collector-${randomBytes(12).toString('hex')}`;
const EXPORTED_WITHIN_MS = '50';

let receiver: OtlpReceiver;
let server: TestServer;
/** Tokens of all kinds of callers; no part of them may be exported. */
const tokens: { value: string; tokenId: string }[] = [];

beforeAll(async () => {
  Object.assign(process.env, {
    OTEL_SERVICE_NAME: 'token-authority',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    OTEL_EXPORTER_OTLP_HEADERS: `api-key=${COLLECTOR_KEY}`,
    OTEL_BSP_SCHEDULE_DELAY: EXPORTED_WITHIN_MS,
    OTEL_EXPORTER_OTLP_TIMEOUT: '4000',
  });
  receiver = await OtlpReceiver.start();
  server = await start();
});
afterEach(() => {
  delete process.env['OTEL_TRACES_SAMPLER'];
});
afterAll(async () => {
  await server.close();
  const bytes = receiver.bytes.toString('latin1');
  for (const { value, tokenId } of tokens) {
    if (bytes.includes(tokenId) || bytes.includes(value.slice(16))) throw new Error('A token was exported');
  }
  for (const secret of [ADMIN_PASSWORD, COLLECTOR_KEY]) {
    if (bytes.includes(secret)) throw new Error('A secret was exported');
  }
  await receiver.close();
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name];
});

function start(settings: Partial<Config> = {}): Promise<TestServer> {
  return TestServer.start({ tracesEndpoint: receiver.url, ...settings });
}

async function makeToken(scopes: string[]): Promise<string> {
  const { id: ownerId } = await server.admin();
  const { token, value } = await server.issue({ dialect: 'patois', ownerId, scopes });
  tokens.push({ value, tokenId: token.tokenId });
  return value;
}

/** A token that nobody has issued. */
function makeTokenValue(): string {
  const { value, tokenId } = makeTokenOf();
  tokens.push({ value, tokenId });
  return value;
}

/** A caller's trace, as W3C Trace Context writes it. */
function callersTrace(isSampled = true): { traceId: string; spanId: string; traceparent: string } {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-0${isSampled ? 1 : 0}` };
}

/** Sends a request in a trace of its own, and gives the span of the server in it. */
async function traced(
  method: string,
  path: string,
  { headers, ...sent }: Sent = {},
  to = server,
): Promise<{ request: ReceivedSpan; caller: ReturnType<typeof callersTrace>; status: number }> {
  const caller = callersTrace();
  const { traceparent } = caller;
  const { status } = await to.send(method, path, { ...sent, headers: { ...headers, traceparent } });
  const request = await receiver.span(({ traceId, kind }) => traceId === caller.traceId && kind === 'server');
  return { request, caller, status };
}

/** The names of spans, each below the one that it is a part of. */
function tree(parent: ReceivedSpan, depth = 0): string[] {
  const children = receiver.of(parent.traceId).filter(({ parentSpanId }) => parentSpanId === parent.spanId);
  const below = children
    .sort((a, b) => Number(a.startNs - b.startNs))
    .flatMap((child) => tree(child, depth + 1));
  return [`${'  '.repeat(depth)}${parent.name}`, ...below];
}

describe('a request', () => {
  test('is a span in the trace of its caller, and what it decides and asks the database are parts of it', async () => {
    const value = await makeToken(['patois:*']);
    const headers = bearer(value);
    const body = { dialect: 'patois', owner: 'admin', name: 'traced', scopes: ['patois:introspect'] };
    const { request, caller, status } = await traced('POST', '/patois/v1/tokens', { headers, body });
    expect(status).toBe(201);
    expect(request).toMatchObject({
      name: 'POST /patois/v1/tokens',
      parentSpanId: caller.spanId,
      isFailed: false,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/patois/v1/tokens',
        'http.response.status_code': 201,
        'patois.dialect': 'patois',
        'patois.request_id': expect.stringMatching(/^[\da-f-]{36}$/),
      },
      resource: { 'service.name': 'token-authority', 'deployment.environment.name': 'test' },
    });
    expect(tree(request)).toEqual([
      'POST /patois/v1/tokens',
      '  decision',
      '    verify',
      ...(hasServer ? [] : ['      typeorm']),
      '  lock',
      '  insert-tokens',
    ]);
    const [decision, lock] = receiver.of(caller.traceId).filter(({ name }) => /^(decision|lock)$/.test(name));
    expect(decision?.kind).toBe('internal');
    expect(decision?.attributes).toEqual({
      'patois.decision': 'active',
      'patois.decision.from_memory': false,
      'patois.token.dialect': 'patois',
    });
    expect(lock?.kind).toBe('client');
    expect(lock?.attributes).toEqual({ 'db.system.name': 'postgresql', 'db.query.summary': 'lock' });
    expect(Number((lock?.endNs ?? 0n) - (lock?.startNs ?? 0n))).toBeGreaterThan(0);
  });

  test('goes on in the state of the trace, unless a token is hidden there', async () => {
    const value = await makeToken(['patois:*']);
    const [clean, dirty] = [callersTrace(), callersTrace()];
    for (const [{ traceparent }, tracestate] of [
      [clean, 'vendor=place'],
      [dirty, `vendor=${value}`],
    ] as const) {
      await server.send('GET', '/patois/v1/me', { headers: { ...bearer(value), traceparent, tracestate } });
    }
    expect((await receiver.span(({ traceId }) => traceId === clean.traceId)).traceState).toBe('vendor=place');
    expect((await receiver.span(({ traceId }) => traceId === dirty.traceId)).traceState).toBe('');
  });

  test('begins a trace of its own where no caller has one, or none that can be read', async () => {
    const requestIds: unknown[] = [];
    for (const traceparent of [undefined, 'no trace', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`]) {
      const headers = { ...server.asAdmin, ...(traceparent === undefined ? {} : { traceparent }) };
      const answer = await server.send('GET', '/patois/v1/me', { headers });
      requestIds.push(answer.headers['x-request-id']);
    }
    for (const id of requestIds) {
      const span = await receiver.span(({ attributes }) => attributes['patois.request_id'] === id);
      expect(span.parentSpanId).toBe('');
      expect(span.traceId).toMatch(/^(?!0{32})[\da-f]{32}$/);
    }
  });

  test('that a caller does not sample is not exported', async () => {
    const { traceId, traceparent } = callersTrace(false);
    await server.send('GET', '/patois/v1/me', { headers: { ...server.asAdmin, traceparent } });
    await traced('GET', '/patois/v1/me', { headers: server.asAdmin });
    expect(receiver.of(traceId)).toEqual([]);
  });

  test('is known by the pattern of its route, and a token id in its path is not exported', async () => {
    const { token, value } = await server.issue({ dialect: 'patois', ownerId: (await server.admin()).id });
    tokens.push({ value, tokenId: token.tokenId });
    const { request } = await traced('GET', `/patois/v1/tokens/${token.tokenId}?note=${value}`, {
      headers: { ...server.asAdmin, 'user-agent': value },
    });
    expect(request.name).toBe('GET /patois/v1/tokens/:tokenId');
    const unknown = await traced('GET', `/nowhere/${token.tokenId}`);
    expect([unknown.status, unknown.request.name]).toEqual([404, 'GET']);
    expect(receiver.bytes.toString('latin1')).not.toContain(token.tokenId);
  });

  test.each([
    ['a token that is unknown', 'unknown', async () => makeTokenValue()],
    ['no token at all', 'malformed', async () => 'pt-no-token'],
  ])('says why %s was refused', async (_what, reason, value) => {
    const { request, status } = await traced('GET', '/patois/v1/me', { headers: bearer(await value()) });
    expect([status, request.isFailed]).toEqual([401, false]);
    const [decision] = receiver.of(request.traceId).filter(({ name }) => name === 'decision');
    expect(decision?.attributes['patois.decision']).toBe(reason);
  });

  test('that asks about a thousand tokens has two hundred steps at most', async () => {
    const headers = bearer(await makeToken(['patois:introspect']));
    const body = { verifications: Array.from({ length: 1000 }, () => ({ token: makeTokenValue() })) };
    const { request, status } = await traced('POST', '/patois/v1/verifications', { headers, body });
    expect(status).toBe(200);
    const steps = receiver.of(request.traceId).length - 1;
    expect(steps).toBeGreaterThan(100);
    expect(steps).toBeLessThanOrEqual(200);
  });

  test.each(['/healthz', '/readyz', '/metrics'])('of %s is not traced', async (path) => {
    const { traceId, traceparent } = callersTrace();
    await server.send('GET', path, { headers: { traceparent } });
    await traced('GET', '/patois/v1/me', { headers: server.asAdmin });
    expect(receiver.of(traceId)).toEqual([]);
  });

  test('that fails is marked, by the kind of its error and nothing of its message', async () => {
    const statements = server.app.nest.get(Statements, { strict: false });
    const secret = `secret-${randomBytes(8).toString('hex')}`;
    const failing = jest.spyOn(statements, 'run').mockImplementation(() => Promise.reject(new Error(secret)));
    const { request, status } = await traced('GET', '/patois/v1/me', { headers: server.asAdmin });
    failing.mockRestore();
    expect([status, request.isFailed]).toEqual([500, true]);
    expect(receiver.bytes.toString('latin1')).not.toContain(secret);
  });
});

describe('/verify and introspection', () => {
  async function verify(to: TestServer, isSampled: boolean): Promise<string> {
    const { traceId, traceparent } = callersTrace(isSampled);
    const headers = { ...bearer(await makeTokenOn(to)), traceparent };
    expect((await to.send('GET', '/verify', { headers })).status).toBe(204);
    return traceId;
  }

  async function introspect(to: TestServer): Promise<string> {
    const { traceId, traceparent } = callersTrace();
    const headers = {
      ...bearer(await makeTokenOn(to)),
      'content-type': 'application/x-www-form-urlencoded',
      traceparent,
    };
    const answer = await to.send('POST', '/oauth2/introspect', { headers, body: 'token=none' });
    expect([answer.status, answer.json]).toEqual([200, { active: false }]);
    return traceId;
  }

  async function makeTokenOn(to: TestServer): Promise<string> {
    const { id: ownerId } = await to.admin();
    const { token, value } = await to.issue({ dialect: 'patois', ownerId, scopes: ['patois:introspect'] });
    tokens.push({ value, tokenId: token.tokenId });
    return value;
  }

  test('are not traced unless the operator asks for it', async () => {
    const traceIds = [await verify(server, true), await introspect(server)];
    await traced('GET', '/patois/v1/me', { headers: server.asAdmin });
    expect(traceIds.flatMap((traceId) => receiver.of(traceId))).toEqual([]);
  });

  test('are traced where the caller is and TRACE_VERIFICATIONS says sampled', async () => {
    const other = await start({ tracedVerifications: 'sampled' });
    const unsampled = await verify(other, false);
    const traceId = await verify(other, true);
    const request = await receiver.span((span) => span.traceId === traceId && span.kind === 'server');
    expect(request).toMatchObject({
      name: 'GET /verify',
      attributes: { 'http.route': '/verify', 'http.response.status_code': 204 },
    });
    expect(tree(request).slice(0, 3)).toEqual(['GET /verify', '  decision', '    verify']);
    const introspected = await introspect(other);
    const span = await receiver.span((one) => one.traceId === introspected && one.kind === 'server');
    // The caller's own token, and the one that was asked about.
    expect(tree(span).filter((line) => line === '  decision')).toHaveLength(2);
    expect(receiver.of(unsampled)).toEqual([]);
    await other.close();
  });

  test('are traced without a caller as well where it says all', async () => {
    const other = await start({ tracedVerifications: 'all' });
    const before = receiver.spans.length;
    expect((await other.send('GET', '/verify')).status).toBe(401);
    await receiver.span((span) => span.name === 'GET /verify' && receiver.spans.indexOf(span) >= before);
    await other.close();
  });
});

describe('what goes out', () => {
  test('a webhook is a trace of its own, which its receiver is told of', async () => {
    const hooks = await NoticeReceiver.start();
    const settings = { webhookAllowsHttp: true, webhookPrivateNetworks: ['127.0.0.0/8'] };
    const other = await start(settings);
    const headers = other.asAdmin;
    const channel = {
      kind: 'webhook',
      url: `${hooks.url}/hook`,
      organization: 'Default',
      events: ['policy.changed'],
    };
    expect((await other.send('POST', '/patois/v1/notice-channels', { headers, body: channel })).status).toBe(
      201,
    );
    const policy = { maxLifetimeSeconds: 86_400 };
    const path = '/patois/v1/organizations/Default/policy';
    expect((await other.send('PUT', path, { headers, body: policy })).status).toBeLessThan(300);
    const span = await receiver.span(({ name }) => name === 'webhook');
    expect(span).toMatchObject({
      kind: 'client',
      parentSpanId: '',
      attributes: {
        'http.request.method': 'POST',
        'http.response.status_code': 204,
        'patois.notice.event': 'policy.changed',
      },
    });
    expect(hooks.at('/hook')[0]?.headers['traceparent']).toBe(`00-${span.traceId}-${span.spanId}-01`);
    await other.close();
    await hooks.close();
  });

  test('a provider that people sign in by is told of the trace of the sign-in, and nothing secret is in it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'patois-tracing-'));
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}`;
    const clientSecret = `client-${randomBytes(16).toString('hex')}`;
    const provider = await IdentityProvider.start({
      clientSecret,
      redirectUris: [`${publicUrl}/console/sign-in/corp/callback`],
    });
    provider.accounts['ada'] = { preferred_username: 'ada', email: 'ada@example.com', email_verified: true };
    const file = join(folder, 'providers.json');
    const { issuer } = provider;
    const entry = {
      name: 'corp',
      title: 'Corp',
      issuer,
      clientId: 'patois',
      clientSecret,
      createsUsers: true,
    };
    writeFileSync(file, JSON.stringify([entry]));
    const other = await start({ port, publicUrl, oidcProviders: file });
    const browser = new Browser();
    let { location } = await browser.get(`${publicUrl}/console/sign-in/corp`);
    const visited: string[] = [];
    while (location !== undefined && !location.startsWith(publicUrl)) {
      visited.push(location);
      const isQuestion = new URL(location).pathname.startsWith('/interaction/');
      ({ location } = await browser.get(location + (isQuestion ? '?account=ada' : '')));
    }
    const callback = location ?? '';
    const done = await browser.get(callback);
    expect([done.status, new URL(done.location ?? '').pathname]).toEqual([303, '/console']);
    const request = await receiver.span(({ name }) => name === 'GET /console/sign-in/:provider/callback');
    const asked = receiver.of(request.traceId).filter(({ name }) => name === 'sign-in provider');
    expect(asked[0]).toMatchObject({
      kind: 'client',
      parentSpanId: request.spanId,
      attributes: { 'http.request.method': 'POST', 'patois.sign_in_provider': 'corp' },
    });
    expect(provider.traceparents.get('/token')).toBe(`00-${request.traceId}-${asked[0]?.spanId}-01`);
    const exported = receiver.bytes.toString('latin1');
    const code = new URL(callback).searchParams.get('code') ?? '';
    expect(code.length).toBeGreaterThan(20);
    for (const secret of [clientSecret, code]) expect(exported).not.toContain(secret);
    await other.close();
    await provider.close();
    rmSync(folder, { recursive: true });
  });

  test('a portion of a job is a trace of its own', async () => {
    const headers = server.asAdmin;
    const { user } = await server.makeUser();
    await server.issue({ dialect: 'patois', ownerId: user.id });
    const body = { filter: { owner: user.login }, reason: 'to see its trace' };
    const answer = await server.send('POST', '/patois/v1/revocations', { headers, body });
    expect(answer.status).toBe(202);
    const portion = await receiver.span(({ attributes }) => attributes['patois.job.id'] === answer.json.id);
    expect([portion.parentSpanId, portion.kind]).toEqual(['', 'internal']);
    expect(tree(portion).length).toBeGreaterThan(1);
  });
});

describe('the receiver', () => {
  test('is asked as the standard variables say', async () => {
    await traced('GET', '/patois/v1/me', { headers: server.asAdmin });
    const { path, headers } = receiver.requests.at(-1) ?? {};
    expect([path, headers?.['content-type']]).toEqual(['/v1/traces', 'application/x-protobuf']);
    expect(headers?.['api-key']).toBe(COLLECTOR_KEY);
  });

  test('OTEL_TRACES_SAMPLER counts', async () => {
    process.env['OTEL_TRACES_SAMPLER'] = 'parentbased_always_off';
    const other = await start();
    const { headers } = await other.send('GET', '/patois/v1/me', { headers: other.asAdmin });
    const { request } = await traced('GET', '/patois/v1/me', { headers: other.asAdmin }, other);
    const [first] = receiver.spans.filter(
      ({ attributes }) => attributes['patois.request_id'] === headers['x-request-id'],
    );
    expect([request.name, first]).toEqual(['GET /patois/v1/me', undefined]);
    await other.close();
  });

  test.each([
    ['refuses', 400],
    ['answers nothing', undefined],
  ])('that %s harms no request, and no end takes longer for it', async (_what, status) => {
    const failing = await OtlpReceiver.start();
    failing.status = status;
    const other = await start({ tracesEndpoint: failing.url });
    const { headers, status: answered } = await other.send('GET', '/patois/v1/me', {
      headers: other.asAdmin,
    });
    expect([answered, headers['x-request-id']]).toEqual([200, expect.any(String)]);
    await until(() => failing.requests.length > 0);
    const began = performance.now();
    await other.close();
    expect(performance.now() - began).toBeLessThan(8_000);
    await failing.close();
  });

  test('that refuses is told of in the log, once', async () => {
    const refusing = await OtlpReceiver.start();
    refusing.status = 400;
    const other = await start({ tracesEndpoint: refusing.url });
    for (let times = 0; times < 3; times += 1) {
      const before = refusing.requests.length;
      await other.send('GET', '/patois/v1/me', { headers: other.asAdmin });
      await until(() => refusing.requests.length > before);
    }
    // The log is that of all servers of this process: one that was closed may still say that its receiver answers nothing.
    const refused = (): string[] =>
      other.logged.filter((line) => line.includes('Traces cannot be sent: Bad Request'));
    await until(() => refused().length > 0);
    expect(refused()).toHaveLength(1);
    expect(other.logged.join('\n')).not.toContain(COLLECTOR_KEY);
    await other.close();
    await refusing.close();
  });

  test('has all spans when the server has ended', async () => {
    process.env['OTEL_BSP_SCHEDULE_DELAY'] = '60000';
    const other = await start();
    process.env['OTEL_BSP_SCHEDULE_DELAY'] = EXPORTED_WITHIN_MS;
    const { traceId, traceparent } = callersTrace();
    await other.send('GET', '/patois/v1/me', { headers: { ...other.asAdmin, traceparent } });
    expect(receiver.of(traceId)).toEqual([]);
    await other.close();
    expect(receiver.of(traceId).map(({ name }) => name)).toContain('GET /patois/v1/me');
  });
});
