import { Controller, Get, Query, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { Caller, Needs } from '../access/needs.js';
import { Principal } from '../access/principal.js';
import { Refuses } from '../access/refuses.js';
import { validated } from '../access/validation.js';
import { AuditEvent } from '../audit/audit-event.entity.js';
import { newestFirst, readPage } from '../tokens/keyset.js';
import { AuditEventPage, ListAuditEventsQuery } from './audit.dto.js';
import { PATOIS } from './patois.dialect.js';
import { Problem } from './problem.dto.js';
import { findUser } from './references.js';
import { assertAdministersAll } from './user-authority.js';

/** The audit trail, for administrators of everything. */
@ApiTags('audit')
@Refuses(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/audit-events')
@UsePipes(validated('refused'))
export class AuditController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  @Needs(PATOIS, 'patois:users.read')
  @ApiOperation({
    operationId: 'listAuditEvents',
    summary: 'Lists what was changed and by whom, newest first',
    description: 'Page by page; filtered by actor, action, object and time.',
  })
  async list(
    @Caller() caller: Principal,
    @Query() { cursor, limit, actor, action, object, since, until }: ListAuditEventsQuery,
  ): Promise<AuditEventPage> {
    assertAdministersAll(caller);
    const query = this.dataSource.manager.createQueryBuilder(AuditEvent, 'event');
    if (actor !== undefined)
      query.andWhere('event.actorId IN (:...actors)', { actors: await this.idsOf(actor) });
    if (object !== undefined) {
      query.andWhere('event.objectId IN (:...objects)', { objects: await this.idsOf(object) });
    }
    if (action !== undefined) query.andWhere('(event.action = :action OR event.alias = :action)', { action });
    if (since) query.andWhere('event.time >= :since', { since });
    if (until) query.andWhere('event.time < :until', { until });
    const { rows, nextCursor } = await readPage(query, newestFirst('event.time'), cursor, limit);
    return new AuditEventPage(rows, nextCursor);
  }

  /** A reference as the trail has it: as it stands, and, where it is a user's login, the user's uuid. */
  private async idsOf(reference: string): Promise<string[]> {
    const user = await findUser(this.dataSource.manager, reference, true);
    return user ? [reference, user.id] : [reference];
  }
}
