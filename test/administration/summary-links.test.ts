import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DataSource } from 'typeorm';
import { slotOf } from '../../src/tokens/token.entity.js';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

const DAY_MS = 86_400_000;

let server: TestServer;
/** Administers the organization Research, and nothing else. */
let head: TestUser;
let member: TestUser;
let stranger: TestUser;

/** Days before now, or from now on where they expire. */
interface Life {
  made: number;
  used?: number;
  expires?: number;
  isRevoked?: true;
  inactive?: true;
  isConfined?: true;
  dialect?: string;
}

const LIVES: Life[] = [
  { made: 0 },
  { made: 0, expires: 0.2, isConfined: true },
  { made: 10, used: 1, expires: 3, dialect: 'panther' },
  { made: 10, expires: 3, isRevoked: true },
  { made: 40, used: 20, expires: 6, inactive: true },
  { made: 80, expires: 20, isConfined: true },
  { made: 89, expires: 20.1, dialect: 'quay' },
  { made: 91, expires: 29 },
  { made: 100, used: 95, expires: 60, dialect: 'panther' },
  { made: 100, used: 89, expires: 89, inactive: true },
  { made: 200, expires: 91, isConfined: true },
  { made: 200, used: 1, expires: -1 },
  { made: 364, used: 200, expires: -50, inactive: true },
  { made: 366, isRevoked: true },
  { made: 366, used: 300, expires: -2, isRevoked: true },
  { made: 500, used: 0, dialect: 'quay' },
  { made: 500, inactive: true },
  { made: 800, used: 91, expires: 300, isConfined: true },
];

beforeAll(async () => {
  server = await TestServer.start();
  const organizationId = (await server.organization('Research')).id;
  const elsewhere = (await server.organization('Elsewhere')).id;
  head = await server.makeUser({ role: 'organizationAdministrator', organizationId });
  member = await server.makeUser({ organizationId });
  stranger = await server.makeUser({ organizationId: elsewhere });
  for (const owner of [member, head, stranger]) for (const life of LIVES) await live(owner, life);
  const policy = { maxUnusedSeconds: 300 * 86_400, allowedCidrs: ['10.0.0.0/8'], maxTokensPerUser: 5 };
  const path = '/patois/v1/organizations/Research/policy';
  await server.send('PUT', path, { headers: server.asAdmin, body: policy });
});
afterAll(() => server.close());

/** Issues a token that has lived so. */
async function live({ user }: TestUser, life: Life): Promise<void> {
  const { made, used, expires, isRevoked, inactive = false, isConfined, dialect = 'patois' } = life;
  const dataSource = server.app.nest.get(DataSource);
  const { token } = await server.issue({
    ownerId: user.id,
    dialect,
    inactive,
    allowedCidrs: isConfined ? ['10.0.0.0/8'] : [],
  });
  if (isRevoked) await server.revoke(token);
  await dataSource.query(`UPDATE tokens SET created_at = $2, expires_at = $3 WHERE id = $1`, [
    token.id,
    daysFrom(Date.now(), -made),
    expires === undefined ? null : daysFrom(Date.now(), expires),
  ]);
  if (used === undefined) return;
  const usedAt = daysFrom(Date.now(), -used);
  await dataSource.query(`UPDATE last_uses SET used_at = $2, used_slot = $3 WHERE token_uuid = $1`, [
    token.id,
    usedAt,
    slotOf(usedAt.getTime()),
  ]);
}

function daysFrom(moment: number, days: number): Date {
  return new Date(moment + days * DAY_MS);
}

function get(path: string, headers: Record<string, string> = server.asAdmin): Promise<Received> {
  return server.send('GET', `/patois/v1${path}`, { headers });
}

// oxlint-disable-next-line no-explicit-any -- as of Received
async function json(path: string, headers: Record<string, string>): Promise<any> {
  const answer = await get(path, headers);
  expect([path, answer.status, answer.text]).toEqual([path, 200, expect.any(String)]);
  return answer.json;
}

/** How many tokens the list has, over all its pages. */
async function listed(filter: Record<string, string>, headers: Record<string, string>): Promise<number> {
  let count = 0;
  let cursor: Record<string, string> = {};
  for (;;) {
    const query = new URLSearchParams({ ...filter, ...cursor, limit: '7' });
    const { items, nextCursor } = await json(`/tokens?${query.toString()}`, headers);
    count += (items as unknown[]).length;
    if (nextCursor === null) return count;
    cursor = { cursor: nextCursor as string };
  }
}

type Linked = [number: string, count: number, filter: Record<string, string>];

/** Each number of a summary, with the filters that docs/inventory.md gives for it. */
// oxlint-disable-next-line no-explicit-any -- as of Received
function linksOf(summary: any): Linked[] {
  const asOf = Date.parse(summary.asOf as string);
  const at = (days: number, more = 0): string =>
    new Date(daysFrom(asOf, days).getTime() + more).toISOString();
  const { expiring, byAge } = summary;
  const within = (days: number): Record<string, string> => ({ live: 'true', expiresBefore: at(days, 1) });
  return [
    ['total', summary.total, {}],
    ...Object.entries<number>(summary.byDialect).map(([dialect, count]): Linked => [
      dialect,
      count,
      { dialect },
    ]),
    ...Object.entries<number>(summary.byStatus).map(([status, count]): Linked => [status, count, { status }]),
    ['within7Days', expiring.within7Days, within(7)],
    ['within30Days', expiring.within30Days, within(30)],
    ['within90Days', expiring.within90Days, within(90)],
    ['neverUsed', summary.neverUsed, { neverUsed: 'true' }],
    ['unusedFor90Days', summary.unusedFor90Days, { unusedSince: at(-90) }],
    ['withoutExpiry', summary.withoutExpiry, { withoutExpiry: 'true' }],
    ['withoutCidrs', summary.withoutCidrs, { withoutCidrs: 'true' }],
    ['upTo30Days', byAge.upTo30Days, { createdAfter: at(-30) }],
    ['upTo90Days', byAge.upTo90Days, { createdAfter: at(-90), createdBefore: at(-30) }],
    ['upTo365Days', byAge.upTo365Days, { createdAfter: at(-365), createdBefore: at(-90) }],
    ['over365Days', byAge.over365Days, { createdBefore: at(-365) }],
  ];
}

const FILTERS: Record<string, string>[] = [
  {},
  { status: 'active' },
  { live: 'true' },
  { live: 'false' },
  { dialect: 'panther' },
  { organization: 'Research', neverUsed: 'true' },
  { unusedSince: new Date(Date.now() - 95 * DAY_MS).toISOString() },
  { violatesPolicy: 'true' },
];

describe('each number of GET /patois/v1/tokens/summary', () => {
  test.each(FILTERS)('is a list of so many tokens: %j', async (filter) => {
    for (const headers of [server.asAdmin, head.byPassword, member.byPassword]) {
      const summary = await json(`/tokens/summary?${new URLSearchParams(filter).toString()}`, headers);
      for (const [name, count, link] of linksOf(summary)) {
        // Where both say the same of a token, the narrower one is meant.
        if (Object.keys(link).some((key) => key in filter && link[key] !== filter[key])) continue;
        expect([name, await listed({ ...filter, ...link }, headers)]).toEqual([name, count]);
      }
    }
  });

  test('is of some tokens and not of all, so that the lists say something', async () => {
    const summary = await json('/tokens/summary', member.byPassword);
    expect(summary.total).toBe(LIVES.length);
    for (const [name, count] of linksOf(summary).slice(1)) {
      expect([name, count > 0 && count < LIVES.length]).toEqual([name, true]);
    }
    const { total } = await json('/tokens/summary?violatesPolicy=true', member.byPassword);
    expect(total > 0 && total < LIVES.length).toBe(true);
  });
});

test('exports, owners and revocations mean the same tokens by live and unusedSince', async () => {
  const since = new Date(Date.now() - 90 * DAY_MS).toISOString();
  const filter = { live: 'true', unusedSince: since };
  const count = await listed(filter, server.asAdmin);
  expect(count > 0 && count < 3 * LIVES.length).toBe(true);
  const query = new URLSearchParams(filter).toString();
  const exported = await get(`/tokens/export?${query}`);
  expect(exported.text.trim().split('\n')).toHaveLength(count + 1);
  const { items } = await json(`/owners?${query}`, server.asAdmin);
  const owned = (items as { tokens: { total: number } }[]).map(({ tokens }) => tokens.total);
  expect(owned.reduce((all, total) => all + total, 0)).toBe(count);
  const body = { filter: { live: true, unusedSince: since }, dryRun: true };
  const preview = await server.send('POST', '/patois/v1/revocations', { headers: server.asAdmin, body });
  expect(preview.json).toMatchObject({ count });
  const ended = await json(`/owners?live=false`, server.asAdmin);
  const endedCount = await listed({ live: 'false' }, server.asAdmin);
  expect(
    (ended.items as { tokens: { total: number } }[]).reduce((all, { tokens }) => all + tokens.total, 0),
  ).toBe(endedCount);
});

describe('GET /patois/v1/tokens/summary/expirations', () => {
  const PATH = '/tokens/summary/expirations';

  test.each(FILTERS)('has the days on which the active tokens of a list expire: %j', async (filter) => {
    for (const headers of [server.asAdmin, head.byPassword, member.byPassword]) {
      const query = new URLSearchParams({ ...filter, days: '366' });
      const { from, to, days } = await json(`${PATH}?${query.toString()}`, headers);
      expect(to).toBe(
        `${new Date(Date.parse(from as string) + 366 * DAY_MS).toISOString().slice(0, 10)}T00:00:00.000Z`,
      );
      for (const { date, count } of days as { date: string; count: number }[]) {
        const begin = Date.parse(`${date}T00:00:00Z`);
        const day = {
          status: 'active',
          expiresAfter: new Date(begin).toISOString(),
          expiresBefore: daysFrom(begin, 1).toISOString(),
        };
        expect([date, await listed({ ...filter, ...day }, headers)]).toEqual([date, count]);
      }
      const whole = await listed({ ...filter, status: 'active', expiresBefore: to as string }, headers);
      const sum = (days as { count: number }[]).reduce((all, { count }) => all + count, 0);
      expect([filter, sum]).toEqual([filter, whole]);
      const dates = (days as { date: string }[]).map(({ date }) => date);
      expect(dates).toEqual([...new Set(dates)].sort());
    }
  });

  test('looks 90 days ahead unless told otherwise, and today is the first day', async () => {
    const { from, to, days } = await json(PATH, member.byPassword);
    const today = Math.floor(Date.parse(from as string) / DAY_MS) * DAY_MS;
    expect(to).toBe(daysFrom(today, 90).toISOString());
    expect(days.length).toBeGreaterThan(0);
    expect((await json(`${PATH}?days=1`, member.byPassword)).to).toBe(daysFrom(today, 1).toISOString());
  });

  test('counts nothing of an owner whom the caller does not see, or whom nobody knows', async () => {
    for (const owner of ['nobody', stranger.user.login]) {
      expect((await json(`${PATH}?owner=${owner}`, head.byPassword)).days).toEqual([]);
    }
  });

  test('needs the scope, a credential and a good query', async () => {
    expectProblem(await get(PATH, {}), 401);
    const { value } = await server.issue({
      dialect: 'patois',
      ownerId: stranger.user.id,
      scopes: ['patois:users.read'],
    });
    expectProblem(await get(PATH, bearer(value)), 403);
    for (const days of ['0', '367', '1.5', 'all', ''])
      expectProblem(await get(`${PATH}?days=${days}`), 400, '/days');
    expectProblem(await get(`${PATH}?status=dead`), 400, '/status');
    expectProblem(await get(`${PATH}?limit=1`), 400, '/limit');
  });
});
