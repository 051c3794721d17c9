import { ScimError, scimPatch, type ScimPatchOperation, type ScimResource } from 'scim-patch';
import { type Filter, stringify } from 'scim2-parse-filter';
import {
  assertShort,
  attributeOf,
  type Attributes,
  booleanOf,
  definitionsOf,
  isDropped,
  isGivenByServer,
  isObject,
  normalizeOne,
  normalizeResource,
  normalizeValue,
  objectOf,
  splitSchema,
  valueOf,
} from './attributes.js';
import { parseFilter } from './filter-text.js';
import { refuseInput, SCIM_TYPES } from './refusals.js';
import { type AttributeDefinition, PATCH_SCHEMA, type ResourceType } from './schemas.js';

const MAX_OPERATIONS = 100;
const MAX_PATH = 500;

/** `name`, `name.givenName`, `emails[type eq "work"]`, `emails[type eq "work"].value`. */
const PATH = /^([A-Za-z][\w$-]*)(?:\[(.+)\])?(?:\.([A-Za-z$][\w$-]*))?$/s;

/** What an operation is about. */
export interface Target {
  /** Of an extension; undefined: the core. */
  schema: string | undefined;
  attribute: string;
  definition: AttributeDefinition | undefined;
  filter: Filter | undefined;
  part: string | undefined;
}

/** One operation, on one attribute. */
export interface Operation {
  op: 'add' | 'remove' | 'replace';
  target: Target;
  value: unknown;
}

/**
 * The operations of a PATCH (RFC 7644, 3.5.2), each of them on one attribute: a value without a path is taken apart. Names
 * are in the schemas' spelling. What the server gives or does not keep is left out where a value names it.
 *
 * @throws {Refusal} invalidSyntax, invalidPath, invalidValue, mutability, noTarget, tooMany.
 */
export function readPatch(sent: unknown, type: ResourceType): Operation[] {
  const body = objectOf(sent, 'The body');
  const schemas = valueOf(body, 'schemas');
  const list = valueOf(body, 'Operations');
  // Some clients leave it out; what is said must be right.
  const isPatch =
    schemas === undefined ||
    (Array.isArray(schemas) && schemas.some((one) => isText(one) && isSame(one, PATCH_SCHEMA)));
  if (!isPatch) throw refuseInput('invalidSyntax', `schemas must name ${PATCH_SCHEMA}`, ['schemas']);
  if (!Array.isArray(list) || list.length === 0) {
    throw refuseInput('invalidSyntax', 'Operations must be a list of one or more', ['Operations']);
  }
  if (list.length > MAX_OPERATIONS) throw tooMany();
  const operations = list.flatMap((one) => readOperation(one, type));
  if (operations.length > MAX_OPERATIONS) throw tooMany();
  return operations;
}

/**
 * A resource as the operations leave it, in one spelling.
 *
 * @param resource is not changed.
 * @throws {Refusal} invalidPath, invalidValue, noTarget, tooMany.
 */
export function patched(
  resource: Attributes,
  operations: readonly Operation[],
  type: ResourceType,
): Attributes {
  let current = structuredClone(resource);
  for (const operation of operations) {
    current = applied(current, operation);
    const { schema, attribute } = operation.target;
    const holder = schema === undefined ? current : current[schema];
    if (isObject(holder)) assertShort(holder[attribute], attribute);
  }
  return normalizeResource(current, type);
}

function readOperation(sent: unknown, type: ResourceType): Operation[] {
  const operation = objectOf(sent, 'An operation');
  const op = opOf(valueOf(operation, 'op'));
  const path = valueOf(operation, 'path');
  const value = valueOf(operation, 'value');
  if (path !== undefined && path !== null && path !== '') return onPath(op, path, value, type);
  if (op === 'remove') throw refuseInput('noTarget', 'An operation that removes needs a path', ['path']);
  const parts = Object.entries(objectOf(value, 'The value of an operation without a path'));
  if (parts.length > MAX_OPERATIONS) throw tooMany();
  return parts.flatMap(([key, part]) => {
    const { schema, rest } = splitSchema(key, type);
    return schema === undefined && rest !== undefined && isDropped(rest) ? [] : onPath(op, key, part, type);
  });
}

function opOf(op: unknown): Operation['op'] {
  const name = isText(op) ? op.toLowerCase() : undefined;
  if (name === 'add' || name === 'remove' || name === 'replace') return name;
  throw refuseInput('invalidSyntax', 'op must be add, remove or replace', ['op']);
}

function onPath(op: Operation['op'], path: unknown, value: unknown, type: ResourceType): Operation[] {
  if (!isText(path) || path.length > MAX_PATH) throw noPath(String(path));
  const { schema, rest } = splitSchema(path, type);
  if (rest === undefined) return onSchema(op, schema, value, type);
  const [, name = '', filter, part] = PATH.exec(rest) ?? [];
  if (schema === undefined && isGivenByServer(name)) {
    throw refuseInput('mutability', `${name} is given by the server`, ['path']);
  }
  if (schema === undefined && isDropped(name)) return [];
  if (name === '') throw noPath(path);
  const { name: attribute, definition } = attributeOf(name, definitionsOf(type, schema));
  const parts = definition?.subAttributes;
  const target: Target = {
    schema,
    attribute,
    definition,
    filter: filter === undefined ? undefined : spelled(parseFilter(filter), parts),
    part: part === undefined ? undefined : attributeOf(part, parts).name,
  };
  if (op === 'remove') return [{ op, target, value }];
  const normalized = normalizedFor(target, value);
  // Nothing in place of something takes it away (RFC 7643, 2.5).
  return [normalized === undefined ? { op: 'remove', target, value } : { op, target, value: normalized }];
}

/** The whole of an extension is each of its attributes; the core's, as if it were not named. */
function onSchema(
  op: Operation['op'],
  schema: string | undefined,
  value: unknown,
  type: ResourceType,
): Operation[] {
  const prefix = schema === undefined ? '' : `${schema}:`;
  const names =
    op === 'remove' ? definitionsOf(type, schema).map(({ name }) => [name, undefined] as const) : undefined;
  const parts = names ?? Object.entries(objectOf(value, 'The value of a schema'));
  if (parts.length > MAX_OPERATIONS) throw tooMany();
  return parts.flatMap(([name, part]) => onPath(op, prefix + name, part, type));
}

function normalizedFor({ definition, filter, part }: Target, value: unknown): unknown {
  if (part !== undefined) {
    const inner = definition?.subAttributes?.find(({ name }) => name === part);
    return normalizeValue(value, inner);
  }
  if (filter === undefined || !definition) return normalizeValue(value, definition);
  return value === null || value === undefined ? undefined : normalizeOne(value, definition);
}

/** A filter in the schema's spelling, with booleans for the texts that Entra ID sends. */
function spelled(filter: Filter, parts: readonly AttributeDefinition[] | undefined): Filter {
  switch (filter.op) {
    case 'and':
    case 'or':
      return { ...filter, filters: filter.filters.map((one) => spelled(one, parts)) };
    case 'not':
      return { ...filter, filter: spelled(filter.filter, parts) };
    case '[]':
      throw refuseInput('invalidFilter', 'A list has no list within', ['path']);
    default: {
      const { name, definition } = attributeOf(filter.attrPath, parts);
      if (filter.op === 'pr') return { ...filter, attrPath: name };
      const compValue = definition?.type === 'boolean' ? booleanOf(filter.compValue, name) : filter.compValue;
      return { ...filter, attrPath: name, compValue };
    }
  }
}

function applied(resource: Attributes, operation: Operation): Attributes {
  const { op, target, value } = operation;
  if (op === 'remove' && isSetValue(value) && target.filter === undefined && target.part === undefined) {
    return withoutValues(resource, target, value);
  }
  const patch = op === 'remove' ? { op, path: pathOf(target) } : { op, path: pathOf(target), value };
  try {
    const [whole, list] = [resource as unknown as ScimResource, [patch as ScimPatchOperation]];
    return scimPatch(whole, list) as unknown as Attributes;
  } catch (error) {
    // What is not there is as good as taken away.
    if (op === 'remove' && error instanceof ScimError) return resource;
    if (error instanceof ScimError) throw refuseInput(scimTypeOf(error), error.message, ['path']);
    // So the library says that a text has no parts.
    if (error instanceof TypeError) throw noPath(pathOf(target));
    throw error;
  }
}

function pathOf({ schema, attribute, filter, part }: Target): string {
  const list = filter === undefined ? '' : `[${stringify(filter)}]`;
  return `${schema === undefined ? '' : `${schema}:`}${attribute}${list}${part === undefined ? '' : `.${part}`}`;
}

/** Entra ID names what it takes out of a list in the value: the library takes it for something else. */
function withoutValues(resource: Attributes, target: Target, value: unknown): Attributes {
  const { schema, attribute } = target;
  const holder = schema === undefined ? resource : resource[schema];
  const list = isObject(holder) ? holder[attribute] : undefined;
  if (!isObject(holder) || !Array.isArray(list)) {
    if (isObject(holder)) delete holder[attribute];
    return resource;
  }
  const removed = new Set([value].flat().map(keyOf));
  holder[attribute] = list.filter((one) => !removed.has(keyOf(one)));
  return resource;
}

/** What tells a value of a list from the others. */
function keyOf(value: unknown): string {
  return JSON.stringify(isObject(value) ? (value['value'] ?? value) : value);
}

function isSetValue(value: unknown): boolean {
  return (
    value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
  );
}

function scimTypeOf({ scimCode }: ScimError): (typeof SCIM_TYPES)[number] {
  return SCIM_TYPES.find((type) => type === scimCode) ?? 'invalidValue';
}

function noPath(path: string): ReturnType<typeof refuseInput> {
  return refuseInput('invalidPath', `${path} is no path to an attribute`, ['path']);
}

function tooMany(): ReturnType<typeof refuseInput> {
  return refuseInput('tooMany', `A PATCH takes ${MAX_OPERATIONS} operations at most`, ['Operations']);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
