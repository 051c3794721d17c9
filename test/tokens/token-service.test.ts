import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { AccountsService } from '../../src/accounts/accounts.service.js';
import { createApp } from '../../src/app.js';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { SYSTEM } from '../../src/audit/audit.writer.js';
import { readConfig, type TokenKey } from '../../src/config.js';
import type { Database } from '../../src/database/database.js';
import { CachedLookup } from '../../src/decisions/cached-lookup.js';
import { CachedToken } from '../../src/decisions/cached-token.js';
import { Refusal } from '../../src/refusal.js';
import { type Authority, SYSTEM_AUTHORITY } from '../../src/tokens/authority/authority.js';
import { makeFirstPolicy } from '../../src/tokens/policy/policy.entity.js';
import { makeToken, withFreshSecret } from '../../src/tokens/token-format.js';
import { stateOf } from '../../src/tokens/token-state.js';
import { Token } from '../../src/tokens/token.entity.js';
import { type IssuedToken, TokenService, type TokenSpec } from '../../src/tokens/token.service.js';
import { moveClock } from '../support/clock.js';
import { TestServer } from '../support/server.js';
import { onceFree, openTestStore } from '../support/store.js';

const DIALECT = 'panther';
const EVERYTHING = SYSTEM_AUTHORITY;

let server: TestServer;
let tokens: TokenService;
let lookup: CachedLookup;
let ownerId: string;
beforeAll(async () => {
  server = await TestServer.start();
  tokens = server.app.nest.get(TokenService, { strict: false });
  lookup = server.app.nest.get(CachedLookup, { strict: false });
  ownerId = (await server.makeUser()).user.id;
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => server.close());

/** The owner, through a token that holds just these scopes and may reach just these blocks. */
async function holding(scopes: string[], allowedCidrs: string[] = []): Promise<Authority> {
  const { token, value } = await issue({ scopes, allowedCidrs });
  return {
    actor: { ...SYSTEM, address: allowedCidrs[0]?.split('/')[0] ?? null },
    credential: { kind: 'token', userId: ownerId, tokenUuid: token.id, value, isRetired: false },
    uncovered: (held, _, needed) => needed.filter((scope) => !held.includes(scope)),
  };
}

async function issue(spec: Partial<TokenSpec> = {}, by: Authority = EVERYTHING): Promise<IssuedToken> {
  const whole = {
    dialect: DIALECT,
    owner: { id: ownerId },
    name: 'a token',
    scopes: ['BulkUpload'],
    ...spec,
  };
  const issued = await tokens.issue(whole, by);
  server.secrets.add(issued.value);
  return issued;
}

async function reasonOf(value: string): Promise<string> {
  const found = await lookup.find(value);
  if (typeof found === 'string') return found;
  return found instanceof CachedToken ? stateOf(found) : 'unknown';
}

async function refusalOf(work: Promise<unknown>): Promise<Refusal> {
  const problem: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(problem instanceof Refusal)) throw new Error(`Not refused: ${String(problem)}`);
  return problem;
}

function eventsOf(tokenId: string): Promise<AuditEvent[]> {
  const order = { time: 'ASC' } as const;
  return server.app.dataSource.manager.find(AuditEvent, { where: { objectId: tokenId }, order });
}

/** The whole row, digests included, as the database has it. */
async function rowOf(id: string): Promise<Record<string, unknown> | undefined> {
  const rows = await server.app.dataSource.query<Record<string, unknown>[]>(
    'SELECT to_jsonb(tokens) AS row FROM tokens WHERE id = $1',
    [id],
  );
  return rows[0];
}

describe('issue', () => {
  test('a token works at once, and its value is kept nowhere', async () => {
    const { token, value } = await issue({ description: 'for a test', dialectFields: { kept: [1] } });
    expect(await reasonOf(value)).toBe('active');
    expect(token).toMatchObject({
      dialect: DIALECT,
      ownerId,
      name: 'a token',
      description: 'for a test',
      scopes: ['BulkUpload'],
      allowedCidrs: [],
      inactive: false,
      expiresAt: null,
      updatedAt: null,
      rotatedAt: null,
      lastUsedAt: null,
      revokedAt: null,
      dialectFields: { kept: [1] },
    });
    expect(token.tokenId).toBe(value.slice(0, 15));
    expect(token.digest).toBeUndefined();
    expect(JSON.stringify(await rowOf(token.id))).not.toContain(value.slice(16));
  });

  test('its audit event holds what was made, and neither digest nor value', async () => {
    const { token, value } = await issue({ keepsSealedValue: true });
    const events = await eventsOf(token.tokenId);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ action: 'token.create', actorType: 'system', before: null });
    expect(events[0]?.after).toMatchObject({ uuid: token.id, name: 'a token', status: 'active' });
    const [{ row = {} } = {}] = await server.app.dataSource.query<{ row?: Record<string, string> }[]>(
      `SELECT jsonb_build_object('hex', encode(digest, 'hex'), 'base64', encode(digest, 'base64'),
         'sealed', sealed_value) AS row FROM tokens WHERE id = $1`,
      [token.id],
    );
    for (const secret of [...Object.values(row), value.slice(16)])
      expect(JSON.stringify(events)).not.toContain(secret);
  });

  test('an owner who is not there, or not any more, gets no token', async () => {
    expect((await refusalOf(issue({ owner: { id: randomUUID() } }))).kind).toBe('notFound');
    const { user } = await server.makeUser();
    await server.send('DELETE', `/patois/v1/users/${user.id}`, { headers: server.asAdmin });
    expect((await refusalOf(issue({ owner: { id: user.id } }))).kind).toBe('notFound');
  });

  test('of many at once with one unique name, one is made', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => issue({ uniqueName: 'only one' })),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
    expect(refused).toHaveLength(19);
    for (const reason of refused) expect(reason).toMatchObject({ kind: 'conflict', reason: 'nameTaken' });
    expect(await server.app.dataSource.manager.countBy(Token, { uniqueName: 'only one' })).toBe(1);
  });

  test('a unique name is one among the tokens of its owner, revoked ones included', async () => {
    const other = await server.makeUser();
    const { token } = await issue({ uniqueName: 'shared' });
    await issue({ uniqueName: 'shared', owner: { id: other.user.id } });
    await issue({ uniqueName: 'Shared' });
    await tokens.revoke({ id: token.id }, EVERYTHING);
    expect((await refusalOf(issue({ uniqueName: 'shared' }))).reason).toBe('nameTaken');
  });
});

describe('nobody hands on what they do not hold', () => {
  test('a scope that the issuer lacks is refused by name', async () => {
    const refusal = await refusalOf(
      issue({ scopes: ['BulkUpload', 'RuleRead', 'UserRead'] }, await holding(['BulkUpload'])),
    );
    expect(refusal).toMatchObject({ kind: 'forbidden', reason: 'grant', missing: ['RuleRead', 'UserRead'] });
    expect(refusal.message).toContain('RuleRead, UserRead');
  });

  test('a confined issuer makes confined tokens only', async () => {
    const confined = await holding(['BulkUpload'], ['10.0.0.0/8']);
    await issue({ allowedCidrs: ['10.1.0.0/16', '10.2.0.0/16'] }, confined);
    for (const allowedCidrs of [[], ['0.0.0.0/0'], ['10.0.0.0/7'], ['10.1.0.0/16', '192.0.2.0/24'], ['::/0']])
      expect(await refusalOf(issue({ allowedCidrs }, confined))).toMatchObject({ reason: 'reach' });
  });

  test('an update can add neither a scope nor reach that the caller lacks', async () => {
    const { token } = await issue({ allowedCidrs: ['10.0.0.0/8'] });
    const by = await holding(['BulkUpload'], ['10.0.0.0/8']);
    const where = { id: token.id };
    const before = await rowOf(token.id);
    expect(await refusalOf(tokens.update(where, { scopes: ['RuleRead'] }, by))).toMatchObject({
      reason: 'grant',
      missing: ['RuleRead'],
    });
    expect(await refusalOf(tokens.update(where, { allowedCidrs: [] }, by))).toMatchObject({
      reason: 'reach',
    });
    expect(await refusalOf(tokens.update(where, { allowedCidrs: ['0.0.0.0/0'] }, by))).toMatchObject({
      reason: 'reach',
    });
    expect(await rowOf(token.id)).toEqual(before);
    expect((await tokens.update(where, { allowedCidrs: ['10.1.0.0/16'] }, by)).allowedCidrs).toEqual([
      '10.1.0.0/16',
    ]);
  });

  test('nobody takes over, by rotation, a token that holds or reaches more', async () => {
    const { token, value } = await issue({ scopes: ['BulkUpload', 'RuleRead'] });
    const where = { id: token.id };
    expect(await refusalOf(tokens.rotate(where, await holding(['BulkUpload'])))).toMatchObject({
      kind: 'forbidden',
      missing: ['RuleRead'],
    });
    const confined = await holding(['BulkUpload', 'RuleRead'], ['10.0.0.0/8']);
    expect(await refusalOf(tokens.rotate(where, confined))).toMatchObject({ reason: 'reach' });
    expect(await reasonOf(value)).toBe('active');
  });
});

describe('update', () => {
  test('changes what is named and says when; the value goes on working', async () => {
    const { token, value } = await issue({ description: 'stays' });
    const after = await tokens.update({ id: token.id }, { name: 'renamed', inactive: true }, EVERYTHING);
    expect(after).toMatchObject({ name: 'renamed', inactive: true, description: 'stays', rotatedAt: null });
    expect(after.updatedAt).toBeInstanceOf(Date);
    expect(await reasonOf(value)).toBe('inactive');
    await tokens.update({ id: token.id }, { inactive: false }, EVERYTHING);
    expect(await reasonOf(value)).toBe('active');
    const actions = (await eventsOf(token.tokenId)).map(({ action }) => action);
    expect(actions).toEqual(['token.create', 'token.update', 'token.update']);
    const [, event] = await eventsOf(token.tokenId);
    expect([event?.before?.['name'], event?.after?.['name']]).toEqual(['a token', 'renamed']);
  });

  test('a unique name follows the name, and stays unique', async () => {
    const { token } = await issue({ name: 'first', uniqueName: 'first' });
    await issue({ name: 'second', uniqueName: 'second' });
    expect((await refusalOf(tokens.update({ id: token.id }, { name: 'second' }, EVERYTHING))).reason).toBe(
      'nameTaken',
    );
    await tokens.update({ id: token.id }, { name: 'third' }, EVERYTHING);
    await issue({ name: 'first', uniqueName: 'first' });
  });

  test('a token that the criteria do not reach is not found', async () => {
    const { token } = await issue();
    const where = { id: token.id, dialect: 'another' };
    for (const change of [
      tokens.update(where, { name: 'x' }, EVERYTHING),
      tokens.rotate(where, EVERYTHING),
      tokens.revoke(where, EVERYTHING),
    ])
      expect((await refusalOf(change)).kind).toBe('notFound');
    expect(await tokens.find(where)).toBeUndefined();
  });
});

describe('rotate', () => {
  test('the new value works, the old one is dead at once, everything else stays', async () => {
    const { token, value } = await issue({ allowedCidrs: ['10.0.0.0/8'] });
    const rotated = await tokens.rotate({ id: token.id }, EVERYTHING);
    server.secrets.add(rotated.value);
    expect(await reasonOf(value)).toBe('unknown');
    expect(await reasonOf(rotated.value)).toBe('active');
    expect(rotated.value.slice(0, 15)).toBe(token.tokenId);
    expect(rotated.token.rotatedAt).toBeInstanceOf(Date);
    expect(rotated.token).toMatchObject({
      id: token.id,
      name: token.name,
      scopes: token.scopes,
      allowedCidrs: token.allowedCidrs,
      updatedAt: null,
    });
  });

  test('during a grace both values work, after it the new one alone', async () => {
    const { token, value } = await issue();
    moveClock(0);
    const rotated = await tokens.rotate({ id: token.id }, EVERYTHING, { graceSeconds: 60 });
    server.secrets.add(rotated.value);
    moveClock(59_999);
    expect([await reasonOf(value), await reasonOf(rotated.value)]).toEqual(['active', 'active']);
    expect(await reasonOf(withFreshSecret(token.tokenId).value)).toBe('unknown');
    moveClock(1);
    expect([await reasonOf(value), await reasonOf(rotated.value)]).toEqual(['unknown', 'active']);
  });

  test('a second rotation without grace ends the grace of the first', async () => {
    const { token, value } = await issue();
    const first = await tokens.rotate({ id: token.id }, EVERYTHING, { graceSeconds: 600 });
    const second = await tokens.rotate({ id: token.id }, EVERYTHING);
    server.secrets.add(first.value).add(second.value);
    const values = [value, first.value, second.value];
    expect(await Promise.all(values.map(reasonOf))).toEqual(['unknown', 'unknown', 'active']);
  });

  test('a revoked token is dead by every value, its grace included', async () => {
    const { token, value } = await issue();
    const rotated = await tokens.rotate({ id: token.id }, EVERYTHING, { graceSeconds: 600 });
    server.secrets.add(rotated.value);
    await tokens.revoke({ id: token.id }, EVERYTHING);
    expect(await reasonOf(rotated.value)).toBe('revoked');
    expect(await reasonOf(value)).not.toBe('active');
    expect(await rowOf(token.id)).toMatchObject({ row: { previous_valid_until: null } });
  });

  test("of many rotations of one's own value at once, one wins and exactly its value works", async () => {
    const { token, value } = await issue();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => tokens.rotate({ id: token.id }, EVERYTHING, { presented: value })),
    );
    const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.value] : []));
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
    expect(won).toHaveLength(1);
    for (const reason of lost) expect(reason).toMatchObject({ kind: 'conflict', reason: 'superseded' });
    for (const one of won) server.secrets.add(one);
    expect(await Promise.all([value, ...won].map(reasonOf))).toEqual(['unknown', 'active']);
  });

  test("rotations of another's token run one after the other; the last value lives", async () => {
    const { token } = await issue();
    const rotated = await Promise.all(
      Array.from({ length: 10 }, () => tokens.rotate({ id: token.id }, EVERYTHING)),
    );
    for (const { value } of rotated) server.secrets.add(value);
    const reasons = await Promise.all(rotated.map(({ value }) => reasonOf(value)));
    expect(reasons.filter((reason) => reason === 'active')).toHaveLength(1);
    expect(reasons.filter((reason) => reason === 'unknown')).toHaveLength(9);
  });

  test('a sealed copy follows the value', async () => {
    const { token, value } = await issue({ keepsSealedValue: true });
    expect(await tokens.reveal({ id: token.id }, EVERYTHING)).toBe(value);
    const rotated = await tokens.rotate({ id: token.id }, EVERYTHING);
    server.secrets.add(rotated.value);
    expect(await tokens.reveal({ id: token.id }, EVERYTHING)).toBe(rotated.value);
    await tokens.revoke({ id: token.id }, EVERYTHING);
    expect(await tokens.reveal({ id: token.id }, EVERYTHING)).toBeUndefined();
  });
});

describe('revoke', () => {
  test('ends a token at once and for good; a second time changes and records nothing', async () => {
    const { token, value } = await issue();
    expect(await reasonOf(value)).toBe('active');
    const first = await tokens.revoke({ id: token.id }, EVERYTHING, { reason: 'lost' });
    expect(await reasonOf(value)).toBe('revoked');
    expect(first).toMatchObject({ revokeReason: 'lost', revokedBy: { type: 'system' } });
    const again = await tokens.revoke({ id: token.id }, EVERYTHING, { reason: 'twice' });
    expect(again.revokedAt).toEqual(first.revokedAt);
    expect(again.revokeReason).toBe('lost');
    const events = await eventsOf(token.tokenId);
    expect(events.map(({ action }) => action)).toEqual(['token.create', 'token.revoke']);
    expect(events[1]?.after).toMatchObject({ status: 'revoked', revokeReason: 'lost' });
  });

  test('of many at once one is recorded', async () => {
    const { token } = await issue();
    await Promise.all(Array.from({ length: 20 }, () => tokens.revoke({ id: token.id }, EVERYTHING)));
    expect(await eventsOf(token.tokenId)).toHaveLength(2);
  });
});

describe('verify says why a value does not work', () => {
  test('malformed, unknown, wrong, expired, inactive, revoked, owner disabled', async () => {
    const past = new Date(Date.now() - 1000);
    const { token, value } = await issue();
    const { value: expired } = await issue({ expiresAt: past });
    const { value: inactive } = await issue({ inactive: true });
    const { value: dead, token: revoked } = await issue({ expiresAt: past, inactive: true });
    await tokens.revoke({ id: revoked.id }, EVERYTHING);
    expect(await reasonOf(`${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}`)).toBe('malformed');
    expect(await reasonOf('password')).toBe('malformed');
    expect(await reasonOf('')).toBe('malformed');
    expect(await reasonOf(makeToken().value)).toBe('unknown');
    expect(await reasonOf(withFreshSecret(token.tokenId).value)).toBe('unknown');
    expect(await reasonOf(expired)).toBe('expired');
    expect(await reasonOf(inactive)).toBe('inactive');
    expect(await reasonOf(dead)).toBe('revoked');
  });

  test('a token ends with its expiry, also where it was just found good', async () => {
    moveClock(0);
    const { value } = await issue({ expiresAt: new Date(Date.now() + 60_000) });
    expect(await reasonOf(value)).toBe('active');
    moveClock(59_999);
    expect(await reasonOf(value)).toBe('active');
    moveClock(1);
    expect(await reasonOf(value)).toBe('expired');
  });

  test('the tokens of a disabled owner are dead at once and back with the owner', async () => {
    const { user } = await server.makeUser();
    const { value } = await issue({ owner: { id: user.id } });
    expect(await reasonOf(value)).toBe('active');
    const patch = (disabled: boolean): Promise<unknown> =>
      server.send('PATCH', `/patois/v1/users/${user.id}`, { headers: server.asAdmin, body: { disabled } });
    await patch(true);
    expect(await reasonOf(value)).toBe('ownerDisabled');
    await patch(false);
    expect(await reasonOf(value)).toBe('active');
  });

  test('the tokens of an owner whose row alone says that it is deleted are unknown', async () => {
    const { user } = await server.makeUser();
    const { value } = await issue({ owner: { id: user.id } });
    await server.app.dataSource.query('UPDATE users SET deleted_at = now() WHERE id = $1', [user.id]);
    expect(await reasonOf(value)).toBe('unknown');
  });

  test('the tokens of a deleted owner are revoked with the owner and stay in the trail', async () => {
    const { user } = await server.makeUser();
    const { token, value } = await issue({ owner: { id: user.id } });
    expect(await reasonOf(value)).toBe('active');
    const deleted = await server.send('DELETE', `/patois/v1/users/${user.id}`, { headers: server.asAdmin });
    expect(deleted.status).toBe(204);
    expect(await reasonOf(value)).not.toBe('active');
    expect((await tokens.find({ id: token.id }))?.isRevoked()).toBe(true);
    const events = await eventsOf(token.tokenId);
    expect(events.map(({ action }) => action)).toEqual(['token.create', 'token.revoke']);
  });
});

describe('a change and its audit event commit together', () => {
  test('where the event cannot be written nothing changes', async () => {
    const { token, value } = await issue();
    const { user } = await server.makeUser();
    const before = await rowOf(token.id);
    const count = await server.app.dataSource.manager.count(Token);
    const accounts = server.app.nest.get(AccountsService, { strict: false });
    await server.app.dataSource.query(
      'ALTER TABLE audit_events ADD CONSTRAINT broken CHECK (false) NOT VALID',
    );
    try {
      const where = { id: token.id };
      const changes = [
        () => issue(),
        () => tokens.update(where, { name: 'changed' }, EVERYTHING),
        () => tokens.rotate(where, EVERYTHING),
        () => tokens.rotate(where, EVERYTHING, { presented: value, graceSeconds: 60 }),
        () => tokens.revoke(where, EVERYTHING),
        () => accounts.createOrganization('Never', SYSTEM, makeFirstPolicy),
        () => accounts.createUser({ login: 'never', organizationId: user.organizationId }, SYSTEM),
      ];
      for (const change of changes) await expect(change()).rejects.toThrow(/broken/);
      const deleted = await server.send('DELETE', `/patois/v1/users/${user.id}`, { headers: server.asAdmin });
      expect(deleted.status).toBe(500);
    } finally {
      await server.app.dataSource.query('ALTER TABLE audit_events DROP CONSTRAINT broken');
    }
    expect(await rowOf(token.id)).toEqual(before);
    expect(await server.app.dataSource.manager.count(Token)).toBe(count);
    expect(await reasonOf(value)).toBe('active');
    const names = await server.app.dataSource.query<unknown[]>(
      `SELECT 1 FROM organizations WHERE name = 'Never' UNION SELECT 1 FROM users WHERE login = 'never'`,
    );
    expect(names).toEqual([]);
    expect(
      (await server.send('GET', `/patois/v1/users/${user.id}`, { headers: server.asAdmin })).status,
    ).toBe(200);
  });
});

describe('a ring of keys over the years', () => {
  test('a token of an old key works, is digested anew at its next use, and outlives the old key', async () => {
    const key = (name: string): TokenKey => ({ name, secret: randomBytes(32) });
    const [old, fresh, stranger] = [key('old'), key('new'), key('stranger')];
    const store: Database = await openTestStore();
    const kept: Database = { ...store, close: async () => {} };
    const under = async <Result>(
      tokenKeys: TokenKey[],
      work: (verify: (value: string) => Promise<string>, all: TokenService) => Promise<Result>,
    ): Promise<Result> => {
      const config = { ...readConfig({}), port: 0, bcryptCost: 4, adminPassword: 'a password', tokenKeys };
      const app = await onceFree(() => createApp(config, false, async () => kept));
      const someone = app.nest.get(CachedLookup, { strict: false });
      const verify = async (value: string): Promise<string> => {
        const found = await someone.find(value);
        return found instanceof CachedToken ? stateOf(found) : 'unknown';
      };
      const result = await work(verify, app.nest.get(TokenService, { strict: false }));
      await app.close();
      return result;
    };
    const { value, token, unused } = await under([old], async (_, all) => {
      const [{ id }] = (await all.query().connection.query<{ id: string }[]>('SELECT id FROM users')) as [
        { id: string },
      ];
      const spec = { dialect: DIALECT, owner: { id }, name: 'old', scopes: ['BulkUpload'] };
      const { value: other } = await all.issue(spec, EVERYTHING);
      return { ...(await all.issue(spec, EVERYTHING)), unused: other };
    });
    const keyOf = (all: TokenService): Promise<Token | null> =>
      all.query().addSelect('token.digestKey').andWhere({ id: token.id }).getOne();
    expect(await under([stranger], (verify) => verify(value))).toBe('unknown');
    await under([fresh, old], async (verify, all) => {
      expect((await keyOf(all))?.digestKey).toBe('old');
      expect(await verify(value)).toBe('active');
      expect((await keyOf(all))?.digestKey).toBe('new');
    });
    await under([fresh], async (verify) => {
      expect(await verify(value)).toBe('active');
      expect(await verify(unused)).toBe('unknown');
    });
    await store.close();
  });
});
