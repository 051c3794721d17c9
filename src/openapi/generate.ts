import type { INestApplication, Type } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import {
  DocumentBuilder,
  type MediaTypeObject,
  type OpenAPIObject,
  type OperationObject,
  type PathItemObject,
  type ReferenceObject,
  type RequestBodyObject,
  type ResponseObject,
  SwaggerModule,
} from '@nestjs/swagger';
import { STATUS_CODES } from 'node:http';
import type { DialectRegistry } from '../protocol/dialect-registry.js';
import type { ApiDescription, Dialect, PathOwner, RefusedRequest } from '../protocol/dialect.js';
import { Refusal, type RefusalDetails, type RefusalKind } from '../refusal.js';
import { exampleOf, type NamedSchemas, type Schema } from './examples.js';

/** An operation with what `Needs` writes beside it; a route that is public has no such list. */
type Operation = OperationObject & { 'x-required-scopes'?: string[] };

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;
const SAMPLE_ID = '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b';

/**
 * One OpenAPI 3.1 document for each dialect that describes itself, by the dialect's name. What belongs to no
 * dialect stands in the document of Patois' own API.
 *
 * Needs the classes as `nest build` compiles them (its plugin turns their types and comments into schemas), and
 * neither a database nor a server that listens.
 *
 * @param version of Patois.
 */
export function createDocuments(
  nest: INestApplication,
  registry: DialectRegistry,
  version: string,
): Map<string, OpenAPIObject> {
  const dialectOf = (path: string): Dialect =>
    registry.find(registry.ownerOf(path).name) ?? (registry.ownerOf('/') as Dialect);
  const documents = new Map<string, OpenAPIObject>();
  for (const [dialect, modules] of modulesByDialect(nest, dialectOf)) {
    const { description } = dialect;
    const scanned = SwaggerModule.createDocument(nest, headOf(description, version), { include: modules });
    // Routes of one controller share parts of what is scanned, and examples differ from route to route.
    const document = withoutAliases(JSON.parse(JSON.stringify(scanned)) as OpenAPIObject);
    for (const [path, operation] of operationsOf(document)) {
      secure(operation, description);
      addDefault(operation);
      exemplify(operation, path, registry.ownerOf(path), document.components?.schemas as NamedSchemas);
    }
    const further = Object.entries(registry.furtherPaths).filter(([path]) => dialectOf(path) === dialect);
    // Their order must not depend on that in which modules are made.
    further.sort(([one], [other]) => (one < other ? -1 : 1));
    Object.assign(document.paths, Object.fromEntries(further));
    documents.set(dialect.name, tidy(document, description));
  }
  return documents;
}

/** The modules that serve each dialect's paths. Schema names are per document, so each document has its own modules. */
function modulesByDialect(
  nest: INestApplication,
  dialectOf: (path: string) => Dialect,
): Map<Dialect, Type[]> {
  const modules = new Map<Dialect, Type[]>();
  for (const { controllers, metatype } of nest.get(ModulesContainer).values()) {
    for (const controller of controllers.values()) {
      const [mount = ''] = [Reflect.getMetadata(PATH_METADATA, controller.metatype as Type) as string].flat();
      const dialect = dialectOf(`/${mount}`);
      const known = modules.get(dialect) ?? [];
      if (!known.includes(metatype as Type)) modules.set(dialect, [...known, metatype as Type]);
    }
  }
  return modules;
}

function headOf(description: ApiDescription, version: string): Omit<OpenAPIObject, 'paths'> {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle(description.title)
    .setDescription(description.description)
    .setVersion(version)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0');
  for (const server of description.servers ?? ['/']) builder.addServer(server);
  for (const [name, scheme] of Object.entries(description.credentials)) builder.addSecurity(name, scheme);
  const head = builder.build();
  // Who runs a server is known there, not here.
  head.info.contact = { name: 'The maintainers of Patois' };
  return head;
}

/** One path for each operation: the first of those that a controller is mounted at. Others have the same operationId. */
function withoutAliases(document: OpenAPIObject): OpenAPIObject {
  const seen = new Set<string>();
  const paths: Record<string, PathItemObject> = {};
  for (const [path, scanned] of Object.entries(document.paths)) {
    const kept = METHODS.filter((method) => {
      const id = scanned[method]?.operationId;
      return id !== undefined && !seen.has(id) && seen.add(id);
    });
    if (kept.length > 0) paths[path] = Object.fromEntries(kept.map((method) => [method, scanned[method]]));
  }
  return { ...document, paths };
}

function operationsOf(document: OpenAPIObject): [string, Operation][] {
  return Object.entries(document.paths).flatMap(([path, scanned]) =>
    METHODS.flatMap((method) => {
      const operation = scanned[method];
      return operation ? [[path, operation] as [string, Operation]] : [];
    }),
  );
}

/**
 * Says of a route which credentials open it, and which scopes, in the words that stand on its handler. A public one that
 * asks for a credential by itself says so by itself.
 */
function secure(operation: Operation, { credentials }: ApiDescription): void {
  const scopes = operation['x-required-scopes'];
  if (scopes === undefined) operation.security ??= [];
  else operation.security = Object.keys(credentials).map((name) => ({ [name]: [] }));
  delete operation['x-required-scopes'];
  if (scopes === undefined || scopes.length === 0) return;
  const needs = `A token needs ${scopes.map((scope) => `\`${scope}\``).join(' or ')}.`;
  operation.description = [operation.description, needs].filter(Boolean).join('\n\n');
  operation['x-required-scopes'] = scopes;
}

/** What may befall any route (405, 413, 415, 429, 500, 503) reads as the refusals that are listed do. */
function addDefault({ responses }: Operation): void {
  const refusals = Object.entries(responses).filter(([status]) => Number(status) >= 400);
  const [, usual] = refusals.find(([status]) => status === '401') ?? refusals[0] ?? [];
  if (usual) {
    const { content } = JSON.parse(JSON.stringify(usual)) as ResponseObject;
    responses.default ??= {
      description: 'Any other error; 429 and 503 have a `Retry-After` header',
      ...(content ? { content } : {}),
    };
  }
}

/** Gives bodies and answers their examples; those of refusals are what the owner of the path says. */
function exemplify(operation: Operation, path: string, owner: PathOwner, schemas: NamedSchemas): void {
  const bodies = [operation.requestBody, ...Object.values(operation.responses)];
  for (const [status, response] of Object.entries(operation.responses)) {
    const answer = response as ResponseObject;
    answer.description ||= STATUS_CODES[status] ?? status;
    const code = status === 'default' ? 500 : Number(status);
    if (code >= 400) exemplifyRefusal(answer, code, operation, path, owner, schemas);
  }
  for (const media of bodies.flatMap(mediaOf)) {
    if (media.example === undefined && !media.examples && media.schema)
      media.example = exampleOf(media.schema, schemas);
  }
}

function exemplifyRefusal(
  response: ResponseObject,
  status: number,
  operation: Operation,
  path: string,
  owner: PathOwner,
  schemas: NamedSchemas,
): void {
  const [mediaType, media] = Object.entries(response.content ?? {})[0] ?? [];
  const refusal = sampleRefusal(status, operation);
  if (!mediaType || !media || !refusal) return;
  const answer = owner.renderRefusal(refusal, sampleRequest(path));
  // A handler may refuse in ways of its own, to which no sample leads.
  if (answer.status === status && fits(answer.body, media.schema, schemas)) media.example ??= answer.body;
  const spoken = answer.headers?.['content-type'] ?? mediaType;
  response.content = { [spoken.split(';')[0] ?? spoken]: media };
}

/** Whether a body has the keys that a schema, or one of its alternatives, requires. */
function fits(body: unknown, schema: Schema | undefined, schemas: NamedSchemas): boolean {
  if (!schema || typeof body !== 'object' || body === null) return false;
  if ('$ref' in schema) return fits(body, schemas[schema.$ref.replace('#/components/schemas/', '')], schemas);
  if (schema.anyOf) return schema.anyOf.some((alternative) => fits(body, alternative, schemas));
  return (schema.required ?? []).every((key) => key in body);
}

function sampleRefusal(status: number, operation: Operation): Refusal | undefined {
  const [scope] = operation['x-required-scopes'] ?? [];
  const lack: RefusalDetails = scope
    ? { reason: 'scope', message: `The token lacks the scope ${scope}`, missing: [scope] }
    : { reason: 'address', message: 'Access denied' };
  const key = operation.requestBody ? 'name' : nameOfParameter(operation);
  const field = { path: [key], rule: 'isString', message: `${key} must be a string` };
  const message = "The organization's policy allows a user at most 10 tokens (maxTokensPerUser)";
  const rule = { path: ['maxTokensPerUser'], rule: 'maxTokensPerUser', message };
  const ruled: RefusalDetails = { reason: 'policy', message, fields: [rule] };
  const samples: Record<number, [RefusalKind, RefusalDetails]> = {
    400: ['invalid', { message: field.message, fields: [field] }],
    401: ['unauthenticated', { reason: 'missing' }],
    403: ['forbidden', lack],
    404: ['notFound', { message: 'There is no such resource' }],
    405: ['notFound', { reason: 'method', message: 'PUT is not allowed here; allowed: GET', allow: ['GET'] }],
    409: ['conflict', { message: 'Another request was first' }],
    412: ['conflict', { reason: 'stale', message: 'Another request has changed it' }],
    413: ['invalid', { reason: 'tooLarge', message: 'The body is larger than 524288 bytes' }],
    415: ['invalid', { reason: 'mediaType', message: 'The content type text/plain is not supported' }],
    422: ['invalid', operation.requestBody ? ruled : { message: field.message, fields: [field] }],
    429: ['tooMany', { message: 'Too many failed logins', retryAfterSeconds: 60 }],
    500: ['internal', {}],
    503: ['unavailable', {}],
  };
  const sample = samples[status];
  return sample && new Refusal(...sample);
}

function nameOfParameter({ parameters = [] }: Operation): string {
  const query = parameters.find((parameter) => 'in' in parameter && parameter.in === 'query');
  return query && 'name' in query ? query.name : 'id';
}

function sampleRequest(path: string): RefusedRequest {
  const headers = { host: 'patois.example', 'content-type': 'text/plain' };
  return { method: 'GET', url: path, protocol: 'https', headers, id: SAMPLE_ID };
}

/** Takes out what depends on the compiler's mood, and what Nest's scanner says that is not so. */
function tidy(document: OpenAPIObject, { tags }: ApiDescription): OpenAPIObject {
  const schemas = (document.components?.schemas ?? {}) as NamedSchemas;
  for (const [path, operation] of operationsOf(document)) {
    for (const tag of operation.tags ?? []) {
      if (!(tag in tags)) throw new Error(`${path}: the tag ${tag} is not described`);
    }
    for (const parameter of operation.parameters ?? []) {
      if ('schema' in parameter && hasDefault(parameter.schema)) parameter.required = false;
    }
    for (const { schema } of mediaOf(operation.requestBody)) letDefaultsBeLeftOut(schema, schemas);
  }
  const { openapi, info, servers, paths, components } = document;
  const used = new Set(operationsOf(document).flatMap(([, operation]) => operation.tags ?? []));
  const described = Object.entries(tags).map(([name, description]) => ({ name, description }));
  const sorted = Object.entries(schemas).sort(([one], [other]) => (one < other ? -1 : 1));
  const tidied = {
    openapi,
    info,
    servers,
    tags: described.filter(({ name }) => used.has(name)),
    paths,
    components: { ...components, schemas: Object.fromEntries(sorted) },
  };
  return JSON.parse(JSON.stringify(tidied), tidyValue) as OpenAPIObject;
}

/**
 * What has a default may be left out of a request; the plugin takes it for required, as it is in an answer, and so do
 * generators of clients wherever they see a `default`: it is told in words.
 */
function letDefaultsBeLeftOut(schema: Schema | undefined, schemas: NamedSchemas): void {
  if (!schema) return;
  if ('$ref' in schema) {
    letDefaultsBeLeftOut(schemas[schema.$ref.replace('#/components/schemas/', '')], schemas);
    return;
  }
  const { properties = {}, required } = schema;
  if (required) schema.required = required.filter((key) => !hasDefault(properties[key]));
  for (const part of Object.values(properties)) tellDefault(part);
  for (const part of [schema.items, ...Object.values(properties)]) letDefaultsBeLeftOut(part, schemas);
}

function tellDefault(schema: Schema): void {
  if ('$ref' in schema || schema.default === undefined) return;
  const words = `By default \`${JSON.stringify(schema.default)}\`.`;
  schema.description = [schema.description, words].filter(Boolean).join(' ');
  schema.example ??= schema.default;
  delete schema.default;
}

function hasDefault(schema: Schema | undefined): boolean {
  return schema !== undefined && 'default' in schema && schema.default !== undefined;
}

function mediaOf(
  holder: RequestBodyObject | ResponseObject | ReferenceObject | undefined,
): MediaTypeObject[] {
  return holder && 'content' in holder ? Object.values(holder.content ?? {}) : [];
}

function tidyValue(key: string, value: unknown): unknown {
  // The members of a union type come in an order that changes with the rest of the program.
  if (key === 'enum' && Array.isArray(value)) return (value as EnumMember[]).sort(compareWithNullLast);
  // Numbers of all these APIs are whole; TypeScript has no name for that.
  if (key === 'type' && value === 'number') return 'integer';
  if (key === 'type' && Array.isArray(value))
    return value.map((type) => (type === 'number' ? 'integer' : type));
  return value;
}

type EnumMember = string | number | boolean | null;

function compareWithNullLast(one: EnumMember, other: EnumMember): number {
  return one === null ? 1 : other === null || String(one) < String(other) ? -1 : 1;
}
