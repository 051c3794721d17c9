import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { AuditEvent } from '../../src/audit/audit-event.entity.js';
import { AuditWriter, SYSTEM } from '../../src/audit/audit.writer.js';
import { Job } from '../../src/jobs/job.entity.js';
import { Jobs } from '../../src/jobs/jobs.js';
import { bearer } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';
import { until } from '../support/until.js';

const MANY = 2_500;
const EACH = 60_000;

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

/** An owner of many tokens, the values of two of which are known. */
async function ownerOfMany(): Promise<{ owner: TestUser; values: string[] }> {
  const owner = await server.makeUser();
  const values = [];
  for (let count = 0; count < 2; count += 1) {
    values.push((await server.issue({ dialect: 'patois', ownerId: owner.user.id })).value);
  }
  await server.app.dataSource.query(
    `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
       inactive, created_at, dialect_fields)
     SELECT gen_random_uuid(), 'pt-' || substr(md5(random()::text), 1, 12), '\\x00', 'none', 'quay', $1, $2, 'many', '{}',
       '{}', false, now(), '{}' FROM generate_series(1, $3::int)`,
    [owner.user.id, owner.user.organizationId, MANY - 2],
  );
  return { owner, values };
}

async function unrevokedOf({ user }: TestUser): Promise<number> {
  const [row] = await server.app.dataSource.query<{ count: number }[]>(
    'SELECT count(*)::int AS count FROM tokens WHERE owner_id = $1 AND revoked_at IS NULL',
    [user.id],
  );
  return row?.count ?? Number.NaN;
}

function endingsOf({ user }: TestUser): Promise<AuditEvent[]> {
  return server.app.dataSource.manager
    .createQueryBuilder(AuditEvent, 'event')
    .where(`event.action = 'token.revoke' AND event.after->>'owner' = :id`, { id: user.id })
    .getMany();
}

/** The job of an owner's deletion, once it has ended. */
async function jobOf({ user }: TestUser): Promise<Job> {
  const read = (): Promise<Job | null> =>
    server.app.dataSource.manager
      .createQueryBuilder(Job, 'job')
      .where(`job.kind = 'owner-deletion' AND job.input->>'userId' = :id`, { id: user.id })
      .getOne();
  await until(async () => ((await read())?.endedAt ?? null) !== null);
  return (await read()) as Job;
}

test(
  'no token of a deleted owner works once the answer is there, and the rest is revoked after it',
  async () => {
    const { owner, values } = await ownerOfMany();
    for (const value of values) {
      expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(204);
    }
    const deleted = await server.send('DELETE', `/patois/v1/users/${owner.user.id}`, {
      headers: server.asAdmin,
    });
    expect(deleted.status).toBe(204);
    for (const value of values) {
      expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(401);
    }
    // A thousand of them were revoked with the owner.
    const rest = MANY - 1_000;
    expect(await jobOf(owner)).toMatchObject({
      status: 'done',
      total: rest,
      done: rest,
      failed: 0,
      result: { revoked: rest },
      organizationId: owner.user.organizationId,
    });
    expect(await unrevokedOf(owner)).toBe(0);
    const events = await endingsOf(owner);
    expect(events).toHaveLength(MANY);
    const admin = await server.admin();
    expect(new Set(events.map(({ actorId }) => actorId))).toEqual(new Set([admin.id]));
    expect(new Set(events.map(({ requestId }) => requestId)).size).toBe(1);
    expect(events[0]?.after).toMatchObject({ status: 'revoked', revokeReason: 'The owner was deleted' });
  },
  EACH,
);

test(
  'an audit statement writes the events of a thousand tokens',
  async () => {
    const { owner } = await ownerOfMany();
    const written = jest.spyOn(server.app.nest.get(AuditWriter, { strict: false }), 'valuesOf');
    await server.send('DELETE', `/patois/v1/users/${owner.user.id}`, { headers: server.asAdmin });
    await jobOf(owner);
    const portions = written.mock.calls
      .map(([entries]) => entries.filter(({ action }) => action === 'token.revoke').length)
      .filter((count) => count > 0);
    written.mockRestore();
    expect(portions).toEqual([1_000, 1_000, 500]);
  },
  EACH,
);

test(
  'the deletion of an owner of few tokens needs no job',
  async () => {
    const owner = await server.makeUser();
    const { value } = await server.issue({ dialect: 'patois', ownerId: owner.user.id });
    const { manager } = server.app.dataSource;
    const before = await manager.count(Job);
    await server.send('DELETE', `/patois/v1/users/${owner.user.id}`, { headers: server.asAdmin });
    expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(401);
    expect(await unrevokedOf(owner)).toBe(0);
    expect(await manager.count(Job)).toBe(before);
  },
  EACH,
);

test(
  'what an ended process left is done by whoever finds it',
  async () => {
    const { owner } = await ownerOfMany();
    const { dataSource } = server.app;
    // As a process leaves it that ends right after the deletion.
    await dataSource.query('UPDATE users SET deleted_at = now() WHERE id = $1', [owner.user.id]);
    await dataSource.query(
      `INSERT INTO jobs (id, kind, status, input, done, failed, organization_id, created_at, created_by, due_at, attempts)
       VALUES (gen_random_uuid(), 'owner-deletion', 'waiting', jsonb_build_object('userId', $1::text), 0, 0, $2, now(), $3,
         now(), 0)`,
      [owner.user.id, owner.user.organizationId, JSON.stringify({ ...SYSTEM, name: 'who did it' })],
    );
    server.app.nest.get(Jobs, { strict: false }).runSoon();
    expect(await jobOf(owner)).toMatchObject({ status: 'done', done: MANY, total: MANY });
    expect(await unrevokedOf(owner)).toBe(0);
    expect(await endingsOf(owner)).toHaveLength(MANY);
  },
  EACH,
);
