import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { basic } from '../../support/http.js';
import { describeWith } from '../../support/programs.js';
import { TestServer, type TestUser } from '../../support/server.js';

const NEW_PASSWORD = 'a much longer password 密码';

describeWith([CHROMIUM], 'my account', () => {
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

  async function visit({ user, password }: TestUser, options = {}): Promise<Visitor> {
    const visitor = await browser.visitor(server.url, options);
    await visitor.signIn(user.login, password, '/console/account');
    return visitor;
  }

  const sessions = (visitor: Visitor) =>
    visitor.page.getByRole('region', { name: 'Where you are signed in' });

  function statusOf(login: string, password: string): Promise<number> {
    return server
      .send('GET', '/patois/v1/me', { headers: basic(login, password) })
      .then(({ status }) => status);
  }

  test('it says who I am, and where I am signed in, in words for each browser', async () => {
    const ada = await server.makeUser({ login: 'ada', name: 'Ada Lovelace', email: 'ada@example.org' });
    const phone = await visit(ada, {
      userAgent: 'Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0',
    });
    const visitor = await visit(ada);
    const me = visitor.page.getByRole('region', { name: 'Who you are' });
    await me.getByText('Ada Lovelace').waitFor();
    await me.getByText('ada@example.org').waitFor();
    const list = sessions(visitor).getByRole('listitem');
    await list.filter({ hasText: 'Firefox on Android' }).waitFor();
    const mine = list.filter({ hasText: 'This browser' });
    expect(await mine.innerText()).toContain('Chrome on Linux');
    expect(await list.count()).toBe(2);
    await visitor.picture('account');
    await phone.leave();
    await visitor.leave();
  });

  test('a session that is ended elsewhere shows the form on its next call, and nothing of before', async () => {
    const bea = await server.makeUser({ login: 'bea', email: 'bea@example.org' });
    const other = await visit(bea, {
      userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 15_5) AppleWebKit/605 Version/18.5 Safari/605.1.15',
    });
    other.expects(401);
    const visitor = await visit(bea);
    await sessions(visitor).getByRole('button', { name: 'End the session: Safari on macOS' }).click();
    await visitor.page.getByRole('dialog').getByRole('button', { name: 'End', exact: true }).click();
    await visitor.page.getByText('The session has ended').waitFor();
    expect(await sessions(visitor).getByRole('listitem').count()).toBe(1);

    await other.page.getByRole('link', { name: 'My tokens' }).click();
    await other.page.getByText('Your session has ended.').waitFor();
    await other.page.getByRole('textbox', { name: 'Login' }).waitFor();
    expect(await other.page.locator('body').innerText()).not.toContain('bea');
    await other.page.goBack();
    await other.page.getByRole('textbox', { name: 'Login' }).waitFor();
    expect(await other.page.locator('body').innerText()).not.toContain('bea');
    await other.leave();
    await visitor.leave();
  });

  test('all other sessions are ended at once, and this one stays', async () => {
    const carl = await server.makeUser({ login: 'carl' });
    const others = [await visit(carl), await visit(carl)];
    const visitor = await visit(carl);
    await sessions(visitor).getByRole('button', { name: 'End all others' }).click();
    await visitor.page.getByRole('dialog').getByRole('button', { name: 'End all others' }).click();
    await visitor.page.getByText('All other sessions have ended').waitFor();
    expect(await sessions(visitor).getByRole('listitem').count()).toBe(1);
    const rows = await server.app.dataSource.query<{ count: string }[]>(
      'SELECT count(*) FROM sessions WHERE user_id = $1',
      [carl.user.id],
    );
    expect(Number(rows[0]?.count)).toBe(1);
    for (const other of others) {
      other.expects(401);
      await other.page.reload();
      await other.page.getByRole('textbox', { name: 'Login' }).waitFor();
      await other.leave();
    }
    await visitor.leave();
  });

  test('a new password ends every session, and the form says why', async () => {
    const dora = await server.makeUser({ login: 'dora' });
    const other = await visit(dora);
    other.expects(401);
    const visitor = await visit(dora);
    visitor.expects(401, 403);
    const { page } = visitor;
    const button = page.getByRole('button', { name: 'Change the password' });
    const fill = async (old: string, chosen: string, repeated = chosen): Promise<void> => {
      await page.getByLabel('Current password', { exact: false }).first().fill(old);
      await page
        .getByLabel(/^New password \*?$|^New password$/)
        .first()
        .fill(chosen);
      await page.getByLabel('New password again').fill(repeated);
    };
    await fill(dora.password, 'short');
    await page.getByText('Too short: 5 bytes.').waitFor();
    await fill(dora.password, '密'.repeat(25));
    await page.getByText('Too long: 75 bytes.').waitFor();
    await fill(dora.password, NEW_PASSWORD, 'another');
    await page.getByText('That is not the same.').waitFor();
    expect(await button.isDisabled()).toBe(true);

    await fill('not the password', NEW_PASSWORD);
    await page.getByText('Strong', { exact: true }).waitFor();
    await button.click();
    await page.getByText('That is not your password.').waitFor();
    expect(await page.getByLabel('New password again').inputValue()).toBe(NEW_PASSWORD);

    await fill(dora.password, NEW_PASSWORD);
    await button.click();
    await page.getByText('Your password is changed, and every session has ended.').waitFor();
    expect(await statusOf('dora', dora.password)).toBe(401);
    expect(await statusOf('dora', NEW_PASSWORD)).toBe(200);
    await other.page.reload();
    await other.page.getByRole('textbox', { name: 'Login' }).waitFor();
    await visitor.signIn('dora', NEW_PASSWORD);
    await other.leave();
    await visitor.leave();
  });

  test('language and appearance are chosen here, and kept for the next visit', async () => {
    const visitor = await visit(await server.makeUser({ login: 'emil' }), { colorScheme: 'light' });
    const { page } = visitor;
    await page.locator('main').getByText('Dark', { exact: true }).click();
    await page.getByLabel('Language', { exact: true }).last().selectOption('ko');
    await page.getByRole('heading', { name: '내 계정' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: '내 계정' }).waitFor();
    expect(await page.evaluate('document.documentElement.dataset.mantineColorScheme')).toBe('dark');
    await visitor.leave();
  });

  test('sessions that cannot be read are told, and come when it is tried again', async () => {
    const visitor = await browser.visitor(server.url);
    visitor.expects(403);
    const fay = await server.makeUser({ login: 'fay' });
    await visitor.signIn('fay', fay.password);
    await visitor.page.route('**/patois/v1/sessions*', (route) =>
      route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{}' }),
    );
    await visitor.page.goto('/console/account');
    await sessions(visitor).getByRole('alert').waitFor();
    await visitor.page.unroute('**/patois/v1/sessions*');
    await sessions(visitor).getByRole('button', { name: 'Try again' }).click();
    await sessions(visitor).getByText('This browser').waitFor();
    await visitor.leave();
  });

  test.each(['light', 'dark'] as const)('in %s there is no barrier', async (colorScheme) => {
    const user = await server.makeUser({ login: `gil-${colorScheme}` });
    const visitor = await visit(user, { colorScheme, reducedMotion: 'reduce' });
    await sessions(visitor).getByText('This browser').waitFor();
    await visitor.page.getByLabel('New password again').fill('x');
    await visitor.page
      .getByLabel(/^New password/)
      .first()
      .fill('short');
    expect(await visitor.barriers()).toEqual([]);
    await visitor.leave();
  });

  test.each(['en', 'zh-CN', 'ko'])('in %s it has all its words, and fits a narrow screen', async (locale) => {
    const visitor = await visit(await server.makeUser({ login: `hal-${locale}` }));
    const { page } = visitor;
    await page.evaluate(`localStorage.setItem('patois.language', '${locale}')`);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.reload();
    await page.getByRole('listitem').first().waitFor();
    expect(await visitor.missingMessages()).toEqual([]);
    expect(await visitor.cutTexts()).toEqual([]);
    expect(await visitor.isTooWide()).toBe(false);
    await visitor.leave();
  });
});
