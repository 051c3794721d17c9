import { Controller, Get, Param, Query, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { ListQuery } from '../../native/list.dto.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { TokenAdministrationService } from '../tokens/tokens.service.js';
import { AuditEventPage } from './audit.dto.js';
import { TokenEventsService } from './token-events.service.js';

/** What the trail has of one token, for everybody who sees that token. */
@ApiTags('audit')
@ApiRefusals(Problem, {
  400: 'Bad input',
  401: 'No valid credential',
  403: 'Not allowed to this caller',
  404: 'The token does not exist or is not visible to the caller',
})
@Controller('patois/v1/tokens/:tokenId/audit-events')
@UsePipes(validationPipe('refused'))
export class TokenEventsController {
  constructor(
    private readonly tokens: TokenAdministrationService,
    private readonly events: TokenEventsService,
  ) {}

  @Get()
  @RequireScopes(PATOIS, 'patois:tokens.read')
  @ApiOperation({
    operationId: 'listTokenAuditEvents',
    summary: 'Lists what happened to a token, newest first',
    description:
      'For everybody who sees the token, its owner too. Paginated. `address` and `userAgent` are null in events of other people, unless the caller administers the organization of the token.',
  })
  @ApiParam({ name: 'tokenId', description: 'The token id.', example: 'pt-4fK2mZq81LxT' })
  async list(
    @Caller() caller: Principal,
    @Param('tokenId') tokenId: string,
    @Query() query: ListQuery,
  ): Promise<AuditEventPage> {
    const token = await this.tokens.get(caller, tokenId);
    const { rows, nextCursor } = await this.events.list(caller, token, query);
    return new AuditEventPage(rows, nextCursor);
  }
}
