import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { Token } from '../../../src/tokens/token.entity.js';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { makeLife, makeManyTokens } from '../../support/many-tokens.js';
import { describeWith } from '../../support/programs.js';
import { ADMIN_PASSWORD, TestServer, type TestUser } from '../../support/server.js';
import { until } from '../../support/until.js';

const MANY = 5_000;
describeWith([CHROMIUM], 'the inventory', () => {
  let browser: Browser;
  let server: TestServer;
  let visitor: Visitor;
  let member: TestUser;
  let holder: TestUser;

  beforeAll(async () => {
    browser = await Browser.start();
    server = await TestServer.start();
    member = await server.makeUser({ login: 'ada' });
    holder = await server.makeUser({ login: 'holder' });
    await makeManyTokens(server, holder, 'robot', MANY);
    await makeLife(server, member, { made: 100, used: 3, expires: 20, dialect: 'panther', isConfined: true });
    await makeLife(server, member, { made: 40, dialect: 'panther' });
    await makeLife(server, member, { made: 50, expires: -3 });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  beforeEach(async () => {
    visitor = await browser.visitor(server.url, { acceptDownloads: true });
  });

  const open = (query = '', by = visitor): Promise<void> =>
    by.signIn('admin', ADMIN_PASSWORD, `/console/inventory${query}`);
  const rows = ({ page } = visitor): Locator =>
    page.getByRole('table', { name: 'Tokens', exact: true }).getByRole('row');
  const total = (text: string, { page } = visitor): Promise<void> =>
    page.getByRole('status').getByText(text, { exact: true }).waitFor();
  const query = (): Record<string, string> =>
    Object.fromEntries(new URL(visitor.page.url()).searchParams.entries());
  const box = (name: string): Locator =>
    visitor.page.getByRole('checkbox', { name: `Select ${name}`, exact: true });
  const liveOf = async (part: string): Promise<string[]> => {
    const all = await server.app.dataSource.manager.find(Token);
    return all
      .filter(({ name, revokedAt }) => name.startsWith(`${part} `) && !revokedAt)
      .map(({ name }) => name);
  };

  test('is nothing that a member sees', async () => {
    await visitor.signIn('ada', member.password, '/console/inventory');
    await visitor.page.getByText('There is no such page, or it is not for you.').waitFor();
    await visitor.leave();
  });

  describe('the list', () => {
    test('can be scrolled through thousands of tokens, of which few are in the page at once', async () => {
      await open('?owner=holder&sort=-createdAt');
      await total('5,000 tokens');
      const region = visitor.page.getByRole('region', { name: 'Tokens' });
      const seen = new Set<string>();
      let most = 0;
      for (let turn = 0; turn < 60 && !seen.has(`robot ${MANY}`); turn += 1) {
        await region.press('End');
        await visitor.page.waitForTimeout(100);
        most = Math.max(most, await rows().count());
        for (const name of await rows()
          .getByRole('link', { name: /^robot / })
          .allTextContents())
          seen.add(name);
      }
      expect(seen.has(`robot ${MANY}`)).toBe(true);
      expect(most).toBeLessThan(100);
      const last = rows().filter({ hasText: `robot ${MANY}` });
      expect(await last.getAttribute('aria-rowindex')).toBe(String(MANY + 1));
      const table = visitor.page.getByRole('table', { name: 'Tokens', exact: true });
      expect(await table.getAttribute('aria-rowcount')).toBe(String(MANY + 1));
      await visitor.leave();
    });

    test('has rows that lead to the token and to its owner', async () => {
      await open('?owner=ada&status=expired');
      const [token] = await server.app.dataSource.manager.findBy(Token, {
        ownerId: member.user.id,
        dialect: 'patois',
      });
      const link = visitor.page.getByRole('link', { name: token?.name ?? '', exact: true });
      expect(await link.getAttribute('href')).toBe(`/console/token/${token?.tokenId}`);
      const owner = rows().getByRole('link', { name: 'ada' });
      expect(await owner.getAttribute('href')).toBe('/console/people/ada');
      await visitor.leave();
    });

    test('is sorted by the head of a column, as the API sorts', async () => {
      await open('?owner=ada');
      for (const [clicks, sort] of [
        [1, 'name'],
        [2, '-name'],
      ] as const) {
        await visitor.page.getByRole('columnheader', { name: 'Name' }).getByRole('button').click();
        await visitor.page.waitForURL(`**sort=${sort}`);
        const path = `/patois/v1/tokens?owner=ada&sort=${sort}`;
        const { items } = (await server.send('GET', path, { headers: server.asAdmin })).json as {
          items: { name: string }[];
        };
        await expectRows(items.map(({ name }) => name));
        expect(await visitor.page.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort')).toBe(
          clicks === 1 ? 'ascending' : 'descending',
        );
      }
      await visitor.leave();
    });

    test('has the columns that were chosen, also after a reload', async () => {
      await open('?owner=ada');
      const header = visitor.page.getByRole('columnheader', { name: 'Networks' });
      await rows().first().waitFor();
      expect(await header.count()).toBe(0);
      await visitor.page.getByRole('button', { name: 'Columns' }).click();
      await visitor.page.getByRole('menuitemcheckbox', { name: 'Networks' }).click();
      await header.waitFor();
      await visitor.page.getByRole('menuitemcheckbox', { name: 'Dialect' }).click();
      await visitor.page.keyboard.press('Escape');
      await visitor.page.reload();
      await header.waitFor();
      expect(await visitor.page.getByRole('columnheader', { name: 'Dialect' }).count()).toBe(0);
      await rows().getByText('10.0.0.0/8').waitFor();
      await visitor.leave();
    });

    test('says why it cannot be read, and reads on when that is over', async () => {
      visitor.expects(500);
      let isBroken = false;
      await visitor.page.route('**/patois/v1/tokens?*', (route) =>
        isBroken ? route.fulfill({ status: 500, body: '' }) : route.continue(),
      );
      await open('?owner=holder');
      await total('5,000 tokens');
      isBroken = true;
      const region = visitor.page.getByRole('region', { name: 'Tokens' });
      await region.press('End');
      const alert = visitor.page.getByRole('alert');
      await alert.waitFor();
      // What was read stays.
      expect(await rows().count()).toBeGreaterThan(10);
      isBroken = false;
      await alert.getByRole('button', { name: 'Try again' }).click();
      await alert.waitFor({ state: 'detached' });
      await visitor.page.getByText('700 read so far').waitFor();
      await visitor.leave();
    });
  });

  async function expectRows(names: string[]): Promise<void> {
    for (const [index, name] of names.entries()) {
      await rows()
        .nth(index + 1)
        .getByRole('link', { name, exact: true })
        .waitFor();
    }
    expect(await rows().count()).toBe(names.length + 1);
  }

  describe('filters', () => {
    test('a filter that is added stands in the address by the name of the API, and is removed by its chip', async () => {
      await open();
      await total('5,003 tokens');
      await add('Dialect');
      await visitor.page.getByRole('dialog').getByRole('combobox').click();
      await visitor.page.getByRole('option', { name: 'Panther' }).click();
      await visitor.page.getByRole('button', { name: 'Apply' }).click();
      await total('2 tokens');
      await add('Created before');
      await visitor.page.getByRole('textbox', { name: 'How many' }).fill('60');
      await visitor.page.getByRole('button', { name: 'Apply' }).click();
      await total('1 token');
      await add('Network restriction');
      await visitor.page.getByRole('radio', { name: 'Restricted to networks' }).check();
      await visitor.page.getByRole('button', { name: 'Apply' }).click();
      await visitor.page.waitForURL('**withoutCidrs=false**');
      const { dialect, createdBefore = '', withoutCidrs } = query();
      expect({ dialect, withoutCidrs }).toEqual({ dialect: 'panther', withoutCidrs: 'false' });
      const days = (Date.now() - Date.parse(createdBefore)) / 86_400_000;
      expect(Math.abs(days - 60)).toBeLessThan(0.01);
      await total('1 token');
      await visitor.page.getByRole('button', { name: 'Remove filter “Dialect: Panther”' }).click();
      await visitor.page.waitForURL((url) => !url.searchParams.has('dialect'));
      await visitor.page.getByRole('button', { name: 'Remove all filters' }).click();
      await total('5,003 tokens');
      await visitor.page.goBack();
      await total('1 token');
      await visitor.page.goForward();
      await total('5,003 tokens');
      await visitor.leave();
    });

    async function add(name: string): Promise<void> {
      await visitor.page.getByRole('button', { name: 'Add filter' }).click();
      await visitor.page.getByRole('menuitem', { name, exact: true }).click();
      await visitor.page.getByRole('dialog', { name }).waitFor();
    }

    test('an address that was copied shows the same in another browser', async () => {
      await open('?dialect=panther&sort=expiresAt');
      await total('2 tokens');
      const texts = await rows().getByRole('link').allTextContents();
      const address = visitor.page.url();
      const other = await browser.visitor(server.url, { locale: 'en' });
      await other.signIn('admin', ADMIN_PASSWORD, address);
      await total('2 tokens', other);
      expect(await rows(other).getByRole('link').allTextContents()).toEqual(texts);
      await other.page.getByRole('button', { name: 'Dialect: Panther', exact: true }).waitFor();
      expect(await other.page.getByRole('columnheader', { name: 'Expires' }).getAttribute('aria-sort')).toBe(
        'ascending',
      );
      await other.leave();
      await visitor.leave();
    });

    test('a text is looked for when the fingers rest, and the way back leads past its letters', async () => {
      await open('?owner=holder');
      await total('5,000 tokens');
      const asked: string[] = [];
      visitor.page.on('request', (request) => {
        const q = new URL(request.url()).searchParams.get('q');
        if (q !== null && request.url().includes('/tokens?')) asked.push(q);
      });
      await visitor.page
        .getByRole('searchbox', { name: 'Search' })
        .pressSequentially('robot 499', { delay: 5 });
      await total('11 tokens');
      expect(asked).toEqual(['robot 499']);
      await visitor.page.getByRole('searchbox', { name: 'Search' }).pressSequentially('9');
      await total('1 token');
      await visitor.page.goBack();
      await total('5,000 tokens');
      expect(await visitor.page.getByRole('searchbox', { name: 'Search' }).inputValue()).toBe('');
      await visitor.leave();
    });

    test('a filter of the address that is none is told, with what is wrong with it', async () => {
      visitor.expects(400);
      await open('?status=dead');
      await visitor.page
        .getByRole('alert')
        .getByText(/status/)
        .waitFor();
      await visitor.leave();
    });

    test('nothing that matches is told, with the way out', async () => {
      await open('?q=no+such+token');
      await visitor.page.getByText('No token matches these filters.').waitFor();
      await visitor.page.getByRole('main').getByRole('button', { name: 'Remove all filters' }).click();
      await total('5,003 tokens');
      await visitor.leave();
    });
  });

  describe('revoking', () => {
    test('ends all that the filters mean, after their number was typed, and no other', async () => {
      await makeManyTokens(server, holder, 'doomed', 312);
      await open('?q=doomed');
      await total('312 tokens');
      await visitor.page.getByRole('button', { name: 'Select all 312 that match' }).click();
      await visitor.page.getByRole('button', { name: 'Revoke…' }).click();
      const dialog = visitor.page.getByRole('dialog', { name: 'Revoke tokens' });
      await dialog.getByText('312 tokens stop working at once and for good.').waitFor();
      const action = dialog.getByRole('button', { name: 'Revoke 312 tokens' });
      await dialog.getByRole('textbox', { name: 'Reason' }).fill('the build server was broken into');
      expect(await action.isEnabled()).toBe(false);
      await dialog.getByRole('textbox', { name: 'Type 312 to confirm' }).fill('312');
      await visitor.picture('bulk-revocation');
      expect(await visitor.barriers()).toEqual([]);
      await action.click();
      await dialog.getByText('312 tokens were revoked.').waitFor();
      expect(await liveOf('doomed')).toEqual([]);
      expect(await liveOf('robot')).toHaveLength(MANY);
      const [one] = await server.app.dataSource.manager.findBy(Token, { name: 'doomed 7' });
      expect(one?.revokeReason).toBe('the build server was broken into');
      expect(await dialog.getByRole('link').getAttribute('href')).toMatch(/^\/console\/jobs\/[0-9a-f-]{36}$/);
      await dialog.getByRole('button', { name: 'Close' }).last().click();
      await rows().filter({ hasText: 'Revoked' }).first().waitFor();
      await visitor.leave();
    });

    test('ends nothing where the number has changed meanwhile, and asks again with the new one', async () => {
      visitor.expects(409);
      await makeManyTokens(server, holder, 'moving', 5);
      await open('?q=moving');
      await visitor.page.getByRole('button', { name: 'Select all 5 that match' }).click();
      await visitor.page.getByRole('button', { name: 'Revoke…' }).click();
      const dialog = visitor.page.getByRole('dialog', { name: 'Revoke tokens' });
      await dialog.getByRole('textbox', { name: 'Reason' }).fill('moved');
      await dialog.getByRole('textbox', { name: 'Type 5 to confirm' }).fill('5');
      await makeManyTokens(server, holder, 'moving too', 2);
      await dialog.getByRole('button', { name: 'Revoke 5 tokens' }).click();
      await dialog.getByText('7 tokens are meant now.').waitFor();
      expect(await liveOf('moving')).toHaveLength(7);
      expect(await dialog.getByRole('textbox', { name: 'Reason' }).inputValue()).toBe('moved');
      await dialog.getByRole('textbox', { name: 'Type 7 to confirm' }).fill('7');
      await dialog.getByRole('button', { name: 'Revoke 7 tokens' }).click();
      await dialog.getByText('7 tokens were revoked.').waitFor();
      expect(await liveOf('moving')).toEqual([]);
      await visitor.leave();
    });

    test('ends the rows that were chosen, a range by shift, and tells which could not be ended', async () => {
      visitor.expects(409);
      await makeManyTokens(server, holder, 'picked', 8);
      await open('?q=picked');
      await box('picked 2').check();
      await box('picked 5').click({ modifiers: ['Shift'] });
      await visitor.page.getByRole('status').getByText('4 selected').waitFor();
      await box('picked 4').uncheck();
      await box('picked 8').check();
      await visitor.page.getByRole('button', { name: 'Revoke…' }).click();
      const dialog = visitor.page.getByRole('dialog', { name: 'Revoke tokens' });
      const [stuck] = await server.app.dataSource.manager.findBy(Token, { name: 'picked 3' });
      const busy = { title: 'Conflict', status: 409, detail: 'The token is issuing others right now' };
      await visitor.page.route(`**/tokens/${stuck?.tokenId}?*`, (route) =>
        route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify(busy) }),
      );
      await dialog.getByRole('textbox', { name: 'Reason' }).fill('left behind');
      await dialog.getByRole('textbox', { name: 'Type 4 to confirm' }).fill('4');
      await dialog.getByRole('button', { name: 'Revoke 4 tokens' }).click();
      await dialog.getByText('picked 3: The token is issuing others right now').waitFor();
      await dialog.getByText('3 of 4 were revoked.').waitFor();
      expect((await liveOf('picked')).sort()).toEqual([
        'picked 1',
        'picked 3',
        'picked 4',
        'picked 6',
        'picked 7',
      ]);
      await visitor.page.unroute(`**/tokens/${stuck?.tokenId}?*`);
      await dialog.getByRole('button', { name: 'Try again' }).click();
      await dialog.getByText('1 of 1 were revoked.').waitFor();
      expect((await liveOf('picked')).sort()).toEqual(['picked 1', 'picked 4', 'picked 6', 'picked 7']);
      await visitor.leave();
    });
  });

  describe('the export', () => {
    test('is exactly what the list of the API has, in either format', async () => {
      await open('?owner=holder&q=robot+49');
      await total('111 tokens');
      const path = '/patois/v1/tokens?owner=holder&q=robot+49&limit=1000';
      const { items } = (await server.send('GET', path, { headers: server.asAdmin })).json as {
        items: { tokenId: string }[];
      };
      for (const [name, extension] of [
        ['As NDJSON, for programs', 'ndjson'],
        ['As CSV, for spreadsheets', 'csv'],
      ] as const) {
        await visitor.page.getByRole('button', { name: 'Export' }).click();
        const downloading = visitor.page.waitForEvent('download');
        await visitor.page.getByRole('menuitem', { name }).click();
        const download = await downloading;
        expect(download.suggestedFilename()).toMatch(new RegExp(`^tokens-.*\\.${extension}$`));
        const lines = readFileSync(await download.path(), 'utf8')
          .trim()
          .split(/\r?\n/);
        const ids = items.map(({ tokenId }) => tokenId);
        // The last line says that it is whole; CSV begins with the names of its columns.
        const saved =
          extension === 'ndjson'
            ? lines.slice(0, -1).map((line) => JSON.parse(line) as unknown)
            : lines.slice(1, -1).map((line) => line.split(',')[0]);
        expect(saved).toEqual(extension === 'ndjson' ? items : ids);
      }
      await visitor.leave();
    });

    test('that breaks off is told, and no file is saved of it', async () => {
      let downloads = 0;
      visitor.page.on('download', () => (downloads += 1));
      await visitor.page.route('**/patois/v1/tokens/export*', (route) =>
        route.fulfill({ contentType: 'application/x-ndjson', body: '{"tokenId":"pt-1"}\n' }),
      );
      await open('?owner=ada');
      await visitor.page.getByRole('button', { name: 'Export' }).click();
      await visitor.page.getByRole('menuitem', { name: 'As NDJSON, for programs' }).click();
      await visitor.page.getByText('The export broke off before its end.').waitFor();
      expect(downloads).toBe(0);
      await visitor.leave();
    });
  });

  test('can be used by the keyboard: a row is chosen, and the tab key leads beyond the rows that are there', async () => {
    await open('?owner=holder&q=robot');
    await box('robot 1').focus();
    await visitor.page.keyboard.press('Space');
    await visitor.page.getByRole('status').getByText('1 selected').waitFor();
    for (let turn = 0; turn < 3 * 60; turn += 1) await visitor.page.keyboard.press('Tab');
    const focused = visitor.page.locator('[role=row]:focus-within');
    expect(Number(await focused.getAttribute('aria-rowindex'))).toBe(62);
    await visitor.leave();
  });

  test('has no barriers in light and dark, fits 360 px, and has every message in every language', async () => {
    await visitor.page.setViewportSize({ width: 1280, height: 900 });
    await open('?live=true&createdAfter=2020-01-01T00:00:00.000Z&dialect=quay');
    await rows().nth(5).waitFor();
    await box('robot 2').check();
    await visitor.picture('inventory');
    expect(await visitor.barriers()).toEqual([]);
    await visitor.page.emulateMedia({ colorScheme: 'dark' });
    expect(await visitor.barriers()).toEqual([]);
    await visitor.page.setViewportSize({ width: 360, height: 740 });
    // The frame takes a moment to fold.
    await until(async () => !(await visitor.isTooWide()));
    for (const language of ['简体中文', '한국어']) {
      await visitor.page.setViewportSize({ width: 1280, height: 900 });
      await visitor.page.getByRole('banner').getByRole('button').first().click();
      await visitor.page.getByRole('menuitemradio', { name: language }).click();
      await visitor.page.getByRole('row').nth(5).waitFor();
      expect(await visitor.missingMessages()).toEqual([]);
      expect(await visitor.cutTexts()).toEqual([]);
    }
    await visitor.leave();
  });
});
