import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, type SelectQueryBuilder } from 'typeorm';
import { findUser } from '../../accounts/references.js';
import { AuditEvent } from '../../audit/audit-event.entity.js';
import type { Principal } from '../../auth/principal.js';
import { Listings } from '../../database/listings.js';
import { keepBehind, newestFirst, type Page, readPage } from '../../database/page.js';
import { parseCallerAddress } from '../../network/addresses.js';
import type { AuditEventFilter, ListAuditEventsQuery } from './audit.dto.js';
import { EventSubjects, keepEventsInPassing, keepEventsOf, type Subject } from './event-subjects.js';

const NEWEST = newestFirst('event.time');
/** So many events are gone through for a page, before those of very many tokens are all looked up. */
const MOST_WALKED = 20_000;

/** The audit trail as administrators of everything read it. */
@Injectable()
export class AuditTrailService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly listings: Listings,
    private readonly subjects: EventSubjects,
  ) {}

  /** @throws {Refusal} forbidden for who does not administer everything. */
  async list(
    caller: Principal,
    { cursor, limit, ...filter }: ListAuditEventsQuery,
  ): Promise<Page<AuditEvent>> {
    caller.assertAdministersAll();
    const subjects = await this.subjects.of(filter);
    return this.listings.read(async (manager) => {
      const query = await this.besidesSubjects(manager, filter);
      if (subjects?.some(({ hasMany }) => hasMany)) {
        const page = await this.walkedPage(manager, query.clone(), subjects, cursor, limit);
        if (page) return page;
      }
      keepEventsOf(query, subjects);
      return readPage(query, NEWEST, cursor, limit);
    });
  }

  /**
   * The events that a filter means, as the alias `event`.
   *
   * @throws {Refusal} as {@link list}.
   */
  async query(caller: Principal, filter: AuditEventFilter): Promise<SelectQueryBuilder<AuditEvent>> {
    caller.assertAdministersAll();
    const query = await this.besidesSubjects(this.dataSource.manager, filter);
    keepEventsOf(query, await this.subjects.of(filter));
    return query;
  }

  /** By all that a filter names but the owner and the organization. */
  private async besidesSubjects(
    manager: EntityManager,
    { actor, action, object, address, requestId, since, until }: AuditEventFilter,
  ): Promise<SelectQueryBuilder<AuditEvent>> {
    const query = manager.createQueryBuilder(AuditEvent, 'event');
    if (actor !== undefined)
      query.andWhere('event.actorId IN (:...actors)', { actors: await idsOf(manager, actor) });
    if (object !== undefined) {
      query.andWhere('event.objectId IN (:...objects)', { objects: await idsOf(manager, object) });
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

  /**
   * A page that is found among the next so many events; undefined where they do not fill it, and there are more.
   *
   * @param query is used up.
   */
  private async walkedPage(
    manager: EntityManager,
    query: SelectQueryBuilder<AuditEvent>,
    subjects: readonly Subject[],
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<AuditEvent> | undefined> {
    const behind = manager.createQueryBuilder(AuditEvent, 'event');
    keepBehind(behind, NEWEST, cursor);
    const last = await behind
      .select('event.time', 'time')
      .orderBy('event.time', 'DESC')
      .addOrderBy('event.id', 'DESC')
      .offset(MOST_WALKED)
      .limit(1)
      .getRawOne<{ time: Date }>();
    if (last) query.andWhere('event.time >= :walkedTo', { walkedTo: last.time });
    keepEventsInPassing(query, subjects);
    const page = await readPage(query, NEWEST, cursor, limit);
    return page.nextCursor === undefined && last ? undefined : page;
  }
}

/** A reference as the trail has it: as it stands, and, where it is a user's login, the user's uuid. */
async function idsOf(manager: EntityManager, reference: string): Promise<string[]> {
  const user = await findUser(manager, reference, true);
  return user ? [reference, user.id] : [reference];
}
