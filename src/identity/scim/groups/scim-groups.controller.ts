import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '../../../auth/caller.decorator.js';
import { Principal } from '../../../auth/principal.js';
import { CONFIG, type Config } from '../../../config.js';
import { ApiRefusals } from '../../../http/refusals/api-refusals.decorator.js';
import { type Attributes, objectOf } from '../attributes.js';
import { listAnswer, type ListRequest, readListRequest } from '../list.js';
import { readPatch } from '../patch.js';
import { Projection } from '../projection.js';
import { GROUP_TYPE, MEDIA_TYPE } from '../schemas.js';
import { ScimError, ScimGroup, ScimGroupList, ScimPatch, ScimSearch } from '../scim.dto.js';
import {
  ApiList,
  ApiProjection,
  baseOf,
  ProvisioningScope,
  ScimController,
  ScimRoute,
  TakesScim,
} from '../scim.routes.js';
import { patchedGroup, wholeGroup } from './group-resource.js';
import { ScimGroupsService, type View } from './scim-groups.service.js';

const GROUP = { name: 'id', description: 'The uuid of the group.' };
const NOT_FOUND = { 404: 'The group does not exist, or is of another organization' };
const CONFLICT = { 409: 'The displayName or the externalId is taken' };

/** The groups of the organization of the caller. */
@ScimController()
@Controller('scim/v2/Groups')
export class ScimGroupsController {
  constructor(
    private readonly groups: ScimGroupsService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @ScimRoute()
  @ApiList()
  @ApiOperation({
    operationId: 'listScimGroups',
    summary: 'Lists the groups of the organization, the oldest first',
    description:
      'Filters compare `displayName`, `externalId`, `id` and `members`. A page with members may be shorter than `count`: the next one begins at `startIndex` and `itemsPerPage` together.',
  })
  @ApiOkResponse({ type: ScimGroupList })
  list(
    @Caller() caller: Principal,
    @Query() query: Attributes,
    @Req() request: FastifyRequest,
  ): Promise<Attributes> {
    return this.answer(caller, readListRequest(query, GROUP_TYPE), request);
  }

  @Post('.search')
  @HttpCode(200)
  @ScimRoute()
  @TakesScim()
  @ApiBody({ type: ScimSearch })
  @ApiOperation({
    operationId: 'searchScimGroups',
    summary: 'Lists groups as `listScimGroups` does, with the query in the body',
    description: 'For filters that are too long, or too private, for an address.',
  })
  @ApiOkResponse({ type: ScimGroupList })
  search(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
  ): Promise<Attributes> {
    return this.answer(caller, readListRequest(objectOf(body, 'The body'), GROUP_TYPE), request);
  }

  @Post()
  @HttpCode(201)
  @ScimRoute()
  @TakesScim()
  @ApiProjection()
  @ApiBody({ type: ScimGroup })
  @ApiOperation({
    operationId: 'createScimGroup',
    summary: 'Creates a group',
    description:
      'Where the group stands for a role, its members get it, which the caller must be able to grant.',
  })
  @ApiCreatedResponse({ type: ScimGroup })
  @ApiRefusals(ScimError, CONFLICT)
  async create(
    @Caller() caller: Principal,
    @Query() query: Attributes,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Attributes> {
    const [projection, view] = this.shown(query, request);
    const made = await this.groups.create(caller, wholeGroup(objectOf(body, 'The body')), view);
    void reply.header('location', `${view.base}/Groups/${String(made['id'])}`);
    return projection.of(made);
  }

  @Get(':id')
  @ApiParam(GROUP)
  @ScimRoute()
  @ApiProjection()
  @ApiOperation({
    operationId: 'getScimGroup',
    summary: 'Gets a group',
    description: 'With all members, unless they are left out by `excludedAttributes`.',
  })
  @ApiOkResponse({ type: ScimGroup })
  @ApiRefusals(ScimError, NOT_FOUND)
  async get(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Query() query: Attributes,
    @Req() request: FastifyRequest,
  ): Promise<Attributes> {
    const [projection, view] = this.shown(query, request);
    return projection.of(await this.groups.get(caller, id, view));
  }

  @Put(':id')
  @ApiParam(GROUP)
  @ScimRoute()
  @TakesScim()
  @ApiProjection()
  @ApiBody({ type: ScimGroup })
  @ApiOperation({
    operationId: 'replaceScimGroup',
    summary: 'Replaces the name and the members of a group',
    description: 'Members that are not named leave the group.',
  })
  @ApiOkResponse({ type: ScimGroup })
  @ApiRefusals(ScimError, { ...NOT_FOUND, ...CONFLICT })
  async replace(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Query() query: Attributes,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
  ): Promise<Attributes> {
    const [projection, view] = this.shown(query, request);
    await this.groups.update(caller, id, wholeGroup(objectOf(body, 'The body')));
    return projection.of(await this.groups.get(caller, id, view));
  }

  @Patch(':id')
  @ApiParam(GROUP)
  @ProvisioningScope()
  @TakesScim()
  @ApiProjection()
  @ApiBody({ type: ScimPatch })
  @ApiOperation({
    operationId: 'patchScimGroup',
    summary: 'Changes the name or members of a group',
    description: 'The answer is empty, unless `attributes` are asked for: a group may have many members.',
  })
  @ApiOkResponse({ type: ScimGroup })
  @ApiNoContentResponse()
  @ApiRefusals(ScimError, { ...NOT_FOUND, ...CONFLICT })
  async patch(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Query() query: Attributes,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Attributes | undefined> {
    const [projection, view] = this.shown(query, request);
    await this.groups.update(caller, id, patchedGroup(readPatch(body, GROUP_TYPE)));
    if (!projection.isPart) {
      void reply.status(204);
      return undefined;
    }
    void reply.header('content-type', MEDIA_TYPE);
    return projection.of(await this.groups.get(caller, id, view));
  }

  @Delete(':id')
  @ApiParam(GROUP)
  @HttpCode(204)
  @ProvisioningScope()
  @ApiOperation({
    operationId: 'deleteScimGroup',
    summary: 'Deletes a group; its members stay users',
    description: 'Where the group stood for a role, its members lose it.',
  })
  @ApiRefusals(ScimError, NOT_FOUND)
  async delete(@Caller() caller: Principal, @Param('id') id: string): Promise<void> {
    await this.groups.delete(caller, id);
  }

  private async answer(caller: Principal, list: ListRequest, request: FastifyRequest): Promise<Attributes> {
    const view = this.viewOf(list.projection, request);
    return listAnswer(await this.groups.list(caller, list, view), list);
  }

  private shown(query: Attributes, request: FastifyRequest): [Projection, View] {
    const projection = Projection.read(GROUP_TYPE, query['attributes'], query['excludedAttributes']);
    return [projection, this.viewOf(projection, request)];
  }

  private viewOf(projection: Projection, request: FastifyRequest): View {
    return { base: baseOf(request, this.config), showsMembers: projection.shows('members') };
  }
}
