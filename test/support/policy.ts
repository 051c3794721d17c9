import { DEFAULT_POLICY, Policy, type PolicySettings } from '../../src/tokens/policy/policy.entity.js';
import type { TestServer } from './server.js';

/** Gives the organization `Default` a policy: what is left out has its default. */
export async function setPolicy(server: TestServer, settings: Partial<PolicySettings>): Promise<void> {
  const { id: organizationId } = await server.organization('Default');
  const whole = { ...DEFAULT_POLICY, ...settings };
  await server.app.dataSource.manager.update(Policy, { organizationId }, whole);
}
