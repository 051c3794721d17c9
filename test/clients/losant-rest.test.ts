import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRequire } from 'node:module';
import { TestServer, type TestUser } from '../support/server.js';
import { setPolicy } from '../support/policy.js';

/** As much of the vendor's client as is used here; it brings no types. */
interface LosantClient {
  userApiTokens: {
    get(params?: object): Promise<Page>;
    post(params: { apiToken: object }): Promise<ApiToken & { token: string }>;
  };
  userApiToken: {
    get(params: { apiTokenId?: string }): Promise<ApiToken>;
    patch(params: { apiTokenId: string; apiToken: object }): Promise<ApiToken>;
    delete(params: { apiTokenId: string }): Promise<{ success: boolean }>;
  };
}

interface ApiToken {
  id: string;
  name: string;
  status: string;
  scope: string[];
}

interface Page {
  items: ApiToken[];
  count: number;
  totalCount: number;
  _links?: { self: { href: string } };
}

const losant = createRequire(import.meta.url)('losant-rest') as {
  createClient(options: { url: string; accessToken: string }): LosantClient;
};

let server: TestServer;
let user: TestUser;
let client: LosantClient;

function clientFor(accessToken: string, url = server.url): LosantClient {
  return losant.createClient({ url, accessToken });
}

/** What the client throws: a copy of every key of the error's body. */
async function failureOf(call: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return call.then(
    () => {
      throw new Error('The call succeeded');
    },
    (error: Error & Record<string, unknown>) => error,
  );
}

beforeAll(async () => {
  server = await TestServer.start();
  user = await server.makeUser();
  const body = { name: 'first' };
  const { json } = await server.send('POST', '/me/tokens', { headers: user.byPassword, body });
  client = clientFor(json.token);
});
afterAll(() => server.close());

describe("the vendor's losant-rest 2.8.1", () => {
  test('lives the whole life of a token', async () => {
    const apiToken = { name: 'made by the client', scope: ['all.User.read'], description: 'd' };
    const made = await client.userApiTokens.post({ apiToken });
    server.secrets.add(made.token);
    expect(made).toMatchObject({ ...apiToken, status: 'active', _type: 'apiToken' });
    const params = { apiTokenId: made.id };
    const reader = clientFor(made.token);

    const page = await reader.userApiTokens.get({ filterField: 'name', filter: 'MADE*' });
    expect(page).toMatchObject({ count: 1, totalCount: 1, page: 0, perPage: 100, filter: 'MADE*' });
    expect(page.items[0]?.id).toBe(made.id);
    expect(page._links?.self.href).toContain('/me/tokens');
    expect(await reader.userApiToken.get(params)).toMatchObject(apiToken);

    const patched = await client.userApiToken.patch({ ...params, apiToken: { status: 'inactive' } });
    expect(patched).toMatchObject({ ...apiToken, status: 'inactive' });
    expect(await failureOf(reader.userApiTokens.get())).toMatchObject({ statusCode: 401 });
    await client.userApiToken.patch({ ...params, apiToken: { status: 'active' } });
    expect((await reader.userApiTokens.get()).totalCount).toBe(2);

    expect(await client.userApiToken.delete(params)).toEqual({ success: true });
    expect(await failureOf(reader.userApiTokens.get())).toMatchObject({
      type: 'Unauthorized',
      statusCode: 401,
    });
    expect(await failureOf(client.userApiToken.get(params))).toMatchObject({ statusCode: 404 });
  });

  test('finds every key of an error on the error it throws', async () => {
    const failure = await failureOf(client.userApiTokens.post({ apiToken: { name: '' } }));
    expect(failure).toBeInstanceOf(Error);
    expect(failure).toMatchObject({ type: 'Validation', statusCode: 400 });
    expect(failure.message).toContain('name');
    const unknown = await failureOf(client.userApiToken.get({ apiTokenId: 'x' }));
    expect(unknown).toMatchObject({ type: 'NotFound', statusCode: 404 });
    const reader = await client.userApiTokens.post({
      apiToken: { name: 'reader', scope: ['all.User.read'] },
    });
    server.secrets.add(reader.token);
    const forbidden = await failureOf(
      clientFor(reader.token).userApiTokens.post({ apiToken: { name: 'x' } }),
    );
    expect(forbidden).toMatchObject({ type: 'Forbidden', statusCode: 403 });
  });

  test('shows a person what the policy of the organization does not allow', async () => {
    await setPolicy(server, { maxLifetimeSeconds: 86_400 });
    const apiToken = { name: 'too long', expirationDate: '2099-01-01T00:00:00Z' };
    const failure = await failureOf(client.userApiTokens.post({ apiToken }));
    await setPolicy(server, {});
    expect(failure).toMatchObject({ type: 'Validation', statusCode: 400 });
    expect(failure.message).toBe(
      "The organization's policy allows a token to live for at most 1 day (maxLifetimeSeconds)",
    );
  });

  test('without an id asks for /me/tokens/ and gets the list', async () => {
    expect(await client.userApiToken.get({})).toMatchObject({ _type: 'apiTokens' });
  });

  test('with a slash at the end of its url asks for //me/tokens and gets the list', async () => {
    const made = await client.userApiTokens.post({ apiToken: { name: 'slash' } });
    server.secrets.add(made.token);
    const doubled = clientFor(made.token, `${server.url}/`);
    expect(await doubled.userApiTokens.get()).toMatchObject({ _type: 'apiTokens' });
    expect(await doubled.userApiToken.delete({ apiTokenId: made.id })).toEqual({ success: true });
  });

  test('a page past the end with perPage=1000 is empty', async () => {
    const page = await client.userApiTokens.get({ page: '1', perPage: '1000' });
    expect(page).toMatchObject({ items: [], count: 0, page: 1, perPage: 1000 });
  });
});
