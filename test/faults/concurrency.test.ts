import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { DialectRegistry } from '../../src/protocol/dialect-registry.js';
import { bearer, type Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

describe('On PostgreSQL, at one moment', () => {
  let server: TestServer;
  let owner: TestUser;

  beforeAll(async () => {
    server = await TestServer.start();
    owner = await server.makeUser({ role: 'organizationAdministrator' });
  });
  afterAll(() => server.close());

  const times = (count: number, call: (index: number) => Promise<Received>): Promise<Received[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => call(index)));

  test('50 creates of one Foreman name give one 201 and 49 422', async () => {
    const path = `/api/users/${owner.user.numericId}/personal_access_tokens`;
    const body = { personal_access_token: { name: 'deploy' } };
    const answers = await times(50, () => server.send('POST', path, { headers: owner.byPassword, body }));
    expect(tally(answers)).toEqual({ 201: 1, 422: 49 });
    for (const { json } of answers.filter(({ status }) => status === 422)) {
      expect(json.error.errors).toEqual({ name: ['has already been taken'] });
    }
  });

  test('20 self-rotations of one Panther token leave one value that works, and whoever lost is told so', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { value } = await server.issue({
        dialect: 'panther',
        ownerId: owner.user.id,
        scopes: ['RuleRead'],
      });
      const answers = await times(20, () =>
        server.send('POST', '/api-tokens/self/rotate', { headers: { 'x-api-key': value } }),
      );
      const winners = answers.filter(({ status }) => status === 200);
      const losers = answers.filter(({ status }) => status !== 200);
      expect(winners).toHaveLength(1);
      for (const { status } of losers) expect([401, 409]).toContain(status);
      const use = (key: string): Promise<Received> =>
        server.send('GET', '/api-tokens/self', { headers: { 'x-api-key': key } });
      expect((await use(winners[0]?.json.value)).status).toBe(200);
      expect((await use(value)).status).toBe(401);
    }
  });

  test("20 rotations of another's token are each 200, and the last value alone lives", async () => {
    const { token } = await server.issue({
      dialect: 'panther',
      ownerId: owner.user.id,
      scopes: ['RuleRead'],
    });
    const id = server.app.nest.get(DialectRegistry, { strict: false }).of(token).externalId(token);
    const answers = await times(20, () =>
      server.send('POST', `/api-tokens/${id}/rotate`, { headers: owner.byPassword }),
    );
    expect(tally(answers)).toEqual({ 200: 20 });
    const statuses = await times(20, (index) =>
      server.send('GET', '/api-tokens/self', { headers: { 'x-api-key': answers[index]?.json.value } }),
    );
    expect(tally(statuses)).toEqual({ 200: 1, 401: 19 });
  });

  test.each([
    ['panther', 204, 404, (id: string) => `/api-tokens/${id}`],
    ['quay', 204, 404, (id: string) => `/api/v1/user/apptoken/${id}`],
    ['losant', 200, 404, (id: string) => `/me/tokens/${id}`],
    ['yunxiao', 200, 404, (id: string) => `/oapi/v1/platform/users/admin/personalAccessTokens/${id}`],
  ])('50 deletes of one %s token give %i once and %i otherwise', async (dialect, success, gone, pathOf) => {
    const { token } = await server.issue({ dialect, ownerId: owner.user.id, scopes: [] });
    const id = server.app.nest.get(DialectRegistry, { strict: false }).of(token).externalId(token);
    const answers = await times(50, () => server.send('DELETE', pathOf(id), { headers: owner.byPassword }));
    expect(tally(answers)).toEqual({ [success]: 1, [gone]: 49 });
    const events = await server.app.dataSource.manager.findBy(AuditEvent, {
      objectId: token.tokenId,
      action: 'token.revoke',
    });
    expect(events).toHaveLength(1);
  });

  test('50 deletes of one Foreman token are each 200, and one of them revokes it', async () => {
    const { token } = await server.issue({
      dialect: 'foreman',
      ownerId: owner.user.id,
      scopes: ['foreman:*'],
    });
    const path = `/api/users/${owner.user.numericId}/personal_access_tokens/${token.numericId}`;
    const answers = await times(50, () => server.send('DELETE', path, { headers: owner.byPassword }));
    expect(tally(answers)).toEqual({ 200: 50 });
    const events = await server.app.dataSource.manager.findBy(AuditEvent, {
      objectId: token.tokenId,
      action: 'token.revoke',
    });
    expect(events).toHaveLength(1);
  });

  test('a token that is used while it is revoked is refused from the answer on', async () => {
    const { token, value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['*'] });
    const verify = (): Promise<Received> => server.send('GET', '/verify', { headers: bearer(value) });
    let isRevoked = false;
    let answers = 0;
    const late: Promise<Received>[] = [];
    const using = Array.from({ length: 8 }, async () => {
      while (!isRevoked) {
        await verify();
        answers += 1;
      }
      for (let count = 0; count < 20; count += 1) late.push(verify());
    });
    while (answers < 100) await verify();
    await server.revoke(token);
    isRevoked = true;
    await Promise.all(using);
    expect(tally(await Promise.all(late))).toEqual({ 401: 160 });
  });
});

function tally(answers: Received[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
