import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditEvent } from '../../audit/audit-event.entity.js';
import type { Principal } from '../../auth/principal.js';
import { Listings } from '../../database/listings.js';
import { newestFirst, type Page, readPage } from '../../database/page.js';
import type { ListQuery } from '../../native/list.dto.js';
import type { Token } from '../../tokens/token.entity.js';

const NEWEST = newestFirst('event.time');

/** What was done to a token, as its owner and administrators read it. */
@Injectable()
export class TokenEventsService {
  constructor(private readonly listings: Listings) {}

  /**
   * One page of the events of a token, newest first. An owner learns who did what and when; where somebody else was, and
   * with what program, is for administrators.
   *
   * @param token one that the caller sees.
   */
  list(caller: Principal, token: Token, query: ListQuery): Promise<Page<AuditEvent>> {
    return this.listings.read((manager) => this.read(manager, caller, token, query));
  }

  private async read(
    manager: EntityManager,
    caller: Principal,
    token: Token,
    { cursor, limit }: ListQuery,
  ): Promise<Page<AuditEvent>> {
    const query = manager
      .createQueryBuilder(AuditEvent, 'event')
      .where('event.objectId = :tokenId', { tokenId: token.tokenId })
      // A failed login stands under what was given as the login, which may be written like a token's id.
      .andWhere(`event.objectType = 'token'`);
    const page = await readPage(query, NEWEST, cursor, limit);
    if (caller.administers(token.organizationId)) return page;
    const own = await this.actorsOf(manager, caller, page.rows);
    for (const event of page.rows) {
      if (event.actorId === null || !own.has(event.actorId)) {
        Object.assign(event, { address: null, userAgent: null });
      }
    }
    return page;
  }

  /** Of the actors of some events those who are the caller: the user, and the user's tokens. */
  private async actorsOf(
    manager: EntityManager,
    { user }: Principal,
    events: readonly AuditEvent[],
  ): Promise<Set<string>> {
    const tokenIds = new Set(
      events.flatMap(({ actorType, actorId }) =>
        actorType === 'token' && actorId !== null ? [actorId] : [],
      ),
    );
    const rows = await manager.query<{ token_id: string }[]>(
      'SELECT token_id FROM tokens WHERE token_id = ANY ($1::text[]) AND owner_id = $2',
      [[...tokenIds], user.id],
    );
    return new Set([user.id, ...rows.map((row) => row.token_id)]);
  }
}
