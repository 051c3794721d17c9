import type { Place } from '../database/statements.js';
import type { User } from './user.entity.js';

/** A user by what a request names: of several that are given, the first that is anybody's counts. */
export interface UserReference {
  /** A uuid. */
  id?: string;
  numericId?: number;
  /** Without regard to case. */
  login?: string;
}

/** The users that a reference may mean, in SQL, on the alias `u`. */
export function referenceCondition({ id, numericId, login }: UserReference, place: Place): string {
  const parts = [
    ...(id === undefined ? [] : [`u.id = ${place(id)}`]),
    ...(numericId === undefined ? [] : [`u.numeric_id = ${place(numericId)}`]),
    ...(login === undefined ? [] : [`lower(u.login) = lower(${place(login)})`]),
  ];
  return parts.length > 0 ? `(${parts.join(' OR ')})` : 'FALSE';
}

/** Puts the user first whom a reference means, in SQL: a login may look like a uuid. */
export function preferred({ id, numericId, login }: UserReference, place: Place): string {
  const isAmbiguous = [id, numericId, login].filter((one) => one !== undefined).length > 1;
  return isAmbiguous && id !== undefined ? `ORDER BY u.id = ${place(id)} DESC` : '';
}

/** Whom a reference means among users, none of whom is deleted. */
export function referenced(users: Iterable<User>, { id, numericId, login }: UserReference): User | undefined {
  const present = [...users].filter(({ deletedAt }) => deletedAt === null);
  return (
    present.find((user) => user.id === id) ??
    present.find((user) => user.numericId === numericId) ??
    present.find((user) => login !== undefined && user.login.toLowerCase() === login.toLowerCase())
  );
}
