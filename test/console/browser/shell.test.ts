import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { describeWith } from '../../support/programs.js';
import { ADMIN_PASSWORD, TestServer } from '../../support/server.js';

describeWith([CHROMIUM], 'the frame of the console', () => {
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

  async function visiting(
    visit: (visitor: Visitor) => Promise<void>,
    options: Parameters<Browser['visitor']>[1] = {},
  ): Promise<void> {
    const visitor = await browser.visitor(server.url, options);
    await visit(visitor);
    await visitor.leave();
  }

  describe('signing in by login and password', () => {
    test('a wrong password is told in the form, which keeps what was typed, and asks by no prompt', () =>
      visiting(async (visitor) => {
        const { page } = visitor;
        visitor.expects(401);
        await page.goto('/console');
        await page.getByRole('textbox', { name: 'Login' }).fill('admin');
        await page.locator('input[name=password]').fill('no such password');
        const answered = page.waitForResponse('**/patois/v1/sessions');
        await page.getByRole('button', { name: 'Sign in', exact: true }).click();
        expect(await (await answered).headerValue('www-authenticate')).toBe('Bearer realm="Patois"');
        await page.getByRole('alert').getByText('The login or the password is wrong.').waitFor();
        expect(await page.getByRole('textbox', { name: 'Login' }).inputValue()).toBe('admin');
      }));

    test('a right one shows the page that the address names, and a sign-out ends the session on the server', () =>
      visiting(async (visitor) => {
        const { page, context } = visitor;
        await visitor.signIn('admin', ADMIN_PASSWORD, '/console/tokens?q=one');
        expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/console/tokens?q=one');
        const [cookie] = await context.cookies();
        expect(cookie).toMatchObject({ name: 'patois_session', httpOnly: true, sameSite: 'Lax' });
        const headers = { cookie: `patois_session=${cookie?.value}`, 'x-requested-with': 'patois-console' };
        expect((await server.send('GET', '/patois/v1/me', { headers })).status).toBe(200);
        await page.getByRole('button', { name: 'Account admin' }).click();
        await page.getByRole('menuitem', { name: 'Sign out' }).click();
        await page.getByRole('heading', { name: 'Sign in to Patois' }).waitFor();
        expect((await server.send('GET', '/patois/v1/me', { headers })).status).toBe(401);
        expect(await context.cookies()).toEqual([]);
      }));

    test('by the keyboard alone', () =>
      visiting(async ({ page }) => {
        await page.goto('/console/tokens');
        await page.getByRole('textbox', { name: 'Login' }).waitFor();
        await page.keyboard.type('admin');
        await page.keyboard.press('Tab');
        await page.keyboard.type(ADMIN_PASSWORD);
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { level: 1, name: 'My tokens' }).waitFor();
      }));
  });

  describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
    test.each([1280, 360])('%d px wide nobody meets a barrier or scrolls sideways', (width) =>
      visiting(
        async (visitor) => {
          await visitor.page.goto('/console');
          await visitor.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
          expect(await visitor.barriers()).toEqual([]);
          expect(await visitor.isTooWide()).toBe(false);
          await visitor.signIn('admin', ADMIN_PASSWORD, '/console/tokens');
          await visitor.page.getByRole('heading', { level: 1 }).waitFor();
          expect(await visitor.barriers()).toEqual([]);
          expect(await visitor.isTooWide()).toBe(false);
          if (width === 360) await visitor.page.getByRole('button', { name: 'Navigation' }).click();
          await visitor.page.getByRole('button', { name: 'Account admin' }).click();
          await visitor.page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
          expect(await visitor.barriers()).toEqual([]);
        },
        { colorScheme, viewport: { width, height: 800 } },
      ),
    );
  });

  test.each([
    ['zh-CN', 'zh-CN', '登录 Patois', '退出登录'],
    ['zh-TW', 'zh-CN', '登录 Patois', '退出登录'],
    ['ko-KR', 'ko', 'Patois 로그인', '로그아웃'],
    ['fr', 'en', 'Sign in to Patois', 'Sign out'],
  ])('a browser that wants %s gets %s, with a message for everything', (locale, lang, title, signOut) =>
    visiting(
      async (visitor) => {
        const { page } = visitor;
        await page.goto('/console');
        await page.getByRole('heading', { name: title }).waitFor();
        expect(await page.locator('html').getAttribute('lang')).toBe(lang);
        expect(await visitor.missingMessages()).toEqual([]);
        expect(await visitor.cutTexts()).toEqual([]);
        await page.locator('input[name=username]').fill('admin');
        await page.locator('input[name=password]').fill(ADMIN_PASSWORD);
        await page.keyboard.press('Enter');
        await page.getByRole('button', { name: 'admin' }).click();
        await page.getByRole('menuitem', { name: signOut }).waitFor();
        expect(await visitor.missingMessages()).toEqual([]);
        expect(await visitor.cutTexts()).toEqual([]);
      },
      { locale },
    ),
  );

  test('a language and a theme that were chosen stay chosen', () =>
    visiting(async ({ page }) => {
      await page.goto('/console');
      await page.getByRole('button', { name: 'Language' }).click();
      await page.getByRole('menuitemradio', { name: '한국어' }).click();
      await page.getByRole('heading', { name: 'Patois 로그인' }).waitFor();
      await page.getByRole('button', { name: '화면 모드' }).click();
      await page.getByRole('menuitemradio', { name: '어둡게' }).click();
      await page.reload();
      await page.getByRole('heading', { name: 'Patois 로그인' }).waitFor();
      expect(await page.locator('html').getAttribute('data-mantine-color-scheme')).toBe('dark');
    }));

  test('a page of another origin changes nothing with the session, and reads nothing', () =>
    visiting(async (visitor) => {
      await visitor.signIn('admin', ADMIN_PASSWORD, '/console/tokens');
      const [cookie] = await visitor.context.cookies();
      // The same server by another name is another origin.
      const foreign = server.url.replace('127.0.0.1', 'localhost');
      visitor.alsoAsks(foreign);
      const attacker = await visitor.context.newPage();
      await attacker.goto(`${foreign}/healthz`);
      const outcome = await attacker.evaluate(`(async () => {
        const send = (init) => fetch('${server.url}/patois/v1/organizations', { credentials: 'include', ...init })
          .then((answer) => 'answered ' + answer.status, () => 'refused');
        const body = JSON.stringify({ name: 'Stolen' });
        return [
          await send({ method: 'POST', mode: 'no-cors', headers: { 'content-type': 'text/plain' }, body }),
          await send({ method: 'POST', headers: { 'content-type': 'application/json', 'x-requested-with': 'x' }, body }),
          await send({ method: 'GET' }),
        ];
      })()`);
      // What no-cors sends arrives and cannot be read; the browser does not hand over the others.
      expect(outcome).toEqual(['answered 0', 'refused', 'refused']);
      await attacker.close();
      const headers = { cookie: `patois_session=${cookie?.value}`, 'x-requested-with': 'patois-console' };
      const listed = await server.send('GET', '/patois/v1/organizations', { headers });
      expect(listed.json.items.map(({ name }: { name: string }) => name)).toEqual(['Default']);
    }));

  test('a page of another origin cannot frame the console', () =>
    visiting(async (visitor) => {
      const foreign = server.url.replace('127.0.0.1', 'localhost');
      visitor.alsoAsks(foreign);
      const attacker = await visitor.context.newPage();
      await attacker.goto(`${foreign}/healthz`);
      await attacker.evaluate(`new Promise((resolve) => {
        const frame = document.createElement('iframe');
        frame.src = '${server.url}/console';
        frame.onload = resolve;
        document.body.append(frame);
      })`);
      const [, framed] = attacker.frames();
      expect(await framed?.locator('body').innerText()).not.toContain('Patois');
      expect(framed?.url()).not.toContain('/console');
      await attacker.close();
    }));
});
