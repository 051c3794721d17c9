import { Controller, Get, Query, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { AuditEventPage, ListAuditEventsQuery } from './audit.dto.js';
import { AuditTrailService } from './audit.service.js';

/** The audit trail, for administrators of everything. */
@ApiTags('audit')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/audit-events')
@UsePipes(validationPipe('refused'))
export class AuditController {
  constructor(private readonly audit: AuditTrailService) {}

  @Get()
  @RequireScopes(PATOIS, 'patois:users.read')
  @ApiOperation({
    operationId: 'listAuditEvents',
    summary: 'Lists audit events, newest first',
    description: 'For administrators of everything. Paginated. All filters that are given must match.',
  })
  async list(@Caller() caller: Principal, @Query() query: ListAuditEventsQuery): Promise<AuditEventPage> {
    const { rows, nextCursor } = await this.audit.list(caller, query);
    return new AuditEventPage(rows, nextCursor);
  }
}
