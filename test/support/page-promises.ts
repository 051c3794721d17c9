import { expect, test } from '@jest/globals';
import type { BrowserContextOptions } from 'playwright-core';
import type { Browser, Visitor } from './browser.js';
import { ADMIN_PASSWORD, type TestServer } from './server.js';

const LANGUAGES = ['en', 'zh-CN', 'ko'];

/** Of a visit, which begins signed in. */
export interface VisitOptions extends BrowserContextOptions {
  /** Default: the administrator. */
  as?: { login: string; password: string };
}

/** Somebody looks at a page of the console, signed in already; whatever it complains of fails the test. */
export async function visiting(
  { browser, server }: { browser: Browser; server: TestServer },
  visit: (visitor: Visitor) => Promise<void>,
  { as = { login: 'admin', password: ADMIN_PASSWORD }, ...options }: VisitOptions = {},
): Promise<void> {
  const visitor = await browser.visitor(server.url, options);
  const { status } = await visitor.context.request
    .post('/patois/v1/sessions', { data: as, headers: { 'x-requested-with': 'patois-console' } })
    .then((answer) => ({ status: answer.status() }));
  expect(status).toBeLessThan(300);
  await visit(visitor);
  await visitor.leave();
}

/**
 * What every page of the console keeps: nobody meets a barrier or scrolls sideways, in light and dark, on a wide and a
 * narrow screen; and in every language it has all messages, and room for them.
 *
 * @param show goes to the page, and waits until what it is for is there.
 */
export function promisesOfPage(
  house: () => { browser: Browser; server: TestServer },
  show: (visitor: Visitor) => Promise<void>,
): void {
  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 360],
    ['dark', 360],
  ] as const)(
    'in the %s theme, %d px wide, nobody meets a barrier or scrolls sideways',
    (colorScheme, width) =>
      visiting(
        house(),
        async (visitor) => {
          await show(visitor);
          expect(await visitor.barriers()).toEqual([]);
          expect(await visitor.isTooWide()).toBe(false);
        },
        { colorScheme, viewport: { width, height: 800 } },
      ),
  );

  test.each(LANGUAGES)('in %s no message is missing, and no label is cut', (locale) =>
    visiting(
      house(),
      async (visitor) => {
        await show(visitor);
        expect(await visitor.missingMessages()).toEqual([]);
        expect(await visitor.cutTexts()).toEqual([]);
      },
      { locale },
    ),
  );
}
