import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { Values } from '../../src/database/statements.js';
import { Policy, settingsOf } from '../../src/tokens/policy/policy.entity.js';
import { PolicyPreview } from '../../src/tokens/policy/policy-preview.js';
import { Inventory } from '../../src/tokens/inventory/inventory.js';
import { filterCondition, type TokenFilter } from '../../src/tokens/inventory/token-filter.js';
import { pickedInOrder, type TokenSort } from '../../src/tokens/inventory/token-order.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { moveClock } from '../support/clock.js';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';
import { hasServer } from '../support/store.js';

const SORTS = ['createdAt', 'name', 'lastUsedAt', 'expiresAt'].flatMap((field) => [field, `-${field}`]);

let server: TestServer;
/** Administers the organization Research, and nothing else. */
let head: TestUser;
let member: TestUser;
let colleague: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  const organizationId = (await server.organization('Research')).id;
  const elsewhere = (await server.organization('Elsewhere')).id;
  head = await server.makeUser({ login: 'head', role: 'organizationAdministrator', organizationId });
  member = await server.makeUser({ login: 'member', organizationId });
  colleague = await server.makeUser({ login: 'colleague', organizationId });
  stranger = await server.makeUser({ login: 'stranger', organizationId: elsewhere });
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => server.close());

function get(path: string, headers: Record<string, string> = server.asAdmin): Promise<Received> {
  return server.send('GET', `/patois/v1${path}`, { headers });
}

async function listed(query: string, headers = server.asAdmin): Promise<Set<string>> {
  const answer = await get(`/tokens?limit=1000&${query}`, headers);
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  const ids = (answer.json.items as { tokenId: string }[]).map(({ tokenId }) => tokenId);
  expect(new Set(ids).size).toBe(ids.length);
  return new Set(ids);
}

async function issueTo(
  { user }: TestUser,
  spec: Partial<Parameters<TestServer['issue']>[0]> = {},
): Promise<Token> {
  const { token } = await server.issue({
    dialect: 'patois',
    scopes: ['patois:tokens.read'],
    ...spec,
    ownerId: user.id,
  });
  return token;
}

function mark(): string {
  return randomBytes(5).toString('hex');
}

function idsOf(...tokens: Token[]): Set<string> {
  return new Set(tokens.map(({ tokenId }) => tokenId));
}

describe('filters of GET /patois/v1/tokens', () => {
  test('a lower bound is inclusive and an upper one exclusive, of creation and of expiry', async () => {
    const name = mark();
    const expiresAt = new Date(Date.now() + 3_600_000);
    const token = await issueTo(member, { name, expiresAt });
    const unlimited = await issueTo(member, { name });
    const [made, end] = [token.createdAt.toISOString(), expiresAt.toISOString()];
    const later = (time: Date): string => new Date(time.getTime() + 1).toISOString();
    const one = `q=${name}&withoutExpiry=false`;
    expect(await listed(`${one}&createdAfter=${made}`)).toEqual(idsOf(token));
    expect(await listed(`${one}&createdAfter=${later(token.createdAt)}`)).toEqual(idsOf());
    expect(await listed(`${one}&createdBefore=${made}`)).toEqual(idsOf());
    expect(await listed(`${one}&createdBefore=${later(token.createdAt)}`)).toEqual(idsOf(token));
    expect(await listed(`q=${name}&expiresAfter=${end}`)).toEqual(idsOf(token));
    expect(await listed(`q=${name}&expiresAfter=${later(expiresAt)}`)).toEqual(idsOf());
    expect(await listed(`q=${name}&expiresBefore=${end}`)).toEqual(idsOf());
    expect(await listed(`q=${name}&expiresBefore=${later(expiresAt)}`)).toEqual(idsOf(token));
    expect(await listed(`q=${name}&withoutExpiry=true`)).toEqual(idsOf(unlimited));
  });

  test('what has CIDR blocks and what has none', async () => {
    const name = mark();
    const open = await issueTo(member, { name });
    const confined = await issueTo(member, { name, allowedCidrs: ['10.0.0.0/8'] });
    expect(await listed(`q=${name}&withoutCidrs=true`)).toEqual(idsOf(open));
    expect(await listed(`q=${name}&withoutCidrs=false`)).toEqual(idsOf(confined));
    expect(await listed(`q=${name}&withoutCidrs=false&allowsAddress=11.0.0.1`)).toEqual(idsOf());
  });

  test('who created it: a user by login or uuid, a token by its id', async () => {
    const name = mark();
    const { value } = await server.issue({ dialect: 'patois', ownerId: member.user.id, scopes: ['*'] });
    const make = async (headers: Record<string, string>): Promise<Token> => {
      const body = { dialect: 'patois', owner: 'member', name, scopes: ['patois:tokens.read'] };
      const made = await server.send('POST', '/patois/v1/tokens', { headers, body });
      expect(made.status).toBe(201);
      return made.json as Token;
    };
    const byUser = await make(member.byPassword);
    const byHead = await make(head.byPassword);
    const byToken = await make(bearer(value));
    expect(await listed(`q=${name}&createdBy=MEMBER`)).toEqual(idsOf(byUser));
    expect(await listed(`q=${name}&createdBy=${head.user.id}`, member.byPassword)).toEqual(idsOf(byHead));
    expect(await listed(`q=${name}&createdBy=${value.slice(0, 15)}`)).toEqual(idsOf(byToken));
    expect(await listed(`q=${name}&createdBy=nobody`)).toEqual(idsOf());
    expect(await listed(`q=${name}&createdBy=pt-000000000000`)).toEqual(idsOf());
  });

  test('a text is part of one of name, description and token id, whatever characters it has', async () => {
    const tag = mark();
    const token = await issueTo(member, { name: `${tag} a%b_c\\d`, description: `Über ${tag}\nzwei` });
    const has = async (text: string): Promise<boolean> =>
      (await listed(`q=${encodeURIComponent(text)}&owner=member`)).has(token.tokenId);
    for (const text of [`${tag} A%B_C\\D`, '%b_', '\\', `ÜBER ${tag}`, `${tag}\nzwei`, 'ei', token.tokenId]) {
      expect([text, await has(text)]).toEqual([text, true]);
    }
    for (const text of [`${tag} a_b`, 'b%c', `\\d\nÜber`, `${tag}zwei`]) {
      expect([text, await has(text)]).toEqual([text, false]);
    }
    expect(await listed(`q=${token.tokenId}`)).toEqual(idsOf(token));
    expect(await listed(`q=${token.tokenId.toLowerCase()}`)).toEqual(idsOf(token));
  });

  test.each([
    ['createdAfter=yesterday', '/createdAfter'],
    ['expiresAfter=2026-01-01', '/expiresAfter'],
    ['withoutExpiry=1', '/withoutExpiry'],
    ['withoutCidrs=', '/withoutCidrs'],
    ['createdBy=', '/createdBy'],
    ['violatesPolicy=maybe', '/violatesPolicy'],
    ['live=yes', '/live'],
    ['unusedSince=90d', '/unusedSince'],
    ['violatesPolicy=true&violatesPolicy=true', '/violatesPolicy'],
  ])('refuses ?%s', async (query, pointer) => {
    expectProblem(await get(`/tokens?${query}`), 400, pointer);
  });

  test('nobody finds by any filter what the caller may not see', async () => {
    const name = mark();
    const [own, others, far] = [
      await issueTo(member, { name }),
      await issueTo(colleague, { name }),
      await issueTo(stranger, { name }),
    ];
    const queries = [
      `q=${name}`,
      `q=${far.tokenId}`,
      `q=${name}&organization=Elsewhere`,
      `q=${name}&owner=stranger`,
      `q=${name}&withoutCidrs=true&withoutExpiry=true&neverUsed=true`,
      `q=${name}&violatesPolicy=false`,
    ];
    for (const query of queries) {
      const [byMember, byHead] = [
        await listed(query, member.byPassword),
        await listed(query, head.byPassword),
      ];
      expect([...byMember].filter((id) => id !== own.tokenId)).toEqual([]);
      expect(byHead.has(far.tokenId)).toBe(false);
    }
    expect(await listed(`q=${name}`, head.byPassword)).toEqual(idsOf(own, others));
  });
});

describe('violatesPolicy', () => {
  /** Gives an organization a policy past every check of what it may say. */
  async function setPolicy(organizationId: string, policy: Partial<Policy>): Promise<Policy> {
    const dataSource = server.app.nest.get(DataSource);
    await dataSource.manager.update(Policy, { organizationId }, { ...policy, version: 2 });
    return dataSource.manager.findOneByOrFail(Policy, { organizationId });
  }

  const POLICIES: Record<string, Partial<Policy>> = {
    'allows everything': {},
    'wants an expiry': { allowNonExpiring: false },
    'limits lifetimes': { maxLifetimeSeconds: 3600 },
    'wants blocks': { requireCidrs: true },
    'confines to blocks': { allowedCidrs: ['10.0.0.0/8', '2001:db8::/32'] },
    'limits how many': { maxTokensPerUser: 2 },
    'limits rest': { maxUnusedSeconds: 60 },
    'limits all': {
      allowNonExpiring: false,
      maxLifetimeSeconds: 7200,
      requireCidrs: true,
      allowedCidrs: ['10.1.0.0/16'],
      maxTokensPerUser: 4,
      maxUnusedSeconds: 120,
    },
  };

  test('means what a preview of the same policy counts, and false all others', async () => {
    const { id } = await server.organization(`Policed ${mark()}`);
    const other = await server.organization(`Lax ${mark()}`);
    const owners = await Promise.all(
      [id, id, other.id].map((organizationId) => server.makeUser({ organizationId })),
    );
    for (const owner of owners) {
      for (const [index, allowedCidrs] of [[], ['10.1.2.0/24'], ['10.0.0.0/8', '::/0'], []].entries()) {
        const expiresAt = index % 2 === 0 ? null : new Date(Date.now() + 3_000_000 * index);
        await issueTo(owner, { allowedCidrs, expiresAt });
      }
      await server.revoke(await issueTo(owner));
      await issueTo(owner, { expiresAt: new Date(Date.now() + 1000) });
    }
    const dead = await server.makeUser({ organizationId: id });
    await issueTo(dead);
    const { value } = await server.issue({ dialect: 'patois', ownerId: owners[0]!.user.id, scopes: ['*'] });
    moveClock(90_000);
    await get('/me', bearer(value));
    const deleted = await server.send('DELETE', `/patois/v1/users/${dead.user.id}`, {
      headers: server.asAdmin,
    });
    expect(deleted.status).toBe(204);
    const all = await listed(`organization=${id}&neverUsed=false`);
    expect(all.size).toBe(1);
    const preview = server.app.nest.get(PolicyPreview, { strict: false });
    const defaults = await setPolicy(id, {});
    const outcomes: [string, number][] = [];
    for (const [name, change] of Object.entries(POLICIES)) {
      const policy = await setPolicy(id, { ...settingsOf(defaults), ...change });
      const { affected, sample } = await preview.of(id, policy, 'test');
      const [found, rest, whole] = await Promise.all([
        listed(`organization=${id}&violatesPolicy=true`),
        listed(`organization=${id}&violatesPolicy=false`),
        listed(`organization=${id}`),
      ]);
      outcomes.push([name, affected]);
      expect([name, found.size]).toEqual([name, affected]);
      const { json } = await get(`/tokens?organization=${id}&violatesPolicy=true&limit=1000`);
      expect((json.items as { uuid: string }[]).map(({ uuid }) => uuid)).toEqual(sample);
      expect(new Set([...found, ...rest])).toEqual(whole);
      expect(found.size + rest.size).toBe(whole.size);
      expect(await listed(`organization=${other.id}&violatesPolicy=true`)).toEqual(new Set());
    }
    expect(outcomes[0]).toEqual(['allows everything', 0]);
    for (const [name, affected] of outcomes.slice(1)) expect([name, affected > 0]).toEqual([name, true]);
  });
});

describe('a filter that is kept', () => {
  const WHOLE: Required<TokenFilter> = {
    ownerId: '00000000-0000-4000-8000-000000000001',
    organizationId: '00000000-0000-4000-8000-000000000002',
    dialect: 'quay',
    status: 'active',
    live: true,
    scope: 'user:admin',
    q: 'nightly',
    tokenId: 'pt-000000000000',
    createdBefore: '2031-01-01T00:00:00.000Z',
    createdAfter: '2021-01-01T00:00:00.000Z',
    lastUsedBefore: '2031-01-01T00:00:00.000Z',
    neverUsed: false,
    unusedSince: '2031-01-01T00:00:00.000Z',
    expiresBefore: '2031-01-01T00:00:00.000Z',
    expiresAfter: '2021-01-01T00:00:00.000Z',
    withoutExpiry: false,
    withoutCidrs: true,
    allowsAddress: '203.0.113.7',
    createdBy: '00000000-0000-4000-8000-000000000003',
    violatesPolicy: false,
  };

  test('means the same after a way through JSON, and every key of it is understood by the database', async () => {
    const now = new Date();
    const made = (filter: TokenFilter): { text: string; values: unknown[] } => {
      const { place, list } = new Values();
      return { text: filterCondition(filter, place, now), values: list };
    };
    const [before, after] = [made(WHOLE), made(JSON.parse(JSON.stringify(WHOLE)) as TokenFilter)];
    expect(after).toEqual(before);
    const dataSource = server.app.nest.get(DataSource);
    for (const [key, value] of Object.entries(WHOLE)) {
      const { text, values } = made({ [key]: value });
      const rows = await dataSource.query(`SELECT count(*) FROM tokens token WHERE ${text}`, values);
      expect(rows).toHaveLength(1);
    }
    expect(await dataSource.query(`SELECT FROM tokens token WHERE ${before.text}`, before.values)).toEqual(
      [],
    );
  });

  test('with a key that this version does not know means nothing', () => {
    const filter = { ...WHOLE, colour: 'red' } as TokenFilter;
    expect(() => filterCondition(filter, new Values().place, new Date())).toThrow('colour');
  });
});

describe('GET /patois/v1/tokens/summary', () => {
  const DAY_MS = 86_400_000;
  interface Listed {
    dialect: string;
    status: string;
    createdAt: string;
    expiresAt: string | null;
    lastUsedAt: string | null;
    allowedCidrs: string[];
  }

  /** What the summary should be of what the list shows. */
  function countedByHand(listed: Listed[], asOf: string): object {
    const now = Date.parse(asOf);
    const hasExpired = ({ status, expiresAt }: Listed): boolean =>
      status !== 'revoked' && expiresAt !== null && Date.parse(expiresAt) <= now;
    // Some may have expired since the list was made.
    const items = listed.map((token) => (hasExpired(token) ? { ...token, status: 'expired' } : token));
    const count = (met: (token: Listed) => boolean): number => items.filter(met).length;
    const age = (token: Listed): number => (now - Date.parse(token.createdAt)) / DAY_MS;
    const expiring = (days: number): number =>
      count(
        ({ status, expiresAt }) =>
          ['active', 'inactive'].includes(status) &&
          expiresAt !== null &&
          Date.parse(expiresAt) <= now + days * DAY_MS,
      );
    const dialects = [...new Set(items.map(({ dialect }) => dialect))];
    return {
      total: items.length,
      byDialect: Object.fromEntries(
        dialects.map((dialect) => [dialect, count((token) => token.dialect === dialect)]),
      ),
      byStatus: Object.fromEntries(
        ['active', 'inactive', 'expired', 'revoked'].map((status) => [
          status,
          count((token) => token.status === status),
        ]),
      ),
      expiring: { within7Days: expiring(7), within30Days: expiring(30), within90Days: expiring(90) },
      neverUsed: count(({ lastUsedAt }) => lastUsedAt === null),
      unusedFor90Days: count(
        ({ lastUsedAt, createdAt }) => Date.parse(lastUsedAt ?? createdAt) < now - 90 * DAY_MS,
      ),
      withoutExpiry: count(({ expiresAt }) => expiresAt === null),
      withoutCidrs: count(({ allowedCidrs }) => allowedCidrs.length === 0),
      byAge: {
        upTo30Days: count((token) => age(token) <= 30),
        upTo90Days: count((token) => age(token) > 30 && age(token) <= 90),
        upTo365Days: count((token) => age(token) > 90 && age(token) <= 365),
        over365Days: count((token) => age(token) > 365),
      },
      asOf,
    };
  }

  test('counts what the list shows, with every filter and for every caller', async () => {
    const dataSource = server.app.nest.get(DataSource);
    const name = mark();
    for (const [index, days] of [0, 20, 40, 100, 200, 400].entries()) {
      for (const owner of [member, colleague, stranger]) {
        const token = await issueTo(owner, {
          name,
          dialect: index % 2 === 0 ? 'patois' : 'panther',
          inactive: index === 1,
          allowedCidrs: index % 3 === 0 ? [] : ['10.0.0.0/8'],
          expiresAt: index === 5 ? null : new Date(Date.now() + (index * 20 + 5) * DAY_MS),
        });
        await dataSource.query(`UPDATE tokens SET created_at = $2 WHERE id = $1`, [
          token.id,
          new Date(Date.now() - days * DAY_MS),
        ]);
        if (index === 2) await server.revoke(token);
        if (index === 3) {
          await dataSource.query(`UPDATE tokens SET expires_at = $2 WHERE id = $1`, [
            token.id,
            new Date(Date.now() - 1000),
          ]);
        }
        if (index > 2 && owner !== colleague) {
          const usedAt = new Date(Date.now() - (days - 5) * DAY_MS);
          await dataSource.query(`UPDATE last_uses SET used_at = $2, used_slot = $3 WHERE token_uuid = $1`, [
            token.id,
            usedAt,
            Math.floor(usedAt.getTime() / 900_000),
          ]);
        }
      }
    }
    const queries = [
      '',
      `q=${name}`,
      `q=${name}&status=active`,
      `q=${name}&neverUsed=true`,
      `q=${name}&organization=Elsewhere`,
      'dialect=panther&withoutCidrs=false',
      'owner=nobody',
    ];
    for (const headers of [server.asAdmin, head.byPassword, member.byPassword]) {
      for (const query of queries) {
        const list = await get(`/tokens?limit=1000&${query}`, headers);
        expect(list.json.nextCursor).toBeNull();
        const { status, json } = await get(`/tokens/summary?${query}`, headers);
        expect([query, status]).toEqual([query, 200]);
        expect([query, json]).toEqual([
          query,
          countedByHand(list.json.items as Listed[], json.asOf as string),
        ]);
      }
    }
    const whole = (await get(`/tokens/summary?q=${name}`)).json;
    expect(whole.total).toBe(18);
    expect(whole.byStatus).toEqual({ active: 9, inactive: 3, expired: 3, revoked: 3 });
  }, 60_000);

  test('needs the scope, a credential and good filters', async () => {
    expectProblem(await get('/tokens/summary', {}), 401);
    const { value } = await server.issue({
      dialect: 'patois',
      ownerId: member.user.id,
      scopes: ['patois:users.read'],
    });
    expectProblem(await get('/tokens/summary', bearer(value)), 403);
    expectProblem(await get('/tokens/summary?status=dead'), 400, '/status');
    expectProblem(await get('/tokens/summary?limit=1'), 400, '/limit');
  });
});

describe('orders of GET /patois/v1/tokens', () => {
  test('go page by page through ties and what has no moment, for an organization and an owner as for all', async () => {
    const dataSource = server.app.nest.get(DataSource);
    const { id: organizationId } = await server.organization(`Sorted ${mark()}`);
    const boss = await server.makeUser({ organizationId, role: 'organizationAdministrator' });
    const owner = await server.makeUser({ organizationId });
    const moments = [0, 1, 1, 1, 2].map((minutes) => new Date(Date.UTC(2031, 0, 1, 0, minutes * 8)));
    const tokens: Token[] = [];
    for (const [index, moment] of [...moments, null, null, null].entries()) {
      const token = await issueTo(owner, { name: `Name ${index % 3}`, expiresAt: moment });
      if (moment) {
        await dataSource.query(`UPDATE last_uses SET used_at = $2, used_slot = $3 WHERE token_uuid = $1`, [
          token.id,
          moment,
          Math.floor(moment.getTime() / 900_000),
        ]);
      }
      tokens.push(Object.assign(token, { usedAt: moment }));
    }
    const keyOf: Record<string, (token: Token) => number | string> = {
      createdAt: ({ createdAt }) => createdAt.getTime(),
      name: ({ name }) => name.toLowerCase(),
      lastUsedAt: (token) => (token as Token & { usedAt: Date | null }).usedAt?.getTime() ?? -1,
      expiresAt: ({ expiresAt }) => expiresAt?.getTime() ?? Infinity,
    };
    for (const sort of SORTS) {
      const key = keyOf[sort.replace('-', '')] as (token: Token) => number | string;
      const ascending = tokens.toSorted((one, other) => {
        const [a, b] = [key(one), key(other)];
        return a < b ? -1 : a > b ? 1 : one.id < other.id ? -1 : 1;
      });
      const expected = (sort.startsWith('-') ? ascending.toReversed() : ascending).map(
        ({ tokenId }) => tokenId,
      );
      for (const [query, headers] of [
        [`organization=${organizationId}`, server.asAdmin],
        ['', boss.byPassword],
        [`owner=${owner.user.login}`, server.asAdmin],
        ['scope=patois:tokens.read', owner.byPassword],
      ] as const) {
        const seen: string[] = [];
        let cursor = '';
        for (;;) {
          const { json } = await get(`/tokens?limit=3&sort=${sort}&${query}${cursor}`, headers);
          seen.push(...(json.items as { tokenId: string }[]).map(({ tokenId }) => tokenId));
          if (json.nextCursor === null) break;
          cursor = `&cursor=${json.nextCursor}`;
        }
        expect([sort, query, seen]).toEqual([sort, query, expected]);
      }
    }
  }, 60_000);

  test.each(SORTS)(
    'page through %s while tokens are made, used and revoked: each that was there comes once',
    async (sort) => {
      const dataSource = server.app.nest.get(DataSource);
      const { id: organizationId } = await server.organization(`Busy ${mark()}`);
      const owner = await server.makeUser({ organizationId });
      const make = (index: number): Promise<Token> =>
        issueTo(owner, {
          name: `${'mfzak'[index % 5]} ${mark()}`,
          expiresAt: index % 3 === 0 ? null : new Date(Date.UTC(2031, 0, 1 + (index % 7))),
        });
      const use = ({ id }: Token, minutesAgo: number): Promise<unknown> => {
        const at = new Date(Date.now() - minutesAgo * 60_000);
        return dataSource.query(`UPDATE last_uses SET used_at = $2, used_slot = $3 WHERE token_uuid = $1`, [
          id,
          at,
          Math.floor(at.getTime() / 900_000),
        ]);
      };
      const before: Token[] = [];
      for (let index = 0; index < 12; index += 1) {
        const token = await make(index);
        if (index % 2 === 0) await use(token, 7 * index);
        before.push(token);
      }
      // One that moves within the order of the last use while it is paged through may come twice or not at all.
      const moving = before.pop() as Token;
      const seen: string[] = [];
      let cursor = '';
      for (let page = 0; ; page += 1) {
        const { json } = await get(`/tokens?limit=3&sort=${sort}&organization=${organizationId}${cursor}`);
        seen.push(...(json.items as { tokenId: string }[]).map(({ tokenId }) => tokenId));
        if (json.nextCursor === null) break;
        cursor = `&cursor=${json.nextCursor}`;
        const made = await make(page);
        await use(made, 10 * page);
        await use(moving, 0);
        const path = `/patois/v1/tokens/${before[page]?.tokenId}`;
        await server.send('DELETE', path, { headers: server.asAdmin });
      }
      const ofBefore = seen.filter((id) => before.some(({ tokenId }) => tokenId === id));
      expect(ofBefore.toSorted()).toEqual(before.map(({ tokenId }) => tokenId).toSorted());
      const others = seen.filter((id) => id !== moving.tokenId);
      expect(new Set(others).size).toBe(others.length);
    },
  );

  test('leave out none of an owner who has very many tokens, few of which were never used', async () => {
    const dataSource = server.app.nest.get(DataSource);
    const owner = await server.makeUser({ organizationId: (await server.organization(`Many ${mark()}`)).id });
    const makeTokens = async ({ user }: TestUser, count: number, isUsed: string): Promise<void> => {
      await dataSource.query(
        `WITH made AS (INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
             inactive, created_at, digest, digest_key, dialect_fields)
           SELECT gen_random_uuid(), 'pt-' || substr(md5($1::text || n), 1, 12), 'patois', $1::uuid, $2::uuid, 'many', '{a}',
             '{}', false, now(), sha256(n::text::bytea), 'none', '{}'
           FROM generate_series(1, $3::int) n RETURNING id, numeric_id)
         INSERT INTO last_uses (token_uuid, used_at, used_slot)
         SELECT id, CASE WHEN ${isUsed} THEN to_timestamp(1900000000 + numeric_id * 60) END,
           CASE WHEN ${isUsed} THEN (1900000000 + numeric_id * 60) / 900 ELSE 0 END FROM made`,
        [user.id, user.organizationId, count],
      );
    };
    await makeTokens(stranger, 12_000, 'false');
    // What the database knows from here on is of those alone, and it takes the owner's tokens for very few.
    await dataSource.query('ANALYZE tokens, last_uses');
    await makeTokens(owner, 5_100, 'numeric_id % 300 > 0');
    for (const sort of ['lastUsedAt', '-lastUsedAt']) {
      const direction = sort.startsWith('-') ? 'DESC' : 'ASC';
      const rows = await dataSource.query<{ token_id: string }[]>(
        `SELECT token_id FROM tokens JOIN last_uses ON token_uuid = id WHERE owner_id = $1
         ORDER BY coalesce(used_at, 'epoch') ${direction}, id ${direction}`,
        [owner.user.id],
      );
      const seen: string[] = [];
      // Few a page at first, so that most of those never used are others'.
      for (let cursor = '', limit = 20; ; limit = 1000) {
        const { json } = await get(`/tokens?owner=${owner.user.login}&sort=${sort}&limit=${limit}${cursor}`);
        seen.push(...(json.items as { tokenId: string }[]).map(({ tokenId }) => tokenId));
        if (json.nextCursor === null) break;
        cursor = `&cursor=${json.nextCursor}`;
      }
      expect(seen).toEqual(rows.map((row) => row.token_id));
    }
  }, 120_000);
});

test('a start says in the log where texts have no index, and finds them all the same', async () => {
  const small = await TestServer.start();
  try {
    const said = (): string[] => small.logged.filter((line) => line.includes('pg_trgm'));
    expect(said()).toEqual([]);
    const { user } = await small.makeUser();
    const { token } = await small.issue({ dialect: 'quay', ownerId: user.id, name: 'unindexed' });
    await small.app.dataSource.query('DROP INDEX tokens_text');
    await small.app.nest.get(Inventory, { strict: false }).onApplicationBootstrap();
    expect(said()).toHaveLength(1);
    const { json } = await small.send('GET', '/patois/v1/tokens?q=NINDEX', { headers: small.asAdmin });
    expect(json.items).toMatchObject([{ tokenId: token.tokenId }]);
  } finally {
    await small.close();
  }
});

// The embedded engine plans the same, but has no statistics by itself.
if (hasServer)
  describe('on a server the orders of GET /patois/v1/tokens', () => {
    test('are read along an index, without sorting all', async () => {
      const dataSource = server.app.nest.get(DataSource);
      for (let from = 0; from < 6_000; from += 1_000) {
        await dataSource.query(
          `WITH made AS (INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, scopes, allowed_cidrs, inactive,
           expires_at, created_at, digest, digest_key, dialect_fields)
         SELECT gen_random_uuid(), 'pt-' || substr(md5('plan' || n), 1, 12), 'patois', $1, $2, 'plan ' || n, '{a}', '{}', false,
           CASE WHEN n % 3 > 0 THEN now() + n * interval '1 minute' END, now() - n * interval '1 minute',
           sha256(n::text::bytea), 'none', '{}'
         FROM generate_series($3::int, $3 + 999) n RETURNING id, numeric_id)
       INSERT INTO last_uses (token_uuid, used_at, used_slot)
       SELECT id, CASE WHEN numeric_id % 3 > 0 THEN to_timestamp(900 * numeric_id) END,
         CASE WHEN numeric_id % 3 > 0 THEN numeric_id ELSE 0 END FROM made`,
          [stranger.user.id, stranger.user.organizationId, from],
        );
      }
      await dataSource.query('ANALYZE tokens');
      await dataSource.query('ANALYZE last_uses');
      for (const sort of SORTS as TokenSort[]) {
        for (const filter of [{}, { organizationId: stranger.user.organizationId }]) {
          const { place, list } = new Values();
          const condition = filterCondition(filter, place, new Date());
          const picked = pickedInOrder(sort, condition, { after: undefined, limit: 51, place });
          const rows = await dataSource.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN ${picked}`, list);
          const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
          expect([sort, plan]).toEqual([sort, expect.not.stringContaining('Seq Scan')]);
          // What is sorted is what the parts of the page are put together from, and quarters of an hour of uses.
          const sorts = plan.match(/(?<!Incremental )Sort {2}\(/g) ?? [];
          expect([sort, plan, sorts.length]).toEqual([sort, plan, 1]);
        }
      }
      await dataSource.query(
        `DELETE FROM last_uses WHERE token_uuid IN (SELECT id FROM tokens WHERE name LIKE 'plan %')`,
      );
      await dataSource.query(`DELETE FROM tokens WHERE name LIKE 'plan %'`);
    }, 60_000);
  });
