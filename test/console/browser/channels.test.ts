import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NoticeChannel } from '../../../src/notices/notice-channel.entity.js';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { NoticeReceiver, verified } from '../../support/notice-receiver.js';
import { promisesOfPage, visiting as visit, type VisitOptions } from '../../support/page-promises.js';
import { describeWith } from '../../support/programs.js';
import { TestServer, type TestUser } from '../../support/server.js';
import { until } from '../../support/until.js';

describeWith([CHROMIUM], 'the notice channels of the console', () => {
  let browser: Browser;
  let server: TestServer;
  let receiver: NoticeReceiver;
  let head: TestUser;
  beforeAll(async () => {
    browser = await Browser.start();
    receiver = await NoticeReceiver.start();
    server = await TestServer.start({ webhookAllowsHttp: true, webhookPrivateNetworks: ['127.0.0.0/8'] });
    head = await server.makeUser({ login: 'head', role: 'organizationAdministrator' });
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
    await receiver.close();
  });

  const visiting = (see: (visitor: Visitor) => Promise<void>, options?: VisitOptions): Promise<void> =>
    visit({ browser, server }, see, options);

  const kept = (target: string): Promise<NoticeChannel | null> =>
    server.app.dataSource.manager.findOneBy(NoticeChannel, { target });

  async function makeChannel(path: string, organization: string | null = null): Promise<string> {
    const body = { kind: 'webhook', url: receiver.url + path, events: ['token.leaked'], organization };
    const made = await server.send('POST', '/patois/v1/notice-channels', { headers: server.asAdmin, body });
    expect(made.status).toBe(201);
    return made.json.id as string;
  }

  /** Fills in the dialog of a new webhook, and sends it. */
  async function fillIn({ page }: Visitor, url: string): Promise<void> {
    await page.getByRole('button', { name: 'New channel' }).click();
    const dialog = page.getByRole('dialog', { name: 'New channel' });
    await dialog.getByRole('textbox', { name: 'Address of the receiver' }).fill(url);
    await dialog.getByRole('checkbox', { name: 'Token leaked' }).check();
    await dialog.getByRole('checkbox', { name: 'Policy changed' }).check();
    await dialog.getByRole('button', { name: 'Create the channel' }).click();
  }

  /** The secret that a dialog shows; the dialog is closed after it. */
  async function takeSecret({ page }: Visitor): Promise<string> {
    const dialog = page.getByRole('dialog', { name: 'The secret of the webhook' });
    const secret = await dialog.getByText(/^whsec_/).innerText();
    await page.keyboard.press('Escape');
    expect(await dialog.isVisible()).toBe(true);
    await dialog.getByRole('button', { name: 'I have stored it' }).click();
    await dialog.waitFor({ state: 'hidden' });
    return secret;
  }

  test('without channels the page says what they are for', () =>
    visiting(async ({ page }) => {
      await page.goto('/console/channels');
      await page.getByText('Nobody is told of anything yet.').waitFor();
    }));

  test('a webhook is made, its secret is shown once, and signs the test that arrives', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      await page.goto('/console/channels');
      await fillIn(visitor, `${receiver.url}/made`);
      const secret = await takeSecret(visitor);
      await page.getByRole('heading', { level: 1, name: 'Webhook' }).waitFor();
      expect(await kept(`${receiver.url}/made`)).toMatchObject({
        kind: 'webhook',
        events: ['token.leaked', 'policy.changed'],
        organizationId: null,
      });
      await page.getByRole('button', { name: 'Send a test' }).click();
      await page.getByRole('status').getByText('The receiver answered 204.').waitFor();
      const [notice] = receiver.at('/made');
      expect(notice && verified(notice, secret)).toMatchObject({ type: 'channel.test' });
      await page.getByRole('row').filter({ hasText: 'Delivered' }).getByText('Answered 204').waitFor();
      await visitor.picture('channels');
      const stored = await page.evaluate('JSON.stringify([localStorage, sessionStorage, location.href])');
      expect([await page.content(), stored].join()).not.toContain(secret.slice(6));
    }));

  test('what the server refuses is told in the dialog, which keeps what was typed', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      visitor.expects(400);
      await page.goto('/console/channels');
      await fillIn(visitor, 'https://10.1.2.3/hook');
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('alert').waitFor();
      const address = dialog.getByRole('textbox', { name: 'Address of the receiver' });
      expect(await address.inputValue()).toBe('https://10.1.2.3/hook');
      await address.fill(`${receiver.url}/second-try`);
      await dialog.getByRole('button', { name: 'Create the channel' }).click();
      await takeSecret(visitor);
      expect(await kept(`${receiver.url}/second-try`)).not.toBe(null);
    }));

  test('a mailbox is refused where the server sends no mail, and the dialog says so', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      visitor.expects(400);
      await page.goto('/console/channels');
      await page.getByRole('button', { name: 'New channel' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('Mail', { exact: true }).click();
      await dialog.getByRole('textbox', { name: 'Mailbox' }).fill('security@example.com');
      await dialog.getByRole('button', { name: 'Choose all' }).click();
      await dialog.getByRole('button', { name: 'Create the channel' }).click();
      await dialog.getByRole('alert').getByText('SMTP_URL is not set').first().waitFor();
    }));

  test('a receiver that fails is shown with its answer, and that it is sent again', () =>
    visiting(async ({ page }) => {
      receiver.reactions.set('/failing', 503);
      const id = await makeChannel('/failing');
      await page.goto(`/console/channels/${id}`);
      await page.getByRole('button', { name: 'Send a test' }).click();
      const alert = page.getByRole('alert').filter({ hasText: 'The test was not taken' });
      await alert.getByText('503').waitFor();
      await page.getByRole('row').filter({ hasText: 'Waiting' }).getByText('503').waitFor();
      receiver.reactions.set('/failing', 204);
      await server.send('POST', `/patois/v1/notice-channels/${id}/test`, { headers: server.asAdmin });
      await until(async () => (await page.getByRole('row').filter({ hasText: 'Delivered' }).count()) === 2);
    }));

  test('a notice is sent again under the same id', () =>
    visiting(async ({ page }) => {
      const id = await makeChannel('/again');
      await page.goto(`/console/channels/${id}`);
      await page.getByRole('button', { name: 'Send a test' }).click();
      await page.getByRole('button', { name: 'Send again: Test' }).click();
      await until(() => receiver.at('/again').length === 2);
      const [first, second] = receiver.at('/again').map(({ headers }) => headers['webhook-id']);
      expect(second).toBe(first);
    }));

  test('the secret is rotated: the old one and the new one sign', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      await page.goto('/console/channels');
      await fillIn(visitor, `${receiver.url}/rotated`);
      const old = await takeSecret(visitor);
      await page.getByRole('button', { name: 'More' }).click();
      await page.getByRole('menuitem', { name: 'Rotate the secret' }).click();
      await page.getByRole('radio', { name: 'for an hour' }).check();
      await page.getByRole('dialog').getByRole('button', { name: 'Rotate the secret' }).click();
      const fresh = await takeSecret(visitor);
      expect(fresh).not.toBe(old);
      await page.getByRole('term').getByText('Old secret signs until').waitFor();
      await page.getByRole('button', { name: 'Send a test' }).click();
      await page.getByText('The receiver answered 204.').waitFor();
      const [notice] = receiver.at('/rotated');
      for (const secret of [old, fresh]) expect(notice && verified(notice, secret)).toBeDefined();
    }));

  test('a channel is edited, switched off and on, and deleted once that is confirmed', () =>
    visiting(async ({ page }) => {
      const id = await makeChannel('/edited');
      await page.goto(`/console/channels/${id}`);
      await page.getByRole('button', { name: 'Edit' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('checkbox', { name: 'Token leaked' }).uncheck();
      await dialog.getByRole('checkbox', { name: 'Token expires soon' }).check();
      await dialog.getByRole('button', { name: 'Save' }).click();
      await dialog.waitFor({ state: 'hidden' });
      expect(await kept(`${receiver.url}/edited`)).toMatchObject({ events: ['token.expiring'] });

      const further = async (name: string): Promise<void> => {
        await page.getByRole('button', { name: 'More' }).click();
        await page.getByRole('menuitem', { name }).click();
        await dialog.getByRole('button', { name }).click();
        await dialog.waitFor({ state: 'hidden' });
      };
      await further('Switch off');
      expect(await kept(`${receiver.url}/edited`)).toMatchObject({ enabled: false });
      expect(await page.getByRole('button', { name: 'Send a test' }).isDisabled()).toBe(true);
      await further('Switch on');
      expect(await kept(`${receiver.url}/edited`)).toMatchObject({ enabled: true });
      await further('Delete');
      await page.getByRole('heading', { level: 1, name: 'Notices' }).waitFor();
      expect(await kept(`${receiver.url}/edited`)).toBe(null);
    }));

  test('a list that does not arrive is told, and read again on request', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      visitor.expects(403);
      await page.route('**/patois/v1/notice-channels**', (route) => route.fulfill({ status: 403, json: {} }));
      await page.goto('/console/channels');
      await page.getByRole('alert').getByText('You may not do this.').waitFor();
      await page.unroute('**/patois/v1/notice-channels**');
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('table', { name: 'Notices' }).waitFor();
    }));

  describe('who sees what', () => {
    test('an administrator of an organization sees and makes the channels of the own alone', async () => {
      await server.organization('Elsewhere');
      const other = await makeChannel('/elsewhere', 'Elsewhere');
      await visiting(
        async (visitor) => {
          const { page } = visitor;
          visitor.expects(404);
          await page.goto('/console/channels');
          await page.getByText('Nobody is told of anything yet.').waitFor();
          await fillIn(visitor, `${receiver.url}/own`);
          await takeSecret(visitor);
          expect(await kept(`${receiver.url}/own`)).toMatchObject({
            organizationId: head.user.organizationId,
          });
          await page.goto(`/console/channels/${other}`);
          await page.getByText('It is not there, or it is not yours to see.').waitFor();
        },
        { as: { login: 'head', password: head.password } },
      );
    });

    test('a member sees no page of them', async () => {
      const { user, password } = await server.makeUser();
      await visiting(
        async ({ page }) => {
          await page.goto('/console/channels');
          await page.getByText('There is no such page, or it is not for you.').waitFor();
          expect(await page.getByRole('navigation').getByRole('link', { name: 'Notices' }).count()).toBe(0);
        },
        { as: { login: user.login, password } },
      );
    });
  });

  describe('the list', () => {
    beforeAll(async () => {
      await makeChannel('/listed');
    });
    promisesOfPage(
      () => ({ browser, server }),
      async ({ page }) => {
        await page.goto('/console/channels');
        await page.getByRole('table').waitFor();
      },
    );
  });

  describe('a channel, tested', () => {
    let id: string;
    beforeAll(async () => {
      id = await makeChannel('/shown');
      await server.send('POST', `/patois/v1/notice-channels/${id}/test`, { headers: server.asAdmin });
      await until(() => receiver.at('/shown').length === 1);
    });
    promisesOfPage(
      () => ({ browser, server }),
      async ({ page }) => {
        await page.goto(`/console/channels/${id}`);
        await page.getByRole('table').waitFor();
      },
    );
  });

  test('the dialog of a new channel is no barrier', () =>
    visiting(async (visitor) => {
      await visitor.page.goto('/console/channels');
      await visitor.page.getByRole('button', { name: 'New channel' }).click();
      await visitor.page.getByRole('dialog').waitFor();
      expect(await visitor.barriers()).toEqual([]);
    }));
});
