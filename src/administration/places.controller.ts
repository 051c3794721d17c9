import { Body, Controller, Get, HttpCode, Post, Query, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { Caller, Needs } from '../access/needs.js';
import { Principal } from '../access/principal.js';
import { Refuses } from '../access/refuses.js';
import { validated } from '../access/validation.js';
import { AccountsService, type Gate } from '../accounts/accounts.service.js';
import { Location } from '../accounts/location.entity.js';
import { Organization } from '../accounts/organization.entity.js';
import { Admission } from '../tokens/authority/admission.js';
import { newestFirst, readPage } from '../tokens/keyset.js';
import { CreatePlace, Place, PlacePage } from './accounts.dto.js';
import { ListQuery } from './list.dto.js';
import { PATOIS } from './patois.dialect.js';
import { Problem } from './problem.dto.js';
import { asRefusal } from './user-administration.js';
import { assertAdministers } from './user-authority.js';

const READ = 'patois:users.read';
const WRITE = 'patois:users.write';

/** Organizations and locations. Administrators make them; an organization administrator sees the own organization. */
@ApiTags('accounts')
@Refuses(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1')
@UsePipes(validated('refused'))
export class PlacesController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly admission: Admission,
    private readonly dataSource: DataSource,
  ) {}

  @Post('organizations')
  @HttpCode(201)
  @Needs(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'createOrganization',
    summary: 'Makes an organization',
    description: 'Its name must be new, without regard to case. For administrators.',
  })
  @Refuses(Problem, { 409: 'The name is taken' })
  async createOrganization(@Caller() caller: Principal, @Body() { name }: CreatePlace): Promise<Place> {
    const gate = administersAll(this.admission, caller);
    return new Place(await refusing(this.accounts.createOrganization(name, caller.actor, gate)));
  }

  @Get('organizations')
  @Needs(PATOIS, READ)
  @ApiOperation({
    operationId: 'listOrganizations',
    summary: 'Lists organizations, newest first',
    description: 'Page by page: `cursor` takes the `nextCursor` of the page before.',
  })
  async listOrganizations(
    @Caller() caller: Principal,
    @Query() { cursor, limit }: ListQuery,
  ): Promise<PlacePage> {
    assertAdministers(caller);
    const query = this.dataSource.manager.createQueryBuilder(Organization, 'place');
    if (!caller.isAdministrator) query.where({ id: caller.user.organizationId });
    const { rows, nextCursor } = await readPage(query, newestFirst('place.createdAt'), cursor, limit);
    return new PlacePage(rows, nextCursor);
  }

  @Post('locations')
  @HttpCode(201)
  @Needs(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'createLocation',
    summary: 'Makes a location',
    description: 'Its name must be new, without regard to case. For administrators.',
  })
  @Refuses(Problem, { 409: 'The name is taken' })
  async createLocation(@Caller() caller: Principal, @Body() { name }: CreatePlace): Promise<Place> {
    const gate = administersAll(this.admission, caller);
    return new Place(await refusing(this.accounts.createLocation(name, caller.actor, gate)));
  }

  @Get('locations')
  @Needs(PATOIS, READ)
  @ApiOperation({
    operationId: 'listLocations',
    summary: 'Lists locations, newest first',
    description: 'Page by page: `cursor` takes the `nextCursor` of the page before.',
  })
  async listLocations(
    @Caller() caller: Principal,
    @Query() { cursor, limit }: ListQuery,
  ): Promise<PlacePage> {
    assertAdministers(caller);
    const query = this.dataSource.manager.createQueryBuilder(Location, 'place');
    const { rows, nextCursor } = await readPage(query, newestFirst('place.createdAt'), cursor, limit);
    return new PlacePage(rows, nextCursor);
  }
}

function administersAll(admission: Admission, caller: Principal): Gate {
  return async (manager) => (await admission.admit(manager, caller)).powers.assertAdministersAll();
}

async function refusing<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (problem) {
    throw asRefusal(problem);
  }
}
