import { Injectable } from '@nestjs/common';
import { type Place, type StatementRunner, statementOf, Values } from '../../database/statements.js';
import { type TokenRow, TokenRows } from '../token-rows.js';
import type { Token } from '../token.entity.js';
import type { Policy } from './policy.entity.js';
import type { PolicySettings } from './policy.entity.js';
import { BROKEN } from './policy-preview.js';

const LIVE = (now: string): string =>
  `token.revoked_at IS NULL AND (token.expires_at IS NULL OR token.expires_at > ${now})`;
/** In which every replica has written the first use of a token after a long rest: that is done every two seconds. */
export const USES_WRITTEN_MS = 5_000;
const LEAST = '00000000-0000-0000-0000-000000000000';

/**
 * That a live token (`token`, its last use `used`) breaks a policy by what it is, in SQL, asked of one token after the
 * other; how many others its owner has is not asked.
 */
function brokenByItself(policy: PolicySettings, place: Place, now: string): string {
  const { allowedCidrs, maxUnusedSeconds } = policy;
  const parts = [
    BROKEN.allowNonExpiring(policy, place, now),
    BROKEN.maxLifetimeSeconds(policy, place, now),
    BROKEN.requireCidrs(policy, place, now),
    allowedCidrs.length === 0
      ? undefined
      : `cardinality(token.allowed_cidrs) = 0 OR EXISTS (SELECT 1 FROM unnest(token.allowed_cidrs) AS block
         WHERE NOT EXISTS (SELECT 1 FROM unnest(${place(allowedCidrs)}::inet[]) AS bound WHERE block::inet <<= bound))`,
    maxUnusedSeconds === null ? undefined : unusedFor(`${place(maxUnusedSeconds)}::int`, now),
  ];
  const given = parts.filter((part) => part !== undefined);
  return given.length > 0 ? `(${given.map((part) => `(${part})`).join(' OR ')})` : 'FALSE';
}

function unusedFor(seconds: string, now: string): string {
  return `coalesce(used.used_at, token.created_at) <= ${now}::timestamptz - ${seconds} * interval '1 second'`;
}

/** Live tokens that break policies, locked for a change, in the order of their ids, with their last uses. */
@Injectable()
export class PolicyBreaches {
  constructor(private readonly rows: TokenRows) {}

  /** Those of an organization that break its policy by what they are, and whose ids come after one. */
  lockBroken(
    runner: StatementRunner,
    policy: Policy,
    { after, limit, now }: { after: string | null; limit: number; now: Date },
  ): Promise<Token[]> {
    const values = new Values();
    const { place } = values;
    const moment = place(now);
    const condition = `token.organization_id = ${place(policy.organizationId)} AND token.id > ${place(after ?? LEAST)}
      AND ${LIVE(moment)} AND ${brokenByItself(policy, place, moment)}
      AND EXISTS (SELECT FROM users owner WHERE owner.id = token.owner_id AND owner.deleted_at IS NULL)`;
    return this.locked(runner, 'lock-broken', condition, limit, values);
  }

  /** Those of all organizations whose policies say that they were unused for too long, and whose ids come after one. */
  lockUnused(
    runner: StatementRunner,
    { after, limit, asOf }: { after: string | null; limit: number; asOf: Date },
  ): Promise<Token[]> {
    const values = new Values();
    const { place } = values;
    const moment = place(asOf);
    const condition = `token.id > ${place(after ?? LEAST)} AND ${LIVE(moment)}
      AND EXISTS (SELECT FROM policies p WHERE p.organization_id = token.organization_id
        AND ${unusedFor('p.max_unused_seconds', moment)})`;
    return this.locked(runner, 'lock-unused', condition, limit, values);
  }

  /** For how many seconds tokens may be unused, by organization, where there is a limit. */
  async unusedLimits(runner: StatementRunner): Promise<Map<string, number>> {
    const text =
      'SELECT organization_id, max_unused_seconds FROM policies WHERE max_unused_seconds IS NOT NULL';
    const rows = await runner.run<{ organization_id: string; max_unused_seconds: number }>(
      statementOf('unused-limits', text),
      [],
    );
    return new Map(rows.map(({ organization_id: id, max_unused_seconds: seconds }) => [id, seconds]));
  }

  /** The next owner, by uuid, of more live tokens than a policy allows. */
  async findCrowded(
    runner: StatementRunner,
    { organizationId, maxTokensPerUser }: Policy,
    after: string | null,
  ): Promise<string | undefined> {
    const text = `
      SELECT token.owner_id FROM tokens token
      WHERE token.organization_id = $1 AND token.owner_id > $2 AND ${LIVE('$3')}
        AND EXISTS (SELECT FROM users owner WHERE owner.id = token.owner_id AND owner.deleted_at IS NULL)
      GROUP BY token.owner_id HAVING count(*) > $4 ORDER BY token.owner_id LIMIT 1`;
    const values = [organizationId, after ?? LEAST, new Date(), maxTokensPerUser];
    const [row] = await runner.run<{ owner_id: string }>(statementOf('find-crowded', text), values);
    return row?.owner_id;
  }

  /** Of an owner's live tokens those beyond so many, the least recently used first. */
  async lockExcess(
    runner: StatementRunner,
    ownerId: string,
    { most, limit }: { most: number; limit: number },
  ): Promise<Token[]> {
    const values = new Values();
    const { place } = values;
    const condition = `token.id = ANY (ARRAY(SELECT id FROM (
        SELECT t.id, row_number() OVER (ORDER BY coalesce(u.used_at, t.created_at) DESC, t.created_at DESC, t.id DESC) AS place
        FROM tokens t LEFT JOIN last_uses u ON u.token_uuid = t.id
        WHERE t.owner_id = ${place(ownerId)} AND t.revoked_at IS NULL
          AND (t.expires_at IS NULL OR t.expires_at > ${place(new Date())})) AS ranked
      WHERE place > ${place(most)} ORDER BY place DESC LIMIT ${place(limit)})) AND token.revoked_at IS NULL`;
    const tokens = await this.locked(runner, 'lock-excess', condition, limit, values);
    return tokens.sort((one, other) => usedAt(one) - usedAt(other));
  }

  private async locked(
    runner: StatementRunner,
    kind: string,
    condition: string,
    limit: number,
    { place, list }: Values,
  ): Promise<Token[]> {
    const text = `
      WITH found AS MATERIALIZED (SELECT ${this.rows.columns('token', { hidden: true })}
        FROM tokens token LEFT JOIN last_uses used ON used.token_uuid = token.id
        WHERE ${condition} ORDER BY token.id LIMIT ${place(limit)} FOR UPDATE OF token)
      SELECT row_to_json(found) AS token, ${this.rows.lastUseJson('found')} AS "lastUse" FROM found`;
    const rows = await runner.run<TokenRow>(statementOf(kind, text), list);
    return rows.map((row) => this.rows.tokenOf(row));
  }
}

function usedAt({ lastUsedAt, createdAt }: Token): number {
  return (lastUsedAt ?? createdAt).getTime();
}
