import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { IsNull } from 'typeorm';
import { AuditEvent } from '../../../src/audit/audit-event.entity.js';
import { UsageRecorder } from '../../../src/decisions/usage-recorder.js';
import { Job } from '../../../src/jobs/job.entity.js';
import { UnusedTokensTask } from '../../../src/tokens/policy/unused-tokens.task.js';
import { Token } from '../../../src/tokens/token.entity.js';
import { moveClock } from '../../support/clock.js';
import { bearer } from '../../support/http.js';
import { TestServer, type TestUser } from '../../support/server.js';
import { until } from '../../support/until.js';

const DAY_MS = 86_400_000;

let server: TestServer;
let member: TestUser;
let outsider: TestUser;

beforeAll(async () => {
  server = await TestServer.start();
  const { id: organizationId } = await server.organization('Tidy');
  member = await server.makeUser({ organizationId });
  outsider = await server.makeUser();
  await server.send('PUT', '/patois/v1/organizations/Tidy/policy', {
    headers: server.asAdmin,
    body: { maxUnusedSeconds: (30 * DAY_MS) / 1000 },
  });
});
afterEach(() => {
  jest.useRealTimers();
});
afterAll(() => server.close());

function issue(owner = member, spec: object = {}): Promise<{ token: Token; value: string }> {
  return server.issue({ dialect: 'patois', ownerId: owner.user.id, scopes: ['patois:*'], ...spec });
}

async function use(value: string): Promise<void> {
  expect((await server.send('GET', '/verify', { headers: bearer(value) })).status).toBe(204);
}

/** Runs the nightly task, and waits for the job that it begins. */
async function nightly(): Promise<Job> {
  const { manager } = server.app.dataSource;
  await server.app.nest.get(UnusedTokensTask, { strict: false }).run();
  const job = await manager.findOneByOrFail(Job, { kind: 'unused-tokens', endedAt: IsNull() });
  const read = (): Promise<Job> => manager.findOneByOrFail(Job, { id: job.id });
  await until(async () => (await read()).state !== null);
  // The clock of the embedded engine is this one.
  moveClock(6_000);
  await until(async () => (await read()).endedAt !== null);
  return read();
}

async function statusOf({ id }: Token): Promise<string> {
  return (await server.app.dataSource.manager.findOneByOrFail(Token, { id })).status();
}

test('ends what was unused for too long, and nothing else', async () => {
  const [never, once, fresh, elsewhere] = [
    await issue(),
    await issue(),
    await issue(),
    await issue(outsider),
  ];
  const usage = server.app.nest.get(UsageRecorder, { strict: false });
  moveClock(10 * DAY_MS);
  await use(once.value);
  await usage.flush();
  moveClock(21 * DAY_MS);
  // A second before: remembered here, and not written yet.
  await use(fresh.value);
  moveClock(1_000);
  const early = await nightly();
  expect(early).toMatchObject({ status: 'done', result: { revoked: 1 } });
  expect(await Promise.all([never, once, fresh, elsewhere].map(({ token }) => statusOf(token)))).toEqual([
    'revoked',
    'active',
    'active',
    'active',
  ]);
  const events = await server.app.dataSource.manager.findBy(AuditEvent, {
    action: 'token.revoke',
    objectId: never.token.tokenId,
  });
  expect(events).toMatchObject([
    {
      actorType: 'system',
      before: { status: 'active' },
      after: { status: 'revoked', revokeReason: 'unused' },
    },
  ]);
  expect((await server.send('GET', '/verify', { headers: bearer(never.value) })).status).toBe(401);

  moveClock(10 * DAY_MS);
  expect(await nightly()).toMatchObject({ status: 'done', result: { revoked: 1 } });
  expect([await statusOf(once.token), await statusOf(fresh.token)]).toEqual(['revoked', 'active']);
}, 60_000);

test('goes on in portions, and counts each token once', async () => {
  const used = await issue();
  await server.app.dataSource.query(
    `INSERT INTO tokens (id, token_id, digest, digest_key, dialect, owner_id, organization_id, name, scopes, allowed_cidrs,
       inactive, created_at, dialect_fields)
     SELECT gen_random_uuid(), 'pt-' || substr(md5(random()::text), 1, 12), '\\x00', 'none', 'quay', $1, $2, 'many', '{}',
       '{}', false, now(), '{}' FROM generate_series(1, 1100)`,
    [member.user.id, member.user.organizationId],
  );
  moveClock(31 * DAY_MS);
  await use(used.value);
  const job = await nightly();
  expect(job).toMatchObject({ status: 'done', done: 1_100, failed: 0, result: { revoked: 1_100 } });
}, 120_000);

test('one job at a time, and none where no policy asks for it', async () => {
  const { manager } = server.app.dataSource;
  await manager.delete(Job, { kind: 'unused-tokens' });
  const task = server.app.nest.get(UnusedTokensTask, { strict: false });
  await task.run();
  await task.run();
  expect(await manager.countBy(Job, { kind: 'unused-tokens' })).toBe(1);
  await manager.delete(Job, { kind: 'unused-tokens' });
  await server.send('PUT', '/patois/v1/organizations/Tidy/policy', { headers: server.asAdmin, body: {} });
  await task.run();
  expect(await manager.countBy(Job, { kind: 'unused-tokens' })).toBe(0);
});
