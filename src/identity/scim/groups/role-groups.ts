import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AccountsService } from '../../../accounts/accounts.service.js';
import { type Role, ROLES, type User } from '../../../accounts/user.entity.js';
import type { Actor } from '../../../audit/audit.writer.js';
import { CONFIG, type Config } from '../../../config.js';
import type { Powers } from '../../../tokens/authority/powers.js';
import { rightsAfter } from '../../../tokens/owners.js';
import { refuseInput } from '../refusals.js';

/** Of one call: each is a change of a user, with its event. As many as members that a request can name. */
const MAX_CHANGES = 2_000;

/** The groups that stand for a role (`SCIM_ROLE_GROUPS`), and what they make of their members. */
@Injectable()
export class RoleGroups {
  constructor(
    private readonly accounts: AccountsService,
    @Inject(CONFIG) private readonly config: Pick<Config, 'scimRoleGroups'>,
  ) {}

  /** The role that a group of this name stands for; undefined: none. */
  roleOf(displayName: string): Role | undefined {
    return this.config.scimRoleGroups.get(displayName.toLowerCase());
  }

  /**
   * Gives users the role of their groups, once their memberships are written: the highest of those, no less than before for
   * who is in such a group now, and member for who is in none any more. The users are locked. Administrators of everything
   * stay what they are.
   *
   * @throws {Refusal} forbidden where the actor cannot give the role: nobody grants what they do not hold; tooMany.
   */
  async settle(manager: EntityManager, users: readonly User[], powers: Powers, actor: Actor): Promise<void> {
    const roles = await this.rolesOf(manager, users);
    const changes = users.flatMap((user) => {
      if (user.role === 'administrator') return [];
      const given = roles.get(user.id);
      const role = given === undefined ? 'member' : higher(given, user.role);
      return role === user.role ? [] : [{ user, role }];
    });
    if (changes.length > MAX_CHANGES) {
      throw refuseInput('tooMany', `A call changes the role of ${MAX_CHANGES} users at most`, ['members']);
    }
    for (const { user, role } of changes) {
      powers.assertMayChangeUser(user, rightsAfter(user, { role }), false);
      await this.accounts.updateUser(user.id, { role }, actor, manager);
    }
  }

  private async rolesOf(manager: EntityManager, users: readonly User[]): Promise<Map<string, Role>> {
    const rows = await manager.query<{ userId: string; displayName: string }[]>(
      `SELECT m.user_id AS "userId", g.display_name AS "displayName" FROM group_members m
       JOIN groups g ON g.id = m.group_id
       WHERE m.user_id = ANY ($1::uuid[]) AND lower(g.display_name) = ANY ($2::text[])`,
      [users.map(({ id }) => id), [...this.config.scimRoleGroups.keys()]],
    );
    const roles = new Map<string, Role>();
    for (const { userId, displayName } of rows) {
      const role = this.roleOf(displayName) ?? 'member';
      roles.set(userId, higher(role, roles.get(userId) ?? 'member'));
    }
    return roles;
  }
}

function higher(one: Role, other: Role): Role {
  return ROLES.indexOf(one) > ROLES.indexOf(other) ? one : other;
}
