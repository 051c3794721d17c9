import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { StatementCounts } from '../../src/database/statements.js';
import { RotatedTokens } from '../../src/decisions/rotated-tokens.js';
import { RetiredValue } from '../../src/tokens/rotation/retired-value.entity.js';
import { RetiredValues } from '../../src/tokens/rotation/retired-values.js';
import {
  OVERLAP_MS,
  retiresPrevious,
  type RotatedValues,
  rotated,
  type TokenValues,
} from '../../src/tokens/rotation/rotation.js';
import { withFreshSecret } from '../../src/tokens/token-format.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { moveClock } from '../support/clock.js';
import { bearer } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const DAY_MS = 86_400_000;
const AT = new Date('2031-05-06T07:08:09.000Z');

describe('the values of a token', () => {
  const values = (): TokenValues & Pick<Token, 'expiresAt'> => ({
    digest: randomBytes(32),
    digestKey: 'k1',
    previousDigest: null,
    previousDigestKey: null,
    previousValidUntil: null,
    retiresOnFirstUse: false,
    expiresAt: null,
  });
  const rotate = (
    before: ReturnType<typeof values>,
    graceSeconds: number,
    retiresOnFirstUse = true,
  ): RotatedValues =>
    rotated(before, { digest: randomBytes(32), keyName: 'k2' }, { at: AT, graceSeconds, retiresOnFirstUse });

  test('without a grace the old value ends with the rotation', () => {
    const after = rotate(values(), 0);
    expect(after).toMatchObject({ digestKey: 'k2', rotatedAt: AT, previousDigest: null });
    expect([after.previousDigestKey, after.previousValidUntil, after.retiresOnFirstUse]).toEqual([
      null,
      null,
      false,
    ]);
  });

  test('with a grace the old value works until its end', () => {
    const before = values();
    expect(rotate(before, 60)).toMatchObject({
      previousDigest: before.digest,
      previousDigestKey: 'k1',
      previousValidUntil: new Date(AT.getTime() + 60_000),
      retiresOnFirstUse: true,
    });
    expect(rotate(before, 60, false).retiresOnFirstUse).toBe(false);
  });

  test("the token's own end comes first", () => {
    const expiresAt = new Date(AT.getTime() + 1_000);
    expect(rotate({ ...values(), expiresAt }, 60).previousValidUntil).toEqual(expiresAt);
    expect(rotate({ ...values(), expiresAt: AT }, 60).previousDigest).toBeNull();
  });

  test('a second rotation keeps the value of the first alone', () => {
    const first = { ...values(), ...rotate(values(), 600) };
    expect(rotate(first, 600).previousDigest).toBe(first.digest);
  });

  test.each([
    ['more than the overlap is left', OVERLAP_MS + 1, true, true],
    ['no more than the overlap is left', OVERLAP_MS, true, false],
    ['it was asked not to', OVERLAP_MS * 10, false, false],
  ])('a use of the new value where %s', (_, leftMs, retiresOnFirstUse, expected) => {
    const previousValidUntil = new Date(AT.getTime() + leftMs);
    expect(retiresPrevious({ previousValidUntil, retiresOnFirstUse }, AT)).toBe(expected);
  });

  test('a use without a grace retires nothing', () => {
    expect(retiresPrevious(values(), AT)).toBe(false);
  });
});

describe('on a server', () => {
  let server: TestServer;
  let owner: TestUser;
  let rotatedTokens: RotatedTokens;
  beforeAll(async () => {
    server = await TestServer.start({ trustedProxies: ['127.0.0.1/32'] });
    owner = await server.makeUser();
    rotatedTokens = server.app.nest.get(RotatedTokens, { strict: false });
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  afterAll(() => server.close());

  function issue(spec: object = {}): Promise<{ token: Token; value: string }> {
    return server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['patois:*'], ...spec });
  }

  async function rotateToken(
    { tokenId }: Token,
    body: object = {},
  ): Promise<{ token: string; previousValidUntil: string | null }> {
    const { status, json } = await server.send('POST', `/patois/v1/tokens/${tokenId}/rotate`, {
      headers: owner.byPassword,
      body,
    });
    expect(status).toBe(200);
    return json;
  }

  /** The gateway's answer to a value. */
  async function use(value: string): Promise<number> {
    const headers = { ...bearer(value), 'x-forwarded-for': '203.0.113.9', 'user-agent': 'kept/1' };
    const { status } = await server.send('GET', '/verify', { headers });
    await rotatedTokens.settled();
    return status;
  }

  async function shown({ tokenId }: Token): Promise<string | null> {
    const { json } = await server.send('GET', `/patois/v1/tokens/${tokenId}`, { headers: owner.byPassword });
    return json.previousValidUntil;
  }

  const writes = (): number =>
    server.app.nest.get(StatementCounts, { strict: false }).byKind.get('retire-previous') ?? 0;

  describe('during a grace', () => {
    test('both values work until its end, which the token shows', async () => {
      const { token, value } = await issue();
      moveClock(0);
      const rotation = await rotateToken(token, { graceSeconds: 600, retireOnFirstUse: false });
      const end = new Date(Date.now() + 600_000).toISOString();
      expect([rotation.previousValidUntil, await shown(token)]).toEqual([end, end]);
      expect([await use(value), await use(rotation.token)]).toEqual([204, 204]);
      moveClock(599_999);
      expect([await use(value), await use(rotation.token)]).toEqual([204, 204]);
      moveClock(1);
      expect([await use(value), await use(rotation.token), await shown(token)]).toEqual([401, 204, null]);
    });

    test('the first use of the new value ends it 60 seconds later, by one write', async () => {
      const { token, value } = await issue();
      const rotation = await rotateToken(token, { graceSeconds: 600 });
      const before = writes();
      expect(await use(value)).toBe(204);
      expect(writes()).toBe(before);
      moveClock(0);
      expect(await use(rotation.token)).toBe(204);
      expect(await shown(token)).toBe(new Date(Date.now() + 60_000).toISOString());
      for (let uses = 0; uses < 3; uses += 1) expect(await use(rotation.token)).toBe(204);
      expect(writes()).toBe(before + 1);
      moveClock(59_999);
      expect(await use(value)).toBe(204);
      moveClock(1);
      expect([await use(value), await use(rotation.token)]).toEqual([401, 204]);
    });

    test('a use that is refused ends nothing', async () => {
      const { token, value } = await issue({ allowedCidrs: ['198.51.100.0/24'] });
      const rotation = await rotateToken(token, { graceSeconds: 600 });
      expect([await use(rotation.token), await use(value)]).toEqual([403, 403]);
      expect(await shown(token)).toBe(rotation.previousValidUntil);
    });

    test('a grace with less than 60 seconds left stays as it is', async () => {
      const { token } = await issue();
      moveClock(0);
      const rotation = await rotateToken(token, { graceSeconds: 60 });
      const before = writes();
      expect(await use(rotation.token)).toBe(204);
      expect([writes(), await shown(token)]).toEqual([before, rotation.previousValidUntil]);
    });

    test('a write that fails is made by a later use', async () => {
      const { token } = await issue();
      const rotation = await rotateToken(token, { graceSeconds: 600 });
      const retired = server.app.nest.get(RetiredValues, { strict: false });
      const failing = jest.spyOn(retired, 'retirePrevious').mockRejectedValue(new Error('away'));
      expect(await use(rotation.token)).toBe(204);
      expect(await use(rotation.token)).toBe(204);
      expect([failing.mock.calls.length, await shown(token)]).toEqual([1, rotation.previousValidUntil]);
      failing.mockRestore();
      await new Promise((resolve) => setTimeout(resolve, 2_100));
      expect(await use(rotation.token)).toBe(204);
      expect(Date.parse((await shown(token)) ?? '')).toBeLessThanOrEqual(Date.now() + 60_000);
    });

    test('a second rotation ends the older value at once', async () => {
      const { token, value } = await issue();
      const first = await rotateToken(token, { graceSeconds: 600 });
      const second = await rotateToken(token, { graceSeconds: 600 });
      expect([await use(value), await use(first.token), await use(second.token)]).toEqual([401, 204, 204]);
    });

    test("it ends with the token's own life", async () => {
      const expiresAt = new Date(Date.now() + 300_000);
      const { token, value } = await issue({ expiresAt });
      const rotation = await rotateToken(token, { graceSeconds: 600 });
      expect(rotation.previousValidUntil).toBe(expiresAt.toISOString());
      moveClock(300_000);
      expect([await use(value), await use(rotation.token), await shown(token)]).toEqual([401, 401, null]);
    });
  });

  describe('under a policy', () => {
    let colleague: TestUser;
    beforeAll(async () => {
      const { id: organizationId } = await server.organization('Careful');
      colleague = await server.makeUser({ organizationId });
      await server.send('PUT', '/patois/v1/organizations/Careful/policy', {
        headers: server.asAdmin,
        body: { defaultGraceSeconds: 300, onReuse: 'revoke', maxLifetimeSeconds: 86_400 },
      });
    });
    const ofColleague = (spec: object = {}): Promise<{ token: Token; value: string }> =>
      issue({ ownerId: colleague.user.id, ...spec });

    test('a rotation that names no grace has that of the policy, and one that names one has that', async () => {
      const { token } = await ofColleague();
      moveClock(0);
      const end = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
      const send = async (body: object): Promise<string | null> =>
        (
          await server.send('POST', `/patois/v1/tokens/${token.tokenId}/rotate`, {
            headers: colleague.byPassword,
            body,
          })
        ).json.previousValidUntil;
      expect([await send({}), await send({ graceSeconds: 10 }), await send({ graceSeconds: 0 })]).toEqual([
        end(300),
        end(10),
        null,
      ]);
    });

    test("Panther's rotation has none all the same", async () => {
      const { value } = await ofColleague({ dialect: 'panther', scopes: ['BulkUpload'] });
      const headers = { 'x-api-key': value };
      expect((await server.send('POST', '/api-tokens/self/rotate', { headers })).status).toBe(200);
      expect(await use(value)).toBe(401);
    });

    test('a grace ends with the life that the policy leaves the token', async () => {
      const { token } = await ofColleague({ expiresAt: new Date(Date.now() + 3_600_000) });
      const { json } = await server.send('POST', `/patois/v1/tokens/${token.tokenId}/rotate`, {
        headers: colleague.byPassword,
        body: { graceSeconds: 604_800 },
      });
      expect(json.previousValidUntil).toBe(json.expiresAt);
    });

    test('a retired value that turns up ends the token, where the policy says so', async () => {
      const { token, value } = await ofColleague();
      const { json } = await server.send('POST', `/patois/v1/tokens/${token.tokenId}/rotate`, {
        headers: colleague.byPassword,
        body: { graceSeconds: 0 },
      });
      moveClock(200_000);
      expect(await use(json.token)).toBe(204);
      expect(await use(value)).toBe(401);
      expect(await use(json.token)).toBe(401);
      const events = await server.app.dataSource.manager.find(AuditEvent, {
        where: { objectId: token.tokenId },
      });
      expect(events).toContainEqual(expect.objectContaining({ action: 'token.reuse', actorType: 'token' }));
      expect(events).toContainEqual(
        expect.objectContaining({
          action: 'token.revoke',
          actorType: 'system',
          before: expect.objectContaining({ status: 'active' }),
          after: expect.objectContaining({ status: 'revoked', revokeReason: 'reuse' }),
        }),
      );
      await use(value);
      moveClock(61_000);
      await use(value);
      const revocations = await server.app.dataSource.manager.countBy(AuditEvent, {
        action: 'token.revoke',
        objectId: token.tokenId,
      });
      expect(revocations).toBe(1);
    });
  });

  test.each([
    ['graceSeconds', { graceSeconds: 604_801 }],
    ['graceSeconds', { graceSeconds: -1 }],
    ['retireOnFirstUse', { retireOnFirstUse: 'yes' }],
    ['retireOnFirstUse', { retireOnFirstUse: null }],
  ])('a wrong %s is refused and changes nothing', async (key, body) => {
    const { token, value } = await issue();
    const { status, json } = await server.send('POST', `/patois/v1/tokens/${token.tokenId}/rotate`, {
      headers: owner.byPassword,
      body,
    });
    expect([status, json.errors?.[0]?.pointer]).toEqual([400, `/${key}`]);
    expect(await use(value)).toBe(204);
  });

  describe('a retired value', () => {
    /** Events that it turned up, the last first. */
    function reuses({ tokenId }: Token): Promise<AuditEvent[]> {
      return server.app.dataSource.manager.find(AuditEvent, {
        where: { action: 'token.reuse', objectId: tokenId },
        order: { time: 'DESC' },
      });
    }

    async function retired(): Promise<{ token: Token; value: string; fresh: string }> {
      const { token, value } = await issue();
      return { token, value, fresh: (await rotateToken(token)).token };
    }

    test('is no event for 120 seconds, since a client may not have heard of the new one yet', async () => {
      const { token, value } = await retired();
      moveClock(119_000);
      expect([await use(value), await reuses(token)]).toEqual([401, []]);
      moveClock(2_000);
      expect(await use(value)).toBe(401);
      expect(await reuses(token)).toMatchObject([
        {
          actorType: 'token',
          actorId: token.tokenId,
          objectType: 'token',
          address: '203.0.113.9',
          userAgent: 'kept/1',
          before: null,
          after: { retiredAt: expect.any(String) },
        },
      ]);
    });

    test('is an event once a minute, however often it comes', async () => {
      const { token, value } = await retired();
      moveClock(200_000);
      for (let times = 0; times < 5; times += 1) await use(value);
      expect(await reuses(token)).toHaveLength(1);
      moveClock(61_000);
      await use(value);
      expect(await reuses(token)).toHaveLength(2);
    });

    test.each([
      ['/patois/v1', '/patois/v1/me', 'patois'],
      ["Losant's API", '/me/tokens', 'losant'],
    ])('is an event at the door of %s as well', async (_, path, dialect) => {
      const { token, value } = await issue(dialect === 'losant' ? { dialect, scopes: ['all.User'] } : {});
      await rotateToken(token);
      moveClock(200_000);
      expect((await server.send('GET', path, { headers: bearer(value) })).status).toBe(401);
      await rotatedTokens.settled();
      expect(await reuses(token)).toHaveLength(1);
    });

    test('of a grace is one after the end of that', async () => {
      const { token, value } = await issue();
      const { token: fresh } = await rotateToken(token, { graceSeconds: 3_600 });
      moveClock(0);
      await use(fresh);
      moveClock(60_000 + 119_999);
      expect([await use(value), await reuses(token)]).toEqual([401, []]);
      moveClock(1);
      await use(value);
      expect(await reuses(token)).toHaveLength(1);
    });

    test('is known until the fifth after it, and for 90 days', async () => {
      const { token, value } = await issue();
      const values = [value];
      for (let times = 0; times < 6; times += 1) values.push((await rotateToken(token)).token);
      const known = await server.app.dataSource.manager.findBy(RetiredValue, { tokenUuid: token.id });
      expect(known).toHaveLength(5);
      moveClock(200_000);
      await use(values[0] as string);
      expect(await reuses(token)).toEqual([]);
      await use(values[1] as string);
      expect(await reuses(token)).toHaveLength(1);
      moveClock(90 * DAY_MS);
      await use(values[2] as string);
      expect(await reuses(token)).toHaveLength(1);
      await server.app.nest.get(RetiredValues, { strict: false }).purge();
      expect(await server.app.dataSource.manager.countBy(RetiredValue, { tokenUuid: token.id })).toBe(0);
    });

    test('of a value that never was a token is none', async () => {
      const { token } = await retired();
      moveClock(200_000);
      expect(await use(withFreshSecret(token.tokenId).value)).toBe(401);
      expect(await reuses(token)).toEqual([]);
    });

    test('a flood of it reads the database once', async () => {
      const { value } = await retired();
      const reading = jest.spyOn(server.app.nest.get(RetiredValues, { strict: false }), 'find');
      await Promise.all(Array.from({ length: 50 }, () => use(value)));
      for (let times = 0; times < 50; times += 1) await use(value);
      expect(reading).toHaveBeenCalledTimes(1);
      reading.mockRestore();
    });

    test('a value that works costs no look for retired ones', async () => {
      const { value, fresh } = await retired();
      const reading = jest.spyOn(server.app.nest.get(RetiredValues, { strict: false }), 'find');
      expect(await use(fresh)).toBe(204);
      expect(reading).not.toHaveBeenCalled();
      expect(await use(value)).toBe(401);
      expect(reading).toHaveBeenCalledTimes(1);
      reading.mockRestore();
    });
  });
});
