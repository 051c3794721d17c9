import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { DEFAULT_POLICY, makeFirstPolicy, Policy } from '../../src/tokens/policy/policy.entity.js';
import { LastUse, Token } from '../../src/tokens/token.entity.js';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

const DAY = 86_400;
const STRICT = {
  maxLifetimeSeconds: 90 * DAY,
  defaultLifetimeSeconds: 30 * DAY,
  allowNonExpiring: false,
  maxUnusedSeconds: 60 * DAY,
  maxTokensPerUser: 20,
  allowedCidrs: ['127.0.0.0/8', '2001:db8::/32'],
  requireCidrs: true,
  defaultGraceSeconds: 3_600,
  onReuse: 'revoke',
  onLeak: 'notify',
};

let server: TestServer;
let researchId: string;
let elsewhereId: string;
/** Administers the organization Research, and nothing else. */
let head: TestUser;
let member: TestUser;
/** Administers the organization Elsewhere. */
let stranger: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  researchId = (await server.organization('Research')).id;
  elsewhereId = (await server.organization('Elsewhere')).id;
  head = await server.makeUser({ role: 'organizationAdministrator', organizationId: researchId });
  member = await server.makeUser({ organizationId: researchId });
  stranger = await server.makeUser({ role: 'organizationAdministrator', organizationId: elsewhereId });
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => server.close());

/** Gives the organizations the policies that new ones have. */
async function resetPolicies(): Promise<void> {
  const { manager } = server.app.dataSource;
  for (const organizationId of [researchId, elsewhereId]) {
    await manager.delete(Policy, { organizationId });
    await makeFirstPolicy(manager, organizationId);
  }
}

function call(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<Received> {
  return server.send(method, `/patois/v1${path}`, { headers, ...(body === undefined ? {} : { body }) });
}

const POLICY = '/organizations/Research/policy';

function put(body: unknown, headers = head.byPassword): Promise<Received> {
  return call('PUT', POLICY, headers, body);
}

async function byToken(owner: TestUser, spec: object): Promise<Record<string, string>> {
  const { value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, ...spec });
  return bearer(value);
}

/** Every call of a policy, with the scope that it needs. */
const CALLS: [method: string, path: string, scope: string][] = [
  ['GET', '', 'patois:users.read'],
  ['PUT', '', 'patois:users.write'],
  ['POST', '/preview', 'patois:tokens.read'],
];

describe.each(CALLS)('%s /patois/v1/organizations/{organization}/policy%s', (method, path, scope) => {
  beforeEach(resetPolicies);

  const ask = (headers: Record<string, string>, organization = 'Research'): Promise<Received> =>
    call(method, `/organizations/${organization}/policy${path}`, headers, method === 'GET' ? undefined : {});

  test('is answered to administrators, by name and by uuid, and to who administers the organization', async () => {
    for (const headers of [server.asAdmin, head.byPassword]) {
      for (const organization of ['Research', 'research', researchId]) {
        expect((await ask(headers, organization)).status).toBe(200);
      }
    }
  });

  test('needs a credential', async () => {
    expectProblem(await ask({}), 401);
    expectProblem(await ask(bearer('x')), 401);
  });

  test(`needs the scope ${scope}`, async () => {
    const others = ['patois:users.read', 'patois:users.write', 'patois:tokens.read', 'patois:introspect'];
    const lacking = await byToken(head, { scopes: others.filter((one) => one !== scope) });
    expectProblem(await ask(lacking), 403);
    expect((await ask(await byToken(head, { scopes: [scope] }))).status).toBe(200);
    expect((await ask(await byToken(head, { scopes: ['*'] }))).status).toBe(200);
  });

  test('is not for members', async () => {
    expectProblem(await ask(member.byPassword), 403);
    expectProblem(await ask(member.byPassword, 'nowhere'), 403);
  });

  test("another organization's is not there, as one that never was", async () => {
    const answers = [await ask(stranger.byPassword), await ask(stranger.byPassword, researchId)];
    answers.push(await ask(head.byPassword, 'nowhere'), await ask(server.asAdmin, 'nowhere'));
    answers.push(await ask(server.asAdmin, '%00'), await ask(server.asAdmin, member.user.id));
    for (const answer of answers) {
      expectProblem(answer, 404);
      expect(answer.json.detail).toBe('No such organization');
    }
  });
});

describe('GET a policy', () => {
  beforeEach(resetPolicies);

  test('shows all settings, and nothing else, with a strong entity tag', async () => {
    const { json, headers } = await call('GET', POLICY, head.byPassword);
    expect(Object.entries(json)).toEqual(Object.entries(DEFAULT_POLICY));
    expect(headers['etag']).toBe('"1"');
  });

  test('is no more than the defaults where an older version made the organization', async () => {
    await server.app.dataSource.manager.delete(Policy, { organizationId: researchId });
    const { json, headers } = await call('GET', POLICY, head.byPassword);
    expect([json, headers['etag']]).toEqual([DEFAULT_POLICY, '"0"']);
    const changed = await put({ maxTokensPerUser: 5 });
    expect([changed.status, changed.headers['etag']]).toEqual([200, '"1"']);
    expect((await call('GET', POLICY, head.byPassword)).json.maxTokensPerUser).toBe(5);
  });
});

describe('PUT a policy', () => {
  beforeEach(resetPolicies);

  test('replaces all of it: keys that are left out have their defaults', async () => {
    const first = await put(STRICT);
    expect([first.status, first.json, first.headers['etag']]).toEqual([200, STRICT, '"2"']);
    const second = await put({ maxTokensPerUser: 1, maxUnusedSeconds: null });
    expect(second.json).toEqual({ ...DEFAULT_POLICY, maxTokensPerUser: 1 });
    const read = await call('GET', POLICY, head.byPassword);
    expect([read.json, read.headers['etag']]).toEqual([second.json, '"3"']);
    expect((await put(read.json)).json).toEqual(read.json);
    expect((await call('GET', '/organizations/Elsewhere/policy', server.asAdmin)).json).toEqual(
      DEFAULT_POLICY,
    );
  });

  test('is an audit event with all that was and is', async () => {
    await put(STRICT);
    await put({});
    const events = await server.app.dataSource.manager.find(AuditEvent, {
      where: { action: 'policy.update', objectId: researchId },
      order: { time: 'DESC' },
      take: 2,
    });
    expect(events).toMatchObject([
      {
        actorType: 'user',
        actorId: head.user.id,
        objectType: 'organization',
        before: STRICT,
        after: DEFAULT_POLICY,
      },
      { before: DEFAULT_POLICY, after: STRICT },
    ]);
  });

  test('does not happen without its event', async () => {
    const { dataSource } = server.app;
    await dataSource.query('ALTER TABLE audit_events ADD CONSTRAINT broken CHECK (false) NOT VALID');
    expect((await put(STRICT)).status).toBe(500);
    await dataSource.query('ALTER TABLE audit_events DROP CONSTRAINT broken');
    expect((await call('GET', POLICY, head.byPassword)).json).toEqual(DEFAULT_POLICY);
  });

  test.each<[string, unknown, string[]]>([
    ['a lifetime of nothing', { maxLifetimeSeconds: 0 }, ['/maxLifetimeSeconds']],
    ['half a second', { defaultLifetimeSeconds: 1.5 }, ['/defaultLifetimeSeconds']],
    ['a text', { maxUnusedSeconds: '5' }, ['/maxUnusedSeconds']],
    ['more than 31 years', { maxLifetimeSeconds: 1_000_000_001 }, ['/maxLifetimeSeconds']],
    ['no tokens', { maxTokensPerUser: 0 }, ['/maxTokensPerUser']],
    ['more than a million tokens', { maxTokensPerUser: 1_000_001 }, ['/maxTokensPerUser']],
    ['null where there is no such limit', { allowNonExpiring: null }, ['/allowNonExpiring']],
    ['null for a list', { allowedCidrs: null }, ['/allowedCidrs']],
    ['null for a word', { onLeak: null }, ['/onLeak']],
    ['no list', { allowedCidrs: '10.0.0.0/8' }, ['/allowedCidrs']],
    ['no block', { allowedCidrs: ['10.0.0.0/8', '10.0.0.1/8'] }, ['/allowedCidrs/1']],
    ['a mapped block', { allowedCidrs: ['::ffff:10.0.0.0/104'] }, ['/allowedCidrs/0']],
    [
      'more than 100 blocks',
      { allowedCidrs: Array.from({ length: 101 }, (_, index) => `10.0.${index}.0/24`) },
      ['/allowedCidrs'],
    ],
    ['a negative grace', { defaultGraceSeconds: -1 }, ['/defaultGraceSeconds']],
    ['a grace of more than a week', { defaultGraceSeconds: 604_801 }, ['/defaultGraceSeconds']],
    ['a word that is none', { onReuse: 'ignore' }, ['/onReuse']],
    ['a key that is none', { maxLifetime: 5 }, ['/maxLifetime']],
    ['a list', [], ['']],
  ])('refuses %s', async (_, body, pointers) => {
    expectProblem(await put(body), 400, ...pointers);
    expectProblem(await call('POST', `${POLICY}/preview`, head.byPassword, body), 400, ...pointers);
    expect((await call('GET', POLICY, head.byPassword)).headers['etag']).toBe('"1"');
  });

  test('refuses a default that is longer than the maximum, and takes one that is as long', async () => {
    const answer = await put({ maxLifetimeSeconds: DAY, defaultLifetimeSeconds: DAY + 1 });
    expectProblem(answer, 400, '/defaultLifetimeSeconds');
    expect((await put({ maxLifetimeSeconds: DAY, defaultLifetimeSeconds: DAY })).status).toBe(200);
    expect((await put({ defaultLifetimeSeconds: DAY })).status).toBe(200);
  });

  test('keeps a block once, as it is written first', async () => {
    const { json } = await put({ allowedCidrs: ['2001:DB8::/32', '10.0.0.0/8', '2001:db8::/32'] });
    expect(json.allowedCidrs).toEqual(['2001:DB8::/32', '10.0.0.0/8']);
  });

  describe('with If-Match', () => {
    const conditional = (ifMatch: string): Promise<Received> =>
      put({ maxTokensPerUser: 7 }, { ...head.byPassword, 'if-match': ifMatch });

    test.each(['"1"', ' "0" , "1"', '*', '"x", W/"1", "1"'])('%s replaces the first', async (ifMatch) => {
      const answer = await conditional(ifMatch);
      expect([answer.status, answer.headers['etag']]).toEqual([200, '"2"']);
    });

    test.each(['"2"', 'W/"1"', '"0", "11"', '""'])('%s does not', async (ifMatch) => {
      const answer = await conditional(ifMatch);
      expectProblem(answer, 412);
      expect(answer.json.title).toBe('Precondition Failed');
      expect((await call('GET', POLICY, head.byPassword)).json).toEqual(DEFAULT_POLICY);
    });

    test.each(['1', '"1', '"1" "2"', '"1",', '*, "1"', `${'"1",'.repeat(100)}"1"`])(
      '%s is refused',
      async (ifMatch) => {
        expectProblem(await conditional(ifMatch), 400);
      },
    );

    test('of twenty at once one replaces it', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => conditional('"1"')));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 412)).toHaveLength(19);
    });
  });

  describe('through a token', () => {
    test('narrows it with the scope, from wherever and for as long as the token works', async () => {
      const scopes = ['patois:users.write'];
      const expiresAt = new Date(Date.now() + 3_600_000);
      const narrow = await byToken(head, { scopes, allowedCidrs: ['127.0.0.0/8'], expiresAt });
      expect((await put({ maxLifetimeSeconds: DAY }, narrow)).status).toBe(200);
      expect((await put({ maxLifetimeSeconds: DAY, requireCidrs: true }, narrow)).status).toBe(200);
    });

    test.each<[string, object, string]>([
      ['without *', { scopes: ['patois:*'] }, "without the scope '*' cannot loosen a policy"],
      ['with CIDR blocks', { scopes: ['*'], allowedCidrs: ['127.0.0.0/8'] }, 'confined to CIDR blocks'],
      ['that expires', { scopes: ['*'], expiresAt: new Date('2099-01-01') }, 'that expires'],
    ])('%s it does not loosen it', async (_, spec, text) => {
      const headers = await byToken(head, spec);
      await put(STRICT);
      const answer = await put({ ...STRICT, maxTokensPerUser: 21 }, headers);
      expectProblem(answer, 403);
      expect(answer.json.detail).toContain(text);
      expect((await put({ ...STRICT, maxTokensPerUser: 19 }, headers)).status).toBe(200);
      expect((await call('GET', POLICY, head.byPassword)).json.maxTokensPerUser).toBe(19);
    });

    test('with * it does', async () => {
      const headers = await byToken(head, { scopes: ['*'] });
      await put(STRICT);
      expect((await put({}, headers)).status).toBe(200);
    });
  });

  test('asks again, under the lock, whether the caller may', async () => {
    const demoted = await server.makeUser({ role: 'organizationAdministrator', organizationId: researchId });
    // Once the request has found the organization, as one who administers it.
    const { manager } = server.app.dataSource;
    const findOne = manager.createQueryBuilder.bind(manager);
    jest.spyOn(manager, 'createQueryBuilder').mockImplementation((...given: unknown[]) => {
      const query = (findOne as (...all: unknown[]) => ReturnType<typeof findOne>)(...given);
      if (given[1] !== 'place') return query;
      const getOne = query.getOne.bind(query);
      query.getOne = async () => {
        const found = await getOne();
        await manager.query(`UPDATE users SET role = 'member' WHERE id = $1`, [demoted.user.id]);
        return found;
      };
      return query;
    });
    const answer = await put({ maxTokensPerUser: 1 }, demoted.byPassword);
    jest.restoreAllMocks();
    expectProblem(answer, 403);
    expect((await call('GET', POLICY, head.byPassword)).json).toEqual(DEFAULT_POLICY);
  });
});

describe('POST a preview', () => {
  let owner: TestUser;
  /** In the order in which they were made. */
  let made: Token[];

  beforeAll(async () => {
    await resetPolicies();
    await server.app.dataSource.query('DELETE FROM tokens');
    owner = await server.makeUser({ organizationId: researchId });
    made = [];
    const soon = new Date(Date.now() + DAY * 1000);
    for (const spec of [
      { name: 'forever' },
      { name: 'soon', expiresAt: soon },
      { name: 'late', expiresAt: new Date(Date.now() + 400 * DAY * 1000) },
      { name: 'confined', expiresAt: soon, allowedCidrs: ['10.1.0.0/16'] },
      { name: 'dead', expiresAt: new Date(Date.now() - 1) },
      { name: 'ended' },
    ]) {
      made.push((await server.issue({ dialect: 'panther', ownerId: owner.user.id, ...spec })).token);
    }
    await server.revoke(made[5] as Token);
    const gone = await server.makeUser({ organizationId: researchId });
    await server.issue({ dialect: 'quay', ownerId: gone.user.id });
    // As it is while the tokens of a deleted owner are still to be marked.
    await server.app.dataSource.query('UPDATE users SET deleted_at = now() WHERE id = $1', [gone.user.id]);
    await server.issue({ dialect: 'quay', ownerId: stranger.user.id });
  });

  async function preview(body: object): Promise<Record<string, unknown>> {
    const { status, json } = await call('POST', `${POLICY}/preview`, head.byPassword, body);
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual(['affected', 'byRule', 'sample']);
    const broken = Object.entries(json.byRule as object).filter(([, count]) => count > 0);
    const names = (json.sample as { name: string }[]).map(({ name }) => name);
    return { affected: json.affected, byRule: Object.fromEntries(broken), sample: names };
  }

  test('of a policy that allows everything finds nothing', async () => {
    expect(await preview({})).toEqual({ affected: 0, byRule: {}, sample: [] });
    const { json } = await call('POST', `${POLICY}/preview`, head.byPassword, {});
    expect(json.byRule).toEqual({
      allowNonExpiring: 0,
      maxLifetimeSeconds: 0,
      requireCidrs: 0,
      allowedCidrs: 0,
      maxTokensPerUser: 0,
      maxUnusedSeconds: 0,
    });
  });

  test.each<[object, object, string[]]>([
    [{ allowNonExpiring: false }, { allowNonExpiring: 1 }, ['forever']],
    [{ maxLifetimeSeconds: 30 * DAY }, { maxLifetimeSeconds: 2 }, ['late', 'forever']],
    [{ defaultLifetimeSeconds: DAY }, {}, []],
    [{ requireCidrs: true }, { requireCidrs: 3 }, ['late', 'soon', 'forever']],
    [{ allowedCidrs: ['10.0.0.0/8'] }, { allowedCidrs: 3 }, ['late', 'soon', 'forever']],
    [{ allowedCidrs: ['10.1.0.0/17'] }, { allowedCidrs: 4 }, ['confined', 'late', 'soon', 'forever']],
    [
      { requireCidrs: true, allowNonExpiring: false },
      { requireCidrs: 3, allowNonExpiring: 1 },
      ['late', 'soon', 'forever'],
    ],
  ])('of %j counts %j', async (body, byRule, sample) => {
    expect(await preview(body)).toEqual({ affected: sample.length, byRule, sample });
  });

  test('counts by last use, or else by creation, what is unused, and what is beyond a limit', async () => {
    const { manager } = server.app.dataSource;
    const [forever, soon, late] = made as [Token, Token, Token];
    const ago = (days: number): Date => new Date(Date.now() - days * DAY * 1000);
    await manager.update(LastUse, { tokenUuid: forever.id }, { usedAt: ago(1) });
    await manager.update(LastUse, { tokenUuid: soon.id }, { usedAt: ago(20) });
    await manager.update(Token, { id: late.id }, { createdAt: ago(10) });
    expect(await preview({ maxUnusedSeconds: 5 * DAY })).toEqual({
      affected: 2,
      byRule: { maxUnusedSeconds: 2 },
      sample: ['soon', 'late'],
    });
    expect(await preview({ maxUnusedSeconds: 15 * DAY })).toMatchObject({ affected: 1, sample: ['soon'] });
    expect(await preview({ maxTokensPerUser: 2 })).toEqual({
      affected: 2,
      byRule: { maxTokensPerUser: 2 },
      sample: ['soon', 'late'],
    });
    expect(await preview({ maxTokensPerUser: 4 })).toMatchObject({ affected: 0 });
  });

  test('sees a use that is not written yet', async () => {
    const { value } = await server.issue({ dialect: 'patois', ownerId: head.user.id, name: 'used now' });
    const { tokenId } = { tokenId: value.slice(0, 15) };
    const old = new Date(Date.now() - 100 * DAY * 1000);
    await server.app.dataSource.manager.update(Token, { tokenId }, { createdAt: old });
    const unused = { maxUnusedSeconds: 50 * DAY };
    expect(await preview(unused)).toMatchObject({ sample: ['used now'] });
    await server.send('GET', '/verify', { headers: bearer(value) });
    expect(await preview(unused)).toMatchObject({ sample: [] });
  });

  test('shows 100 tokens at most, as lists do, and counts all', async () => {
    const many = await server.makeUser({ organizationId: researchId });
    for (let count = 0; count < 105; count += 1)
      await server.issue({ dialect: 'panther', ownerId: many.user.id });
    const { json } = await call('POST', `${POLICY}/preview`, head.byPassword, { maxTokensPerUser: 1 });
    expect(json.byRule.maxTokensPerUser).toBeGreaterThanOrEqual(104);
    expect(json.affected).toBe(json.byRule.maxTokensPerUser);
    expect(json.sample).toHaveLength(100);
    const [first] = json.sample;
    const listed = await call('GET', `/tokens/${first.tokenId}`, head.byPassword);
    expect(first).toEqual(listed.json);
  });

  test('changes nothing', async () => {
    const before = await call('GET', POLICY, head.byPassword);
    await preview(STRICT);
    const after = await call('GET', POLICY, head.byPassword);
    expect([after.json, after.headers['etag']]).toEqual([before.json, before.headers['etag']]);
  });
});
