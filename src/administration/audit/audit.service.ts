import { Injectable } from '@nestjs/common';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import { findUser } from '../../accounts/references.js';
import { AuditEvent } from '../../audit/audit-event.entity.js';
import type { Principal } from '../../auth/principal.js';
import { newestFirst, type Page, readPage } from '../../database/page.js';
import { parseCallerAddress } from '../../network/addresses.js';
import type { AuditEventFilter, ListAuditEventsQuery } from './audit.dto.js';

/** The audit trail as administrators of everything read it. */
@Injectable()
export class AuditTrailService {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws {Refusal} forbidden for who does not administer everything. */
  async list(
    caller: Principal,
    { cursor, limit, ...filter }: ListAuditEventsQuery,
  ): Promise<Page<AuditEvent>> {
    const query = await this.query(caller, filter);
    return readPage(query, newestFirst('event.time'), cursor, limit);
  }

  /**
   * The events that a filter means, as the alias `event`.
   *
   * @throws {Refusal} as {@link list}.
   */
  async query(
    caller: Principal,
    { actor, action, object, address, requestId, since, until }: AuditEventFilter,
  ): Promise<SelectQueryBuilder<AuditEvent>> {
    caller.assertAdministersAll();
    const query = this.dataSource.manager.createQueryBuilder(AuditEvent, 'event');
    if (actor !== undefined)
      query.andWhere('event.actorId IN (:...actors)', { actors: await this.idsOf(actor) });
    if (object !== undefined) {
      query.andWhere('event.objectId IN (:...objects)', { objects: await this.idsOf(object) });
    }
    if (action !== undefined) query.andWhere('(event.action = :action OR event.alias = :action)', { action });
    if (address !== undefined) {
      query.andWhere('event.address = :address', { address: parseCallerAddress(address) });
    }
    if (requestId !== undefined) query.andWhere('event.requestId = :requestId', { requestId });
    if (since) query.andWhere('event.time >= :since', { since });
    if (until) query.andWhere('event.time < :until', { until });
    return query;
  }

  /** A reference as the trail has it: as it stands, and, where it is a user's login, the user's uuid. */
  private async idsOf(reference: string): Promise<string[]> {
    const user = await findUser(this.dataSource.manager, reference, true);
    return user ? [reference, user.id] : [reference];
  }
}
