import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { bearer, type Received } from '../support/http.js';
import { expectProblem } from '../support/problem.js';
import { TestServer } from '../support/server.js';

const EXPORT = '/patois/v1/audit-events/export';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

function exported(query: string, headers = server.asAdmin): Promise<Received> {
  return server.send('GET', `${EXPORT}?${query}`, { headers });
}

function linesOf({ text }: Received): Received['json'][] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('GET /patois/v1/audit-events/export', () => {
  test('has what the list has, and last of all how many events there were', async () => {
    for (let count = 0; count < 30; count += 1) await server.makeUser();
    const filter = 'action=user.create';
    const { items } = (
      await server.send('GET', `/patois/v1/audit-events?limit=1000&${filter}`, { headers: server.asAdmin })
    ).json;
    const lines = linesOf(await exported(filter));
    expect(lines.pop()).toEqual({ end: { rows: items.length, asOf: expect.any(String) } });
    expect(items.length).toBeGreaterThan(30);
    expect(lines).toEqual(items);
  });

  test.each(['owner=USER', 'organization=Traced', 'owner=USER&organization=Traced&action=token.create'])(
    'has what the list has with ?%s, and nothing of a name that nobody has',
    async (asked) => {
      const organizationId = (await server.organization('Traced')).id;
      const { user } = await server.makeUser({ organizationId });
      await server.issue({ dialect: 'quay', ownerId: user.id });
      const filter = asked.replace('USER', user.login);
      const path = `/patois/v1/audit-events?limit=1000&${filter}`;
      const { items } = (await server.send('GET', path, { headers: server.asAdmin })).json;
      expect(items.length).toBeGreaterThan(0);
      expect(linesOf(await exported(filter)).slice(0, -1)).toEqual(items);
      expect(
        linesOf(await exported(asked.replace('USER', 'nobody').replace('Traced', 'nowhere'))),
      ).toHaveLength(1);
    },
  );

  test('has the same as comma-separated values', async () => {
    const filter = 'action=user.create';
    const { text, headers } = await exported(`format=csv&${filter}`);
    expect(headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': expect.stringMatching(
        /^attachment; filename="patois-audit-events-\d{4}-\d\d-\d\dT\d{6}Z\.csv"$/,
      ),
      'cache-control': 'no-store',
    });
    const rows = parse(text, { columns: true }) as Record<string, string>[];
    const events = linesOf(await exported(filter)).slice(0, -1);
    expect(rows.pop()).toMatchObject({ id: '#end', time: String(events.length) });
    expect(rows).toEqual(
      events.map(({ id, time, actor, action, object, before, after, address, userAgent, requestId }) => ({
        id,
        time,
        actorType: actor.type,
        actorId: actor.id ?? '',
        action,
        alias: '',
        objectType: object.type,
        objectId: object.id,
        before: before ? JSON.stringify(before) : '',
        after: JSON.stringify(after),
        address: address ?? '',
        userAgent: userAgent ?? '',
        requestId: requestId ?? '',
      })),
    );
  });

  test('is an audit event itself, which is written before the first byte and is part of it', async () => {
    const answer = await exported('format=ndjson&actor=admin&action=audit.export');
    expect(linesOf(answer)[0]).toMatchObject({
      action: 'audit.export',
      actor: { type: 'user', id: (await server.admin()).id },
      object: { type: 'audit', id: null },
      after: { format: 'ndjson', filter: { actor: 'admin', action: 'audit.export' } },
      requestId: answer.headers['x-request-id'],
    });
  });

  test('answers HEAD with the headers alone, and without an event', async () => {
    const head = await server.send('HEAD', `${EXPORT}?format=csv&object=head`, { headers: server.asAdmin });
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers).toMatchObject({ 'content-type': 'text/csv; charset=utf-8; header=present' });
    const events = linesOf(await exported('action=audit.export'));
    expect(events.map(({ after }) => after?.filter?.object)).not.toContain('head');
  });

  test('refuses bad input', async () => {
    expectProblem(await exported('format=xml'), 400, '/format');
    expectProblem(await exported('since=yesterday'), 400, '/since');
    expectProblem(await exported('limit=5'), 400, '/limit');
  });

  test('is for administrators of everything, with a credential and the scope alone', async () => {
    const { user, byPassword } = await server.makeUser({ role: 'organizationAdministrator' });
    expectProblem(await exported('', byPassword), 403);
    expectProblem(await exported('', {}), 401);
    const admin = await server.admin();
    const weak = await server.issue({
      dialect: 'patois',
      ownerId: admin.id,
      scopes: ['patois:tokens.read'],
    });
    expectProblem(await exported('', bearer(weak.value)), 403);
    const able = await server.issue({ dialect: 'patois', ownerId: admin.id, scopes: ['patois:users.read'] });
    expect((await exported(`actor=${user.id}`, bearer(able.value))).status).toBe(200);
  });
});
