import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type Place, Values } from '../../database/statements.js';
import { Refusal } from '../../refusal.js';
import { Semaphore } from '../../semaphore.js';
import { REFUSING_RULES } from './policy.js';
import type { PolicySettings } from './policy.entity.js';

/** All that a token can break; not to be used for too long is for a job to keep. */
export const POLICY_RULES = [...REFUSING_RULES, 'maxUnusedSeconds'] as const;
export type PolicyRule = (typeof POLICY_RULES)[number];

/** What a policy would mean for the tokens that an organization has. */
export interface PolicyEffects {
  /** How many live tokens break it. */
  affected: number;
  /** How many break each of its rules. */
  byRule: Record<PolicyRule, number>;
  /** The uuids of some of them, newest first. */
  sample: string[];
}

const MAX_SAMPLE = 100;
/** Each reads all live tokens of an organization: one at a time, and few that wait. */
const MAX_WAITING = 20;
const MAX_WAIT_MS = 10_000;

/** How a live token (`token`) breaks each rule, in SQL; undefined: it cannot. */
export const BROKEN: Record<
  PolicyRule,
  (policy: PolicySettings, place: Place, now: string) => string | undefined
> = {
  allowNonExpiring: ({ allowNonExpiring }) => (allowNonExpiring ? undefined : 'token.expires_at IS NULL'),
  maxLifetimeSeconds: ({ maxLifetimeSeconds: seconds }, place) =>
    seconds === null
      ? undefined
      : `token.expires_at IS NULL OR token.expires_at >
           coalesce(token.rotated_at, token.created_at) + ${place(seconds)} * interval '1 second'`,
  requireCidrs: ({ requireCidrs }) => (requireCidrs ? 'cardinality(token.allowed_cidrs) = 0' : undefined),
  allowedCidrs: ({ allowedCidrs }) =>
    allowedCidrs.length === 0
      ? undefined
      : 'cardinality(token.allowed_cidrs) = 0 OR token.allowed_cidrs IN (SELECT allowed_cidrs FROM reaching)',
  maxTokensPerUser: ({ maxTokensPerUser: count }, place) =>
    count === null
      ? undefined
      : `row_number() OVER (PARTITION BY token.owner_id
           ORDER BY token.seen_at DESC, token.created_at DESC, token.id DESC) > ${place(count)}`,
  maxUnusedSeconds: ({ maxUnusedSeconds: seconds }, place, now) =>
    seconds === null
      ? undefined
      : `token.seen_at <= ${now}::timestamptz - ${place(seconds)} * interval '1 second'`,
};

/**
 * The lists of blocks that reach beyond some others. Many tokens have few lists, and each is looked at once. An address of
 * one family is never within a block of the other, as in network/cidr.ts.
 */
function reachingBeyond(bounds: string): string {
  return `reaching AS MATERIALIZED (
    SELECT list.allowed_cidrs FROM (SELECT DISTINCT allowed_cidrs FROM live) AS list
    WHERE EXISTS (SELECT 1 FROM unnest(list.allowed_cidrs) AS block
      WHERE NOT EXISTS (SELECT 1 FROM unnest(${bounds}::inet[]) AS bound WHERE block::inet <<= bound)))`;
}

/** Says what a policy would mean for the tokens that are there, before it is one. */
@Injectable()
export class PolicyPreview {
  private readonly turns = new Semaphore(1, MAX_WAITING, tooMany, MAX_WAIT_MS);

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Counts the live tokens of an organization that break a policy: those that are neither revoked nor expired, whose owner
   * is not deleted. Beyond `maxTokensPerUser` are those of an owner that were used least recently.
   *
   * @param line in which it waits for its turn.
   * @param moment for which it counts: now.
   * @throws {Refusal} unavailable, when too many wait already.
   */
  async of(
    organizationId: string,
    policy: PolicySettings,
    line: string,
    moment = new Date(),
  ): Promise<PolicyEffects> {
    const values = new Values();
    const { place } = values;
    const now = place(moment);
    const broken = POLICY_RULES.map((rule) => BROKEN[rule](policy, place, now) ?? 'FALSE');
    const isBroken = POLICY_RULES.map(quoted).join(' OR ');
    const text = `
      WITH live AS MATERIALIZED (
        SELECT token.id, token.owner_id, token.allowed_cidrs, token.created_at, token.rotated_at, token.expires_at,
          coalesce(used.used_at, token.created_at) AS seen_at
        FROM tokens token
          JOIN users owner ON owner.id = token.owner_id AND owner.deleted_at IS NULL
          LEFT JOIN last_uses used ON used.token_uuid = token.id
        WHERE token.organization_id = ${place(organizationId)} AND token.revoked_at IS NULL
          AND (token.expires_at IS NULL OR token.expires_at > ${now})),
      ${reachingBeyond(place(policy.allowedCidrs))},
      judged AS MATERIALIZED (
        SELECT token.id, token.created_at, ${POLICY_RULES.map((rule, index) => `(${broken[index]}) AS ${quoted(rule)}`).join(', ')}
        FROM live token)
      SELECT count(*) FILTER (WHERE ${isBroken})::int AS affected,
        ${POLICY_RULES.map((rule) => `count(*) FILTER (WHERE ${quoted(rule)})::int AS ${quoted(rule)}`).join(', ')},
        ARRAY(SELECT id FROM judged WHERE ${isBroken} ORDER BY created_at DESC, id DESC LIMIT ${MAX_SAMPLE}) AS sample
      FROM judged`;
    const [counts] = await this.turns.run(line, () =>
      this.dataSource.query<(Record<PolicyRule, number> & Omit<PolicyEffects, 'byRule'>)[]>(
        text,
        values.list,
      ),
    );
    if (!counts) throw new Error('A count without a row');
    const { affected, sample, ...byRule } = counts;
    return { affected, byRule, sample };
  }
}

function quoted(rule: PolicyRule): string {
  return `"${rule}"`;
}

function tooMany(): Refusal {
  const message = 'Too many previews at once; try again';
  return new Refusal('unavailable', { reason: 'busy', message, retryAfterSeconds: 1 });
}
