import { type Attributes, isObject, splitSchema } from './attributes.js';
import { refuseInput } from './refusals.js';
import type { ResourceType } from './schemas.js';

const MAX_NAMES = 100;
const ALWAYS: ReadonlySet<string> = new Set(['schemas', 'id']);

/** A path in lower case, from the outside in: `['name', 'givenname']`. */
type Path = string[];

/** Which attributes of a resource are answered (RFC 7644, 3.9). */
export class Projection {
  private constructor(
    /** Undefined: all. */
    private readonly included: Path[] | undefined,
    private readonly excluded: Path[],
  ) {}

  /**
   * @param attributes names, separated by commas or as a list; the same for those that are left out.
   * @throws {Refusal} tooMany, invalidValue; invalidSyntax where both are named.
   */
  static read(type: ResourceType, attributes: unknown, excludedAttributes: unknown): Projection {
    const included = pathsOf(attributes, 'attributes', type);
    const excluded = pathsOf(excludedAttributes, 'excludedAttributes', type);
    if (included && excluded) {
      throw refuseInput('invalidSyntax', 'attributes and excludedAttributes exclude each other');
    }
    return new Projection(included, excluded ?? []);
  }

  /** Whether only some attributes are asked for by name. */
  get isPart(): boolean {
    return this.included !== undefined;
  }

  /** Whether any of an attribute is answered: what is not, need not be read. */
  shows(name: string): boolean {
    const key = name.toLowerCase();
    if (this.included) return this.included.some(([first]) => first === key);
    return !this.excluded.some((path) => path.length === 1 && path[0] === key);
  }

  of(resource: Attributes): Attributes {
    const shown = this.included ? kept(resource, this.included) : without(resource, this.excluded);
    const always = Object.entries(resource).filter(([key]) => ALWAYS.has(key));
    return { ...Object.fromEntries(always), ...shown };
  }
}

function pathsOf(names: unknown, parameter: string, type: ResourceType): Path[] | undefined {
  if (names === undefined || names === null || names === '') return undefined;
  const list = Array.isArray(names) ? (names as unknown[]) : [names];
  const texts = list.flatMap((one) => {
    if (typeof one !== 'string') {
      throw refuseInput('invalidValue', `${parameter} must be names of attributes`, [parameter]);
    }
    return one.split(',', MAX_NAMES + 1);
  });
  if (texts.length > MAX_NAMES) {
    throw refuseInput('tooMany', `${parameter} takes ${MAX_NAMES} names at most`, [parameter]);
  }
  return texts.map((text) => pathOf(text.trim(), type));
}

function pathOf(name: string, type: ResourceType): Path {
  const { schema, rest } = splitSchema(name, type);
  const within = rest === undefined ? [] : rest.split('.', 2);
  return [...(schema === undefined ? [] : [schema]), ...within].map((part) => part.toLowerCase());
}

function kept(object: Attributes, paths: Path[]): Attributes {
  return mapped(object, (key, value) => {
    const below = belowOf(paths, key);
    if (below.length === 0) return undefined;
    return below.some((path) => path.length === 0) ? value : inParts(value, (part) => kept(part, below));
  });
}

function without(object: Attributes, paths: Path[]): Attributes {
  if (paths.length === 0) return object;
  return mapped(object, (key, value) => {
    const below = belowOf(paths, key);
    if (below.some((path) => path.length === 0)) return undefined;
    return below.length === 0 ? value : inParts(value, (part) => without(part, below));
  });
}

function belowOf(paths: Path[], key: string): Path[] {
  return paths.filter(([first]) => first === key.toLowerCase()).map(([, ...rest]) => rest);
}

function inParts(value: unknown, change: (part: Attributes) => Attributes): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => (isObject(one) ? change(one) : one));
  return isObject(value) ? change(value) : value;
}

function mapped(object: Attributes, change: (key: string, value: unknown) => unknown): Attributes {
  const entries = Object.entries(object).map(([key, value]) => [key, change(key, value)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
