import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Browser, CHROMIUM } from '../../support/browser.js';
import { setPolicy } from '../../support/policy.js';
import { describeWith } from '../../support/programs.js';
import { TestServer } from '../../support/server.js';
import {
  hideSecret,
  makeToken,
  secretOn,
  tokensOf,
  visitAs,
  type Visiting,
} from '../../support/token-pages.js';
import { useToken } from '../../support/token-wires.js';

const DAY_MS = 86_400_000;

describeWith([CHROMIUM], 'making a token', () => {
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

  const visiting: Visiting = (person, path, visit, options) =>
    visitAs({ browser, server }, person, path, visit, options);

  describe('what the organization allows', () => {
    afterAll(() => setPolicy(server, {}));

    test('expiries beyond it cannot be chosen, and say why; one within it is kept to the minute', async () => {
      await setPolicy(server, { maxLifetimeSeconds: 30 * 86_400, defaultLifetimeSeconds: 86_400 });
      const person = await server.makeUser();
      await visiting(person, '/tokens/new?dialect=foreman', async ({ page }) => {
        await page.getByText('Your organization lets a token live for 30 days at most.').waitFor();
        expect(
          await page.getByRole('radio', { name: /As your organization sets it: after 1 day/ }).isChecked(),
        ).toBe(true);
        expect(await page.getByRole('radio', { name: /In 90 days/ }).isDisabled()).toBe(true);
        await page.getByText('Longer than the 30 days that your organization allows').waitFor();
        expect(await page.getByRole('radio', { name: /^Never/ }).isDisabled()).toBe(true);
        await page.getByText('Your organization wants every token to expire').waitFor();
        await page.getByRole('radio', { name: 'On a date of your choice' }).click();
        await page.getByLabel('Date and time').fill('2091-01-31T12:00');
        await page.getByText('That is later than the 30 days that your organization allows.').waitFor();
        await page.getByRole('textbox', { name: 'Name', exact: true }).fill('bounded');
        expect(await page.getByRole('button', { name: 'Make the token' }).isDisabled()).toBe(true);
        await page.getByRole('radio', { name: 'In 30 days' }).click();
        await makeToken(page, 'bounded');
        await secretOn(page, server, 'bounded');
      });
      const [token] = await tokensOf(server, person);
      const lifetimeMs = (token?.expiresAt?.getTime() ?? 0) - (token?.createdAt.getTime() ?? 0);
      expect(lifetimeMs).toBeGreaterThan(30 * DAY_MS - 120_000);
      expect(lifetimeMs).toBeLessThanOrEqual(30 * DAY_MS);
    });

    test('blocks are looked at as they are typed, and must lie within those of the organization', async () => {
      await setPolicy(server, { allowedCidrs: ['10.0.0.0/8', '127.0.0.0/8'] });
      const person = await server.makeUser();
      await visiting(person, '/tokens/new?dialect=patois', async ({ page }) => {
        const field = page.getByRole('textbox', { name: 'Addresses (CIDR blocks)' });
        const submit = page.getByRole('button', { name: 'Make the token' });
        await page.getByRole('textbox', { name: 'Name', exact: true }).fill('at home');
        await page.getByRole('button', { name: 'Everything', exact: true }).click();
        expect(await submit.isEnabled()).toBe(true);
        for (const [typed, said] of [
          ['10.1.2.3', '10.1.2.3 needs a length: write 10.1.2.3/32 for this address alone.'],
          ['10.0.0.1/8', '10.0.0.1/8 begins within a block: write 10.0.0.0/8.'],
          ['house', 'house is not a block of IPv4 or IPv6 addresses.'],
          ['192.0.2.0/24', '192.0.2.0/24 reaches beyond what your organization allows.'],
        ] as const) {
          await field.fill(typed);
          await page.getByText(said).waitFor();
          expect(await field.getAttribute('aria-invalid')).toBe('true');
          expect(await submit.isDisabled()).toBe(true);
        }
        await field.fill('10.0.0.0/9');
        await page.getByText('10.0.0.0/9: 8,388,608 addresses').waitFor();
        await page.getByRole('button', { name: 'Only from where I am now (127.0.0.1/32)' }).click();
        await page.getByText('127.0.0.1/32: one address').waitFor();
        await submit.click();
        const secret = await secretOn(page, server, 'at home');
        expect(await useToken(server, 'patois', secret, person.user.login)).toBe(200);
      });
      expect((await tokensOf(server, person))[0]?.allowedCidrs).toEqual(['127.0.0.1/32']);
    });

    test('a policy that changes meanwhile is told at the field, and nothing typed is lost', async () => {
      await setPolicy(server, {});
      const person = await server.makeUser();
      await visiting(person, '/tokens/new?dialect=quay', async (visitor) => {
        const { page } = visitor;
        visitor.expects(422);
        await page.getByRole('radio', { name: 'Never' }).click();
        await setPolicy(server, { allowNonExpiring: false });
        await page.getByRole('textbox', { name: 'Name', exact: true }).fill('for ever');
        await page.getByRole('button', { name: 'Make the token' }).click();
        await page
          .getByRole('region', { name: 'When it expires' })
          .getByText('allows no token without an expiry')
          .waitFor();
        expect(await page.getByRole('textbox', { name: 'Name', exact: true }).inputValue()).toBe('for ever');
        await page.getByRole('radio', { name: 'In 7 days' }).click();
        await page.getByRole('button', { name: 'Make the token' }).click();
        await secretOn(page, server, 'for ever');
      });
      expect(await tokensOf(server, person)).toHaveLength(1);
    });
  });

  test('a name that is taken is told at the name', async () => {
    const person = await server.makeUser();
    const body = { dialect: 'foreman', owner: person.user.login, name: 'taken' };
    await server.send('POST', '/patois/v1/tokens', { headers: person.byPassword, body });
    await visiting(person, '/tokens/new?dialect=foreman', async (visitor) => {
      const { page } = visitor;
      visitor.expects(409);
      const name = page.getByRole('textbox', { name: 'Name', exact: true });
      await name.fill('taken');
      await page.getByRole('button', { name: 'Make the token' }).click();
      await page.getByText('The name has already been taken').waitFor();
      expect(await name.getAttribute('aria-invalid')).toBe('true');
      await makeToken(page, 'free');
      await secretOn(page, server, 'free');
    });
  });

  test('an answer that is lost and a second try make one token, whose secret works', async () => {
    const person = await server.makeUser();
    await visiting(person, '/tokens/new?dialect=quay', async (visitor) => {
      const { page } = visitor;
      visitor.expects(502);
      let lost = 0;
      await page.route('**/patois/v1/tokens', async (route) => {
        if (route.request().method() !== 'POST' || lost > 0) return route.continue();
        lost += 1;
        const answer = await route.fetch();
        expect(answer.status()).toBe(201);
        return route.fulfill({ status: 502, body: '' });
      });
      await page.getByRole('textbox', { name: 'Name', exact: true }).fill('twice');
      await page.getByRole('button', { name: 'Make the token' }).click();
      await page.getByRole('alert').getByText('The server could not do it now.').waitFor();
      await page.getByRole('button', { name: 'Make the token' }).click();
      const secret = await secretOn(page, server, 'twice');
      expect(await useToken(server, 'quay', secret, person.user.login)).toBe(200);
      expect(lost).toBe(1);
    });
    expect(await tokensOf(server, person)).toHaveLength(1);
  });

  test("Losant's 500 scopes are sought in words or by name, and chosen by the keyboard", async () => {
    const person = await server.makeUser();
    await visiting(person, '/tokens/new?dialect=losant', async ({ page }) => {
      expect(await page.getByRole('checkbox').count()).toBeLessThan(60);
      await page.getByRole('button', { name: 'Nothing' }).click();
      await page.getByRole('searchbox').fill('workflow statistics');
      await page.getByText('0 found').waitFor();
      await page.getByRole('searchbox').fill('statistics of a workflow');
      await page.getByRole('checkbox', { name: 'View statistics of a workflow flow.stats' }).focus();
      await page.keyboard.press('Space');
      await page.getByRole('searchbox').fill('devices.get');
      await page.getByRole('checkbox', { name: 'List devices devices.get' }).first().check();
      await page.getByText('2 chosen').waitFor();
      await page.getByRole('textbox', { name: 'Name', exact: true }).fill('narrow');
      await page.getByRole('button', { name: 'Make the token' }).click();
      await secretOn(page, server, 'narrow');
    });
    expect((await tokensOf(server, person))[0]?.scopes.sort()).toEqual(['devices.get', 'flow.stats']);
  });

  test('a permission of Yunxiao that is in no list is taken if it is of the form', async () => {
    const person = await server.makeUser();
    await visiting(person, '/tokens/new?dialect=yunxiao', async ({ page }) => {
      const field = page.getByRole('textbox', { name: 'Another scope, by its name' });
      await field.fill('codeup');
      await page.getByText('ends with _read or _read_write').waitFor();
      await field.fill('codeup_repository_read');
      await field.press('Enter');
      await page.getByText('View codeup_repository').waitFor();
      await page.getByRole('textbox', { name: 'Name', exact: true }).fill('codeup');
      await page.getByRole('button', { name: 'Make the token' }).click();
      await secretOn(page, server, 'codeup');
    });
    expect((await tokensOf(server, person))[0]?.scopes).toEqual(['codeup_repository_read']);
  });

  describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
    test.each([1280, 360])('%d px wide nobody meets a barrier or scrolls sideways', async (width) => {
      const person = await server.makeUser();
      const isPictured = width === 1280 && colorScheme === 'light';
      const options = { colorScheme, viewport: { width, height: 900 } };
      await visiting(
        person,
        '/tokens/new?dialect=losant',
        async (visitor) => {
          const { page } = visitor;
          const check = async (): Promise<void> => {
            expect(await visitor.barriers()).toEqual([]);
            expect(await visitor.isTooWide()).toBe(false);
          };
          const blocks = page.getByRole('textbox', { name: 'Addresses (CIDR blocks)' });
          await blocks.fill('nonsense');
          await check();
          await page.getByRole('textbox', { name: 'Name', exact: true }).fill('robot');
          await blocks.fill('127.0.0.0/8');
          await page.evaluate('scrollTo(0, 0)');
          if (isPictured) await visitor.picture('make-token');
          await makeToken(page, 'robot');
          const secret = await secretOn(page, server, 'robot');
          await check();
          await hideSecret(page, secret);
          if (isPictured) await visitor.picture('secret');
        },
        options,
      );
    });
  });

  test.each(['en', 'zh-CN', 'ko'])('in %s every message is there', async (locale) => {
    const person = await server.makeUser();
    const { json } = await server.send('GET', '/patois/v1/dialects', { headers: person.byPassword });
    const dialects = json.items as { scopes: string[]; suggestions: string[] }[];
    const scopes = new Set(dialects.flatMap((one) => [...one.scopes, ...one.suggestions]));
    await visiting(person, '/tokens/new', async (visitor) => {
      const { page } = visitor;
      await page.evaluate(`localStorage.setItem('patois.language', '${locale}')`);
      for (const path of ['losant', 'yunxiao', 'patois'].map((dialect) => `/tokens/new?dialect=${dialect}`)) {
        await page.goto(`/console${path}`);
        await page.locator('button[type=submit]').waitFor();
        // The names of scopes stand beside their words.
        expect((await visitor.missingMessages()).filter((word) => !scopes.has(word))).toEqual([]);
      }
    });
  });
});
