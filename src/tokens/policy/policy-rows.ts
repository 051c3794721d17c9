import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { EntityRows, type JsonRow } from '../../database/entity-rows.js';
import { type StatementRunner, statementOf } from '../../database/statements.js';
import { DEFAULT_POLICY, Policy, policyOf } from './policy.entity.js';

/** Policies in statements that are written out. */
@Injectable()
export class PolicyRows {
  private readonly rows: EntityRows<Policy>;

  constructor(dataSource: DataSource) {
    this.rows = new EntityRows(dataSource, Policy);
  }

  columns(alias: string): string {
    return this.rows.columns(alias);
  }

  /** The names of all columns. */
  get names(): readonly string[] {
    return this.rows.givenColumns;
  }

  policyOf(row: JsonRow): Policy {
    return this.rows.entityOf(row);
  }

  parametersOf(policy: Policy): unknown[] {
    return this.rows.parametersOf(policy, this.names);
  }

  /**
   * Locks, shared, the policies of organizations that the statement which locks the rest did not see: a user was moved
   * there while it waited, or the organization is one that a replica of an older version has made. That has none until it
   * is given one, and allows everything.
   */
  async lockLate(runner: StatementRunner, organizationIds: readonly string[]): Promise<Policy[]> {
    const text = `
      WITH late AS MATERIALIZED (SELECT ${this.columns('p')} FROM policies p
        WHERE p.organization_id = ANY ($1::uuid[]) ORDER BY p.organization_id FOR SHARE)
      SELECT row_to_json(late) AS policy FROM late`;
    const rows = await runner.run<{ policy: JsonRow }>(statementOf('lock-policies', text), [organizationIds]);
    const found = new Map(
      rows.map(({ policy }) => this.policyOf(policy)).map((policy) => [policy.organizationId, policy]),
    );
    return organizationIds.map((id) => found.get(id) ?? policyOf(id, DEFAULT_POLICY, 0));
  }
}
