import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { bearer, type Received, send } from '../support/http.js';
import { asAdmin, eventually, Replicas } from '../support/replicas.js';
import { freshName, GROUP, PATCH, USER } from '../support/scim.js';

/** Seconds; what the replicas are started with. */
const BOUND = 2;

let replicas: Replicas;
let urls: [string, string];
let scim: Record<string, string>;

beforeAll(async () => {
  replicas = await Replicas.make({ VERIFICATION_MAX_STALENESS: String(BOUND) });
  urls = [(await replicas.start()).url, (await replicas.start()).url];
  const [url] = urls;
  const head = { login: 'head', password: 'correct horse battery', role: 'organizationAdministrator' };
  await send(url, 'POST', '/patois/v1/users', { headers: asAdmin, body: head });
  scim = bearer(await issue('head', 'patois', ['patois:scim']));
}, 120_000);
afterAll(() => replicas.close(), 60_000);

async function issue(owner: string, dialect: string, scopes: string[]): Promise<string> {
  const body = { dialect, owner, name: `t${randomBytes(4).toString('hex')}`, scopes };
  const { status, json } = await send(urls[0], 'POST', '/patois/v1/tokens', { headers: asAdmin, body });
  expect([status, json]).toEqual([201, expect.anything()]);
  return json.token as string;
}

function call(url: string, method: string, path: string, body?: unknown): Promise<Received> {
  return send(url, method, `/scim/v2${path}`, { headers: scim, ...(body === undefined ? {} : { body }) });
}

async function makeUser(userName = freshName()): Promise<{ id: string; userName: string }> {
  const { status, json } = await call(urls[0], 'POST', '/Users', { schemas: [USER], userName });
  expect([status, json]).toEqual([201, expect.anything()]);
  return json as { id: string; userName: string };
}

/** Tokens of every dialect. */
function tokensOf(login: string): Promise<string[]> {
  return Promise.all([
    issue(login, 'foreman', ['foreman:*']),
    issue(login, 'quay', ['user:admin']),
    issue(login, 'losant', ['all.User']),
    issue(login, 'yunxiao', ['base_user_read']),
    issue(login, 'panther', ['RuleRead']),
    issue(login, 'patois', ['patois:tokens.read']),
  ]);
}

async function accepted(values: readonly string[]): Promise<number> {
  const asked = urls.flatMap((url) =>
    values.map((value) => send(url, 'GET', '/verify', { headers: bearer(value) })),
  );
  return (await Promise.all(asked)).filter(({ status }) => status === 204).length;
}

describe('A person who is set inactive, or deleted', () => {
  test.each([
    [
      'inactive',
      (id: string) =>
        call(urls[0], 'PATCH', `/Users/${id}`, {
          schemas: [PATCH],
          Operations: [{ op: 'Replace', path: 'active', value: 'False' }],
        }),
    ],
    ['deleted', (id: string) => call(urls[0], 'DELETE', `/Users/${id}`)],
  ])('%s: no token of hers works on any replica within the bound', async (_what, end) => {
    const { id, userName } = await makeUser();
    const values = await tokensOf(userName);
    expect(await accepted(values)).toBe(2 * values.length);
    expect([200, 204]).toContain((await end(id)).status);
    const [at] = urls;
    const here = await Promise.all(
      values.map((value) => send(at, 'GET', '/verify', { headers: bearer(value) })),
    );
    expect(here.map(({ status }) => status)).toEqual(values.map(() => 401));
    await eventually(async () => (await accepted(values)) === 0, BOUND * 1_000);
  });
});

describe('Two provisioning runs at once', () => {
  const tally = (answers: Received[]): Record<number, number> => {
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };

  test('make each user and group once', async () => {
    const names = Array.from({ length: 20 }, () => freshName());
    const run = (url: string): Promise<Received>[] =>
      names.flatMap((name, index) => [
        call(url, 'POST', '/Users', { schemas: [USER], userName: name, externalId: `run-${name}` }),
        call(url, 'POST', '/Groups', { schemas: [GROUP], displayName: `Group ${index}` }),
      ]);
    const answers = await Promise.all(urls.flatMap(run));
    expect(tally(answers)).toEqual({ 201: 40, 409: 40 });
    const refused = answers.filter(({ status }) => status === 409);
    expect(new Set(refused.map(({ json }) => json.scimType))).toEqual(new Set(['uniqueness']));
    for (const name of names) {
      const filter = encodeURIComponent(`externalId eq "run-${name}"`);
      expect((await call(urls[1], 'GET', `/Users?filter=${filter}`)).json.totalResults).toBe(1);
    }
  });

  test('put each member into a group once, and take none in who is deleted meanwhile', async () => {
    const users = await Promise.all(Array.from({ length: 10 }, () => makeUser()));
    const { json: group } = await call(urls[0], 'POST', '/Groups', { displayName: freshName() });
    const add = (url: string, id: string): Promise<Received> =>
      call(url, 'PATCH', `/Groups/${group.id}`, {
        schemas: [PATCH],
        Operations: [{ op: 'add', path: 'members', value: [{ value: id }] }],
      });
    const gone = users.slice(0, 5);
    const answers = await Promise.all([
      ...users.flatMap(({ id }) => urls.map((url) => add(url, id))),
      ...gone.map(({ id }) => call(urls[1], 'DELETE', `/Users/${id}`)),
    ]);
    for (const { status } of answers) expect([204, 400]).toContain(status);
    const { json } = await call(urls[1], 'GET', `/Groups/${group.id}`);
    const members = (json.members as { value: string }[]).map(({ value }) => value).toSorted();
    expect(members).toEqual(
      users
        .slice(5)
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  test('change one user, one after the other, and lose no change', async () => {
    const { id } = await makeUser();
    const changes = Array.from({ length: 10 }, (_, index) =>
      call(urls[index % 2] ?? '', 'PATCH', `/Users/${id}`, {
        schemas: [PATCH],
        Operations: [{ op: 'add', path: 'roles', value: [{ value: `role ${index}` }] }],
      }),
    );
    expect(tally(await Promise.all(changes))).toEqual({ 200: 10 });
    expect((await call(urls[0], 'GET', `/Users/${id}`)).json.roles).toHaveLength(10);
  });
});
