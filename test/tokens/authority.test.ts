import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Organization } from '../../src/accounts/organization.entity.js';
import { IsNull } from 'typeorm';
import { User } from '../../src/accounts/user.entity.js';
import { PERMISSIONS } from '../../src/accounts/user.entity.js';
import { Token } from '../../src/tokens/token.entity.js';
import type { TokenSpec } from '../../src/tokens/token.service.js';
import { bearer, type Received } from '../support/http.js';
import { until } from '../support/until.js';
import { TestServer, type TestUser } from '../support/server.js';

/** What each route must refuse, of whoever calls: docs/SECURITY.md, "Who may do what to whom". */

let server: TestServer;
let admin: User;
let research: Organization;
let head: TestUser;
let member: TestUser;
beforeAll(async () => {
  server = await TestServer.start();
  admin = await server.admin();
  research = await server.organization('Research');
  const organizationId = research.id;
  head = await server.makeUser({ login: 'head', role: 'organizationAdministrator', organizationId });
  member = await server.makeUser({ login: 'member', organizationId });
});
afterAll(() => server.close());

type Headers = Record<string, string>;

const inHours = (hours: number): Date => new Date(Date.now() + hours * 3_600_000);

/** The headers of a token of the own API. */
async function byToken(ownerId: string, scopes: string[], more: Partial<TokenSpec> = {}): Promise<Headers> {
  return bearer((await server.issue({ dialect: 'patois', ownerId, scopes, ...more })).value);
}

function call(method: string, path: string, headers: Headers, body?: unknown): Promise<Received> {
  return server.send(method, `/patois/v1${path}`, { headers, ...(body === undefined ? {} : { body }) });
}

function row(id: string): Promise<Token> {
  return server.app.dataSource.manager.findOneByOrFail(Token, { id });
}

function user(id: string): Promise<User> {
  return server.app.dataSource.manager.findOneByOrFail(User, { id });
}

describe('in the name of one who may do more', () => {
  test.each(['administrator', 'another organization', 'a member with a permission'])(
    'a member with every permission of Foreman makes no token there: %s',
    async (kind) => {
      const helper = await server.makeUser({ permissions: [...PERMISSIONS] });
      const owner =
        kind === 'administrator'
          ? admin
          : (await server.makeUser(kind === 'another organization' ? { organizationId: research.id } : {}))
              .user;
      const path = `/api/users/${owner.numericId}/personal_access_tokens`;
      const { status } = await server.send('POST', path, { headers: helper.byPassword, body: { name: 'x' } });
      expect([403, 422]).toContain(status);
      expect(await server.app.dataSource.manager.countBy(Token, { ownerId: owner.id })).toBe(0);
    },
  );

  test('an organization administrator neither changes nor takes over the Panther token of an administrator', async () => {
    const boss = await server.makeUser({ role: 'administrator', organizationId: research.id });
    const spec = { dialect: 'panther', ownerId: boss.user.id, scopes: ['BulkUpload'] };
    const { token } = await server.issue({ ...spec, allowedCidrs: ['10.0.0.0/8'] });
    const before = await row(token.id);
    const { items } = (await call('GET', '/tokens?dialect=panther', head.byPassword)).json;
    const [{ externalId }] = items;
    const body = { name: 'mine', permissions: ['BulkUpload', 'UserModify'] };
    const changed = await server.send('POST', `/api-tokens/${externalId}`, {
      headers: head.byPassword,
      body,
    });
    const rotated = await server.send('POST', `/api-tokens/${externalId}/rotate`, {
      headers: head.byPassword,
    });
    expect([changed.status, rotated.status]).toEqual([403, 403]);
    expect(await row(token.id)).toEqual(before);
    const ended = await server.send('DELETE', `/api-tokens/${externalId}`, { headers: head.byPassword });
    expect(ended.status).toBe(204);
  });

  test('an organization administrator makes no Yunxiao token for who holds a permission that it lacks', async () => {
    const { user: helper } = await server.makeUser({
      permissions: ['edit_users'],
      organizationId: research.id,
    });
    const body = {
      userId: helper.id,
      name: 'x',
      permissions: ['base_user_read'],
      expiredAt: inHours(1).toISOString(),
    };
    const path = '/oapi/v1/platform/users/admin/personalAccessTokens';
    expect((await server.send('POST', path, { headers: head.byPassword, body })).status).toBe(403);
    const forMember = { ...body, userId: member.user.id };
    expect((await server.send('POST', path, { headers: head.byPassword, body: forMember })).status).toBe(200);
  });
});

describe('a token that holds less', () => {
  test('changes nothing of one that holds more', async () => {
    const { token } = await server.issue({
      dialect: 'patois',
      ownerId: admin.id,
      scopes: ['*'],
      allowedCidrs: ['10.0.0.0/8'],
      inactive: true,
      expiresAt: inHours(1),
    });
    const before = await row(token.id);
    const writer = await byToken(admin.id, ['patois:tokens.write']);
    for (const body of [
      { allowedCidrs: [] },
      { status: 'active' },
      { expiresAt: null },
      { expiresAt: inHours(2).toISOString() },
      { name: 'x' },
    ])
      expect([body, (await call('PATCH', `/tokens/${token.tokenId}`, writer, body)).status]).toEqual([
        body,
        403,
      ]);
    expect((await call('POST', `/tokens/${token.tokenId}/rotate`, writer)).status).toBe(403);
    expect(await row(token.id)).toEqual(before);
    expect((await call('DELETE', `/tokens/${token.tokenId}`, writer)).status).toBe(204);
  });

  test('revives no expired one', async () => {
    const expired = { scopes: ['*'], expiresAt: new Date(Date.now() - 1000) };
    const { token } = await server.issue({ dialect: 'patois', ownerId: admin.id, ...expired });
    const writer = await byToken(admin.id, ['patois:tokens.write']);
    const path = `/tokens/${token.tokenId}`;
    expect((await call('PATCH', path, writer, { expiresAt: null })).status).toBe(403);
    expect((await row(token.id)).expiresAt).toEqual(token.expiresAt);
  });

  test('in Losant, sets none active that is all of the user', async () => {
    const spec = { dialect: 'losant', ownerId: member.user.id, inactive: true };
    await server.issue({ ...spec, scopes: ['all.User'] });
    const { value } = await server.issue({
      dialect: 'losant',
      ownerId: member.user.id,
      scopes: ['userApiTokens.*'],
    });
    const list = await server.send('GET', '/me/tokens', { headers: member.byPassword });
    const { id } = list.json.items.find(({ status }: { status: string }) => status === 'inactive');
    const sent = { headers: bearer(value), body: { status: 'active' } };
    expect((await server.send('PATCH', `/me/tokens/${id}`, sent)).status).toBe(403);
    const byPassword = { headers: member.byPassword, body: { status: 'active' } };
    expect((await server.send('PATCH', `/me/tokens/${id}`, byPassword)).status).toBe(200);
  });
});

test('a confined token changes no token that reaches beyond it, not even its name', async () => {
  const confined = await byToken(member.user.id, ['*'], { allowedCidrs: ['127.0.0.0/8'] });
  const { token } = await server.issue({ dialect: 'patois', ownerId: member.user.id, scopes: ['*'] });
  for (const body of [{ name: 'x' }, { allowedCidrs: ['127.0.0.1/32'] }, { status: 'inactive' }])
    expect((await call('PATCH', `/tokens/${token.tokenId}`, confined, body)).status).toBe(403);
});

describe('nothing outlives a token that expires', () => {
  const end = inHours(1);

  test('a new token expires with it, in every API, unless it names an earlier moment', async () => {
    const everything = await byToken(head.user.id, ['*'], { expiresAt: end });
    const { value } = await server.issue({
      dialect: 'patois',
      ownerId: head.user.id,
      scopes: ['*'],
      expiresAt: end,
    });
    const api = { headers: { 'x-api-key': value } };
    const path = `/api/users/${head.user.login}/personal_access_tokens`;
    const made = [
      await call('POST', '/tokens', everything, {
        dialect: 'patois',
        owner: 'head',
        name: 'a',
        scopes: ['*'],
      }),
      await server.send('POST', path, { headers: everything, body: { name: 'a' } }),
      await server.send('POST', '/api-tokens', { ...api, body: { name: 'a', permissions: ['RuleRead'] } }),
      await server.send('POST', '/api/v1/user/apptoken', { headers: everything, body: { title: 'a' } }),
      await server.send('POST', '/me/tokens', { headers: everything, body: { name: 'a' } }),
    ];
    expect(made.map(({ status }) => status)).toEqual([201, 201, 200, 201, 201]);
    const where = { ownerId: head.user.id, name: 'a' };
    const rows = await server.app.dataSource.manager.findBy(Token, where);
    expect(rows.map(({ expiresAt }) => expiresAt)).toEqual(rows.map(() => end));
    expect(rows).toHaveLength(5);
    const earlier = inHours(0.5).toISOString();
    const body = { dialect: 'quay', owner: 'head', name: 'b', expiresAt: earlier };
    expect((await call('POST', '/tokens', everything, body)).json.expiresAt).toBe(earlier);
  });

  test('a later moment, or none for good, is refused in every API that can name one', async () => {
    const everything = await byToken(head.user.id, ['*'], { expiresAt: end });
    const later = inHours(2).toISOString();
    const own = { dialect: 'quay', owner: 'head', name: 'c' };
    const yunxiao = { userId: head.user.id, name: 'c', permissions: ['base_user_read'], expiredAt: later };
    const refused = [
      await call('POST', '/tokens', everything, { ...own, expiresAt: later }),
      await call('POST', '/tokens', everything, { ...own, expiresAt: null }),
      await server.send('POST', `/api/users/head/personal_access_tokens`, {
        headers: everything,
        body: { name: 'c', expires_at: later },
      }),
      await server.send('POST', '/api/v1/user/apptoken', {
        headers: everything,
        body: { title: 'c', expiration: later },
      }),
      await server.send('POST', '/me/tokens', {
        headers: everything,
        body: { name: 'c', expirationDate: later },
      }),
      await server.send('POST', '/oapi/v1/platform/users/admin/personalAccessTokens', {
        headers: everything,
        body: yunxiao,
      }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403]);
    expect(await server.app.dataSource.manager.countBy(Token, { ownerId: head.user.id, name: 'c' })).toBe(0);
  });

  test('it neither prolongs itself nor takes over one that lives longer', async () => {
    const { token, value } = await server.issue({
      dialect: 'patois',
      ownerId: member.user.id,
      scopes: ['*'],
      expiresAt: end,
    });
    const self = `/tokens/${token.tokenId}`;
    expect((await call('PATCH', self, bearer(value), { expiresAt: null })).status).toBe(403);
    expect((await call('PATCH', self, bearer(value), { expiresAt: inHours(2).toISOString() })).status).toBe(
      403,
    );
    expect((await call('PATCH', self, bearer(value), { name: 'still me' })).status).toBe(200);
    const lasting = await server.issue({ dialect: 'patois', ownerId: member.user.id, scopes: ['*'] });
    const other = `/tokens/${lasting.token.tokenId}`;
    expect((await call('POST', `${other}/rotate`, bearer(value))).status).toBe(403);
    expect((await call('PATCH', other, bearer(value), { name: 'x' })).status).toBe(403);
    expect((await row(token.id)).expiresAt).toEqual(end);
  });
});

describe('users', () => {
  test.each([
    ['confined', { allowedCidrs: ['127.0.0.0/8'] }],
    ['expiring', { expiresAt: inHours(1) }],
  ])(
    'a %s token gives nobody rights or a password, which work from everywhere and for ever',
    async (_, more) => {
      const { user: other } = await server.makeUser();
      const disabled = await server.makeUser();
      await call('PATCH', `/users/${disabled.user.id}`, server.asAdmin, { disabled: true });
      const bounded = await byToken(admin.id, ['*'], more);
      for (const body of [
        { role: 'administrator' },
        { permissions: ['view_users'] },
        { password: 'taken over' },
        { organization: 'Research' },
      ])
        expect((await call('PATCH', `/users/${other.id}`, bounded, body)).status).toBe(403);
      expect((await call('PATCH', `/users/${disabled.user.id}`, bounded, { disabled: false })).status).toBe(
        403,
      );
      const made = [{ role: 'administrator' }, { permissions: ['view_users'] }, { password: 'long enough' }];
      for (const body of made)
        expect((await call('POST', '/users', bounded, { login: 'x', ...body })).status).toBe(403);
      expect((await call('PATCH', `/users/${other.id}`, bounded, { name: 'Named' })).status).toBe(200);
      expect((await call('PATCH', `/users/${other.id}`, bounded, { disabled: true })).status).toBe(200);
      expect((await user(other.id)).role).toBe('member');
    },
  );

  test("without '*' a token moves nobody and enables nobody", async () => {
    const writer = await byToken(admin.id, ['patois:users.write']);
    const holder = (await server.makeUser({ permissions: ['edit_users'] })).user;
    const boss = (await server.makeUser({ role: 'administrator' })).user;
    await call('PATCH', `/users/${boss.id}`, server.asAdmin, { disabled: true });
    expect((await call('PATCH', `/users/${holder.id}`, writer, { organization: 'Research' })).status).toBe(
      403,
    );
    expect((await call('PATCH', `/users/${boss.id}`, writer, { disabled: false })).status).toBe(403);
    expect((await user(boss.id)).disabled).toBe(true);
    expect((await user(holder.id)).organizationId).toBe(holder.organizationId);
  });

  test('an organization administrator does not enable who may do more', async () => {
    const spec = { permissions: ['edit_users' as const], organizationId: research.id };
    const { user: helper } = await server.makeUser(spec);
    const path = `/users/${helper.login}`;
    expect((await call('PATCH', path, head.byPassword, { disabled: true })).status).toBe(200);
    expect((await call('PATCH', path, head.byPassword, { disabled: false })).status).toBe(403);
    expect((await call('PATCH', path, server.asAdmin, { disabled: false })).status).toBe(200);
  });
});

describe('DELETE /patois/v1/tokens/{tokenId}?descendants=true', () => {
  interface Family {
    root: { token: Token; value: string };
    ids: string[];
  }

  /** A token, two that it issued, and one that the second of these issued. */
  async function makeFamily(owner: TestUser): Promise<Family> {
    const root = await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] });
    const issue = async (headers: Headers, dialect: string): Promise<{ id: string; value: string }> => {
      const body = { dialect, owner: owner.user.login, name: 'a child' };
      const scopes = dialect === 'patois' ? { scopes: ['*'] } : {};
      const { json } = await call('POST', '/tokens', headers, { ...body, ...scopes });
      return { id: json.uuid, value: json.token };
    };
    const first = await issue(bearer(root.value), 'quay');
    const second = await issue(bearer(root.value), 'patois');
    const grandchild = await issue(bearer(second.value), 'losant');
    return { root, ids: [root.token.id, first.id, second.id, grandchild.id] };
  }

  const liveOf = async (ids: string[]): Promise<number> =>
    (await Promise.all(ids.map(row))).filter((token) => !token.isRevoked()).length;

  test('ends the token, what it issued and what those issued, each with its event; nothing else', async () => {
    const { root, ids } = await makeFamily(member);
    const bystander = await server.issue({ dialect: 'patois', ownerId: member.user.id, scopes: ['*'] });
    const path = `/tokens/${root.token.tokenId}?descendants=true&reason=leaked`;
    expect((await call('DELETE', path, member.byPassword)).status).toBe(204);
    const rows = await Promise.all(ids.map(row));
    expect(rows.map(({ revokeReason }) => revokeReason)).toEqual(ids.map(() => 'leaked'));
    expect(await liveOf([...ids, bystander.token.id])).toBe(1);
    for (const { tokenId } of rows) {
      const query = `/audit-events?object=${tokenId}&action=token.revoke`;
      expect((await call('GET', query, server.asAdmin)).json.items).toHaveLength(1);
    }
  });

  test('without it, or with false, ends the token alone', async () => {
    for (const query of ['', '?descendants=false']) {
      const { root, ids } = await makeFamily(member);
      await call('DELETE', `/tokens/${root.token.tokenId}${query}`, member.byPassword);
      expect(await liveOf(ids)).toBe(3);
    }
    const { root } = await makeFamily(member);
    const path = `/tokens/${root.token.tokenId}?descendants=perhaps`;
    expect((await call('DELETE', path, member.byPassword)).status).toBe(400);
  });

  test('ends what a token issued that is revoked already', async () => {
    const { root, ids } = await makeFamily(member);
    await call('DELETE', `/tokens/${root.token.tokenId}`, member.byPassword);
    const path = `/tokens/${root.token.tokenId}?descendants=true`;
    expect((await call('DELETE', path, member.byPassword)).status).toBe(204);
    expect(await liveOf(ids)).toBe(0);
  });

  test('ends nothing where one of them is of somebody whom the caller does not administer', async () => {
    const { root, ids } = await makeFamily(member);
    const stranger = await server.makeUser();
    const spec = { dialect: 'quay', ownerId: stranger.user.id, scopes: ['user:admin'] };
    const { token } = await server.issue(spec);
    const createdBy = { type: 'token', id: root.token.id } as const;
    await server.app.dataSource.manager.update(Token, { id: token.id }, { createdBy });
    const path = `/tokens/${root.token.tokenId}?descendants=true`;
    expect((await call('DELETE', path, member.byPassword)).status).toBe(403);
    expect(await liveOf([...ids, token.id])).toBe(5);
    expect((await call('DELETE', path, server.asAdmin)).status).toBe(204);
    expect(await liveOf([...ids, token.id])).toBe(0);
  });

  test('1,000 are ended in the request, and 1,001 by a job', async () => {
    const { root } = await makeFamily(member);
    const insert = `
      INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, scopes, allowed_cidrs, inactive,
        created_at, created_by_type, created_by_id, digest, digest_key, dialect_fields)
      SELECT gen_random_uuid(), 'pt-' || lpad(n::text, 12, $3), dialect, owner_id, organization_id, name, scopes,
        allowed_cidrs, inactive, created_at, 'token', id, sha256($3::bytea || n::text::bytea), digest_key, dialect_fields
      FROM tokens, generate_series(1, $2::integer) AS n WHERE id = $1`;
    await server.app.dataSource.query(insert, [root.token.id, 998, 'a']);
    const path = `/tokens/${root.token.tokenId}?descendants=true`;
    const children = { createdBy: { type: 'token', id: root.token.id } } as const;
    // Counted by the database: to read them all again and again would keep the event loop from the job.
    const countLive = (): Promise<number> =>
      server.app.dataSource.manager.countBy(Token, { ...children, revokedAt: IsNull() });
    const [one] = await server.app.dataSource.manager.findBy(Token, { name: root.token.name, ...children });
    await server.app.dataSource.manager.delete(Token, { id: one?.id });
    expect((await call('DELETE', path, member.byPassword)).status).toBe(204);
    expect(await countLive()).toBe(0);
    await server.app.dataSource.query(insert, [root.token.id, 1_001, 'b']);
    const revive = { revokedAt: null };
    await server.app.dataSource.manager.update(Token, children, revive);
    expect((await call('DELETE', path, member.byPassword)).status).toBe(202);
    await until(async () => (await countLive()) === 0);
  });
});
