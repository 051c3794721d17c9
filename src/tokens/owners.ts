import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AccountsService, type UserChanges } from '../accounts/accounts.service.js';
import { isLastAdministrator } from '../accounts/last-administrator.js';
import { User } from '../accounts/user.entity.js';
import { runnerOf } from '../database/statements.js';
import { Jobs } from '../jobs/jobs.js';
import { Refusal } from '../refusal.js';
import { Admission } from './authority/admission.js';
import type { Authority } from './authority/authority.js';
import type { Powers, UserRights } from './authority/powers.js';
import { ownerDeletion } from './owner-deletion.job.js';
import { TokenService } from './token.service.js';

/** A user who is to be changed, and what the actor may do, as read under the locks of the transaction. */
export interface LockedUser {
  powers: Powers;
  user: User;
}

/** Users with what hangs on them, as administrators and provisioning change them. */
@Injectable()
export class Owners {
  constructor(
    private readonly accounts: AccountsService,
    private readonly tokens: TokenService,
    private readonly admission: Admission,
    private readonly jobs: Jobs,
  ) {}

  /**
   * Locks a user who is to be changed, and whoever changes it, so that what is decided on them still holds when it is
   * written.
   *
   * @param mayEndAdministrator whether every administrator who can act is locked as well, so that two who end each other
   *   come one after the other, and the second finds one left.
   * @throws {Refusal} conflict when the user is the last of those; notFound; forbidden.
   */
  async lock(
    manager: EntityManager,
    by: Authority,
    id: string,
    mayEndAdministrator: boolean,
  ): Promise<LockedUser> {
    const acting = { role: 'administrator', disabled: false } as const;
    const others = mayEndAdministrator
      ? await manager.find(User, { where: acting, select: { id: true } })
      : [];
    const rows = { users: [id, ...others.map((other) => other.id)], changesUsers: true };
    const { powers, users } = await this.admission.admit(runnerOf(manager), by, rows);
    const user = users.get(id);
    if (!user || user.deletedAt !== null || !powers.administers(user.organizationId)) throw noSuchUser();
    if (mayEndAdministrator) assertIsNotLastAdministrator(user, [...users.values()]);
    if (user.role === 'administrator' && !powers.isAdministrator) {
      const message = 'Only an administrator changes an administrator';
      throw new Refusal('forbidden', { reason: 'role', message });
    }
    return { powers, user };
  }

  /**
   * Deletes a locked user, and with the user all tokens: none of them works once the transaction has committed.
   *
   * @returns whether there are so many that a job marks the rest of them as revoked: it is to be run soon.
   */
  async delete(manager: EntityManager, { actor }: Authority, user: User): Promise<boolean> {
    const { isMore } = await this.tokens.revokeSomeOf(user.id, actor, runnerOf(manager));
    await this.accounts.deleteUser(user.id, actor, manager);
    if (isMore) await this.jobs.start(runnerOf(manager), ownerDeletion(user, actor));
    return isMore;
  }
}

/** What a user may do once the changes are made. */
export function rightsAfter(user: User, changes: UserChanges): UserRights {
  return {
    role: changes.role ?? user.role,
    permissions: changes.permissions ?? user.permissions,
    organizationId: changes.organizationId ?? user.organizationId,
    disabled: changes.disabled ?? user.disabled,
  };
}

export function noSuchUser(): Refusal {
  return new Refusal('notFound', { message: 'No such user' });
}

/** @throws {Refusal} conflict for the only administrator who can act. */
function assertIsNotLastAdministrator(user: User, users: readonly User[]): void {
  if (!isLastAdministrator(user, users)) return;
  throw new Refusal('conflict', {
    message: 'This is the last administrator who can act: make another one first',
  });
}
