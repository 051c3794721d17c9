import { Injectable } from '@nestjs/common';
import {
  type Place,
  type Statement,
  type StatementRunner,
  Statements,
  statementOf,
  Values,
} from '../../database/statements.js';
import { conditionOf, type TokenCriteria } from '../token-criteria.js';
import { familyOf } from '../token-reads.js';
import { filterCondition, type TokenFilter } from '../inventory/token-filter.js';

const LEAST = '00000000-0000-0000-0000-000000000000';
const FORGOTTEN_A_STATEMENT = 10_000;

/** Those of jobs that are over, or gone. */
const FORGET = statementOf(
  'forget-targets',
  `DELETE FROM revocation_targets WHERE ctid = ANY (ARRAY(SELECT target.ctid FROM revocation_targets target
      WHERE NOT EXISTS (SELECT FROM jobs job WHERE job.id = target.job_id AND job.ended_at IS NULL)
      LIMIT ${FORGOTTEN_A_STATEMENT}))
    RETURNING 1 AS gone`,
);

/** Which tokens are meant, in SQL: a condition on the alias `token`, and the tables that it reads. */
export type Meaning = (place: Place) => { condition: string; tables?: string };

/** What meets a filter now; without one, which is what can mean no token, nothing does. */
export function meaning(filter: TokenFilter | null): Meaning {
  return (place) => ({ condition: filter ? filterCondition(filter, place, new Date()) : 'FALSE' });
}

/** A token, and what descends from it. */
export function meaningFamily(root: TokenCriteria): Meaning {
  return (place) => ({
    condition: 'token.id IN (SELECT id FROM family)',
    tables: familyOf(conditionOf(root, place)),
  });
}

/** Of filters there are too many to keep the statement of each prepared. */
function ofFilter(kind: string, text: string): Statement {
  return { kind, name: '', text };
}

/** The tokens that jobs are to revoke. */
@Injectable()
export class RevocationTargets {
  constructor(private readonly statements: Statements) {}

  /**
   * Keeps the tokens that are meant, and not revoked, as those of a job.
   *
   * @returns how many more these are.
   */
  async stage(runner: StatementRunner, jobId: string, meant: Meaning): Promise<number> {
    const { place, list } = new Values();
    const { condition, tables } = meant(place);
    const text = `
      WITH RECURSIVE ${tables ? `${tables},` : ''} staged AS (INSERT INTO revocation_targets (job_id, token_uuid)
        SELECT ${place(jobId)}::uuid, token.id FROM tokens token WHERE token.revoked_at IS NULL AND ${condition}
        ON CONFLICT DO NOTHING RETURNING 1)
      SELECT count(*)::int AS count FROM staged`;
    const [row] = await runner.run<{ count: number }>(ofFilter('stage-targets', text), list);
    return row?.count ?? 0;
  }

  /** How many of a job's targets belong to others: neither to an organization, nor to an owner, where one is named. */
  async countBeyond(
    runner: StatementRunner,
    jobId: string,
    { organizationId, ownerId }: { organizationId?: string; ownerId?: string },
  ): Promise<number> {
    const text = `SELECT count(*)::int AS count
      FROM revocation_targets target JOIN tokens token ON token.id = target.token_uuid
      WHERE target.job_id = $1 AND (token.organization_id <> $2 OR token.owner_id <> $3)`;
    const values = [jobId, organizationId ?? null, ownerId ?? null];
    const [row] = await runner.run<{ count: number }>(statementOf('count-beyond', text), values);
    return row?.count ?? 0;
  }

  /** The next targets of a job, uuids in order, without one of them. */
  async next(
    runner: StatementRunner,
    jobId: string,
    { after, limit, except }: { after: string | null; limit: number; except: string | null },
  ): Promise<string[]> {
    const text = `SELECT token_uuid FROM revocation_targets
      WHERE job_id = $1 AND token_uuid > $2 AND token_uuid IS DISTINCT FROM $3 ORDER BY token_uuid LIMIT $4`;
    const values = [jobId, after ?? LEAST, except, limit];
    const rows = await runner.run<{ token_uuid: string }>(statementOf('next-targets', text), values);
    return rows.map(({ token_uuid: id }) => id);
  }

  /** @returns those of the tokens that were targets of the job until now. */
  async remove(runner: StatementRunner, jobId: string, ids: readonly string[]): Promise<string[]> {
    const text = `DELETE FROM revocation_targets WHERE job_id = $1 AND token_uuid = ANY ($2::uuid[]) RETURNING token_uuid`;
    const rows = await runner.run<{ token_uuid: string }>(statementOf('remove-targets', text), [jobId, ids]);
    return rows.map(({ token_uuid: id }) => id);
  }

  /** How many tokens are meant, and not revoked, but for one. */
  async countLive(runner: StatementRunner, meant: Meaning, except: string | null): Promise<number> {
    const { place, list } = new Values();
    const { condition, tables } = meant(place);
    const text = `
      ${tables ? `WITH RECURSIVE ${tables}` : ''} SELECT count(*)::int AS count FROM tokens token
      WHERE token.revoked_at IS NULL AND token.id IS DISTINCT FROM ${place(except)} AND ${condition}`;
    const [row] = await runner.run<{ count: number }>(ofFilter('count-targets', text), list);
    return row?.count ?? 0;
  }

  /** Deletes what jobs that are over have left, a part at a time. */
  async forget(ending?: AbortSignal): Promise<void> {
    for (let isMore = true; isMore && !ending?.aborted;) {
      isMore = (await this.statements.run(FORGET, [])).length === FORGOTTEN_A_STATEMENT;
    }
  }
}
