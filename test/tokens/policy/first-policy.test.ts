import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Policies1795300000014 } from '../../../migrations/1795300000014-policies.js';
import { DEFAULT_POLICY, Policy, settingsOf } from '../../../src/tokens/policy/policy.entity.js';
import { TestServer } from '../../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  const body = { name: 'Research' };
  await server.send('POST', '/patois/v1/organizations', { headers: server.asAdmin, body });
});
afterAll(() => server.close());

async function expectPolicies(): Promise<void> {
  const policies = await server.app.dataSource.manager.find(Policy, { relations: { organization: true } });
  expect(policies.map(({ organization }) => organization.name).sort()).toEqual(['Default', 'Research']);
  for (const policy of policies) {
    expect(settingsOf(policy)).toEqual(DEFAULT_POLICY);
    expect(policy.version).toBe(1);
  }
}

test('an organization has a policy that allows everything from its first moment on', expectPolicies);

test('the migration gives every organization that is there one like it', async () => {
  const runner = server.app.dataSource.createQueryRunner();
  const migration = new Policies1795300000014();
  await migration.down(runner);
  await migration.up(runner);
  await runner.release();
  await expectPolicies();
});

test('an organization and its policy are made together or not at all', async () => {
  const { dataSource } = server.app;
  await dataSource.query('ALTER TABLE policies ADD CONSTRAINT broken CHECK (false) NOT VALID');
  const sent = { headers: server.asAdmin, body: { name: 'Never' } };
  expect((await server.send('POST', '/patois/v1/organizations', sent)).status).toBe(500);
  await dataSource.query('ALTER TABLE policies DROP CONSTRAINT broken');
  await expectPolicies();
});
