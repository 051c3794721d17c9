import { Body, Controller, Get, HttpCode, Post, Query, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { ListQuery } from '../../native/list.dto.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { CreatePlace, Place, PlacePage } from '../place.dto.js';
import { OrganizationsService } from './organizations.service.js';

/** Organizations. Administrators make them; an organization administrator sees the own one. */
@ApiTags('accounts')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/organizations')
@UsePipes(validationPipe('refused'))
export class OrganizationsController {
  constructor(private readonly organizations: OrganizationsService) {}

  @Post()
  @HttpCode(201)
  @RequireScopes(PATOIS, 'patois:users.write')
  @ApiOperation({
    operationId: 'createOrganization',
    summary: 'Creates an organization',
    description: 'For administrators. The name must be unique, case-insensitively.',
  })
  @ApiRefusals(Problem, { 409: 'The name is taken' })
  async create(@Caller() caller: Principal, @Body() { name }: CreatePlace): Promise<Place> {
    return new Place(await this.organizations.create(caller, name));
  }

  @Get()
  @RequireScopes(PATOIS, 'patois:users.read')
  @ApiOperation({
    operationId: 'listOrganizations',
    summary: 'Lists organizations, newest first',
    description: 'Paginated: `cursor` takes the `nextCursor` of the previous page.',
  })
  async list(@Caller() caller: Principal, @Query() query: ListQuery): Promise<PlacePage> {
    const { rows, nextCursor } = await this.organizations.list(caller, query);
    return new PlacePage(rows, nextCursor);
  }
}
