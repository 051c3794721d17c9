import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { isUuid } from '../database/uuid.js';
import { Location } from './location.entity.js';
import { isLogin } from './login.js';
import { Organization } from './organization.entity.js';
import { User } from './user.entity.js';

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
