import { randomBytes, randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { type AuditWriter, SYSTEM } from '../audit/audit.writer.js';
import { runnerOf } from '../database/statements.js';
import type { HashingService } from '../hashing/hashing.service.js';
import type { SetUp } from './accounts.service.js';
import { Organization } from './organization.entity.js';
import { User } from './user.entity.js';

export const DEFAULT_ORGANIZATION = 'Default';
export const FIRST_ADMINISTRATOR = 'admin';

/** 18 bytes are 24 characters of base64url. */
const GENERATED_PASSWORD_BYTES = 18;

/** What a first start made; the password is there only if it was generated, to be shown once. */
export interface FirstStart {
  login: string;
  generatedPassword: string | undefined;
}

/**
 * Makes the organization `Default` and the administrator `admin` where there are no users yet; else undefined.
 *
 * @param setUp writes what the organization has besides.
 */
export async function makeFirstAdministrator(
  dataSource: DataSource,
  hashing: HashingService,
  audit: AuditWriter,
  password: string | undefined,
  setUp: SetUp,
): Promise<FirstStart | undefined> {
  const isEmpty = !(await dataSource.manager.exists(User, { withDeleted: true }));
  if (!isEmpty) return undefined;
  const generatedPassword =
    password === undefined ? randomBytes(GENERATED_PASSWORD_BYTES).toString('base64url') : undefined;
  const passwordDigest = await hashing.hashPassword(password ?? generatedPassword ?? '');
  const now = new Date();
  await dataSource.transaction(async (manager) => {
    const organization = { id: randomUUID(), name: DEFAULT_ORGANIZATION, createdAt: now };
    const user = {
      id: randomUUID(),
      login: FIRST_ADMINISTRATOR,
      role: 'administrator' as const,
      permissions: [],
      organizationId: organization.id,
      disabled: false,
      createdAt: now,
      updatedAt: now,
    };
    await manager.insert(Organization, organization);
    await setUp(manager, organization.id);
    await manager.insert(User, { ...user, passwordDigest });
    await audit.write(runnerOf(manager), [
      {
        actor: SYSTEM,
        action: 'organization.create',
        object: { type: 'organization', id: organization.id },
        after: { name: organization.name },
      },
      {
        actor: SYSTEM,
        action: 'user.create',
        object: { type: 'user', id: user.id },
        after: { login: user.login, role: user.role, organization: organization.id },
      },
    ]);
  });
  return { login: FIRST_ADMINISTRATOR, generatedPassword };
}
