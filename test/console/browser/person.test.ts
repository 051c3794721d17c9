import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { basic, bearer } from '../../support/http.js';
import { describeWith } from '../../support/programs.js';
import { ADMIN_PASSWORD, TestServer, type TestUser } from '../../support/server.js';

const SCOPES: Record<string, string[]> = {
  foreman: ['foreman:*'],
  yunxiao: ['projex_workitem_read'],
  panther: ['AlertRead'],
  quay: ['user:admin'],
  losant: ['all.User'],
  patois: ['patois:tokens.read'],
};

describeWith([CHROMIUM], 'the page of a person', () => {
  let browser: Browser;
  let server: TestServer;
  beforeAll(async () => {
    browser = await Browser.start();
    server = await TestServer.start();
  });
  afterAll(async () => {
    await server.close();
    await browser.close();
  });

  /** A user with a token of every system, all of which work. */
  async function holder(login: string): Promise<TestUser & { values: string[] }> {
    const person = await server.makeUser({ login, name: `The one called ${login}` });
    const values: string[] = [];
    for (const [dialect, scopes] of Object.entries(SCOPES)) {
      const { value } = await server.issue({
        dialect,
        ownerId: person.user.id,
        scopes,
        name: `${login} of ${dialect}`,
      });
      values.push(value);
    }
    return { ...person, values };
  }

  async function verdicts(values: readonly string[]): Promise<number[]> {
    const answers = await Promise.all(
      values.map((value) => server.send('GET', '/verify', { headers: bearer(value) })),
    );
    return answers.map(({ status }) => status);
  }

  async function asAdmin(path: string, options = {}): Promise<Visitor> {
    const visitor = await browser.visitor(server.url, options);
    await visitor.signIn('admin', ADMIN_PASSWORD, path);
    return visitor;
  }

  async function userOf(login: string) {
    return (await server.send('GET', `/patois/v1/users/${login}`, { headers: server.asAdmin })).json;
  }

  const confirm = async ({ page }: Visitor, login: string): Promise<void> => {
    await page.getByRole('button', { name: 'End all access' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/stops? working at once/).waitFor();
    await dialog.getByLabel(`Type ${login} to confirm`).fill(login);
    await dialog.getByRole('button', { name: 'End all access' }).click();
  };

  test('it shows who somebody is, all that they hold in every system, and what happened', async () => {
    const { values } = await holder('hugo');
    await verdicts(values);
    const visitor = await asAdmin('/console/people/hugo');
    const { page } = visitor;
    await page.getByRole('heading', { name: 'The one called hugo', level: 1 }).waitFor();
    const counts = page.getByRole('table', { name: 'Live tokens' });
    await counts.getByRole('row', { name: 'Together 6' }).waitFor();
    expect(await counts.getByRole('row').count()).toBe(8);
    const tokens = page.getByRole('table', { name: 'Tokens', exact: true });
    await tokens.getByRole('link', { name: 'hugo of losant' }).waitFor();
    expect(await tokens.getByRole('row').count()).toBe(7);
    await page.getByText('created the account of').waitFor();
    await visitor.picture('person');
    await tokens.getByRole('link', { name: 'hugo of losant' }).click();
    await page.getByRole('heading', { name: 'hugo of losant', level: 1 }).waitFor();
    await visitor.leave();
  });

  test('a person who leaves: one button ends account, sessions and tokens of every system, and proves it', async () => {
    const leaver = await holder('lena');
    await server.issue({ dialect: 'quay', ownerId: leaver.user.id, name: 'expired', inactive: true });
    const theirs = await browser.visitor(server.url);
    theirs.expects(401);
    await theirs.signIn('lena', leaver.password, '/console/account');
    expect(await verdicts(leaver.values)).toEqual([204, 204, 204, 204, 204, 204]);
    const visitor = await asAdmin('/console/people/lena');
    const { page } = visitor;
    await page.getByRole('button', { name: 'End all access' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('6 tokens stop working at once.').waitFor();
    await dialog.getByText('7 tokens are revoked').waitFor();
    const action = dialog.getByRole('button', { name: 'End all access' });
    expect(await action.isDisabled()).toBe(true);
    await dialog.getByLabel('Type lena to confirm').fill('len');
    expect(await action.isDisabled()).toBe(true);
    await dialog.getByLabel('Type lena to confirm').fill('lena');
    await action.click();
    await dialog.getByText('0 tokens work', { exact: true }).waitFor();
    await dialog.getByText('7 of 7 tokens').waitFor();

    expect((await verdicts(leaver.values)).every((status) => status === 401)).toBe(true);
    expect((await userOf('lena')).disabled).toBe(true);
    const rows = await server.app.dataSource.query<object[]>(
      'SELECT FROM tokens WHERE owner_id = $1 AND revoked_at IS NULL',
      [leaver.user.id],
    );
    expect(rows).toHaveLength(0);
    const byPassword = basic('lena', leaver.password);
    expect((await server.send('GET', '/patois/v1/me', { headers: byPassword })).status).toBe(401);
    await theirs.page.getByRole('link', { name: 'My tokens' }).click();
    await theirs.page.getByText('Your session has ended.').waitFor();
    await theirs.leave();

    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await page.getByText('No live tokens').waitFor();
    await visitor.leave();
  });

  test('what fails on the way is told, and goes on from there: nothing works from the first step on', async () => {
    const leaver = await holder('mara');
    const visitor = await asAdmin('/console/people/mara');
    visitor.expects(503);
    const { page } = visitor;
    let patches = 0;
    page.on('request', (request) => {
      if (request.method() === 'PATCH') patches += 1;
    });
    await page.route('**/patois/v1/revocations', (route) =>
      route.request().postDataJSON().dryRun === true
        ? route.continue()
        : route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{}' }),
    );
    await confirm(visitor, 'mara');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('It stopped here').waitFor();
    await dialog.getByText('Disable the account and end its sessions (done)').waitFor();
    await dialog.getByText('Revoke all tokens (failed)').waitFor();
    // They are not revoked yet, and yet none works.
    expect((await verdicts(leaver.values)).every((status) => status === 401)).toBe(true);
    await page.unroute('**/patois/v1/revocations');
    await dialog.getByRole('button', { name: 'Go on from here' }).click();
    await dialog.getByText('0 tokens work', { exact: true }).waitFor();
    expect(patches).toBe(1);
    await visitor.leave();
  });

  test('a token that appears meanwhile is found by the proof, and ended by going on', async () => {
    const leaver = await holder('nora');
    const visitor = await asAdmin('/console/people/nora');
    const { page } = visitor;
    let isFirst = true;
    await page.route('**/patois/v1/users/*', async (route) => {
      const isProof = route.request().method() === 'GET';
      if (isProof && isFirst && (await userOf('nora')).disabled) {
        isFirst = false;
        await server.issue({ dialect: 'quay', ownerId: leaver.user.id, name: 'late' }).catch(() => undefined);
      }
      await route.continue();
    });
    await page.route('**/patois/v1/revocations', async (route) => {
      // The count of the proof is taken after the late token is there.
      if (route.request().postDataJSON().dryRun === true)
        await new Promise((resume) => setTimeout(resume, 500));
      await route.continue();
    });
    await confirm(visitor, 'nora');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('1 token came to be meanwhile').waitFor();
    await dialog.getByRole('button', { name: 'Go on from here' }).click();
    await dialog.getByText('0 tokens work', { exact: true }).waitFor();
    await visitor.leave();
  });

  test('an administrator of everything is not ended by one of an organization: it is told, and all goes on to work', async () => {
    const organization = await server.organization('Branch');
    const chief = await server.makeUser({
      login: 'chief',
      role: 'organizationAdministrator',
      organizationId: organization.id,
    });
    const boss = await server.makeUser({
      login: 'boss',
      role: 'administrator',
      organizationId: organization.id,
    });
    const { value } = await server.issue({ dialect: 'quay', ownerId: boss.user.id });
    const visitor = await browser.visitor(server.url);
    visitor.expects(403);
    await visitor.signIn('chief', chief.password, '/console/people/boss');
    await confirm(visitor, 'boss');
    const dialog = visitor.page.getByRole('dialog');
    await dialog.getByText('Disable the account and end its sessions (failed)').waitFor();
    await dialog.getByText(/Only an administrator changes an administrator/).waitFor();
    expect(await verdicts([value])).toEqual([204]);
    // Nor does it show the trail, which is of administrators of everything.
    expect(await visitor.page.getByRole('heading', { name: 'Activity' }).count()).toBe(0);
    await visitor.leave();
  });

  test('a member has no pages of people', async () => {
    const member = await server.makeUser({ login: 'member' });
    const visitor = await browser.visitor(server.url);
    await visitor.signIn('member', member.password, '/console/people/admin');
    await visitor.page.getByText('There is no such page, or it is not for you.').waitFor();
    expect(await visitor.page.locator('main').innerText()).not.toContain('admin');
    await visitor.leave();
  });

  test('nobody ends the own access', async () => {
    const visitor = await asAdmin('/console/people/admin');
    await visitor.page.getByRole('region', { name: 'Who it is' }).waitFor();
    expect(await visitor.page.getByRole('button', { name: 'End all access' }).count()).toBe(0);
    await visitor.leave();
  });

  test('somebody without tokens and somebody who is not there are told apart', async () => {
    await server.makeUser({ login: 'empty' });
    const visitor = await asAdmin('/console/people/empty');
    visitor.expects(404);
    await visitor.page.getByText('No live tokens').waitFor();
    await visitor.page.getByText('There are no such tokens.').waitFor();
    await visitor.page.goto('/console/people/nobody');
    await visitor.page.getByText('It is not there, or it is not yours to see.').waitFor();
    await visitor.leave();
  });

  test.each(['light', 'dark'] as const)(
    'in %s there is no barrier, the question included',
    async (colorScheme) => {
      await holder(`axe-${colorScheme}`);
      const visitor = await asAdmin(`/console/people/axe-${colorScheme}`, {
        colorScheme,
        reducedMotion: 'reduce',
      });
      await visitor.page.getByText('created the account of').waitFor();
      expect(await visitor.barriers()).toEqual([]);
      await visitor.page.getByRole('button', { name: 'End all access' }).click();
      await visitor.page.getByText('6 tokens stop working at once.').waitFor();
      expect(await visitor.barriers()).toEqual([]);
      await visitor.leave();
    },
  );

  test.each(['en', 'zh-CN', 'ko'])('in %s it has all its words, and fits a narrow screen', async (locale) => {
    await holder(`words-${locale}`);
    const visitor = await asAdmin('/console/account');
    const { page } = visitor;
    await page.evaluate(`localStorage.setItem('patois.language', '${locale}')`);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(`/console/people/words-${locale}`);
    await page.getByRole('table').first().waitFor();
    await page.getByRole('listitem').first().waitFor();
    expect(await visitor.missingMessages()).toEqual([]);
    expect(await visitor.cutTexts()).toEqual([]);
    expect(await visitor.isTooWide()).toBe(false);
    await visitor.leave();
  });
});
