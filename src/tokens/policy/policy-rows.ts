import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { LOCK_SPACES } from '../../database/advisory-lock.js';
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
   * Common table expressions, of which `locked_policies` locks the policies of some organizations, by the organizations'
   * ids: shared, or to be changed.
   *
   * The row is read as it is when its lock is given. But those who lock a row shared do not line up behind one who waits to
   * change it, who would wait for as long as there is always one of them; so all take an advisory lock first, which is
   * given in the order in which it is asked for. There are 1,024 of these, and they are taken in one order.
   *
   * @param organizations a query of `organization_id`.
   */
  locking(organizations: string, { isChanged }: { isChanged: boolean }): string[] {
    const take = isChanged ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared';
    return [
      `gates AS MATERIALIZED (SELECT organization_id, ${take}(${LOCK_SPACES.policies}, gate)
        FROM (SELECT DISTINCT organization_id, hashtext(organization_id::text) & 1023 AS gate
          FROM (${organizations}) AS asked ORDER BY gate) AS in_order)`,
      `locked_policies AS MATERIALIZED (SELECT ${this.rows.columns('p')} FROM policies p
        WHERE p.organization_id = ANY (ARRAY(SELECT organization_id FROM gates))
        ORDER BY p.organization_id FOR ${isChanged ? 'UPDATE' : 'SHARE'})`,
    ];
  }

  /**
   * Locks, shared, the policies of organizations that the statement which locks the rest did not see: a user was moved
   * there while it waited, or the organization is one that a replica of an older version has made. That has none until it
   * is given one, and allows everything.
   *
   * It comes after the tokens, out of the order: should it meet a change of the same policy by a token that is being
   * changed here, the database ends one of the two.
   */
  async lockLate(runner: StatementRunner, organizationIds: readonly string[]): Promise<Policy[]> {
    const ids = 'SELECT organization_id FROM unnest($1::uuid[]) AS organization_id';
    const text = `
      WITH ${this.locking(ids, { isChanged: false }).join(', ')}
      SELECT row_to_json(p) AS policy FROM locked_policies p`;
    const rows = await runner.run<{ policy: JsonRow }>(statementOf('lock-policies', text), [organizationIds]);
    const found = new Map(
      rows.map(({ policy }) => this.policyOf(policy)).map((policy) => [policy.organizationId, policy]),
    );
    return organizationIds.map((id) => found.get(id) ?? policyOf(id, DEFAULT_POLICY, 0));
  }
}
