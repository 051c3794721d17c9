import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { EntityRows, type JsonRow } from '../database/entity-rows.js';
import { Location } from './location.entity.js';
import { Organization } from './organization.entity.js';
import { User } from './user.entity.js';

/** A user as a written-out statement reads it, with the organization and, where they were asked for, the locations. */
export interface UserRow {
  user: JsonRow;
  organization: JsonRow | null;
  locations?: JsonRow[] | null;
}

/** Users in statements that are written out. */
@Injectable()
export class UserRows {
  private readonly users: EntityRows<User>;
  private readonly organizations: EntityRows<Organization>;
  private readonly locations: EntityRows<Location>;

  constructor(dataSource: DataSource) {
    this.users = new EntityRows(dataSource, User);
    this.organizations = new EntityRows(dataSource, Organization);
    this.locations = new EntityRows(dataSource, Location);
  }

  /** All columns but the password's hash, which nothing here needs. */
  columns(alias: string): string {
    return this.users.columns(alias);
  }

  /** A user with the organization, to be restored by {@link restoredOf} as it was. */
  keptOf(user: User): UserRow {
    const organization = user.organization ? this.organizations.rowOf(user.organization) : null;
    return { user: this.users.rowOf(this.users.withoutHidden(user)), organization };
  }

  restoredOf({ user, organization }: UserRow): User {
    const entity = this.users.keptOf(user);
    if (organization) entity.organization = this.organizations.keptOf(organization);
    return entity;
  }

  userOf({ user, organization, locations }: UserRow): User {
    const entity = this.users.entityOf(user);
    if (organization) entity.organization = this.organizations.entityOf(organization);
    if (locations !== undefined) {
      entity.locations = (locations ?? []).map((location) => this.locations.entityOf(location));
    }
    return entity;
  }
}

/** The locations of the user of an alias, the first made first, as a value. */
export function locationsJson(alias: string): string {
  return `(SELECT json_agg(row_to_json(l) ORDER BY l.created_at, l.id) FROM user_locations p
    JOIN locations l ON l.id = p.location_id WHERE p.user_id = ${alias}.id)`;
}

/** The organization of the user of an alias, as a value. */
export function organizationJson(alias: string): string {
  return `(SELECT row_to_json(o) FROM organizations o WHERE o.id = ${alias}.organization_id)`;
}
