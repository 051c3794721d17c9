import type { Place } from '../../database/statements.js';
import { violatesPolicy } from '../policy/policy-violations.js';
import { slotOf, type TokenStatus } from '../token.entity.js';

/**
 * Which tokens are meant, by what they are; all that is given must hold, and nothing given means every token. Users and
 * organizations stand in it as uuids, addresses as `parseCallerAddress` writes them, moments as RFC 3339: it is the same
 * after a way through JSON, so that a job can keep it.
 */
export interface TokenFilter {
  ownerId?: string;
  organizationId?: string;
  dialect?: string;
  status?: TokenStatus;
  /** Whether it is neither revoked nor expired. */
  live?: boolean;
  /** Held as it stands: one that covers it does not count. */
  scope?: string;
  /** Part of the name, description or token id, without regard to case. */
  q?: string;
  tokenId?: string;
  /** All `…Before` are exclusive, all `…After` inclusive bounds. What has no such moment is on neither side. */
  createdBefore?: string;
  createdAfter?: string;
  lastUsedBefore?: string;
  neverUsed?: boolean;
  /** The last use, or of what was never used the moment of issue, comes before. */
  unusedSince?: string;
  expiresBefore?: string;
  expiresAfter?: string;
  withoutExpiry?: boolean;
  withoutCidrs?: boolean;
  /** An address that its CIDR blocks let in; where there are none, every address. */
  allowsAddress?: string;
  /** The uuid of the user or token that made it. */
  createdBy?: string;
  /** Whether it is live and breaks the policy of its organization as that stands. */
  violatesPolicy?: boolean;
}

/** What the conditions are put together with. */
interface Making {
  filter: TokenFilter;
  place: Place;
  /** The moment for which they hold, as a place. */
  now: () => string;
}

type Condition<Key extends keyof TokenFilter> = (
  value: NonNullable<TokenFilter[Key]>,
  making: Making,
) => string;

const DAY_MS = 86_400_000;

/** Of its use, which every token has a row for. */
function used(condition: string): string {
  return `EXISTS (SELECT FROM last_uses used WHERE used.token_uuid = token.id AND ${condition})`;
}

/** Nothing is used before it is made, but for what the clocks of two replicas are apart: the newest need no look. */
function isOldEnough(time: string, place: Place): string {
  return `token.created_at < ${place(new Date(Date.parse(time) + DAY_MS))}`;
}

const CONDITIONS: { [Key in keyof TokenFilter]-?: Condition<Key> } = {
  ownerId: (id, { place }) => `token.owner_id = ${place(id)}`,
  organizationId: (id, { place }) => `token.organization_id = ${place(id)}`,
  dialect: (dialect, { place }) => `token.dialect = ${place(dialect)}`,
  status: (status, { now }) => statusCondition(status, now),
  live: (isLive, { now }) => `${isLive ? '' : 'NOT '}(${liveCondition(now())})`,
  scope: (scope, { place }) => `token.scopes @> ARRAY[${place(scope)}]::text[]`,
  q: (text, { place }) => textCondition(text, place),
  tokenId: (tokenId, { place }) => `token.token_id = ${place(tokenId)}`,
  createdBefore: (time, { place }) => `token.created_at < ${place(time)}`,
  createdAfter: (time, { place }) => `token.created_at >= ${place(time)}`,
  lastUsedBefore: (time, { place }) => {
    const slot = place(slotOf(Date.parse(time)));
    const isBefore = used(`used.used_slot BETWEEN 1 AND ${slot} AND used.used_at < ${place(time)}`);
    return `${isBefore} AND ${isOldEnough(time, place)}`;
  },
  neverUsed: (isUnused) =>
    used(isUnused ? 'used.used_slot = 0 AND used.used_at IS NULL' : 'used.used_at IS NOT NULL'),
  unusedSince: (time, { place }) => {
    const slot = place(slotOf(Date.parse(time)));
    const isBefore = `coalesce(used.used_at, token.created_at) < ${place(time)}`;
    return `${used(`used.used_slot <= ${slot} AND ${isBefore}`)} AND ${isOldEnough(time, place)}`;
  },
  expiresBefore: (time, { place }) => `token.expires_at < ${place(time)}`,
  expiresAfter: (time, { place }) => `token.expires_at >= ${place(time)}`,
  withoutExpiry: (isWithout) => `token.expires_at IS ${isWithout ? '' : 'NOT '}NULL`,
  withoutCidrs: (isWithout) => `cardinality(token.allowed_cidrs) ${isWithout ? '=' : '>'} 0`,
  allowsAddress: (address, { place }) =>
    `(cardinality(token.allowed_cidrs) = 0 OR EXISTS (SELECT FROM unnest(token.allowed_cidrs) AS block
      WHERE CAST(${place(address)} AS inet) <<= CAST(block AS inet)))`,
  createdBy: (id, { place }) => `token.created_by_id = ${place(id)}`,
  violatesPolicy: (isViolating, { filter, place, now }) =>
    `${isViolating ? '' : 'NOT '}${violatesPolicy(filter, place, now())}`,
};

/**
 * In SQL, on the alias `token` of the table of tokens, which needs no other table beside it. Without any key it is met by
 * every token.
 *
 * @param now the moment for which status and policy are asked.
 */
export function filterCondition(filter: TokenFilter, place: Place, now: Date): string {
  let moment: string | undefined;
  const making: Making = { filter, place, now: () => (moment ??= `${place(now)}::timestamptz`) };
  const parts: string[] = [];
  for (const [key, value] of Object.entries(filter)) {
    const condition = CONDITIONS[key as keyof TokenFilter] as Condition<keyof TokenFilter> | undefined;
    // A filter may come back from where it was kept: one that says more than this version knows must not mean more tokens.
    if (!condition) throw new Error(`A filter of tokens with ${key}`);
    if (value !== undefined) parts.push(condition(value as never, making));
  }
  return parts.length > 0 ? parts.join(' AND ') : 'TRUE';
}

/** Whether it depends on the last uses of tokens. */
export function looksAtUses({
  lastUsedBefore,
  neverUsed,
  unusedSince,
  violatesPolicy: breaks,
}: {
  lastUsedBefore?: unknown;
  neverUsed?: unknown;
  unusedSince?: unknown;
  violatesPolicy?: unknown;
}): boolean {
  return [lastUsedBefore, neverUsed, unusedSince, breaks].some((value) => value !== undefined);
}

/** As {@link Token.status} says it: the first that holds of revoked, expired, inactive, active. */
export function statusCondition(status: TokenStatus, now: () => string): string {
  if (status === 'revoked') return 'token.revoked_at IS NOT NULL';
  if (status === 'expired') return `(token.revoked_at IS NULL AND token.expires_at <= ${now()})`;
  return `(${liveCondition(now())} AND ${status === 'inactive' ? '' : 'NOT '}token.inactive)`;
}

/** That a token is neither revoked nor expired. */
function liveCondition(now: string): string {
  return `token.revoked_at IS NULL AND (token.expires_at IS NULL OR token.expires_at > ${now})`;
}

/** What `q` is looked for in. An index on exactly this finds rare parts. */
export const SEARCHED_TEXT = String.raw`lower(token.name || E'\n' || coalesce(token.description, '') || E'\n' || token.token_id)`;

function textCondition(text: string, place: Place): string {
  const pattern = place(`%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`);
  const isFound = `${SEARCHED_TEXT} LIKE lower(${pattern})`;
  if (!text.includes('\n')) return isFound;
  // A part of several lines must lie within one text: the others begin after a line's end as well.
  const texts = ['token.name', 'token.description', 'token.token_id'];
  return `(${isFound} AND (${texts.map((one) => `lower(${one}) LIKE lower(${pattern})`).join(' OR ')}))`;
}
