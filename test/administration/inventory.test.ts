import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { Values } from '../../src/database/statements.js';
import { Policy } from '../../src/tokens/policy/policy.entity.js';
import { PolicyPreview } from '../../src/tokens/policy/policy-preview.js';
import { filterCondition, type TokenFilter } from '../../src/tokens/inventory/token-filter.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { moveClock } from '../support/clock.js';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

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
      const policy = await setPolicy(id, { ...defaults, ...change });
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
    scope: 'user:admin',
    q: 'nightly',
    tokenId: 'pt-000000000000',
    createdBefore: '2031-01-01T00:00:00.000Z',
    createdAfter: '2021-01-01T00:00:00.000Z',
    lastUsedBefore: '2031-01-01T00:00:00.000Z',
    neverUsed: false,
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
