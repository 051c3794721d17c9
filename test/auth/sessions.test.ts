import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MAX_SESSIONS, Sessions } from '../../src/auth/sessions/sessions.js';
import { Session } from '../../src/auth/sessions/session.entity.js';
import { User } from '../../src/accounts/user.entity.js';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import type { Origin } from '../../src/protocol/origin.js';
import { TestServer } from '../support/server.js';

const ORIGIN: Origin = { address: '192.0.2.7', userAgent: 'browser/1', requestId: 'r1' };

let server: TestServer;
let sessions: Sessions;
beforeAll(async () => {
  server = await TestServer.start();
  sessions = server.app.nest.get(Sessions, { strict: false });
});
afterAll(() => server.close());

test('a session is found by its value, with its user, and by nothing else', async () => {
  const { user } = await server.makeUser();
  const { session, value } = await sessions.begin(user, { provider: 'example', origin: ORIGIN });
  server.secrets.add(value);
  const found = await sessions.find(value);
  expect(found?.session).toEqual(session);
  expect(found?.user).toMatchObject({ id: user.id, organization: { name: 'Default' } });
  expect(session).toMatchObject({ provider: 'example', address: '192.0.2.7', userAgent: 'browser/1' });
  expect(session.expiresAt.getTime() - session.createdAt.getTime()).toBe(12 * 3_600_000);
  for (const other of ['', 'x', value.slice(1), `${value}A`, value.replace(/^./, '!'), 'A'.repeat(43)]) {
    expect(await sessions.find(other)).toBeUndefined();
  }
});

test('its value is 256 bits long, and is in no column of its row', async () => {
  const { user } = await server.makeUser();
  const { session, value } = await sessions.begin(user, { provider: null, origin: ORIGIN });
  server.secrets.add(value);
  expect(Buffer.from(value, 'base64url')).toHaveLength(32);
  const [row] = await server.app.dataSource.query<{ text: string }[]>(
    'SELECT s::text FROM sessions s WHERE id = $1',
    [session.id],
  );
  const shown = [value, Buffer.from(value, 'base64url').toString('hex'), Buffer.from(value).toString('hex')];
  for (const form of shown) expect(JSON.stringify(row)).not.toContain(form);
});

test('of one user there are 50 at most, also of those begun at once: the oldest ends', async () => {
  const { user } = await server.makeUser();
  const begin = (): Promise<{ session: Session; value: string }> =>
    sessions.begin(user, { provider: null, origin: ORIGIN });
  const first = await begin();
  for (let count = 0; count < 5; count += 1) await Promise.all(Array.from({ length: 10 }, begin));
  expect(await server.app.dataSource.manager.countBy(Session, { userId: user.id })).toBe(MAX_SESSIONS);
  expect(await sessions.find(first.value)).toBeUndefined();
  const ends = await server.app.dataSource.manager.findBy(AuditEvent, {
    action: 'session.end',
    actorId: user.id,
  });
  expect(ends.map(({ objectId }) => objectId)).toEqual([first.session.id]);
});

test('none begins of a user who has changed since the password was checked', async () => {
  const { user } = await server.makeUser();
  const changes = [{ passwordVersion: user.passwordVersion - 1 }, { role: 'administrator' as const }];
  for (const change of changes) {
    const changed = Object.assign(new User(), user, change);
    await expect(sessions.begin(changed, { provider: null, origin: ORIGIN })).rejects.toThrow(
      'unauthenticated',
    );
  }
  expect(await server.app.dataSource.manager.countBy(Session, { userId: user.id })).toBe(0);
});
