import type { ReferenceObject, SchemaObject } from '@nestjs/swagger';

export type Schema = SchemaObject | ReferenceObject;

/** The schemas of a document, by name. */
export type NamedSchemas = Record<string, Schema>;

/** What stands for a text of which nothing is known. */
export const PLACEHOLDER = 'text';

const BY_FORMAT: Record<string, string> = {
  'date-time': '2031-05-06T07:08:09.000Z',
  date: '2031-05-06',
  uuid: '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b',
  uri: 'https://patois.example/',
  email: 'alice@example.com',
};

const BY_TYPE: Record<string, unknown> = {
  string: PLACEHOLDER,
  integer: 1,
  number: 1,
  boolean: true,
  null: null,
};

/**
 * A value that fits a schema, put together from the examples, defaults and enumerations of its parts.
 *
 * @param schemas what a `$ref` in it may name.
 */
export function exampleOf(schema: Schema, schemas: NamedSchemas): unknown {
  if ('$ref' in schema) return exampleOf(named(schema, schemas), schemas);
  // The members of a union type come in an order that changes with the rest of the program.
  const given = [schema.example, schema.default, schema.enum?.toSorted()[0]].find(
    (value) => value !== undefined,
  );
  if (given !== undefined) return given;
  const [alternative] = schema.oneOf ?? schema.anyOf ?? [];
  if (alternative) return exampleOf(alternative, schemas);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => exampleOf(part, schemas)));
  const type = [schema.type].flat()[0] ?? 'object';
  if (type === 'array') return schema.items ? [exampleOf(schema.items, schemas)] : [];
  if (type !== 'object') return BY_FORMAT[schema.format ?? ''] ?? BY_TYPE[type];
  // Whoever reads the document would take a member of that name for a reference, in an example too.
  const parts = Object.entries(schema.properties ?? {}).filter(([key]) => key !== '$ref');
  return Object.fromEntries(parts.map(([key, part]) => [key, exampleOf(part, schemas)]));
}

function named({ $ref }: ReferenceObject, schemas: NamedSchemas): Schema {
  const schema = schemas[$ref.replace('#/components/schemas/', '')];
  if (!schema) throw new Error(`${$ref} names no schema`);
  return schema;
}
