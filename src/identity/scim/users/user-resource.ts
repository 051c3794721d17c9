import { isEmail } from 'class-validator';
import { isLogin } from '../../../accounts/login.js';
import type { User } from '../../../accounts/user.entity.js';
import { isPrintable } from '../../../http/validation/fields.js';
import { looksLikeToken } from '../../../tokens/token-format.js';
import { type Attributes, isObject, MAX_ATTRIBUTES_BYTES } from '../attributes.js';
import { refuseInput } from '../refusals.js';
import { USER_SCHEMA } from '../schemas.js';

const MAX_NAME = 255;
const MAX_EXTERNAL_ID = 255;

/** A group that a user is in. */
export interface GroupOfUser {
  id: string;
  displayName: string;
}

/** What a resource makes of a user. */
export interface ProvisionedUser {
  login: string;
  externalId: string | null;
  name: string | null;
  email: string | null;
  /** All that is given back as it was set. */
  scimAttributes: Attributes;
  /** Undefined: the resource does not say. */
  isActive: boolean | undefined;
}

/**
 * What a resource, in one spelling, makes of a user.
 *
 * @throws {Refusal} invalidValue, tooMany.
 */
export function userOf(resource: Attributes): ProvisionedUser {
  const { userName, externalId, active, ...scimAttributes } = resource;
  if (Buffer.byteLength(JSON.stringify(scimAttributes)) > MAX_ATTRIBUTES_BYTES) {
    throw refuseInput('tooMany', `The attributes of a user take ${MAX_ATTRIBUTES_BYTES} bytes at most`);
  }
  return {
    login: loginOf(userName),
    externalId: externalIdOf(externalId),
    name: nameOf(scimAttributes),
    email: emailOf(scimAttributes),
    scimAttributes,
    isActive: active as boolean | undefined,
  };
}

/**
 * A user as a resource.
 *
 * @param attributes what a client has set, with what has been changed elsewhere since then.
 * @param base the address of `/scim/v2`.
 */
export function resourceOf(user: User, groups: readonly GroupOfUser[] | undefined, base: string): Attributes {
  const settable = settableOf(user);
  const extensions = Object.keys(settable).filter((key) => /^urn:/i.test(key));
  return {
    schemas: [USER_SCHEMA, ...extensions],
    id: user.id,
    ...settable,
    ...(groups && groups.length > 0
      ? {
          groups: groups.map(({ id, displayName }) => ({
            value: id,
            $ref: `${base}/Groups/${id}`,
            display: displayName,
            type: 'direct',
          })),
        }
      : {}),
    meta: {
      resourceType: 'User',
      created: user.createdAt.toISOString(),
      lastModified: user.updatedAt.toISOString(),
      location: `${base}/Users/${user.id}`,
    },
  };
}

/** What of a user's resource a client can change: what it has set, and what was changed elsewhere since then. */
export function settableOf(user: User): Attributes {
  return {
    ...(user.externalId === null ? {} : { externalId: user.externalId }),
    userName: user.login,
    ...withEmail(withName(user.scimAttributes ?? {}, user.name), user.email),
    active: !user.disabled,
  };
}

/** `externalId` of a user or group. */
export function externalIdOf(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'string' && isPrintable(value, MAX_EXTERNAL_ID)) return value;
  const message = `externalId must be a text of 1 to ${MAX_EXTERNAL_ID} printable characters`;
  throw refuseInput('invalidValue', message, ['externalId']);
}

function loginOf(userName: unknown): string {
  if (typeof userName === 'string' && isLogin(userName) && !looksLikeToken(userName)) return userName;
  const message = 'userName must be 1 to 100 ASCII letters, digits and ._@+-';
  throw refuseInput('invalidValue', message, ['userName']);
}

/** The name that is shown: displayName, else the whole name, else its parts. */
function nameOf({ displayName, name }: Attributes): string | null {
  const parts = isObject(name) ? name : {};
  const joined = [parts['givenName'], parts['familyName']].filter(isText).join(' ');
  const found = [displayName, parts['formatted'], joined].filter(isText).map((text) => text.trim());
  const shown = found.find((text) => text !== '');
  if (shown === undefined || isPrintable(shown, MAX_NAME)) return shown ?? null;
  const message = `A name must be 1 to ${MAX_NAME} printable characters`;
  throw refuseInput('invalidValue', message, ['displayName']);
}

/** The address of a user; null where the list has none that is one. */
function emailOf({ emails }: Attributes): string | null {
  const value = principalOf(emails)?.['value'];
  return isText(value) && isEmail(value) ? value : null;
}

/** The primary value of a list, else that of type work, else the first. */
function principalOf(list: unknown): Attributes | undefined {
  const values = Array.isArray(list) ? list.filter(isObject) : [];
  return (
    values.find(({ primary }) => primary === true) ??
    values.find(({ type }) => isText(type) && type.toLowerCase() === 'work') ??
    values[0]
  );
}

function withName(attributes: Attributes, name: string | null): Attributes {
  if (nameOf(attributes) === name) return attributes;
  if (name !== null) return { ...attributes, displayName: name };
  return omit(attributes, 'displayName', 'name');
}

function withEmail(attributes: Attributes, email: string | null): Attributes {
  if (emailOf(attributes) === email) return attributes;
  const { emails } = attributes;
  if (email === null) return omit(attributes, 'emails');
  const principal = principalOf(emails);
  if (!Array.isArray(emails) || !principal) {
    return { ...attributes, emails: [{ value: email, type: 'work', primary: true }] };
  }
  const changed = emails.map((one: unknown) => (one === principal ? { ...principal, value: email } : one));
  return { ...attributes, emails: changed };
}

function omit(attributes: Attributes, ...keys: string[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => !keys.includes(key)));
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
