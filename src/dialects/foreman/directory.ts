import { Injectable } from '@nestjs/common';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import { Location } from '../../accounts/location.entity.js';
import { isLogin } from '../../accounts/login.js';
import { Organization } from '../../accounts/organization.entity.js';
import { type Permission, User } from '../../accounts/user.entity.js';
import type { Principal } from '../../auth/principal.js';
import { isGoodText } from '../../http/validation/text.js';
import { ContextNotFound, UserNotFound } from './foreman.refusals.js';
import type { Parameters } from './parameters.js';
import { assertMay } from './permissions.js';

/** The organization and location that a call is confined to; null: any. */
export interface Contexts {
  organization: Organization | null;
  location: Location | null;
}

/** Whose tokens a call is about, and whether they are the caller's own. */
export interface Target {
  owner: User;
  isOwn: boolean;
}

/** What a path's user may be called: by number or by login. */
type UserReference = { numericId: number } | { login: string };

/** Beyond it no row has a number: the column would not hold it. */
const GREATEST_ID = 2_147_483_647;

/** Users as a caller sees them: those of the own organization, an administrator everybody, within the contexts named. */
@Injectable()
export class Directory {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Whose tokens a call is about. Others' need a permission, which is asked for before anything is looked up.
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

  /** @throws {ContextNotFound} for one that is not there or not the caller's; of two the location. */
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
   * The user of a path. The caller is always found.
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
      // A place that is named like another's number comes first.
      .orderBy('CASE WHEN place.name = :id THEN 0 ELSE 1 END');
    if (!caller.isAdministrator) confine(query, kind, caller.user);
    const place = isGoodText(id) ? await query.getOne() : null;
    if (!place) throw new ContextNotFound(kind, id);
    return place;
  }
}

/** Whether the user of a path is the caller. */
export function isOneself({ user }: Principal, id: string): boolean {
  const reference = referenceOf(id);
  if (!reference) return false;
  if ('login' in reference) return reference.login.toLowerCase() === user.login.toLowerCase();
  return reference.numericId === user.numericId;
}

/** The number at the start of an id, which may be followed by `-` and anything. */
export function numberOf(id: string): number | undefined {
  const [, digits] = /^(\d+)(?:-.*)?$/s.exec(id) ?? [];
  if (digits === undefined) return undefined;
  const number = Number(digits);
  return number <= GREATEST_ID ? number : 0;
}

function referenceOf(id: string): UserReference | undefined {
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
