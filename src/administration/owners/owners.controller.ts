import { Controller, Get, Query, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { ListOwnersQuery, Owner, OwnerPage } from './owners.dto.js';
import { OwnersService } from './owners.service.js';

/** Who owns which tokens. */
@ApiTags('tokens')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/owners')
@UsePipes(validationPipe('refused'))
export class OwnersController {
  constructor(private readonly owners: OwnersService) {}

  @Get()
  @RequireScopes(PATOIS, 'patois:tokens.read')
  @ApiOperation({
    operationId: 'listOwners',
    summary: 'Lists the owners of tokens, the newest users first',
    description:
      'For administrators, and administrators of the organization. Paginated. The filters are those of tokens: a user is in the list who owns one that matches all that are given, and those that match are counted. Unless `status` is given, only tokens that are neither revoked nor expired count.',
  })
  @ApiRefusals(Problem, { 503: 'Many such calls at once' })
  async list(@Caller() caller: Principal, @Query() query: ListOwnersQuery): Promise<OwnerPage> {
    const { rows, nextCursor } = await this.owners.list(caller, query);
    return new OwnerPage(
      rows.map((row) => new Owner(row, row.mostPowerful)),
      nextCursor,
    );
  }
}
