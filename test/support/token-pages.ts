import { expect } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { Token } from '../../src/tokens/token.entity.js';
import type { Browser, Visitor } from './browser.js';
import type { TestServer, TestUser } from './server.js';

export function tokensOf(server: TestServer, { user }: TestUser): Promise<Token[]> {
  return server.app.dataSource.manager.find(Token, { where: { ownerId: user.id } });
}

/** Fills in a name, chooses all that there is, and makes the token. */
export async function makeToken(page: Page, name: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  await page.getByRole('button', { name: 'Everything', exact: true }).click();
  await page.getByRole('button', { name: 'Make the token' }).click();
  await page.getByRole('heading', { level: 1, name: `${name} is made` }).waitFor();
}

/** The secret that a page shows of a token. */
export async function secretOn(page: Page, server: TestServer, name: string): Promise<string> {
  const secret = await page.getByRole('textbox', { name: `Secret of ${name}` }).inputValue();
  expect(secret).toMatch(/^pt-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
  server.secrets.add(secret);
  return secret;
}

/** Opens what can be done with a token of the list. */
export async function chooseAction(page: Page, name: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

/** Puts another text in place of a secret wherever it is shown, for pictures. */
export async function hideSecret(page: Page, secret: string): Promise<void> {
  await page.evaluate(`{
    const other = '${secret.slice(0, 16)}' + '•'.repeat(49);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      walker.currentNode.data = walker.currentNode.data.replaceAll('${secret}', other);
    }
    for (const input of document.querySelectorAll('input')) input.value = input.value.replaceAll('${secret}', other);
  }`);
}

/** Somebody signs in by the form to see a page, whose path below /console is given. */
export type Visiting = (
  person: TestUser,
  path: string,
  visit: (visitor: Visitor) => Promise<void>,
  options?: BrowserContextOptions,
) => Promise<void>;

export async function visitAs(
  { browser, server }: { browser: Browser; server: TestServer },
  ...[{ user, password }, path, visit, options = {}]: Parameters<Visiting>
): Promise<void> {
  const visitor = await browser.visitor(server.url, options);
  await visitor.signIn(user.login, password, `/console${path}`);
  await visit(visitor);
  await visitor.leave();
}
