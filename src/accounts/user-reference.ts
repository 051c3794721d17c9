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

/** The users that any of many references may mean, by uuid or login, in SQL. */
export function manyReferenced(references: readonly UserReference[], place: Place): string {
  const ids = references.flatMap(({ id }) => id ?? []);
  const logins = references.flatMap(({ login }) => login?.toLowerCase() ?? []);
  return `SELECT u.id FROM users u WHERE u.id = ANY (${place(ids)}::uuid[]) AND u.deleted_at IS NULL
    UNION SELECT u.id FROM users u WHERE lower(u.login) = ANY (${place(logins)}::text[]) AND u.deleted_at IS NULL`;
}

/** Says whom references mean among some users; nobody who is deleted. */
export class ReferencedUsers {
  private readonly byId = new Map<string, User>();
  private readonly byNumber = new Map<number, User>();
  private readonly byLogin = new Map<string, User>();

  constructor(users: Iterable<User>) {
    for (const user of users) {
      if (user.deletedAt !== null) continue;
      this.byId.set(user.id, user);
      this.byNumber.set(user.numericId, user);
      this.byLogin.set(user.login.toLowerCase(), user);
    }
  }

  find({ id, numericId, login }: UserReference): User | undefined {
    return (
      (id === undefined ? undefined : this.byId.get(id)) ??
      (numericId === undefined ? undefined : this.byNumber.get(numericId)) ??
      (login === undefined ? undefined : this.byLogin.get(login.toLowerCase()))
    );
  }
}
