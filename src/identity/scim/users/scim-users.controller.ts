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
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '../../../auth/caller.decorator.js';
import { Principal } from '../../../auth/principal.js';
import { CONFIG, type Config } from '../../../config.js';
import { ApiRefusals } from '../../../http/refusals/api-refusals.decorator.js';
import { type Attributes, objectOf } from '../attributes.js';
import { listAnswer, type ListRequest, readListRequest } from '../list.js';
import { readPatch } from '../patch.js';
import { Projection } from '../projection.js';
import { USER_TYPE } from '../schemas.js';
import { ScimError, ScimPatch, ScimSearch, ScimUser, ScimUserList } from '../scim.dto.js';
import {
  ApiList,
  ApiProjection,
  baseOf,
  ProvisioningScope,
  ScimController,
  ScimRoute,
  TakesScim,
} from '../scim.routes.js';
import { ScimUsersService, type View } from './scim-users.service.js';

const USER = { name: 'id', description: 'The uuid of the user.' };
const NOT_FOUND = { 404: 'The user does not exist, or is of another organization' };

/** The users of the organization of the caller. */
@ScimController()
@Controller('scim/v2/Users')
export class ScimUsersController {
  constructor(
    private readonly users: ScimUsersService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @ScimRoute()
  @ApiList()
  @ApiOperation({
    operationId: 'listScimUsers',
    summary: 'Lists the users of the organization, the oldest first',
    description:
      'Filters compare `userName`, `externalId`, `emails`, `active`, `displayName`, `id` and attributes of one text each.',
  })
  @ApiOkResponse({ type: ScimUserList })
  list(
    @Caller() caller: Principal,
    @Query() query: Attributes,
    @Req() request: FastifyRequest,
  ): Promise<Attributes> {
    return this.answer(caller, readListRequest(query, USER_TYPE), request);
  }

  @Post('.search')
  @HttpCode(200)
  @ScimRoute()
  @TakesScim()
  @ApiBody({ type: ScimSearch })
  @ApiOperation({
    operationId: 'searchScimUsers',
    summary: 'Lists users as `listScimUsers` does, with the query in the body',
    description: 'For filters that are too long, or too private, for an address.',
  })
  @ApiOkResponse({ type: ScimUserList })
  search(
    @Caller() caller: Principal,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
  ): Promise<Attributes> {
    return this.answer(caller, readListRequest(objectOf(body, 'The body'), USER_TYPE), request);
  }

  @Post()
  @HttpCode(201)
  @ScimRoute()
  @TakesScim()
  @ApiProjection()
  @ApiBody({ type: ScimUser })
  @ApiOperation({
    operationId: 'createScimUser',
    summary: 'Creates a user, who is a member without a password',
    description: 'Attributes without effect here are kept and returned. A `password` is not kept.',
  })
  @ApiCreatedResponse({ type: ScimUser })
  @ApiRefusals(ScimError, { 409: 'The userName or the externalId is taken' })
  async create(
    @Caller() caller: Principal,
    @Query() query: Attributes,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Attributes> {
    const [projection, view] = this.shown(query, request);
    const made = await this.users.create(caller, objectOf(body, 'The body'), view);
    void reply.header('location', `${view.base}/Users/${String(made['id'])}`);
    return projection.of(made);
  }

  @Get(':id')
  @ApiParam(USER)
  @ScimRoute()
  @ApiProjection()
  @ApiOperation({
    operationId: 'getScimUser',
    summary: 'Gets a user',
    description: 'Any user of the organization, also one who was not provisioned.',
  })
  @ApiOkResponse({ type: ScimUser })
  @ApiRefusals(ScimError, NOT_FOUND)
  async get(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Query() query: Attributes,
    @Req() request: FastifyRequest,
  ): Promise<Attributes> {
    const [projection, view] = this.shown(query, request);
    return projection.of(await this.users.get(caller, id, view));
  }

  @Put(':id')
  @ApiParam(USER)
  @ScimRoute()
  @TakesScim()
  @ApiProjection()
  @ApiBody({ type: ScimUser })
  @ApiOperation({
    operationId: 'replaceScimUser',
    summary: 'Replaces all attributes of a user that clients set',
    description:
      'A user of whom `active` is not said stays what they are. Provisioning enables only users whom it has disabled.',
  })
  @ApiOkResponse({ type: ScimUser })
  @ApiRefusals(ScimError, { ...NOT_FOUND, 409: 'The userName or the externalId is taken' })
  async replace(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Query() query: Attributes,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
  ): Promise<Attributes> {
    const [projection, view] = this.shown(query, request);
    return projection.of(await this.users.replace(caller, id, objectOf(body, 'The body'), view));
  }

  @Patch(':id')
  @ApiParam(USER)
  @ScimRoute()
  @TakesScim()
  @ApiProjection()
  @ApiBody({ type: ScimPatch })
  @ApiOperation({
    operationId: 'patchScimUser',
    summary: 'Changes attributes of a user',
    description: 'When `active` becomes false, the password and all tokens of the user stop working at once.',
  })
  @ApiOkResponse({ type: ScimUser })
  @ApiRefusals(ScimError, { ...NOT_FOUND, 409: 'The userName or the externalId is taken' })
  async patch(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Query() query: Attributes,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
  ): Promise<Attributes> {
    const [projection, view] = this.shown(query, request);
    return projection.of(await this.users.patch(caller, id, readPatch(body, USER_TYPE), view));
  }

  @Delete(':id')
  @ApiParam(USER)
  @HttpCode(204)
  @ProvisioningScope()
  @ApiOperation({
    operationId: 'deleteScimUser',
    summary: "Deletes a user and revokes the user's tokens",
    description: 'The userName and the externalId can be used again afterwards.',
  })
  @ApiRefusals(ScimError, NOT_FOUND)
  async delete(@Caller() caller: Principal, @Param('id') id: string): Promise<void> {
    await this.users.delete(caller, id);
  }

  private async answer(caller: Principal, list: ListRequest, request: FastifyRequest): Promise<Attributes> {
    const view = this.viewOf(list.projection, request);
    return listAnswer(await this.users.list(caller, list, view), list);
  }

  private shown(query: Attributes, request: FastifyRequest): [Projection, View] {
    const projection = Projection.read(USER_TYPE, query['attributes'], query['excludedAttributes']);
    return [projection, this.viewOf(projection, request)];
  }

  private viewOf(projection: Projection, request: FastifyRequest): View {
    return { base: baseOf(request, this.config), showsGroups: projection.shows('groups') };
  }
}
