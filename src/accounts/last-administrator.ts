import type { User } from './user.entity.js';

/**
 * Whether a user is the only administrator who can act.
 *
 * @param users among them every such administrator, locked: two who end each other come one after the other.
 */
export function isLastAdministrator({ id }: User, users: readonly User[]): boolean {
  const acting = users.filter(
    (one) => one.role === 'administrator' && !one.disabled && one.deletedAt === null,
  );
  return acting.length === 1 && acting[0]?.id === id;
}
