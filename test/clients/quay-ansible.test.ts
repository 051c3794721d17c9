import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Received } from '../support/http.js';
import { bearer } from '../support/http.js';
import { setPolicy } from '../support/policy.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let owner: TestUser;
let accessToken: string;

beforeAll(async () => {
  server = await TestServer.start();
  owner = await server.makeUser();
  const { user } = owner;
  accessToken = (await server.issue({ dialect: 'quay', ownerId: user.id, scopes: ['user:admin'] })).value;
});
afterAll(() => server.close());

const TYPED = { 'content-type': 'application/json', accept: 'application/json' };

interface AppToken {
  uuid: string;
  title: string;
  token_code?: string;
}

/** What a run of the module reports. */
interface Outcome {
  changed: boolean;
  token?: AppToken;
}

/**
 * Asks as the Ansible module `herve4m.quay.quay_docker_token` does: every request, GET and DELETE too, has a JSON content
 * type and a body, `{}` where there is nothing to say. Statuses it does not expect end the play.
 */
async function ask(
  method: string,
  endpoint: string,
  expected: number[],
  body: object = {},
  credentials = bearer(accessToken),
): Promise<Received> {
  const headers = { ...TYPED, ...credentials };
  const answer = await server.send(method, `/api/v1/${endpoint}`, { headers, body: JSON.stringify(body) });
  if (expected.includes(answer.status)) return answer;
  const { detail, error_message: message, error_type: type, title } = answer.json;
  const fragments = [title, type === title ? '' : type, message, detail === message ? '' : detail];
  throw new Error(`${answer.status}: ${fragments.filter(Boolean).join(': ')}`);
}

/** One run of the module: list, match the title, then create or get one, or delete each match. */
async function run(
  name: string,
  state: 'present' | 'absent' = 'present',
  credentials = bearer(accessToken),
): Promise<Outcome> {
  const { json } = await ask('GET', 'user/apptoken', [200], {}, credentials);
  const matches = (json.tokens as AppToken[]).filter(({ title }) => title === name);
  if (state === 'absent') {
    for (const { uuid } of matches) await ask('DELETE', `user/apptoken/${uuid}`, [202, 204], {}, credentials);
    return { changed: matches.length > 0 };
  }
  const [first] = matches;
  if (first) {
    const got = await ask('GET', `user/apptoken/${first.uuid}`, [200], {}, credentials);
    return { changed: false, token: got.json.token };
  }
  const created = await ask('POST', 'user/apptoken', [200, 201, 204], { title: name }, credentials);
  return { changed: true, token: created.json.token };
}

describe('the module quay_docker_token', () => {
  test('makes a token once, finds it again, and ends it', async () => {
    const made = await run('pull');
    expect(made).toMatchObject({ changed: true, token: { title: 'pull' } });
    expect(
      (await server.send('GET', '/api/v1/user/apptoken', { headers: bearer(made.token?.token_code ?? '') }))
        .status,
    ).toBe(200);
    const found = await run('pull');
    expect(found).toMatchObject({ changed: false, token: { uuid: made.token?.uuid } });
    expect(await run('pull', 'absent')).toEqual({ changed: true });
    expect(await run('pull', 'absent')).toEqual({ changed: false });
    expect((await run('pull')).changed).toBe(true);
  });

  test('ends every token of the title, and no other', async () => {
    for (let count = 0; count < 3; count += 1) await ask('POST', 'user/apptoken', [201], { title: 'twin' });
    await ask('POST', 'user/apptoken', [201], { title: 'twins' });
    expect(await run('twin', 'absent')).toEqual({ changed: true });
    const { json } = await ask('GET', 'user/apptoken', [200]);
    const titles = (json.tokens as AppToken[]).map(({ title }) => title);
    expect(titles).not.toContain('twin');
    expect(titles).toContain('twins');
  });

  test('reports an error in one readable line', async () => {
    await expect(run('x'.repeat(256))).rejects.toThrow(
      "400: invalid_request: 'title' is longer than 255 characters",
    );
  });

  test('reports what the policy of the organization does not allow', async () => {
    await setPolicy(server, { allowNonExpiring: false });
    await expect(run('without an expiry')).rejects.toThrow(
      "400: invalid_request: The organization's policy allows no token without an expiry (allowNonExpiring)",
    );
    await setPolicy(server, {});
  });
});

/** What the collection keeps of cookies: name and value, for all that it calls next. */
function cookieOf({ headers }: Received): string {
  return (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';', 1)[0]).join('; ');
}

/**
 * Logs in as the collection does where it is given `quay_username` and `quay_password`, from its release 2.7 on
 * (`infra.quay_configuration`, plugins/module_utils/api_module.py): the CSRF token, the login with it, and then the cookie
 * and the `X-Next-CSRF-Token` of the answer with every call.
 */
async function logIn(username: string, password: string): Promise<Record<string, string>> {
  const begun = await server.send('GET', '/csrf_token', { headers: { ...TYPED, accept: '*/*' } });
  const csrfToken: string = begun.json.csrf_token;
  const headers = { ...TYPED, cookie: cookieOf(begun), 'x-csrf-token': csrfToken };
  const answer = await server.send('POST', '/api/v1/signin', { headers, body: { username, password } });
  if (answer.status !== 200) throw new Error(`${answer.status} for /api/v1/signin`);
  return { cookie: cookieOf(answer), 'x-csrf-token': answer.headers['x-next-csrf-token'] as string };
}

describe('the module quay_docker_token with username and password', () => {
  test('makes a token once, finds it again, and ends it', async () => {
    const session = await logIn(owner.user.login, owner.password);
    const made = await run('by password', 'present', session);
    expect(made).toMatchObject({ changed: true, token: { title: 'by password' } });
    expect(await run('by password', 'present', await logIn(owner.user.login, owner.password))).toMatchObject({
      changed: false,
      token: { uuid: made.token?.uuid },
    });
    expect(await run('by password', 'absent', session)).toEqual({ changed: true });
    expect((await server.send('POST', '/api/v1/signout', { headers: { ...TYPED, ...session } })).status).toBe(
      200,
    );
  });

  test('fails at the login with a wrong password', async () => {
    await expect(logIn(owner.user.login, 'wrong')).rejects.toThrow('401 for /api/v1/signin');
  });
});
