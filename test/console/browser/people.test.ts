import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { User } from '../../../src/accounts/user.entity.js';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { basic, bearer } from '../../support/http.js';
import { promisesOfPage, visiting as visitingAs, type VisitOptions } from '../../support/page-promises.js';
import { describeWith } from '../../support/programs.js';
import { TestServer, type TestUser } from '../../support/server.js';

const PEOPLE = '/console/people';

describeWith([CHROMIUM], 'the people in the console', () => {
  let browser: Browser;
  let server: TestServer;
  /** Administers Research, and holds one permission. */
  let head: TestUser;
  beforeAll(async () => {
    browser = await Browser.start();
    server = await TestServer.start();
    const organizationId = (await server.organization('Research')).id;
    head = await server.makeUser({
      login: 'head',
      role: 'organizationAdministrator',
      organizationId,
      permissions: ['view_users'],
    });
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const visiting = (
    visit: (visitor: Visitor) => Promise<void>,
    { path = PEOPLE, ...options }: VisitOptions & { path?: string } = {},
  ): Promise<void> =>
    visitingAs(
      { browser, server },
      async (visitor) => {
        await visitor.page.goto(path);
        await visit(visitor);
      },
      options,
    );

  /** Opens an action in the menu of a person's row. */
  async function choose({ page }: Visitor, login: string, action: string): Promise<void> {
    await page.getByRole('button', { name: `Actions for ${login}` }).click();
    await page.getByRole('menuitem', { name: action }).click();
    await page.getByRole('dialog').waitFor();
  }

  function stored(login: string): Promise<User | null> {
    const relations = { organization: true, locations: true };
    return server.app.dataSource.manager.findOne(User, { where: { login }, relations });
  }

  async function signsIn(login: string, password: string): Promise<number> {
    const headers = { 'x-requested-with': 'patois-console' };
    const body = { login, password };
    return (await server.send('POST', '/patois/v1/sessions', { headers, body })).status;
  }

  describe('adding somebody', () => {
    test('makes the person as filled in, who signs in by the password that is shown once', () =>
      visiting(async (visitor) => {
        const { page } = visitor;
        await server.send('POST', '/patois/v1/locations', {
          headers: server.asAdmin,
          body: { name: 'Oslo' },
        });
        await page.getByRole('button', { name: 'Add a person' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('textbox', { name: 'Login' }).fill('ada');
        await dialog.getByRole('textbox', { name: 'Name' }).fill('Ada Lovelace');
        await dialog.getByRole('textbox', { name: 'E-mail' }).fill('ada@example.org');
        await dialog.getByRole('radio', { name: 'Administrator of the organization' }).check();
        await dialog.getByRole('checkbox', { name: 'Add people' }).check();
        await dialog.getByRole('combobox', { name: 'Organization' }).click();
        await page.getByRole('option', { name: 'Research' }).click();
        await dialog.getByRole('combobox', { name: 'Locations' }).click();
        await page.getByRole('option', { name: 'Oslo' }).click();
        await page.keyboard.press('Escape');
        expect(await visitor.barriers()).toEqual([]);
        await dialog.getByRole('button', { name: 'Add', exact: true }).click();
        const password = await dialog.getByTestId('new-password').innerText();
        expect(password).toMatch(/^[A-Za-z2-9]{20}$/);
        expect(await stored('ada')).toMatchObject({
          name: 'Ada Lovelace',
          email: 'ada@example.org',
          role: 'organizationAdministrator',
          permissions: ['create_users'],
          organization: { name: 'Research' },
          locations: [{ name: 'Oslo' }],
        });
        await dialog.getByRole('button', { name: 'I have copied it' }).click();
        await dialog.waitFor({ state: 'detached' });
        expect(await page.content()).not.toContain(password);
        await page.getByRole('link', { name: 'ada', exact: true }).waitFor();
        const ada = await browser.visitor(server.url);
        await ada.signIn('ada', password);
        await ada.page.getByRole('button', { name: 'Account ada' }).waitFor();
        await ada.leave();
      }));

    test('tells a login that is taken at its field, keeps what was typed, and takes another one', () =>
      visiting(async (visitor) => {
        const { page } = visitor;
        visitor.expects(409);
        await page.getByRole('button', { name: 'Add a person' }).click();
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('textbox', { name: 'Login' }).fill('Head');
        await dialog.getByRole('textbox', { name: 'Name' }).fill('Second');
        await dialog.getByRole('radio', { name: 'No password' }).check();
        await dialog.getByRole('button', { name: 'Add', exact: true }).click();
        await dialog.getByText('This login is taken. Choose another one.').waitFor();
        const login = dialog.getByRole('textbox', { name: 'Login' });
        expect(await login.getAttribute('aria-invalid')).toBe('true');
        expect(await dialog.locator(':focus').inputValue()).toBe('Head');
        expect(await dialog.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('Second');
        await login.fill('second');
        await page.keyboard.press('Enter');
        await dialog.waitFor({ state: 'detached' });
        expect(await stored('second')).toMatchObject({ name: 'Second', role: 'member' });
      }));

    test('tells what is no login, no e-mail address and too short a password at the fields', () =>
      visiting(async (visitor) => {
        const { page } = visitor;
        visitor.expects(400);
        await page.getByRole('button', { name: 'Add a person' }).click();
        const dialog = page.getByRole('dialog');
        const add = dialog.getByRole('button', { name: 'Add', exact: true });
        await dialog.getByRole('textbox', { name: 'Login' }).fill('not a login');
        await dialog.getByRole('radio', { name: 'Let me type one' }).check();
        await dialog.getByLabel('New password').fill('short');
        await add.click();
        await dialog.getByText('Use 1 to 100 letters').waitFor();
        await dialog.getByText('Use 8 to 72 bytes').waitFor();
        await dialog.getByRole('textbox', { name: 'Login' }).fill('third');
        await dialog.getByLabel('New password').fill('long enough');
        await dialog.getByRole('textbox', { name: 'E-mail' }).fill('nowhere');
        await add.click();
        await dialog.getByText('This is not an e-mail address.').waitFor();
        expect(await visitor.barriers()).toEqual([]);
        expect(await stored('third')).toBeNull();
        await dialog.getByRole('textbox', { name: 'E-mail' }).fill('third@example.org');
        await add.click();
        await dialog.waitFor({ state: 'detached' });
        expect(await signsIn('third', 'long enough')).toBe(201);
      }));
  });

  describe('somebody who is there', () => {
    test('is changed in what was edited alone', async () => {
      const { user } = await server.makeUser({ login: 'grace', name: 'Grace', email: 'grace@example.org' });
      await visiting(async (visitor) => {
        const { page } = visitor;
        await choose(visitor, 'grace', 'Edit');
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('textbox', { name: 'Name' }).fill('Grace Hopper');
        const [request] = await Promise.all([
          page.waitForRequest((sent) => sent.method() === 'PATCH'),
          dialog.getByRole('button', { name: 'Save' }).click(),
        ]);
        expect(request.postDataJSON()).toEqual({ name: 'Grace Hopper' });
        await page.getByText('Grace Hopper · grace@example.org').waitFor();
      });
      expect(await stored('grace')).toMatchObject({ id: user.id, name: 'Grace Hopper', role: 'member' });
    });

    test('gets focus back to the row when the dialog is closed', async () => {
      await server.makeUser({ login: 'focus' });
      await visiting(async (visitor) => {
        const { page } = visitor;
        await choose(visitor, 'focus', 'Edit');
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        const focused = page.locator(':focus');
        expect(await focused.getAttribute('aria-label')).toBe('Actions for focus');
      });
    });

    test('is signed out and can do nothing while disabled, and can again once enabled', async () => {
      const { user, password } = await server.makeUser({ login: 'linus' });
      const { value } = await server.issue({
        dialect: 'patois',
        ownerId: user.id,
        scopes: ['patois:tokens.read'],
      });
      const tokenWorks = async (): Promise<number> =>
        (await server.send('GET', '/patois/v1/me', { headers: bearer(value) })).status;
      const linus = await browser.visitor(server.url);
      await linus.signIn('linus', password);
      linus.expects(401);
      await visiting(async (visitor) => {
        const { page } = visitor;
        await choose(visitor, 'linus', 'Disable');
        const dialog = page.getByRole('dialog');
        await dialog.getByText('One live token stops working at once.').waitFor();
        await dialog.getByRole('button', { name: 'Disable' }).click();
        await dialog.waitFor({ state: 'detached' });
        await page.getByRole('row', { name: 'linus' }).getByText('Disabled').waitFor();
        expect([(await stored('linus'))?.disabled, await tokenWorks()]).toEqual([true, 401]);
        await linus.page.reload();
        await linus.page.getByRole('heading', { name: 'Sign in to Patois' }).waitFor();
        expect(await signsIn('linus', password)).toBe(401);
        await choose(visitor, 'linus', 'Enable');
        await dialog.getByRole('button', { name: 'Enable' }).click();
        await page.getByRole('row', { name: 'linus' }).getByText('Enabled').waitFor();
        expect([await tokenWorks(), await signsIn('linus', password)]).toEqual([200, 201]);
      });
      await linus.leave();
    });

    test('is deleted once the login is typed, and all tokens with the person', async () => {
      const { user } = await server.makeUser({ login: 'tim' });
      const { token } = await server.issue({ dialect: 'quay', ownerId: user.id });
      await server.issue({ dialect: 'losant', ownerId: user.id });
      await visiting(async (visitor) => {
        const { page } = visitor;
        await choose(visitor, 'tim', 'Delete');
        const dialog = page.getByRole('dialog');
        await dialog.getByText('2 live tokens are revoked for good.').waitFor();
        const button = dialog.getByRole('button', { name: 'Delete' });
        expect(await button.isDisabled()).toBe(true);
        await dialog.getByRole('textbox', { name: 'Type tim to confirm' }).fill('tim');
        await button.click();
        await page.getByText('tim was deleted.').waitFor();
        await page.getByRole('link', { name: 'tim', exact: true }).waitFor({ state: 'detached' });
      });
      expect(await stored('tim')).toBeNull();
      const path = `/patois/v1/tokens/${token.tokenId}`;
      expect((await server.send('GET', path, { headers: server.asAdmin })).json.status).toBe('revoked');
    });

    test('stays when the server does not answer, and the same dialog does it when asked again', async () => {
      await server.makeUser({ login: 'stays' });
      await visiting(async (visitor) => {
        const { page } = visitor;
        visitor.expects(503);
        await page.route('**/patois/v1/users/*', (route) => route.fulfill({ status: 503, body: '' }));
        await choose(visitor, 'stays', 'Disable');
        const dialog = page.getByRole('dialog');
        await dialog.getByRole('button', { name: 'Disable' }).click();
        await dialog.getByRole('alert').getByText('The server could not do it now.').waitFor();
        expect((await stored('stays'))?.disabled).toBe(false);
        await page.unroute('**/patois/v1/users/*');
        await dialog.getByRole('button', { name: 'Disable' }).click();
        await dialog.waitFor({ state: 'detached' });
        expect((await stored('stays'))?.disabled).toBe(true);
      });
    });
  });

  describe('the list', () => {
    test('counts the live tokens of each person by dialect', async () => {
      const { user } = await server.makeUser({ login: 'counted' });
      await server.issue({ dialect: 'quay', ownerId: user.id });
      await server.issue({ dialect: 'quay', ownerId: user.id });
      const { token } = await server.issue({ dialect: 'losant', ownerId: user.id });
      await server.revoke(token);
      await visiting(async (visitor) => {
        const row = visitor.page.getByRole('row', { name: 'counted' });
        await row.getByText('Quay 2').waitFor();
        await visitor.picture('people');
        expect(await row.getByText('losant').count()).toBe(0);
      });
    });

    test('is narrowed by the address, and by the fields that change it', async () => {
      await server.makeUser({ login: 'needle', name: 'In the haystack' });
      const path = `${PEOPLE}?organization=research`;
      await visiting(
        async ({ page }) => {
          await page.getByRole('link', { name: 'head', exact: true }).waitFor();
          expect(await page.getByRole('link', { name: 'needle' }).count()).toBe(0);
          await page.getByRole('combobox', { name: 'Organization' }).click();
          await page.getByRole('option', { name: 'All organizations' }).click();
          await page.getByRole('searchbox', { name: 'Search' }).fill('haystack');
          await page.getByRole('link', { name: 'head', exact: true }).waitFor({ state: 'detached' });
          await page.getByRole('link', { name: 'needle' }).waitFor();
          expect(new URL(page.url()).search).toBe('?q=haystack');
          await page.getByRole('combobox', { name: 'State' }).click();
          await page.getByRole('option', { name: 'Disabled' }).click();
          await page.getByText('Nobody matches.').waitFor();
          expect(new URL(page.url()).search).toBe('?q=haystack&disabled=true');
          await page.getByRole('button', { name: 'Show everybody' }).click();
          await page.getByRole('link', { name: 'needle' }).waitFor();
        },
        { path },
      );
    });

    test('goes on where its end comes near, with everybody once', async () => {
      const organizationId = (await server.organization('Crowd')).id;
      for (let index = 0; index < 110; index++)
        await server.makeUser({ organizationId, login: `crowd${index}` });
      await visiting(
        async ({ page }) => {
          await page.getByRole('link', { name: 'crowd109', exact: true }).waitFor();
          const last = page.getByRole('link', { name: 'crowd0', exact: true });
          for (let index = 0; index < 20 && (await last.count()) === 0; index++) {
            await page.mouse.wheel(0, 10_000);
            await page.waitForTimeout(200);
          }
          await last.waitFor();
          const logins = await page.getByRole('link', { name: /^crowd\d+$/ }).allInnerTexts();
          expect([logins.length, new Set(logins).size]).toEqual([110, 110]);
        },
        { path: `${PEOPLE}?organization=Crowd` },
      );
    });

    test('says that it could not be read, and is read when asked again', () =>
      visiting(
        async (visitor) => {
          const { page } = visitor;
          visitor.expects(400);
          let isBroken = true;
          await page.route('**/patois/v1/users?*', (route) =>
            isBroken ? route.fulfill({ status: 400, body: '{}' }) : route.continue(),
          );
          await page.getByRole('link', { name: 'People' }).click();
          await page.getByRole('alert').getByText('That did not work').waitFor();
          isBroken = false;
          await page.getByRole('button', { name: 'Try again' }).click();
          await page.getByRole('table', { name: 'People' }).waitFor();
        },
        { path: '/console/tokens' },
      ));
  });

  describe('to who administers one organization', () => {
    test('shows the people of that alone, and offers no more than they may do', async () => {
      const organizationId = head.user.organizationId;
      await server.makeUser({ login: 'boss', role: 'administrator', organizationId });
      const strong = await server.makeUser({ login: 'strong', permissions: ['edit_users'], organizationId });
      await server.makeUser({ login: 'outsider' });
      const { password } = head;
      await visiting(
        async (visitor) => {
          const { page } = visitor;
          await page.getByRole('link', { name: 'strong', exact: true }).waitFor();
          expect(await page.getByRole('link', { name: 'outsider' }).count()).toBe(0);
          expect(await page.getByRole('columnheader', { name: 'Organization' }).count()).toBe(0);
          expect(await page.getByRole('button', { name: 'Actions for boss' }).count()).toBe(0);
          await choose(visitor, 'strong', 'Edit');
          const dialog = page.getByRole('dialog');
          expect(await dialog.getByRole('radio', { name: 'Administrator', exact: true }).count()).toBe(0);
          // They can act as somebody who may do more than they may: so no password for that person.
          expect(await dialog.getByRole('radio', { name: 'No password' }).count()).toBe(0);
          const permissions = await dialog.getByRole('checkbox').allTextContents();
          expect(permissions).toHaveLength(2);
          await dialog.getByRole('checkbox', { name: 'Change people' }).uncheck();
          await dialog.getByRole('button', { name: 'Save' }).click();
          await dialog.waitFor({ state: 'detached' });
          await page.getByRole('button', { name: 'Add a person' }).click();
          expect(await dialog.getByRole('combobox', { name: 'Organization' }).count()).toBe(0);
          await dialog.getByRole('textbox', { name: 'Login' }).fill('recruit');
          await dialog.getByRole('radio', { name: 'No password' }).check();
          await dialog.getByRole('button', { name: 'Add', exact: true }).click();
          await dialog.waitFor({ state: 'detached' });
        },
        { as: { login: 'head', password } },
      );
      expect((await stored('strong'))?.permissions).toEqual([]);
      expect(await stored('recruit')).toMatchObject({ organizationId });
      expect(
        (await server.send('GET', '/patois/v1/me', { headers: basic('strong', strong.password) })).status,
      ).toBe(200);
    });

    test('is no page for a member', async () => {
      const { user, password } = await server.makeUser();
      await visiting(
        async ({ page }) => {
          await page.getByText('There is no such page, or it is not for you.').waitFor();
          expect(await page.getByRole('link', { name: 'People' }).count()).toBe(0);
        },
        { as: { login: user.login, password } },
      );
    });
  });

  describe.each(['the list', 'the form of a new person'])('%s', (what) => {
    promisesOfPage(
      () => ({ browser, server }),
      async (visitor) => {
        const { page } = visitor;
        await page.goto(`${PEOPLE}?organization=Research`);
        await page.getByRole('link', { name: 'head', exact: true }).waitFor();
        if (what === 'the list') return;
        await page.getByRole('main').getByRole('button').first().click();
        await page.getByRole('dialog').getByRole('combobox').first().waitFor();
      },
    );
  });
});
