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

/** The parts of an OpenAPI document that are described. */
type OpenApi = Pick<OpenAPIObject, 'paths' | 'components'>;

/**
 * A parameter as apipie describes it; those of a hash are listed in it. The keys that clients read are those
 * of `to_json` in https://github.com/Apipie/apipie-rails/blob/master/lib/apipie/param_description.rb
 */
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

/** `to_json` in https://github.com/Apipie/apipie-rails/blob/master/lib/apipie/method_description.rb */
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

/** `to_json` in https://github.com/Apipie/apipie-rails/blob/master/lib/apipie/resource_description.rb */
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

/** `to_json` in https://github.com/Apipie/apipie-rails/blob/master/lib/apipie/application.rb */
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

/** Resource and method, in Foreman's description, of each operation of the OpenAPI document. */
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

/**
 * Resources that hammer refers to while it loads its commands, and that are not served here:
 * https://github.com/theforeman/hammer-cli-foreman/blob/master/lib/hammer_cli_foreman/associating_commands.rb
 */
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
 * The Ansible collection looks this method up at every connect, to change its parameters, and fails if it is
 * missing (`_patch_host_update`). It is described here but not served.
 * https://github.com/theforeman/foreman-ansible-modules/blob/develop/plugins/module_utils/foreman_helper.py
 */
const HOST_UPDATE: OperationObject = {
  operationId: 'updateHost',
  summary: 'Update a host',
  parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
  responses: {},
};

/** Parameters that Foreman takes but does not describe (index_layout.json.erb reads it). */
const UNDESCRIBED = new Set(['include_permissions']);
// `expected_type` and `description` of the validators in
// https://github.com/Apipie/apipie-rails/blob/master/lib/apipie/validator.rb
const EXPECTED_TYPES: Record<string, string> = { integer: 'numeric', number: 'numeric', object: 'hash' };
const VALIDATORS: Record<string, string> = {
  numeric: 'Must be a number.',
  hash: 'Must be a Hash',
  string: 'Must be a String',
};
// `app_info`, and the names and paths below:
// https://github.com/theforeman/foreman/blob/develop/config/initializers/apipie.rb
const INFO = 'The Foreman is aimed to be a single address for all machines life cycle management.';

/** The apipie description of this API, built from its checked-in OpenAPI document on the first call. */
@Injectable()
export class Apipie {
  private made: { document: ApipieDocument; checksum: string } | undefined;

  get document(): ApipieDocument {
    return this.description.document;
  }

  /**
   * Changes with the description: a client with another checksum loads it again (`update_cache` in api.rb).
   */
  get checksum(): string {
    return this.description.checksum;
  }

  private get description(): { document: ApipieDocument; checksum: string } {
    this.made ??= describe(readOpenApi());
    return this.made;
  }
}

/** Before the document is generated for the first time, there is nothing to describe. */
function readOpenApi(): OpenApi {
  const path = join(DOCUMENTS_FOLDER, 'foreman.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as OpenAPIObject) : { paths: {} };
}

function describe(openApi: OpenApi): { document: ApipieDocument; checksum: string } {
  const document = toApipie(openApi);
  // Clients only compare it; apipie's is a SHA-1 (`compute_checksum` in lib/apipie/application.rb).
  const checksum = createHash('sha256').update(JSON.stringify(document)).digest('hex').slice(0, 32);
  return { document, checksum };
}

/** Turns the operations of an OpenAPI document that Foreman's clients know into an apipie description. */
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

/** The parameters of the path come first; they are required. Those of headers are none to Apipie. */
function parametersOf({ parameters = [] }: OperationObject): ApipieParameter[] {
  const described = (parameters as ParameterObject[]).filter(
    (one) => one.in !== 'header' && !UNDESCRIBED.has(one.name),
  );
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
    // Descriptions are HTML: `preformat_text` in param_description.rb.
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
  // A reference that has a description is wrapped in `allOf`.
  return only ? { ...resolve(only, openApi), ...schema } : schema;
}
