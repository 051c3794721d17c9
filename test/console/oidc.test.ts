import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UserSpec } from '../../src/accounts/accounts.service.js';
import { Identity } from '../../src/accounts/identity.entity.js';
import { User } from '../../src/accounts/user.entity.js';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { type Config, ConfigurationError } from '../../src/config.js';
import { FailedSignIns } from '../../src/console/sign-in/failed-sign-ins.js';
import { readSignInProviders } from '../../src/console/sign-in/read-providers.js';
import { Token } from '../../src/tokens/token.entity.js';
import { Browser, type Page } from '../support/cookie-browser.js';
import { moveClock } from '../support/clock.js';
import { freePort } from '../support/free-port.js';
import { IdentityProvider } from '../support/identity-provider.js';
import { TestServer } from '../support/server.js';

const SESSION = 'patois_session';
const PENDING = 'patois_sign_in';
const CLIENT_SECRET = `client-secret-${randomBytes(24).toString('hex')}`;

let folder: string;
let url: string;
let server: TestServer;
/** Of an organization, with a secret: links, and makes nobody. */
let corp: IdentityProvider;
/** For everybody, without a secret: makes users, by claims. */
let open: IdentityProvider;
/** Answers 500, whatever it is asked. */
let broken: { issuer: string; requests: string[]; close: () => Promise<void> };
let browser: Browser;
/** All that were started here: Nest's logger is that of the last one, whoever writes. */
const servers: TestServer[] = [];

async function start(settings: Partial<Config>): Promise<TestServer> {
  const started = await TestServer.start(settings);
  servers.push(started);
  return started;
}

function logged(): string {
  return servers.flatMap((one) => one.logged).join('\n');
}

beforeAll(async () => {
  // Where it is run is none of what oidc-provider recommends.
  for (const method of ['info', 'warn'] as const) jest.spyOn(console, method).mockImplementation(() => {});
  folder = mkdtempSync(join(tmpdir(), 'patois-sign-in-'));
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const callback = (name: string): string => `${url}/console/sign-in/${name}/callback`;
  corp = await IdentityProvider.start({
    clientSecret: CLIENT_SECRET,
    redirectUris: [callback('corp'), callback('strict')],
  });
  open = await IdentityProvider.start({
    clientId: 'public',
    redirectUris: [callback('open')],
    putsClaimsIntoIdToken: true,
  });
  broken = await startBroken();
  const oidcProviders = file([
    {
      name: 'corp',
      title: 'Example Corp',
      issuer: corp.issuer,
      clientId: 'patois',
      clientSecret: CLIENT_SECRET,
      linksByVerifiedEmail: true,
    },
    {
      name: 'strict',
      title: 'Example Corp, without links',
      issuer: corp.issuer,
      clientId: 'patois',
      clientSecret: CLIENT_SECRET,
    },
    {
      name: 'open',
      title: 'Everybody',
      issuer: open.issuer,
      clientId: 'public',
      createsUsers: true,
      organizationClaim: 'department',
      organizations: { engineering: 'Engineering', sales: 'Sales' },
      roleClaim: 'groups',
      roles: { 'patois-org': 'organizationAdministrator', 'patois-all': 'administrator' },
    },
    { name: 'broken', title: 'Broken', issuer: broken.issuer, clientId: 'patois', createsUsers: true },
  ]);
  server = await start({ port, publicUrl: url, oidcProviders });
  await server.organization('Engineering');
  await server.organization('Sales');
});
beforeEach(() => {
  browser = new Browser();
});
afterEach(() => {
  jest.useRealTimers();
  corp.tamper = undefined;
});
afterAll(async () => {
  await server.close();
  await Promise.all([corp.close(), open.close(), broken.close()]);
  rmSync(folder, { recursive: true });
  // As TestServer does with the secrets of tokens: whichever test it was.
  if (logged().includes(CLIENT_SECRET)) throw new Error('The secret of a client was written');
});

function file(providers: unknown): string {
  const path = join(folder, `${randomBytes(4).toString('hex')}.json`);
  writeFileSync(path, typeof providers === 'string' ? providers : JSON.stringify(providers));
  return path;
}

async function startBroken(): Promise<typeof broken> {
  const requests: string[] = [];
  const listening = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.writeHead(500).end();
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  const close = async (): Promise<void> => {
    listening.close();
    listening.closeAllConnections();
  };
  return { issuer: `http://127.0.0.1:${port}`, requests, close };
}

/** Begins, and gives where the provider would be asked. */
async function begin(provider: string, returnTo?: string): Promise<string> {
  const query = returnTo === undefined ? '' : `?returnTo=${encodeURIComponent(returnTo)}`;
  const page = await browser.get(`${url}/console/sign-in/${provider}${query}`);
  expect(page.status).toBe(303);
  expect(page.headers.get('cache-control')).toBe('no-store');
  return page.location ?? '';
}

/** Signs in at the provider, and gives where it sends the browser back to. Null: the person denies it. */
async function atProvider(authorization: string, account: string | null): Promise<string> {
  let next = authorization;
  for (let steps = 0; !next.startsWith(`${url}/`); steps += 1) {
    if (steps > 10) throw new Error(`${next} leads nowhere`);
    const isQuestion = new URL(next).pathname.startsWith('/interaction/');
    const answer = isQuestion && account !== null ? `?account=${account}` : '';
    const { location, text } = await browser.get(next + answer);
    if (location === undefined) throw new Error(`${next} goes nowhere: ${text}`);
    next = location;
  }
  return next;
}

/** All of a sign-in, to the answer of the callback. */
async function signIn(provider: string, account: string | null, returnTo?: string): Promise<Page> {
  return browser.get(await atProvider(await begin(provider, returnTo), account));
}

function errorOf(page: Page): string | null {
  const { origin, pathname, searchParams } = new URL(page.location ?? '');
  expect([page.status, origin, pathname, page.text]).toEqual([303, url, '/console/sign-in', '']);
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(browser.cookie(url, SESSION)).toBeUndefined();
  return searchParams.get('error');
}

function expectSignedIn(page: Page, returnTo = '/console'): void {
  expect([page.status, page.location]).toEqual([303, url + returnTo]);
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(browser.cookie(url, SESSION)).toBeDefined();
}

function userBy(login: string): Promise<User | null> {
  const relations = { organization: true };
  return server.app.dataSource.manager.findOne(User, { where: { login }, relations });
}

function identitiesOf(user: Pick<User, 'id'>): Promise<Identity[]> {
  return server.app.dataSource.manager.findBy(Identity, { userId: user.id });
}

async function actionsOn(objectId: string): Promise<string[]> {
  await server.app.nest.get(FailedSignIns, { strict: false }).flush();
  const events = await server.app.dataSource.manager.find(AuditEvent, {
    where: { objectId },
    order: { time: 'ASC', ordinal: 'ASC' },
  });
  return events.map(({ action }) => action);
}

/** How many rows there are of what a sign-in can write. */
async function written(): Promise<number[]> {
  await server.app.nest.get(FailedSignIns, { strict: false }).flush();
  const { manager } = server.app.dataSource;
  return [await manager.count(Identity), await manager.count(User), await manager.count(AuditEvent)];
}

function uniqueName(): string {
  return `p${randomBytes(5).toString('hex')}`;
}

/** A user whose address `corp` vouches for. */
async function person(spec: Partial<UserSpec> = {}): Promise<{ name: string; email: string; user: User }> {
  const name = uniqueName();
  const email = `${name}@example.com`;
  const { user } = await server.makeUser({ login: name, email, ...spec });
  corp.accounts[name] = { email, email_verified: true };
  return { name, email, user };
}

describe('GET /console/sign-in/{provider}', () => {
  test('sends a browser to the provider with a code flow, PKCE by S256, state and nonce, and our redirect URI', async () => {
    const authorization = new URL(await begin('corp'));
    expect(authorization.origin + authorization.pathname).toBe(`${corp.issuer}/auth`);
    expect(Object.fromEntries(authorization.searchParams)).toEqual({
      client_id: 'patois',
      response_type: 'code',
      scope: 'openid profile email',
      redirect_uri: `${url}/console/sign-in/corp/callback`,
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
  });

  test('redirects to PUBLIC_URL, whatever the Host header says', async () => {
    const { headers } = await server.send('GET', '/console/sign-in/corp', {
      headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
    });
    const { searchParams } = new URL(headers.location ?? '');
    expect(searchParams.get('redirect_uri')).toBe(`${url}/console/sign-in/corp/callback`);
  });

  test('remembers what was sent in a sealed cookie that no script sees and other sites do not send along', async () => {
    const { headers } = await server.send('GET', '/console/sign-in/corp');
    const [cookie = ''] = headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^patois_sign_in=[\w-]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/);
    const state = new URL(headers.location ?? '').searchParams.get('state') ?? '';
    const value = /=([\w-]+);/.exec(cookie)?.[1] ?? '';
    expect(state).toHaveLength(43);
    expect(Buffer.from(value, 'base64url').toString('latin1')).not.toContain(state);
  });

  test('under https the cookie is Secure and bound to the host', async () => {
    const oidcProviders = file([
      { name: 'corp', title: 'Corp', issuer: corp.issuer, clientId: 'patois', clientSecret: CLIENT_SECRET },
    ]);
    const secure = await start({ publicUrl: 'https://tokens.example.com/base', oidcProviders });
    try {
      const begun = await secure.send('GET', '/console/sign-in/corp');
      expect(begun.headers['set-cookie']?.[0]).toMatch(/^__Host-patois_sign_in=[\w-]+; Path=\/; .*; Secure$/);
      const { location = '' } = begun.headers;
      expect(new URL(location).searchParams.get('redirect_uri')).toBe(
        'https://tokens.example.com/base/console/sign-in/corp/callback',
      );
      const { headers } = await secure.send('GET', '/console/sign-in/corp/callback');
      expect(headers.location).toBe('/base/console/sign-in?error=expired');
    } finally {
      await secure.close();
    }
  });

  test('is not found for a provider that is not configured, and neither is its callback', async () => {
    for (const path of ['/console/sign-in/nobody', '/console/sign-in/constructor/callback']) {
      expect(await server.send('GET', path)).toMatchObject({ status: 404 });
    }
  });

  test('a provider that fails is asked once in five seconds, and then again', async () => {
    const page = await browser.get(`${url}/console/sign-in/broken`);
    expect(errorOf(page)).toBe('unavailable');
    const asked = broken.requests.length;
    expect(asked).toBeGreaterThan(0);
    const pages = await Promise.all(
      Array.from({ length: 20 }, () => browser.get(`${url}/console/sign-in/broken`)),
    );
    expect(new Set(pages.map(errorOf))).toEqual(new Set(['unavailable']));
    expect(broken.requests).toHaveLength(asked);
    moveClock(5_001);
    await browser.get(`${url}/console/sign-in/broken`);
    expect(broken.requests.length).toBeGreaterThan(asked);
  });

  test('what a provider says of itself is read once', async () => {
    await begin('corp');
    const reads = (): number =>
      corp.requests.filter((one) => one === 'GET /.well-known/openid-configuration').length;
    const before = reads();
    await Promise.all([begin('corp'), begin('corp')]);
    expect(reads()).toBe(before);
  });
});

describe('GET /console/sign-in/{provider}/callback', () => {
  test('signs in whom the provider has signed in, and sends them where they wanted to go', async () => {
    const { name, user } = await person();
    expectSignedIn(
      await signIn('corp', name, '/console/tokens?owner=ada#top'),
      '/console/tokens?owner=ada#top',
    );
    expect(browser.cookie(url, PENDING)).toBeUndefined();
    expect(await identitiesOf(user)).toMatchObject([{ issuer: corp.issuer, subject: name }]);
  });

  test('knows whom it has linked by the subject, whatever the address is by then', async () => {
    const { name, user } = await person();
    expectSignedIn(await signIn('corp', name));
    const [linked] = await identitiesOf(user);
    corp.accounts[name] = { email: 'another@example.com', email_verified: false };
    browser = new Browser();
    expectSignedIn(await signIn('corp', name));
    const [used, ...others] = await identitiesOf(user);
    expect(others).toEqual([]);
    expect(used?.id).toBe(linked?.id);
    expect(used?.lastUsedAt.getTime()).toBeGreaterThan(linked?.lastUsedAt.getTime() ?? Infinity);
    expect((await actionsOn(user.id)).filter((action) => action === 'identity.link')).toHaveLength(1);
  });

  test.each([
    'https://evil.example/console/',
    '//evil.example/console/',
    '/\\evil.example/console/',
    '/patois/v1/me',
    '/console/../docs',
    '/console/%2e%2e/docs',
    '/console/..//evil.example',
    '/consoles',
    '/console/sign-in/corp',
    'javascript:alert(1)',
    `/console/${'x'.repeat(1100)}`,
  ])('goes to the console for returnTo=%s', async (returnTo) => {
    const { name } = await person();
    expectSignedIn(await signIn('corp', name, returnTo));
  });

  test('another state is refused, costs the provider nothing, and leaves the sign-in that is under way', async () => {
    const { name } = await person();
    const callback = new URL(await atProvider(await begin('corp'), name));
    const state = callback.searchParams.get('state') ?? '';
    const before = [corp.requests.length, await written()];
    callback.searchParams.set('state', randomBytes(32).toString('base64url'));
    expect(errorOf(await browser.get(callback.href))).toBe('expired');
    expect([corp.requests.length, await written()]).toEqual(before);
    callback.searchParams.set('state', state);
    expectSignedIn(await browser.get(callback.href));
  });

  test('an ID token for another nonce is refused', async () => {
    const { name, user } = await person();
    const authorization = new URL(await begin('corp'));
    authorization.searchParams.set('nonce', 'of-another-sign-in');
    expect(errorOf(await browser.get(await atProvider(authorization.href, name)))).toBe('failed');
    expect(await identitiesOf(user)).toEqual([]);
    expect(logged()).toContain('unexpected JWT claim value');
  });

  test('an ID token whose signature is another is refused', async () => {
    const { name, user } = await person();
    const callback = await atProvider(await begin('corp'), name);
    corp.tamper = (body) =>
      body.replace(
        /("id_token":"[\w-]+\.[\w-]+\.)([\w-]{4})/,
        (_, before: string, signature: string) => before + (signature === 'AAAA' ? 'BBBB' : 'AAAA'),
      );
    expect(errorOf(await browser.get(callback))).toBe('failed');
    expect(await identitiesOf(user)).toEqual([]);
    expect(logged()).toMatch(/failed: .*signature/);
  });

  test('a code that another verifier belongs to is refused by the provider', async () => {
    const { name, user } = await person();
    const authorization = new URL(await begin('corp'));
    authorization.searchParams.set('code_challenge', randomBytes(32).toString('base64url'));
    expect(errorOf(await browser.get(await atProvider(authorization.href, name)))).toBe('failed');
    expect(await identitiesOf(user)).toEqual([]);
    expect(logged()).toContain('invalid_grant');
  });

  test('an answer that names another issuer is refused before the code is given away', async () => {
    const { name } = await person();
    const callback = new URL(await atProvider(await begin('corp'), name));
    expect(callback.searchParams.get('iss')).toBe(corp.issuer);
    callback.searchParams.set('iss', open.issuer);
    const before = corp.requests.length;
    expect(errorOf(await browser.get(callback.href))).toBe('failed');
    expect(corp.requests).toHaveLength(before);
  });

  test('a callback that comes again is refused: by its cookie, and with the cookie by the provider', async () => {
    const { name } = await person();
    const callback = await atProvider(await begin('corp'), name);
    const pending = browser.cookie(url, PENDING) ?? '';
    expectSignedIn(await browser.get(callback));
    browser.cookies.get(url)?.delete(SESSION);
    expect(errorOf(await browser.get(callback))).toBe('expired');
    browser.cookies.get(url)?.set(PENDING, pending);
    expect(errorOf(await browser.get(callback))).toBe('failed');
  });

  test("another browser's callback is refused, and costs neither a row nor a request to the provider", async () => {
    const { name } = await person();
    const callback = await atProvider(await begin('corp'), name);
    const before = [corp.requests.length, await written()];
    browser = new Browser();
    expect(errorOf(await browser.get(callback))).toBe('expired');
    expect([corp.requests.length, await written()]).toEqual(before);
  });

  test('a cookie that was not made here, or was changed, is none', async () => {
    const { name } = await person();
    const callback = await atProvider(await begin('corp'), name);
    const pending = Buffer.from(browser.cookie(url, PENDING) ?? '', 'base64url').toString();
    const changed = pending.slice(0, -4) + (pending.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    for (const forged of [changed, 'test:', 'nonsense']) {
      browser.cookies.get(url)?.set(PENDING, Buffer.from(forged).toString('base64url'));
      expect(errorOf(await browser.get(callback))).toBe('expired');
    }
  });

  test('what was begun with one provider is not ended by the callback of another', async () => {
    const { name } = await person();
    const callback = await atProvider(await begin('corp'), name);
    const page = await browser.get(callback.replace('/corp/', '/open/'));
    expect(errorOf(page)).toBe('expired');
  });

  test('who takes longer than ten minutes begins again', async () => {
    const { name } = await person();
    const callback = await atProvider(await begin('corp'), name);
    moveClock(600_000);
    expect(errorOf(await browser.get(callback))).toBe('expired');
  });

  test('a query of more than 8,192 characters is refused before the provider is asked', async () => {
    const authorization = new URL(await begin('corp'));
    const query = `state=${authorization.searchParams.get('state')}&iss=${encodeURIComponent(corp.issuer)}`;
    const before = corp.requests.length;
    const page = await browser.get(`${url}/console/sign-in/corp/callback?${query}&code=${'x'.repeat(8_200)}`);
    expect(errorOf(page)).toBe('failed');
    expect(corp.requests).toHaveLength(before);
  });

  test('who says no at the provider is told so, and of many alike there is one event', async () => {
    expect(errorOf(await signIn('strict', null))).toBe('denied');
    expect(errorOf(await signIn('strict', null))).toBe('denied');
    await server.app.nest.get(FailedSignIns, { strict: false }).flush();
    const events = await server.app.dataSource.manager.findBy(AuditEvent, { action: 'login.fail' });
    const denied = events.filter(({ after }) => after?.['error'] === 'denied');
    expect(denied).toMatchObject([
      { actorType: 'system', after: { via: 'provider', provider: 'strict', error: 'denied' } },
    ]);
  });

  test('a disabled user is refused, known or to be linked, and the audit trail has it', async () => {
    const linked = await person();
    expectSignedIn(await signIn('corp', linked.name));
    const other = await person();
    for (const { name, user } of [linked, other]) {
      await server.app.dataSource.manager.update(User, { id: user.id }, { disabled: true });
      browser = new Browser();
      expect(errorOf(await signIn('corp', name))).toBe('disabled');
      expect(await actionsOn(user.login)).toContain('login.fail');
    }
    expect(await identitiesOf(other.user)).toEqual([]);
  });
});

describe('somebody new', () => {
  test('is refused by a provider that neither links nor makes users, and nothing is written', async () => {
    const { name } = await person();
    const before = await written();
    expect(errorOf(await signIn('strict', name))).toBe('unknownUser');
    corp.accounts['nobody'] = { email: 'nobody@example.com', email_verified: true };
    browser = new Browser();
    expect(errorOf(await signIn('corp', 'nobody'))).toBe('unknownUser');
    expect(await written()).toEqual(before);
  });

  test('is linked by a verified e-mail address, without regard to case, with an event in the audit trail', async () => {
    const { name, email, user } = await person();
    corp.accounts[name] = { email: email.toUpperCase(), email_verified: true };
    expectSignedIn(await signIn('corp', name));
    expect(await identitiesOf(user)).toHaveLength(1);
    const where = { action: 'identity.link' as const, objectId: user.id };
    expect(await server.app.dataSource.manager.findBy(AuditEvent, where)).toMatchObject([
      { actorType: 'system', after: { provider: 'corp', issuer: corp.issuer, subject: name } },
    ]);
  });

  test.each([false, undefined, 'true'])(
    'is not linked by an address of which email_verified is %j',
    async (verified) => {
      const { name, email, user } = await person();
      corp.accounts[name] = { email, email_verified: verified };
      expect(errorOf(await signIn('corp', name))).toBe('unknownUser');
      expect(await identitiesOf(user)).toEqual([]);
    },
  );

  test('is not linked where two users have the address', async () => {
    const { name, email, user } = await person();
    const { user: other } = await server.makeUser({ email: email.toUpperCase() });
    expect(errorOf(await signIn('corp', name))).toBe('conflict');
    expect([...(await identitiesOf(user)), ...(await identitiesOf(other))]).toEqual([]);
  });

  test('is not linked to a user who has another identity of that issuer', async () => {
    const { name, email, user } = await person();
    expectSignedIn(await signIn('corp', name));
    const second = uniqueName();
    corp.accounts[second] = { email, email_verified: true };
    browser = new Browser();
    expect(errorOf(await signIn('corp', second))).toBe('conflict');
    expect(await identitiesOf(user)).toMatchObject([{ subject: name }]);
    expect(await actionsOn(user.login)).toContain('login.fail');
  });

  test('is linked once, however many callbacks come at the same moment', async () => {
    const { name, user } = await person();
    const callbacks: [Browser, string][] = [];
    for (let index = 0; index < 4; index += 1) {
      browser = new Browser();
      callbacks.push([browser, await atProvider(await begin('corp'), name)]);
    }
    const pages = await Promise.all(callbacks.map(([own, callback]) => own.get(callback)));
    expect(pages.map(({ location }) => location)).toEqual(Array(4).fill(`${url}/console`));
    expect(await identitiesOf(user)).toHaveLength(1);
  });

  test('becomes a user without a password, by the claims, where the provider makes users', async () => {
    const name = uniqueName();
    open.accounts[name] = {
      preferred_username: `Ådá ${name}!`,
      name: 'Ada Lovelace',
      email: `${name}@example.com`,
      email_verified: true,
      department: 'engineering',
      groups: ['patois-org', 'others'],
    };
    expectSignedIn(await signIn('open', name));
    const user = await userBy(`Ada-${name}`);
    expect(user).toMatchObject({
      name: 'Ada Lovelace',
      email: `${name}@example.com`,
      role: 'organizationAdministrator',
      organization: { name: 'Engineering' },
      disabled: false,
    });
    const { manager } = server.app.dataSource;
    const withPassword = { id: user?.id ?? '', passwordDigest: '' };
    const kept = await manager.findOne(User, {
      where: { id: withPassword.id },
      select: { id: true, passwordDigest: true },
    });
    expect(kept?.passwordDigest).toBeNull();
    expect(await actionsOn(withPassword.id)).toEqual(
      expect.arrayContaining(['user.create', 'identity.link']),
    );
  });

  test('keeps no address that the provider does not vouch for: another provider would link by it', async () => {
    const name = uniqueName();
    const email = `${name}@example.com`;
    open.accounts[name] = { preferred_username: name, email, email_verified: false, department: 'sales' };
    expectSignedIn(await signIn('open', name));
    expect(await userBy(name)).toMatchObject({ email: null, organization: { name: 'Sales' } });
  });

  test.each([
    [
      'whose login is taken',
      'conflict',
      (login: string) => ({ preferred_username: login.toUpperCase(), department: 'sales' }),
    ],
    ['who has no login', 'failed', () => ({ department: 'sales' })],
    ['of whose login nothing is left', 'failed', () => ({ preferred_username: '你好', department: 'sales' })],
    [
      'of no organization that is mapped',
      'unknownUser',
      () => ({ preferred_username: uniqueName(), department: 'toString' }),
    ],
    ['without the claim of the organization', 'unknownUser', () => ({ preferred_username: uniqueName() })],
  ])('%s is not made: %s', async (_, error, claimsOf) => {
    const { user } = await person();
    const name = uniqueName();
    open.accounts[name] = claimsOf(user.login);
    const before = (await written()).slice(0, 2);
    expect(errorOf(await signIn('open', name))).toBe(error);
    expect((await written()).slice(0, 2)).toEqual(before);
  });

  test('is made once, however many callbacks come at the same moment', async () => {
    const name = uniqueName();
    open.accounts[name] = { preferred_username: name, department: 'sales' };
    const callbacks: [Browser, string][] = [];
    for (let index = 0; index < 4; index += 1) {
      browser = new Browser();
      callbacks.push([browser, await atProvider(await begin('open'), name)]);
    }
    const pages = await Promise.all(callbacks.map(([own, callback]) => own.get(callback)));
    expect(pages.map(({ location }) => location)).toEqual(Array(4).fill(`${url}/console`));
    expect(await server.app.dataSource.manager.countBy(User, { login: name })).toBe(1);
  });

  test('comes back as somebody new after the user was deleted', async () => {
    const name = uniqueName();
    open.accounts[name] = { preferred_username: name, department: 'sales' };
    expectSignedIn(await signIn('open', name));
    const first = await userBy(name);
    const path = `/patois/v1/users/${name}`;
    expect(await server.send('DELETE', path, { headers: server.asAdmin })).toMatchObject({ status: 204 });
    expect(await identitiesOf({ id: first?.id ?? '' })).toEqual([]);
    browser = new Browser();
    expectSignedIn(await signIn('open', name));
    expect((await userBy(name))?.id).not.toBe(first?.id);
  });
});

describe('role and organization', () => {
  /** Signs in by `open` with these claims, in a new browser. */
  async function signInWith(name: string, claims: Record<string, unknown>): Promise<Page> {
    open.accounts[name] = { preferred_username: name, ...claims };
    browser = new Browser();
    return signIn('open', name);
  }

  test('are what the claims say at each sign-in; tokens move with their owner, and the audit trail has each change', async () => {
    const name = uniqueName();
    expectSignedIn(await signInWith(name, { department: 'sales', groups: ['patois-all', 'patois-org'] }));
    const user = await userBy(name);
    expect(user).toMatchObject({ role: 'administrator', organization: { name: 'Sales' } });
    const { token } = await server.issue({ dialect: 'patois', ownerId: user?.id ?? '' });
    expectSignedIn(await signInWith(name, { department: ['engineering'], groups: 'patois-org' }));
    expect(await userBy(name)).toMatchObject({
      role: 'organizationAdministrator',
      organization: { name: 'Engineering' },
    });
    const { organizationId } = await server.app.dataSource.manager.findOneByOrFail(Token, { id: token.id });
    expect(organizationId).toBe((await server.organization('Engineering')).id);
    expectSignedIn(await signInWith(name, { department: 'engineering', groups: [] }));
    expect(await userBy(name)).toMatchObject({ role: 'member' });
    expectSignedIn(await signInWith(name, { department: 'engineering' }));
    const actions = await actionsOn(user?.id ?? '');
    expect(actions.filter((action) => action === 'user.update')).toHaveLength(2);
  });

  test('somebody who is of no organization any more is refused, and stays what they were', async () => {
    const name = uniqueName();
    expectSignedIn(await signInWith(name, { department: 'sales', groups: ['patois-org'] }));
    expect(errorOf(await signInWith(name, { department: 'closed', groups: [] }))).toBe('unknownUser');
    expect(await userBy(name)).toMatchObject({
      role: 'organizationAdministrator',
      organization: { name: 'Sales' },
    });
  });

  test('the last administrator who can act is not made a member by claims', async () => {
    const name = uniqueName();
    expectSignedIn(await signInWith(name, { department: 'sales', groups: ['patois-all'] }));
    const { manager } = server.app.dataSource;
    const others = { role: 'administrator', disabled: false } as const;
    const ids = (await manager.findBy(User, others))
      .filter(({ login }) => login !== name)
      .map(({ id }) => id);
    await manager.update(User, ids, { disabled: true });
    try {
      expect(errorOf(await signInWith(name, { department: 'sales' }))).toBe('conflict');
      expect(await userBy(name)).toMatchObject({ role: 'administrator' });
    } finally {
      await manager.update(User, ids, { disabled: false });
    }
    expectSignedIn(await signInWith(name, { department: 'sales' }));
    expect(await userBy(name)).toMatchObject({ role: 'member' });
  });

  test('stay as they are where a provider maps nothing', async () => {
    const { name } = await person({ role: 'organizationAdministrator' });
    corp.accounts[name] = { ...corp.accounts[name], groups: [], department: 'sales' };
    expectSignedIn(await signIn('corp', name));
    expect(await userBy(name)).toMatchObject({
      role: 'organizationAdministrator',
      organization: { name: 'Default' },
    });
  });
});

describe('GET /patois/v1/sign-in-providers', () => {
  test('tells anybody name and title alone, in the order of the file', async () => {
    const { status, json } = await server.send('GET', '/patois/v1/sign-in-providers');
    expect(status).toBe(200);
    expect(json).toEqual({
      items: [
        { name: 'corp', title: 'Example Corp' },
        { name: 'strict', title: 'Example Corp, without links' },
        { name: 'open', title: 'Everybody' },
        { name: 'broken', title: 'Broken' },
      ],
      nextCursor: null,
    });
  });

  test('is empty where none is configured', async () => {
    const bare = await start({});
    try {
      const { json } = await bare.send('GET', '/patois/v1/sign-in-providers');
      expect(json).toEqual({ items: [], nextCursor: null });
    } finally {
      await bare.close();
    }
  });
});

describe('GET /patois/v1/sign-in-providers/{name}', () => {
  test('shows an administrator all settings but the secret, and the URI to register', async () => {
    const { json, text } = await server.send('GET', '/patois/v1/sign-in-providers/corp', {
      headers: server.asAdmin,
    });
    expect(json).toEqual({
      name: 'corp',
      title: 'Example Corp',
      issuer: corp.issuer,
      clientId: 'patois',
      hasClientSecret: true,
      scopes: 'openid profile email',
      linksByVerifiedEmail: true,
      createsUsers: false,
      loginClaim: 'preferred_username',
      organizationClaim: null,
      organizations: null,
      roleClaim: null,
      roles: null,
      redirectUri: `${url}/console/sign-in/corp/callback`,
    });
    expect(text).not.toContain(CLIENT_SECRET);
    const { json: other } = await server.send('GET', '/patois/v1/sign-in-providers/open', {
      headers: server.asAdmin,
    });
    expect(other).toMatchObject({
      hasClientSecret: false,
      organizations: { engineering: 'Engineering', sales: 'Sales' },
      roles: { 'patois-org': 'organizationAdministrator', 'patois-all': 'administrator' },
    });
  });

  test('refuses who is nobody, no administrator of everything, or lacks the scope; and a name that is none', async () => {
    const get = async (headers: Record<string, string>, name = 'corp'): Promise<number> =>
      (await server.send('GET', `/patois/v1/sign-in-providers/${name}`, { headers })).status;
    const { byPassword } = await server.makeUser({ role: 'organizationAdministrator' });
    const admin = await server.admin();
    const issue = async (...scopes: string[]): Promise<Record<string, string>> => {
      const { value } = await server.issue({ dialect: 'patois', ownerId: admin.id, scopes });
      return { authorization: `Bearer ${value}` };
    };
    expect(await get({})).toBe(401);
    expect(await get(byPassword)).toBe(403);
    expect(await get(await issue('patois:tokens.read'))).toBe(403);
    expect(await get(await issue('patois:users.read'))).toBe(200);
    expect(await get(server.asAdmin, 'nobody')).toBe(404);
  });
});

describe('a provider that goes away', () => {
  test('is unavailable for who comes back from it, and for who begins at a replica that has not met it', async () => {
    const port = await freePort();
    const own = `http://127.0.0.1:${port}`;
    const provider = await IdentityProvider.start({ redirectUris: [`${own}/console/sign-in/away/callback`] });
    const oidcProviders = file([
      { name: 'away', title: 'Away', issuer: provider.issuer, clientId: 'patois', createsUsers: true },
    ]);
    const settings = { port, publicUrl: own, oidcProviders };
    const replica = await start(settings);
    const { headers } = await replica.send('GET', '/console/sign-in/away');
    const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const state = new URL(headers.location ?? '').searchParams.get('state') ?? '';
    const iss = encodeURIComponent(provider.issuer);
    await provider.close();
    const callback = `/console/sign-in/away/callback?code=x&state=${state}&iss=${iss}`;
    const back = await replica.send('GET', callback, { headers: { cookie } });
    expect(back.headers.location).toBe('/console/sign-in?error=unavailable');
    await replica.close();
    const other = await start(settings);
    const begun = await other.send('GET', '/console/sign-in/away');
    expect(begun.headers.location).toBe('/console/sign-in?error=unavailable');
    await other.close();
  });
});

describe('who sends made-up codes with a cookie of ours', () => {
  test('makes us ask the provider thirty times in five minutes, and not more', async () => {
    const port = await freePort();
    const own = `http://127.0.0.1:${port}`;
    const provider = await IdentityProvider.start({ redirectUris: [`${own}/console/sign-in/corp/callback`] });
    const oidcProviders = file([
      { name: 'corp', title: 'Corp', issuer: provider.issuer, clientId: 'patois', createsUsers: true },
    ]);
    const target = await start({ port, publicUrl: own, oidcProviders });
    try {
      const { headers } = await target.send('GET', '/console/sign-in/corp');
      const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
      const state = new URL(headers.location ?? '').searchParams.get('state') ?? '';
      const callback = `/console/sign-in/corp/callback?code=x&state=${state}&iss=${encodeURIComponent(provider.issuer)}`;
      for (let index = 0; index < 35; index += 1) {
        const { headers: back } = await target.send('GET', callback, { headers: { cookie } });
        expect(back.location).toBe(`/console/sign-in?error=${index < 30 ? 'failed' : 'unavailable'}`);
      }
      expect(provider.requests.filter((one) => one === 'POST /token')).toHaveLength(30);
    } finally {
      await target.close();
      await provider.close();
    }
  });
});

describe('the file of OIDC_PROVIDERS', () => {
  const GOOD = { name: 'corp', title: 'Corp', issuer: 'https://id.example.com', clientId: 'patois' };

  async function problemsOf(path: string): Promise<string[]> {
    try {
      await readSignInProviders({ oidcProviders: path });
      return [];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return error.problems;
    }
  }

  test('has defaults for all but name, title, issuer and client', async () => {
    expect(await readSignInProviders({ oidcProviders: file([GOOD]) })).toEqual([
      {
        ...GOOD,
        clientSecret: undefined,
        scopes: 'openid profile email',
        linksByVerifiedEmail: false,
        createsUsers: false,
        loginClaim: 'preferred_username',
        organization: undefined,
        role: undefined,
      },
    ]);
    expect(await readSignInProviders({ oidcProviders: undefined })).toEqual([]);
  });

  test.each([
    ['name', 'Corp'],
    ['name', ''],
    ['name', 7],
    ['title', 'x'.repeat(101)],
    ['issuer', 'http://id.example.com'],
    ['issuer', 'http://localhost:8080'],
    ['issuer', 'https://user:pass@id.example.com'],
    ['issuer', 'https://id.example.com/?tenant=1'],
    ['issuer', 'id.example.com'],
    ['issuer', 'https://id.example.com/.well-known/openid-configuration'],
    ['clientId', undefined],
    ['clientSecret', ''],
    ['clientSecret', null],
    ['scopes', 'profile email'],
    ['scopes', 'openid  email'],
    ['linksByVerifiedEmail', 'true'],
    ['createsUsers', 1],
    ['loginClaim', ''],
    ['organizationClaim', 'department'],
    ['organizations', { sales: 'Sales' }],
    ['roleClaim', 'groups'],
    ['roles', { admins: 'administrator' }],
    ['redirectUri', 'https://tokens.example.com'],
    ['client_secret', 'misspelt'],
  ])('refuses %s: %j, by the names of provider and key', async (key, value) => {
    const problems = await problemsOf(file([{ ...GOOD, [key]: value }]));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^OIDC_PROVIDERS provider (1|'corp'): .*\\b${key}\\b`));
  });

  test('refuses a role that is none, an organization that is no name, and a mapping that is empty', async () => {
    const mapped = { ...GOOD, roleClaim: 'groups', organizationClaim: 'department' };
    const roles = { admins: 'root' };
    expect(await problemsOf(file([{ ...mapped, roles, organizations: { sales: '' } }]))).toEqual([
      "OIDC_PROVIDERS provider 'corp': organizations has no organization for 'sales'",
      "OIDC_PROVIDERS provider 'corp': roles has no role for 'admins'",
    ]);
    expect(await problemsOf(file([{ ...mapped, roles: {}, organizations: [] }]))).toHaveLength(2);
  });

  test('takes http for addresses of this machine alone', async () => {
    for (const issuer of ['http://127.0.0.1:8080', 'http://[::1]:8080/realms/corp']) {
      expect(await problemsOf(file([{ ...GOOD, issuer }]))).toEqual([]);
    }
  });

  test('tells all problems at once, and repeats no secret', async () => {
    const secret = CLIENT_SECRET;
    const problems = await problemsOf(
      file([
        { ...GOOD, clientSecret: [secret], createsUsers: secret },
        { ...GOOD, title: undefined },
        secret,
      ]),
    );
    expect(problems.map((problem) => problem.replace('OIDC_PROVIDERS provider ', ''))).toEqual([
      "'corp': clientSecret must be a text",
      "'corp': createsUsers must be true or false",
      "'corp': title is required",
      '3: must be an object',
      ...['name', 'title', 'issuer', 'clientId'].map((key) => `3: ${key} is required`),
      "'corp': name stands there twice",
    ]);
    expect(problems.join()).not.toContain(secret);
    const broken = await problemsOf(file(`[{"clientSecret": "${secret}" "name"}]`));
    expect(broken).toEqual([expect.stringMatching(/^OIDC_PROVIDERS must name a JSON file, but .* is none$/)]);
    expect(await problemsOf(file({ ...GOOD }))).toHaveLength(1);
    expect(await problemsOf(join(folder, 'missing.json'))).toEqual([expect.stringContaining('ENOENT')]);
  });

  test('ends the start where it is wrong', async () => {
    const oidcProviders = file([{ ...GOOD, issuer: 'http://id.example.com' }]);
    await expect(start({ oidcProviders, publicUrl: url })).rejects.toThrow(ConfigurationError);
  });
});
