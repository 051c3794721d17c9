import { Controller, Get, Inject, Param, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../../config.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { Refusal } from '../../refusal.js';
import type { Attributes } from './attributes.js';
import { MAX_COUNT } from './list.js';
import {
  CONFIG_SCHEMA,
  LIST_SCHEMA,
  RESOURCE_TYPE_SCHEMA,
  RESOURCE_TYPES,
  type ResourceType,
  SCHEMA_SCHEMA,
  type SchemaDefinition,
  SCHEMAS,
} from './schemas.js';
import {
  ScimError,
  ScimResourceType,
  ScimResourceTypeList,
  ScimSchema,
  ScimSchemaList,
  ScimServiceProviderConfig,
} from './scim.dto.js';
import { baseOf, ScimController, ScimRoute } from './scim.routes.js';

const NOT_FOUND = { 404: 'There is none of that name' };

/** What of SCIM is there, RFC 7644, 4. */
@ScimController()
@Controller('scim/v2')
export class DiscoveryController {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  @Get('ServiceProviderConfig')
  @ScimRoute()
  @ApiOperation({
    operationId: 'getScimConfig',
    summary: 'Says what of SCIM is supported',
    description: 'PATCH and filters are; bulk, sorting, entity tags and passwords are not.',
  })
  @ApiOkResponse({ type: ScimServiceProviderConfig })
  configuration(@Query() query: Attributes, @Req() request: FastifyRequest): Attributes {
    assertNoFilter(query);
    return {
      schemas: [CONFIG_SCHEMA],
      patch: { supported: true },
      bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
      filter: { supported: true, maxResults: MAX_COUNT },
      changePassword: { supported: false },
      sort: { supported: false },
      etag: { supported: false },
      authenticationSchemes: [
        {
          type: 'oauthbearertoken',
          name: 'Bearer token',
          description: 'A token of Patois with the scope patois:scim',
          specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
          primary: true,
        },
        {
          type: 'httpbasic',
          name: 'HTTP Basic',
          description: 'A login, and a token or password',
          specUri: 'https://www.rfc-editor.org/rfc/rfc7617',
        },
      ],
      meta: metaOf('ServiceProviderConfig', `${baseOf(request, this.config)}/ServiceProviderConfig`),
    };
  }

  @Get('ResourceTypes')
  @ScimRoute()
  @ApiOperation({
    operationId: 'listScimResourceTypes',
    summary: 'Lists the kinds of resources',
    description: 'Users and groups, with the schemas of each.',
  })
  @ApiOkResponse({ type: ScimResourceTypeList })
  resourceTypes(@Query() query: Attributes, @Req() request: FastifyRequest): Attributes {
    assertNoFilter(query);
    return listOf(RESOURCE_TYPES.map((type) => resourceTypeView(type, baseOf(request, this.config))));
  }

  @Get('ResourceTypes/:name')
  @ApiParam({ name: 'name', example: 'User' })
  @ScimRoute()
  @ApiOperation({
    operationId: 'getScimResourceType',
    summary: 'Gets a kind of resources',
    description: '`User` or `Group`.',
  })
  @ApiOkResponse({ type: ScimResourceType })
  @ApiRefusals(ScimError, NOT_FOUND)
  resourceType(@Param('name') name: string, @Req() request: FastifyRequest): Attributes {
    const type = RESOURCE_TYPES.find((one) => one.name === name);
    if (!type) throw new Refusal('notFound', { message: 'No such resource type' });
    return resourceTypeView(type, baseOf(request, this.config));
  }

  @Get('Schemas')
  @ScimRoute()
  @ApiOperation({
    operationId: 'listScimSchemas',
    summary: 'Lists the schemas of resources',
    description: 'Those of users, of groups, and the enterprise extension of users.',
  })
  @ApiOkResponse({ type: ScimSchemaList })
  schemas(@Query() query: Attributes, @Req() request: FastifyRequest): Attributes {
    assertNoFilter(query);
    return listOf(SCHEMAS.map((schema) => schemaView(schema, baseOf(request, this.config))));
  }

  @Get('Schemas/:id')
  @ApiParam({ name: 'id', example: 'urn:ietf:params:scim:schemas:core:2.0:User' })
  @ScimRoute()
  @ApiOperation({
    operationId: 'getScimSchema',
    summary: 'Gets a schema by its URN',
    description: 'One of those that `listScimSchemas` lists.',
  })
  @ApiOkResponse({ type: ScimSchema })
  @ApiRefusals(ScimError, NOT_FOUND)
  schema(@Param('id') id: string, @Req() request: FastifyRequest): Attributes {
    const schema = SCHEMAS.find((one) => one.id.toLowerCase() === id.toLowerCase());
    if (!schema) throw new Refusal('notFound', { message: 'No such schema' });
    return schemaView(schema, baseOf(request, this.config));
  }
}

/** RFC 7644, 4: nobody is to think that the answer is filtered. */
function assertNoFilter(query: Attributes): void {
  if (query['filter'] === undefined) return;
  throw new Refusal('forbidden', { message: 'Nothing is filtered here' });
}

function listOf(resources: Attributes[]): Attributes {
  return {
    schemas: [LIST_SCHEMA],
    totalResults: resources.length,
    startIndex: 1,
    itemsPerPage: resources.length,
    Resources: resources,
  };
}

function resourceTypeView(
  { name, endpoint, description, core, extensions }: ResourceType,
  base: string,
): Attributes {
  return {
    schemas: [RESOURCE_TYPE_SCHEMA],
    id: name,
    name,
    endpoint,
    description,
    schema: core.id,
    schemaExtensions: extensions.map(({ id }) => ({ schema: id, required: false })),
    meta: metaOf('ResourceType', `${base}/ResourceTypes/${name}`),
  };
}

function schemaView(schema: SchemaDefinition, base: string): Attributes {
  return { schemas: [SCHEMA_SCHEMA], ...schema, meta: metaOf('Schema', `${base}/Schemas/${schema.id}`) };
}

function metaOf(resourceType: string, location: string): Attributes {
  return { resourceType, location };
}
