import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { Token } from '../../src/tokens/token.entity.js';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
let member: TestUser;
beforeAll(async () => {
  server = await TestServer.start();
  member = await server.makeUser();
});
afterAll(() => server.close());

function batch(tokens: unknown, headers = server.asAdmin): Promise<Received> {
  return server.send('POST', '/patois/v1/tokens:batch', { headers, body: { tokens } });
}

function asked(more: object = {}): object {
  const scopes = ['patois:tokens.read'];
  return { dialect: 'patois', owner: member.user.login, name: 'one of many', scopes, ...more };
}

function tokensOf({ user }: TestUser): Promise<number> {
  return server.app.dataSource.manager.countBy(Token, { ownerId: user.id });
}

describe('POST /patois/v1/tokens:batch', () => {
  test('makes a thousand tokens, in their order, each with a secret that works and an audit event', async () => {
    const other = await server.makeUser();
    const owners = [other.user.login, other.user.id, other.user.login.toUpperCase()];
    const list = Array.from({ length: 1_000 }, (_, index) =>
      asked({ owner: owners[index % 3], name: `number ${index}`, allowedCidrs: ['127.0.0.0/8', '::1/128'] }),
    );
    const { status, json } = await batch(list);
    expect(status).toBe(201);
    const made = json.tokens as { name: string; token: string; tokenId: string; numericId: number }[];
    expect(made.map(({ name }) => name)).toEqual(list.map((_, index) => `number ${index}`));
    expect(new Set(made.map(({ token }) => token)).size).toBe(1_000);
    expect(new Set(made.map(({ numericId }) => numericId)).size).toBe(1_000);
    expect(made[0]).toMatchObject({ owner: { id: other.user.id }, status: 'active', lastUsedAt: null });
    for (const { token } of [made[0], made[500], made[999]] as { token: string }[]) {
      expect((await server.send('GET', '/verify', { headers: bearer(token) })).status).toBe(204);
    }
    const path = `/patois/v1/tokens/${made[999]?.tokenId}`;
    const again = (await server.send('GET', path, { headers: server.asAdmin })).json;
    const used = { lastUsedAt: again.lastUsedAt, lastUsedAddress: '127.0.0.1', lastUsedUserAgent: null };
    expect({ ...again, token: made[999]?.token }).toEqual({ ...made[999], ...used });
    const events = await server.app.dataSource.manager.findBy(AuditEvent, { action: 'token.create' });
    const named = new Set(events.map(({ objectId }) => objectId));
    expect(made.filter(({ tokenId }) => !named.has(tokenId))).toEqual([]);
  });

  test('is the only method of its path', async () => {
    const answer = await server.send('GET', '/patois/v1/tokens:batch', { headers: server.asAdmin });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
  });

  test.each([
    ['no list', {}, '/tokens'],
    ['an empty list', { tokens: [] }, '/tokens'],
    ['1,001 tokens', { tokens: Array.from({ length: 1_001 }, () => ({})) }, '/tokens'],
    ['an unknown key', { tokens: [{}], dryRun: true }, '/dryRun'],
  ])('%s is bad input', async (_, body, pointer) => {
    const path = '/patois/v1/tokens:batch';
    expectProblem(await server.send('POST', path, { headers: server.asAdmin, body }), 400, pointer);
  });

  test.each([
    ['no object', 7, 400, '/tokens/1'],
    ['an unknown scope', { scopes: ['nothing'] }, 400, '/tokens/1/scopes/0'],
    ['a broken block', { allowedCidrs: ['10.0.0.0/8', 'nowhere'] }, 400, '/tokens/1/allowedCidrs/1'],
    ['an unknown owner', { owner: 'nobody' }, 404, '/tokens/1/owner'],
    ['a name that is none', { name: '' }, 400, '/tokens/1/name'],
  ])('%s in one refuses all, and names the place', async (_, wrong, status, pointer) => {
    const before = await tokensOf(member);
    const one = typeof wrong === 'object' ? asked(wrong) : wrong;
    const answer = await batch([asked(), one, asked()]);
    expect([answer.status, answer.json.errors[0]?.pointer]).toEqual([status, pointer]);
    expect(await tokensOf(member)).toBe(before);
  });

  test('a name twice, where names are unique, makes none', async () => {
    const twice = { dialect: 'foreman', name: 'the same', scopes: undefined };
    expectProblem(await batch([asked(twice), asked(twice)]), 409);
    expect(await server.app.dataSource.manager.countBy(Token, { name: 'the same' })).toBe(0);
  });

  test('without a credential, without the scope, and beyond what the caller holds it makes none', async () => {
    const before = await tokensOf(member);
    expectProblem(await batch([asked()], {}), 401);
    const reader = await server.issue({
      dialect: 'patois',
      ownerId: member.user.id,
      scopes: ['patois:tokens.read'],
    });
    expectProblem(await batch([asked()], bearer(reader.value)), 403);
    const writer = await server.issue({
      dialect: 'patois',
      ownerId: member.user.id,
      scopes: ['patois:tokens.write'],
    });
    const beyond = await batch([asked({ scopes: ['patois:tokens.write'] }), asked()], bearer(writer.value));
    expect([beyond.status, beyond.json.errors[0]?.pointer]).toEqual([403, '/tokens/1']);
    expect(await tokensOf(member)).toBe(before + 2);
  });

  test('another organization is out of reach of who administers one', async () => {
    const { id: organizationId } = await server.organization('Elsewhere');
    const stranger = await server.makeUser({ organizationId });
    const own = await server.makeUser({ role: 'organizationAdministrator' });
    const answer = await batch([asked(), asked({ owner: stranger.user.login })], own.byPassword);
    expect([answer.status, answer.json.errors[0]?.pointer]).toEqual([404, '/tokens/1/owner']);
    expect(await tokensOf(stranger)).toBe(0);
  });
});
