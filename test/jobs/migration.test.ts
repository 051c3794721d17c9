import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Jobs1795300000015 } from '../../migrations/1795300000015-jobs.js';
import { SYSTEM } from '../../src/audit/audit.writer.js';
import { Job } from '../../src/jobs/job.entity.js';
import { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

test('what was left to do for deleted users becomes jobs, which are done, and comes back with the way down', async () => {
  const { user } = await server.makeUser();
  const { token } = await server.issue({ dialect: 'patois', ownerId: user.id });
  const { dataSource } = server.app;
  const left = { userId: user.id, actor: { ...SYSTEM, name: 'who did it' } };
  const nothing = { userId: randomUUID(), actor: SYSTEM };
  const rows = await dataSource.transaction(async ({ queryRunner }) => {
    if (!queryRunner) throw new Error('A transaction has a runner');
    const migration = new Jobs1795300000015();
    await migration.down(queryRunner);
    for (const { userId, actor } of [left, nothing]) {
      await queryRunner.query('INSERT INTO deleted_owners (user_id, actor) VALUES ($1, $2)', [userId, actor]);
    }
    await migration.up(queryRunner);
    await migration.down(queryRunner);
    const kept: unknown = await queryRunner.query('SELECT user_id AS "userId", actor FROM deleted_owners');
    await migration.up(queryRunner);
    return kept;
  });
  expect(rows).toEqual(expect.arrayContaining([left, nothing]));
  await until(async () => (await dataSource.manager.countBy(Job, { status: 'done' })) === 2);
  const jobs = await dataSource.manager.findBy(Job, { organizationId: user.organizationId });
  expect(jobs).toMatchObject([
    { kind: 'owner-deletion', input: { userId: user.id }, createdBy: left.actor, done: 1, total: 1 },
  ]);
  const [revoked] = await dataSource.query<object[]>(
    'SELECT revoked_by_name AS by FROM tokens WHERE id = $1 AND revoked_at IS NOT NULL',
    [token.id],
  );
  expect(revoked).toEqual({ by: 'who did it' });
});
