import type { Schemas } from '../api/client';
import type { Me, Role } from '../api/me';
import type { Person } from './people-queries';
import { isLongEnough, makePassword } from './passwords';
import type { Permission } from './rights';

/** What becomes of the password: `keep` of a person who is there, `none` takes it away. */
export type PasswordChoice = 'keep' | 'none' | 'generated' | 'typed';

/** What a form of a person holds. */
export interface PersonDraft {
  login: string;
  name: string;
  email: string;
  role: Role;
  /** Uuid. */
  organization: string;
  /** Uuids. */
  locations: string[];
  permissions: Permission[];
  passwordChoice: PasswordChoice;
  /** What is typed as the password. */
  password: string;
}

export function emptyDraft({ user }: Me): PersonDraft {
  return {
    login: '',
    name: '',
    email: '',
    role: 'member',
    organization: user.organization.id,
    locations: [],
    permissions: [],
    passwordChoice: 'generated',
    password: '',
  };
}

export function draftOf(person: Person): PersonDraft {
  return {
    login: person.login,
    name: person.name ?? '',
    email: person.email ?? '',
    role: person.role,
    organization: person.organization.id,
    locations: person.locations.map(({ id }) => id),
    permissions: person.permissions,
    passwordChoice: 'keep',
    password: '',
  };
}

/** The password that a draft means: null for none, undefined to keep the one that is there. */
export function passwordOf({ passwordChoice, password }: PersonDraft): string | null | undefined {
  if (passwordChoice === 'keep') return undefined;
  if (passwordChoice === 'none') return null;
  return passwordChoice === 'typed' ? password : makePassword();
}

/** The fields that the server would refuse; it has the last word. */
export function mistakesIn(draft: PersonDraft, isNew: boolean): ('login' | 'password')[] {
  const mistakes: ('login' | 'password')[] = [];
  if (isNew && !/^[A-Za-z0-9._@+-]{1,100}$/.test(draft.login.trim())) mistakes.push('login');
  if (draft.passwordChoice === 'typed' && !isLongEnough(draft.password)) mistakes.push('password');
  return mistakes;
}

/** The body that makes the person. */
export function creationOf(draft: PersonDraft, password: string | null | undefined): Schemas['CreateUser'] {
  const { role, organization, locations, permissions } = draft;
  return {
    login: draft.login.trim(),
    password: password ?? null,
    email: draft.email.trim() || null,
    name: draft.name.trim() || null,
    role,
    organization,
    locations,
    permissions,
  };
}

/** The body that changes the person: what is as it was is left out, and so does not undo another's change. */
export function changesOf(
  draft: PersonDraft,
  person: Person,
  password: string | null | undefined,
): Schemas['UpdateUser'] {
  const before = draftOf(person);
  const changes: Schemas['UpdateUser'] = {};
  if (password !== undefined) changes.password = password;
  if (draft.email.trim() !== before.email) changes.email = draft.email.trim() || null;
  if (draft.name.trim() !== before.name) changes.name = draft.name.trim() || null;
  if (draft.role !== before.role) changes.role = draft.role;
  if (draft.organization !== before.organization) changes.organization = draft.organization;
  if (!haveSame(draft.locations, before.locations)) changes.locations = draft.locations;
  if (!haveSame(draft.permissions, before.permissions)) changes.permissions = draft.permissions;
  return changes;
}

function haveSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one));
}
