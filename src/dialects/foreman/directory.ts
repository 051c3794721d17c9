import { Injectable } from '@nestjs/common';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import { Location } from '../../accounts/location.entity.js';
import { isLogin } from '../../accounts/login.js';
import { Organization } from '../../accounts/organization.entity.js';
import type { UserReference } from '../../accounts/user-reference.js';
import { type Permission, User } from '../../accounts/user.entity.js';
import type { Principal } from '../../auth/principal.js';
import { isGoodText } from '../../http/validation/text.js';
import { ContextNotFound, UserNotFound } from './foreman.refusals.js';
import type { Parameters } from './parameters.js';
import { assertMay } from './permissions.js';

/** The organization and location that a call is limited to; null: any. */
export interface Contexts {
  organization: Organization | null;
  location: Location | null;
}

/** The user whose tokens a call is about, and whether that is the caller. */
export interface Target {
  owner: User;
  isOwn: boolean;
}

/** The user whom a path names, to be found with what the call is about. */
export interface NamedUser {
  reference: UserReference;
  isOwn: boolean;
  /** @throws {UserNotFound} for nobody, and for one whom the caller does not see. */
  assertVisible: (owner: User | undefined) => void;
}

/** The user of a path, by number or by login. */
type PathReference = { numericId: number } | { login: string };

/** The greatest value of the column. */
const GREATEST_ID = 2_147_483_647;

/**
 * The users that a caller can see: those of the own organization, for an administrator all, and of these the
 * ones in the organization and location that the call names.
 */
@Injectable()
export class Directory {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * The user whose tokens a call is about. Another user's tokens need a permission, which is checked before
   * anything is looked up: `authorize` precedes all filters that do so in
   * app/controllers/api/base_controller.rb. One's own need none: `editing_self?` in
   * https://github.com/theforeman/foreman/blob/develop/app/models/user.rb
   *
   * @throws {Refusal} forbidden; {@link ContextNotFound}; {@link UserNotFound}.
   */
  async target(
    caller: Principal,
    userId: string,
    parameters: Parameters,
    permission: Permission,
  ): Promise<Target> {
    const isOwn = isOneself(caller, userId);
    if (!isOwn) assertMay(caller, permission);
    const contexts = await this.contexts(caller, parameters);
    return { owner: await this.find(caller, userId, contexts), isOwn };
  }

  /**
   * As {@link target}, but whether there is such a user is seen with what the call is about, in one statement; unless the
   * call names an organization or location.
   *
   * @throws {Refusal} forbidden; {@link ContextNotFound}; {@link UserNotFound}.
   */
  async named(
    caller: Principal,
    userId: string,
    parameters: Parameters,
    permission: Permission,
  ): Promise<NamedUser> {
    const isOwn = isOneself(caller, userId);
    if (!isOwn) assertMay(caller, permission);
    const contexts = await this.contexts(caller, parameters);
    const isNarrowed = contexts.organization !== null || contexts.location !== null;
    const found = isOwn ? caller.user : isNarrowed ? await this.find(caller, userId, contexts) : undefined;
    const reference = found ? { id: found.id } : referenceOf(userId);
    if (!reference) throw new UserNotFound(userId);
    return {
      reference,
      isOwn,
      assertVisible: (owner) => {
        const isSeen =
          owner && (caller.isAdministrator || owner.organizationId === caller.user.organizationId);
        if (!isSeen) throw new UserNotFound(userId);
      },
    };
  }

  /**
   * The parameters `organization_id` and `location_id`: `set_taxonomy` in
   * https://github.com/theforeman/foreman/blob/develop/app/controllers/concerns/application_shared.rb
   * looks at the location first, takes a blank value for "any", and answers 404 for what is not the caller's.
   *
   * @throws {ContextNotFound}
   */
  async contexts(caller: Principal, parameters: Parameters): Promise<Contexts> {
    const location = await this.context(Location, 'Location', caller, parameters['location_id']);
    const organization = await this.context(
      Organization,
      'Organization',
      caller,
      parameters['organization_id'],
    );
    return { organization, location };
  }

  /** A query over the users that the caller sees (alias `user`). */
  visible(
    { user, isAdministrator }: Principal,
    { organization, location }: Contexts,
  ): SelectQueryBuilder<User> {
    const query = this.dataSource.manager.createQueryBuilder(User, 'user').where('user.deletedAt IS NULL');
    if (!isAdministrator) query.andWhere('user.organizationId = :own', { own: user.organizationId });
    if (organization) query.andWhere('user.organizationId = :named', { named: organization.id });
    if (location) {
      query.andWhere(
        'EXISTS (SELECT 1 FROM user_locations place WHERE place.user_id = user.id AND place.location_id = :location)',
        { location: location.id },
      );
    }
    return query;
  }

  /**
   * The user of a path. The caller is always found, another user only in the contexts: `default_scope` in
   * app/models/user.rb, and `find_user` of user_aware.rb in
   * https://github.com/theforeman/foreman/tree/develop/app/controllers/concerns/foreman/controller
   *
   * @throws {UserNotFound}
   */
  async find(caller: Principal, id: string, contexts: Contexts): Promise<User> {
    if (isOneself(caller, id)) return caller.user;
    const reference = referenceOf(id);
    if (!reference) throw new UserNotFound(id);
    const query = this.visible(caller, contexts);
    if ('login' in reference) query.andWhere('lower(user.login) = lower(:login)', reference);
    else query.andWhere('user.numericId = :numericId', reference);
    const user = await query.getOne();
    if (!user) throw new UserNotFound(id);
    return user;
  }

  private async context<Place extends Organization | Location>(
    entity: new () => Place,
    kind: 'Organization' | 'Location',
    caller: Principal,
    sent: unknown,
  ): Promise<Place | null> {
    if (sent === undefined || sent === null || sent === '') return null;
    const id = typeof sent === 'string' || typeof sent === 'number' ? String(sent) : JSON.stringify(sent);
    if (/^[\s]*$/.test(id)) return null;
    const query = this.dataSource.manager
      .createQueryBuilder<Place>(entity, 'place')
      .where('(place.name = :id OR place.numericId = :number)', { id, number: numberOf(id) ?? 0 })
      // An id, an id and `-anything`, or a name, which comes first where it is another one's number:
      // `scope_by_resource_id` in app/controllers/concerns/application_shared.rb.
      .orderBy('CASE WHEN place.name = :id THEN 0 ELSE 1 END');
    if (!caller.isAdministrator) confine(query, kind, caller.user);
    const place = isGoodText(id) ? await query.getOne() : null;
    if (!place) throw new ContextNotFound(kind, id);
    return place;
  }
}

/** Whether the user of a path is the caller: `editing_self?` in app/models/user.rb. */
export function isOneself({ user }: Principal, id: string): boolean {
  const reference = referenceOf(id);
  if (!reference) return false;
  if ('login' in reference) return reference.login.toLowerCase() === user.login.toLowerCase();
  return reference.numericId === user.numericId;
}

/**
 * The number of an id such as `5` or `5-alice`, which Foreman writes itself (`ByIdName`, `User#to_param`):
 * https://github.com/theforeman/foreman/blob/develop/app/models/concerns/parameterizable.rb
 * Ruby's `to_i` would also read the 5 of `5xyz`; that this names nobody was decided here.
 */
export function numberOf(id: string): number | undefined {
  const [, digits] = /^(\d+)(?:-.*)?$/s.exec(id) ?? [];
  if (digits === undefined) return undefined;
  const number = Number(digits);
  return number <= GREATEST_ID ? number : 0;
}

/** That a login names a user as well was decided here. */
function referenceOf(id: string): PathReference | undefined {
  const numericId = numberOf(id);
  if (numericId !== undefined) return { numericId };
  return isLogin(id) && !/^\d/.test(id) ? { login: id } : undefined;
}

function confine(
  query: SelectQueryBuilder<Organization> | SelectQueryBuilder<Location>,
  kind: 'Organization' | 'Location',
  user: User,
): void {
  if (kind === 'Organization') {
    query.andWhere('place.id = :own', { own: user.organizationId });
    return;
  }
  query.andWhere(
    'EXISTS (SELECT 1 FROM user_locations own WHERE own.location_id = place.id AND own.user_id = :user)',
    { user: user.id },
  );
}
