import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { encodeObjectId } from '../../src/accounts/object-id.js';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { AuditWriter } from '../../src/audit/audit.writer.js';
import { encodeId } from '../../src/dialects/panther/panther.dialect.js';
import type { PolicySettings } from '../../src/tokens/policy/policy.entity.js';
import { PolicyEnforcement } from '../../src/tokens/policy/policy-enforcement.js';
import { Token } from '../../src/tokens/token.entity.js';
import type { Received } from '../support/http.js';
import { setPolicy as givePolicy } from '../support/policy.js';
import { TestServer, type TestUser } from '../support/server.js';
import { openTestStore } from '../support/store.js';

const DAY = 86_400;
const YUNXIAO = '/oapi/v1/platform/users/admin/personalAccessTokens';

let server: TestServer;
let owner: TestUser;
beforeAll(async () => {
  server = await TestServer.start();
});
beforeEach(async () => {
  owner = await server.makeUser({ role: 'organizationAdministrator' });
});
afterAll(() => server.close());

/** Whole seconds, as every API writes them. */
function inDays(days: number): Date {
  return new Date(Math.floor(Date.now() / 1000 + days * DAY) * 1000);
}

function setPolicy(settings: Partial<PolicySettings>): Promise<void> {
  return givePolicy(server, settings);
}

/** What a caller asks of a new token; what an API cannot name is left out. */
interface Asked {
  expiresAt?: Date | null;
  allowedCidrs?: string[];
}

/** How a token is made through each API, and when its answer says that it expires. */
interface Api {
  name: string;
  /** Whether a caller of it names an expiry, and CIDR blocks. */
  names: { expiry: 'must' | 'may' | 'never'; cidrs: boolean };
  create: (asked: Asked) => Promise<Received>;
  /** The expiry of the answer; undefined where it shows none. */
  expiryOf?: (json: any) => Date | null; // oxlint-disable-line no-explicit-any -- answers of every shape
}

function post(path: string, body: object): Promise<Received> {
  return server.send('POST', path, { headers: owner.byPassword, body });
}

function dateOf(text: string | null | undefined): Date | null {
  return text ? new Date(text) : null;
}

let count = 0;

const APIS: Api[] = [
  {
    name: 'Patois',
    names: { expiry: 'may', cidrs: true },
    create: (asked) =>
      post('/patois/v1/tokens', {
        dialect: 'patois',
        owner: owner.user.login,
        name: 'x',
        scopes: ['patois:tokens.read'],
        ...asked,
      }),
    expiryOf: ({ expiresAt }) => dateOf(expiresAt),
  },
  {
    name: 'Foreman',
    names: { expiry: 'may', cidrs: false },
    create: ({ expiresAt }) =>
      post(`/api/users/${owner.user.login}/personal_access_tokens`, {
        personal_access_token: {
          name: `x${(count += 1)}`,
          ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
        },
      }),
    expiryOf: ({ expires_at }) => dateOf(expires_at),
  },
  {
    name: 'Yunxiao',
    names: { expiry: 'must', cidrs: false },
    create: ({ expiresAt }) =>
      post(YUNXIAO, {
        userId: owner.user.id,
        name: 'x',
        permissions: ['base_user_read'],
        expiredAt: expiresAt ?? inDays(1),
      }),
    expiryOf: ({ expiredAt }) => dateOf(expiredAt),
  },
  {
    name: 'Panther',
    names: { expiry: 'never', cidrs: true },
    create: ({ allowedCidrs }) =>
      post('/api-tokens', {
        name: 'x',
        permissions: ['BulkUpload'],
        ...(allowedCidrs && { allowedCIDRBlocks: allowedCidrs }),
      }),
  },
  {
    name: 'Quay',
    names: { expiry: 'may', cidrs: false },
    create: ({ expiresAt }) =>
      post('/api/v1/user/apptoken', { title: 'x', ...(expiresAt && { expiration: expiresAt }) }),
    expiryOf: ({ token }) => dateOf(token.expiration),
  },
  {
    name: 'Losant',
    names: { expiry: 'may', cidrs: false },
    create: ({ expiresAt }) =>
      post('/me/tokens', { name: 'x', ...(expiresAt && { expirationDate: expiresAt }) }),
    expiryOf: ({ expirationDate }) => dateOf(expirationDate),
  },
];

async function newest(): Promise<Token> {
  return server.app.dataSource.manager.findOneOrFail(Token, {
    where: { ownerId: owner.user.id },
    order: { numericId: 'DESC' },
  });
}

/** The token that an API makes, as it is stored; the answer shows its expiry, where it shows one. */
async function made({ create, expiryOf }: Api, asked: Asked = {}): Promise<Token> {
  const { status, json, text } = await create(asked);
  expect([status < 300, text]).toEqual([true, text]);
  const token = await newest();
  const seconds = (moment: Date | null): number | null => moment && Math.floor(moment.getTime() / 1000);
  const shown = expiryOf ? expiryOf(json) : token.expiresAt;
  expect(seconds(shown)).toEqual(seconds(token.expiresAt));
  return token;
}

function lifetimeOf({ createdAt, expiresAt }: Token): number | null {
  return expiresAt && (expiresAt.getTime() - createdAt.getTime()) / 1000;
}

describe.each(APIS)('through $name', (api) => {
  test('a policy that says nothing changes nothing', async () => {
    await setPolicy({});
    const token = await made(api);
    expect(token.expiresAt !== null).toBe(api.names.expiry === 'must');
    expect(token.allowedCidrs).toEqual([]);
  });

  test("a token without blocks gets the policy's", async () => {
    await setPolicy({ allowedCidrs: ['10.0.0.0/8', '127.0.0.0/8'], requireCidrs: true });
    expect((await made(api)).allowedCidrs).toEqual(['10.0.0.0/8', '127.0.0.0/8']);
  });
});

test.each(APIS.filter(({ names }) => names.expiry !== 'must'))(
  'through $name an expiry that nobody names is the default, else the maximum',
  async (api) => {
    await setPolicy({ maxLifetimeSeconds: 90 * DAY, defaultLifetimeSeconds: 30 * DAY });
    expect(lifetimeOf(await made(api))).toBe(30 * DAY);
    await setPolicy({ maxLifetimeSeconds: 90 * DAY, allowNonExpiring: false });
    expect(lifetimeOf(await made(api))).toBe(90 * DAY);
    await setPolicy({ defaultLifetimeSeconds: DAY });
    expect(lifetimeOf(await made(api))).toBe(DAY);
  },
);

test.each(APIS.filter(({ names }) => names.expiry !== 'never'))(
  'through $name an expiry that is named stays, within the maximum',
  async (api) => {
    await setPolicy({ maxLifetimeSeconds: 90 * DAY, defaultLifetimeSeconds: DAY });
    const expiresAt = inDays(89);
    expect((await made(api, { expiresAt })).expiresAt).toEqual(expiresAt);
  },
);

test.each(APIS.filter(({ names }) => names.cidrs))(
  'through $name blocks that lie within stay as they are',
  async (api) => {
    await setPolicy({ allowedCidrs: ['10.0.0.0/8'] });
    const allowedCidrs = ['10.1.0.0/16', '10.2.3.4/32'];
    expect((await made(api, { allowedCidrs })).allowedCidrs).toEqual(allowedCidrs);
  },
);

/** Each rule, set so that a call breaks it; undefined where a caller of the API cannot break it. */
const RULES: [rule: string, settings: Partial<PolicySettings>, asked: (api: Api) => Asked | undefined][] = [
  [
    'allowNonExpiring',
    { allowNonExpiring: false },
    ({ name, names }) => (names.expiry === 'must' ? undefined : name === 'Patois' ? { expiresAt: null } : {}),
  ],
  [
    'maxLifetimeSeconds',
    { maxLifetimeSeconds: 90 * DAY },
    ({ names }) => (names.expiry === 'never' ? undefined : { expiresAt: inDays(91) }),
  ],
  ['requireCidrs', { requireCidrs: true }, () => ({})],
  [
    'allowedCidrs',
    { allowedCidrs: ['203.0.113.0/24'] },
    ({ names }) => (names.cidrs ? { allowedCidrs: ['198.51.100.0/24'] } : undefined),
  ],
  ['maxTokensPerUser', { maxTokensPerUser: 10 }, () => ({})],
];

/** The rows of the table in docs/policy.md: rule, API, status and body. */
function documentedRefusals(): string[][] {
  const text = readFileSync('docs/policy.md', 'utf8');
  const [, table = ''] = text.split('<!-- refusals -->');
  const lines = table
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('what a refusal says', () => {
  test('is what docs/policy.md says, in every line of its table', async () => {
    const rows: string[][] = [];
    for (const [rule, settings, askedOf] of RULES) {
      for (const api of APIS) {
        const asked = askedOf(api);
        if (!asked) continue;
        owner = await server.makeUser({ role: 'organizationAdministrator' });
        for (let made = 0; made < (settings.maxTokensPerUser ?? 0); made += 1)
          await server.issue({ dialect: 'patois', ownerId: owner.user.id });
        await setPolicy(settings);
        const { status, text, json } = await api.create(asked);
        await setPolicy({});
        const shown = text.replace(server.url, 'https://patois.example').replace(json.requestId, '…');
        rows.push([`\`${rule}\``, api.name, String(status), `\`${shown}\``]);
      }
    }
    expect(documentedRefusals()).toEqual(rows);
  });
});

describe('a refused change', () => {
  test('makes no token, and is an event of the caller and a number', async () => {
    await setPolicy({ maxTokensPerUser: 1, maxLifetimeSeconds: DAY });
    const enforcement = server.app.nest.get(PolicyEnforcement, { strict: false });
    const number = async (rule: string, dialect: string): Promise<number> => {
      const { text } = await server.send('GET', '/metrics');
      const line = `patois_policy_refusals_total{rule="${rule}",dialect="${dialect}"} `;
      return Number(
        text
          .split('\n')
          .find((one) => one.startsWith(line))
          ?.slice(line.length) ?? 0,
      );
    };
    const before = [await number('maxTokensPerUser', 'losant'), await number('maxLifetimeSeconds', 'losant')];
    const losant = APIS.find(({ name }) => name === 'Losant') as Api;
    const token = await made(losant);
    const statuses: number[] = [];
    for (let times = 0; times < 3; times += 1) statuses.push((await losant.create({})).status);
    statuses.push((await losant.create({ expiresAt: inDays(2) })).status);
    expect(statuses).toEqual([400, 400, 400, 400]);
    expect((await newest()).id).toBe(token.id);
    await enforcement.flush();
    const events = await server.app.dataSource.manager.find(AuditEvent, {
      where: { action: 'policy.refuse', actorId: owner.user.id },
      order: { time: 'ASC' },
    });
    const object = { actorType: 'user', objectType: 'user', objectId: owner.user.id, before: null };
    // Of those that are alike one a minute.
    expect(events).toMatchObject([
      { ...object, after: { rule: 'maxTokensPerUser', dialect: 'losant' }, address: '127.0.0.1' },
      { ...object, after: { rule: 'maxLifetimeSeconds', dialect: 'losant' } },
    ]);
    expect(events[0]?.requestId).toMatch(/./);
    const after = [await number('maxTokensPerUser', 'losant'), await number('maxLifetimeSeconds', 'losant')];
    expect(after).toEqual([(before[0] ?? 0) + 3, (before[1] ?? 0) + 1]);
  });

  test('is written to the trail at the end of the process', async () => {
    const store = await openTestStore();
    const own = await TestServer.start({}, () => Promise.resolve({ ...store, close: async () => {} }));
    const user = await own.makeUser();
    await givePolicy(own, { requireCidrs: true });
    const write = jest.spyOn(own.app.nest.get(AuditWriter, { strict: false }), 'write');
    await own.send('POST', '/me/tokens', { headers: user.byPassword, body: { name: 'x' } });
    expect(write).not.toHaveBeenCalled();
    await own.close();
    await store.close();
    const written = write.mock.calls.flatMap(([, entries]) => entries);
    expect(written.filter(({ action }) => action === 'policy.refuse')).toMatchObject([
      { object: { id: user.user.id } },
    ]);
    for (const { value } of write.mock.results) await expect(value).resolves.toBeUndefined();
    write.mockRestore();
  });

  test('of a token that is there names the token', async () => {
    const { token } = await server.issue({ dialect: 'panther', ownerId: owner.user.id });
    await setPolicy({ requireCidrs: true });
    const path = `/patois/v1/tokens/${token.tokenId}/rotate`;
    expect((await post(path, {})).status).toBe(422);
    await server.app.nest.get(PolicyEnforcement, { strict: false }).flush();
    const [event] = await server.app.dataSource.manager.findBy(AuditEvent, {
      action: 'policy.refuse',
      objectId: token.tokenId,
    });
    expect(event).toMatchObject({ objectType: 'token', after: { rule: 'requireCidrs', dialect: 'panther' } });
  });
});

describe('an update', () => {
  const patch = (token: Token, body: object): Promise<Received> =>
    server.send('PATCH', `/patois/v1/tokens/${token.tokenId}`, { headers: owner.byPassword, body });

  async function kept(spec: object = {}): Promise<Token> {
    await setPolicy({});
    return (await server.issue({ dialect: 'patois', ownerId: owner.user.id, ...spec })).token;
  }

  test('of a token from before the policy is refused only what it changes', async () => {
    const token = await kept({ allowedCidrs: ['198.51.100.0/24'] });
    await setPolicy({
      maxLifetimeSeconds: DAY,
      allowedCidrs: ['203.0.113.0/24'],
      maxTokensPerUser: 1,
      requireCidrs: true,
    });
    for (const body of [
      { name: 'renamed', description: 'x' },
      { status: 'inactive' },
      { status: 'active', expiresAt: null, allowedCidrs: ['198.51.100.0/24'] },
    ]) {
      const { status, text } = await patch(token, body);
      expect([status, text]).toEqual([200, text]);
    }
    expect((await patch(token, { expiresAt: inDays(2) })).json.errors).toMatchObject([
      { pointer: '/maxLifetimeSeconds' },
    ]);
    expect((await patch(token, { allowedCidrs: ['192.0.2.0/24'] })).json.errors).toMatchObject([
      { pointer: '/allowedCidrs' },
    ]);
    const confined = await patch(token, { allowedCidrs: [] });
    expect([confined.status, confined.json.allowedCidrs]).toEqual([200, ['203.0.113.0/24']]);
  });

  test('to no expiry is refused where there must be one', async () => {
    const token = await kept({ expiresAt: inDays(1) });
    await setPolicy({ allowNonExpiring: false });
    expect((await patch(token, { expiresAt: null })).json.errors).toMatchObject([
      { pointer: '/allowNonExpiring' },
    ]);
    expect((await patch(token, { expiresAt: inDays(900) })).status).toBe(200);
  });

  test('counts the life from the last rotation', async () => {
    const token = await kept({ expiresAt: inDays(1) });
    const { manager } = server.app.dataSource;
    await manager.update(Token, { id: token.id }, { createdAt: inDays(-20), rotatedAt: inDays(-5) });
    await setPolicy({ maxLifetimeSeconds: 10 * DAY });
    expect((await patch(token, { expiresAt: inDays(4) })).status).toBe(200);
    expect((await patch(token, { expiresAt: inDays(6) })).status).toBe(422);
  });

  test('that revives a token needs room for it', async () => {
    const token = await kept({ expiresAt: new Date(Date.now() - 1_000) });
    await kept();
    await setPolicy({ maxTokensPerUser: 1 });
    const refused = await patch(token, { expiresAt: inDays(1) });
    expect([refused.status, refused.json.errors]).toMatchObject([422, [{ pointer: '/maxTokensPerUser' }]]);
    expect((await patch(token, { name: 'still dead' })).status).toBe(200);
    await setPolicy({ maxTokensPerUser: 2 });
    expect((await patch(token, { expiresAt: inDays(1) })).status).toBe(200);
    // It is one of them now.
    expect((await patch(token, { expiresAt: inDays(2) })).status).toBe(200);
  });

  test('in the words of Panther and Losant: a rename is done, wider blocks are refused', async () => {
    const panther = await kept({ dialect: 'panther', scopes: ['BulkUpload'] });
    const losant = await kept({ dialect: 'losant', scopes: ['all.User'] });
    await setPolicy({ allowedCidrs: ['203.0.113.0/24'], maxLifetimeSeconds: DAY });
    const path = `/api-tokens/${encodeId(panther.id)}`;
    const body = { name: 'y', permissions: ['BulkUpload'] };
    expect((await post(path, body)).status).toBe(200);
    const refused = await post(path, { ...body, allowedCIDRBlocks: ['198.51.100.0/24'] });
    expect([refused.status, refused.json]).toEqual([
      400,
      {
        message: "The organization's policy allows tokens within 203.0.113.0/24 alone (allowedCidrs)",
        error: 'bad_request',
      },
    ]);
    const id = encodeObjectId(losant.createdAt, losant.id);
    const sent = { headers: owner.byPassword, body: { name: 'y' } };
    expect((await server.send('PATCH', `/me/tokens/${id}`, sent)).status).toBe(200);
  });
});

describe('a rotation', () => {
  async function rotated(spec: object, settings: Partial<PolicySettings>): Promise<Received> {
    await setPolicy({});
    const { token } = await server.issue({ dialect: 'panther', ownerId: owner.user.id, ...spec });
    await setPolicy(settings);
    return post(`/patois/v1/tokens/${token.tokenId}/rotate`, {});
  }

  const lifeOf = ({ json }: Received): number =>
    (new Date(json.expiresAt).getTime() - new Date(json.rotatedAt).getTime()) / 1000;

  test('shortens a life that is too long, and never lengthens one', async () => {
    const limit = { maxLifetimeSeconds: 90 * DAY, defaultLifetimeSeconds: 30 * DAY };
    expect(lifeOf(await rotated({}, limit))).toBe(30 * DAY);
    expect(lifeOf(await rotated({ expiresAt: inDays(91) }, limit))).toBe(30 * DAY);
    expect(lifeOf(await rotated({}, { maxLifetimeSeconds: 90 * DAY }))).toBe(90 * DAY);
    for (const expiresAt of [inDays(89), inDays(2)]) {
      expect((await rotated({ expiresAt }, limit)).json.expiresAt).toBe(expiresAt.toISOString());
    }
    expect((await rotated({}, { defaultLifetimeSeconds: DAY })).json.expiresAt).toBeNull();
  });

  test('confines a token without blocks, and is refused for one that reaches beyond', async () => {
    const allowedCidrs = ['203.0.113.0/24'];
    expect((await rotated({}, { allowedCidrs })).json.allowedCidrs).toEqual(allowedCidrs);
    const wide = { allowedCidrs: ['198.51.100.0/24'] };
    expect((await rotated(wide, { allowedCidrs })).json.errors).toMatchObject([{ pointer: '/allowedCidrs' }]);
    expect((await rotated({}, { requireCidrs: true })).json.errors).toMatchObject([
      { pointer: '/requireCidrs' },
    ]);
    expect((await rotated({}, { allowNonExpiring: false })).json.errors).toMatchObject([
      { pointer: '/allowNonExpiring' },
    ]);
  });

  test('needs no room: the token is one already', async () => {
    expect((await rotated({}, { maxTokensPerUser: 1 })).status).toBe(200);
  });

  test('that is refused leaves the old value as it was', async () => {
    await setPolicy({});
    const { value } = await server.issue({ dialect: 'panther', ownerId: owner.user.id });
    await setPolicy({ requireCidrs: true });
    const headers = { 'x-api-key': value };
    const refused = await server.send('POST', '/api-tokens/self/rotate', { headers });
    expect([refused.status, refused.json.message]).toEqual([
      400,
      "The organization's policy allows no token without CIDR blocks (requireCidrs)",
    ]);
    expect((await server.send('GET', '/api-tokens/self', { headers })).status).toBe(200);
  });
});

describe('the expiry of who issues', () => {
  test('comes before the default, which never outlives it', async () => {
    await setPolicy({});
    const expiresAt = inDays(2);
    const spec = { dialect: 'patois', ownerId: owner.user.id, scopes: ['*'], expiresAt };
    const { value } = await server.issue(spec);
    await setPolicy({ defaultLifetimeSeconds: 30 * DAY });
    const sent = { headers: { 'x-api-key': value }, body: { name: 'x', permissions: ['BulkUpload'] } };
    expect((await server.send('POST', '/api-tokens', sent)).status).toBe(200);
    expect((await newest()).expiresAt).toEqual(expiresAt);
    await setPolicy({ defaultLifetimeSeconds: DAY });
    expect((await server.send('POST', '/api-tokens', sent)).status).toBe(200);
    expect(lifetimeOf(await newest())).toBe(DAY);
  });

  test('must itself keep the policy', async () => {
    await setPolicy({});
    const spec = { dialect: 'patois', ownerId: owner.user.id, scopes: ['*'], expiresAt: inDays(20) };
    const { value } = await server.issue(spec);
    await setPolicy({ allowNonExpiring: false, maxLifetimeSeconds: 30 * DAY });
    const sent = { headers: { 'x-api-key': value }, body: { name: 'x', permissions: ['BulkUpload'] } };
    expect((await server.send('POST', '/api-tokens', sent)).status).toBe(200);
    expect((await newest()).expiresAt).toEqual(spec.expiresAt);
  });
});

describe('a batch', () => {
  const batch = (count: number, spec: object = {}): Promise<Received> =>
    post('/patois/v1/tokens:batch', {
      tokens: Array.from({ length: count }, () => ({
        dialect: 'quay',
        owner: owner.user.login,
        name: 'x',
        ...spec,
      })),
    });

  test('is counted as a whole, and names the first that there is no room for', async () => {
    await setPolicy({ maxTokensPerUser: 5 });
    const refused = await batch(6);
    expect([refused.status, refused.json.errors]).toMatchObject([
      422,
      [{ pointer: '/tokens/5/maxTokensPerUser' }],
    ]);
    expect((await batch(3)).status).toBe(201);
    expect((await batch(3)).json.errors).toMatchObject([{ pointer: '/tokens/2/maxTokensPerUser' }]);
    expect((await batch(2)).status).toBe(201);
    expect(await server.app.dataSource.manager.countBy(Token, { ownerId: owner.user.id })).toBe(5);
  });

  test('names the first that breaks another rule', async () => {
    await setPolicy({ maxLifetimeSeconds: DAY });
    expect((await batch(2, { expiresAt: inDays(2) })).json.errors).toMatchObject([
      { pointer: '/tokens/0/maxLifetimeSeconds' },
    ]);
    expect((await batch(2)).status).toBe(201);
  });
});

describe('maxTokensPerUser', () => {
  test('counts every API together, and neither what is revoked nor what has expired', async () => {
    await setPolicy({ maxTokensPerUser: APIS.length });
    for (const api of APIS) await made(api);
    const [first] = APIS as [Api];
    expect((await first.create({})).status).toBe(422);
    await server.revoke(await newest());
    const last = await made(first, { expiresAt: inDays(1) });
    expect((await first.create({})).status).toBe(422);
    await server.app.dataSource.manager.update(
      Token,
      { id: last.id },
      { expiresAt: new Date(Date.now() - 1) },
    );
    await made(first);
    expect((await first.create({})).status).toBe(422);
  });

  test('of fifty at once, through all APIs, as many are made as there is room for', async () => {
    await setPolicy({ maxTokensPerUser: 10 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (APIS[index % APIS.length] as Api).create({})),
    );
    expect(answers.filter(({ status }) => status < 300)).toHaveLength(10);
    for (const { status, text } of answers.filter((answer) => answer.status >= 300)) {
      expect([400, 422]).toContain(status);
      expect(text).toContain('allows a user at most 10 tokens (maxTokensPerUser)');
    }
    expect(await server.app.dataSource.manager.countBy(Token, { ownerId: owner.user.id })).toBe(10);
  });
});

describe("Quay's own lifetime", () => {
  test('and the default of the policy: the shorter of the two', async () => {
    const own = await TestServer.start({ quayTokenLifetimeSeconds: 10 * DAY });
    const user = await own.makeUser();
    const lifetime = async (settings: Partial<PolicySettings>): Promise<number> => {
      await givePolicy(own, settings);
      const sent = { headers: user.byPassword, body: { title: 'x' } };
      const { json } = await own.send('POST', '/api/v1/user/apptoken', sent);
      return Math.round((Date.parse(json.token.expiration) - Date.parse(json.token.created)) / (DAY * 1000));
    };
    expect(await lifetime({})).toBe(10);
    expect(await lifetime({ defaultLifetimeSeconds: 5 * DAY })).toBe(5);
    expect(await lifetime({ maxLifetimeSeconds: 30 * DAY })).toBe(10);
    await own.close();
  });
});
