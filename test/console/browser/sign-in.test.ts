import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser, CHROMIUM, type Visitor } from '../../support/browser.js';
import { freePort } from '../../support/free-port.js';
import { IdentityProvider } from '../../support/identity-provider.js';
import { describeWith } from '../../support/programs.js';
import { TestServer } from '../../support/server.js';

describeWith([CHROMIUM], 'signing in by OpenID Connect', () => {
  let folder: string;
  let browser: Browser;
  let provider: IdentityProvider;
  let server: TestServer;

  beforeAll(async () => {
    // Where it is run is none of what oidc-provider recommends.
    for (const method of ['info', 'warn'] as const) jest.spyOn(console, method).mockImplementation(() => {});
    folder = mkdtempSync(join(tmpdir(), 'patois-console-'));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    provider = await IdentityProvider.start({ redirectUris: [`${url}/console/sign-in/corp/callback`] });
    provider.accounts['ada'] = { preferred_username: 'ada', name: 'Ada Lovelace', groups: ['staff'] };
    const oidcProviders = join(folder, 'providers.json');
    writeFileSync(
      oidcProviders,
      JSON.stringify([
        {
          name: 'corp',
          title: 'Example Corp',
          issuer: provider.issuer,
          clientId: 'patois',
          createsUsers: true,
          roleClaim: 'groups',
          roles: { staff: 'member', chiefs: 'administrator' },
        },
      ]),
    );
    browser = await Browser.start();
    server = await TestServer.start({ port, publicUrl: url, oidcProviders });
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
    await provider.close();
    rmSync(folder, { recursive: true });
  });

  /** Somebody whom the provider knows by this name; undefined: who says no there. */
  async function visitorAs(account: string | undefined): Promise<Visitor> {
    const visitor = await browser.visitor(server.url);
    visitor.alsoAsks(provider.issuer);
    provider.present = account;
    return visitor;
  }

  test('brings a person who is new here back to the page that they asked for, by a link', async () => {
    const visitor = await visitorAs('ada');
    const { page } = visitor;
    await page.goto('/console/tokens?status=active');
    await page.getByRole('link', { name: 'Sign in with Example Corp' }).click();
    await page.getByRole('heading', { level: 1, name: 'My tokens' }).waitFor();
    expect(page.url()).toBe(`${server.url}/console/tokens?status=active`);
    await page.getByRole('button', { name: 'Account ada' }).waitFor();
    const { json } = await server.send('GET', '/patois/v1/users/ada', { headers: server.asAdmin });
    expect(json).toMatchObject({ login: 'ada', name: 'Ada Lovelace', role: 'member' });
    // The provider is on the same host, and has cookies of its own.
    const cookies = (await visitor.context.cookies()).map(({ name }) => name);
    expect(cookies.filter((name) => name.startsWith('patois'))).toEqual(['patois_session']);
    await visitor.leave();
  });

  test('says who was not let in, where they can try again', async () => {
    const visitor = await visitorAs(undefined);
    const { page } = visitor;
    await page.goto('/console');
    await page.getByRole('link', { name: 'Sign in with Example Corp' }).click();
    await page.getByRole('alert').getByText('The provider did not let you in.').waitFor();
    await page.getByRole('link', { name: 'Sign in with Example Corp' }).waitFor();
    expect(await visitor.barriers()).toEqual([]);
    await visitor.leave();
  });

  test('is refused to who is disabled here, whatever the provider says', async () => {
    const first = await visitorAs('ada');
    await first.page.goto('/console');
    await first.page.getByRole('link', { name: 'Sign in with Example Corp' }).click();
    await first.page.getByRole('button', { name: 'Account ada' }).waitFor();
    const body = { disabled: true };
    await server.send('PATCH', '/patois/v1/users/ada', { headers: server.asAdmin, body });
    first.expects(401);
    await first.page.reload();
    await first.page.getByRole('heading', { name: 'Sign in to Patois' }).waitFor();
    await first.page.getByRole('link', { name: 'Sign in with Example Corp' }).click();
    await first.page
      .getByRole('alert')
      .getByText('Your account is disabled. Ask an administrator.')
      .waitFor();
    await first.leave();
  });
});
