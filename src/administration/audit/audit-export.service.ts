import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditEvent as AuditRow } from '../../audit/audit-event.entity.js';
import type { Principal } from '../../auth/principal.js';
import { EntityRows, type JsonRow } from '../../database/entity-rows.js';
import type { Place } from '../../database/statements.js';
import type { ExportedRow } from '../exports/export-format.js';
import type { ExportSpec } from '../exports/exports.js';
import { AuditEvent, type ExportAuditEventsQuery } from './audit.dto.js';
import { AuditTrailService } from './audit.service.js';

/** As a portion reads it. */
export interface Row {
  event: JsonRow;
}

/** The cells of a line, in their order. */
export const COLUMNS = [
  'id',
  'time',
  'actorType',
  'actorId',
  'action',
  'alias',
  'objectType',
  'objectId',
  'before',
  'after',
  'address',
  'userAgent',
  'requestId',
];

/** What the document shows. */
export const EXAMPLE = shown(
  Object.assign(new AuditRow(), {
    id: '0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10',
    time: new Date('2031-05-06T07:08:08.000Z'),
    actorType: 'user',
    actorId: '3f0e2a36-5d9e-4b0e-9a55-8a1d1c0c6f3b',
    action: 'organization.create',
    alias: null,
    objectType: 'organization',
    objectId: '6f0f3f10-9a3b-4a39-9f57-0c8e8a1e4b8f',
    before: null,
    after: { name: 'Research' },
    address: '203.0.113.7',
    userAgent: 'curl/8.5.0',
    requestId: '5d9e4b0e-9a55-4a1d-9c0c-6f3b3f0e2a36',
  }),
);

/** Says what is exported of the audit trail. */
@Injectable()
export class AuditExport {
  private readonly rows: EntityRows<AuditRow>;

  constructor(
    private readonly trail: AuditTrailService,
    dataSource: DataSource,
  ) {
    this.rows = new EntityRows(dataSource, AuditRow);
  }

  /** @throws {Refusal} forbidden for who does not administer everything. */
  async specOf(caller: Principal, { format, ...filter }: ExportAuditEventsQuery): Promise<ExportSpec<Row>> {
    const query = await this.trail.query(caller, filter);
    const [select, parameters] = query
      .andWhere('TRUE')
      .select('row_to_json("event")', 'event')
      .getQueryAndParameters();
    const text = (place: Place): string => {
      for (const parameter of parameters) place(parameter);
      return select;
    };
    return {
      action: 'audit.export',
      name: 'audit-events',
      format,
      filter,
      columns: COLUMNS,
      show: ({ event }) => shown(this.rows.keptOf(event)),
      select: () => ({
        text,
        order: { time: '"event"."time"', id: '"event"."id"' },
        positionOf: ({ event }) => this.rows.keptOf(event),
      }),
    };
  }
}

function shown(row: AuditRow): ExportedRow {
  const event = new AuditEvent(row);
  const { id, time, actor, action, alias, object, before, after, address, userAgent, requestId } = event;
  const cells = [
    id,
    time.toISOString(),
    actor.type,
    actor.id,
    action,
    alias ?? null,
    object.type,
    object.id,
    before && JSON.stringify(before),
    after && JSON.stringify(after),
    address,
    userAgent,
    requestId,
  ];
  return { json: event, cells };
}
