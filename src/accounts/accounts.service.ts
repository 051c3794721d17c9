import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource, type EntityManager } from 'typeorm';
import { type Actor, AuditWriter } from '../audit/audit.writer.js';
import { ChangeFeed } from '../database/changes/change-feed.js';
import { violatedUniqueIndex } from '../database/errors.js';
import { runnerOf } from '../database/statements.js';
import { Transactions } from '../database/transactions.js';
import { isUuid } from '../database/uuid.js';
import { HashingService } from '../hashing/hashing.service.js';
import { conflictOf } from './account-conflict.js';
import { GroupMember } from './group.entity.js';
import { Identity } from './identity.entity.js';
import { Location } from './location.entity.js';
import { Organization } from './organization.entity.js';
import { type Permission, type Role, User } from './user.entity.js';

/** A user to be made; what the edge has checked: forms, lengths, that organization and locations exist. */
export interface UserSpec {
  login: string;
  /** 8 to 72 bytes; null: no login by password. */
  password?: string | null;
  name?: string | null;
  email?: string | null;
  role?: Role;
  permissions?: Permission[];
  organizationId: string;
  locations?: Location[];
  externalId?: string | null;
  scimAttributes?: Record<string, unknown> | null;
  /** Whether the user is made disabled, to be enabled by provisioning. */
  deprovisioned?: boolean;
}

/** What may be changed of a user; keys left out stay as they are. */
export type UserChanges = Partial<Omit<UserSpec, 'password' | 'deprovisioned'>> & {
  /** Hashed before the transaction begins: that takes long, and the user's row is locked for as long as it lasts. */
  passwordDigest?: string | null;
  disabled?: boolean;
  /** Whether it is provisioning that disables, and may enable again; whoever else disables a user takes that away. */
  deprovisioned?: boolean;
};

/** Runs in the changing transaction before anything is written; throws if the actor may not make the change. */
export type Gate = (manager: EntityManager) => Promise<void>;

/** Writes what a new organization has besides from its first moment on, in the transaction that makes it. */
export type SetUp = (manager: EntityManager, organizationId: string) => Promise<void>;

/** Ends what rests on what a user was, in the transaction in which the user becomes less. */
export type OnLessTrusted = (manager: EntityManager, userId: string, actor: Actor) => Promise<void>;

/** Users, organizations and locations. Each change and its audit event commit together. */
@Injectable()
export class AccountsService {
  private readonly lessTrusted: OnLessTrusted[] = [];

  constructor(
    private readonly dataSource: DataSource,
    private readonly hashing: HashingService,
    private readonly audit: AuditWriter,
    private readonly changes: ChangeFeed,
    private readonly transactions: Transactions,
  ) {}

  /** Has something done whenever a user is disabled or deleted, or gets another role or password. */
  onLessTrusted(end: OnLessTrusted): void {
    this.lessTrusted.push(end);
  }

  /** The user of a uuid, or null; any other text is nobody's. */
  async findUser(id: string): Promise<User | null> {
    return isUuid(id) ? this.dataSource.manager.findOneBy(User, { id }) : null;
  }

  /** @throws {AccountConflict} when the login is taken, without regard to case, or the external id. */
  async createUser(spec: UserSpec, actor: Actor, gate?: Gate): Promise<User> {
    const passwordDigest = spec.password ? await this.hashing.hashPassword(spec.password) : null;
    return this.changing(actor, async (manager) => {
      await gate?.(manager);
      return this.insertUser(spec, passwordDigest, actor, manager);
    });
  }

  /**
   * Makes a user who signs in by an identity provider alone, in the caller's transaction, which ends with the violation
   * of the index `users_login` when the login is taken.
   */
  createUserWithoutPassword(
    spec: Omit<UserSpec, 'password'>,
    actor: Actor,
    manager: EntityManager,
  ): Promise<User> {
    return this.insertUser(spec, null, actor, manager);
  }

  /**
   * Links a user with whom an identity provider knows them as, in the caller's transaction, which ends with the violation
   * of a unique index when either has such a link already.
   *
   * @param provider by which the link came about, for the audit trail.
   */
  async linkIdentity(
    userId: string,
    { issuer, subject }: Pick<Identity, 'issuer' | 'subject'>,
    provider: string,
    actor: Actor,
    manager: EntityManager,
  ): Promise<void> {
    const now = new Date();
    const identity = { id: randomUUID(), issuer, subject, userId, createdAt: now, lastUsedAt: now };
    await manager.insert(Identity, identity);
    await this.audit.write(runnerOf(manager), {
      actor,
      action: 'identity.link',
      object: { type: 'user', id: userId },
      after: { provider, issuer, subject },
    });
  }

  /**
   * Changes a user, under its row lock and in the caller's transaction, so that what hangs on it can change with it. It
   * ends with the violation of the index `users_login` or `users_external_id` when either is taken. In another organization
   * the user is in no group, and has no external id.
   *
   * @returns the user before and after, or undefined when there is none (any more).
   */
  async updateUser(
    id: string,
    { locations, ...changes }: UserChanges,
    actor: Actor,
    manager: EntityManager,
  ): Promise<{ before: User; after: User } | undefined> {
    if (!(await manager.findOne(User, { where: { id }, lock: { mode: 'pessimistic_write' } })))
      return undefined;
    const before = await loadUser(manager, id);
    const isNewPassword = changes.passwordDigest !== undefined;
    const passwordVersion = before.passwordVersion + (isNewPassword ? 1 : 0);
    const isMoved = changes.organizationId !== undefined && changes.organizationId !== before.organizationId;
    const columns = {
      ...(isMoved ? { externalId: null } : {}),
      ...(changes.disabled === undefined ? {} : { deprovisioned: false }),
      ...changes,
      passwordVersion,
      updatedAt: new Date(),
    };
    // The types of TypeORM know no JSON of any shape.
    await manager.update(User, { id }, columns as object);
    if (isMoved) await manager.delete(GroupMember, { userId: id });
    if (locations) await setLocations(manager, id, before.locations, locations);
    const after = await loadUser(manager, id);
    this.changes.changed(manager, id);
    if (isNewPassword || before.role !== after.role || before.disabled !== after.disabled) {
      await this.endWhatRestsOn(id, actor, manager);
    }
    await this.audit.write(runnerOf(manager), {
      actor,
      action: 'user.update',
      object: { type: 'user', id },
      before: auditView(before),
      after: {
        ...auditView(after),
        ...(isNewPassword ? { passwordChanged: true } : {}),
      },
    });
    return { before, after };
  }

  /**
   * Replaces a user's password hash, but only if the stored one is still `from`: the password may have been changed, or
   * the user disabled, since it was checked.
   *
   * @returns whether it was.
   */
  async swapPassword(id: string, from: string, to: string, actor: Actor): Promise<boolean> {
    return this.changing(actor, async (manager) => {
      const current = await manager
        .createQueryBuilder(User, 'user')
        .setLock('pessimistic_write')
        .addSelect('user.passwordDigest')
        .where({ id, disabled: false, passwordDigest: from })
        .getOne();
      return (
        current !== null && (await this.updateUser(id, { passwordDigest: to }, actor, manager)) !== undefined
      );
    });
  }

  /**
   * Deletes a user in the caller's transaction: the row stays, for tokens and audit events that name it, without
   * personal data; the login is free again, and so is whom identity providers knew the user as.
   */
  async deleteUser(id: string, actor: Actor, manager: EntityManager): Promise<boolean> {
    if (!(await manager.findOne(User, { where: { id }, lock: { mode: 'pessimistic_write' } }))) return false;
    const before = await loadUser(manager, id);
    this.changes.changed(manager, id);
    const deletedAt = new Date();
    const blank = {
      name: null,
      email: null,
      passwordDigest: null,
      externalId: null,
      scimAttributes: null,
      disabled: true,
    };
    await setLocations(manager, id, before.locations, []);
    await manager.delete(Identity, { userId: id });
    await manager.delete(GroupMember, { userId: id });
    await manager.update(User, { id }, { ...blank, updatedAt: deletedAt, deletedAt });
    await this.endWhatRestsOn(id, actor, manager);
    await this.audit.write(runnerOf(manager), {
      actor,
      action: 'user.delete',
      object: { type: 'user', id },
      before: auditView(before),
    });
    return true;
  }

  /** @throws {AccountConflict} when the name is taken, without regard to case. */
  createOrganization(name: string, actor: Actor, setUp: SetUp, gate?: Gate): Promise<Organization> {
    return this.createPlace(Organization, 'organization', name, actor, { setUp, gate });
  }

  /** @throws {AccountConflict} when the name is taken, without regard to case. */
  createLocation(name: string, actor: Actor, gate?: Gate): Promise<Location> {
    return this.createPlace(Location, 'location', name, actor, { gate });
  }

  private async endWhatRestsOn(id: string, actor: Actor, manager: EntityManager): Promise<void> {
    for (const end of this.lessTrusted) await end(manager, id, actor);
  }

  private async insertUser(
    spec: Omit<UserSpec, 'password'>,
    passwordDigest: string | null,
    actor: Actor,
    manager: EntityManager,
  ): Promise<User> {
    const now = new Date();
    const user = manager.create(User, {
      id: randomUUID(),
      login: spec.login,
      name: spec.name ?? null,
      email: spec.email ?? null,
      role: spec.role ?? 'member',
      permissions: spec.permissions ?? [],
      organizationId: spec.organizationId,
      locations: spec.locations ?? [],
      passwordDigest,
      externalId: spec.externalId ?? null,
      scimAttributes: spec.scimAttributes ?? null,
      disabled: spec.deprovisioned ?? false,
      deprovisioned: spec.deprovisioned ?? false,
      createdAt: now,
      updatedAt: now,
    });
    await manager.save(user);
    await this.audit.write(runnerOf(manager), {
      actor,
      action: 'user.create',
      object: { type: 'user', id: user.id },
      after: auditView(user),
    });
    return loadUser(manager, user.id);
  }

  private createPlace<Place extends Organization | Location>(
    entity: new () => Place,
    kind: 'organization' | 'location',
    name: string,
    actor: Actor,
    { setUp, gate }: { setUp?: SetUp; gate?: Gate | undefined },
  ): Promise<Place> {
    const id = randomUUID();
    return this.changing(actor, async (manager) => {
      await gate?.(manager);
      await manager.insert(entity, { id, name, createdAt: new Date() } as object);
      await setUp?.(manager, id);
      const object = { type: kind, id };
      await this.audit.write(runnerOf(manager), { actor, action: `${kind}.create`, object, after: { name } });
      return manager.findOneByOrFail<Place>(entity, { id } as object);
    });
  }

  private async changing<Result>(
    { auditId, type }: Actor,
    change: (manager: EntityManager) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await this.transactions.inTurn(auditId ?? type, () => this.dataSource.transaction(change));
    } catch (error) {
      throw conflictOf(violatedUniqueIndex(error)) ?? error;
    }
  }
}

function loadUser(manager: EntityManager, id: string): Promise<User> {
  return manager.findOneOrFail(User, { where: { id }, relations: { organization: true, locations: true } });
}

async function setLocations(
  manager: EntityManager,
  id: string,
  old: Location[],
  wanted: Location[],
): Promise<void> {
  await manager.createQueryBuilder().relation(User, 'locations').of(id).addAndRemove(wanted, old);
}

/** What the audit trail keeps of a user: never the password's hash. */
function auditView(user: User): Record<string, unknown> {
  const { login, name, email, role, permissions, organizationId, locations, disabled, externalId } = user;
  const places = locations.map((location) => location.id);
  return {
    login,
    name,
    email,
    role,
    permissions,
    organization: organizationId,
    locations: places,
    disabled,
    ...(externalId === null ? {} : { externalId }),
  };
}
