import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource, type EntityManager } from 'typeorm';
import { conflictOf } from '../../../accounts/account-conflict.js';
import { Group } from '../../../accounts/group.entity.js';
import type { User } from '../../../accounts/user.entity.js';
import { AuditWriter } from '../../../audit/audit.writer.js';
import type { Principal } from '../../../auth/principal.js';
import { violatedUniqueIndex } from '../../../database/errors.js';
import { NamedValues, runnerOf } from '../../../database/statements.js';
import { Transactions } from '../../../database/transactions.js';
import { isUuid } from '../../../database/uuid.js';
import { Refusal } from '../../../refusal.js';
import { type Admitted, Admission } from '../../../tokens/authority/admission.js';
import type { Attributes } from '../attributes.js';
import { filterCondition } from '../filter.js';
import { type ListRequest, type Part, partOf } from '../list.js';
import { refuseInput } from '../refusals.js';
import { GROUP_TYPE } from '../schemas.js';
import { GROUP_FILTER } from './group-filter.js';
import { type GroupChanges, groupResource, type Member, type MemberChanges } from './group-resource.js';
import { RoleGroups } from './role-groups.js';

/** Of one group. */
const MAX_MEMBERS = 10_000;
/** An event names so many who came, and so many who went; the counts are exact. */
const MAX_NAMED = 1_000;

/** What of a group is answered, and where. */
export interface View {
  /** The address of `/scim/v2`. */
  base: string;
  showsMembers: boolean;
}

/** Who comes into a group and who goes, by id. */
interface Passage {
  come: string[];
  go: string[];
}

/** The groups of the caller's organization. Rows are locked in one order: the group, users by id, tokens. */
@Injectable()
export class ScimGroupsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly admission: Admission,
    private readonly roleGroups: RoleGroups,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** @throws {Refusal} forbidden for a member; notFound, also for a group of another organization. */
  async get(caller: Principal, id: string, view: View): Promise<Attributes> {
    caller.assertAdministers();
    const { organizationId } = caller.user;
    const group = isUuid(id) ? await this.dataSource.manager.findOneBy(Group, { id, organizationId }) : null;
    if (!group) throw noSuchGroup();
    const [resource = {}] = await this.resourcesOf([group], view);
    return resource;
  }

  /**
   * The oldest first. A page ends before it has more than 10,000 members, unless one group has: the next begins where it
   * ended.
   *
   * @throws {Refusal} forbidden; invalid for a filter.
   */
  async list(caller: Principal, list: ListRequest, view: View): Promise<Part<Attributes>> {
    caller.assertAdministers();
    const query = this.dataSource.manager
      .createQueryBuilder(Group, 'grp')
      .where({ organizationId: caller.user.organizationId });
    const { filter } = list;
    if (filter !== undefined) {
      const values = new NamedValues('filter');
      query.andWhere(filterCondition(filter, GROUP_TYPE, GROUP_FILTER, values.place), values.parameters);
    }
    const { rows: groups, total } = await partOf(query, list);
    const shown = view.showsMembers ? await this.withinBounds(groups) : groups;
    return { rows: await this.resourcesOf(shown, view), total };
  }

  /** @throws {Refusal} invalid, forbidden; conflict for a name or external id. */
  async create(caller: Principal, wanted: Required<GroupChanges>, view: View): Promise<Attributes> {
    const id = randomUUID();
    const now = new Date();
    await this.changing(caller, async (manager) => {
      const { organizationId } = caller.user;
      const { displayName, externalId, members } = wanted;
      const group = { id, organizationId, displayName, externalId, createdAt: now, updatedAt: now };
      await manager.insert(Group, group);
      const passage = { come: [...members.added], go: [] };
      const role = this.roleGroups.roleOf(displayName);
      const admitted = await this.admit(manager, caller, passage.come, role !== undefined);
      await this.write(manager, group, passage, admitted.users);
      if (role) await this.settle(manager, caller, passage.come, admitted);
      await this.record(manager, caller, 'group.create', id, undefined, { displayName, externalId }, passage);
    });
    return this.get(caller, id, view);
  }

  /** @throws {Refusal} invalid, forbidden, notFound; conflict for a name or external id. */
  async update(caller: Principal, id: string, changes: GroupChanges): Promise<void> {
    await this.changing(caller, async (manager) => {
      const group = await this.lock(manager, caller, id);
      const current = await membersOf(manager, id);
      const passage = passageOf(current, changes.members);
      const { displayName = group.displayName, externalId = group.externalId } = changes;
      const roles = [this.roleGroups.roleOf(group.displayName), this.roleGroups.roleOf(displayName)];
      const isRoleMeant = roles.some((role) => role !== undefined);
      // Under another name the group may stand for another role, also for who stays.
      const meant = roles[0] === roles[1] ? [...passage.come, ...passage.go] : [...current, ...passage.come];
      const admitted = await this.admit(manager, caller, isRoleMeant ? meant : passage.come, isRoleMeant);
      const isRenamed = displayName !== group.displayName || externalId !== group.externalId;
      if (!isRenamed && passage.come.length + passage.go.length === 0) return;
      if (current.length + passage.come.length - passage.go.length > MAX_MEMBERS) {
        throw refuseInput('tooMany', `A group has ${MAX_MEMBERS} members at most`, ['members']);
      }
      await manager.update(Group, { id }, { displayName, externalId, updatedAt: new Date() });
      await this.write(manager, group, passage, admitted.users);
      if (isRoleMeant) await this.settle(manager, caller, meant, admitted);
      const before = { displayName: group.displayName, externalId: group.externalId };
      await this.record(manager, caller, 'group.update', id, before, { displayName, externalId }, passage);
    });
  }

  /** @throws {Refusal} forbidden, notFound. */
  async delete(caller: Principal, id: string): Promise<void> {
    await this.changing(caller, async (manager) => {
      const { displayName, externalId } = await this.lock(manager, caller, id);
      const isRoleMeant = this.roleGroups.roleOf(displayName) !== undefined;
      const meant = isRoleMeant ? await membersOf(manager, id) : [];
      const admitted = await this.admit(manager, caller, meant, isRoleMeant);
      await manager.delete(Group, { id });
      if (isRoleMeant) await this.settle(manager, caller, meant, admitted);
      await this.record(manager, caller, 'group.delete', id, { displayName, externalId });
    });
  }

  private async changing(
    caller: Principal,
    change: (manager: EntityManager) => Promise<void>,
  ): Promise<void> {
    caller.assertAdministers();
    try {
      await this.transactions.inTurn(caller.user.id, () => this.dataSource.transaction(change));
    } catch (error) {
      throw conflictOf(violatedUniqueIndex(error)) ?? error;
    }
  }

  private async lock(manager: EntityManager, caller: Principal, id: string): Promise<Group> {
    const { organizationId } = caller.user;
    const lock = { mode: 'pessimistic_write' } as const;
    const group = isUuid(id) ? await manager.findOne(Group, { where: { id, organizationId }, lock }) : null;
    if (!group) throw noSuchGroup();
    return group;
  }

  /** Locks the actor and users, and asks again whether the actor administers the organization. */
  private async admit(
    manager: EntityManager,
    caller: Principal,
    users: readonly string[],
    changesUsers: boolean,
  ): Promise<Admitted> {
    const admitted = await this.admission.admit(runnerOf(manager), caller, { users, changesUsers });
    const actor = admitted.users.get(caller.user.id);
    const isSame = actor?.organizationId === caller.user.organizationId;
    if (isSame && admitted.powers.administers(caller.user.organizationId)) return admitted;
    throw new Refusal('forbidden', { reason: 'role', message: 'Administrators only' });
  }

  /** @throws {Refusal} invalid for who is no user of the organization. */
  private async write(
    manager: EntityManager,
    { id, organizationId }: Pick<Group, 'id' | 'organizationId'>,
    { come, go }: Passage,
    users: ReadonlyMap<string, User>,
  ): Promise<void> {
    for (const one of come) {
      const user = users.get(one);
      if (user && user.deletedAt === null && user.organizationId === organizationId) continue;
      throw refuseInput('invalidValue', `The organization has no user ${one}`, ['members']);
    }
    if (go.length > 0) {
      const gone = 'DELETE FROM group_members WHERE group_id = $1 AND user_id = ANY ($2::uuid[])';
      await manager.query(gone, [id, go]);
    }
    if (come.length > 0) {
      const added = 'INSERT INTO group_members (group_id, user_id) SELECT $1, unnest($2::uuid[])';
      await manager.query(added, [id, come]);
    }
  }

  private settle(
    manager: EntityManager,
    caller: Principal,
    ids: readonly string[],
    { users, powers }: Admitted,
  ): Promise<void> {
    const meant = ids.flatMap((id) => users.get(id) ?? []).filter(({ deletedAt }) => deletedAt === null);
    return this.roleGroups.settle(manager, meant, powers, caller.actor);
  }

  private async record(
    manager: EntityManager,
    { actor }: Principal,
    action: 'group.create' | 'group.update' | 'group.delete',
    id: string,
    before: Record<string, unknown> | undefined,
    after?: Record<string, unknown>,
    passage?: Passage,
  ): Promise<void> {
    const object = { type: 'group', id };
    const members = passage ? passageView(passage) : {};
    const shown = after && { ...after, ...members };
    await this.audit.write(runnerOf(manager), { actor, action, object, before, after: shown });
  }

  private async withinBounds(groups: Group[]): Promise<Group[]> {
    if (groups.length === 0) return groups;
    const rows = await this.dataSource.query<{ id: string; count: number }[]>(
      `SELECT m.group_id AS id, count(*)::int AS count FROM group_members m
       WHERE m.group_id = ANY ($1::uuid[]) GROUP BY m.group_id`,
      [groups.map(({ id }) => id)],
    );
    const counts = new Map(rows.map(({ id, count }) => [id, count]));
    let sum = 0;
    return groups.filter(({ id }, index) => {
      sum += counts.get(id) ?? 0;
      return index === 0 || sum <= MAX_MEMBERS;
    });
  }

  private async resourcesOf(groups: readonly Group[], { base, showsMembers }: View): Promise<Attributes[]> {
    if (!showsMembers || groups.length === 0) {
      return groups.map((group) => groupResource(group, undefined, base));
    }
    const rows = await this.dataSource.query<(Member & { groupId: string })[]>(
      `SELECT m.group_id AS "groupId", u.id, coalesce(u.name, u.login) AS name FROM group_members m
       JOIN users u ON u.id = m.user_id WHERE m.group_id = ANY ($1::uuid[]) ORDER BY u.created_at, u.id`,
      [groups.map(({ id }) => id)],
    );
    const members = new Map<string, Member[]>(groups.map(({ id }) => [id, []]));
    for (const { groupId, ...member } of rows) members.get(groupId)?.push(member);
    return groups.map((group) => groupResource(group, members.get(group.id), base));
  }
}

async function membersOf(manager: EntityManager, groupId: string): Promise<string[]> {
  const rows = await manager.query<{ id: string }[]>(
    'SELECT user_id AS id FROM group_members WHERE group_id = $1 ORDER BY user_id',
    [groupId],
  );
  return rows.map(({ id }) => id);
}

function passageOf(current: readonly string[], { isCleared, added, removed }: MemberChanges): Passage {
  const before = new Set(current);
  return {
    come: [...added].filter((id) => !before.has(id)),
    go: current.filter((id) => !added.has(id) && (isCleared || removed.has(id))),
  };
}

function passageView({ come, go }: Passage): Record<string, unknown> {
  return {
    ...(come.length > 0 ? { membersAdded: come.length, added: come.slice(0, MAX_NAMED) } : {}),
    ...(go.length > 0 ? { membersRemoved: go.length, removed: go.slice(0, MAX_NAMED) } : {}),
  };
}

function noSuchGroup(): Refusal {
  return new Refusal('notFound', { message: 'No such group' });
}
