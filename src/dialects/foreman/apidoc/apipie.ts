import { Injectable } from '@nestjs/common';
import type {
  OpenAPIObject,
  OperationObject,
  ParameterObject,
  ReferenceObject,
  SchemaObject,
} from '@nestjs/swagger';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DOCUMENTS_FOLDER } from '../../../package-root.js';

/** As much of an OpenAPI document as is described. */
type OpenApi = Pick<OpenAPIObject, 'paths' | 'components'>;

/** A parameter as apipie describes it; those of a hash are listed in it. */
export interface ApipieParameter {
  name: string;
  full_name: string;
  description: string;
  required: boolean;
  allow_nil: boolean;
  validator: string;
  expected_type: string;
  params?: ApipieParameter[];
}

export interface ApipieMethod {
  doc_url: string;
  name: string;
  apis: { api_url: string; http_method: string; short_description: string; deprecated: null }[];
  formats: null;
  full_description: string;
  errors: [];
  params: ApipieParameter[];
  examples: [];
  metadata: null;
  see: [];
  headers: [];
  show: true;
}

export interface ApipieResource {
  doc_url: string;
  id: string;
  api_url: string;
  name: string;
  short_description: null;
  full_description: null;
  version: 'v2';
  formats: null;
  metadata: null;
  methods: ApipieMethod[];
  headers: [];
}

/** What Foreman's own clients build themselves from. */
export interface ApipieDocument {
  docs: {
    name: 'Foreman';
    info: string;
    copyright: '';
    doc_url: '/apidoc';
    api_url: '/api';
    resources: Record<string, ApipieResource>;
  };
}

/** Where the operations of the OpenAPI document stand in Foreman's description, as resource and method. */
const METHODS: Record<string, [resource: string, method: string]> = {
  listPersonalAccessTokens: ['personal_access_tokens', 'index'],
  showPersonalAccessToken: ['personal_access_tokens', 'show'],
  createPersonalAccessToken: ['personal_access_tokens', 'create'],
  revokePersonalAccessToken: ['personal_access_tokens', 'destroy'],
  listUsers: ['users', 'index'],
  showUser: ['users', 'show'],
  showStatus: ['home', 'status'],
  ping: ['ping', 'ping'],
  statuses: ['ping', 'statuses'],
};

/** Resources that the command-line client refers to while it starts, and that are not served here. */
const EMPTY_RESOURCES = [
  'architectures',
  'compute_resources',
  'domains',
  'hostgroups',
  'locations',
  'media',
  'operatingsystems',
  'organizations',
  'provisioning_templates',
  'ptables',
  'roles',
  'smart_proxies',
  'subnets',
  'usergroups',
];

/**
 * The Ansible collection looks this method up at every connect, to amend its parameters, and fails where it is missing.
 * Nothing is served at its address.
 */
const HOST_UPDATE: OperationObject = {
  operationId: 'updateHost',
  summary: 'Update a host',
  parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
  responses: {},
};

/** Parameters that Foreman serves and does not describe. */
const UNDESCRIBED = new Set(['include_permissions']);
const EXPECTED_TYPES: Record<string, string> = { integer: 'numeric', number: 'numeric', object: 'hash' };
const VALIDATORS: Record<string, string> = {
  numeric: 'Must be a number.',
  hash: 'Must be a Hash',
  string: 'Must be a String',
};
const INFO = 'The Foreman is aimed to be a single address for all machines life cycle management.';

/** The apipie description of this API, made of its checked-in OpenAPI document when it is first asked for. */
@Injectable()
export class Apipie {
  private made: { document: ApipieDocument; checksum: string } | undefined;

  get document(): ApipieDocument {
    return this.description.document;
  }

  /** Changes whenever the description does. */
  get checksum(): string {
    return this.description.checksum;
  }

  private get description(): { document: ApipieDocument; checksum: string } {
    this.made ??= describe(readOpenApi());
    return this.made;
  }
}

/** Before the document is generated for the first time there is nothing to describe. */
function readOpenApi(): OpenApi {
  const path = join(DOCUMENTS_FOLDER, 'foreman.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as OpenAPIObject) : { paths: {} };
}

function describe(openApi: OpenApi): { document: ApipieDocument; checksum: string } {
  const document = toApipie(openApi);
  const checksum = createHash('sha256').update(JSON.stringify(document)).digest('hex').slice(0, 32);
  return { document, checksum };
}

/** Turns an OpenAPI document into an apipie description of those of its operations that Foreman's clients know. */
export function toApipie(openApi: OpenApi): ApipieDocument {
  const resources: Record<string, ApipieResource> = {};
  for (const name of EMPTY_RESOURCES) resources[name] = resource(name);
  const hosts = (resources['hosts'] = resource('hosts'));
  hosts.methods.push(method('hosts', 'update', 'PUT', '/api/hosts/{id}', HOST_UPDATE, openApi));
  for (const [path, item] of Object.entries(openApi.paths)) {
    for (const verb of ['get', 'post', 'delete'] as const) {
      const operation = item[verb];
      const [resourceName, methodName] = METHODS[operation?.operationId ?? ''] ?? [];
      if (!operation || resourceName === undefined || methodName === undefined) continue;
      const known = (resources[resourceName] ??= resource(resourceName));
      known.methods.push(method(resourceName, methodName, verb.toUpperCase(), path, operation, openApi));
    }
  }
  const sorted = Object.entries(resources).sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    docs: {
      name: 'Foreman',
      info: INFO,
      copyright: '',
      doc_url: '/apidoc',
      api_url: '/api',
      resources: Object.fromEntries(sorted),
    },
  };
}

function resource(id: string): ApipieResource {
  const words = id.replaceAll('_', ' ');
  return {
    doc_url: `/apidoc/v2/${id}`,
    id,
    api_url: '/api',
    name: words.charAt(0).toUpperCase() + words.slice(1),
    short_description: null,
    full_description: null,
    version: 'v2',
    formats: null,
    metadata: null,
    methods: [],
    headers: [],
  };
}

function method(
  resourceName: string,
  name: string,
  verb: string,
  path: string,
  operation: OperationObject,
  openApi: OpenApi,
): ApipieMethod {
  return {
    doc_url: `/apidoc/v2/${resourceName}/${name}`,
    name,
    apis: [
      {
        api_url: path.replace(/\{(\w+)\}/g, ':$1'),
        http_method: verb,
        short_description: operation.summary ?? '',
        deprecated: null,
      },
    ],
    formats: null,
    full_description: '',
    errors: [],
    params: [...parametersOf(operation), ...bodyOf(operation, openApi)],
    examples: [],
    metadata: null,
    see: [],
    headers: [],
    show: true,
  };
}

/** Those of the path first: they are required. */
function parametersOf({ parameters = [] }: OperationObject): ApipieParameter[] {
  const described = (parameters as ParameterObject[]).filter(({ name }) => !UNDESCRIBED.has(name));
  const ofPath = described.filter((parameter) => parameter.in === 'path');
  const others = described.filter((parameter) => parameter.in !== 'path');
  return [...ofPath, ...others].map(({ name, description, required, schema }) =>
    parameter(name, name, description, required === true, schema as SchemaObject),
  );
}

function bodyOf({ requestBody }: OperationObject, openApi: OpenApi): ApipieParameter[] {
  const body = requestBody && 'content' in requestBody ? requestBody.content['application/json'] : undefined;
  return body?.schema ? propertiesOf(body.schema, '', openApi) : [];
}

function propertiesOf(
  schema: SchemaObject | ReferenceObject,
  outer: string,
  openApi: OpenApi,
): ApipieParameter[] {
  const { properties = {}, required = [] } = resolve(schema, openApi);
  return Object.entries(properties).map(([name, property]) => {
    const fullName = outer === '' ? name : `${outer}[${name}]`;
    const resolved = resolve(property, openApi);
    const described = parameter(name, fullName, resolved.description, required.includes(name), resolved);
    return described.expected_type === 'hash'
      ? { ...described, params: propertiesOf(property, fullName, openApi) }
      : described;
  });
}

function parameter(
  name: string,
  fullName: string,
  description: string | undefined,
  required: boolean,
  schema: SchemaObject,
): ApipieParameter {
  const types = [schema.type ?? (schema.oneOf?.[0] as SchemaObject | undefined)?.type ?? 'string'].flat();
  const type = types.find((one) => one !== 'null') ?? 'string';
  const expectedType = EXPECTED_TYPES[type] ?? 'string';
  return {
    name,
    full_name: fullName,
    description: description ? `\n<p>${description}</p>\n` : '',
    required,
    allow_nil: types.includes('null'),
    validator: VALIDATORS[expectedType] ?? '',
    expected_type: expectedType,
  };
}

function resolve(schema: SchemaObject | ReferenceObject, openApi: OpenApi): SchemaObject {
  if ('$ref' in schema) {
    const named = openApi.components?.schemas?.[schema.$ref.replace('#/components/schemas/', '')];
    if (!named) throw new Error(`${schema.$ref} names no schema`);
    return resolve(named, openApi);
  }
  const [only] = schema.allOf ?? [];
  // A reference with a description beside it comes wrapped.
  return only ? { ...resolve(only, openApi), ...schema } : schema;
}
