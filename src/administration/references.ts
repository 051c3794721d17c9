import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { Location } from '../accounts/location.entity.js';
import { Organization } from '../accounts/organization.entity.js';
import { User } from '../accounts/user.entity.js';
import { isLogin } from './fields.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text can be asked for as a uuid: PostgreSQL refuses the question otherwise. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The organization or location of a uuid or, where that finds none, of a name without regard to case; else null. */
export async function findPlace<Place extends Organization | Location>(
  manager: EntityManager,
  entity: new () => Place,
  reference: string,
): Promise<Place | null> {
  const query = manager.createQueryBuilder<Place>(entity, 'place');
  const byId = isUuid(reference)
    ? await query.clone().where('place.id = :reference', { reference }).getOne()
    : null;
  return byId ?? query.where('lower(place.name) = lower(:reference)', { reference }).getOne();
}

/**
 * The user, with organization and locations, of a uuid or, where that finds none, of a login; else null.
 *
 * @param alsoDeleted whether the uuid of a deleted user counts; the login never does, it may be another's by now.
 */
export async function findUser(
  manager: EntityManager,
  reference: string,
  alsoDeleted = false,
): Promise<User | null> {
  if (!isLogin(reference)) return null;
  const query = (): SelectQueryBuilder<User> =>
    manager
      .createQueryBuilder(User, 'user')
      .innerJoinAndSelect('user.organization', 'organization')
      .leftJoinAndSelect('user.locations', 'location');
  const byId = alsoDeleted ? query().withDeleted() : query();
  const found = isUuid(reference) ? await byId.where('user.id = :reference', { reference }).getOne() : null;
  return found ?? query().where('lower(user.login) = lower(:reference)', { reference }).getOne();
}
