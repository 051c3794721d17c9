import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { type Life, makeLife } from '../../support/many-tokens.js';
import { describeWith } from '../../support/programs.js';
import { ADMIN_PASSWORD, TestServer, type TestUser } from '../../support/server.js';
import { until } from '../../support/until.js';

const LIVES: Life[] = [
  { made: 0 },
  { made: 1, expires: 3, isConfined: true },
  { made: 10, used: 1, expires: 3, dialect: 'panther' },
  { made: 10, expires: 4, isRevoked: true },
  { made: 40, used: 20, expires: 6, inactive: true },
  { made: 80, expires: 20, isConfined: true, dialect: 'panther' },
  { made: 91, expires: 29 },
  { made: 100, used: 95, expires: 60, dialect: 'quay' },
  { made: 200, used: 150, expires: 80, dialect: 'losant' },
  { made: 200, used: 1, expires: -1 },
  { made: 366, used: 300, expires: -2, isRevoked: true },
  { made: 500, dialect: 'foreman' },
  { made: 600, used: 2, dialect: 'yunxiao' },
];

describeWith([CHROMIUM], 'the overview', () => {
  let browser: Browser;
  let server: TestServer;
  let visitor: Visitor;
  /** Administers Research alone. */
  let head: TestUser;
  let member: TestUser;

  beforeAll(async () => {
    browser = await Browser.start();
    server = await TestServer.start();
    const organizationId = (await server.organization('Research')).id;
    head = await server.makeUser({ login: 'head', role: 'organizationAdministrator', organizationId });
    member = await server.makeUser({ login: 'ada', organizationId });
    const stranger = await server.makeUser({ login: 'bob' });
    for (const life of LIVES) await makeLife(server, member, life);
    for (const life of LIVES.slice(0, 5)) await makeLife(server, stranger, life);
    const path = '/patois/v1/organizations/Research/policy';
    await server.send('PUT', path, { headers: server.asAdmin, body: { maxUnusedSeconds: 300 * 86_400 } });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  beforeEach(async () => {
    visitor = await browser.visitor(server.url);
  });

  const signIn = (path = '/console/overview'): Promise<void> => visitor.signIn('admin', ADMIN_PASSWORD, path);

  /** The links of all numbers on the page: what they say, and where they lead. */
  async function numbers(): Promise<{ label: string; count: number; href: string }[]> {
    const { page } = visitor;
    await page.getByRole('link', { name: /Breaking the policy: / }).waitFor();
    await page.getByRole('table').first().waitFor();
    const links = page.getByRole('main').getByRole('link');
    const found: { label: string; count: number; href: string }[] = [];
    for (const link of await links.all()) {
      const label = (await link.getAttribute('aria-label')) ?? (await link.textContent()) ?? '';
      const count = Number(/: (\d+)/.exec(label)?.[1]);
      found.push({ label, count, href: (await link.getAttribute('href')) ?? '' });
    }
    return found;
  }

  test('is where a visit of an administrator begins, and nothing that a member sees', async () => {
    await visitor.signIn('admin', ADMIN_PASSWORD, '/console');
    await visitor.page.waitForURL('**/console/overview');
    await visitor.page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await visitor.leave();
    const other = await browser.visitor(server.url);
    await other.signIn('ada', member.password, '/console/overview');
    await other.page.getByText('There is no such page, or it is not for you.').waitFor();
    expect(await other.page.getByRole('link', { name: 'Overview' }).count()).toBe(0);
    expect(await other.page.getByRole('link', { name: 'All tokens' }).count()).toBe(0);
    await other.leave();
  });

  test('has numbers each of which leads to exactly so many rows', async () => {
    // So high that each row can be seen, and is in the page.
    await visitor.page.setViewportSize({ width: 1280, height: 1800 });
    await signIn();
    const found = await numbers();
    // The total, 5 to look at, 4 statuses, 6 dialects, 4 ages, 3 times of expiry, and 5 days.
    expect(found).toHaveLength(1 + 5 + 4 + 6 + 4 + 3 + 5);
    expect(found.filter(({ count }) => count > 0).length).toBeGreaterThan(20);
    for (const { label, count, href } of found) {
      await visitor.page.goto(href);
      const total = visitor.page.getByRole('status').filter({ hasText: /^\d+ tokens?$/ });
      await total.waitFor();
      await visitor.page.getByRole('table').or(visitor.page.getByText('No token matches')).first().waitFor();
      // The head is a row as well.
      const rows = Math.max(0, (await visitor.page.getByRole('row').count()) - 1);
      expect([label, await total.textContent(), rows]).toEqual([
        label,
        `${count} ${count === 1 ? 'token' : 'tokens'}`,
        count,
      ]);
    }
    await visitor.leave();
  });

  test('shows one organization where it is chosen, which the address keeps', async () => {
    await signIn();
    await visitor.page.getByRole('link', { name: 'tokens in all: 18' }).waitFor();
    await visitor.page.getByRole('combobox', { name: 'Organization' }).click();
    await visitor.page.getByRole('option', { name: 'Research' }).click();
    await visitor.page.getByRole('link', { name: 'tokens in all: 13' }).waitFor();
    expect(new URL(visitor.page.url()).search).toBe('?organization=Research');
    const expired = visitor.page.getByRole('link', { name: 'Expired: 1' });
    expect(await expired.getAttribute('href')).toBe(
      '/console/inventory?organization=Research&status=expired',
    );
    await visitor.page.reload();
    await visitor.page.getByRole('link', { name: 'tokens in all: 13' }).waitFor();
    await visitor.page.goBack();
    await visitor.page.getByRole('link', { name: 'tokens in all: 18' }).waitFor();
    await visitor.leave();
  });

  test('counts for an administrator of an organization its tokens, without a choice of others', async () => {
    await visitor.signIn('head', head.password, '/console/overview');
    await visitor.page.getByRole('link', { name: 'tokens in all: 13' }).waitFor();
    expect(await visitor.page.getByRole('combobox').count()).toBe(0);
    await visitor.leave();
  });

  test('says so where nothing is counted yet, and reads again when that failed', async () => {
    visitor.expects(503);
    await visitor.page.route('**/patois/v1/tokens/summary*', (route) =>
      route.fulfill({
        status: 503,
        contentType: 'application/problem+json',
        body: JSON.stringify({ title: 'Busy', status: 503, detail: 'Too many summaries at once' }),
      }),
    );
    await signIn();
    const alert = visitor.page.getByRole('alert').filter({ hasText: 'That did not work' });
    await alert.waitFor();
    await visitor.page.unroute('**/patois/v1/tokens/summary*');
    await alert.getByRole('button', { name: 'Try again' }).click();
    await visitor.page.getByRole('link', { name: 'tokens in all: 18' }).waitFor();
    await visitor.leave();
    const other = await browser.visitor(server.url);
    await server.organization('Empty');
    await other.signIn('admin', ADMIN_PASSWORD, '/console/overview?organization=Empty');
    await other.page.getByText('There are no tokens yet.').waitFor();
    await other.leave();
  });

  test('has no barriers in light and dark, fits 360 px, and has every message in every language', async () => {
    await visitor.page.setViewportSize({ width: 1280, height: 1150 });
    await signIn();
    await numbers();
    await visitor.picture('overview');
    expect(await visitor.barriers()).toEqual([]);
    await visitor.page.emulateMedia({ colorScheme: 'dark' });
    expect(await visitor.barriers()).toEqual([]);
    await visitor.page.setViewportSize({ width: 360, height: 740 });
    // The frame takes a moment to fold.
    await until(async () => !(await visitor.isTooWide()));
    for (const language of ['简体中文', '한국어']) {
      await visitor.page.setViewportSize({ width: 1280, height: 1150 });
      await visitor.page.getByRole('banner').getByRole('button').first().click();
      await visitor.page.getByRole('menuitemradio', { name: language }).click();
      await visitor.page.getByRole('table').first().waitFor();
      expect(await visitor.missingMessages()).toEqual([]);
      expect(await visitor.cutTexts()).toEqual([]);
    }
    await visitor.leave();
  });
});
