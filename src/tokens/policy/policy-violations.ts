import type { Place } from '../../database/statements.js';

/** That a policy can be broken at all: most cannot, and no token of theirs is looked at. */
const HAS_RULES = `(NOT policy.allow_non_expiring OR policy.max_lifetime_seconds IS NOT NULL OR policy.require_cidrs
  OR cardinality(policy.allowed_cidrs) > 0 OR policy.max_unused_seconds IS NOT NULL
  OR policy.max_tokens_per_user IS NOT NULL)`;

/** Within which violations are looked for: the less there is of it, the less is read. */
export interface Within {
  ownerId?: string;
  organizationId?: string;
}

/**
 * That a token (`token`) is live and breaks a rule of the policy that its organization has, in SQL, with any token of any
 * organization: those are violated that `BROKEN` in policy-preview.ts finds broken of one policy. Live is what is neither
 * revoked nor expired, and whose owner is not deleted.
 *
 * @param now a place, of a moment.
 */
export function violatesPolicy(within: Within, place: Place, now: string): string {
  const seenAt = `coalesce((SELECT used.used_at FROM last_uses used WHERE used.token_uuid = token.id), token.created_at)`;
  return `(EXISTS (SELECT FROM policies policy WHERE ${HAS_RULES})
    AND token.organization_id = ANY (ARRAY(SELECT policy.organization_id FROM policies policy WHERE ${HAS_RULES}))
    AND ${isLive('token', now)}
    AND EXISTS (SELECT FROM users owner WHERE owner.id = token.owner_id AND owner.deleted_at IS NULL)
    AND (EXISTS (SELECT FROM policies policy WHERE policy.organization_id = token.organization_id AND (
        (NOT policy.allow_non_expiring AND token.expires_at IS NULL)
        OR (policy.max_lifetime_seconds IS NOT NULL AND (token.expires_at IS NULL OR token.expires_at >
          coalesce(token.rotated_at, token.created_at) + policy.max_lifetime_seconds * interval '1 second'))
        OR (cardinality(token.allowed_cidrs) = 0 AND (policy.require_cidrs OR cardinality(policy.allowed_cidrs) > 0))
        OR (cardinality(policy.allowed_cidrs) > 0 AND EXISTS (SELECT FROM unnest(token.allowed_cidrs) AS block
          WHERE NOT EXISTS (SELECT FROM unnest(policy.allowed_cidrs) AS bound WHERE block::inet <<= bound::inet)))
        OR (policy.max_unused_seconds IS NOT NULL
          AND ${seenAt} <= ${now} - policy.max_unused_seconds * interval '1 second')))
      OR token.id IN (${beyondCount(within, place, now)})))`;
}

/** Those beyond what a policy allows each user: the least recently used. Asked once, of all that may be meant. */
function beyondCount({ ownerId, organizationId }: Within, place: Place, now: string): string {
  const parts = [
    isLive('counted', now),
    ...(ownerId === undefined ? [] : [`counted.owner_id = ${place(ownerId)}`]),
    ...(organizationId === undefined ? [] : [`counted.organization_id = ${place(organizationId)}`]),
  ];
  return `SELECT ranked.id FROM (
    SELECT counted.id, policy.max_tokens_per_user AS most, row_number() OVER (PARTITION BY counted.owner_id
      ORDER BY coalesce(used.used_at, counted.created_at) DESC, counted.created_at DESC, counted.id DESC) AS place
    FROM policies policy JOIN tokens counted ON counted.organization_id = policy.organization_id
      LEFT JOIN last_uses used ON used.token_uuid = counted.id
    WHERE policy.max_tokens_per_user IS NOT NULL AND ${parts.join(' AND ')}) AS ranked
    WHERE ranked.place > ranked.most`;
}

function isLive(alias: string, now: string): string {
  return `${alias}.revoked_at IS NULL AND (${alias}.expires_at IS NULL OR ${alias}.expires_at > ${now})`;
}
