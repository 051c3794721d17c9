import { refuseInput } from './refusals.js';
import type { AttributeDefinition, ResourceType } from './schemas.js';

/** A JSON object: a resource, or a part of one. */
export type Attributes = Record<string, unknown>;

/** Of a list that is no list of members. */
export const MAX_VALUES_OF_LIST = 100;
/** Of all that is kept of a user beside what Patois reads, as JSON. */
export const MAX_ATTRIBUTES_BYTES = 16 * 1024;

/** RFC 7643, 2.1, and `$ref`. */
const NAME = /^(?:[A-Za-z][\w$-]*|\$ref)$/;
const MAX_NAME = 100;
/** A schema, and an attribute of it where one follows: `urn:…:2.0:User:department`. */
const SCHEMA_PATH = /^(urn:[\w.:-]{1,200}?:\d+(?:\.\d+)*:[A-Za-z]\w*)(?::(.+))?$/is;

/** What a resource carries besides, which a client may send and does not set. */
const GIVEN_BY_SERVER: ReadonlySet<string> = new Set(['schemas', 'id', 'meta', 'groups']);
/** Kept nowhere: whoever is provisioned signs in by the identity provider. */
const NEVER_KEPT: ReadonlySet<string> = new Set(['password']);

/** Whether what a client says of an attribute is not taken. */
export function isDropped(name: string): boolean {
  return isGivenByServer(name) || NEVER_KEPT.has(name.toLowerCase());
}

export function isGivenByServer(name: string): boolean {
  return GIVEN_BY_SERVER.has(name.toLowerCase());
}

/** @throws {Refusal} invalidSyntax for anything but a JSON object. */
export function objectOf(value: unknown, what: string): Attributes {
  if (isObject(value)) return value;
  throw refuseInput('invalidSyntax', `${what} must be a JSON object`);
}

export function isObject(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value of an object by its key, without regard to case. */
export function valueOf(object: Attributes, key: string): unknown {
  const found = Object.keys(object).find((one) => one.toLowerCase() === key.toLowerCase());
  return found === undefined ? undefined : object[found];
}

/**
 * An attribute by name, without regard to case.
 *
 * @throws {Refusal} invalidPath for what cannot be a name.
 */
export function attributeOf(
  name: string,
  definitions: readonly AttributeDefinition[] = [],
): { name: string; definition: AttributeDefinition | undefined } {
  const definition = definitions.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (definition) return { name: definition.name, definition };
  if (name.toLowerCase() === 'externalid') return { name: 'externalId', definition: undefined };
  // What every object of JavaScript has is no name for an attribute: `constructor`.
  if (NAME.test(name) && name.length <= MAX_NAME && !(name in Object.prototype)) {
    return { name, definition: undefined };
  }
  throw refuseInput('invalidPath', `${name} is no name of an attribute`);
}

/** A path that begins with a schema, in two; the schema of a path without one is undefined. */
export function splitSchema(
  path: string,
  { core, extensions }: ResourceType,
): { schema: string | undefined; rest: string | undefined } {
  const [, written = /^urn:/i.test(path) ? path : undefined, rest] = SCHEMA_PATH.exec(path) ?? [];
  if (written === undefined) return { schema: undefined, rest: path };
  if (isSame(written, core.id)) return { schema: undefined, rest };
  const known = extensions.find(({ id }) => isSame(written, id));
  return { schema: known?.id ?? written, rest };
}

/** The attributes of a schema, of the core where it is undefined; none of a schema that is not known. */
export function definitionsOf(
  { core, extensions }: ResourceType,
  schema: string | undefined,
): readonly AttributeDefinition[] {
  if (schema === undefined) return core.attributes;
  return extensions.find(({ id }) => id === schema)?.attributes ?? [];
}

/**
 * What a client sets of a resource, in one spelling: names as the schemas have them, booleans for the texts that some
 * clients send, lists where a list is meant. What is null or an empty list is not set (RFC 7643, 2.5).
 *
 * @throws {Refusal} invalidPath, invalidValue.
 */
export function normalizeResource(sent: Attributes, type: ResourceType): Attributes {
  const resource: Attributes = {};
  for (const [key, value] of Object.entries(sent)) {
    const { schema, rest } = splitSchema(key, type);
    if (rest === undefined) {
      // The whole of a schema, and of the core one as if it were not named.
      const part = objectOf(value, key);
      if (schema === undefined) Object.assign(resource, normalizeResource(part, type));
      else setIn(resource, schema, normalizeObject(part, definitionsOf(type, schema)));
    } else if (schema !== undefined) {
      const { name, definition } = attributeOf(rest, definitionsOf(type, schema));
      setIn(resource, schema, { [name]: normalizeValue(value, definition) });
    } else if (!isDropped(rest)) {
      const { name, definition } = attributeOf(rest, type.core.attributes);
      resource[name] = normalizeValue(value, definition);
    }
  }
  return withoutUnset(resource);
}

/** @throws {Refusal} invalidPath, invalidValue. */
export function normalizeValue(value: unknown, definition: AttributeDefinition | undefined): unknown {
  if (value === undefined || value === null) return undefined;
  if (!definition) {
    assertShort(value);
    return value;
  }
  if (!definition.multiValued) return normalizeOne(value, definition);
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  assertShort(list, definition.name);
  return list.flatMap((one) => (one === null ? [] : [normalizeOne(one, definition)]));
}

/** One value of an attribute, of a list one of its values. */
export function normalizeOne(value: unknown, definition: AttributeDefinition): unknown {
  const { name, type, subAttributes } = definition;
  if (type === 'boolean') return booleanOf(value, name);
  if (type !== 'complex') {
    if (typeof value === 'object')
      throw refuseInput('invalidValue', `${name} must be a single value`, [name]);
    return value;
  }
  if (isObject(value)) return normalizeObject(value, subAttributes);
  // Entra ID sends a manager as a bare id, or in a list of one.
  if (Array.isArray(value)) {
    if (value.length > 1) throw refuseInput('invalidValue', `${name} takes one value`, [name]);
    return value.length === 0 ? undefined : normalizeOne(value[0], definition);
  }
  const hasValue = subAttributes?.some((one) => one.name === 'value') ?? false;
  if (!hasValue) throw refuseInput('invalidValue', `${name} must be an object`, [name]);
  return value === '' ? undefined : { value };
}

/** `true` and `false`, and the texts of them that Entra ID sends. */
export function booleanOf(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  throw refuseInput('invalidValue', `${name} must be true or false`, [name]);
}

/** @throws {Refusal} tooMany. */
export function assertShort(value: unknown, name = 'A list'): void {
  if (!Array.isArray(value) || value.length <= MAX_VALUES_OF_LIST) return;
  throw refuseInput('tooMany', `${name} has more than ${MAX_VALUES_OF_LIST} values`, [name]);
}

function normalizeObject(sent: Attributes, definitions: readonly AttributeDefinition[] = []): Attributes {
  const object: Attributes = {};
  for (const [key, value] of Object.entries(sent)) {
    const { name, definition } = attributeOf(key, definitions);
    object[name] = normalizeValue(value, definition);
  }
  return withoutUnset(object);
}

function setIn(resource: Attributes, schema: string, part: Attributes): void {
  const before = resource[schema];
  resource[schema] = withoutUnset({ ...(isObject(before) ? before : {}), ...part });
}

function withoutUnset(object: Attributes): Attributes {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => isSet(value)));
}

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && !(isObject(value) && Object.keys(value).length === 0);
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
