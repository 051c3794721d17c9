import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { promisesOfPage, visiting as visit } from '../../support/page-promises.js';
import { describeWith } from '../../support/programs.js';
import { TestServer } from '../../support/server.js';

const SECRET = 'never-to-be-shown';
const CORP = {
  name: 'corp',
  title: 'Example Corp',
  issuer: 'https://id.example.com',
  clientId: 'patois-console',
  clientSecret: SECRET,
  createsUsers: true,
  roleClaim: 'groups',
  roles: { 'patois-admins': 'administrator' },
};
const OPEN = {
  name: 'open',
  title: 'Open Provider',
  issuer: 'https://open.example.org',
  clientId: 'other',
  linksByVerifiedEmail: true,
};

describeWith([CHROMIUM], 'the sign-in providers of the console', () => {
  let browser: Browser;
  let server: TestServer;
  let without: TestServer;
  let folder: string;
  beforeAll(async () => {
    browser = await Browser.start();
    folder = mkdtempSync(join(tmpdir(), 'patois-providers-'));
    const oidcProviders = join(folder, 'providers.json');
    writeFileSync(oidcProviders, JSON.stringify([CORP, OPEN]));
    server = await TestServer.start({ publicUrl: 'http://127.0.0.1:1', oidcProviders });
    without = await TestServer.start();
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
    await without.close();
    rmSync(folder, { recursive: true });
  });

  const card = ({ page }: Visitor, name: string) => page.getByRole('region', { name });

  test('each is shown with its settings, the redirect URI to copy among them, and no secret', () =>
    visit({ browser, server }, async (visitor) => {
      const { page, context } = visitor;
      await context.grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.goto('/console/providers');
      const corp = card(visitor, 'Example Corp');
      await corp.getByText('https://id.example.com', { exact: true }).waitFor();
      await corp.getByText('A user is created for somebody new.').waitFor();
      await corp.getByRole('row', { name: 'patois-admins Administrator' }).waitFor();
      await corp.getByRole('button', { name: 'Copy: Redirect URI' }).click();
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
        'http://127.0.0.1:1/console/sign-in/corp/callback',
      );
      expect(await page.content()).not.toContain(SECRET);
      await visitor.picture('providers');
    }));

  test('linking by e-mail is shown with its risk where it is on, and only there', () =>
    visit({ browser, server }, async (visitor) => {
      await visitor.page.goto('/console/providers');
      await card(visitor, 'Open Provider')
        .getByText(/^Risk: /)
        .waitFor();
      await card(visitor, 'Example Corp').getByText('Off: nobody becomes an existing user').waitFor();
      expect(
        await card(visitor, 'Example Corp')
          .getByText(/^Risk: /)
          .count(),
      ).toBe(0);
    }));

  test('without any the page says how one is set up, with the address of this server', () =>
    visit({ browser, server: without }, async ({ page }) => {
      await page.goto('/console/providers');
      await page.getByText(`${without.url}/console/sign-in/corp/callback`).waitFor();
      await page.getByText(/OIDC_PROVIDERS/).waitFor();
    }));

  test('settings that do not arrive are told, and read again on request', () =>
    visit({ browser, server }, async (visitor) => {
      const { page } = visitor;
      visitor.expects(403);
      await page.route('**/sign-in-providers/corp', (route) => route.fulfill({ status: 403, json: {} }));
      await page.goto('/console/providers');
      const corp = card(visitor, 'Example Corp');
      await corp.getByRole('alert').getByText('You may not do this.').waitFor();
      await page.unroute('**/sign-in-providers/corp');
      await corp.getByRole('button', { name: 'Try again' }).click();
      await corp.getByText('https://id.example.com', { exact: true }).waitFor();
    }));

  test('an administrator of an organization sees no page of them', async () => {
    const { user, password } = await server.makeUser({ role: 'organizationAdministrator' });
    await visit(
      { browser, server },
      async ({ page }) => {
        await page.goto('/console/providers');
        await page.getByText('There is no such page, or it is not for you.').waitFor();
        expect(await page.getByRole('navigation').getByRole('link', { name: 'Sign-in' }).count()).toBe(0);
      },
      { as: { login: user.login, password } },
    );
  });

  describe.each(['with providers', 'without'])('the page %s', (kind) => {
    promisesOfPage(
      () => ({ browser, server: kind === 'without' ? without : server }),
      async ({ page }) => {
        await page.goto('/console/providers');
        await page.getByText('https://', { exact: false }).first().waitFor();
        await page.getByRole('definition').or(page.getByRole('list')).first().waitFor();
      },
    );
  });
});
