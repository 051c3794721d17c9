import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In } from 'typeorm';
import { AccountsService, type UserChanges } from '../../accounts/accounts.service.js';
import { DEFAULT_ORGANIZATION } from '../../accounts/first-start.js';
import { Location } from '../../accounts/location.entity.js';
import { Organization } from '../../accounts/organization.entity.js';
import { findPlace, findUser } from '../../accounts/references.js';
import { User } from '../../accounts/user.entity.js';
import type { Principal } from '../../auth/principal.js';
import { runnerOf } from '../../database/statements.js';
import { newestFirst, type Page, readPage } from '../../database/page.js';
import { Transactions } from '../../database/transactions.js';
import { HashingService } from '../../hashing/hashing.service.js';
import { Jobs } from '../../jobs/jobs.js';
import { Refusal } from '../../refusal.js';
import { Admission } from '../../tokens/authority/admission.js';
import { noSuchUser, Owners, rightsAfter } from '../../tokens/owners.js';
import { TokenService } from '../../tokens/token.service.js';
import type { CreateUser, ListUsersQuery, UpdateUser } from './users.dto.js';

/** Users as administrators see and change them; what hangs on a user changes in the same transaction. */
@Injectable()
export class UserAdministrationService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly accounts: AccountsService,
    private readonly owners: Owners,
    private readonly tokens: TokenService,
    private readonly hashing: HashingService,
    private readonly admission: Admission,
    private readonly transactions: Transactions,
    private readonly jobs: Jobs,
  ) {}

  /** @throws {Refusal} forbidden for a member; notFound, also for a user of an organization that is not the caller's. */
  async get(caller: Principal, reference: string): Promise<User> {
    caller.assertAdministers();
    const user = await findUser(this.dataSource.manager, reference);
    if (!user || !caller.administers(user.organizationId)) throw noSuchUser();
    return user;
  }

  /** @throws {Refusal} forbidden for a member. */
  async list(caller: Principal, query: ListUsersQuery): Promise<Page<User>> {
    caller.assertAdministers();
    const { manager } = this.dataSource;
    const users = manager.createQueryBuilder(User, 'user');
    if (!caller.isAdministrator) users.andWhere({ organizationId: caller.user.organizationId });
    if (query.disabled !== undefined) users.andWhere({ disabled: query.disabled });
    if (query.organization !== undefined) {
      const organization = await findPlace(manager, Organization, query.organization);
      if (!organization) return { rows: [], nextCursor: undefined };
      users.andWhere({ organizationId: organization.id });
    }
    if (query.q !== undefined) {
      const text = `concat_ws(chr(10), user.login, user.name, user.email)`;
      users.andWhere(`position(lower(:q) in lower(${text})) > 0`, { q: query.q });
    }
    const page = await readPage(users, newestFirst('user.createdAt'), query.cursor, query.limit);
    // Locations come in a second query: joined, they would repeat rows and spoil the limit.
    const relations = { organization: true, locations: true };
    const whole = await manager.find(User, {
      where: { id: In(page.rows.map(({ id }) => id)) },
      relations,
      order: { createdAt: 'DESC', id: 'DESC' },
    });
    return { rows: whole, nextCursor: page.nextCursor };
  }

  /** @throws {Refusal} invalid for unknown places; forbidden for what the caller cannot grant; conflict. */
  async create(caller: Principal, { organization, locations, ...body }: CreateUser): Promise<User> {
    caller.assertAdministers();
    const { manager } = this.dataSource;
    const organizationId = await organizationFor(manager, caller, organization);
    const { role = 'member', permissions = [] } = body;
    const rights = { role, permissions, organizationId, disabled: false };
    const spec = { ...body, organizationId, locations: await locationsFor(manager, locations ?? []) };
    return this.accounts.createUser(spec, caller.actor, async (transaction) => {
      const { powers } = await this.admission.admit(runnerOf(transaction), caller);
      powers.assertMayMakeUser(rights, Boolean(body.password));
    });
  }

  /**
   * @throws {Refusal} invalid, forbidden, notFound; conflict for what would leave no administrator who can act.
   */
  async update(caller: Principal, reference: string, body: UpdateUser): Promise<User> {
    const { id } = await this.get(caller, reference);
    const { password, organization, locations, ...rest } = body;
    const changes: UserChanges = rest;
    if (password !== undefined) {
      changes.passwordDigest = password === null ? null : await this.hashing.hashPassword(password);
    }
    return this.changing(caller, async (manager) => {
      const mayEndAdministrator = rest.disabled || (rest.role ?? 'administrator') !== 'administrator';
      const { powers, user } = await this.owners.lock(manager, caller, id, mayEndAdministrator);
      if (locations) changes.locations = await locationsFor(manager, locations);
      if (organization !== undefined) {
        changes.organizationId = await organizationFor(manager, caller, organization);
      }
      powers.assertMayChangeUser(user, rightsAfter(user, changes), Boolean(password));
      const changed = await this.change(caller, user, changes, manager);
      if (changed.organizationId !== user.organizationId) {
        await this.tokens.moveAllOf(id, changed.organizationId, manager);
      }
      return changed;
    });
  }

  /**
   * Deletes a user, and with the user all tokens: none of them works once this has returned. Where they are very many, a
   * job marks the rest of them as revoked afterwards.
   *
   * @throws {Refusal} forbidden, notFound; conflict for the last administrator who can act.
   */
  async delete(caller: Principal, reference: string): Promise<void> {
    const { id } = await this.get(caller, reference);
    const isRestLeft = await this.changing(caller, async (manager) => {
      const { user } = await this.owners.lock(manager, caller, id, true);
      return this.owners.delete(manager, caller, user);
    });
    if (isRestLeft) this.jobs.runSoon();
  }

  private changing<Result>(
    { user }: Principal,
    change: (manager: EntityManager) => Promise<Result>,
  ): Promise<Result> {
    return this.transactions.inTurn(user.id, () => this.dataSource.transaction(change));
  }

  private async change(
    caller: Principal,
    user: User,
    changes: UserChanges,
    manager: EntityManager,
  ): Promise<User> {
    if (Object.values(changes).every((value) => value === undefined)) {
      const relations = { organization: true, locations: true };
      return manager.findOneOrFail(User, { where: { id: user.id }, relations });
    }
    const changed = await this.accounts.updateUser(user.id, changes, caller.actor, manager);
    if (!changed) throw noSuchUser();
    return changed.after;
  }
}

/**
 * The id of the organization that a caller names. Whether another organization exists is not told to who administers
 * one: naming it is forbidden either way.
 */
async function organizationFor(
  manager: EntityManager,
  caller: Principal,
  reference: string | undefined,
): Promise<string> {
  if (reference === undefined && !caller.isAdministrator) return caller.user.organizationId;
  const organization = await findPlace(manager, Organization, reference ?? DEFAULT_ORGANIZATION);
  if (organization && caller.administers(organization.id)) return organization.id;
  if (caller.isAdministrator) throw Refusal.ofField(['organization'], 'exists', 'No such organization');
  const message = 'You administer another organization';
  throw new Refusal('forbidden', { reason: 'outsideOrganization', message });
}

async function locationsFor(manager: EntityManager, references: string[]): Promise<Location[]> {
  const found = new Map<string, Location>();
  for (const [index, reference] of references.entries()) {
    // One after the other: the embedded engine has one connection, and so has a transaction.
    const location = await findPlace(manager, Location, reference);
    if (!location) throw Refusal.ofField(['locations', String(index)], 'exists', 'No such location');
    found.set(location.id, location);
  }
  return [...found.values()];
}
