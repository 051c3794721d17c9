import { Injectable } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { DataSource, type EntityManager } from 'typeorm';
import { conflictOf } from '../../../accounts/account-conflict.js';
import { AccountsService, type UserChanges } from '../../../accounts/accounts.service.js';
import { User } from '../../../accounts/user.entity.js';
import type { Principal } from '../../../auth/principal.js';
import { violatedUniqueIndex } from '../../../database/errors.js';
import { NamedValues, runnerOf } from '../../../database/statements.js';
import { Transactions } from '../../../database/transactions.js';
import { isUuid } from '../../../database/uuid.js';
import { Jobs } from '../../../jobs/jobs.js';
import { Refusal } from '../../../refusal.js';
import { Admission } from '../../../tokens/authority/admission.js';
import type { Powers } from '../../../tokens/authority/powers.js';
import { type LockedUser, noSuchUser, Owners, rightsAfter } from '../../../tokens/owners.js';
import { type Attributes, normalizeResource } from '../attributes.js';
import { filterCondition } from '../filter.js';
import { type ListRequest, type Part, partOf } from '../list.js';
import { type Operation, patched } from '../patch.js';
import { USER_TYPE } from '../schemas.js';
import { USER_FILTER } from './user-filter.js';
import { type GroupOfUser, type ProvisionedUser, resourceOf, settableOf, userOf } from './user-resource.js';

const MAX_GROUPS_OF_USER = 100;

/** What of a user is answered, and where. */
export interface View {
  /** The address of `/scim/v2`. */
  base: string;
  showsGroups: boolean;
}

/**
 * The users of the caller's organization, as its identity provider keeps them. Administrators of everything are shown, and
 * never changed.
 */
@Injectable()
export class ScimUsersService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly accounts: AccountsService,
    private readonly owners: Owners,
    private readonly admission: Admission,
    private readonly transactions: Transactions,
    private readonly jobs: Jobs,
  ) {}

  /** @throws {Refusal} forbidden for a member; notFound, also for a user of another organization. */
  async get(caller: Principal, id: string, view: View): Promise<Attributes> {
    caller.assertAdministers();
    const { organizationId } = caller.user;
    const user = isUuid(id)
      ? await this.users().where('user.id = :id', { id }).andWhere({ organizationId }).getOne()
      : null;
    if (!user) throw noSuchUser();
    const [resource = {}] = await this.resourcesOf([user], view);
    return resource;
  }

  /** The oldest first. @throws {Refusal} forbidden; invalid for a filter. */
  async list(caller: Principal, list: ListRequest, view: View): Promise<Part<Attributes>> {
    caller.assertAdministers();
    const query = this.users().where({ organizationId: caller.user.organizationId });
    const { filter } = list;
    if (filter !== undefined) {
      const values = new NamedValues('filter');
      query.andWhere(filterCondition(filter, USER_TYPE, USER_FILTER, values.place), values.parameters);
    }
    const { rows: users, total } = await partOf(query, list);
    return { rows: await this.resourcesOf(users, view), total };
  }

  /** Makes a member without a password. @throws {Refusal} invalid, forbidden; conflict for a login or external id. */
  async create(caller: Principal, sent: Attributes, view: View): Promise<Attributes> {
    caller.assertAdministers();
    const { organizationId } = caller.user;
    const { isActive = true, ...provisioned } = userOf(normalizeResource(sent, USER_TYPE));
    const spec = { ...provisioned, organizationId, deprovisioned: !isActive };
    const user = await this.accounts.createUser(spec, caller.actor, async (manager) => {
      const { powers } = await this.admission.admit(runnerOf(manager), caller);
      const rights = { role: 'member' as const, permissions: [], organizationId, disabled: !isActive };
      powers.assertMayMakeUser(rights, false);
    });
    const made = Object.assign(user, { scimAttributes: provisioned.scimAttributes });
    return resourceOf(made, undefined, view.base);
  }

  /** Sets all that a client can set; who is not said to be active or not stays what they are. */
  async replace(caller: Principal, id: string, sent: Attributes, view: View): Promise<Attributes> {
    caller.assertAdministers();
    const wanted = userOf(normalizeResource(sent, USER_TYPE));
    await this.change(caller, id, () => wanted);
    return this.get(caller, id, view);
  }

  async patch(
    caller: Principal,
    id: string,
    operations: readonly Operation[],
    view: View,
  ): Promise<Attributes> {
    await this.change(caller, id, (user) => userOf(patched(settableOf(user), operations, USER_TYPE)));
    return this.get(caller, id, view);
  }

  /** Deletes a user, and with the user all tokens. @throws {Refusal} forbidden, notFound. */
  async delete(caller: Principal, id: string): Promise<void> {
    const isRestLeft = await this.changing(caller, id, async (manager, { user }) =>
      this.owners.delete(manager, caller, user),
    );
    if (isRestLeft) this.jobs.runSoon();
  }

  private change(caller: Principal, id: string, wantedOf: (user: User) => ProvisionedUser): Promise<void> {
    return this.changing(caller, id, async (manager, { powers, user }) => {
      const { scimAttributes } = await manager.findOneOrFail(User, {
        where: { id },
        select: { id: true, scimAttributes: true },
      });
      const before = Object.assign(user, { scimAttributes: scimAttributes ?? null });
      const changes = changesTo(before, wantedOf(before));
      if (Object.keys(changes).length === 0) return;
      assertMayChange(powers, user, changes);
      await this.accounts.updateUser(id, changes, caller.actor, manager);
    });
  }

  /**
   * Changes a user under the locks of a transaction.
   *
   * @throws {Refusal} forbidden, also for an administrator of everything; notFound, also for a user of another
   *   organization; conflict.
   */
  private async changing<Result>(
    caller: Principal,
    id: string,
    change: (manager: EntityManager, locked: LockedUser) => Promise<Result>,
  ): Promise<Result> {
    caller.assertAdministers();
    if (!isUuid(id)) throw noSuchUser();
    try {
      return await this.transactions.inTurn(caller.user.id, () =>
        this.dataSource.transaction(async (manager) => {
          const locked = await this.owners.lock(manager, caller, id, false);
          if (locked.user.organizationId !== caller.user.organizationId) throw noSuchUser();
          assertIsNoAdministrator(locked.user);
          return change(manager, locked);
        }),
      );
    } catch (error) {
      throw conflictOf(violatedUniqueIndex(error)) ?? error;
    }
  }

  private users() {
    return this.dataSource.manager.createQueryBuilder(User, 'user').addSelect('user.scimAttributes');
  }

  private async resourcesOf(users: readonly User[], { base, showsGroups }: View): Promise<Attributes[]> {
    const groups = showsGroups && users.length > 0 ? await this.groupsOf(users) : undefined;
    return users.map((user) => resourceOf(user, groups?.get(user.id), base));
  }

  private async groupsOf(users: readonly User[]): Promise<Map<string, GroupOfUser[]>> {
    const rows = await this.dataSource.query<(GroupOfUser & { userId: string })[]>(
      `SELECT u.id AS "userId", g.id, g.display_name AS "displayName" FROM unnest($1::uuid[]) AS u (id)
       CROSS JOIN LATERAL (SELECT g.id, g.display_name FROM group_members m JOIN groups g ON g.id = m.group_id
         WHERE m.user_id = u.id ORDER BY g.id LIMIT ${MAX_GROUPS_OF_USER}) g`,
      [users.map(({ id }) => id)],
    );
    const byUser = new Map<string, GroupOfUser[]>();
    for (const { userId, id, displayName } of rows) {
      byUser.set(userId, [...(byUser.get(userId) ?? []), { id, displayName }]);
    }
    return byUser;
  }
}

/** What differs. Who is disabled by provisioning may be enabled by it. */
function changesTo(user: User, { isActive, ...wanted }: ProvisionedUser): UserChanges {
  const differing = Object.entries(wanted).filter(
    ([key, value]) => !isDeepStrictEqual(value, user[key as keyof typeof wanted] ?? emptyOf(key)),
  );
  const changes: UserChanges = Object.fromEntries(differing);
  if (isActive === undefined || isActive === !user.disabled) return changes;
  return { ...changes, disabled: !isActive, deprovisioned: !isActive };
}

/** A user whom no client has set anything of has no attributes. */
function emptyOf(key: string): unknown {
  return key === 'scimAttributes' ? {} : null;
}

function assertMayChange(powers: Powers, user: User, changes: UserChanges): void {
  const isGivenBack = user.disabled && changes.disabled === false && user.deprovisioned;
  if (isGivenBack) powers.assertMayGiveBack(user);
  const after = rightsAfter(user, changes);
  powers.assertMayChangeUser(user, isGivenBack ? { ...after, disabled: true } : after, false);
}

function assertIsNoAdministrator({ role }: User): void {
  if (role !== 'administrator') return;
  const message = 'An administrator of everything is not provisioned';
  throw new Refusal('forbidden', { reason: 'role', message });
}
