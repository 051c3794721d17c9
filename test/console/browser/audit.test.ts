import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { SealEventsTask } from '../../../src/administration/audit/seal-events.task.js';
import { AuditEvent } from '../../../src/audit/audit-event.entity.js';
import { Sealer } from '../../../src/audit/chain/sealer.js';
import { Job } from '../../../src/jobs/job.entity.js';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { promisesOfPage, visiting as visit, type VisitOptions } from '../../support/page-promises.js';
import { describeWith } from '../../support/programs.js';
import { TestServer, type TestUser } from '../../support/server.js';

/** More than come at once. */
const TOKENS = 60;

describeWith([CHROMIUM], 'the audit trail of the console', () => {
  let browser: Browser;
  let server: TestServer;
  let ada: TestUser;
  let changed: string;
  beforeAll(async () => {
    browser = await Browser.start();
    server = await TestServer.start();
    // Sealing is each test's own here.
    server.app.nest.get(SealEventsTask, { strict: false }).run = async () => {};
    ada = await server.makeUser({ login: 'ada' });
    for (let number = 0; number < TOKENS; number += 1) {
      await server.issue({ dialect: 'quay', ownerId: ada.user.id });
    }
    const { token } = await server.issue({ dialect: 'patois', ownerId: ada.user.id, name: 'before' });
    changed = token.tokenId;
    const headers = { ...server.asAdmin, 'user-agent': 'pipeline/1.0' };
    const path = `/patois/v1/tokens/${changed}`;
    await server.send('PATCH', path, { headers, body: { name: 'after' } });
    await server.send('DELETE', path, { headers });
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const visiting = (see: (visitor: Visitor) => Promise<void>, options?: VisitOptions): Promise<void> =>
    visit({ browser, server }, see, options);

  async function seal(): Promise<void> {
    while (await server.app.nest.get(Sealer, { strict: false }).seal());
  }

  const events = ({ page }: Visitor) => page.getByRole('listitem').filter({ has: page.getByRole('time') });

  test('the list goes on to the first event as somebody scrolls', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      await page.goto('/console/audit?action=token.create');
      await events(visitor).first().waitFor();
      expect(await events(visitor).count()).toBe(50);
      await events(visitor).last().scrollIntoViewIfNeeded();
      await events(visitor).nth(TOKENS).waitFor();
      expect(await events(visitor).count()).toBe(TOKENS + 1);
    }));

  test('filters stand in the address, and a link shows the same list to somebody else', async () => {
    let link = '';
    await visiting(async (visitor) => {
      const { page } = visitor;
      await page.goto('/console/audit');
      await events(visitor).first().waitFor();
      await page.getByText('The trail was not verified in the last 30 days.').waitFor();
      await page.getByRole('combobox', { name: 'Action' }).click();
      await page.getByRole('option', { name: 'Token changed' }).click();
      await page.getByRole('textbox', { name: 'Done by' }).fill('admin');
      await page.getByRole('textbox', { name: 'Done to' }).fill(changed);
      await page.getByRole('button', { name: 'More filters' }).click();
      await page.getByRole('textbox', { name: 'Address' }).fill('127.0.0.1');
      await page.getByLabel('From').fill('2020-01-01T00:00');
      await page.getByRole('button', { name: 'Show', exact: true }).click();
      await page.getByRole('group', { name: 'Active filters' }).waitFor();
      await events(visitor).getByText('changed').waitFor();
      expect(await events(visitor).count()).toBe(1);
      link = page.url();
    });
    const filter = Object.fromEntries(new URL(link).searchParams);
    expect(filter).toEqual({
      action: 'token.update',
      actor: 'admin',
      object: changed,
      address: '127.0.0.1',
      since: expect.stringMatching(/^20(19|20)-.*Z$/),
    });
    await visiting(async (visitor) => {
      const { page } = visitor;
      await page.goto(link);
      await events(visitor).getByText('changed').waitFor();
      expect(await events(visitor).count()).toBe(1);
      expect(await page.getByRole('textbox', { name: 'Done by' }).inputValue()).toBe('admin');
      await page.getByRole('button', { name: 'Remove the filter Action: Token changed' }).click();
      await events(visitor).getByText('revoked').waitFor();
      expect(new URL(page.url()).searchParams.has('action')).toBe(false);
      await page.goBack();
      await events(visitor).getByText('revoked').waitFor({ state: 'detached' });
    });
  });

  test.each(['owner', 'organization', 'requestId', 'until'])(
    'a link with %s narrows the list as the API does',
    (name) =>
      visiting(async (visitor) => {
        const event = await server.app.dataSource.manager.findOneByOrFail(AuditEvent, {
          action: 'token.update',
        });
        const value = {
          owner: 'ada',
          organization: 'Default',
          requestId: event.requestId ?? '',
          until: event.time.toISOString(),
        }[name];
        const query = new URLSearchParams({ [name]: value ?? '' });
        const headers = server.asAdmin;
        const expected = await server.send('GET', `/patois/v1/audit-events?${query.toString()}`, { headers });
        await visitor.page.goto(`/console/audit?${query.toString()}`);
        await events(visitor).first().waitFor();
        expect(await events(visitor).count()).toBe(expected.json.items.length);
      }),
  );

  test('an event tells what was before and after, from where and with what, and leads to its like', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      await page.goto(`/console/audit?object=${changed}&action=token.update`);
      await events(visitor).getByRole('button', { name: 'Details' }).click();
      const change = page.getByRole('table', { name: 'What exactly' });
      await change.getByRole('row', { name: 'Name before after' }).waitFor();
      await page.getByText('pipeline/1.0').waitFor();
      const link = events(visitor).getByRole('link', { name: changed });
      expect(await link.first().getAttribute('href')).toBe(`/console/token/${changed}`);
      await page.getByRole('link', { name: /^All with this: Done to/ }).click();
      await events(visitor).getByText('revoked').waitFor();
    }));

  test('an export is saved whole, and is an event itself', () =>
    visiting(async ({ page }) => {
      await page.goto('/console/audit?action=token.create');
      for (const [item, ending, last] of [
        ['As CSV, for spreadsheets', 'csv', new RegExp(`^#end,${TOKENS + 1},`)],
        ['As NDJSON, for programs', 'ndjson', new RegExp(`^{"end":{"rows":${TOKENS + 1},`)],
      ] as const) {
        await page.getByRole('button', { name: 'Export' }).click();
        const saved = page.waitForEvent('download');
        await page.getByRole('menuitem', { name: item }).click();
        const download = await saved;
        expect(download.suggestedFilename()).toMatch(new RegExp(`^patois-audit-.*\\.${ending}$`));
        const lines = readFileSync(await download.path(), 'utf8')
          .trimEnd()
          .split(/\r?\n/);
        expect(lines.at(-1)).toMatch(last);
      }
      const exported = await server.app.dataSource.manager.findBy(AuditEvent, { action: 'audit.export' });
      expect(new Set(exported.map(({ after }) => after?.['format']))).toEqual(new Set(['csv', 'ndjson']));
    }));

  test('an export that breaks off is told, and not saved', () =>
    visiting(async ({ page }) => {
      let saved = 0;
      page.on('download', () => (saved += 1));
      await page.goto('/console/audit');
      await page.route('**/audit-events/export**', (route) =>
        route.fulfill({ contentType: 'application/x-ndjson', body: '{"id":"one"}\n' }),
      );
      await page.getByRole('button', { name: 'Export' }).click();
      await page.getByRole('menuitem', { name: 'As NDJSON, for programs' }).click();
      await page.getByRole('alert').getByText('The export broke off before its end.').waitFor();
      expect(saved).toBe(0);
    }));

  test('a list that does not arrive is told, and read again on request', () =>
    visiting(async (visitor) => {
      const { page } = visitor;
      visitor.expects(403);
      await page.route('**/audit-events?*', (route) => route.fulfill({ status: 403, json: {} }));
      await page.goto('/console/audit?action=token.create');
      await page.getByRole('alert').getByText('You may not do this.').first().waitFor();
      await page.unroute('**/audit-events?*');
      await page.getByRole('button', { name: 'Try again' }).last().click();
      await events(visitor).first().waitFor();
    }));

  test('where nothing fits the page says so', () =>
    visiting(async ({ page }) => {
      await page.goto('/console/audit?requestId=none');
      await page.getByText('No event matches these filters.').waitFor();
    }));

  describe('the seals', () => {
    test('a trail that nobody has touched is found sound', () =>
      visiting(async (visitor) => {
        const { page } = visitor;
        await seal();
        await page.goto('/console/audit');
        await page.getByText('The trail was not verified in the last 30 days.').waitFor();
        await page.getByRole('button', { name: 'Verify the trail' }).click();
        await page.getByText('The trail is sound').waitFor();
        const job = await server.app.dataSource.manager.findOneByOrFail(Job, { kind: 'audit-verification' });
        const { events: count, verifiedTo } = job.result as { events: number; verifiedTo: number };
        await page
          .getByText(`All ${count} events are exactly as they were sealed, up to seal ${verifiedTo}`)
          .waitFor();
        await visitor.picture('audit');
        await page.getByRole('button', { name: 'Seal and keys' }).click();
        const { json } = await server.send('GET', '/patois/v1/audit-seals?limit=1', {
          headers: server.asAdmin,
        });
        await page.getByText(json.items[0].root).first().waitFor();
        const keys = (await server.send('GET', '/patois/v1/audit-seals/keys')).json.keys;
        await page.getByText(keys[0].x).waitFor();
      }));

    test('an event that was changed in the database is found by the button, and named', () =>
      visiting(async ({ page }) => {
        await page.goto('/console/audit');
        const { manager } = server.app.dataSource;
        const event = await manager.findOneByOrFail(AuditEvent, { action: 'token.update' });
        await manager.update(AuditEvent, { id: event.id }, { address: '192.0.2.1' });
        await page.getByRole('button', { name: 'Verify the trail' }).click();
        const alert = page.getByRole('alert').filter({ hasText: 'The audit trail does not hold' });
        await alert.getByText('An event was changed after it had been sealed.').waitFor();
        await alert.getByText(event.id).waitFor();
      }));
  });

  test.each(['member', 'organizationAdministrator'] as const)('a %s sees no trail', async (role) => {
    const { user, password } = await server.makeUser({ role });
    await visiting(
      async ({ page }) => {
        await page.goto('/console/audit');
        await page.getByText('There is no such page, or it is not for you.').waitFor();
        expect(await page.getByRole('navigation').getByRole('link', { name: 'Audit' }).count()).toBe(0);
      },
      { as: { login: user.login, password } },
    );
  });

  describe('the page, with an alarm and a detail open', () => {
    promisesOfPage(
      () => ({ browser, server }),
      async (visitor) => {
        const { page } = visitor;
        await page.goto(`/console/audit?object=${changed}&since=2020-01-01T00:00:00.000Z`);
        await events(visitor).first().waitFor();
        await events(visitor).first().getByRole('button').first().click();
        await page.getByRole('alert').waitFor();
      },
    );
  });
});
