import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { Browser, CHROMIUM } from '../../support/browser.js';
import { describeWith } from '../../support/programs.js';
import { TestServer, type TestUser } from '../../support/server.js';
import {
  chooseAction,
  makeToken,
  secretOn,
  tokensOf,
  visitAs,
  type Visiting,
} from '../../support/token-pages.js';
import { DIALECTS, useToken } from '../../support/token-wires.js';

const DAY_MS = 86_400_000;
const TITLES: Record<string, string> = {
  foreman: 'Foreman',
  quay: 'Quay',
  panther: 'Panther',
  losant: 'Losant',
  yunxiao: 'Yunxiao',
  patois: 'Patois',
};

describeWith([CHROMIUM], 'my tokens', () => {
  let browser: Browser;
  let server: TestServer;
  beforeAll(async () => {
    browser = await Browser.start();
    server = await TestServer.start();
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const visiting: Visiting = (person, path, visit, options) =>
    visitAs({ browser, server }, person, path, visit, options);

  /** All that the browser keeps of the page, but for what it shows. */
  async function keptBy(page: Page): Promise<string> {
    const kept = await page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href, history.state, document.cookie])',
    );
    return kept as string;
  }

  /** A token of each dialect, of which one is in use. */
  async function issueSome({ user }: TestUser): Promise<void> {
    const ownerId = user.id;
    const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);
    await server.issue({ dialect: 'foreman', ownerId, name: 'ansible', scopes: ['foreman:*'] });
    await server.issue({
      dialect: 'losant',
      ownerId,
      name: 'sensors',
      scopes: ['device.sendState', 'devices.get'],
    });
    await server.issue({
      dialect: 'panther',
      ownerId,
      name: 'terraform',
      scopes: ['RuleModify', 'RuleRead'],
    });
    await server.issue({
      dialect: 'yunxiao',
      ownerId,
      name: 'mcp',
      scopes: ['base_user_read'],
      expiresAt: inDays(6),
    });
    await server.issue({ dialect: 'patois', ownerId, name: 'gateway', scopes: ['patois:introspect'] });
    const scopes = ['repo:read', 'user:admin'];
    const { value } = await server.issue({
      dialect: 'quay',
      ownerId,
      name: 'ci',
      scopes,
      expiresAt: inDays(75),
    });
    expect(await useToken(server, 'quay', value, user.login)).toBe(200);
  }

  test.each(DIALECTS)(
    '%s: a token is made, works, is rotated with a grace in which both values work, and is revoked for good',
    async (dialect) => {
      const person = await server.makeUser();
      const use = (value: string): Promise<number> => useToken(server, dialect, value, person.user.login);
      await visiting(person, '/tokens', async ({ page }) => {
        await page.getByRole('link', { name: 'Make a token' }).first().click();
        await page.getByRole('radio', { name: TITLES[dialect] ?? '', exact: true }).click();
        expect(new URL(page.url()).search).toBe(`?dialect=${dialect}`);
        await makeToken(page, 'the robot');
        const first = await secretOn(page, server, 'the robot');
        expect(await use(first)).toBe(200);
        expect(await keptBy(page)).not.toContain(first);

        await page.getByRole('button', { name: 'I have kept it: done' }).click();
        await page.getByRole('row', { name: /the robot/ }).waitFor();
        expect(await page.content()).not.toContain(first);
        expect(await keptBy(page)).not.toContain(first);
        await page.goBack();
        await page.getByRole('heading', { level: 1, name: 'Make a token' }).waitFor();
        expect(await page.content()).not.toContain(first);
        await page.goForward();

        await chooseAction(page, 'the robot', 'Rotate');
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('radio', { name: 'For 1 hour at most' }).click();
        await dialog.getByRole('button', { name: 'Rotate', exact: true }).click();
        const second = await secretOn(page, server, 'the robot');
        expect(second).not.toBe(first);
        expect([await use(first), await use(second)]).toEqual([200, 200]);
        await dialog.getByRole('button', { name: 'I have kept it: done' }).click();
        await dialog.waitFor({ state: 'detached' });
        expect(await page.content()).not.toContain(second);

        await chooseAction(page, 'the robot', 'Revoke');
        await dialog.getByRole('textbox', { name: 'Reason (optional)' }).fill('The robot is retired');
        await dialog.getByRole('button', { name: 'Revoke', exact: true }).click();
        await dialog.waitFor({ state: 'detached' });
        expect([await use(first), await use(second)]).toEqual([401, 401]);
        await page.getByText('You have no token that works.').waitFor();
        await page.getByText('All', { exact: true }).click();
        await page.getByRole('row', { name: /the robot.*Revoked/ }).waitFor();
      });
      const [token, ...others] = await tokensOf(server, person);
      expect(others).toEqual([]);
      expect(token).toMatchObject({ dialect, name: 'the robot', revokeReason: 'The robot is retired' });
    },
  );

  describe('the list', () => {
    test('comes in parts, and says what could not be read, with a way to try again', async () => {
      const person = await server.makeUser();
      for (let number = 0; number < 51; number += 1) {
        await server.issue({ dialect: 'quay', ownerId: person.user.id, scopes: ['user:admin'] });
      }
      await visiting(person, '/account', async (visitor) => {
        const { page } = visitor;
        visitor.expects(500);
        let isBroken = true;
        await page.route('**/patois/v1/tokens?*', (route) =>
          isBroken ? route.fulfill({ status: 500, body: '' }) : route.continue(),
        );
        await page.getByRole('link', { name: 'My tokens' }).click();
        await page.getByRole('alert').getByText('The server could not do it now.').waitFor();
        isBroken = false;
        await page.getByRole('button', { name: 'Try again' }).click();
        await page.getByRole('row').nth(50).waitFor();
        expect(await page.getByRole('row').count()).toBe(51);
        await page.getByRole('button', { name: 'Show more' }).click();
        await page.getByRole('row').nth(51).waitFor();
        expect(await page.getByRole('button', { name: 'Show more' }).count()).toBe(0);
      });
    });

    test('shows where a token was used last, and leads to its page', async () => {
      const person = await server.makeUser();
      const { token, value } = await server.issue({
        dialect: 'patois',
        ownerId: person.user.id,
        name: 'in use',
        scopes: ['patois:tokens.read', 'patois:users.read'],
      });
      await useToken(server, 'patois', value, person.user.login);
      await visiting(person, '/tokens', async ({ page }) => {
        const row = page.getByRole('row', { name: /in use/ });
        await row.getByText('View tokens, and 1 more').waitFor();
        await row.getByText('127.0.0.1').waitFor();
        const link = row.getByRole('link', { name: 'in use' });
        expect(await link.getAttribute('href')).toBe(`/console/token/${token.tokenId}`);
      });
    });
  });

  describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
    test.each([1280, 360])('%d px wide nobody meets a barrier or scrolls sideways', async (width) => {
      const person = await server.makeUser();
      await issueSome(person);
      const token = { name: 'a-token-with-quite-a-long-name-that-has-no-place-to-break' };
      await server.issue({ dialect: 'quay', ownerId: person.user.id, ...token, scopes: ['repo:read'] });
      const options = { colorScheme, viewport: { width, height: 900 } };
      await visiting(
        person,
        '/tokens',
        async (visitor) => {
          const { page } = visitor;
          const check = async (): Promise<void> => {
            expect(await visitor.barriers()).toEqual([]);
            expect(await visitor.isTooWide()).toBe(false);
          };
          await page.getByRole('link', { name: token.name }).waitFor();
          await check();
          for (const action of ['Rotate', 'Revoke']) {
            await chooseAction(page, token.name, action);
            await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).waitFor();
            await page.waitForTimeout(300);
            await check();
            await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
            await page.getByRole('dialog').waitFor({ state: 'detached' });
          }
        },
        options,
      );
    });
  });

  test('a person sees tokens of all dialects in one list', async () => {
    const person = await server.makeUser({ name: 'Ada' });
    await issueSome(person);
    await visiting(person, '/tokens', async (visitor) => {
      const { page } = visitor;
      for (const title of Object.values(TITLES))
        await page.getByRole('cell', { name: title, exact: true }).waitFor();
      await page
        .getByRole('row', { name: /ci.*Quay.*Pull from repositories.*in \d+ days.*127\.0\.0\.1/ })
        .waitFor();
      await visitor.picture('my-tokens');
    });
  });

  test.each(['en', 'zh-CN', 'ko'])('in %s every message is there', async (locale) => {
    const person = await server.makeUser();
    const { json } = await server.send('GET', '/patois/v1/dialects', { headers: person.byPassword });
    const dialects = json.items as { scopes: string[]; suggestions: string[] }[];
    const scopes = new Set(dialects.flatMap((one) => [...one.scopes, ...one.suggestions]));
    await server.issue({ dialect: 'panther', ownerId: person.user.id, scopes: ['AlertRead', 'RuleRead'] });
    await visiting(person, '/tokens', async (visitor) => {
      const { page } = visitor;
      await page.evaluate(`localStorage.setItem('patois.language', '${locale}')`);
      for (const path of ['/tokens', '/tokens?show=all']) {
        await page.goto(`/console${path}`);
        await page.locator('table').waitFor();
        // The names of scopes stand beside their words.
        expect((await visitor.missingMessages()).filter((word) => !scopes.has(word))).toEqual([]);
      }
    });
  });
});
