import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { bearer } from '../../support/http.js';
import { describeWith } from '../../support/programs.js';
import { ADMIN_PASSWORD, TestServer, type TestUser } from '../../support/server.js';

const DAY = 86_400_000;

describeWith([CHROMIUM], 'the page of a token', () => {
  let browser: Browser;
  let server: TestServer;
  let alice: TestUser;
  beforeAll(async () => {
    browser = await Browser.start();
    server = await TestServer.start();
    alice = await server.makeUser({ login: 'alice', name: 'Alice Martin' });
  });
  afterAll(async () => {
    await server.close();
    await browser.close();
  });

  async function issue(
    name: string,
    spec: { dialect?: string; scopes?: string[]; allowedCidrs?: string[] } = {},
  ) {
    const { token, value } = await server.issue({
      dialect: 'patois',
      ownerId: alice.user.id,
      name,
      scopes: ['patois:tokens.read', 'patois:tokens.write'],
      expiresAt: new Date(Date.now() + 40 * DAY),
      ...spec,
    });
    return { tokenId: token.tokenId, value };
  }

  async function shown(tokenId: string) {
    return (await server.send('GET', `/patois/v1/tokens/${tokenId}`, { headers: server.asAdmin })).json;
  }

  async function asAlice(path: string): Promise<Visitor> {
    const visitor = await browser.visitor(server.url);
    await visitor.signIn('alice', alice.password, path);
    return visitor;
  }

  const part = (page: Page, name: string) => page.getByRole('region', { name });

  test('a member sees all of the own token: facts, scopes, networks, last use, issued tokens and the history in words', async () => {
    const { tokenId, value } = await issue('nightly report', { allowedCidrs: ['127.0.0.0/8'] });
    const child = await server.send('POST', '/patois/v1/tokens', {
      headers: { ...bearer(value), 'user-agent': 'curl/8.5.0' },
      body: {
        dialect: 'patois',
        owner: 'alice',
        name: 'child of it',
        scopes: ['patois:tokens.read'],
        allowedCidrs: ['127.0.0.0/8'],
        expiresAt: new Date(Date.now() + DAY).toISOString(),
      },
    });
    expect(child.status).toBe(201);
    await server.send('POST', `/patois/v1/tokens/${tokenId}/rotate`, {
      headers: alice.byPassword,
      body: { graceSeconds: 3_600, retireOnFirstUse: false },
    });
    const visitor = await asAlice(`/console/token/${tokenId}`);
    const { page } = visitor;
    await page.getByRole('heading', { name: 'nightly report', level: 1 }).waitFor();
    await part(page, 'Facts').getByText(tokenId).waitFor();
    await part(page, 'What it may do').getByText('patois:tokens.write').waitFor();
    await part(page, 'Where it works').getByText('127.0.0.0/8').waitFor();
    await part(page, 'Last use').getByText('curl/8.5.0').waitFor();
    await part(page, 'What it has issued').getByRole('link', { name: 'child of it' }).waitFor();
    const life = part(page, 'Its values over time');
    await life.getByText('Previous value · works').waitFor();
    expect(await life.getByRole('img').getAttribute('aria-label')).toMatch(
      /^Issued: .*; Last rotated: .*; The previous value stops working: .*; Expires: /,
    );
    const events = part(page, 'History').getByRole('listitem');
    const newest = events.first();
    await newest.getByText('You (alice) rotated this token').waitFor();
    expect(await newest.innerText()).toContain('from 127.0.0.1');
    await events.last().getByText('The server issued this token').waitFor();
    expect(await newest.getByRole('table').count()).toBe(0);
    await newest.getByRole('button', { name: 'What exactly' }).click();
    await newest.getByRole('row', { name: /^Rotated — / }).waitFor();
    await visitor.picture('token');
    await visitor.leave();
  });

  test('a change is saved as it was typed, only where something was changed', async () => {
    const { tokenId } = await issue('old name', { allowedCidrs: ['10.0.0.0/8'] });
    const before = await shown(tokenId);
    const visitor = await asAlice(`/console/token/${tokenId}`);
    const { page } = visitor;
    await page.getByRole('button', { name: 'Edit' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await dialog.getByLabel('Name').fill('new name');
    await dialog.getByLabel('Allowed networks').fill('10.0.0.0/8\n192.0.2.0/24');
    await dialog.getByRole('switch', { name: 'Active' }).click({ force: true });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'new name' }).waitFor();
    await page.getByText('Inactive', { exact: true }).first().waitFor();
    expect(await shown(tokenId)).toMatchObject({
      name: 'new name',
      allowedCidrs: ['10.0.0.0/8', '192.0.2.0/24'],
      status: 'inactive',
      expiresAt: before.expiresAt,
    });
    await part(page, 'History').getByText('You (alice) changed this token').waitFor();
    await visitor.leave();
  });

  test('a block that is none is named beside its field, and what was typed stays', async () => {
    const { tokenId } = await issue('with a block');
    const visitor = await asAlice(`/console/token/${tokenId}`);
    visitor.expects(400);
    const { page } = visitor;
    await page.getByRole('button', { name: 'Edit' }).click();
    const networks = page.getByLabel('Allowed networks');
    await networks.fill('192.0.2.0/24\n10.0.0.0/99');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('10.0.0.0/99:').waitFor();
    expect(await networks.inputValue()).toBe('192.0.2.0/24\n10.0.0.0/99');
    await networks.fill('192.0.2.0/24');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect((await shown(tokenId)).allowedCidrs).toEqual(['192.0.2.0/24']);
    await visitor.leave();
  });

  test('it is rotated and revoked from its page: the new value works, then nothing', async () => {
    const { tokenId, value } = await issue('rotated here');
    const visitor = await asAlice(`/console/token/${tokenId}`);
    const { page } = visitor;
    await page.getByRole('button', { name: 'Rotate', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: 'It ends at once' }).check();
    await dialog.getByRole('button', { name: 'Rotate', exact: true }).click();
    await dialog.getByText('rotated here has a new secret').waitFor();
    const [rotated = ''] = /pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}/.exec(await dialog.innerText()) ?? [];
    server.secrets.add(rotated);
    expect((await server.send('GET', '/verify', { headers: bearer(rotated) })).status).toBe(204);
    expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(401);
    await page.goto(`/console/token/${tokenId}`);
    await part(page, 'History').getByText('You (alice) rotated this token').waitFor();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
    await part(page, 'Its values over time').getByText('Current value · works no more').waitFor();
    expect((await shown(tokenId)).status).toBe('revoked');
    expect(await page.getByRole('button', { name: 'Rotate', exact: true }).count()).toBe(0);
    await visitor.leave();
  });

  test('a revoked token says who ended it and why, and offers nothing more to do', async () => {
    const { tokenId } = await issue('leaked one');
    await server.send('DELETE', `/patois/v1/tokens/${tokenId}?reason=Leaked%20in%20a%20log`, {
      headers: alice.byPassword,
    });
    const visitor = await asAlice(`/console/token/${tokenId}`);
    const { page } = visitor;
    await part(page, 'Facts').getByText('Leaked in a log').waitFor();
    await part(page, 'Its values over time').getByText('Current value · works no more').waitFor();
    expect(await page.getByRole('button', { name: 'Edit' }).count()).toBe(0);
    await visitor.leave();
  });

  test('a token of another organization is not found, and nothing of it is shown', async () => {
    const other = await server.organization('Elsewhere');
    const eve = await server.makeUser({ login: 'eve', organizationId: other.id });
    const { token } = await server.issue({ dialect: 'quay', ownerId: eve.user.id, name: 'secret project' });
    const visitor = await asAlice(`/console/token/${token.tokenId}`);
    visitor.expects(404);
    const { page } = visitor;
    await page.getByText('It is not there, or it is not yours to see.').waitFor();
    expect(await page.getByText('secret project').count()).toBe(0);
    await visitor.leave();
  });

  test('a history that does not come is told, and comes when it is tried again', async () => {
    const { tokenId } = await issue('patient one');
    const visitor = await asAlice('/console/account');
    visitor.expects(403);
    const { page } = visitor;
    const path = `**/patois/v1/tokens/${tokenId}/audit-events*`;
    await page.route(path, (route) =>
      route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{}' }),
    );
    await page.goto(`/console/token/${tokenId}`);
    const history = part(page, 'History');
    await history.getByRole('alert').waitFor();
    await page.unroute(path);
    await history.getByRole('button', { name: 'Try again' }).click();
    await history.getByText('issued this token').waitFor();
    await visitor.leave();
  });

  test.each(['light', 'dark'] as const)(
    'in %s there is no barrier, the edit form included',
    async (colorScheme) => {
      const { tokenId } = await issue('seen by all');
      const visitor = await browser.visitor(server.url, { colorScheme, reducedMotion: 'reduce' });
      await visitor.signIn('admin', ADMIN_PASSWORD, `/console/token/${tokenId}`);
      const { page } = visitor;
      await part(page, 'History').getByText('issued this token').waitFor();
      await page.getByRole('button', { name: 'What exactly' }).first().click();
      expect(await visitor.barriers()).toEqual([]);
      await page.getByRole('button', { name: 'Edit' }).click();
      await page.getByLabel('Allowed networks').waitFor();
      expect(await visitor.barriers()).toEqual([]);
      await visitor.leave();
    },
  );

  test.each(['en', 'zh-CN', 'ko'])('in %s it has all its words, and fits a narrow screen', async (locale) => {
    const name = 'a name that goes on and on without an end '.repeat(5).trim();
    const { tokenId } = await issue(name, { dialect: 'quay', scopes: ['user:admin'] });
    const visitor = await browser.visitor(server.url);
    await visitor.signIn('admin', ADMIN_PASSWORD);
    const { page } = visitor;
    await page.evaluate(`localStorage.setItem('patois.language', '${locale}')`);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(`/console/token/${tokenId}`);
    await page.getByText(tokenId).first().waitFor();
    await page.getByText('127.0.0.1').or(page.getByRole('listitem')).first().waitFor();
    expect(await visitor.missingMessages()).toEqual([]);
    expect(await visitor.cutTexts()).toEqual([]);
    expect(await visitor.isTooWide()).toBe(false);
    await visitor.leave();
  });
});
