import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RefusedTokens } from '../../src/decisions/refused-tokens.js';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer, type TestUser } from '../support/server.js';

let server: TestServer;
/** Administers the organization of the owner. */
let head: TestUser;
let owner: TestUser;
let colleague: TestUser;
/** Administers another organization. */
let stranger: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  const organizationId = (await server.organization('Research')).id;
  head = await server.makeUser({ role: 'organizationAdministrator', organizationId });
  owner = await server.makeUser({ organizationId });
  colleague = await server.makeUser({ organizationId });
  stranger = await server.makeUser({
    role: 'organizationAdministrator',
    organizationId: (await server.organization('Elsewhere')).id,
  });
});
afterAll(() => server.close());

interface Event {
  action: string;
  actor: { type: string; id: string | null };
  object: { type: string; id: string };
  address: string | null;
  userAgent: string | null;
}

function call(
  method: string,
  path: string,
  { byPassword }: Pick<TestUser, 'byPassword'>,
  body?: unknown,
): Promise<Received> {
  const headers = { ...byPassword, 'user-agent': 'forms/1' };
  return server.send(method, `/patois/v1${path}`, { headers, ...(body === undefined ? {} : { body }) });
}

/** Makes a token in the owner's name, by the owner. */
async function make(spec: object = {}): Promise<{ tokenId: string; token: string }> {
  const body = { dialect: 'patois', owner: owner.user.login, name: 'watched', scopes: ['*'], ...spec };
  const { status, json } = await call('POST', '/tokens', owner, body);
  expect(status).toBe(201);
  return json as { tokenId: string; token: string };
}

async function eventsOf(tokenId: string, headers: Record<string, string>, query = ''): Promise<Event[]> {
  const answer = await server.send('GET', `/patois/v1/tokens/${tokenId}/audit-events?${query}`, { headers });
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
  return answer.json.items as Event[];
}

function seen(events: Event[]): unknown[] {
  return events.map(({ action, actor, address, userAgent }) => [action, actor.id, address, userAgent]);
}

describe('GET /patois/v1/tokens/{tokenId}/audit-events', () => {
  test('shows an owner who did what to the own token, and where only of what was done by the owner', async () => {
    const { tokenId } = await make();
    const tool = await make();
    const byTool = { byPassword: bearer(tool.token) };
    expect((await call('PATCH', `/tokens/${tokenId}`, byTool, { name: 'renamed' })).status).toBe(200);
    expect((await call('PATCH', `/tokens/${tokenId}`, head, { status: 'inactive' })).status).toBe(200);
    expect(
      (await call('DELETE', `/tokens/${tokenId}?reason=over`, { byPassword: server.asAdmin })).status,
    ).toBe(204);
    const { id: adminId } = await server.admin();
    const where = ['127.0.0.1', 'forms/1'];
    const nowhere = [null, null];
    expect(seen(await eventsOf(tokenId, owner.byPassword))).toEqual([
      ['token.revoke', adminId, ...nowhere],
      ['token.update', head.user.id, ...nowhere],
      ['token.update', tool.tokenId, ...where],
      ['token.create', owner.user.id, ...where],
    ]);
    for (const headers of [head.byPassword, server.asAdmin]) {
      const shown = seen(await eventsOf(tokenId, headers)) as unknown[][];
      expect(shown.map(([, , ...place]) => place)).toEqual([where, where, where, where]);
    }
  });

  test('has the same events as the trail has of that token', async () => {
    const { tokenId } = await make();
    await call('PATCH', `/tokens/${tokenId}`, owner, { description: 'changed' });
    const trail = await server.send('GET', `/patois/v1/audit-events?object=${tokenId}`, {
      headers: server.asAdmin,
    });
    expect(await eventsOf(tokenId, server.asAdmin)).toEqual(trail.json.items);
  });

  test('shows an owner where the token was used after its end', async () => {
    const { tokenId, token } = await make();
    await call('DELETE', `/tokens/${tokenId}`, owner);
    await call('GET', '/me', { byPassword: bearer(token) });
    await server.app.nest.get(RefusedTokens, { strict: false }).flush();
    const [newest] = await eventsOf(tokenId, owner.byPassword);
    expect(newest).toMatchObject({
      action: 'token.refuse',
      actor: { type: 'token', id: tokenId },
      address: '127.0.0.1',
      userAgent: 'forms/1',
    });
  });

  test('has no log-ins of who gives the id as a login', async () => {
    const { tokenId } = await make();
    await server.send('GET', '/patois/v1/me', {
      headers: { authorization: `Basic ${Buffer.from(`${tokenId}:wrong password`).toString('base64')}` },
    });
    expect((await eventsOf(tokenId, server.asAdmin)).map(({ action }) => action)).toEqual(['token.create']);
  });

  test('goes page by page, each event once', async () => {
    const { tokenId } = await make();
    for (const name of ['a', 'b', 'c', 'd']) await call('PATCH', `/tokens/${tokenId}`, owner, { name });
    const actions: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = `limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
      const { json } = await call('GET', `/tokens/${tokenId}/audit-events?${query}`, owner);
      actions.push(...(json.items as Event[]).map(({ action }) => action));
      cursor = json.nextCursor as string | null;
    } while (cursor !== null);
    expect(actions).toEqual([...Array.from({ length: 4 }, () => 'token.update'), 'token.create']);
  });

  test('is there only for those who see the token', async () => {
    const { tokenId } = await make();
    for (const other of [colleague, stranger]) {
      expectProblem(await call('GET', `/tokens/${tokenId}/audit-events`, other), 404);
    }
    for (const id of ['pt-000000000000', 'nothing', owner.user.id]) {
      expectProblem(await call('GET', `/tokens/${id}/audit-events`, owner), 404);
    }
  });

  test('needs the scope, a credential and a good query', async () => {
    const { tokenId } = await make();
    const path = `/tokens/${tokenId}/audit-events`;
    const { token: blind } = await make({ scopes: ['patois:users.read', 'patois:tokens.write'] });
    const { token: reader } = await make({ scopes: ['patois:tokens.read'] });
    expectProblem(await call('GET', path, { byPassword: {} }), 401);
    expectProblem(await call('GET', path, { byPassword: bearer(blind) }), 403);
    expect((await call('GET', path, { byPassword: bearer(reader) })).status).toBe(200);
    expectProblem(await call('GET', `${path}?limit=0`, owner), 400, '/limit');
    expectProblem(await call('GET', `${path}?cursor=x`, owner), 400, '/cursor');
    expectProblem(await call('GET', `${path}?action=token.create`, owner), 400, '/action');
  });
});
