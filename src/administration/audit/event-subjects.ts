import { Injectable } from '@nestjs/common';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import { Organization } from '../../accounts/organization.entity.js';
import { findPlace, findUser } from '../../accounts/references.js';
import type { AuditEvent } from '../../audit/audit-event.entity.js';
import type { AuditEventFilter } from './audit.dto.js';

/** Of more tokens the events are not all looked up for a page of them. */
const MOST_LOOKED_UP = 1_000;

/** Whose events are meant: what names an object of theirs, and how many tokens that may be. */
export interface Subject {
  kind: 'owner' | 'organization';
  id: string;
  /** Whether they have so many tokens that their events are found sooner among all events. */
  hasMany: boolean;
}

/** A user's log-ins stand under the login, which is another's once the user is deleted. */
const ACCOUNT = 'unnest(ARRAY[CAST(id AS text), CASE WHEN deleted_at IS NULL THEN login END])';

/** Objects that are no tokens. */
const OTHERS: Record<Subject['kind'], string> = {
  owner: `SELECT ${ACCOUNT} FROM users WHERE id = CAST(:owner AS uuid)`,
  organization: `SELECT CAST(:organization AS text)
    UNION ALL SELECT ${ACCOUNT} FROM users WHERE organization_id = CAST(:organization AS uuid)
    UNION ALL SELECT CAST(id AS text) FROM notice_channels WHERE organization_id = CAST(:organization AS uuid)`,
};

/** Finds whose events a filter means, and keeps a query to them. */
@Injectable()
export class EventSubjects {
  constructor(private readonly dataSource: DataSource) {}

  /** @returns undefined where the filter names somebody or something that is not there. */
  async of({ owner, organization }: AuditEventFilter): Promise<Subject[] | undefined> {
    const { manager } = this.dataSource;
    const named: [Subject['kind'], { id: string } | null][] = [];
    if (owner !== undefined) named.push(['owner', await findUser(manager, owner, true)]);
    if (organization !== undefined) {
      named.push(['organization', await findPlace(manager, Organization, organization)]);
    }
    const subjects: Subject[] = [];
    for (const [kind, found] of named) {
      if (!found) return undefined;
      subjects.push({ kind, id: found.id, hasMany: await this.hasMany(kind, found.id) });
    }
    return subjects;
  }

  private async hasMany(kind: Subject['kind'], id: string): Promise<boolean> {
    const rows = await this.dataSource.query<object[]>(
      `SELECT FROM tokens WHERE ${kind}_id = $1 OFFSET ${MOST_LOOKED_UP} LIMIT 1`,
      [id],
    );
    return rows.length > 0;
  }
}

/** Keeps those events, found by their objects, each of which is looked up; none where the subjects are not there. */
export function keepEventsOf(
  query: SelectQueryBuilder<AuditEvent>,
  subjects: readonly Subject[] | undefined,
): void {
  if (!subjects) query.andWhere('FALSE');
  for (const { kind, id } of subjects ?? []) {
    const tokens = `SELECT token_id FROM tokens WHERE ${kind}_id = CAST(:${kind} AS uuid)`;
    query.andWhere(`event.object_id IN (${OTHERS[kind]} UNION ALL ${tokens})`, { [kind]: id });
  }
}

/** The same, where events are read in their order and the object of each is looked up. */
export function keepEventsInPassing(
  query: SelectQueryBuilder<AuditEvent>,
  subjects: readonly Subject[],
): void {
  for (const { kind, id } of subjects) {
    // By the offset the database looks at the token of an event, and does not begin with the tokens of the owner.
    const isToken = `EXISTS (SELECT FROM (SELECT * FROM tokens WHERE token_id = event.object_id OFFSET 0) AS token
      WHERE token.${kind}_id = CAST(:${kind} AS uuid))`;
    query.andWhere(`(${isToken} OR event.object_id IN (${OTHERS[kind]}))`, { [kind]: id });
  }
}
