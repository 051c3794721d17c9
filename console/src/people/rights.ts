import { administersAll, type Me, type Role } from '../api/me';
import type { Person } from './people-queries';

export type Permission = Person['permissions'][number];

/** As the server ranks them. */
export const ROLES: Role[] = ['member', 'organizationAdministrator', 'administrator'];

export const PERMISSIONS: Permission[] = [
  'view_users',
  'create_users',
  'edit_users',
  'destroy_users',
  'view_personal_access_tokens',
  'create_personal_access_tokens',
  'revoke_personal_access_tokens',
];

/** The roles that somebody may give. */
export function rolesToGive({ user }: Me): Role[] {
  return ROLES.slice(0, ROLES.indexOf(user.role) + 1);
}

/** The permissions that somebody may give, and so those that a form offers beside the ones a person has already. */
export function permissionsToGive(me: Me): Permission[] {
  return PERMISSIONS.filter((one) => administersAll(me) || me.user.permissions.includes(one));
}

/** Only an administrator of everything changes one. */
export function mayChange(me: Me, person: Person): boolean {
  return administersAll(me) || person.role !== 'administrator';
}

/** Whether somebody can do all that a person can: so much it takes to give the person a password, or to enable them. */
export function mayActFor(me: Me, person: Person): boolean {
  if (administersAll(me) || me.user.id === person.id) return true;
  return (
    mayChange(me, person) &&
    person.permissions.every((permission) => me.user.permissions.includes(permission))
  );
}
