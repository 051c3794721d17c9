import type { FilterAttribute, FilterAttributes } from '../filter.js';
import { ENTERPRISE_SCHEMA, USER_TYPE } from '../schemas.js';

/** What was set by clients, on the alias `user`. */
const SET = 'user.scimAttributes';

/** The addresses of a user, also where they were set elsewhere. */
const EMAILS = `(CASE WHEN jsonb_typeof(${SET} -> 'emails') = 'array' THEN ${SET} -> 'emails' ELSE '[]'::jsonb END
  || CASE WHEN user.email IS NULL THEN '[]'::jsonb
    ELSE jsonb_build_array(jsonb_build_object('value', user.email, 'type', 'work', 'primary', TRUE)) END)`;

/** What users can be found by, on the alias `user` of a query of TypeORM's. */
export const USER_FILTER: FilterAttributes = new Map<string, FilterAttribute>([
  ...singleTexts(),
  ['id', { kind: 'uuid', sql: 'user.id' }],
  ['username', { kind: 'text', sql: 'user.login' }],
  ['externalid', { kind: 'text', sql: 'user.externalId', isCaseExact: true }],
  ['displayname', { kind: 'text', sql: 'user.name' }],
  ['active', { kind: 'boolean', sql: '(NOT user.disabled)' }],
  ['meta.created', { kind: 'time', sql: 'user.createdAt' }],
  ['meta.lastmodified', { kind: 'time', sql: 'user.updatedAt' }],
  [
    'emails',
    {
      kind: 'list',
      parts: new Map<string, FilterAttribute>([
        ['value', { kind: 'text', sql: `(mail ->> 'value')` }],
        ['type', { kind: 'text', sql: `(mail ->> 'type')` }],
        ['display', { kind: 'text', sql: `(mail ->> 'display')` }],
        ['primary', { kind: 'boolean', sql: `coalesce(mail -> 'primary' = 'true'::jsonb, FALSE)` }],
      ]),
      exists: (condition) =>
        `EXISTS (SELECT FROM jsonb_array_elements(${EMAILS}) AS mail WHERE ${condition})`,
    },
  ],
]);

/** The attributes of one text each, `name.givenName` and those of the extension among them, as they were set. */
function singleTexts(): [string, FilterAttribute][] {
  const core = textsOf(USER_TYPE.core.attributes, []);
  const [enterprise] = USER_TYPE.extensions;
  const extended = textsOf(enterprise?.attributes ?? [], [ENTERPRISE_SCHEMA]);
  const manager = at([ENTERPRISE_SCHEMA, 'manager', 'value']);
  // Entra ID asks for a manager without naming the schema.
  const names = [`${ENTERPRISE_SCHEMA}:manager`.toLowerCase(), 'manager'];
  return [...core, ...extended, ...names.map((name): [string, FilterAttribute] => [name, manager])];
}

function textsOf(
  attributes: typeof USER_TYPE.core.attributes,
  outer: string[],
  prefix = outer.map((schema) => `${schema}:`).join(''),
): [string, FilterAttribute][] {
  return attributes.flatMap(
    ({ name, type, multiValued, subAttributes = [] }): [string, FilterAttribute][] => {
      if (multiValued) return [];
      if (type === 'complex') return textsOf(subAttributes, [...outer, name], `${prefix}${name}.`);
      return type === 'string' ? [[`${prefix}${name}`.toLowerCase(), at([...outer, name])]] : [];
    },
  );
}

/** The names are those of the schemas, and need no quotes. */
function at(path: string[]): FilterAttribute {
  const keys = path.map((key) => `'${key}'`).join(', ');
  return { kind: 'text', sql: `jsonb_extract_path_text(${SET}, ${keys})` };
}
