import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { Organization } from '../../../src/accounts/organization.entity.js';
import { DEFAULT_POLICY, type PolicySettings } from '../../../src/tokens/policy/policy.entity.js';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { describeWith } from '../../support/programs.js';
import { ADMIN_PASSWORD, TestServer } from '../../support/server.js';

const DAY_SECONDS = 86_400;

describeWith([CHROMIUM], 'the policy in the console', () => {
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

  /** Somebody at the page of a policy, signed in past the form. */
  async function visitorOf(
    { id }: Organization,
    { login = 'admin', password = ADMIN_PASSWORD, path = `/console/policy/${id}`, ...options } = {} as {
      login?: string;
      password?: string;
      path?: string;
    } & Parameters<Browser['visitor']>[1],
  ): Promise<Visitor> {
    const visitor = await browser.visitor(server.url, options);
    const headers = { 'x-requested-with': 'patois-console' };
    const data = { login, password };
    expect((await visitor.context.request.post('/patois/v1/sessions', { headers, data })).status()).toBe(201);
    await visitor.page.goto(path);
    return visitor;
  }

  function makeOrganization(): Promise<Organization> {
    return server.organization(`org ${randomBytes(4).toString('hex')}`);
  }

  async function policyOf({ id }: Organization): Promise<PolicySettings> {
    const path = `/patois/v1/organizations/${id}/policy`;
    return (await server.send('GET', path, { headers: server.asAdmin })).json;
  }

  async function putPolicy({ id }: Organization, policy: Partial<PolicySettings>): Promise<void> {
    const path = `/patois/v1/organizations/${id}/policy`;
    const { status } = await server.send('PUT', path, { headers: server.asAdmin, body: policy });
    expect(status).toBe(200);
  }

  /** Sets the longest lifetime in the form. */
  async function limitLifetime({ page }: Visitor, days: number): Promise<void> {
    const rule = page.getByRole('group', { name: 'Longest lifetime', exact: true });
    const isUnlimited = rule.getByRole('switch', { name: 'No limit' });
    if (await isUnlimited.isChecked()) await isUnlimited.click();
    await rule.getByRole('textbox', { name: 'Longest lifetime: number' }).fill(String(days));
  }

  const effects = ({ page }: Visitor) => page.getByRole('region', { name: 'What this would mean' });
  const now = ({ page }: Visitor) => page.getByRole('region', { name: /^The policy of .* now$/ });

  test('every rule is set in the form, said in words, and met by a member who makes a token', async () => {
    const organization = await makeOrganization();
    const visitor = await visitorOf(organization);
    const { page } = visitor;
    await now(visitor).getByText('A token may live for any length of time.').waitFor();
    await limitLifetime(visitor, 90);
    const usual = page.getByRole('group', { name: 'Usual lifetime', exact: true });
    await usual.getByRole('switch').click();
    await usual.getByRole('textbox', { name: 'Usual lifetime: number' }).fill('36');
    await usual.getByRole('combobox', { name: 'Usual lifetime: unit' }).click();
    await page.getByRole('option', { name: 'hours' }).click();
    await page.getByRole('switch', { name: 'Allow tokens without an expiry' }).click();
    const unused = page.getByRole('group', { name: 'Unused tokens', exact: true });
    await unused.getByRole('switch').click();
    await unused.getByRole('textbox').fill('30');
    const count = page.getByRole('group', { name: 'Tokens per person', exact: true });
    await count.getByRole('switch').click();
    await count.getByRole('textbox').fill('2');
    await page.getByRole('textbox', { name: 'Grace after a rotation: number' }).fill('1');
    await page.getByRole('textbox', { name: 'CIDR blocks' }).fill('203.0.113.0/24\n2001:db8::/32');
    await page.getByRole('switch', { name: 'Require CIDR blocks on every token' }).click();
    await page.getByRole('group', { name: 'Reuse of a replaced value' }).getByText('Revoke').click();
    await page.getByRole('group', { name: 'Leaked tokens' }).getByText('Notify').click();
    await page.getByRole('button', { name: 'Save the policy' }).click();
    await now(visitor).getByText('A token lives for at most 90 days.').waitFor();
    await now(visitor).getByText('It gets 36 hours when nobody names an expiry.').waitFor();
    await now(visitor).getByText('Tokens work from 203.0.113.0/24 and 2001:db8::/32 alone.').waitFor();
    expect(await policyOf(organization)).toEqual({
      maxLifetimeSeconds: 90 * DAY_SECONDS,
      defaultLifetimeSeconds: 1.5 * DAY_SECONDS,
      allowNonExpiring: false,
      maxUnusedSeconds: 30 * DAY_SECONDS,
      maxTokensPerUser: 2,
      allowedCidrs: ['203.0.113.0/24', '2001:db8::/32'],
      requireCidrs: true,
      defaultGraceSeconds: 3600,
      onReuse: 'revoke',
      onLeak: 'notify',
    });
    await visitor.leave();
    const member = await server.makeUser({ organizationId: organization.id });
    const token = { dialect: 'quay', owner: member.user.login, name: 'one' };
    const made = (expiresAt?: string) =>
      server.send('POST', '/patois/v1/tokens', {
        headers: member.byPassword,
        body: expiresAt === undefined ? token : { ...token, expiresAt },
      });
    const tooLate = await made(new Date(Date.now() + 91 * DAY_SECONDS * 1000).toISOString());
    expect([tooLate.status, tooLate.json.errors[0].pointer]).toEqual([422, '/maxLifetimeSeconds']);
    const { json } = await made();
    expect(json.allowedCidrs).toEqual(['203.0.113.0/24', '2001:db8::/32']);
    expect(Date.parse(json.expiresAt) - Date.parse(json.createdAt)).toBe(1.5 * DAY_SECONDS * 1000);
  });

  test('the preview counts what the API counts, and conforming does just that', async () => {
    const organization = await makeOrganization();
    const { user } = await server.makeUser({ login: 'holder', organizationId: organization.id });
    for (const name of ['one', 'two']) await server.issue({ dialect: 'quay', ownerId: user.id, name });
    const near = new Date(Date.now() + DAY_SECONDS * 1000);
    await server.issue({ dialect: 'losant', ownerId: user.id, name: 'three', expiresAt: near });
    const visitor = await visitorOf(organization);
    const { page } = visitor;
    await effects(visitor).getByText('Every live token keeps this policy.').waitFor();
    await limitLifetime(visitor, 7);
    await effects(visitor).getByText('2 live tokens break this policy.').waitFor();
    const count = page.getByRole('group', { name: 'Tokens per person', exact: true });
    await count.getByRole('switch').click();
    await count.getByRole('textbox').fill('1');
    const body = { ...DEFAULT_POLICY, maxLifetimeSeconds: 7 * DAY_SECONDS, maxTokensPerUser: 1 };
    const path = `/patois/v1/organizations/${organization.id}/policy/preview`;
    const { json } = await server.send('POST', path, { headers: server.asAdmin, body });
    expect(json).toMatchObject({ byRule: { maxLifetimeSeconds: 2, maxTokensPerUser: 2 } });
    await effects(visitor).getByText(`${json.affected} live tokens break this policy.`).waitFor();
    await effects(visitor).getByRole('row', { name: 'Live too long 2' }).waitFor();
    await effects(visitor).getByRole('row', { name: 'Too many for one person 2' }).waitFor();
    const [newest] = json.sample;
    const link = effects(visitor).getByRole('link', { name: newest.name });
    expect(await link.getAttribute('href')).toBe(`/console/token/${newest.tokenId}`);
    expect(await visitor.barriers()).toEqual([]);
    await page.evaluate('window.scrollTo(0, 0)');
    await visitor.picture('policy');

    await page.getByRole('radio', { name: 'Make them keep the policy' }).check();
    await page.getByRole('button', { name: 'Save and conform…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`${json.affected} live tokens break this policy.`).waitFor();
    await dialog.getByRole('textbox').fill(organization.name);
    await dialog.getByRole('button', { name: 'Save and conform' }).click();
    const progress = page.getByRole('region', { name: 'Tokens are made to conform' });
    await progress.getByText('Done.').waitFor();
    await progress.getByText('Shortened: 2. Narrowed: 0. Revoked: 2.').waitFor();
    await effects(visitor).getByText('Every live token keeps this policy.').waitFor();
    const jobs = await server.send('GET', '/patois/v1/jobs?kind=policy-conformance', {
      headers: server.asAdmin,
    });
    const href = await progress.getByRole('link', { name: 'Open the job' }).getAttribute('href');
    expect(href).toBe(`/console/jobs/${jobs.json.items[0].id}`);
    await visitor.leave();
    const list = await server.send('GET', '/patois/v1/tokens?owner=holder', { headers: server.asAdmin });
    const statuses = list.json.items.map(({ status }: { status: string }) => status).sort();
    expect(statuses).toEqual(['active', 'revoked', 'revoked']);
  });

  test('of two who change it at once the second sees what the first did, and loses nothing of what was typed', async () => {
    const organization = await makeOrganization();
    const [first, second] = [await visitorOf(organization), await visitorOf(organization)];
    second.expects(412);
    await limitLifetime(second, 60);
    await limitLifetime(first, 30);
    await first.page.getByRole('switch', { name: 'Require CIDR blocks on every token' }).click();
    await first.page.getByRole('button', { name: 'Save the policy' }).click();
    await now(first).getByText('A token lives for at most 30 days.').waitFor();
    await second.page.getByRole('button', { name: 'Save the policy' }).click();
    const conflict = second.page.getByRole('alert').filter({ hasText: 'Somebody else changed this policy' });
    await conflict.getByRole('row', { name: 'Longest lifetime' }).getByText('at most 30 days').waitFor();
    await conflict.getByRole('row', { name: 'Longest lifetime' }).getByText('at most 60 days').waitFor();
    expect(await second.barriers()).toEqual([]);
    expect(await policyOf(organization)).toMatchObject({ maxLifetimeSeconds: 30 * DAY_SECONDS });
    const number = second.page.getByRole('textbox', { name: 'Longest lifetime: number' });
    expect(await number.inputValue()).toBe('60');
    await conflict.getByRole('button', { name: 'Take their changes, keep mine' }).click();
    await conflict.waitFor({ state: 'detached' });
    expect(await number.inputValue()).toBe('60');
    await second.page.getByRole('button', { name: 'Save the policy' }).click();
    await now(second).getByText('A token lives for at most 60 days.').waitFor();
    expect(await policyOf(organization)).toMatchObject({
      maxLifetimeSeconds: 60 * DAY_SECONDS,
      requireCidrs: true,
    });
    await first.leave();
    await second.leave();
  });

  test.each([
    ['Keep the form as I have it', 60, false],
    ['Drop mine, show theirs', 30, true],
  ])('a change of somebody else can be settled otherwise: %s', async (choice, days, requireCidrs) => {
    const organization = await makeOrganization();
    const visitor = await visitorOf(organization);
    visitor.expects(412);
    await limitLifetime(visitor, 60);
    await putPolicy(organization, { maxLifetimeSeconds: 30 * DAY_SECONDS, requireCidrs: true });
    await visitor.page.getByRole('button', { name: 'Save the policy' }).click();
    await visitor.page.getByRole('button', { name: choice }).click();
    const { page } = visitor;
    expect(await page.getByRole('textbox', { name: 'Longest lifetime: number' }).inputValue()).toBe(
      String(days),
    );
    const required = page.getByRole('switch', { name: 'Require CIDR blocks on every token' });
    expect(await required.isChecked()).toBe(requireCidrs);
    if (days === 60) {
      await page.getByRole('button', { name: 'Save the policy' }).click();
      await now(visitor).getByText('A token lives for at most 60 days.').waitFor();
    }
    expect(await policyOf(organization)).toMatchObject({
      maxLifetimeSeconds: days * DAY_SECONDS,
      requireCidrs,
    });
    await visitor.leave();
  });

  test('what is wrong is told at its rule, and not saved', async () => {
    const organization = await makeOrganization();
    const visitor = await visitorOf(organization);
    visitor.expects(400);
    const { page } = visitor;
    await limitLifetime(visitor, 0);
    const rule = (name: string) => page.getByRole('group', { name, exact: true });
    await rule('Longest lifetime').getByText('Enter a whole number').waitFor();
    const save = page.getByRole('button', { name: 'Save the policy' });
    expect(await save.isDisabled()).toBe(true);
    await limitLifetime(visitor, 7);
    await rule('Usual lifetime').getByRole('switch').click();
    await rule('Usual lifetime').getByText('must not be longer').waitFor();
    await rule('Usual lifetime').getByRole('textbox').fill('7');
    await page.getByRole('textbox', { name: 'CIDR blocks' }).fill('10.0.0.1/8');
    await rule('Allowed networks').getByRole('alert').getByText('10.0.0.0/8').waitFor();
    expect(await visitor.barriers()).toEqual([]);
    expect(await save.isDisabled()).toBe(true);
    await page.getByRole('textbox', { name: 'CIDR blocks' }).fill('10.0.0.0/8');
    await save.click();
    await now(visitor).getByText('Tokens work from 10.0.0.0/8 alone.').waitFor();
    await visitor.leave();
  });

  test('a save that fails keeps what was typed, and works when tried again', async () => {
    const organization = await makeOrganization();
    const visitor = await visitorOf(organization);
    visitor.expects(503);
    const { page } = visitor;
    await limitLifetime(visitor, 21);
    await page.route('**/policy?existing=keep', (route) => route.fulfill({ status: 503, body: '' }));
    await page.getByRole('button', { name: 'Save the policy' }).click();
    await page.getByRole('region', { name: 'Save' }).getByRole('alert').waitFor();
    await page.unroute('**/policy?existing=keep');
    await page.getByRole('button', { name: 'Save the policy' }).click();
    await now(visitor).getByText('at most 21 days').waitFor();
    expect(await policyOf(organization)).toMatchObject({ maxLifetimeSeconds: 21 * DAY_SECONDS });
    await visitor.leave();
  });

  test('who administers one organization has the policy of that alone', async () => {
    const [own, other] = [await makeOrganization(), await makeOrganization()];
    const head = await server.makeUser({ role: 'organizationAdministrator', organizationId: own.id });
    const { login } = head.user;
    const visitor = await visitorOf(own, { login, password: head.password, path: '/console/policy' });
    visitor.expects(404);
    const { page } = visitor;
    await page.getByRole('region', { name: `The policy of ${own.name} now` }).waitFor();
    expect(await page.getByRole('combobox', { name: 'Organization' }).count()).toBe(0);
    await page.goto(`/console/policy/${other.id}`);
    await page.getByRole('alert').getByText('It is not there, or it is not yours to see.').waitFor();
    await visitor.leave();
  });

  test.each(['light', 'dark'] as const)(
    'has no barriers in the %s theme, and fits 360 pixels',
    async (colorScheme) => {
      const organization = await makeOrganization();
      const viewport = { width: 360, height: 740 };
      const visitor = await visitorOf(organization, { colorScheme, viewport });
      await effects(visitor).getByText('Every live token').waitFor();
      await limitLifetime(visitor, 7);
      expect(await visitor.barriers()).toEqual([]);
      expect(await visitor.isTooWide()).toBe(false);
      await visitor.leave();
    },
  );

  test.each([
    ['zh-CN', '策略', '令牌的有效期最长为 90天。'],
    ['ko', '정책', '토큰의 수명은 최대 90일입니다.'],
  ])('speaks %s', async (locale, title, words) => {
    const organization = await makeOrganization();
    await putPolicy(organization, { maxLifetimeSeconds: 90 * DAY_SECONDS, maxTokensPerUser: 3 });
    const visitor = await visitorOf(organization, { locale });
    await visitor.page.getByRole('heading', { level: 1, name: title }).waitFor();
    await visitor.page.getByText(words).waitFor();
    expect(await visitor.missingMessages()).toEqual([]);
    expect(await visitor.cutTexts()).toEqual([]);
    await visitor.leave();
  });
});
