import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Location } from '../../../src/accounts/location.entity.js';
import { Organization } from '../../../src/accounts/organization.entity.js';
import { Policy } from '../../../src/tokens/policy/policy.entity.js';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { promisesOfPage, visiting as visitingAs, type VisitOptions } from '../../support/page-promises.js';
import { describeWith } from '../../support/programs.js';
import { TestServer } from '../../support/server.js';

const PATH = '/console/organizations';

describeWith([CHROMIUM], 'the organizations in the console', () => {
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

  const visiting = (visit: (visitor: Visitor) => Promise<void>, options: VisitOptions = {}): Promise<void> =>
    visitingAs(
      { browser, server },
      async (visitor) => {
        await visitor.page.goto(PATH);
        await visit(visitor);
      },
      options,
    );

  test('one that is made has a policy, and leads to its policy, people and tokens', () =>
    visiting(async ({ page }) => {
      await page.getByRole('button', { name: 'Make an organization' }).click();
      await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('R&D / Oslo');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      const { manager } = server.app.dataSource;
      const { id } = await manager.findOneByOrFail(Organization, { name: 'R&D / Oslo' });
      expect(await manager.findOneBy(Policy, { organizationId: id })).toMatchObject({ version: 1 });
      const addressOf = async (name: string): Promise<string | null> =>
        page.getByRole('link', { name, exact: true }).getAttribute('href');
      await page.getByRole('link', { name: 'Policy of R&D / Oslo' }).waitFor();
      expect(await addressOf('Policy of R&D / Oslo')).toBe(`/console/policy/${id}`);
      expect(await addressOf('Tokens of R&D / Oslo')).toBe('/console/inventory?organization=R%26D+%2F+Oslo');
      const member = await server.makeUser({ organizationId: id });
      await page.getByRole('link', { name: 'People of R&D / Oslo' }).click();
      await page.getByRole('link', { name: member.user.login }).waitFor();
      expect(await page.getByRole('link', { name: 'admin', exact: true }).count()).toBe(0);
    }));

  test('a location is made; a name that is taken is told at its field, which keeps it', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      visitor.expects(409, 400);
      await page.getByText('There are no locations.').waitFor();
      const dialog = page.getByRole('dialog');
      await page.getByRole('button', { name: 'Make a location' }).click();
      await dialog.getByRole('textbox', { name: 'Name' }).fill('Seoul');
      await page.keyboard.press('Enter');
      await page.getByRole('cell', { name: 'Seoul' }).waitFor();
      expect(await server.app.dataSource.manager.countBy(Location, { name: 'Seoul' })).toBe(1);
      await page.getByRole('button', { name: 'Make a location' }).click();
      await dialog.getByRole('button', { name: 'Make', exact: true }).click();
      await dialog.getByText('Use 1 to 100 printable characters.').waitFor();
      await dialog.getByRole('textbox', { name: 'Name' }).fill('seoul');
      await page.keyboard.press('Enter');
      await dialog.getByText('This name is taken.').waitFor();
      expect(await dialog.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('seoul');
      expect(await visitor.barriers()).toEqual([]);
    }));

  test('a list that cannot be read says so, and is read when asked again', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      visitor.expects(400);
      let isBroken = true;
      await page.route('**/patois/v1/organizations**', (route) =>
        isBroken ? route.fulfill({ status: 400, body: '{}' }) : route.continue(),
      );
      await page.reload();
      const section = page.getByRole('region', { name: 'All organizations' });
      await section.getByRole('alert').waitFor();
      isBroken = false;
      await section.getByRole('button', { name: 'Try again' }).click();
      await section.getByRole('cell', { name: 'Default', exact: true }).waitFor();
    }));

  test('are no page for who administers one of them', async () => {
    const head = await server.makeUser({ role: 'organizationAdministrator' });
    await visiting(
      async ({ page }) => {
        await page.getByText('There is no such page, or it is not for you.').waitFor();
        await page.getByRole('link', { name: 'Policy' }).waitFor();
        expect(await page.getByRole('link', { name: 'Organizations' }).count()).toBe(0);
      },
      { as: { login: head.user.login, password: head.password } },
    );
  });

  promisesOfPage(
    () => ({ browser, server }),
    async ({ page }) => {
      await page.goto(PATH);
      await page.getByRole('cell', { name: 'Default', exact: true }).waitFor();
    },
  );
});
