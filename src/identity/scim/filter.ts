import type { Filter } from 'scim2-parse-filter';
import type { Place } from '../../database/statements.js';
import { isUuid } from '../../database/uuid.js';
import { parseRfc3339 } from '../../http/validation/date-time.js';
import { isGoodText } from '../../http/validation/text.js';
import { booleanOf, splitSchema } from './attributes.js';
import { parseFilter } from './filter-text.js';
import { refuseInput } from './refusals.js';
import type { ResourceType } from './schemas.js';

type Compare = Extract<Filter, { compValue: unknown }>;

/** How an attribute is compared in SQL. */
export type FilterAttribute =
  | { kind: 'text'; sql: string; isCaseExact?: boolean }
  | { kind: 'boolean' | 'time' | 'uuid'; sql: string }
  /** Of a list: whether one of its values meets a condition on its parts. */
  | { kind: 'list'; parts: FilterAttributes; exists: (condition: string) => string };

/** By name in lower case: `username`, `name.familyname`; of an extension with its schema before it. */
export type FilterAttributes = ReadonlyMap<string, FilterAttribute>;

const TIME_OPERATORS: Partial<Record<Filter['op'], string>> = {
  eq: '=',
  ne: '<>',
  gt: '>',
  ge: '>=',
  lt: '<',
  le: '<=',
};

/**
 * The condition of a filter, in SQL.
 *
 * @throws {Refusal} invalidFilter, also for an attribute or a comparison that is not known.
 */
export function filterCondition(
  text: string,
  type: ResourceType,
  attributes: FilterAttributes,
  place: Place,
): string {
  return conditionOf(parseFilter(text), (path) => find(path, type, attributes), place);
}

type Find = (path: string) => FilterAttribute;

function conditionOf(filter: Filter, find: Find, place: Place): string {
  switch (filter.op) {
    case 'and':
    case 'or': {
      const parts = filter.filters.map((one) => conditionOf(one, find, place));
      return `(${parts.join(filter.op === 'and' ? ' AND ' : ' OR ')})`;
    }
    case 'not':
      return `NOT coalesce(${conditionOf(filter.filter, find, place)}, FALSE)`;
    case '[]': {
      const attribute = find(filter.attrPath);
      if (attribute.kind !== 'list') throw refuse(`${filter.attrPath} is no list`);
      return attribute.exists(conditionOf(filter.valFilter, (path) => partOf(attribute.parts, path), place));
    }
    case 'pr':
      return presence(find(filter.attrPath));
    default:
      return comparison(find(filter.attrPath), filter as Compare, place);
  }
}

function find(path: string, type: ResourceType, attributes: FilterAttributes): FilterAttribute {
  const { schema, rest = '' } = splitSchema(path, type);
  const name = schema === undefined ? rest : `${schema}:${rest}`;
  const attribute = attributes.get(name.toLowerCase());
  if (attribute) return attribute;
  // `emails.value`: the same as `emails[value …]` where there is one comparison.
  const [, list = '', part = ''] = /^([^.]+)\.([^.]+)$/.exec(name) ?? [];
  const found = attributes.get(list.toLowerCase());
  if (found?.kind !== 'list') throw unknown(path);
  return { kind: 'list', parts: new Map([['value', partOf(found.parts, part)]]), exists: found.exists };
}

function partOf(parts: FilterAttributes, path: string): FilterAttribute {
  const part = parts.get(path.toLowerCase());
  if (!part) throw unknown(path);
  return part;
}

function presence(attribute: FilterAttribute): string {
  if (attribute.kind === 'list') return attribute.exists(presence(partOf(attribute.parts, 'value')));
  return `${attribute.sql} IS NOT NULL`;
}

function comparison(attribute: FilterAttribute, compare: Compare, place: Place): string {
  switch (attribute.kind) {
    case 'list':
      return attribute.exists(comparison(partOf(attribute.parts, 'value'), compare, place));
    case 'boolean':
      return booleanComparison(attribute.sql, compare, place);
    case 'time':
      return timeComparison(attribute.sql, compare, place);
    case 'uuid':
      return uuidComparison(attribute.sql, compare, place);
    case 'text':
      return textComparison(attribute, compare, place);
  }
}

function textComparison(
  { sql, isCaseExact = false }: Extract<FilterAttribute, { kind: 'text' }>,
  compare: Compare,
  place: Place,
): string {
  const text = textOf(compare);
  const [stored, wanted] = isCaseExact
    ? [sql, `${place(text)}::text`]
    : [`lower(${sql})`, `lower(${place(text)}::text)`];
  switch (compare.op) {
    case 'eq':
      return `${stored} = ${wanted}`;
    case 'ne':
      return `${stored} IS DISTINCT FROM ${wanted}`;
    case 'co':
      return `position(${wanted} in ${stored}) > 0`;
    case 'sw':
      return `starts_with(${stored}, ${wanted})`;
    case 'ew':
      return `right(${stored}, length(${wanted})) = ${wanted}`;
    default:
      throw cannotCompare(compare);
  }
}

function booleanComparison(sql: string, compare: Compare, place: Place): string {
  if (compare.op !== 'eq' && compare.op !== 'ne') throw cannotCompare(compare);
  const { compValue } = compare;
  const isText = typeof compValue === 'string' && /^(true|false)$/i.test(compValue);
  if (typeof compValue !== 'boolean' && !isText) throw cannotCompare(compare);
  const wanted = `${place(booleanOf(compValue, compare.attrPath))}::boolean`;
  return `${sql} ${compare.op === 'eq' ? '=' : '<>'} ${wanted}`;
}

function timeComparison(sql: string, compare: Compare, place: Place): string {
  const operator = TIME_OPERATORS[compare.op];
  const time = parseRfc3339(textOf(compare));
  if (!operator || !time) throw cannotCompare(compare);
  return `${sql} ${operator} ${place(time)}::timestamptz`;
}

/** A text that is no uuid is the id of nothing. */
function uuidComparison(sql: string, compare: Compare, place: Place): string {
  const id = textOf(compare);
  if (compare.op !== 'eq' && compare.op !== 'ne') throw cannotCompare(compare);
  if (!isUuid(id)) return compare.op === 'eq' ? 'FALSE' : 'TRUE';
  return `${sql} ${compare.op === 'eq' ? '=' : '<>'} ${place(id)}::uuid`;
}

function textOf(compare: Compare): string {
  const { compValue } = compare;
  if (typeof compValue !== 'string' || !isGoodText(compValue)) throw cannotCompare(compare);
  return compValue;
}

function cannotCompare({ attrPath, op }: Compare): ReturnType<typeof refuseInput> {
  return refuse(`${attrPath} cannot be compared so: ${op}`);
}

function unknown(path: string): ReturnType<typeof refuseInput> {
  return refuse(`The attribute ${path} is not known to filters`);
}

function refuse(message: string): ReturnType<typeof refuseInput> {
  return refuseInput('invalidFilter', message, ['filter']);
}
